import { didYouMean } from '../../diagnostics.ts'
import type { ContextField, PolicySpec, ScenarioSpec, WorldSpec } from '../../kinds.ts'
import { learnerOf, rewardsOf } from '../../policy/algorithm.ts'
import { compileContextRule } from '../../policy/cel.ts'
import { defaultFeatures, fieldsOf, OF_ACTION } from '../../policy/features.ts'
import { forgetsBy } from '../../policy/forgetting.ts'
import { isListed, isOffered, isSet, listed } from '../../policy/pool.ts'
import { checkExpectation } from '../../policy/result-rules.ts'
import { type Fields, worldFields } from '../../policy/world-fields.ts'
import { isBaseline } from '../../simulate/baselines.ts'
import { offeredFields, termsOf, WORLDS, worldOf } from '../../simulate/worlds/worlds.ts'
import type { Fault, Path } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { list } from '../schema.ts'
import { clickRules } from './clicks.ts'
import { celFault, duplicates, known, milliseconds, semantic, some } from './common.ts'
import { distributionRules } from './distribution.ts'

interface Played {
  readonly name: string
  /** Its place in `spec.policies`. */
  readonly at: number
  readonly spec: PolicySpec
}

export function* scenarioRules({ spec }: Resource<'Scenario'>, repository: Lookup): Generator<Fault> {
  const { policies, horizon, checkpoints = [], expect } = spec
  const known = policies.every(name => isBaseline(name) || repository.mayHave('Policy', name))
  const found = policies.map((name, at) => ({ name, at, spec: repository.get('Policy', name)?.spec }))
  const played = found.filter((each): each is Played => each.spec !== undefined)
  // A policy that is missing or broken may have any field and any action.
  const complete = found.every(({ name, spec }) => spec !== undefined || isBaseline(name))
  const ascending = checkpoints.findIndex((t, i) => i > 0 && t <= checkpoints[i - 1])
  if (ascending !== -1)
    yield semantic(
      ['spec', 'checkpoints', ascending],
      'checkpoints must be ascending',
      `${checkpoints[ascending - 1]} is before it: write them from the first to the last`,
    )
  const beyond = checkpoints.findIndex(t => t > horizon)
  if (beyond !== -1) {
    yield semantic(
      ['spec', 'checkpoints', beyond],
      `the checkpoint ${checkpoints[beyond]} is beyond the horizon ${horizon}`,
      'raise `horizon`, or take the checkpoint out',
    )
  }
  if (complete) {
    const fields = worldFields(
      played.map(each => each.spec),
      spec.population,
    )
    yield* actionRules(spec.world, played)
    yield* populationRules(spec, played)
    yield* termRules(spec.world, fields)
    if (spec.world.type === 'catalogue') {
      const specs = played.map(each => each.spec)
      yield* catalogueRules(spec.world, fields, offeredFields(specs, spec.world))
    }
  }
  if (complete) yield* clickRules(spec.world, played)
  yield* rewardRules(spec.world, played)
  yield* clockRules(spec, played)
  yield* duplicates(
    expect.map(rule => rule.id),
    'rule',
    i => ['spec', 'expect', i, 'id'],
  )
  // An expectation may have the right name of a policy whose name is wrong in the list.
  for (const [i, { expr }] of known ? expect.entries() : []) {
    const fault = checkExpectation(expr, policies)
    if (fault !== undefined) yield celFault(fault, ['spec', 'expect', i, 'expr'])
  }
}

/** What forgets needs to know what time it is. */
function* clockRules({ every }: ScenarioSpec, played: readonly Played[]): Generator<Fault> {
  if (every !== undefined) {
    if (milliseconds(every) === 0)
      yield semantic(['spec', 'every'], 'no time passes between decisions', 'for example `every: 10m`')
    return
  }
  for (const { name, at, spec } of played) {
    const how = forgetsBy(spec.algorithm.learner)
    if (how === undefined) continue
    const message = `\`${name}\` forgets by time (\`${how}\`), and this scenario has none`
    yield semantic(['spec', 'policies', at], message, 'say how much passes between two decisions, such as `every: 10m`')
  }
}

