/**
 * Writes what follows from the definitions of learners, explorations, worlds, click models and estimators into the files that tell people of them: unions
 * and lists of names in `schemas/`, and the README's table.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { ESTIMATORS } from '../src/evaluate/estimators/estimators.ts'
import { LIST_ESTIMATORS } from '../src/evaluate/lists/estimators/list-estimators.ts'
import { EXPLORATIONS, LEARNERS, PAIRS, SCORE_EXPLORATIONS } from '../src/policy/algorithm.ts'
import type { ConfiguredDefinition } from '../src/policy/definition.ts'
import type { ExplorationDefinition } from '../src/policy/exploration.ts'
import type { LearnerDefinition } from '../src/policy/learner.ts'
import { CLICK_MODELS } from '../src/simulate/clicks/clicks.ts'
import { WORLDS } from '../src/simulate/worlds/worlds.ts'
import { composedApi } from './compose-api.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** The files that have such parts, as they should be: path → text. `read` gives them as they are. */
export function compose(read: (path: string) => string): ReadonlyMap<string, string> {
  return new Map([
    ...Object.keys(PARTS).map(path => [path, composedSchema(path, read(path))] as const),
    ['schemas/openapi.yaml', composedApi(read('schemas/openapi.yaml'), read)] as const,
    ['README.md', composedReadme(read('README.md'))] as const,
  ])
}

/** The parts of a schema: JSON pointer → value. */
const PARTS: Readonly<Record<string, readonly (readonly [pointer: string, value: unknown])[]>> = {
  'schemas/policy.schema.json': [
    ['/$defs/LearnerSpec/oneOf', union(LEARNERS)],
    ['/$defs/ExplorationSpec/oneOf', union(EXPLORATIONS)],
    ['/properties/spec/properties/algorithm/description', algorithmSentence()],
    ['/$defs/AlgorithmSpec/properties/exploration/description', explorationSentence()],
  ],
  'schemas/scenario.schema.json': [
    ['/$defs/WorldSpec/oneOf', union(WORLDS)],
    ['/$defs/ClickSpec/oneOf', union(CLICK_MODELS)],
  ],
  'schemas/evaluation.schema.json': [
    ['/$defs/ScoreExplorationSpec/oneOf', union(SCORE_EXPLORATIONS)],
    ['/properties/spec/properties/estimators/description', estimatorsSentence()],
    ['/properties/spec/properties/estimators/items/oneOf/0/enum', types([...ESTIMATORS, ...LIST_ESTIMATORS])],
    [
      '/properties/spec/properties/estimators/items/oneOf/1/properties/type/enum',
      types([...ESTIMATORS, ...LIST_ESTIMATORS]),
    ],
    ['/properties/spec/properties/estimators/items/oneOf/1/properties/lambda/description', lambdaSentence()],
  ],
}

function composedSchema(path: string, text: string): string {
  const schema = JSON.parse(text) as Record<string, unknown>
  for (const [pointer, value] of PARTS[path] ?? [])
    replace(schema, pointer.split('/').slice(1), value, `${path}#${pointer}`)
  return `${JSON.stringify(schema, null, 2)}\n`
}

function replace(
  within: Record<string, unknown>,
  [step, ...rest]: readonly string[],
  value: unknown,
  place: string,
): void {
  if (!Object.hasOwn(within, step)) throw new Error(`${place}: there is no such place`)
  if (rest.length === 0) within[step] = value
  else replace(within[step] as Record<string, unknown>, rest, value, place)
}

function union(definitions: readonly ConfiguredDefinition[]): Json {
  return definitions.map(({ type, description, options, required = [] }) => ({
    type: 'object',
    description,
    properties: { type: { const: type, description }, ...options } as Json,
    required: ['type', ...required],
    additionalProperties: false,
  }))
}

function types(definitions: readonly { readonly type: string }[]): readonly string[] {
  return definitions.map(({ type }) => type)
}

function code(text: string): string {
  return `\`${text}\``
}

/** Those of one key together, in the order of their first. */
function grouped<T>(items: readonly T[], key: (item: T) => unknown): readonly (readonly T[])[] {
  const groups = new Map<unknown, T[]>()
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  return [...groups.values()]
}

