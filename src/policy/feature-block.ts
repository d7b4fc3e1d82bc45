import type { ContextField } from '../kinds.ts'
import { log1p } from '../math/elementary.ts'

/** What fields are known to be, by name. */
export type Values = Readonly<Record<string, string | number | boolean | readonly number[]>>

/** One feature made runnable: writes names.length components from `at` on. */
export interface Block {
  /** One a component: `log1p(level)`, `(level-12)/3`, `platform=ios`, `spend30d<5`, `embedding[3]`. */
  readonly names: readonly string[]
  /** A RangeError for a value outside a transform's domain. */
  write(values: Values, x: Float64Array, at: number): void
}

/** How one field becomes numbers. */
export type TransformSpec =
  | { readonly transform?: 'identity' | 'log1p' | 'one-hot' }
  | { readonly transform: 'bucketize'; readonly edges: readonly number[] }
  | { readonly transform: 'standardize'; readonly mean: number; readonly sd: number }

/** One feature made runnable. `name`: of what it is made; `key`: where that stands among the values. */
export function createBlock(feature: TransformSpec, name: string, field: ContextField, key = name): Block {
  const transform = feature.transform ?? (field.type === 'string' ? 'one-hot' : 'identity')
  if (transform === 'one-hot') return oneHot(name, field, key)
  if (field.type === 'string') throw new RangeError(`feature \`${name}\`: \`${transform}\` needs numbers`)
  switch (feature.transform) {
    case 'bucketize':
      if (field.type === 'array') throw new RangeError(`feature \`${name}\`: \`bucketize\` needs a number`)
      return bucketize(name, feature.edges, key)
    case 'log1p':
      return elementwise(key, `log1p(${name})`, field, x => {
        if (!(x > -1)) throw new RangeError(`feature \`log1p(${name})\`: ${x} is not above -1`)
        return log1p(x)
      })
    case 'standardize': {
      const { mean, sd } = feature
      if (!(sd > 0)) throw new RangeError(`feature \`${name}\`: \`sd\` must be positive`)
      return elementwise(key, standardized(name, mean, sd), field, x => (x - mean) / sd)
    }
    default:
      return elementwise(key, name, field, x => x)
  }
}

/** `(level-12)/3`: names carry every parameter, since a snapshot is refused by a policy whose features have other names. */
function standardized(name: string, mean: number, sd: number): string {
  return `(${name}${mean < 0 ? '+' : '-'}${Math.abs(mean)})/${sd}`
}

/** A number, a boolean as 0 or 1, or every component of a vector. */
function elementwise(key: string, label: string, field: ContextField, apply: (x: number) => number): Block {
  if (field.type !== 'array') {
    return {
      names: [label],
      write(values, x, at) {
        x[at] = apply(Number(values[key]))
      },
    }
  }
  return {
    names: Array.from({ length: field.minItems }, (_, i) => `${label}[${i}]`),
    write(values, x, at) {
      const vector = values[key] as readonly number[]
      for (let i = 0; i < vector.length; i++) x[at + i] = apply(vector[i])
    },
  }
}

/** One indicator a value of an enum, or of a boolean (false first). */
function oneHot(name: string, field: ContextField, key: string): Block {
  const known: readonly (string | boolean)[] | undefined =
    field.type === 'boolean' ? [false, true] : field.type === 'string' ? field.enum : undefined
  if (known === undefined) throw new RangeError(`feature \`${name}\`: \`one-hot\` needs an enum or a boolean`)
  return {
    names: known.map(value => `${name}=${value}`),
    write(values, x, at) {
      const value = values[key]
      for (let i = 0; i < known.length; i++) x[at + i] = known[i] === value ? 1 : 0
    },
  }
}

/** edges.length + 1 indicators: below the first edge, [e₁, e₂), …, at or above the last. */
function bucketize(name: string, edges: readonly number[], key: string): Block {
  if (edges.length === 0 || edges.some((edge, i) => i > 0 && !(edges[i - 1] < edge))) {
    throw new RangeError(`feature \`${name}\`: the edges must ascend`)
  }
  const last = edges.length - 1
  return {
    names: [
      `${name}<${edges[0]}`,
      ...edges.slice(1).map((edge, i) => `${edges[i]}<=${name}<${edge}`),
      `${name}>=${edges[last]}`,
    ],
    write(values, x, at) {
      const value = Number(values[key])
      let bucket = 0
      while (bucket <= last && value >= edges[bucket]) bucket++
      for (let i = 0; i <= edges.length; i++) x[at + i] = i === bucket ? 1 : 0
    },
  }
}
