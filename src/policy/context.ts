import type { ContextField, PolicySpec } from '../kinds.ts'
import type { ContextValues } from './cel.ts'

/** A checked context: every field of the policy has a value of its type, defaults filled in. */
export type Context = ContextValues

export interface ContextFault {
  /** A JSON pointer into the context. */
  readonly pointer: string
  /** One sentence without a full stop. */
  readonly message: string
}

export type ContextResult = { readonly context: Context } | { readonly faults: readonly ContextFault[] }

/** Checks a request's context against the policy's fields, and fills in defaults. Every fault is found at once. */
export function checkContext(fields: PolicySpec['context'], input: unknown): ContextResult {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { faults: [{ pointer: '', message: `must be an object, not ${nameOf(input)}` }] }
  }
  const faults: ContextFault[] = []
  for (const name of Object.keys(input)) {
    if (!Object.hasOwn(fields, name))
      faults.push({ pointer: pointerTo(name), message: 'is not a field of this policy' })
  }
  // Without a prototype no field name, not even `__proto__`, means anything but itself.
  const context: Record<string, Context[string]> = Object.create(null)
  for (const [name, field] of Object.entries(fields)) {
    const given: unknown = Object.hasOwn(input, name) ? (input as Record<string, unknown>)[name] : undefined
    if (given === undefined) {
      if (field.default === undefined)
        faults.push({ pointer: pointerTo(name), message: 'is missing and has no default' })
      else context[name] = field.default
      continue
    }
    const found = faultsOf(field, given)
    for (const { at, message } of found) faults.push({ pointer: pointerTo(name) + at, message })
    if (found.length === 0) context[name] = Array.isArray(given) ? [...given] : (given as Context[string])
  }
  return faults.length > 0 ? { faults } : { context }
}

interface FieldFault {
  /** What to append to the field's pointer. */
  readonly at: string
  readonly message: string
}

function faultsOf(field: ContextField, value: unknown): FieldFault[] {
  const message = field.type === 'array' ? undefined : scalarFault(field, value)
  if (message !== undefined) return [{ at: '', message }]
  return field.type === 'array' ? vectorFaults(field.minItems, value) : []
}

function scalarFault(field: Exclude<ContextField, { type: 'array' }>, value: unknown): string | undefined {
  switch (field.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `must be a boolean, not ${nameOf(value)}`
    case 'string':
      if (typeof value !== 'string') return `must be a string, not ${nameOf(value)}`
      if (field.enum !== undefined && !field.enum.includes(value)) return `must be one of ${field.enum.join(', ')}`
      if (field.maxLength !== undefined && lengthOf(value) > field.maxLength) {
        return `must have at most ${field.maxLength} characters`
      }
      return undefined
    default:
      if (typeof value !== 'number' || !Number.isFinite(value)) return `must be a finite number, not ${nameOf(value)}`
      if (field.type === 'integer' && !Number.isSafeInteger(value)) return 'must be an integer of at most 2^53 - 1'
      if (field.minimum !== undefined && value < field.minimum) return `must be at least ${field.minimum}`
      if (field.maximum !== undefined && value > field.maximum) return `must be at most ${field.maximum}`
      return undefined
  }
}

function vectorFaults(length: number, value: unknown): FieldFault[] {
  if (!Array.isArray(value)) return [{ at: '', message: `must be a list of numbers, not ${nameOf(value)}` }]
  if (value.length !== length) return [{ at: '', message: `must have ${length} numbers, not ${value.length}` }]
  return Array.from(value, (entry: unknown, i) => ({ entry, i })).flatMap(({ entry, i }) =>
    typeof entry === 'number' && Number.isFinite(entry)
      ? []
      : [{ at: `/${i}`, message: `must be a finite number, not ${nameOf(entry)}` }],
  )
}

/** In Unicode characters, as JSON Schema counts them. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}

function nameOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') return String(value)
  if (value === undefined) return 'nothing'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function pointerTo(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
