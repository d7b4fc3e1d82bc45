/** Says what is wrong with a value: undefined where nothing is. */
export type Shape = (value: unknown) => readonly ShapeFault[] | undefined

export interface ShapeFault {
  /** `slots[0].action`; empty for the value itself. */
  readonly at: string
  /** Goes after the name of what is wrong: `must be a string, not 5`. */
  readonly message: string
  /** The definition of the schema that says what the text or number must be, where it is one. */
  readonly by?: string
}

export type Shapes = Readonly<Record<string, Shape>>

/** As many as anybody reads at once: a list of nothing but faults is not walked to its end. */
export const MOST_FAULTS = 5

/** Makes mappings with these keys, the required ones in their order first. Others have the shape `rest`; without one there are none. */
export const objects =
  (noun: string) =>
  (required: Shapes, optional: Shapes = {}, rest?: Shape): Shape => {
    const names = [...Object.keys(required), ...Object.keys(optional)]
    const shapes = [...Object.values(required), ...Object.values(optional)]
    const known = new Set(names)
    const needed = Object.keys(required).length
    return value => {
      if (!isMapping(value)) return wrong(`must be an object, not ${nameOf(value)}`)
      let faults: ShapeFault[] | undefined
      let present = 0
      for (let i = 0; i < names.length; i++) {
        const name = names[i]
        if (!Object.hasOwn(value, name)) {
          if (i < needed) faults = [...(faults ?? []), { at: name, message: 'is missing' }]
          continue
        }
        present++
        const found = shapes[i](value[name])
        if (found !== undefined) faults = inside(name, found, faults)
      }
      // Half the time of a list of the keys, and never fewer than there are.
      let count = 0
      for (const _ in value) count++
      if (count === present) return faults
      for (const name of Object.keys(value)) {
        if (known.has(name)) continue
        const found = rest === undefined ? wrong(`is no field of this ${noun}`) : rest(value[name])
        if (found !== undefined) faults = inside(shortened(name), found, faults)
        if (faults !== undefined && faults.length >= MOST_FAULTS) break
      }
      return faults
    }
  }

/** A mapping with as many keys, and with keys of this pattern. */
export function keyed(shape: Shape, minimum: number, maximum: number, names?: string): Shape {
  const allowed = names === undefined ? undefined : new RegExp(names, 'u')
  return value => {
    if (isMapping(value)) {
      const keys = Object.keys(value)
      const miscounted = wrongCount(keys.length, minimum, maximum)
      if (miscounted !== undefined) return miscounted
      const strange = allowed && keys.find(name => !allowed.test(name))
      if (strange !== undefined) return inside(shortened(strange), wrong('is no name that it can have'), undefined)
    }
    return shape(value)
  }
}

/** Between `minimum` and `maximum` entries of one shape. */
export function list(item: Shape, minimum = 0, maximum = Infinity): Shape {
  return value => {
    if (!Array.isArray(value)) return wrong(`must be a list, not ${nameOf(value)}`)
    const miscounted = wrongCount(value.length, minimum, maximum)
    if (miscounted !== undefined) return miscounted
    let faults: ShapeFault[] | undefined
    for (let i = 0; i < value.length; i++) {
      const found = item(value[i])
      if (found === undefined) continue
      faults = inside(`[${i}]`, found, faults)
      if (faults.length >= MOST_FAULTS) break
    }
    return faults
  }
}

/** A list of texts of which none is there twice. */
export function distinct(shape: Shape): Shape {
  return value => {
    const faults = shape(value)
    if (faults !== undefined) return faults
    const seen = new Set<unknown>()
    for (const item of value as readonly unknown[]) {
      if (seen.has(item)) return wrong(`has ${shortened(JSON.stringify(item))} twice`)
      seen.add(item)
    }
    return undefined
  }
}

/** Between `minimum` and `maximum` Unicode characters. */
export function text(minimum = 0, maximum = Infinity, by?: string): Shape {
  return value => {
    if (typeof value !== 'string') return wrong(`must be a string, not ${nameOf(value)}`, by)
    if (value.length < minimum) return wrong('must not be empty', by)
    if (value.length > maximum && [...value].length > maximum) {
      return wrong(`must have at most ${maximum} characters`, by)
    }
    return undefined
  }
}

export function pattern(source: string, what: string, by?: string): Shape {
  const expression = new RegExp(source, 'u')
  return value => {
    if (typeof value !== 'string') return wrong(`must be ${what}, not ${nameOf(value)}`, by)
    return expression.test(value) ? undefined : wrong(`must be ${what}`, by)
  }
}

