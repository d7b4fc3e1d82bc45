import { HASH_BITS, HASH_NAMESPACES, HASH_PAIRS } from '../generated/names.ts'
import type {
  ContextField,
  CrossFeature,
  FeatureSpec,
  HashFeature,
  HashSpec,
  ModelFeature,
  PolicySpec,
  Scorer,
} from '../kinds.ts'
import { learnerOf } from './algorithm.ts'
import type { Context } from './context.ts'
import { type Block, createBlock, type TransformSpec } from './feature-block.ts'
import { type Component, encodersOf, hashingOf, type Namespace, namedTouches } from './hashed-features.ts'
import { rowLength } from './hashing.ts'
import type { Layout } from './layout.ts'
import type { FeatureNeeds } from './learner.ts'
import { fieldsOfSlots, slotValues } from './lists/slots.ts'
import { failed, failureReason, requireScorer, seesActions, widthOf } from './model-outputs.ts'
import { capacityOf, fieldsOfActions, listed, ownPool, type Pool, requirePool } from './pool.ts'

/** From a context, and from what is known of the actions, to the vectors that a contextual learner sees. */
export interface Features extends Layout {
  /** Numbers of a row: its components, or features laid out by `hashing`. */
  readonly dimension: number
  /**
   * One name a component: those of `Block`, `intercept`, and for a product `platform=ios × action.genre=card`. Of hashed features, what they are made of.
   * They carry every parameter.
   */
  readonly names: readonly string[]
  /** 1 where all actions see the same; else one an action, at most so many. */
  readonly rows: number
  /**
   * Fills x row by row, and returns how many there are: 1, or one an action of the pool, the policy's own by default. A RangeError for a value
   * outside a transform's domain.
   */
  write(context: Context, x: Float64Array, pool?: Pool, slot?: number): number
  /** Do they differ between the slots of a decision? */
  readonly ofSlots: boolean
  /** Fills x (dimension numbers) with the row of one action, as the pool has it: that may be what was known of it when it was logged. */
  writeRow(context: Context, action: number, x: Float64Array, pool?: Pool, slot?: number): void
  /** What that row says, by name. */
  components(context: Context, action: number, pool?: Pool, slot?: number): readonly Component[]
  /** Of hashed features: what people call each feature of a row, and, given that, all that the row says. */
  readonly hashed?: {
    labels(context: Context, action: number, pool?: Pool): readonly string[]
    named(row: Float64Array, labels: readonly string[]): readonly Component[]
  }
}

type Described = Pick<PolicySpec, 'unit' | 'context' | 'actions' | 'features' | 'algorithm' | 'decision' | 'scorer'>

/** The features of a policy. A learner that ignores the context has none. A RangeError for a spec that cannot work. */
export function createFeatures(spec: Described): Features {
  const { learner } = spec.algorithm
  const wanted = learnerOf(learner).features?.(learner)
  if (wanted === undefined)
    return { dimension: 0, names: [], rows: 1, ofSlots: false, write: () => 1, writeRow() {}, components: () => [] }
  if (wanted.hashed === true) return createHashedFeatures(spec)
  if (wanted.model === undefined) return createRows(spec, wanted)
  const { output } = requireScorer(spec, wanted.model)
  return { ...createRows({ ...spec, features: [{ model: wanted.model }] }, wanted), output }
}

/** What goes into each input of a policy's Model, made by the same code: a row an action, or one where the model sees no action. */
export function createInputs(spec: Described, { inputs }: Pick<Scorer, 'inputs'>): readonly Features[] {
  const shared = seesActions({ inputs })
  return inputs.map(({ features }) => createRows({ ...spec, features }, { intercept: false, shared }))
}

