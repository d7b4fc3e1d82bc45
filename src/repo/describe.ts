/** What a schema says of a field, in words: for `dap explain` and for the pages of `docs/reference`. */
import type { FieldSummary, Variant } from '../generated/types.ts'
import { allowed, ownKey, resolve, type Schema, tagOf } from './schema.ts'

/** A field of a mapping, or what a path leads to. */
export interface Place {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
}

/** A list's items and a map's values, however deep; anything else itself. */
export function itemOf(schema: Schema, root: Schema): Schema {
  if (schema.items !== undefined) return itemOf(resolve(schema.items, root), root)
  if (schema.additionalProperties) return itemOf(resolve(schema.additionalProperties, root), root)
  return schema
}

/** The shapes that a value may have, if there are several. */
export function branchesOf(schema: Schema, root: Schema): Schema[] {
  return (schema.oneOf ?? schema.anyOf ?? []).map(branch => resolve(branch, root))
}

export function property(schema: Schema, name: string, root: Schema): Place {
  return { name, schema: resolve(schema.properties![name], root), required: schema.required?.includes(name) ?? false }
}

export function fieldsOf(schema: Schema, root: Schema): FieldSummary[] {
  return Object.keys(schema.properties ?? {}).map(name => summary(property(schema, name, root), root))
}

export function summary({ name, schema, required }: Place, root: Schema): FieldSummary {
  const { description = '', default: value } = schema
  const standard = value === undefined ? {} : { default: value }
  return { name, description, type: typeOf(schema, root), required, ...standard, allowed: allowed(schema) }
}

export function variantsOf(union: Schema, root: Schema): Variant[] {
  return branchesOf(union, root).map(branch => ({
    name: variantNames(branch, union, root).join(', '),
    description: branch.description ?? '',
    fields: fieldsOf(branch, root),
  }))
}

export function variantNames(branch: Schema, union: Schema, root: Schema): string[] {
  const branches = branchesOf(union, root).filter(each => each.properties !== undefined)
  if (branch.properties === undefined || branches.length === 1) return [typeOf(branch, root)]
  const tag = tagOf(branches)
  if (tag !== undefined) return allowed(branch.properties[tag]).map(String)
  return [ownKey(branch, branches)]
}

/** What some schemas are called, which need no description then. */
export type Names = (schema: Schema) => string | undefined

export function typeOf(schema: Schema, root: Schema, names: Names = () => undefined): string {
  const named = names(schema)
  if (named !== undefined) return named
  const inner = (each: Schema) => typeOf(each, root, names)
  const { oneOf, anyOf = oneOf, items, additionalProperties, type } = resolve(schema, root)
  if (anyOf !== undefined) return [...new Set(anyOf.map(inner))].join(' or ')
  const values = [...new Set(allowed(resolve(schema, root)).map(value => typeof value))]
  const types = type === undefined ? values : [type].flat()
  return (
    types
      .map(word => {
        if (word === 'array' && items !== undefined) return `list of ${plural(inner(items))}`
        if (word === 'object') return additionalProperties ? `map to ${plural(inner(additionalProperties))}` : 'mapping'
        return word
      })
      .join(' or ') || 'anything'
  )
}

const plural = (type: string) =>
  type
    .replace(/^(\[?)(number|string|integer|boolean|mapping)\b/, '$1$2s')
    .replace(/ or (\[?)(number|string|integer|boolean|mapping)\b/g, ' or $1$2s')

/** What a value must keep to besides its type; of a list, of a map and of several shapes what each must. */
export function boundsOf(schema: Schema, root: Schema, code = (text: string) => text): string[] {
  const inner = (each: Schema) => boundsOf(resolve(each, root), root, code)
  const counted = (noun: string, least?: number, most?: number) => [
    ...limit('at least', least, noun),
    ...limit('at most', most, noun),
  ]
  const branches = (schema.oneOf ?? schema.anyOf ?? []).map(branch => resolve(branch, root))
  return [
    ...limit('at least', schema.minimum),
    ...limit('at most', schema.maximum),
    ...limit('more than', schema.exclusiveMinimum),
    ...limit('less than', schema.exclusiveMaximum),
    ...counted('item', schema.minItems, schema.maxItems),
    ...counted('key', schema.minProperties, schema.maxProperties),
    ...counted('character', schema.minLength, schema.maxLength),
    ...(schema.pattern === undefined ? [] : [`matches ${code(schema.pattern)}`]),
    ...(schema.uniqueItems === true ? ['no item twice'] : []),
    ...(schema.propertyNames === undefined ? [] : inner(schema.propertyNames).map(bound => `each key ${bound}`)),
    ...[schema.items, schema.additionalProperties].flatMap(each => (each ? inner(each).map(b => `each ${b}`) : [])),
    ...branches.flatMap(branch => inner(branch).map(bound => `${typeOf(branch, root)} ${bound}`)),
  ]
}

function limit(word: string, value: number | undefined, noun = ''): string[] {
  if (value === undefined) return []
  return [`${word} ${value}${noun === '' ? '' : ` ${noun}${value === 1 ? '' : 's'}`}`]
}
