/**
 * `schemas/`, read: JSON Schemas and the OpenAPI document, which may refer to each other's definitions by file name
 * (`evaluation-result.schema.json`, `results.schema.json#/$defs/Measured`), as editors and validators resolve them.
 */
import { readdir, readFile } from 'node:fs/promises'
import { parse } from 'yaml'

export const ROOT = new URL('../', import.meta.url)

/** The part of JSON Schema 2020-12 that our schemas are written in. */
export interface Schema {
  readonly $id?: string
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
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly propertyNames?: { readonly pattern: string }
  readonly uniqueItems?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
}

/** File name → schema. */
export type Schemas = Readonly<Record<string, Schema>>

export async function readSchemas(): Promise<Schemas> {
  const folder = new URL('schemas/', ROOT)
  const names = (await readdir(folder)).filter(name => name.endsWith('.json')).sort()
  const read = async (name: string) => JSON.parse(await readFile(new URL(name, folder), 'utf8')) as Schema
  return Object.fromEntries(await Promise.all(names.map(async name => [name, await read(name)] as const)))
}

export async function readOpenApi<Document>(): Promise<Document> {
  return parse(await readFile(new URL('schemas/openapi.yaml', ROOT), 'utf8')) as Document
}

/** What a reference of a file means: the file, and the definition in it, if it is not the whole. */
export function target(ref: string, file: string): { readonly file: string; readonly definition: string | undefined } {
  const [name, pointer = ''] = ref.split('#')
  const definition = /^\/\$defs\/(\w+)$/.exec(pointer)?.[1]
  if (pointer !== '' && definition === undefined) throw new Error(`${file}: ${ref} is no definition`)
  return { file: name === '' ? file : name, definition }
}

/** The schema that a reference means. */
export function find(ref: string, file: string, schemas: Schemas): Schema {
  const to = target(ref, file)
  const whole = schemas[to.file]
  const found = to.definition === undefined ? whole : whole?.$defs?.[to.definition]
  if (found === undefined) throw new Error(`${file}: there is no ${ref}`)
  return found
}

/** A schema that needs no other file: the definitions of others that it refers to are its own, under the same names. */
export function bundled(file: string, schemas: Schemas): Schema {
  const definitions: Record<string, Schema> = {}
  const origin = new Map<string, string>()
  const { $defs: own = {}, ...root } = schemas[file]
  for (const name of Object.keys(own)) origin.set(name, `${file}#${name}`)

  /** Replaces the references in a value of `from`, and takes over what they mean. */
  function localised(value: unknown, from: string): unknown {
    if (Array.isArray(value)) return value.map(item => localised(item, from))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        if (key === '$ref' && typeof inner === 'string') return [key, local(inner, from)]
        if (NAMED.includes(key)) return [key, mapValues(inner as object, each => localised(each, from))]
        return [key, VALUES.includes(key) ? inner : localised(inner, from)]
      }),
    )
  }

  function local(ref: string, from: string): string {
    const to = target(ref, from)
    const name = to.definition ?? typeName(to.file)
    const source = `${to.file}#${to.definition ?? ''}`
    const known = origin.get(name)
    if (known !== undefined && known !== source.replace(/#$/, '#'))
      throw new Error(`${file}: two things are called ${name}`)
    if (!(name in definitions)) {
      origin.set(name, source)
      definitions[name] = {}
      const { $id: _, $defs: __, ...found } = find(ref, from, schemas) as Schema & { $schema?: string }
      delete found.$schema
      definitions[name] = localised(found, to.file) as Schema
    }
    return `#/$defs/${name}`
  }

  const whole = localised(root, file) as Schema
  return Object.keys(definitions).length === 0 ? whole : { ...whole, $defs: definitions }
}

/** Keywords whose keys are names, such as that of a property `examples`. */
const NAMED = ['properties', '$defs']

const mapValues = (mapping: object, change: (value: unknown) => unknown) =>
  Object.fromEntries(Object.entries(mapping).map(([key, value]) => [key, change(value)]))

/** Keywords whose values are data, which may have a key `$ref`. */
const VALUES = ['const', 'enum', 'default', 'examples']

/** What the type of a whole file is called: `Plan`, `EvaluationResult`, and where that means something else `PolicyDocument`, `DecisionRecord`. */
export function typeName(file: string): string {
  const stem = file.replace('.schema.json', '')
  const name = stem.replace(/(^|-)(\w)/g, (_, __, letter: string) => letter.toUpperCase())
  return name + (RECORDS.includes(stem) ? 'Record' : '')
}

const RECORDS = ['decision', 'reward']