/** Rows of the features that are listed, and of the products of them. */
function createRows(spec: Described, wanted: FeatureNeeds): Features {
  const own = ownPool(spec.actions)
  const { factors, outputs: given, terms: listed } = createTerms(spec, wanted.shared)
  const parts = [listed.filter(term => !differs(term)), listed.filter(differs)]
  const terms = wanted.own ? parts.flat() : listed
  const intercept = wanted.intercept ? ['intercept'] : []
  const names = [...intercept, ...terms.flatMap(term => term.names)]
  const alike = parts[0].reduce((width, term) => width + term.names.length, intercept.length)
  const dimension = names.length
  const rows = wanted.shared ? capacityOf(spec.actions) : 1
  const contextual = factors.filter(({ of }) => of === 'context')
  const ofActions = factors.filter(({ of }) => of === 'action')
  const ofSlots = factors.filter(({ of }) => of === 'slot')
  for (const [slot, values] of slotValues(spec.decision).entries()) {
    for (const { block, numbers } of ofSlots) block.write(values, numbers, slot * block.names.length)
  }
  if (own !== undefined) for (const a of own.ids.keys()) writeAction(own, a, a)

  /** What is known of an action, to where the i-th is kept. */
  function writeAction({ values }: Pool, action: number, i: number): void {
    for (const { block, numbers } of ofActions) block.write(values[action], numbers, i * block.names.length)
  }

  /** What the Model said of an action, to where the i-th is kept. */
  function writeOutputs({ outputs }: Pool, action: number, i: number): void {
    for (const { names, of, numbers } of given) {
      if (outputs === undefined) throw new RangeError(`the model \`${spec.scorer?.name}\` has not been asked`)
      if (failed(outputs)) throw new RangeError(failureReason(spec.scorer?.name ?? '', outputs))
      const width = names.length
      const [from, to] = of === 'action' ? [action * width, i * width] : [0, 0]
      for (let j = 0; j < width; j++) numbers[to + j] = outputs.numbers[from + j]
    }
  }

  /** The row of an action, once the factors of the context are up to date. */
  function fill(action: number, slot: number, x: Float64Array, from: number): void {
    let at = from
    if (wanted.intercept) x[at++] = 1
    for (const { names, factors } of terms) {
      multiply(factors, action, slot, x, at)
      at += names.length
    }
  }

  /** One place more than there are actions: that of what is not the policy's own. */
  const spare = capacityOf(spec.actions)

  function writeRow(context: Context, action: number, x: Float64Array, pool: Pool | undefined = own, slot = 0): void {
    for (const { block, numbers } of contextual) block.write(context, numbers, 0)
    const known = requirePool(pool)
    if (known.values === own?.values) {
      writeOutputs(known, action, action)
      fill(action, slot, x, 0)
    } else {
      writeAction(known, action, spare)
      writeOutputs(known, action, spare)
      fill(spare, slot, x, 0)
    }
  }

  return {
    dimension,
    names,
    ...(wanted.own ? { own: alike } : {}),
    rows,
    ofSlots: ofSlots.length > 0,
    write(context, x, pool = own, slot = 0) {
      for (const { block, numbers } of contextual) block.write(context, numbers, 0)
      const count = rows === 1 && own !== undefined ? 1 : requirePool(pool).ids.length
      if (own === undefined) for (let a = 0; a < count; a++) writeAction(requirePool(pool), a, a)
      for (let a = 0; a < count; a++) {
        if (given.length > 0) writeOutputs(requirePool(pool), a, a)
        fill(a, slot, x, a * dimension)
      }
      return count
    },
    writeRow,
    components(context, action, pool, slot) {
      const x = new Float64Array(dimension)
      writeRow(context, action, x, pool, slot)
      return names.map((name, at) => ({ name, value: x[at], at }))
    },
  }
}

/** What is hashed where the features do not say it: what the schema has for each that is left out. */
export const EVERYTHING: HashSpec = { bits: HASH_BITS, namespaces: HASH_NAMESPACES, pairs: HASH_PAIRS }

/** Rows of hashes. What a policy's own actions say is hashed once and for all, what a context says, or a request of its actions, once a decision. */
function createHashedFeatures(spec: Described): Features {
  const hash = spec.features?.find(isHash)?.hash ?? EVERYTHING
  const own = ownPool(spec.actions)
  const encoders = encodersOf(hash, namespacesOf(spec))
  const hashing = hashingOf(hash, encoders)
  const dimension = rowLength(hashing)
  const features = dimension / 2
  const [ofAction, ofContext] = [encoders.get('action'), encoders.get('context')]
  // The context's features come after those of the actions, of which there may be none.
  const from = ofAction?.width ?? 0
  const rowsOf = own?.values.map(each => {
    const x = new Float64Array(dimension)
    ofAction?.write(each, x, 0, features)
    return x
  })
  const said = new Float64Array(dimension)

  function fill(pool: Pool, action: number, x: Float64Array, at: number): void {
    const known = pool.values === own?.values ? rowsOf?.[action] : undefined
    if (known === undefined) ofAction?.write(pool.values[action], x, at, at + features)
    else {
      for (let i = 0; i < from; i++) {
        x[at + i] = known[i]
        x[at + features + i] = known[features + i]
      }
    }
    for (let i = from; i < features; i++) {
      x[at + i] = said[i]
      x[at + features + i] = said[features + i]
    }
  }

  function writeRow(context: Context, action: number, x: Float64Array, pool: Pool | undefined = own): void {
    ofContext?.write(context, said, from, features + from)
    fill(requirePool(pool), action, x, 0)
  }

  const labels = (context: Context, action: number, pool: Pool | undefined = own) => [
    ...(ofAction?.labels(requirePool(pool).values[action]) ?? []),
    ...(ofContext?.labels(context) ?? []),
  ]

  return {
    dimension,
    names: [
      `intercept and 2^${hash.bits} slots`,
      ...[...encoders.values()].flatMap(({ names }) => names),
      ...hashing.pairs.map(pair => pair.map(n => [...encoders.keys()][n]).join(' × ')),
    ],
    hashing,
    rows: capacityOf(spec.actions),
    ofSlots: false,
    write(context, x, pool = own) {
      ofContext?.write(context, said, from, features + from)
      const { length } = requirePool(pool).ids
      for (let a = 0; a < length; a++) fill(requirePool(pool), a, x, a * dimension)
      return length
    },
    writeRow,
    components(context, action, pool) {
      const x = new Float64Array(dimension)
      writeRow(context, action, x, pool)
      return namedTouches(hashing, x, labels(context, action, pool))
    },
    hashed: { labels, named: (row, known) => namedTouches(hashing, row, known) },
  }
}

