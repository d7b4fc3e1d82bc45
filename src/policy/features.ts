import type { ContextField, CrossFeature, FeatureSpec, PolicySpec } from '../kinds.ts'
import { learnerOf } from './algorithm.ts'
import type { Context } from './context.ts'
import { type Block, createBlock, type TransformSpec, type Values } from './feature-block.ts'

/** From a context, and from what is known of the actions, to the vectors that a contextual learner sees. */
export interface Features {
  /** Components of a row. */
  readonly dimension: number
  /** One name a component: those of `Block`, `intercept`, and for a product `platform=ios × action.genre=card`. */
  readonly names: readonly string[]
  /** 1 where all actions see the same; else one an action, in the policy's order. */
  readonly rows: number
  /** Fills x (rows × dimension numbers, row by row); a RangeError for a value outside a transform's domain. */
  write(context: Context, x: Float64Array): void
  /** Fills x (dimension numbers) with the row of one action. */
  writeRow(context: Context, action: number, x: Float64Array): void
}

type Described = Pick<PolicySpec, 'context' | 'actions' | 'features' | 'algorithm'>

/** The features of a policy. A learner that ignores the context has none. A RangeError for a spec that cannot work. */
export function createFeatures(spec: Described): Features {
  const { learner } = spec.algorithm
  const wanted = learnerOf(learner).features?.(learner)
  if (wanted === undefined) return { dimension: 0, names: [], rows: 1, write() {}, writeRow() {} }
  const { factors, terms } = createTerms(spec, wanted.shared)
  const names = [...(wanted.intercept ? ['intercept'] : []), ...terms.flatMap(term => term.names)]
  const dimension = names.length
  const rows = wanted.shared ? spec.actions.length : 1
  const contextual = factors.filter(({ ofAction }) => !ofAction)

  /** The row of an action, once the factors of the context are up to date. */
  function fill(action: number, x: Float64Array, from: number): void {
    let at = from
    if (wanted?.intercept) x[at++] = 1
    for (const { names, factors } of terms) {
      multiply(factors, action, x, at)
      at += names.length
    }
  }

  return {
    dimension,
    names,
    rows,
    write(context, x) {
      for (const { block, numbers } of contextual) block.write(context, numbers, 0)
      for (let a = 0; a < rows; a++) fill(a, x, a * dimension)
    },
    writeRow(context, action, x) {
      for (const { block, numbers } of contextual) block.write(context, numbers, 0)
      fill(action, x, 0)
    },
  }
}

/** A field's components: of the context last written, or of every action, once and for all. */
interface Factor {
  readonly block: Block
  readonly ofAction: boolean
  /** names.length numbers; as many an action where they are of actions. */
  readonly numbers: Float64Array
}

/** One feature of the list: a factor, or the product of several. */
interface Term {
  readonly names: readonly string[]
  readonly factors: readonly Factor[]
}

function createTerms(spec: Described, shared: boolean): { factors: readonly Factor[]; terms: readonly Term[] } {
  const { context, actions, features = defaultFeatures(context) } = spec
  const values = actions.map(actionValues)
  const fields: Readonly<Record<string, ContextField>> = { ...context, ...(shared ? actionFields(actions) : {}) }
  const listed = features.filter(isSingle)
  const made = new Map<TransformSpec | string, Factor>()

  function factor(name: string, how: TransformSpec, key: TransformSpec | string): Factor {
    const known = made.get(key)
    if (known !== undefined) return known
    if (!Object.hasOwn(fields, name)) throw new RangeError(`feature \`${name}\`: there is no such field`)
    const block = createBlock(how, name, fields[name])
    const ofAction = name.startsWith(OF_ACTION)
    const width = block.names.length
    const numbers = new Float64Array(ofAction ? width * actions.length : width)
    if (ofAction) for (const [a, each] of values.entries()) block.write(each, numbers, a * width)
    const fresh = { block, ofAction, numbers }
    made.set(key, fresh)
    return fresh
  }

  /** What a product means by a name: the feature of the list that is made of it, or how it would be by default. */
  function named(name: string): Factor {
    const same = listed.filter(feature => fieldOf(feature) === name)
    if (same.length > 1)
      throw new RangeError(`feature \`${name}\`: a product does not know which of ${same.length} is meant`)
    return same.length === 1 ? factor(name, same[0], same[0]) : factor(name, {}, name)
  }

  const terms = features.map((feature): Term => {
    const factors = isSingle(feature) ? [factor(fieldOf(feature), feature, feature)] : feature.cross.map(named)
    return { names: productNames(factors.map(({ block }) => block.names)), factors }
  })
  return { factors: [...made.values()], terms }
}

/** The products of the factors' components, the last factor's running fastest. */
function multiply(factors: readonly Factor[], action: number, x: Float64Array, at: number): void {
  let count = 1
  for (let f = 0; f < factors.length; f++) {
    const { block, ofAction, numbers } = factors[f]
    const width = block.names.length
    const from = ofAction ? action * width : 0
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

/** What names of features of actions begin with, beside those of context fields. */
export const OF_ACTION = 'action.'

/** A feature that is no product. */
export type SingleFeature = Exclude<FeatureSpec, CrossFeature>

export const isSingle = (feature: FeatureSpec): feature is SingleFeature => !('cross' in feature)

/** The field that a feature is made of: of the context, or `action.NAME`. */
export function fieldOf(feature: SingleFeature): string {
  return 'field' in feature ? feature.field : `${OF_ACTION}${feature.action}`
}

/** All of them: those of a product are several. */
export const fieldsOf = (feature: FeatureSpec): readonly string[] =>
  isSingle(feature) ? [fieldOf(feature)] : feature.cross

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

const actionValues = ({ id, features = {} }: PolicySpec['actions'][number]): Values =>
  Object.fromEntries(Object.entries({ ...features, id }).map(([name, value]) => [`${OF_ACTION}${name}`, value]))

/**
 * What is known of every action, as if it were context: `action.id`, and the features that each of them has, always of one type. Text is one of
 * the values that it has.
 */
export function actionFields(actions: PolicySpec['actions']): Readonly<Record<string, ContextField>> {
  const values = actions.map(actionValues)
  const fields: Record<string, ContextField> = {}
  for (const name of Object.keys(values[0])) {
    const all = values.map(each => each[name])
    const [{ type }, ...others] = all.map(value => ({ type: typeof value }))
    if (others.some(other => other.type !== type)) continue
    if (type === 'string') fields[name] = { type, enum: [...new Set(all as string[])] }
    else if (type === 'number' || type === 'boolean') fields[name] = { type }
  }
  return fields
}
