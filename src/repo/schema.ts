import { didYouMean } from '../diagnostics.ts'
import type { Fault, Mend } from './fault.ts'
import { type Synonym, synonym } from './synonyms.ts'

/** The part of JSON Schema 2020-12 that the kinds' schemas are written in. */
export interface Schema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: false | Schema
  readonly propertyNames?: { readonly pattern: string }
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly uniqueItems?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
}

export type Mapping = Readonly<Record<string, unknown>>

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Follows `$ref`; what stands beside it (a description) goes before what it refers to. */
export function resolve(schema: Schema, root: Schema): Schema {
  if (schema.$ref === undefined) return schema
  let resolved = references.get(schema)
  if (resolved === undefined) {
    const { $ref, ...beside } = schema
    const found = root.$defs?.[$ref!.slice('#/$defs/'.length)]
    if (found === undefined) throw new RangeError(`no ${$ref} in the schema of ${root.title}`)
    resolved = { ...found, ...beside }
    references.set(schema, resolved)
  }
  return resolved
}

const references = new WeakMap<Schema, Schema>()

/** What is worth knowing of a `oneOf`: found once, as every context field of every policy asks for it. */
interface Union {
  readonly branches: readonly { readonly schema: Schema; readonly types: readonly string[] }[]
  readonly mappings: readonly Schema[]
  readonly tag: string | undefined
}

const unions = new WeakMap<readonly Schema[], Union>()

function unionOf(oneOf: readonly Schema[], root: Schema): Union {
  let union = unions.get(oneOf)
  if (union === undefined) {
    const branches = oneOf.map(each => {
      const schema = resolve(each, root)
      return { schema, types: typesOf(schema, root) }
    })
    const mappings = branches.filter(({ types }) => types.includes('object')).map(({ schema }) => schema)
    union = { branches, mappings, tag: mappings.length > 1 ? tagOf(mappings) : undefined }
    unions.set(oneOf, union)
  }
  return union
}

/** The JSON Schema type names that a schema allows; of `const` and `enum` too. */
export function typesOf(schema: Schema, root: Schema): string[] {
  if (schema.oneOf !== undefined)
    return [...new Set(schema.oneOf.flatMap(branch => typesOf(resolve(branch, root), root)))]
  if (schema.type !== undefined) return typeof schema.type === 'string' ? [schema.type] : [...schema.type]
  return [...new Set(allowed(schema).map(jsonType))]
}

export function hasType(value: unknown, type: string): boolean {
  if (type === 'number') return Number.isFinite(value)
  if (type === 'integer') return Number.isInteger(value)
  return jsonType(value) === type
}

function jsonType(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value
}

/** Values of `const` and `enum`. */
export function allowed(schema: Schema): readonly unknown[] {
  return schema.const !== undefined ? [schema.const] : (schema.enum ?? [])
}

export type Choice = { readonly branch: Schema } | BranchFault

/** Why no branch can be meant. */
export interface BranchFault {
  readonly code: 'schema' | 'unknown-key' | 'duplicate'
  readonly message: string
  readonly hint?: string
  readonly written?: Fault['written']
  /** The key inside the value that is wrong, where it is one. */
  readonly key?: string
  readonly on?: 'key' | 'value'
  readonly mend?: Mend
  /** The mapping as each branch that may be meant would have it: what is wrong with all of them is wrong whichever that is. */
  readonly whichever?: readonly { readonly branch: Schema; readonly value: Mapping }[]
}

/**
 * The branch of `oneOf` that the writer meant: by type; of mappings by the key whose values differ between branches (`type`,
 * `transform`, `metric`), else by a key that only one branch has.
 */
export function chooseBranch(schema: Schema, value: unknown, root: Schema, label: string): Choice {
  const { branches, mappings, tag } = unionOf(schema.oneOf!, root)
  if (isMapping(value) && mappings.length > 1) {
    return tag === undefined ? chooseByKey(mappings, value, label) : chooseByTag(mappings, tag, value)
  }
  const branch = branches.find(({ types }) => types.some(type => hasType(value, type)))
  if (branch !== undefined) return { branch: branch.schema }
  const short = typeof value === 'string' && tag !== undefined ? shorthand(mappings, tag, value) : undefined
  const mistyped = (text?: string) => ({
    message: `${label} must be ${words(typesOf(schema, root))}, got ${described(value, text)}`,
    hint: short?.hint,
  })
  return {
    code: 'schema',
    ...mistyped(),
    written: mistyped,
    mend: short === undefined ? undefined : { value: { [tag!]: short.value } },
  }
}

/** A name where the mapping is wanted that bears it: `learner: beta`. */
function shorthand(branches: readonly Schema[], tag: string, name: string): Synonym | undefined {
  const values = branches.flatMap(branch => allowed(branch.properties![tag])) as string[]
  const value = values.includes(name) ? name : nearest(name, values)
  return value === undefined ? synonym(name, values) : { value, hint: `write \`{ ${tag}: ${value} }\`` }
}

/** Of which shape of a union a key is, in words: `type: logistic`. */
export function ownerOf(key: string, schema: Schema, root: Schema): string | undefined {
  const { mappings, tag } = unionOf(schema.oneOf!, root)
  const owners = mappings.filter(({ properties = {} }) => tag !== undefined && Object.hasOwn(properties, key))
  if (owners.length === 0) return undefined
  return owners.map(({ properties }) => `\`${tag}: ${allowed(properties![tag!]).join(' or ')}\``).join(' and ')
}