/** Rewards of any number are not for every policy. */
function* rewardRules({ type }: WorldSpec, played: readonly Played[]): Generator<Fault> {
  if (worldOf({ type }).rewards === 'unit') return
  for (const { name, at, spec } of played) {
    const { rewards, of } = rewardsOf(spec.algorithm)
    if (rewards === 'any') continue
    const role = of === spec.algorithm.learner.type ? 'learner' : 'exploration'
    const message = `\`${name}\` has the ${role} \`${of}\`, for rewards of 0 and 1, but the rewards of a ${type} world are any number`
    const others = WORLDS.filter(world => world.rewards === 'unit').map(world => world.type)
    yield semantic(['spec', 'policies', at], message, `play it in a ${others.join(' or ')} world`)
  }
}

function* actionRules(world: WorldSpec, played: readonly Played[]): Generator<Fault> {
  const own = termsOf(world)
  yield* offerRules(world, played)
  if (own === undefined || played.every(({ spec }) => isOffered(spec.actions))) return
  const { key, terms } = own
  const path = ['spec', 'world', key]
  const actions = new Set(played.flatMap(({ spec }) => listed(spec.actions).map(action => action.id)))
  const missing = new Map<string, string>()
  for (const { name, spec } of played) {
    for (const { id } of listed(spec.actions)) if (!Object.hasOwn(terms, id) && !missing.has(id)) missing.set(id, name)
  }
  for (const id of Object.keys(terms)) {
    if (actions.has(id)) continue
    const near = [...missing.keys()].find(name => didYouMean(id, [name]) !== undefined)
    if (near !== undefined) missing.delete(near)
    const hint = near === undefined ? `they have ${some([...actions])}` : `did you mean \`${near}\`?`
    yield {
      code: 'reference',
      message: `no policy played here has the action \`${id}\``,
      hint,
      path: [...path, id],
      on: 'key',
    }
  }
  for (const [id, policy] of missing) {
    const message = `the world does not say what the action \`${id}\` of \`${policy}\` brings`
    yield { ...semantic(path, message, `add \`${id}\` to \`${key}\``), on: 'key' }
  }
}

type Catalogue = Extract<WorldSpec, { type: 'catalogue' }>

/** What requests bring must be of a world that offers it, and fit the policies. */
function* offerRules(world: WorldSpec, played: readonly Played[]): Generator<Fault> {
  for (const { name, at, spec } of played) {
    const { actions } = spec
    if (isSet(actions)) {
      const other = played.find(each => !isSet(each.spec.actions) || each.spec.actions.set !== actions.set)
      if (world.type !== 'catalogue' || other === undefined) continue
      const message = `the items are those of the set \`${actions.set}\` of \`${name}\`, and \`${other.name}\` does not choose from it`
      yield semantic(['spec', 'policies', other.at], message, 'play it in a scenario of its own')
      return
    }
    if (isListed(actions) === (world.type !== 'catalogue')) {
      if (world.type === 'catalogue' && !isListed(actions) && world.offered > actions.max) {
        const message = `a request brings ${world.offered} items, and \`${name}\` takes at most ${actions.max}`
        yield semantic(['spec', 'world', 'offered'], message, `raise its \`actions.max\`, or offer fewer`)
      }
      continue
    }
    const message = isListed(actions)
      ? `\`${name}\` lists its actions, and a catalogue world offers items of its own`
      : `the actions of \`${name}\` are the request's, and this world does not say what requests bring`
    const types = WORLDS.filter(({ terms }) => (terms === undefined) !== isListed(actions)).map(({ type }) => type)
    yield semantic(['spec', 'policies', at], message, `play it in a world of type ${types.join(' or ')}`)
  }
  if (world.type !== 'catalogue') return
  const path = ['spec', 'world']
  const set = played.find(({ spec }) => isSet(spec.actions))
  if (set !== undefined) {
    yield* setRules(world, set)
    return
  }
  if (world.offered > world.items) {
    yield semantic([...path, 'offered'], `of ${world.items} items no request brings ${world.offered}`, 'raise `items`')
  }
  const declared = offeredFields(
    played.map(({ spec }) => spec),
    { ...world, features: {} },
  )
  for (const [name, distribution] of Object.entries(world.features)) {
    yield* distributionRules(distribution, declared[name], name, [...path, 'features', name])
  }
  for (const [name, field] of Object.entries(declared)) {
    if (field.default !== undefined || Object.hasOwn(world.features, name)) continue
    const message = `nothing says what the feature \`${name}\` of the items is`
    yield semantic([...path, 'features'], message, `add \`${name}\` to \`world.features\``)
  }
}