/** `a`, `b` and `c` */
function listed(definitions: readonly { readonly type: string }[]): string {
  const names = types(definitions).map(code)
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

function algorithmSentence(): string {
  const byLearner = LEARNERS.flatMap(learner => {
    const pairs = PAIRS.filter(pair => pair.learner === learner && pair.name !== undefined)
    const [first, ...others] = pairs.map(
      ({ exploration, name }) => [code(exploration?.type ?? ''), name?.name] as const,
    )
    if (first === undefined) return []
    const rest = others.map(([type, name]) => `, with ${type} ${name}`).join('')
    return [`${code(learner.type)} with ${first[0]} is ${first[1]}${rest}`]
  })
  return `What is learnt, and how values become probabilities. By their papers' names: ${byLearner.join('; ')}.`
}

function explorationSentence(): string {
  const alone = LEARNERS.filter(({ standsAlone }) => standsAlone)
  return `How values become probabilities; absent for the learners ${listed(alone)}, which are probabilities already.`
}

function estimatorsSentence(): string {
  const matching = ESTIMATORS.filter(each => each.create(each.type, { lambda: each.lambda ?? 1, by: [] }).matching)
  const biased = ESTIMATORS.filter(each => each.biased)
  const unbiased = ESTIMATORS.filter(each => !each.biased && !matching.includes(each))
  const modelled = ESTIMATORS.filter(each => each.model)
  const anywhere = ESTIMATORS.filter(each => !each.propensities)
  return (
    `How values are estimated. ${listed(unbiased)} are unbiased; ${listed(biased)} are not, and are trusted only beside \`dr\`; ` +
    `${listed(matching)} ${matching.length === 1 ? 'is' : 'are'} of candidates that do not draw. ` +
    `${listed(modelled)} need a reward model, and a log of unknown propensities allows ${listed(anywhere)} alone. ` +
    listsSentence()
  )
}

function listsSentence(): string {
  const assuming = grouped(
    LIST_ESTIMATORS.filter(({ assumes }) => assumes !== undefined),
    ({ assumes }) => assumes,
  )
  const whole = LIST_ESTIMATORS.filter(({ assumes }) => assumes === undefined)
  const parts = assuming.map(of => `${listed(of)} where ${of[0].assumes}`)
  return `Lists have estimators of their own: ${listed(whole)} are unbiased whatever slots do to each other, ${parts.join(', ')}.`
}

function lambdaSentence(): string {
  const cutting = ESTIMATORS.filter(({ lambda }) => lambda !== undefined)
  const parts = grouped(cutting, ({ cut }) => cut).map(
    of => `${listed(of)} ${of.length === 1 ? 'takes' : 'take'} ${of[0].cut}`,
  )
  const defaults = grouped(cutting, ({ lambda }) => lambda)
  const standard = defaults
    .map(of => (defaults.length === 1 ? of[0].lambda : `${of[0].lambda} for ${listed(of)}`))
    .join(', ')
  return `Where weights are cut: ${parts.join('; ')}. Default: ${standard}.`
}

const [BEGIN, END] = ['<!-- algorithms: made by scripts/compose.ts -->', '<!-- algorithms end -->']

function composedReadme(text: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`README.md has no \`${BEGIN}\` … \`${END}\``)
  return `${text.slice(0, begin)}${BEGIN}\n${algorithmTable()}\n${text.slice(end)}`
}

/** Explorations that need the same of a learner go with the same learners, and share a column. */
function algorithmTable(): string {
  const columns = grouped(EXPLORATIONS, ({ needs, rewards }) => [rewards, ...needs].sort().join())
  const cell = (learner: LearnerDefinition, explorations: readonly ExplorationDefinition[]) => {
    const pairs = PAIRS.filter(pair => pair.learner === learner && explorations.some(each => each === pair.exploration))
    const names = pairs.flatMap(({ name }) => name?.name ?? [])
    return pairs.length > 0 && names.length === 0 ? 'yes' : names.join(', ')
  }
  const head = ({ type, note }: LearnerDefinition) => (note === undefined ? code(type) : `${code(type)} (${note})`)
  const alone = LEARNERS.filter(({ standsAlone }) => standsAlone)
  const rows = [
    ['', ...columns.map(explorations => types(explorations).map(code).join(' '))],
    ['---', ...columns.map(() => '---')],
    ...LEARNERS.filter(each => !alone.includes(each)).map(learner => [
      head(learner),
      ...columns.map(explorations => cell(learner, explorations)),
    ]),
    [alone.map(head).join(', '), 'stand alone', ...columns.slice(1).map(() => '')],
  ]
  return rows
    .map(cells =>
      cells[0] === '---'
        ? `|${cells.join('|')}|`
        : `|${cells.map(text => (text === '' ? ' ' : ` ${text} `)).join('|')}|`,
    )
    .join('\n')
}

/** Writes the files that are not as they should be; false where there are none. */
export function writeComposed(root = new URL('../', import.meta.url)): boolean {
  const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
  const stale = [...compose(read)].filter(([path, text]) => read(path) !== text)
  for (const [path, text] of stale) writeFileSync(new URL(path, root), text)
  return stale.length > 0
}

if (import.meta.main) writeComposed()
