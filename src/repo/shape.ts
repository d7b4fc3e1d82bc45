import { type Fault, MAX_FAULTS, type Path } from './fault.ts'
import { meant, type Reading } from './meant.ts'
import {
  allowed,
  type BranchFault,
  chooseBranch,
  described,
  hasType,
  isMapping,
  list,
  type Mapping,
  nearest,
  notAllowed,
  ownerOf,
  purpose,
  resolve,
  type Schema,
  typesOf,
  words,
} from './schema.ts'
import { algorithmCalled } from './synonyms.ts'

/**
 * What a document has that its schema does not allow, one fault each, the first hundred. Where several shapes are allowed only
 * the one meant is looked at. Empty exactly when the document is valid.
 */
export function shapeFaults(document: unknown, root: Schema): Fault[] {
  const faults: Fault[] = []
  check(document, root, root, [], faults)
  return faults
}

/** Fills in the schema's defaults, nested ones too, in place; the document is valid. */
export function fillDefaults<T>(document: T, root: Schema): T {
  fill(document, root, root)
  return document
}

function fill(value: unknown, schema: Schema, root: Schema): void {
  if (typeof value !== 'object' || value === null) return
  const { oneOf, properties, additionalProperties, items } = resolve(schema, root)
  if (oneOf !== undefined) {
    const choice = chooseBranch({ oneOf }, value, root, '')
    if ('branch' in choice) fill(value, choice.branch, root)
    return
  }
  if (Array.isArray(value)) {
    if (items !== undefined) for (const item of value) fill(item, items, root)
    return
  }
  const mapping = value as Record<string, unknown>
  if (properties !== undefined) {
    for (const name in properties) {
      const property = properties[name]
      if (!Object.hasOwn(mapping, name)) {
        if (property.default === undefined) continue
        mapping[name] = typeof property.default === 'object' ? structuredClone(property.default) : property.default
      }
      fill(mapping[name], property, root)
    }
  } else if (additionalProperties) {
    for (const name in mapping) fill(mapping[name], additionalProperties, root)
  }
}

/** `advised`: is it to be found out what may have been meant? Not of what is itself a guess of that. */
function check(value: unknown, given: Schema, root: Schema, path: Path, faults: Fault[], advised = true): void {
  if (faults.length >= MAX_FAULTS) return
  const schema = resolve(given, root)
  const label = labelOf(path)
  if (schema.oneOf !== undefined) {
    const choice = chooseBranch(schema, value, root, label)
    if ('branch' in choice) {
      const own: Fault[] = []
      check(value, choice.branch, root, path, own, advised)
      faults.push(...own.map(fault => ofAnother(fault, path, schema, root)))
      return
    }
    const { key, whichever = [], ...fault } = choice
    const reading = once((text: string) =>
      advised && key === undefined ? readingOf(value, text, schema, root) : undefined,
    )
    const advice = (text: string, hint: string | undefined) =>
      reading(text)?.hint ?? hint ?? purpose(schema) ?? `write ${words(typesOf(schema, root))}`
    const { written } = fault
    const meant = reading(String(value))
    faults.push({
      ...fault,
      hint: advice(String(value), fault.hint),
      written: written && (text => ({ ...written(text), hint: advice(text, written(text).hint) })),
      mend: meant === undefined ? fault.mend : { value: meant.value },
      path: key === undefined ? path : [...path, key],
    })
    faults.push(...commonFaults(whichever, root, path))
    return
  }
  const types = typesOf(schema, root)
  const sample = schema.default ?? schema.examples?.[0]
  const reading = once((text: string) => (advised ? readingOf(value, text, schema, root) : undefined))
  const fault: Report = (message, hint) => {
    const worded = (text: string) => ({
      message: message(text),
      hint:
        reading(text)?.hint ??
        hint ??
        purpose(schema) ??
        (schema.required === undefined ? `write ${words(types)}` : `it needs ${list(schema.required)}`),
    })
    const guess = reading(String(value))?.value
    // What to quote is the text in the file, which a number does not tell: `3.10` is 3.1.
    const mend = guess === undefined || (typeof guess === 'string' && typeof value !== 'string') ? sample : guess
    faults.push({
      code: 'schema',
      ...worded(String(value)),
      written: worded,
      path,
      mend: mend === undefined ? undefined : { value: mend },
    })
  }
  const values = allowed(schema)
  if (values.length > 0) {
    if (!values.includes(value as never)) {
      faults.push({ code: 'schema', ...notAllowed(label, value, values), path })
    }
    return
  }
  if (!types.some(type => hasType(value, type))) {
    const algorithm = typeof value === 'string' && types.includes('object') ? algorithmCalled(value) : undefined
    const example = typeof sample === 'object' || sample === undefined ? undefined : `for example \`${String(sample)}\``
    fault(text => `${label} must be ${words(types)}, got ${described(value, text)}`, algorithm?.hint ?? example)
    return
  }
  if (typeof value === 'number') checkNumber(value, schema, label, fault)
  else if (typeof value === 'string') checkString(value, schema, label, fault)
  else if (Array.isArray(value)) checkList(value, schema, root, path, faults, fault)
  else if (isMapping(value)) checkMapping(value, schema, root, path, faults)
}

