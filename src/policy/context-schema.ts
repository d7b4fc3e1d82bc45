import type { ContextField, PolicySpec } from '../kinds.ts'
import { LARGEST } from './context.ts'

/** JSON Schema 2020-12 of the context that a request must bring: what `Policy.context` accepts, before defaults. */
export interface ContextSchema {
  readonly $schema: 'https://json-schema.org/draft/2020-12/schema'
  readonly type: 'object'
  readonly properties: Readonly<Record<string, FieldSchema>>
  /** Fields without a default. */
  readonly required: readonly string[]
  readonly additionalProperties: false
}

/** A field whose default is taken may be null as well as absent. */
export type FieldSchema =
  | ContextField
  | (Omit<ContextField, 'type' | 'enum'> & {
      readonly type: readonly [ContextField['type'], 'null']
      readonly enum?: readonly (string | null)[]
    })

export function contextSchema(fields: PolicySpec['context']): ContextSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, nullable(bounded(field))])),
    required: Object.keys(fields).filter(name => fields[name].default === undefined),
    additionalProperties: false,
  }
}

function nullable(field: ContextField): FieldSchema {
  if (field.default === undefined) return field
  const { type, ...rest } = field
  return { type: [type, 'null'], ...rest, ...('enum' in field && field.enum ? { enum: [...field.enum, null] } : {}) }
}

/** Fields are JSON Schema keywords already; but an integer of JSON Schema may be larger than a number can tell from the next, and a number than is computed with. */
function bounded(field: ContextField): ContextField {
  switch (field.type) {
    case 'integer':
      return { ...field, ...within(field, Number.MAX_SAFE_INTEGER) }
    case 'number':
      return { ...field, ...within(field, LARGEST) }
    case 'array':
      return { ...field, items: { ...field.items, ...within({}, LARGEST) } }
    default:
      return field
  }
}

const within = ({ minimum, maximum }: { readonly minimum?: number; readonly maximum?: number }, most: number) => ({
  minimum: Math.max(minimum ?? -most, -most),
  maximum: Math.min(maximum ?? most, most),
})
