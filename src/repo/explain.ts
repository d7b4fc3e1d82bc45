import { didYouMean } from '../diagnostics.ts'
import { schemas } from '../generated/schemas.js'
import { KINDS } from '../kinds.ts'
import { PAIRS, type Pair } from '../policy/algorithm.ts'
import { allowed, list, ownKey, resolve, type Schema, tagOf } from './schema.ts'

/** What a field of a kind means, from the kind's schema. */
export interface Explanation extends FieldSummary {
  /** From the kind on, such as `Policy.spec.algorithm.learner`. */
  readonly path: string
  readonly examples: readonly unknown[]
  /** Such as `at least 0`, `at most 1000 items`. */
  readonly bounds: readonly string[]
  /** The fields inside, in the schema's order; of a list or a map: those of its items. */
  readonly fields: readonly FieldSummary[]
  /** Where several shapes are allowed: each. */
  readonly variants: readonly Variant[]
  /** Of an algorithm: every one that there is. */
  readonly algorithms?: readonly NamedAlgorithm[]
}

/** A learner with an exploration that goes with it, or alone, and what papers call it. */
export interface NamedAlgorithm {
  readonly learner: string
  readonly exploration: string | null
  readonly name: string | null
  readonly paper: string | null
}

export interface FieldSummary {
  readonly name: string
  readonly description: string
  /** Such as `number`, `list of strings`, `mapping`. */
  readonly type: string
  readonly required: boolean
  readonly default?: unknown
  /** The only values, where they are listed. */
  readonly allowed: readonly unknown[]
}

export interface Variant {
  /** The tag's value (`type: linear`) or the key (`table`) or the type (`number`) that tells it from the others. */
  readonly name: string
  readonly description: string
  readonly fields: readonly FieldSummary[]
}

export type Explained = { readonly explanation: Explanation } | { readonly message: string; readonly hint?: string }

/**
 * Explains `KIND` or `KIND.path.to.field`. Lists and maps are walked through (`Policy.spec.actions.eligible`), and so are the
 * shapes that a field may have, with or without their name (`Policy.spec.algorithm.learner.linear.l2`).
 */
export function explain(path: string): Explained {
  const [first, ...steps] = path.split('.').filter(step => step !== '')
  const kind = KINDS.find(each => each.toLowerCase() === first?.toLowerCase())
  if (kind === undefined) {
    return {
      message: `there is no kind \`${first ?? ''}\``,
      hint: didYouMean(first ?? '', KINDS) ?? `one of ${KINDS.join(', ')}`,
    }
  }
  const root = schemas[kind]
  let at: Place = { name: kind, schema: root, required: true }
  let walked: string = kind
  for (const step of steps) {
    const next = enter(at.schema, step, root)
    if (next === undefined) {
      const names = stepsOf(at.schema, root)
      const known = names.length > 0 ? `known are ${list(names)}` : undefined
      return { message: `\`${walked}\` has no field \`${step}\``, hint: didYouMean(step, names) ?? known }
    }
    at = next
    walked += `.${next.name}`
  }
  const inner = itemOf(at.schema, root)
  const explanation: Explanation = {
    ...summary(at, root),
    path: walked,
    examples: at.schema.examples ?? [],
    bounds: boundsOf(at.schema),
    fields: fieldsOf(inner, root),
    variants: (inner.oneOf ?? []).map(branch => variant(resolve(branch, root), inner, root)),
    ...(walked === ALGORITHM ? { algorithms: PAIRS.map(namedAlgorithm) } : {}),
  }
  return { explanation }
}

const ALGORITHM = 'Policy.spec.algorithm'

function namedAlgorithm({ learner, exploration, name }: Pair): NamedAlgorithm {
  return {
    learner: learner.type,
    exploration: exploration?.type ?? null,
    name: name?.name ?? null,
    paper: name?.paper ?? null,
  }
}

interface Place {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
}

/** A list's items and a map's values, however deep; anything else itself. */
function itemOf(schema: Schema, root: Schema): Schema {
  if (schema.items !== undefined) return itemOf(resolve(schema.items, root), root)
  if (schema.additionalProperties) return itemOf(resolve(schema.additionalProperties, root), root)
  return schema
}