/** The items of a set are what its file says. */
function* setRules(world: Catalogue, { name }: Played): Generator<Fault> {
  const { items, offered, features, renewal } = world
  const { items: usual, offered: few } = worldOf(world).options
  const said = {
    items: items !== usual['default'],
    offered: offered !== few['default'],
    features: Object.keys(features).length > 0,
    renewal: renewal !== undefined,
  }
  for (const [option, wrong] of Object.entries(said)) {
    if (!wrong) continue
    const message = `the items are those of the set of \`${name}\`: \`${option}\` says nothing of them`
    yield { ...semantic(['spec', 'world', option], message, `take out \`${option}\``), on: 'key' }
  }
}

/** The log-odds and the effects of a catalogue read what there is. */
function* catalogueRules(world: Catalogue, fields: Fields, offered: Fields): Generator<Fault> {
  const path = ['spec', 'world']
  const ofItems: Fields = { id: { type: 'string' }, ...offered }
  if (typeof world.logit === 'string') {
    const rule = compileContextRule(world.logit, fields, 'double', ofItems)
    if ('fault' in rule) yield celFault(rule.fault, [...path, 'logit'])
  }
  const names = [...Object.keys(fields), ...Object.keys(ofItems).map(name => `${OF_ACTION}${name}`)]
  for (const [e, { of }] of world.effects.entries()) {
    for (const [i, name] of of.entries()) {
      const at = [...path, 'effects', e, 'of', i]
      const unknown = [...known(name, names, 'field', at)]
      yield* unknown
      if (unknown.length > 0) continue
      const field = name.startsWith(OF_ACTION) ? ofItems[name.slice(OF_ACTION.length)] : fields[name]
      if (field.type === 'string' || field.type === 'boolean' || field.type === 'integer') continue
      const message = `\`${name}\` has too many values for a table`
      yield semantic(at, message, 'a term of `logit` can be a number times the field')
    }
  }
}

function* populationRules({ population, world, policies }: ScenarioSpec, played: readonly Played[]): Generator<Fault> {
  const path = ['spec', 'population', 'context']
  const context = population?.context ?? {}
  const fields: Record<string, ContextField> = {}
  for (const { name, at, spec } of played) {
    for (const [field, declared] of Object.entries(spec.context)) {
      fields[field] ??= declared
      if (fields[field].type !== declared.type) {
        const message = `\`${field}\` is of type ${declared.type} in \`${name}\`, but of type ${fields[field].type} in another policy played here`
        yield semantic(
          ['spec', 'policies', at],
          message,
          'call one of the fields otherwise, or play the policies in Scenarios of their own',
        )
      }
    }
  }
  const missing = new Map<string, string>()
  for (const { name, spec } of played) {
    for (const [field, { type, default: value }] of Object.entries(spec.context)) {
      const numbered = field === spec.unit && type === 'string'
      if (value === undefined && !numbered && !Object.hasOwn(context, field)) missing.set(field, name)
    }
  }
  const used = usedByWorld(world)
  for (const [field, distribution] of Object.entries(context)) {
    const declared = fields[field]
    if (declared === undefined && !used(field)) {
      const hint = didYouMean(field, Object.keys(fields)) ?? 'take it out'
      for (const name of [...missing.keys()]) if (hint === `did you mean \`${name}\`?`) missing.delete(name)
      const message = `neither a policy played here nor the world has a context field \`${field}\``
      yield { code: 'reference', message, hint, path: [...path, field], on: 'key' }
    }
    yield* distributionRules(distribution, declared, field, [...path, field])
  }
  yield* constantRules(population, played)
  for (const [field, policy] of missing) {
    const message = `nothing says what \`${field}\` of \`${policy}\` is in the simulated population`
    const hint = `add \`${field}\` to \`population.context\``
    yield semantic(population === undefined ? ['spec', 'policies', policies.indexOf(policy)] : path, message, hint)
  }
}

