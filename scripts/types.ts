/**
 * JSON Schemas as TypeScript: the type of every file and of every definition, each of a name of its own, with the descriptions as comments.
 * json-schema-to-typescript knows no `readonly` and no defaults, json-schema-to-ts neither names nor comments (decision 2).
 */
import { type Schema, type Schemas, target, typeName } from './schema-files.ts'

export interface Emitter {
  /** What a reference's type is called. */
  readonly name: (ref: string) => string
  /** After defaults: a property that has one is there. */
  readonly filled: boolean
  /** Lists that nobody may change, as everything else. */
  readonly fixedLists: boolean
}

/**
 * Every type of the schemas. `filled`: as it is after defaults, else as it may be written. A kind's `spec` has a type of its own, too, and
 * its document is called `PolicyDocument`.
 */
export function typesOf(schemas: Schemas, kinds: readonly string[], filled: boolean): string {
  const written = new Map<string, string>()
  const declare = (name: string, schema: Schema, file: string) => {
    if (written.has(name)) throw new Error(`${file}: there is another type ${name}`)
    const emitter = { filled, fixedLists: true, name: (ref: string) => refName(ref, file) }
    const type = typeOf(schema, emitter)
    const head = isPlainObject(schema) ? `export interface ${name} ` : `export type ${name} = `
    written.set(name, `${comment(schema.description)}${head}${type}\n`)
  }
  for (const [file, { $defs = {}, ...schema }] of Object.entries(schemas)) {
    for (const [name, definition] of Object.entries($defs)) declare(name, definition, file)
    const name = typeName(file)
    if (!kinds.includes(name)) {
      if (schema.type !== undefined || schema.$ref !== undefined) declare(name, schema, file)
      continue
    }
    declare(`${name}Spec`, schema.properties!.spec, file)
    const spec = { description: schema.properties!.spec.description, $ref: `#/$defs/${name}Spec` }
    declare(`${name}Document`, { ...schema, properties: { ...schema.properties, spec } }, file)
  }
  return [...written.values()].join('\n')
}

/** The union of what `--json` may print: every format that says its name and version in `schema`. */
export function resultUnion(schemas: Schemas): string {
  const named = Object.keys(schemas).filter(file => schemas[file].properties?.schema?.const !== undefined)
  return `${comment('What `--json` may print.')}export type PublishedResult = ${named.map(typeName).join(' | ')}\n`
}

/** One shape with named properties: an interface, whose name shows in errors. */
function isPlainObject({ type, properties, minProperties, maxProperties }: Schema): boolean {
  return type === 'object' && properties !== undefined && !(minProperties === 1 && maxProperties === 1)
}

function refName(ref: string, file: string): string {
  const to = target(ref, file)
  return to.definition ?? typeName(to.file)
}

export function typeOf(schema: Schema, emitter: Emitter): string {
  if (schema.$ref !== undefined) return emitter.name(schema.$ref)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(value => JSON.stringify(value)).join(' | ')
  const union = schema.oneOf ?? schema.anyOf
  if (union !== undefined) {
    return union
      .map(each => `${each.$ref === undefined ? comment(each.description) : ''}${typeOf(each, emitter)}`)
      .join(' | ')
  }
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  return types.length === 0 ? 'unknown' : types.map(type => plainType(type, schema, emitter)).join(' | ')
}

/** Lists of one length, from 2 up to this, are tuples. */
const LONGEST_TUPLE = 4

function plainType(type: string, schema: Schema, emitter: Emitter): string {
  const { items = {}, minItems, maxItems = Infinity } = schema
  if (type === 'array') {
    const item = typeOf(items, emitter)
    const tuple = minItems === maxItems && maxItems > 1 && maxItems <= LONGEST_TUPLE
    const list = tuple ? `[${new Array(maxItems).fill(item).join(', ')}]` : `(${item})[]`
    return emitter.fixedLists ? `readonly ${list}` : list
  }
  if (type !== 'object') return type === 'integer' ? 'number' : type
  const { properties, required = [], additionalProperties, minProperties, maxProperties } = schema
  const rest = typeof additionalProperties === 'object' ? typeOf(additionalProperties, emitter) : 'unknown'
  if (properties === undefined) return `Readonly<Record<string, ${rest}>>`
  const named = Object.entries(properties).map(([name, property]) => {
    const there = required.includes(name) || (emitter.filled && property.default !== undefined)
    return member(name, property, there, emitter)
  })
  // One of several keys.
  if (minProperties === 1 && maxProperties === 1) {
    return Object.entries(properties)
      .map(([name, property]) => members([member(name, property, true, emitter)]))
      .join(' | ')
  }
  return members(
    typeof additionalProperties !== 'object' && additionalProperties !== true
      ? named
      : [...named, `readonly [name: string]: ${rest}`],
  )
}

export function member(name: string, schema: Schema, required: boolean, emitter: Emitter): string {
  return `${comment(schema.description)}readonly ${keyOf(name)}${required ? '' : '?'}: ${typeOf(schema, emitter)}`
}

export const keyOf = (name: string) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name))

export const members = (lines: readonly string[]) => `{\n${lines.join('\n')}\n}`

export const comment = (text: string | undefined) =>
  text === undefined ? '' : `/** ${text.trim().replaceAll('*/', '')} */\n`