/** What is wrong whichever branch is meant, in the words of the first. */
function commonFaults(whichever: NonNullable<BranchFault['whichever']>, root: Schema, path: Path): Fault[] {
  const [first = [], ...others] = whichever.map(({ branch, value }) => {
    const faults: Fault[] = []
    check(value, branch, root, path, faults)
    return faults
  })
  const isSame = (a: Fault, b: Fault) => a.message === b.message && a.path.join('/') === b.path.join('/')
  return first.filter(fault => others.every(faults => faults.some(each => isSame(each, fault))))
}

/** Says of an unknown key of a union's shape that another shape has it. */
function ofAnother(fault: Fault, path: Path, schema: Schema, root: Schema): Fault {
  if (fault.code !== 'unknown-key' || fault.path.length !== path.length + 1 || fault.mend !== undefined) return fault
  const key = String(fault.path.at(-1))
  const owner = ownerOf(key, schema, root)
  return owner === undefined ? fault : { ...fault, hint: `${fault.hint}; \`${key}\` is of ${owner}` }
}

/** What may have been meant by a value that is not allowed, whose text in the file is `text`. */
function readingOf(value: unknown, text: string, schema: Schema, root: Schema): Reading | undefined {
  // What is of a type that there may be is not meant to be of another.
  const fits = typeof value !== 'string' && typesOf(schema, root).some(type => hasType(value, type))
  const allows = (other: unknown) => {
    if (fits && typeof other !== typeof value) return false
    const faults: Fault[] = []
    check(other, schema, root, [], faults, false)
    return faults.length === 0
  }
  if (Array.isArray(value) || isMapping(value) || value === null) return undefined
  const quoted = typeof value === 'string'
  // The text that stands there, which the number may not be.
  if (!quoted && allows(text)) return { value: text, hint: `quote it: \`"${text}"\`` }
  if (typesOf(schema, root).includes('array') && allows([value])) {
    return { value: [value], hint: `write a list: \`[${text}]\`` }
  }
  const sample = schema.default ?? schema.examples?.[0]
  return meant(text, quoted, { sample, share: schema.maximum === 1 || schema.exclusiveMaximum === 1, allows })
}

/** The function, asked once for each text; of two, one is mostly the other. */
function once<T>(ask: (text: string) => T): (text: string) => T {
  const answers = new Map<string, T>()
  return text => {
    if (!answers.has(text)) answers.set(text, ask(text))
    return answers.get(text)!
  }
}

/** Tells of a fault; the message is made of the value's text in the file. */
type Report = (message: (text: string) => string, hint?: string) => void

function checkNumber(value: number, schema: Schema, label: string, fault: Report): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
  const bound = (words: string, limit: number) => fault(text => `${label} must be ${words} ${limit}, got ${text}`)
  if (minimum !== undefined && value < minimum) bound('at least', minimum)
  else if (maximum !== undefined && value > maximum) bound('at most', maximum)
  else if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) bound('more than', exclusiveMinimum)
  else if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) bound('less than', exclusiveMaximum)
}

function checkString(value: string, schema: Schema, label: string, fault: Report): void {
  const length = [...value.slice(0, 200_000)].length
  if (length < (schema.minLength ?? 0)) fault(() => `${label} must not be empty`)
  else if (length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) {
    fault(() => `${label} must have at most ${schema.maxLength} characters, got ${length}`)
  } else if (schema.pattern !== undefined && !matches(value, schema.pattern)) {
    const like = schema.examples?.[0] ?? schema.default
    const shape = like === undefined ? `match ${schema.pattern}` : `look like \`${String(like)}\``
    fault(() => `${label} must ${shape}, got ${described(value)}`, schema.description?.replace(/\.$/, ''))
  }
}

const patterns = new Map<string, RegExp>()

