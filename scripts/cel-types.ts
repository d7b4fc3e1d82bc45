/** What CEL rules may read, as types: of a context (`ctx`), and of the results that gates and expectations judge. */
import { find, type Schema, type Schemas } from './schema-files.ts'

/** What rules read of one definition. */
export interface ResultType {
  readonly file: string
  readonly definition: string
  /** Field → CEL type. */
  readonly fields: Readonly<Record<string, string>>
}

/** File → the definitions that rules begin with → what rules call them. */
const ROOTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'simulation-result.schema.json': { PolicyResult: 'Policy', DifferenceResult: 'Difference' },
  'evaluation-result.schema.json': {
    CandidateResult: 'Candidate',
    EstimateResult: 'Estimate',
    DifferenceOfCandidates: 'Contrast',
    DifferenceEstimate: 'ContrastEstimate',
  },
}

/** What rules of a repository read of a plan: its numbers of whole things are ints, since such rules compare them with such. */
const PLAN_ROOTS: typeof ROOTS = { 'plan.schema.json': { PlannedChange: 'PlannedChange' } }

/** No rule reads them: texts for people, what `.estimate(name)` gives, and bounds that gates see as `lower` and `upper`. */
export const LEFT_OUT = ['reasons', 'estimates', 'simultaneous']

const SCALARS: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'int',
  number: 'double',
  boolean: 'bool',
}

/** The types of results, by what rules call them. Every number of them is a double. */
export const resultTypes = (schemas: Schemas) => typesFrom(ROOTS, 'double', schemas)

/** The types of a planned change. */
export const changeTypes = (schemas: Schemas) => typesFrom(PLAN_ROOTS, 'int', schemas)

function typesFrom(
  roots: typeof ROOTS,
  integer: 'int' | 'double',
  schemas: Schemas,
): Readonly<Record<string, ResultType>> {
  const types: Record<string, ResultType> = {}

  function declared(ref: string, file: string): string {
    const name = ref.split('/').at(-1)!
    const called = roots[file]?.[name] ?? name
    if (called in types) return called
    const fields: Record<string, string> = {}
    types[called] = { file, definition: name, fields }
    for (const [field, schema] of Object.entries(find(ref, file, schemas).properties!)) {
      if (!LEFT_OUT.includes(field)) fields[field] = typeOf(schema, file)
    }
    return called
  }

  function typeOf(schema: Schema, file: string): string {
    if (schema.$ref !== undefined) {
      const found = find(schema.$ref, file, schemas)
      return found.properties === undefined ? typeOf(found, file) : declared(schema.$ref, file)
    }
    if (schema.enum !== undefined) return 'string'
    const [type] = (schema.anyOf ?? [schema]).filter(each => each.type !== 'null')
    if (type !== schema) return typeOf(type, file)
    if (schema.items !== undefined) return `list<${typeOf(schema.items, file)}>`
    if (typeof schema.additionalProperties === 'object')
      return `map<string, ${typeOf(schema.additionalProperties, file)}>`
    const [scalar] = [schema.type ?? []].flat().filter(each => each !== 'null')
    return scalar === 'integer' ? integer : SCALARS[scalar]
  }

  for (const [file, names] of Object.entries(roots)) {
    for (const name of Object.keys(names)) declared(`#/$defs/${name}`, file)
  }
  return types
}

/** The words that a field of a planned change may have, by type and field: a rule that compares it with another would never apply. */
function changeWords(schemas: Schemas): Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> {
  const types = Object.entries(changeTypes(schemas)).map(([name, { file, definition }]) => {
    const fields = Object.entries(find(`#/$defs/${definition}`, file, schemas).properties!)
    return [name, Object.fromEntries(fields.flatMap(([field, { enum: words }]) => (words ? [[field, words]] : [])))]
  })
  return Object.fromEntries(types)
}

/** The types of a context's fields, by what a Policy calls theirs. */
export function contextTypes(schemas: Schemas): Readonly<Record<string, string>> {
  const branches = find('#/$defs/ContextField', 'policy.schema.json', schemas).oneOf!
  const entries = branches.flatMap(({ properties = {} }) => {
    const { type, items } = properties
    const names = (type.enum ?? [type.const]) as readonly string[]
    const item = items?.properties?.type.const as string | undefined
    return names.map(name => [name, item === undefined ? SCALARS[name] : `list<${SCALARS[item]}>`] as const)
  })
  return Object.fromEntries(entries)
}

export function celTypesOf(schemas: Schemas): string {
  const fieldsOf = (types: Readonly<Record<string, ResultType>>) =>
    Object.fromEntries(Object.entries(types).map(([name, { fields }]) => [name, fields]))
  const constant = (name: string, type: string, value: object) =>
    `export const ${name}: ${type} = ${JSON.stringify(value, null, 2)}\n`
  return [
    "import type { ContextField } from './types.ts'",
    '/** CEL type → field → CEL type: what gates and expectations may read of a result. */',
    constant(
      'RESULT_TYPES',
      'Readonly<Record<string, Readonly<Record<string, string>>>>',
      fieldsOf(resultTypes(schemas)),
    ),
    '/** The same of what rules of a repository read of a planned change. */',
    constant(
      'CHANGE_TYPES',
      'Readonly<Record<string, Readonly<Record<string, string>>>>',
      fieldsOf(changeTypes(schemas)),
    ),
    '/** CEL type → field → the words that it may have. */',
    constant(
      'CHANGE_WORDS',
      'Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>',
      changeWords(schemas),
    ),
    '/** Type of a context field → its CEL type. */',
    constant('CONTEXT_TYPES', "Readonly<Record<ContextField['type'], string>>", contextTypes(schemas)),
  ].join('\n')
}