/** All that can be hashed: the fields of the context, but who it is unless that is listed; the id and the features of the actions, which not all need to have. */
export function namespacesOf({
  unit,
  context,
  actions,
  features = [],
}: Omit<Described, 'algorithm'>): readonly Namespace[] {
  const mentioned = new Map(features.filter(isSingle).map(feature => [fieldOf(feature), feature]))
  const always = fieldsOfActions(actions)
  const said = new Set([
    ...Object.keys(always),
    ...listed(actions).flatMap(({ features = {} }) => Object.keys(features)),
  ])
  return [
    {
      name: 'context',
      fields: Object.entries(context)
        .filter(([path]) => path !== unit || mentioned.has(path))
        .map(([path, field]) => ({ path, field, transform: transformOf(mentioned.get(path), field), label: path })),
    },
    {
      name: 'action',
      fields: [...said].map(path => {
        const label = `${OF_ACTION}${path}`
        const field = Object.hasOwn(always, path) ? always[path] : undefined
        return { path, field, transform: field && transformOf(mentioned.get(label), field), label }
      }),
    },
  ]
}

/** How a field is transformed before it is hashed; undefined where it is hashed as it is, which is an indicator for each value of a text. */
function transformOf(feature: SingleFeature | undefined, { type }: ContextField): TransformSpec | undefined {
  const { transform } = feature ?? {}
  const asItIs = transform === undefined || transform === 'identity' || (transform === 'one-hot' && type === 'string')
  return asItIs ? undefined : feature
}

/** Components of a feature: of the context last written, or of every action or slot. */
interface Factor {
  readonly names: readonly string[]
  readonly of: 'context' | 'action' | 'slot'
  /** names.length numbers; as many an action where they are of actions, a slot where they are of slots. */
  readonly numbers: Float64Array
}

/** Those of a field. */
interface FieldFactor extends Factor {
  readonly block: Block
}

/** One feature of the list: a factor, or the product of several. */
interface Term {
  readonly names: readonly string[]
  readonly factors: readonly Factor[]
}

/** Does it differ between actions? */
const differs = ({ factors }: Term) => factors.some(({ of }) => of === 'action')

function createTerms(
  spec: Described,
  shared: boolean,
): { factors: readonly FieldFactor[]; outputs: readonly Factor[]; terms: readonly Term[] } {
  const { context, actions, decision, features = defaultFeatures(context) } = spec
  const fields = { ...context, ...(shared ? actionFields(actions) : {}), ...slotFields(decision) }
  const places = { context: 1, action: capacityOf(actions) + 1, slot: slotValues(decision).length }
  const single = features.filter(isSingle)
  const made = new Map<TransformSpec | string, FieldFactor>()
  const outputs: Factor[] = []

  function factor(name: string, how: TransformSpec, key: TransformSpec | string): FieldFactor {
    const known = made.get(key)
    if (known !== undefined) return known
    if (!Object.hasOwn(fields, name)) throw new RangeError(`feature \`${name}\`: there is no such field`)
    const of = whoseField(name)
    const block = createBlock(how, name, fields[name], of === 'context' ? name : name.slice(of.length + 1))
    const fresh: FieldFactor = {
      names: block.names,
      block,
      of,
      numbers: new Float64Array(block.names.length * places[of]),
    }
    made.set(key, fresh)
    return fresh
  }

  /** What the Model gives, by names that tell its digest: of another model the same numbers mean something else. */
  function ofModel({ model }: ModelFeature): Term {
    const scorer = requireScorer(spec, model)
    const width = widthOf(scorer.output)
    const names = Array.from({ length: width }, (_, j) => `${model}@${scorer.digest.slice(7, 19)}[${j}]`)
    const of = seesActions(scorer) ? 'action' : 'context'
    const factor: Factor = { names, of, numbers: new Float64Array(width * places[of]) }
    outputs.push(factor)
    return { names, factors: [factor] }
  }

  /** What a product means by a name: the feature of the list that is made of it, or how it would be by default. */
  function named(name: string): Factor {
    const same = single.filter(feature => fieldOf(feature) === name)
    if (same.length > 1)
      throw new RangeError(`feature \`${name}\`: a product does not know which of ${same.length} is meant`)
    return same.length === 1 ? factor(name, same[0], same[0]) : factor(name, {}, name)
  }

  const terms = features.map((feature): Term => {
    if (isHash(feature)) throw new RangeError('`hash` is for the learner `hashed`')
    if (isOfModel(feature)) return ofModel(feature)
    const factors = isSingle(feature) ? [factor(fieldOf(feature), feature, feature)] : feature.cross.map(named)
    return { names: productNames(factors.map(({ names }) => names)), factors }
  })
  return { factors: [...made.values()], outputs, terms }
}

