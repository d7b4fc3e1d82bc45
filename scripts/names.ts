/** Names and limits that code needs as values, from where the schemas say them. */
import { type Schema, type Schemas, target } from './schema-files.ts'

/** Constant → the definition whose values it lists. */
const LISTS: Readonly<Record<string, string>> = {
  KINDS: 'new-result.schema.json#/$defs/Kind',
  SERVED_BY: 'decision.schema.json#/$defs/ServedBy',
  MODES: 'decision.schema.json#/$defs/Mode',
  MODEL_FAILURE_REASONS: 'decision.schema.json#/$defs/ModelFailureReason',
  LOG_FAULT_CODES: 'log-check-result.schema.json#/$defs/LogFaultCode',
}

/** Constant → a field of a schema, or of a definition in it, and what is said of it. */
const LIMITS: Readonly<Record<string, readonly [file: string, path: string, keyword: keyof Schema]>> = {
  HASH_BITS: ['policy.schema.json#/$defs/HashSpec', 'bits', 'default'],
  HASH_NAMESPACES: ['policy.schema.json#/$defs/HashSpec', 'namespaces', 'default'],
  HASH_PAIRS: ['policy.schema.json#/$defs/HashSpec', 'pairs', 'default'],
  LONGEST_UNIT: ['decision.schema.json', 'unit', 'maxLength'],
  LONGEST_RULE: ['policy.schema.json', 'spec.actions.eligible', 'maxLength'],
  PROJECT_ID_PATTERN: ['project.schema.json', 'spec.projectId', 'pattern'],
  RESOURCE_NAME_PATTERN: ['policy.schema.json', 'metadata.name', 'pattern'],
}

/** Values of an enum, or of one that says what each means. */
export function valuesOf({ enum: values, oneOf }: Schema): readonly unknown[] {
  return values ?? (oneOf ?? []).map(each => each.const)
}

/** The kinds of resources, in the order in which people are told them. */
export const kindsOf = (schemas: Schemas) => valuesOf(definition(LISTS['KINDS'], schemas)) as readonly string[]

export function namesOf(schemas: Schemas): string {
  const ids = Object.entries(schemas).flatMap(([file, { properties }]) => {
    const { const: id, enum: versions } = properties?.schema ?? {}
    if (id !== undefined) return [[constantName(file), id] as const]
    return versions === undefined ? [] : [[`${constantName(file)}S`, versions] as const]
  })
  const lists = Object.entries(LISTS).map(([name, ref]) => [name, valuesOf(definition(ref, schemas))] as const)
  const limits = Object.entries(LIMITS).map(([name, [file, path, keyword]]) => {
    const value = fieldAt(path, file, schemas)[keyword]
    if (value === undefined) throw new Error(`${file}: \`${path}\` has no ${keyword}`)
    return [name, value] as const
  })
  return [...ids, ...lists, ...limits]
    .map(
      ([name, value]) => `export const ${name} = ${JSON.stringify(value)}${Array.isArray(value) ? ' as const' : ''}\n`,
    )
    .join('')
}

/** `evaluation-result.schema.json` → `EVALUATION_RESULT_SCHEMA` */
const constantName = (file: string) => file.replace(/\W/g, '_').replace('_schema_json', '_SCHEMA').toUpperCase()

export function definition(ref: string, schemas: Schemas): Schema {
  const { file, definition: name } = target(ref, '')
  const found = schemas[file]?.$defs?.[name!]
  if (found === undefined) throw new Error(`there is no ${ref}`)
  return found
}

/** Lists and alternatives are walked through. */
function fieldAt(path: string, within: string, schemas: Schemas): Schema {
  const { file, definition: name } = target(within, '')
  const whole = name === undefined ? schemas[file] : definition(within, schemas)
  return path.split('.').reduce((schema, name) => {
    const alternatives = (schema.oneOf ?? [schema]).map(each => followed(each, file, schemas))
    const fields = alternatives.map(each => followed(each.items ?? each, file, schemas).properties?.[name])
    const field = fields.find(each => each !== undefined)
    if (field === undefined) throw new Error(`${file}: there is no \`${path}\``)
    return followed(field, file, schemas)
  }, whole)
}

const followed = (schema: Schema, file: string, schemas: Schemas): Schema =>
  schema.$ref === undefined ? schema : definition(schema.$ref.replace(/^#/, `${file}#`), schemas)