function enter(schema: Schema, step: string, root: Schema): Place | undefined {
  const inner = itemOf(schema, root)
  if (inner.properties !== undefined && Object.hasOwn(inner.properties, step)) return property(inner, step, root)
  const branches = (inner.oneOf ?? []).map(branch => resolve(branch, root))
  for (const branch of branches) if (branch.properties?.[step] !== undefined) return property(branch, step, root)
  for (const branch of branches) {
    if (variantNames(branch, inner, root).includes(step)) return { name: step, schema: branch, required: false }
  }
  for (const branch of branches) {
    const found = enter(branch, step, root)
    if (found !== undefined) return found
  }
  // Any other name is a key of a map.
  return schema.additionalProperties
    ? { name: step, schema: resolve(schema.additionalProperties, root), required: false }
    : undefined
}

function stepsOf(schema: Schema, root: Schema): string[] {
  const inner = itemOf(schema, root)
  const branches = (inner.oneOf ?? []).map(branch => resolve(branch, root))
  const own = [...Object.keys(inner.properties ?? {}), ...branches.flatMap(branch => variantNames(branch, inner, root))]
  return [...new Set([...own, ...branches.flatMap(branch => stepsOf(branch, root))])]
}

function property(schema: Schema, name: string, root: Schema): Place {
  return { name, schema: resolve(schema.properties![name], root), required: schema.required?.includes(name) ?? false }
}

function fieldsOf(schema: Schema, root: Schema): FieldSummary[] {
  return Object.keys(schema.properties ?? {}).map(name => summary(property(schema, name, root), root))
}

function summary({ name, schema, required }: Place, root: Schema): FieldSummary {
  const { description = '', default: value } = schema
  const standard = value === undefined ? {} : { default: value }
  return { name, description, type: typeOf(schema, root), required, ...standard, allowed: allowed(schema) }
}

function variant(branch: Schema, union: Schema, root: Schema): Variant {
  const name = variantNames(branch, union, root).join(', ')
  return { name, description: branch.description ?? '', fields: fieldsOf(branch, root) }
}

function variantNames(branch: Schema, union: Schema, root: Schema): string[] {
  const branches = union.oneOf!.map(each => resolve(each, root)).filter(each => each.properties !== undefined)
  if (branch.properties === undefined || branches.length === 1) return [typeOf(branch, root)]
  const tag = tagOf(branches)
  if (tag !== undefined) return allowed(branch.properties[tag]).map(String)
  return [ownKey(branch, branches)]
}

function typeOf(schema: Schema, root: Schema): string {
  if (schema.oneOf !== undefined) {
    return [...new Set(schema.oneOf.map(branch => typeOf(resolve(branch, root), root)))].join(' or ')
  }
  if (schema.items !== undefined) return `list of ${plural(typeOf(resolve(schema.items, root), root))}`
  if (schema.additionalProperties) return `map to ${plural(typeOf(resolve(schema.additionalProperties, root), root))}`
  if (schema.type === undefined) return [...new Set(allowed(schema).map(value => typeof value))].join(' or ')
  const types = typeof schema.type === 'string' ? [schema.type] : schema.type
  return types.map(type => (type === 'object' ? 'mapping' : type)).join(' or ')
}

const plural = (type: string) =>
  type
    .replace(/^(number|string|integer|boolean|mapping)\b/, '$1s')
    .replace(/ or (number|string|integer|boolean|mapping)\b/g, ' or $1s')

function boundsOf(schema: Schema): string[] {
  const rows: [string, number | string | undefined][] = [
    ['at least', schema.minimum],
    ['at most', schema.maximum],
    ['more than', schema.exclusiveMinimum],
    ['less than', schema.exclusiveMaximum],
  ]
  const items: [string, number | undefined][] = [
    ['at least', schema.minItems],
    ['at most', schema.maxItems],
  ]
  return [
    ...rows.filter(([, limit]) => limit !== undefined).map(([word, limit]) => `${word} ${limit}`),
    ...items
      .filter(([, limit]) => limit !== undefined)
      .map(([word, limit]) => `${word} ${limit} ${limit === 1 ? 'item' : 'items'}`),
    ...(schema.maxLength === undefined ? [] : [`at most ${schema.maxLength} characters`]),
    ...(schema.pattern === undefined ? [] : [`matches ${schema.pattern}`]),
    ...(schema.uniqueItems === true ? ['no item twice'] : []),
  ]
}
