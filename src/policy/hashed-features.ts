import type { ContextField, HashSpec } from '../kinds.ts'
import { createBlock, type TransformSpec, type Values } from './feature-block.ts'
import { createSpread, type Hashing, hashName, namespaceSeed } from './hashing.ts'

/** What is known of one namespace: its fields, how some of them are transformed, and what its features are called where all are listed. */
export interface Namespace {
  readonly name: 'context' | 'action'
  readonly fields: readonly HashedField[]
}

export interface HashedField {
  /** Under which it is hashed, and where it stands among the values. */
  readonly path: string
  /** Its type, where it always has the same: without one a value is taken for what it is. */
  readonly field?: ContextField
  readonly transform?: TransformSpec
  /** What people know it by. */
  readonly label: string
}

/** The part of a row that a namespace says. */
export interface Encoder {
  /** How many features it has. */
  readonly width: number
  /** What is hashed, a name each; they carry every parameter. */
  readonly names: readonly string[]
  /** Writes `width` hashes from `hashes` on, and as many values from `numbers` on: 0 for what is missing, and false. */
  write(values: Values, x: Float64Array, hashes: number, numbers: number): void
  /** What people call them, now that they have these values. */
  labels(values: Values): readonly string[]
}

/** How rows of these namespaces are laid out. */
export function hashingOf({ bits, pairs }: HashSpec, encoders: ReadonlyMap<string, Encoder>): Hashing {
  const names = [...encoders.keys()]
  let end = 0
  return {
    bits,
    ends: names.map(name => {
      end += encoders.get(name)?.width ?? 0
      return end
    }),
    pairs: pairs.map(pair => {
      const [first, second] = pair.map(name => names.indexOf(name)).sort((a, b) => a - b)
      return [first, second] as const
    }),
  }
}

/** The namespaces that a policy hashes, in the order of their names. */
export function encodersOf({ namespaces }: HashSpec, known: readonly Namespace[]): ReadonlyMap<string, Encoder> {
  const wanted = known.filter(({ name }) => namespaces.includes(name))
  return new Map(wanted.sort((a, b) => order(a.name, b.name)).map(space => [space.name, createEncoder(space)]))
}

function createEncoder({ name, fields }: Namespace): Encoder {
  const seed = namespaceSeed(name)
  const parts = [...fields].sort((a, b) => order(a.path, b.path)).map(field => createPart(field, seed))
  const width = parts.reduce((sum, part) => sum + part.width, 0)
  return {
    width,
    names: parts.flatMap(({ names }) => names),
    write(values, x, hashes, numbers) {
      let at = 0
      for (const part of parts) {
        part.write(values, x, hashes + at, numbers + at)
        at += part.width
      }
    },
    labels: values => parts.flatMap(part => part.labels(values)),
  }
}

const order = (a: string, b: string): number => (a < b ? -1 : 1)

function createPart({ path, field, transform, label }: HashedField, seed: number): Encoder {
  if (transform !== undefined && field !== undefined) return transformed(path, label, transform, field, seed)
  if (field?.type === 'array') return vector(path, label, field.minItems, seed)
  const hash = hashName(path, seed)
  return {
    width: 1,
    names: [label],
    write(values, x, hashes, numbers) {
      const value = Object.hasOwn(values, path) ? values[path] : undefined
      const text = typeof value === 'string'
      x[hashes] = text ? hashName(value, hash) : hash
      x[numbers] = text ? 1 : value === undefined ? 0 : Number(value)
    },
    labels: values => [typeof values[path] === 'string' ? `${label}=${values[path]}` : label],
  }
}

/** Each number of it is a feature of its own. */
function vector(path: string, label: string, length: number, seed: number): Encoder {
  const names = Array.from({ length }, (_, i) => `${label}[${i}]`)
  const hashes = names.map((_, i) => hashName(`${path}[${i}]`, seed))
  return {
    width: length,
    names,
    write(values, x, at, numbers) {
      const numbersOf = values[path] as readonly number[]
      for (let i = 0; i < length; i++) {
        x[at + i] = hashes[i]
        x[numbers + i] = numbersOf[i]
      }
    },
    labels: () => names,
  }
}

/** The components that a dense learner would see, each hashed by its name. */
function transformed(
  path: string,
  label: string,
  transform: TransformSpec,
  field: ContextField,
  seed: number,
): Encoder {
  const block = createBlock(transform, path, field)
  const hashes = block.names.map(name => hashName(name, seed))
  const names = createBlock(transform, label, field).names
  return {
    width: hashes.length,
    names,
    write(values, x, at, numbers) {
      for (let i = 0; i < hashes.length; i++) x[at + i] = hashes[i]
      block.write(values, x, numbers)
    },
    labels: () => names,
  }
}

/** A part of what a row says; `at` is what a coefficient of the model is asked for by (`Learner.coefficient`). */
export interface Component {
  readonly name: string
  readonly value: number
  readonly at: number
}

/** All that a row says, the intercept too, which is the last slot. `labels` are those of its features. Names are in the order of `Spread`. */
export function namedTouches(hashing: Hashing, x: Float64Array, labels: readonly string[]): readonly Component[] {
  const { ends, bits, pairs } = hashing
  const features = ends.at(-1) ?? 0
  const present = labels.map((label, i) => ({ label, value: x[features + i] }))
  const spaces = ends.map((end, s) => present.slice(ends[s - 1] ?? 0, end).filter(({ value }) => value !== 0))
  const names = [
    ...spaces.flatMap(space => space.map(({ label }) => label)),
    ...pairs.flatMap(([first, second]) =>
      spaces[first].flatMap((a, i) =>
        spaces[second].slice(first === second ? i + 1 : 0).map(b => `${a.label} × ${b.label}`),
      ),
    ),
  ]
  const hashes = new Int32Array(names.length)
  const values = new Float64Array(names.length)
  createSpread(hashing)(x, 0, hashes, values)
  const mask = (1 << bits) - 1
  return [
    { name: 'intercept', value: 1, at: mask + 1 },
    ...names.map((name, i) => ({ name, value: values[i], at: hashes[i] & mask })),
  ]
}