/** The products of the factors' components, the last factor's running fastest. */
function multiply(factors: readonly Factor[], action: number, slot: number, x: Float64Array, at: number): void {
  let count = 1
  for (let f = 0; f < factors.length; f++) {
    const { names, of, numbers } = factors[f]
    const width = names.length
    const from = of === 'context' ? 0 : (of === 'action' ? action : slot) * width
    if (f === 0) {
      for (let j = 0; j < width; j++) x[at + j] = numbers[from + j]
    } else {
      // From the last on: what is yet to be read is not yet written to.
      for (let i = count - 1; i >= 0; i--) {
        const left = x[at + i]
        for (let j = 0; j < width; j++) x[at + i * width + j] = left * numbers[from + j]
      }
    }
    count *= width
  }
}

function productNames(lists: readonly (readonly string[])[]): readonly string[] {
  return lists.reduce((left, right) => left.flatMap(a => right.map(b => `${a} × ${b}`)))
}

/** Of which digest the Model was that features of these names are of, in so many digits as they have; undefined where none is of that Model. */
export function modelDigest(model: string, names: readonly string[]): string | undefined {
  const first = names.find(name => name.startsWith(`${model}@`) && name.endsWith('[0]'))
  return first?.slice(model.length + 1, -'[0]'.length)
}

/** What names of features of actions begin with, beside those of context fields. */
export const OF_ACTION = 'action.'

/** The same of features of slots. */
export const OF_SLOT = 'slot.'

const whoseField = (name: string) =>
  name.startsWith(OF_ACTION) ? 'action' : name.startsWith(OF_SLOT) ? 'slot' : 'context'

/** A feature that is no product. */
export type SingleFeature = Exclude<FeatureSpec, CrossFeature | HashFeature | ModelFeature>

export const isHash = (feature: FeatureSpec): feature is HashFeature => 'hash' in feature

export const isOfModel = (feature: FeatureSpec): feature is ModelFeature => 'model' in feature

export const isSingle = (feature: FeatureSpec): feature is SingleFeature =>
  !('cross' in feature || isHash(feature) || isOfModel(feature))

/** The field that a feature is made of: of the context, `action.NAME` or `slot.NAME`. */
export function fieldOf(feature: SingleFeature): string {
  if ('field' in feature) return feature.field
  return 'slot' in feature ? `${OF_SLOT}${feature.slot}` : `${OF_ACTION}${feature.action}`
}

/** All of them: those of a product are several. */
export function fieldsOf(feature: FeatureSpec): readonly string[] {
  if (isHash(feature) || isOfModel(feature)) return []
  return isSingle(feature) ? [fieldOf(feature)] : feature.cross
}

/** Does the feature differ from action to action? */
export function isOfAction(feature: FeatureSpec): boolean {
  return fieldsOf(feature).some(name => name.startsWith(OF_ACTION))
}

/** Every number, boolean, enum and vector in order; free strings are left out. */
export function defaultFeatures(fields: PolicySpec['context']): FeatureSpec[] {
  return Object.entries(fields)
    .filter(([, field]) => field.type !== 'string' || field.enum !== undefined)
    .map(([field]) => ({ field }))
}

/** What is known of every action, as `fieldsOfActions` says, under the names that features have for it. */
export function actionFields(actions: PolicySpec['actions']): Readonly<Record<string, ContextField>> {
  return Object.fromEntries(
    Object.entries(fieldsOfActions(actions)).map(([name, field]) => [`${OF_ACTION}${name}`, field]),
  )
}

/** What is known of every declared slot, under the names that features have for it. */
export function slotFields(decision: PolicySpec['decision']): Readonly<Record<string, ContextField>> {
  return Object.fromEntries(
    Object.entries(fieldsOfSlots(decision)).map(([name, field]) => [`${OF_SLOT}${name}`, field]),
  )
}
