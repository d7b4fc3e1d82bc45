/** Files of dap's that are read back. They are made by machines, and may come from anywhere. */
import { isMapping, MOST_FAULTS, type Shape } from './shape.ts'

/** What is wrong with a JSON value that is to be one, the first faults; none: it is of its published shape. */
export function documentFaults(json: unknown, noun: string, schema: string, shape: Shape): readonly string[] {
  if (!isMapping(json)) return [`the ${noun} is not an object`]
  if (json.schema !== schema) return [`the ${noun}'s schema is ${schemaText(json.schema)}; this dap reads "${schema}"`]
  return (shape(json) ?? []).slice(0, MOST_FAULTS).map(({ at, message }) => `\`${at}\` ${message}`)
}

/** The schema that a JSON file names. What is not of dap is not quoted: it may be any file. */
export function schemaText(schema: unknown): string {
  if (typeof schema === 'string' && schema.startsWith('dap.')) return quoted(schema)
  return schema === undefined ? 'missing' : 'of something else'
}

/** A piece of a file for a message. */
export function quoted(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