export function one(values: readonly unknown[]): Shape {
  const shown = values.map(value => JSON.stringify(value)).join(', ')
  return value => (values.includes(value) ? undefined : wrong(`must be one of ${shown}`))
}

export const flag: Shape = value =>
  typeof value === 'boolean' ? undefined : wrong(`must be true or false, not ${nameOf(value)}`)

export interface Range {
  readonly whole?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
}

/** A finite number of a range. */
export function number({ whole = false, ...range }: Range, by?: string): Shape {
  const { minimum: least = -Number.MAX_VALUE, exclusiveMinimum: above = -Infinity } = range
  const { maximum: most = Number.MAX_VALUE, exclusiveMaximum: below = Infinity } = range
  const what = rangeWords(range, whole)
  return value => {
    if (typeof value === 'number' && value >= least && value <= most && value > above && value < below) {
      if (!whole || Number.isInteger(value)) return undefined
    }
    return wrong(`must be ${what}, not ${nameOf(value)}`, by)
  }
}

/** `in (0, 1]`, `at least 0`, `a whole number`. */
function rangeWords(
  { minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Omit<Range, 'whole'>,
  isWhole: boolean,
): string {
  const [least, most] = [minimum ?? exclusiveMinimum, maximum ?? exclusiveMaximum]
  const [whole, of] = isWhole ? ['a whole number ', 'of '] : ['', '']
  const [open, close] = [minimum === undefined ? '(' : '[', maximum === undefined ? ')' : ']']
  if (least !== undefined && most !== undefined) return `${whole}in ${open}${least}, ${most}${close}`
  if (least !== undefined) return `${whole}${minimum === undefined ? 'above' : `${of}at least`} ${least}`
  if (most !== undefined) return `${whole}${maximum === undefined ? 'below' : `${of}at most`} ${most}`
  return isWhole ? 'a whole number' : 'a finite number'
}

export const nullOr =
  (shape: Shape): Shape =>
  value =>
    value === null ? undefined : shape(value)

const WORDS: Readonly<Record<string, string>> = {
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

/** The shape of the value's JSON type. */
export function byType(shapes: Shapes): Shape {
  const what = Object.keys(shapes)
    .map(type => WORDS[type])
    .join(' or ')
  return value => {
    const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
    return Object.hasOwn(shapes, type) ? shapes[type](value) : wrong(`must be ${what}, not ${nameOf(value)}`)
  }
}

/** The mapping that its key `tag` says it is. */
export function tagged(tag: string, shapes: Shapes): Shape {
  const known = one(Object.keys(shapes))
  return value => {
    if (!isMapping(value)) return wrong(`must be an object, not ${nameOf(value)}`)
    if (!Object.hasOwn(value, tag)) return [{ at: tag, message: 'is missing' }]
    const fault = known(value[tag])
    return fault === undefined ? shapes[value[tag] as string](value) : inside(tag, fault, undefined)
  }
}

/** The most levels of what is anybody's. No schema counts them; whoever walks it has to get to the end. */
const MOST_LEVELS = 16

/** Any mapping. */
export const free: Shape = value => {
  if (!isMapping(value)) return wrong(`must be an object, not ${nameOf(value)}`)
  return isDeeper(value, MOST_LEVELS) ? wrong(`is nested more than ${MOST_LEVELS} deep`) : undefined
}

/** A shape that is made when the first value is checked: a command pays for no other. */
export function lazily(make: () => Shape): Shape {
  let made: Shape | undefined
  return value => {
    made ??= make()
    return made(value)
  }
}

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  for (const inner of Object.values(value)) if (isDeeper(inner, depth - 1)) return true
  return false
}

const wrong = (message: string, by?: string): readonly [ShapeFault] => [{ at: '', message, by }]

function wrongCount(count: number, minimum: number, maximum: number): readonly ShapeFault[] | undefined {
  if (count < minimum) return wrong(`must have at least ${minimum} entries, not ${count}`)
  return count > maximum ? wrong(`must have at most ${maximum} entries, not ${count}`) : undefined
}

/** The faults of what is under a key, after those that were found before. */
function inside(key: string, found: readonly ShapeFault[], before: ShapeFault[] | undefined): ShapeFault[] {
  const faults = before ?? []
  for (const { at, ...fault } of found) {
    faults.push({ ...fault, at: at === '' || at.startsWith('[') ? key + at : `${key}.${at}` })
  }
  return faults
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function nameOf(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const shortened = (name: string) => name.slice(0, 64)
