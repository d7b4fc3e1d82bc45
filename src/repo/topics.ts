/** Words that `dap explain` knows beside kinds and their fields: names of the field, what many fields share, the rule language. */
import { CONTEXT_TYPES, RESULT_TYPES } from '../generated/cel-types.ts'
import { schemas } from '../generated/schemas.js'
import type { ListedTopic, TopicResult } from '../generated/types.ts'
import { KINDS, type LearnerSpec } from '../kinds.ts'
import { EXPLORATIONS, LEARNERS, learnerOf, PAIRS } from '../policy/algorithm.ts'
import { CONTEXT_FUNCTIONS } from '../policy/cel.ts'
import { PURE_FUNCTIONS } from '../policy/cel-rule.ts'
import { DURATION_UNITS } from '../policy/duration.ts'
import { FIELD_NAMES, type FieldName } from '../policy/field-names.ts'
import { type Explained, explain } from './explain.ts'
import { resolve, type Schema } from './schema.ts'

export type Topic = Omit<TopicResult, 'schema'>

/** Short words for fields that say it all. */
const PATHS: Readonly<Record<string, string>> = {
  algorithms: 'Policy.spec.algorithm',
  learners: 'Policy.spec.algorithm.learner',
  explorations: 'Policy.spec.algorithm.exploration',
  forgetting: 'Policy.spec.algorithm.learner.linear.discount',
  guardrails: 'Policy.spec.guardrails',
  rewards: 'Policy.spec.reward',
  worlds: 'Scenario.spec.world',
  distributions: 'Scenario.spec.population.context',
  estimators: 'Evaluation.spec.estimators',
  intervals: 'Evaluation.spec.interval',
  gates: 'Evaluation.spec.gates',
  expectations: 'Scenario.spec.expect',
  rollouts: 'Deployment.spec.rollout',
}

/** Learners, explorations and worlds by their own names, and options that many of them share; a name that is one of a pair, too, is that. */
const PARTS: ReadonlyMap<string, string> = new Map(
  [
    ...LEARNERS.map(({ type }) => [type, `Policy.spec.algorithm.learner.${type}`] as const),
    ...EXPLORATIONS.map(({ type }) => [type, `Policy.spec.algorithm.exploration.${type}`] as const),
    ...variantsAt('Scenario.spec.world'),
    ['discount', 'Policy.spec.algorithm.learner.linear.discount'] as const,
    ['window', 'Policy.spec.algorithm.learner.linear.window'] as const,
    ['hash', 'Policy.spec.features.hash'] as const,
  ].filter(
    ([type], i, all) =>
      FIELD_NAMES.every(({ name }) => name !== type) && all.findIndex(([name]) => name === type) === i,
  ),
)

/** The shapes that a field may have, by name, with their paths. */
function variantsAt(path: string): (readonly [string, string])[] {
  const found = explain(path)
  return 'explanation' in found ? found.explanation.variants.map(({ name }) => [name, `${path}.${name}`] as const) : []
}