/** The property whose allowed values tell the branches apart. */
export function tagOf(branches: readonly Schema[]): string | undefined {
  const [first] = branches
  return Object.keys(first.properties ?? {}).find(name => {
    const values = branches.flatMap(branch => allowed(branch.properties?.[name] ?? {}))
    const everywhere = branches.every(branch => allowed(branch.properties?.[name] ?? {}).length > 0)
    return everywhere && new Set(values).size === values.length
  })
}

function chooseByTag(branches: readonly Schema[], tag: string, value: Mapping): Choice {
  const values = branches.flatMap(branch => allowed(branch.properties![tag])) as string[]
  const as = (given: Mapping) =>
    branches.map(branch => ({ branch, value: { ...given, [tag]: allowed(branch.properties![tag])[0] } }))
  if (!Object.hasOwn(value, tag)) {
    const untagged = branches.find(branch => !branch.required?.includes(tag))
    if (untagged !== undefined) return { branch: untagged }
    const typo = Object.keys(value).find(key => didYouMean(key, [tag]) !== undefined)
    if (typo !== undefined) {
      const { [typo]: _, ...rest } = value
      return { ...unknownKey(typo, didYouMean(typo, [tag])), mend: { key: tag }, whichever: as(rest) }
    }
    const mend = { key: tag, value: values[0] }
    const message = `\`${tag}\` is missing`
    return { code: 'schema', message, hint: `one of ${list(values)}`, on: 'key', mend, whichever: as(value) }
  }
  const branch = branches.find(each => allowed(each.properties![tag]).includes(value[tag]))
  if (branch !== undefined) return { branch }
  return { code: 'schema', ...notAllowed(`\`${tag}\``, value[tag], values), key: tag, whichever: as(value) }
}

function chooseByKey(branches: readonly Schema[], value: Mapping, label: string): Choice {
  const keys = branches.map(branch => ownKey(branch, branches))
  const given = Object.keys(value).filter(key => keys.includes(key))
  if (given.length === 1) return { branch: branches[keys.indexOf(given[0])] }
  if (given.length > 1) {
    const message = `${label} has ${list(given)}, but only one of them can be meant`
    return { code: 'schema', message, hint: 'take out all but one of them', key: given[1], on: 'key' }
  }
  const known = new Set(branches.flatMap(propertiesOf))
  const typo = Object.keys(value).find(key => !known.has(key))
  if (typo !== undefined) return unknownKey(typo, didYouMean(typo, known) ?? `one of ${list(keys)}`)
  const hint = `for example \`${keys[0]}: …\``
  return { code: 'schema', message: `${label} needs one of ${list(keys)}`, hint }
}

/** The keys that a branch may have, itself or in branches of its own. */
function propertiesOf({ properties = {}, oneOf = [] }: Schema): string[] {
  return [...Object.keys(properties), ...oneOf.flatMap(propertiesOf)]
}

/** The required key that not every branch has. */
export function ownKey(branch: Schema, branches: readonly Schema[]): string {
  return branch.required?.find(key => !branches.every(each => each.required?.includes(key))) ?? ''
}

function unknownKey(key: string, hint: string | undefined): BranchFault {
  return { code: 'unknown-key', message: `unknown key \`${key}\``, hint, key, on: 'key' }
}

export function notAllowed(
  label: string,
  value: unknown,
  values: readonly unknown[],
): Pick<Fault, 'message' | 'hint' | 'written' | 'mend'> {
  const names = values.map(String)
  const called = typeof value === 'string' ? synonym(value, names) : undefined
  const near = called?.value ?? (typeof value === 'string' ? nearest(value, names) : undefined)
  const only = values.length === 1
  const words = (text?: string) => ({
    message: `${label} must be ${only ? list(values) : `one of ${list(values)}`}, got ${described(value, text)}`,
    hint:
      called?.hint ??
      (near === undefined ? `write \`${names[0]}\`${only ? '' : ' or another of them'}` : `did you mean \`${near}\`?`),
  })
  return {
    ...words(),
    written: words,
    mend: { value: values.find(allowed => String(allowed) === near) ?? values[0] },
  }
}

/** What a schema says of itself, without its second sentence. */
export function purpose({ description }: Schema): string | undefined {
  return description?.split(/\. |\.$/, 1)[0]
}

/** The name that `didYouMean` has in mind. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const hint = didYouMean(word, candidates)
  return hint === undefined ? undefined : candidates.find(name => hint === didYouMean(word, [name]))
}

export function list(values: readonly unknown[]): string {
  return values.map(value => `\`${String(value)}\``).join(', ')
}

const WORDS: Readonly<Record<string, string>> = {
  number: 'a number',
  integer: 'a whole number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  null: 'nothing',
}

export function words(types: readonly string[]): string {
  const named = types.map(type => WORDS[type])
  return named.length < 2 ? named.join() : `${named.slice(0, -1).join(', ')} or ${named.at(-1)}`
}

/** A value in a message: scalars as they are, or as they are written, the rest by type. */
export function described(value: unknown, written = String(value)): string {
  if (typeof value === 'string')
    return value.length > 60 ? `the string \`${value.slice(0, 60)}…\`` : `the string \`${value}\``
  if (typeof value === 'number' || typeof value === 'boolean') return `\`${written}\``
  return WORDS[jsonType(value)]
}