/** What a policy looks at, and is the same for everybody in the population, which does not say so. */
function* constantRules(population: ScenarioSpec['population'], played: readonly Played[]): Generator<Fault> {
  if (population === undefined) return
  const defaults = new Map<string, unknown>()
  for (const { spec } of played) {
    for (const [field, { default: value }] of Object.entries(spec.context)) {
      if (value === undefined || Object.hasOwn(population.context, field) || !looksAt(spec, field)) continue
      defaults.set(field, value)
    }
  }
  const [first] = defaults
  if (first === undefined) return
  const message = `everybody in the simulated population has the default of ${list([...defaults.keys()])}, which a policy looks at`
  const constant = `${first[0]}: { constant: ${JSON.stringify(first[1])} }`
  const hint = `say in \`population.context\` what they are; \`${constant}\` says that it is meant`
  yield { ...semantic(['spec', 'population', 'context'], message, hint), severity: 'warning', on: 'key' }
}

/** Does a field matter to what a policy decides: is it a feature, or in a rule? */
function looksAt(
  { actions, algorithm, context, features = defaultFeatures(context) }: PolicySpec,
  field: string,
): boolean {
  const rule = new RegExp(`\\bctx\\.${field}\\b`)
  return (
    (learnerOf(algorithm.learner).features !== undefined &&
      features.some(feature => fieldsOf(feature).includes(field))) ||
    (isListed(actions) ? actions : [actions]).some(({ eligible }) => eligible !== undefined && rule.test(eligible))
  )
}

function usedByWorld(world: WorldSpec): (field: string) => boolean {
  if (world.type === 'catalogue') {
    const { logit, effects } = world
    return field => String(logit).includes(field) || effects.some(({ of }) => of.includes(field))
  }
  const terms = Object.values(termsOf(world)?.terms ?? {})
  return field =>
    terms.some(term =>
      typeof term === 'string' ? term.includes(field) : typeof term === 'object' && Object.hasOwn(term.weights, field),
    )
}

function* termRules(world: WorldSpec, fields: Fields): Generator<Fault> {
  const { key, terms } = termsOf(world) ?? { key: '', terms: {} }
  for (const [action, term] of Object.entries(terms)) {
    const path = ['spec', 'world', key, action]
    if (typeof term === 'string') {
      const rule = compileContextRule(term, fields, 'double')
      if ('fault' in rule) yield celFault(rule.fault, path)
    } else if (typeof term === 'object') {
      for (const [name, weight] of Object.entries(term.weights)) {
        const at = [...path, 'weights', name]
        yield* known(name, Object.keys(fields), 'context field', at, 'key')
        if (Object.hasOwn(fields, name)) yield* weightRules(weight, fields[name], name, at)
      }
    }
  }
}

function* weightRules(weight: unknown, field: ContextField, name: string, path: Path): Generator<Fault> {
  if (field.type === 'string') {
    if (field.enum === undefined) yield semantic(path, `\`${name}\` is free text: it has no weight`, 'take it out')
    else if (typeof weight !== 'object' || Array.isArray(weight)) {
      yield semantic(
        path,
        `the weight of the enum \`${name}\` must be a mapping from value to number`,
        `for example \`${name}: { ${field.enum[0]}: ${typeof weight === 'number' ? weight : 0.5} }\``,
      )
    } else {
      for (const value of Object.keys(weight as object))
        yield* known(value, field.enum, `\`${name}\` value`, [...path, value], 'key')
    }
  } else if (field.type === 'array') {
    if (!Array.isArray(weight) || weight.length !== field.maxItems) {
      yield semantic(
        path,
        `the weight of the vector \`${name}\` must be a list of ${field.maxItems} numbers`,
        'one for each of its items, in their order',
      )
    }
  } else if (typeof weight !== 'number') {
    yield semantic(path, `the weight of \`${name}\` must be a number`, `for example \`${name}: 0.5\``)
  }
}