const TEXTS: Readonly<Record<string, () => Topic>> = {
  durations: () => ({
    name: 'durations',
    description: `A whole number and a unit, of ${Object.keys(DURATION_UNITS).join(', ')}. There is no blank between them, and no sum of two.`,
    example: 'wait: 72h',
    types: [],
    see: pathsOf(schema => schema.pattern === DURATION_PATTERN),
  }),
  cel: () => ({
    name: 'cel',
    description: `Rules are written in a part of CEL. Those of a policy (\`when\`, \`if\`, features) read \`ctx\`, a field for each of \`spec.context\`; functions are ${CONTEXT_FUNCTIONS.map(ticked).join(', ')}. Expectations of a scenario read \`policy(NAME)\` and \`difference(NAME)\`, gates of an evaluation \`candidate(NAME)\`, \`difference(NAME, BASELINE)\` and \`.estimate(ESTIMATOR)\` of both; functions are ${PURE_FUNCTIONS.map(ticked).join(', ')}. There are no regular expressions.`,
    example: "eligible:\n  gold-big: ctx.level >= 30 && ctx.platform != 'web'",
    types: [
      { name: 'ctx.FIELD, by the type of the field', fields: fieldsOf(CONTEXT_TYPES) },
      ...['policy()', 'difference()', 'candidate()'].map(root => ({
        name: root,
        fields: fieldsOf(RESULT_TYPES[ROOTS[root]]),
      })),
    ],
    see: ['ctx', ...Object.keys(ROOTS)],
  }),
  ctx: () => ({
    name: 'ctx',
    description:
      'The context of a decision, checked and with its defaults, as rules and features of a policy read it: by the type of the field.',
    example: 'ctx.level >= 30',
    types: [{ name: 'type of the field → type in CEL', fields: fieldsOf(CONTEXT_TYPES) }],
    see: ['Policy.spec.context', 'cel'],
  }),
  'policy()': () =>
    rootTopic(
      'policy()',
      'A policy that a scenario plays, in expectations.',
      "policy('shop-offer').regret.upper < 100.0",
      'Scenario.spec.expect',
    ),
  'difference()': () => ({
    ...rootTopic(
      'difference()',
      'In expectations a policy against the first of its scenario; in gates a candidate against another, with `.estimate(ESTIMATOR)`.',
      "difference('new', 'old').estimate('dr').interval.lower > 0.0",
      'Scenario.spec.expect',
    ),
    types: typesFrom('Difference', 'Contrast', 'ContrastEstimate'),
  }),
  'candidate()': () => ({
    ...rootTopic(
      'candidate()',
      'A candidate of an evaluation, in gates; `.estimate(ESTIMATOR)` is what one estimator says of it.',
      "candidate('new').estimate('dr').lift.lower >= -0.001",
      'Evaluation.spec.gates',
    ),
    types: typesFrom('Candidate', 'Estimate'),
  }),
}

/** The result type of each root of a rule. */
const ROOTS: Readonly<Record<string, string>> = {
  'policy()': 'Policy',
  'difference()': 'Difference',
  'candidate()': 'Candidate',
}

const DURATION_PATTERN = '^[0-9]{1,9}(ms|s|m|h|d)$'

const ticked = (word: string) => `\`${word}\``

const fieldsOf = (fields: Readonly<Record<string, string>>) =>
  Object.entries(fields).map(([name, type]) => ({ name, type }))

const rootTopic = (name: string, description: string, example: string, path: string): Topic => ({
  name,
  description,
  example,
  types: typesFrom(ROOTS[name]),
  see: [path, 'cel'],
})

/** These types of results, and those that they lead to. */
function typesFrom(...names: readonly string[]): Topic['types'] {
  const found = [...names]
  for (const name of found) {
    const inner = Object.values(RESULT_TYPES[name]).map(type => type.replace(/^list<(.*)>$/, '$1'))
    found.push(...inner.filter(type => Object.hasOwn(RESULT_TYPES, type) && !found.includes(type)))
  }
  return [...new Set(found)].map(name => ({ name, fields: fieldsOf(RESULT_TYPES[name]) }))
}

/** Every field whose schema is like this, by the path that `dap explain` takes. */
function pathsOf(is: (schema: Schema) => boolean): string[] {
  const found: string[] = []
  const walk = (schema: Schema, root: Schema, path: string, seen: readonly Schema[]) => {
    const at = resolve(schema, root)
    if (seen.includes(at)) return
    if (is(at)) found.push(path)
    const inner = [...seen, at]
    for (const [name, field] of Object.entries(at.properties ?? {})) walk(field, root, `${path}.${name}`, inner)
    for (const each of [at.items, at.additionalProperties, ...(at.oneOf ?? []), ...(at.anyOf ?? [])])
      if (each) walk(each, root, path, inner)
  }
  for (const kind of KINDS) walk(schemas[kind], schemas[kind], kind, [])
  return [...new Set(found)]
}

/** As it is written in a policy; with the features of actions that the learner cannot do without. */
export function algorithmYaml({ learner, exploration }: Omit<FieldName, 'name'>): string {
  const second = exploration === undefined ? '' : `\n  exploration: { type: ${exploration} }`
  const features = learnerOf({ type: learner } as LearnerSpec).features?.({ type: learner })
  const first = features?.shared === true ? 'features: [{ field: level }, { action: id }]\n' : ''
  return `${first}algorithm:\n  learner: { type: ${learner}${learner === 'fixed' ? ', probabilities: { none: 0.5, gold: 0.5 }' : ''} }${second}`
}

