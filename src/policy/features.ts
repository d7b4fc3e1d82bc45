import type { ContextField, FeatureSpec, PolicySpec } from '../kinds.ts'
import { log1p } from '../math/elementary.ts'
import { learnerOf } from './algorithm.ts'
import type { Context } from './context.ts'

/** From a context to the vector that a contextual learner sees. */
export interface Features {
  readonly dimension: number
  /** One name a component: `log1p(level)`, `(level-12)/3`, `platform=ios`, `spend30d<5`, `embedding[3]`, `intercept`. */
  readonly names: readonly string[]
  /** Fills x (`dimension` numbers); a RangeError for a value outside a transform's domain. */
  write(context: Context, x: Float64Array): void
}

/** One FeatureSpec made runnable: writes names.length components from `at` on. */
interface Block {
  readonly names: readonly string[]
  write(context: Context, x: Float64Array, at: number): void
}

const intercept: Block = {
  names: ['intercept'],
  write(_, x, at) {
    x[at] = 1
  },
}

/** The features of a policy. A learner that ignores the context has none. A RangeError for a spec that cannot work. */
export function createFeatures(spec: Pick<PolicySpec, 'context' | 'features' | 'algorithm'>): Features {
  const { learner } = spec.algorithm
  const wanted = learnerOf(learner).features?.(learner)
  if (wanted === undefined) return { dimension: 0, names: [], write() {} }
  const blocks = (spec.features ?? defaultFeatures(spec.context)).map(feature => createBlock(feature, spec.context))
  if (wanted.intercept) blocks.unshift(intercept)
  const names = blocks.flatMap(block => block.names)
  return {
    dimension: names.length,
    names,
    write(context, x) {
      let at = 0
      for (const block of blocks) {
        block.write(context, x, at)
        at += block.names.length
      }
    },
  }
}

/** Every number, boolean, enum and vector in order; free strings are left out. */
export function defaultFeatures(fields: PolicySpec['context']): FeatureSpec[] {
  return Object.entries(fields)
    .filter(([, field]) => field.type !== 'string' || field.enum !== undefined)
    .map(([field]) => ({ field }))
}

function createBlock(feature: FeatureSpec, fields: PolicySpec['context']): Block {
  const name = feature.field
  if (!Object.hasOwn(fields, name)) throw new RangeError(`feature \`${name}\`: the context has no such field`)
  const field = fields[name]
  const transform = feature.transform ?? (field.type === 'string' ? 'one-hot' : 'identity')
  if (transform === 'one-hot') return oneHot(name, field)
  if (field.type === 'string') throw new RangeError(`feature \`${name}\`: \`${transform}\` needs numbers`)
  switch (feature.transform) {
    case 'bucketize':
      if (field.type === 'array') throw new RangeError(`feature \`${name}\`: \`bucketize\` needs a number`)
      return bucketize(name, feature.edges)
    case 'log1p':
      return elementwise(name, `log1p(${name})`, field, x => {
        if (!(x > -1)) throw new RangeError(`feature \`log1p(${name})\`: ${x} is not above -1`)
        return log1p(x)
      })
    case 'standardize': {
      const { mean, sd } = feature
      if (!(sd > 0)) throw new RangeError(`feature \`${name}\`: \`sd\` must be positive`)
      return elementwise(name, standardized(name, mean, sd), field, x => (x - mean) / sd)
    }
    default:
      return elementwise(name, name, field, x => x)
  }
}

/** `(level-12)/3`: names carry every parameter, since a snapshot is refused by a policy whose features have other names. */
function standardized(name: string, mean: number, sd: number): string {
  return `(${name}${mean < 0 ? '+' : '-'}${Math.abs(mean)})/${sd}`
}

/** A number, a boolean as 0 or 1, or every component of a vector. */
function elementwise(name: string, label: string, field: ContextField, apply: (x: number) => number): Block {
  if (field.type !== 'array') {
    return {
      names: [label],
      write(context, x, at) {
        x[at] = apply(Number(context[name]))
      },
    }
  }
  return {
    names: Array.from({ length: field.minItems }, (_, i) => `${label}[${i}]`),
    write(context, x, at) {
      const vector = context[name] as readonly number[]
      for (let i = 0; i < vector.length; i++) x[at + i] = apply(vector[i])
    },
  }
}

/** One indicator a value of an enum, or of a boolean (false first). */
function oneHot(name: string, field: ContextField): Block {
  const values: readonly (string | boolean)[] | undefined =
    field.type === 'boolean' ? [false, true] : field.type === 'string' ? field.enum : undefined
  if (values === undefined) throw new RangeError(`feature \`${name}\`: \`one-hot\` needs an enum or a boolean`)
  return {
    names: values.map(value => `${name}=${value}`),
    write(context, x, at) {
      const value = context[name]
      for (let i = 0; i < values.length; i++) x[at + i] = values[i] === value ? 1 : 0
    },
  }
}

/** edges.length + 1 indicators: below the first edge, [e₁, e₂), …, at or above the last. */
function bucketize(name: string, edges: readonly number[]): Block {
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
    write(context, x, at) {
      const value = Number(context[name])
      let bucket = 0
      while (bucket <= last && value >= edges[bucket]) bucket++
      for (let i = 0; i <= edges.length; i++) x[at + i] = i === bucket ? 1 : 0
    },
  }
}
