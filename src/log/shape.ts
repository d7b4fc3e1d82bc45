import type { LogFaultCode, RecordFault } from './fault.ts'

/** Says what is wrong with a value, if anything is: the first fault, and where in the value it is. */
export type Shape = (value: unknown) => ShapeFault | undefined

export interface ShapeFault extends RecordFault {
  /** `slots[0].action`; empty for the value itself. */
  readonly at: string
}

/** A mapping with these keys and no others. */
export function object(
  required: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>> = {},
): Shape {
  const shapes = Object.entries({ ...required, ...optional })
  return value => {
    if (!isMapping(value)) return wrong(`must be an object, not ${nameOf(value)}`)
    let present = 0
    for (const [name, shape] of shapes) {
      if (!Object.hasOwn(value, name)) {
        if (Object.hasOwn(required, name)) return { ...wrong('is missing'), at: name }
        continue
      }
      present++
      const fault = shape(value[name])
      if (fault !== undefined) return inside(name, fault)
    }
    const names = Object.keys(value)
    if (names.length === present) return undefined
    const stranger = names.find(name => !shapes.some(([known]) => known === name)) as string
    return { ...wrong('is no field of this record'), at: stranger.slice(0, 64) }
  }
}

/** Between `minimum` and `maximum` entries of one shape. */
export function list(item: Shape, minimum: number, maximum: number): Shape {
  return value => {
    if (!Array.isArray(value)) return wrong(`must be a list, not ${nameOf(value)}`)
    if (value.length < minimum) return wrong(`must have at least ${minimum} entries, not ${value.length}`)
    if (value.length > maximum) return wrong(`must have at most ${maximum} entries, not ${value.length}`)
    for (let i = 0; i < value.length; i++) {
      const fault = item(value[i])
      if (fault !== undefined) return inside(`[${i}]`, fault)
    }
    return undefined
  }
}

/** Between `minimum` and `maximum` Unicode characters. */
export function text(minimum: number, maximum: number): Shape {
  return value => {
    if (typeof value !== 'string') return wrong(`must be a string, not ${nameOf(value)}`)
    if (value.length < minimum) return wrong('must not be empty')
    if (value.length > maximum && [...value].length > maximum) return wrong(`must have at most ${maximum} characters`)
    return undefined
  }
}

export function pattern(expression: RegExp, what: string, code: LogFaultCode): Shape {
  return value => {
    if (typeof value !== 'string') return wrong(`must be ${what}, not ${nameOf(value)}`, code)
    return expression.test(value) ? undefined : wrong(`must be ${what}`, code)
  }
}

export function oneOf(...values: readonly unknown[]): Shape {
  return value =>
    values.includes(value) ? undefined : wrong(`must be one of ${values.map(v => JSON.stringify(v)).join(', ')}`)
}

/** A finite number of which `allowed` holds. */
export function number(allowed: (value: number) => boolean, what: string, code: LogFaultCode = 'shape'): Shape {
  return value => {
    if (typeof value === 'number' && Number.isFinite(value) && allowed(value)) return undefined
    return wrong(`must be ${what}, not ${nameOf(value)}`, code)
  }
}

export const nullOr =
  (shape: Shape): Shape =>
  value =>
    value === null ? undefined : shape(value)

/** Any mapping whose values are nested at most `depth` deep: what is written is anybody's, what it takes to walk it is not. */
export function free(depth: number): Shape {
  return value => {
    if (!isMapping(value)) return wrong(`must be an object, not ${nameOf(value)}`)
    return isDeeper(value, depth) ? wrong(`is nested more than ${depth} deep`) : undefined
  }
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  for (const inner of Object.values(value)) if (isDeeper(inner, depth - 1)) return true
  return false
}

function wrong(message: string, code: LogFaultCode = 'shape'): ShapeFault {
  return { code, at: '', message }
}

function inside(key: string, { code, at, message }: ShapeFault): ShapeFault {
  return { code, at: at === '' || at.startsWith('[') ? key + at : `${key}.${at}`, message }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameOf(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
