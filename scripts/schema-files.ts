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
  readonly $schema?: string
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

/** A schema that needs no other file: the definitions of others that it refers to are its own, too, under the same names. */
export function bundled(file: string, schemas: Schemas): Schema {
  const taken: Record<string, Schema> = {}
  /** Name → where it is from. */
  const origin = new Map(Object.keys(schemas[file].$defs ?? {}).map(name => [name, `${file}#/$defs/${name}`]))

  /** Replaces the references in a value of `from`, and takes over what they mean. */
  function localised<T>(value: T, from: string): T
  function localised(value: unknown, from: string): unknown {
    if (Array.isArray(value)) return value.map(item => localised(item, from))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, inner]) => {
      if (key === '$ref' && typeof inner === 'string') return [key, local(inner, from)]
      return [key, VALUES.includes(key) ? inner : localised(inner, from)]
    })
    return Object.fromEntries(entries)
  }

  function local(ref: string, from: string): string {
    const to = target(ref, from)
    const name = to.definition ?? typeName(to.file)
    const source = `${to.file}#${to.definition === undefined ? '' : `/$defs/${name}`}`
    if ((origin.get(name) ?? source) !== source) throw new Error(`${file}: two things are called ${name}`)
    if (!origin.has(name)) {
      origin.set(name, source)
      const { $id, $schema, $defs, ...found } = find(ref, from, schemas)
      taken[name] = localised(found, to.file)
    }
    return `#/$defs/${name}`
  }

  const whole = localised(schemas[file], file)
  return Object.keys(taken).length === 0 ? whole : { ...whole, $defs: { ...whole.$defs, ...taken } }
}

/** Keywords whose values are data, which may have a key `$ref`. */
const VALUES = ['const', 'enum', 'default', 'examples']

/** What the type of a whole file is called: `Plan`, `EvaluationResult`, and where that means something else `PolicyDocument`, `DecisionRecord`. */
export function typeName(file: string): string {
  const stem = file.replace('.schema.json', '')
  const name = stem.replace(/(^|-)(\w)/g, (_, __, letter: string) => letter.toUpperCase())
  return name + (RECORDS.includes(stem) ? 'Record' : '')
}

const RECORDS = ['decision', 'reward']