function algorithmTopic(found: FieldName): Topic {
  const { name, learner, exploration } = found
  const pair = PAIRS.find(each => each.learner.type === learner && each.exploration?.type === exploration)
  const parts = [
    ['learner', learner] as const,
    ...(exploration === undefined ? [] : [['exploration', exploration] as const]),
  ]
  const named = pair?.name?.name ?? `\`${name}\``
  const paper = pair?.name?.paper === undefined ? '' : ` (${pair.name.paper})`
  const pairing = exploration === undefined ? [] : [`${named}${paper} is \`${learner}\` × \`${exploration}\`.`]
  const sentences = parts.map(
    ([axis, type]) => `The ${axis} \`${type}\`: ${sentenceOf(`Policy.spec.algorithm.${axis}.${type}`)}`,
  )
  return {
    name,
    description: [...pairing, ...sentences].join(' '),
    example: algorithmYaml(found),
    types: [],
    see: [...parts.map(([axis, type]) => `Policy.spec.algorithm.${axis}.${type}`), 'algorithms'],
  }
}

function sentenceOf(path: string): string {
  const explained = explain(path)
  return 'explanation' in explained ? explained.explanation.description : ''
}

const normal = (word: string) => word.toLowerCase().replace(/[\s_]+/g, '-')

/** Names are written in many ways: `LinUCB`, `lin_ucb`, `UCB-1`. */
const same = (a: string, b: string) => normal(a).replaceAll('-', '') === normal(b).replaceAll('-', '')

/** Without its plural and its brackets: `duration`, `candidate`. */
const near = (word: string, name: string) =>
  same(word, name) || same(`${word}s`, name) || same(`${word}()`, name) || same(word.replace(/\(.*\)$/, '()'), name)

/** A page on a word, or the field that the word stands for; undefined where it is none. */
export function topicOf(word: string): { readonly topic: Topic } | Explained | undefined {
  const text = Object.keys(TEXTS).find(name => near(word, name))
  if (text !== undefined) return { topic: TEXTS[text]() }
  const path = Object.keys(PATHS).find(name => near(word, name))
  if (path !== undefined) return explain(PATHS[path])
  const algorithm = FIELD_NAMES.find(({ name }) => same(word, name))
  if (algorithm !== undefined) return { topic: algorithmTopic(algorithm) }
  const part = [...PARTS].find(([name]) => same(word, name))
  return part && explain(part[1])
}

/** Does `dap explain` have a page on it? */
export const isTopic = (word: string): boolean => topicOf(word) !== undefined || 'explanation' in explain(word)

export const topicNames = (): string[] => [
  ...KINDS,
  ...Object.keys(PATHS),
  ...Object.keys(TEXTS),
  ...FIELD_NAMES.map(({ name }) => name),
  ...PARTS.keys(),
]

/** What there is to ask for: kinds, and words with a line each; of the names of one algorithm the first. */
export function listTopics(): { readonly kinds: readonly ListedTopic[]; readonly topics: readonly ListedTopic[] } {
  const first = FIELD_NAMES.filter(({ learner, exploration }, i) => {
    const before = FIELD_NAMES.slice(0, i)
    return !before.some(each => each.learner === learner && each.exploration === exploration)
  })
  return {
    kinds: KINDS.map(name => ({ name, description: schemas[name].description ?? '' })),
    topics: [
      ...Object.entries(PATHS).map(([name, path]) => ({ name, description: firstSentence(sentenceOf(path)) })),
      ...Object.values(TEXTS).map(text => ({ name: text().name, description: firstSentence(text().description) })),
      ...first.map(found => ({ name: found.name, description: firstSentence(algorithmTopic(found).description) })),
    ],
  }
}

const firstSentence = (text: string) => /^.*?\.(?= |$)/.exec(text)?.[0] ?? text