function matches(value: string, pattern: string): boolean {
  let compiled = patterns.get(pattern)
  if (compiled === undefined) {
    compiled = new RegExp(pattern, 'u')
    patterns.set(pattern, compiled)
  }
  return compiled.test(value)
}

function checkList(
  value: readonly unknown[],
  schema: Schema,
  root: Schema,
  path: Path,
  faults: Fault[],
  fault: Report,
): void {
  const label = labelOf(path)
  const { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY, uniqueItems } = schema
  if (value.length < minItems) {
    fault(() =>
      value.length === 0
        ? `${label} must not be empty`
        : `${label} must have at least ${minItems} items, got ${value.length}`,
    )
  }
  if (value.length > maxItems) {
    fault(() => `${label} must have at most ${maxItems} items, got ${value.length}`)
    return
  }
  const seen = new Map<unknown, number>()
  for (const [i, item] of value.entries()) {
    const before = faults.length
    if (items !== undefined) check(item, items, root, [...path, i], faults)
    // An item that is to be another one is not there twice yet: quoted, `1` and `1.0` differ.
    if (uniqueItems !== true || faults.length > before) continue
    const first = seen.get(item)
    if (first === undefined) seen.set(item, i)
    else {
      const message = `${label} has ${described(item)} twice`
      faults.push({ code: 'duplicate', message, hint: 'take one of them out', path: [...path, i] })
    }
  }
}

function checkMapping(value: Mapping, schema: Schema, root: Schema, path: Path, faults: Fault[]): void {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema
  const keys = Object.keys(value)
  const label = labelOf(path)
  const { minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema
  if (keys.length < minProperties) {
    const known = Object.keys(properties)
    const message = known.length > 0 ? `${label} needs one of ${list(known)}` : `${label} must not be empty`
    faults.push({ code: 'schema', message, hint: purpose(schema), path })
  }
  if (keys.length > maxProperties) {
    const message = `${label} must have at most ${maxProperties} ${maxProperties === 1 ? 'key' : 'keys'}, got ${keys.length}`
    faults.push({ code: 'schema', message, hint: purpose(schema), path })
  }
  const missing = new Set(required.filter(name => !Object.hasOwn(value, name)))
  for (const key of keys) {
    if (faults.length >= MAX_FAULTS) return
    const at = [...path, key]
    if (Object.hasOwn(properties, key)) check(value[key], properties[key], root, at, faults)
    else if (additionalProperties === false) {
      const [word, after] = key.split(':', 2)
      const near = nearest(
        word,
        Object.keys(properties).filter(name => !Object.hasOwn(value, name)),
      )
      if (near !== undefined) missing.delete(near)
      const blankless = near === word && after !== undefined
      const hint = blankless
        ? `write a blank after \`${near}:\``
        : near !== undefined
          ? `did you mean \`${near}\`?`
          : `known are ${list(Object.keys(properties))}`
      const mend = near === undefined ? undefined : { key: near }
      faults.push({ code: 'unknown-key', message: `unknown key \`${key}\``, hint, path: at, on: 'key', mend })
    } else {
      if (propertyNames !== undefined && !matches(key, propertyNames.pattern)) {
        const message = `\`${key}\` is no name that ${label} can have`
        faults.push({ code: 'schema', message, hint: nameHint(propertyNames.pattern), path: at, on: 'key' })
      }
      if (additionalProperties !== undefined) check(value[key], additionalProperties, root, at, faults)
    }
  }
  for (const name of missing) {
    const example = properties[name].examples?.[0]
    const { required: needed } = resolve(properties[name], root)
    const needs = needed === undefined ? purpose(properties[name]) : `it needs ${list(needed)}`
    const hint =
      typeof example === 'object' || example === undefined ? needs : `for example \`${name}: ${String(example)}\``
    const { default: standard = example } = properties[name]
    const mend = standard === undefined ? undefined : { key: name, value: standard }
    faults.push({ code: 'schema', message: `\`${name}\` is missing`, hint, path, on: 'key', mend })
  }
}

function nameHint(pattern: string): string {
  if (pattern.startsWith('^[a-z]')) return 'a machine type, such as `n2-standard-2`'
  return pattern.includes('A-Za-z_')
    ? 'letters, digits and underscores, at most 64, the first no digit'
    : 'at most 128 characters, no control characters and no `/`'
}

function labelOf(path: Path): string {
  const last = path.at(-1)
  if (last === undefined) return 'the document'
  return typeof last === 'string' ? `\`${last}\`` : `\`${path.at(-2)}[${last}]\``
}
