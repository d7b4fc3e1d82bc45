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

export type ContextResult =
  | {
      readonly context: Context
      /** Fields that took their default. */
      readonly defaulted: readonly string[]
    }
  | { readonly faults: readonly ContextFault[] }

/**
 * A checker of requests' contexts against a policy's fields, which also fills in defaults. A field that is null or NaN is
 * missing, as one that is absent is. Every fault is found at once. All contexts that it makes have one shape, so that what
 * reads them stays fast.
 */
export function createContextCheck(fields: PolicySpec['context']): (input: unknown) => ContextResult {
  const names = Object.keys(fields)
  if (names.includes('__proto__')) throw new RangeError('a context field cannot be called `__proto__`')
  const known = new Set(names)
  const blank = Object.fromEntries(names.map(name => [name, fields[name].default]))

  return input => {
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      return { faults: [{ pointer: '', message: `must be an object, not ${nameOf(input)}` }] }
    }
    const given = input as Readonly<Record<string, unknown>>
    const faults: ContextFault[] = []
    const context: Record<string, Context[string] | undefined> = { ...blank }
    let defaulted = NO_NAMES
    let present = 0
    for (const name of names) {
      const own = Object.hasOwn(given, name)
      if (own) present++
      const value = own ? given[name] : undefined
      if (isMissing(value)) {
        if (context[name] === undefined) {
          faults.push({ pointer: pointerTo(name), message: 'is missing and has no default' })
        }
        defaulted = [...defaulted, name]
        continue
      }
      const found = faultsOf(fields[name], value)
      for (const { at, message } of found) faults.push({ pointer: pointerTo(name) + at, message })
      context[name] = Array.isArray(value) ? [...value] : (value as Context[string])
    }
    const keys = Object.keys(given)
    const unknown = keys.length === present ? [] : keys.filter(name => !known.has(name)).map(notAField)
    if (unknown.length + faults.length > 0) return { faults: [...unknown, ...faults] }
    return { context: context as Context, defaulted }
  }
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || Number.isNaN(value)
}

const notAField = (name: string): ContextFault => ({
  pointer: pointerTo(name),
  message: 'is not a field of this policy',
})

const NONE: readonly FieldFault[] = []
const NO_NAMES: readonly string[] = []

interface FieldFault {
  /** What to append to the field's pointer. */
  readonly at: string
  readonly message: string
}

/**
 * The size of the largest number of a context and of an action: the squares of products of three (`cross`), summed over any log, are still
 * finite, and so is what is learnt of them.
 */
const LARGEST = 1e30

const tooLarge = (value: number) => `must be within -1e30 and 1e30, not ${value}`

function faultsOf(field: ContextField, value: unknown): readonly FieldFault[] {
  if (field.type === 'array') return vectorFaults(field.minItems, value)
  const message = scalarFault(field, value)
  return message === undefined ? NONE : [{ at: '', message }]
}

function scalarFault(field: Exclude<ContextField, { type: 'array' }>, value: unknown): string | undefined {
  switch (field.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `must be a boolean, not ${nameOf(value)}`
    case 'string':
      if (typeof value !== 'string') return `must be a string, not ${nameOf(value)}`
      if (field.enum !== undefined && !field.enum.includes(value)) return `must be one of ${field.enum.join(', ')}`
      if (field.maxLength !== undefined && isLonger(value, field.maxLength)) {
        return `must have at most ${field.maxLength} characters`
      }
      return undefined
    default:
      if (typeof value !== 'number' || !Number.isFinite(value)) return `must be a finite number, not ${nameOf(value)}`
      if (field.type === 'integer' && !Number.isSafeInteger(value)) return 'must be an integer of at most 2^53 - 1'
      if (Math.abs(value) > LARGEST) return tooLarge(value)
      if (field.minimum !== undefined && value < field.minimum) return `must be at least ${field.minimum}`
      if (field.maximum !== undefined && value > field.maximum) return `must be at most ${field.maximum}`
      return undefined
  }
}

function vectorFaults(length: number, value: unknown): readonly FieldFault[] {
  if (!Array.isArray(value)) return [{ at: '', message: `must be a list of numbers, not ${nameOf(value)}` }]
  if (value.length !== length) return [{ at: '', message: `must have ${length} numbers, not ${value.length}` }]
  const faults: FieldFault[] = []
  for (let i = 0; i < length; i++) {
    const entry: unknown = value[i]
    if (typeof entry !== 'number' || !Number.isFinite(entry)) {
      faults.push({ at: `/${i}`, message: `must be a finite number, not ${nameOf(entry)}` })
    } else if (Math.abs(entry) > LARGEST) faults.push({ at: `/${i}`, message: tooLarge(entry) })
  }
  return faults
}

/** Has the text more than `most` Unicode characters, which are what JSON Schema counts? */
export function isLonger(text: string, most: number): boolean {
  if (text.length <= most) return false
  let length = 0
  for (const _ of text) if (++length > most) return true
  return false
}

function nameOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') return String(value)
  if (value === undefined) return 'nothing'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The JSON pointer to a key of an object. */
export function pointerTo(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
