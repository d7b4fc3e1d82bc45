import { DapError } from '../errors.ts'
import type { ContextField, DistributionSpec, ScenarioSpec } from '../kinds.ts'
import { exponential, gamma, normal, poisson, uniformInt } from '../math/distributions.ts'
import { exp } from '../math/elementary.ts'
import type { Rng } from '../math/rng.ts'
import { stream } from '../math/rng.ts'
import type { Context } from '../policy/policy.ts'
import type { Fields } from '../policy/world-fields.ts'

type Value = Context[string]
type MutableContext = Record<string, Value>

/** Who is met, round after round: the same units with the same contexts for every policy. */
export interface Population {
  /** Begins a replication. */
  start(replication: number): void
  /** Meets the next round's unit; its context may be overwritten after `slots` more rounds. */
  meet(): Context
  /** The number of the unit last met: below `units`, or a count from 0 where every round meets a new one. */
  readonly unit: number
}

/** At most so many units' contexts are kept; those of the others are drawn anew, from the same stream, when met again. */
const CACHED_UNITS = 16384

/**
 * Contexts drawn from declared distributions: rounded for integers, kept within the field's minimum and maximum, vectors
 * component by component. A field without a distribution takes its default; a string among `unitFields` that has neither
 * gets the unit's number, `u123`.
 *
 * With `units: n` each round's unit is uniform over n, and its context is drawn once from the stream of that unit.
 * Streams: (seed, world, r, unit) and, with `units`, (seed, world, r, unit, number).
 *
 * @param slots How many contexts are alive at once: a context is reused after so many rounds.
 * @throws DapError where a field has neither a distribution nor a default.
 */
export function createPopulation(
  spec: ScenarioSpec['population'],
  fields: Fields,
  unitFields: ReadonlySet<string>,
  seed: number,
  slots: number,
): Population {
  const draw = contextSampler(spec?.context ?? {}, fields, unitFields)
  return spec?.units === undefined ? newcomers(draw, seed, slots) : regulars(spec.units, draw, seed)
}

function newcomers(draw: ContextSampler, seed: number, slots: number): Population {
  const ring = Array.from({ length: slots }, () => draw.blank())
  let rng = stream(seed)
  const population = {
    unit: -1,
    start(replication: number) {
      rng = stream(seed, 'world', replication, 'unit')
      population.unit = -1
    },
    meet() {
      const unit = ++population.unit
      const context = ring[unit % slots]
      draw.fill(context, unit, rng)
      return context
    },
  }
  return population
}

function regulars(units: number, draw: ContextSampler, seed: number): Population {
  const size = Math.min(units, CACHED_UNITS)
  const cached = new Array<Context | undefined>(size)
  /** The unit whose context a place of the cache holds, or −1. */
  const holder = new Float64Array(size)
  let rng = stream(seed)
  let replication = 0
  const population = {
    unit: -1,
    start(next: number) {
      replication = next
      rng = stream(seed, 'world', replication, 'unit')
      holder.fill(-1)
    },
    meet() {
      const unit = uniformInt(rng, units)
      population.unit = unit
      const place = unit % size
      const known = cached[place]
      if (known !== undefined && holder[place] === unit) return known
      const context = draw.blank()
      draw.fill(context, unit, stream(seed, 'world', replication, 'unit', unit))
      cached[place] = context
      holder[place] = unit
      return context
    },
  }
  return population
}

export interface ContextSampler {
  /** A context with every field in its place, so that all of them have one shape. */
  blank(): MutableContext
  fill(context: MutableContext, unit: number, rng: Rng): void
}

export function contextSampler(
  distributions: Readonly<Record<string, DistributionSpec>>,
  fields: Fields,
  unitFields: ReadonlySet<string>,
  at = 'population.context',
): ContextSampler {
  const template: MutableContext = Object.create(null)
  const vectors: { name: string; length: number; draw: (rng: Rng, component: number) => number }[] = []
  const scalars: { name: string; draw: (rng: Rng) => Value }[] = []
  const numbered: string[] = []
  for (const [name, field] of Object.entries(fields)) {
    if (Object.hasOwn(distributions, name)) continue
    if (field.default !== undefined) template[name] = field.default
    else if (field.type === 'string' && unitFields.has(name)) numbered.push(name)
    else {
      throw new DapError(`nothing says what the field \`${name}\` is in the simulated ${at.split('.')[0]}`, {
        hint: `add a distribution at \`${at}.${name}\`, or give the field a default in its policy`,
      })
    }
  }
  for (const name of numbered) template[name] = ''
  // Drawn in the order of the scenario: a policy that is added moves no draw.
  for (const [name, distribution] of Object.entries(distributions)) {
    const field = fields[name]
    if (field.type === 'array') {
      const draw = vectorSampler(distribution, field.minItems, `${at}.${name}`)
      vectors.push({ name, length: field.minItems, draw })
      template[name] = []
    } else {
      const draw = scalarSampler(distribution, field)
      scalars.push({ name, draw })
      template[name] = field.type === 'string' ? '' : field.type === 'boolean' ? false : 0
    }
  }
  return {
    blank() {
      const context = { ...template }
      for (const { name, length } of vectors) context[name] = new Array<number>(length).fill(0)
      return context
    },
    fill(context, unit, rng) {
      for (let i = 0; i < scalars.length; i++) context[scalars[i].name] = scalars[i].draw(rng)
      for (let i = 0; i < vectors.length; i++) {
        const { name, length, draw } = vectors[i]
        const vector = context[name] as number[]
        for (let j = 0; j < length; j++) vector[j] = draw(rng, j)
      }
      for (let i = 0; i < numbered.length; i++) context[numbered[i]] = `u${unit}`
    },
  }
}

function vectorSampler(distribution: DistributionSpec, length: number, at: string): (rng: Rng, j: number) => number {
  if ('constant' in distribution && Array.isArray(distribution.constant)) {
    const constant: readonly number[] = distribution.constant
    if (constant.length === length) return (_, j) => constant[j]
    throw new DapError(`\`${at}\` has ${constant.length} numbers where the field has ${length}`, {
      hint: `give ${length} numbers`,
    })
  }
  return numberSampler(distribution)
}

function scalarSampler(
  distribution: DistributionSpec,
  field: Exclude<ContextField, { type: 'array' }>,
): (rng: Rng) => Value {
  const draw = valueSampler(distribution)
  if (field.type === 'boolean') return rng => booleanOf(draw(rng))
  if (field.type === 'string') return rng => String(draw(rng))
  const integer = field.type === 'integer'
  const minimum = field.minimum ?? Number.NEGATIVE_INFINITY
  const maximum = field.maximum ?? Number.POSITIVE_INFINITY
  const low = integer ? Math.ceil(minimum) : minimum
  const high = integer ? Math.floor(maximum) : maximum
  return rng => {
    const value = Number(draw(rng))
    return Math.min(Math.max(integer ? Math.round(value) : value, low), high)
  }
}

const booleanOf = (value: Value): boolean => value === true || value === 'true' || value === 1

function valueSampler(distribution: DistributionSpec): (rng: Rng) => Value {
  if ('constant' in distribution) return () => distribution.constant
  if ('categorical' in distribution) return categorical(distribution.categorical)
  return numberSampler(distribution)
}

function numberSampler(distribution: DistributionSpec): (rng: Rng) => number {
  if ('uniform' in distribution) {
    const { min, max } = distribution.uniform
    return rng => min + (max - min) * rng.uniform()
  }
  if ('normal' in distribution) {
    const { mean, sd } = distribution.normal
    return rng => mean + sd * normal(rng)
  }
  if ('logNormal' in distribution) {
    const { mean, sd } = distribution.logNormal
    return rng => exp(mean + sd * normal(rng))
  }
  if ('exponential' in distribution) {
    const { mean } = distribution.exponential
    return rng => mean * exponential(rng)
  }
  if ('poisson' in distribution) {
    const { mean } = distribution.poisson
    return rng => poisson(rng, mean)
  }
  if ('negativeBinomial' in distribution) {
    // A Poisson whose mean is Gamma(dispersion, mean/dispersion): mean m, variance m + m²/dispersion.
    const { mean, dispersion } = distribution.negativeBinomial
    return rng => poisson(rng, gamma(rng, dispersion) * (mean / dispersion))
  }
  if ('bernoulli' in distribution) {
    const { p } = distribution.bernoulli
    return rng => (rng.uniform() < p ? 1 : 0)
  }
  const draw = valueSampler(distribution)
  return rng => Number(draw(rng))
}

function categorical(weights: Readonly<Record<string, number>>): (rng: Rng) => string {
  const values = Object.keys(weights)
  const below = new Float64Array(values.length)
  let sum = 0
  for (let i = 0; i < values.length; i++) {
    sum += weights[values[i]]
    below[i] = sum
  }
  const last = values.length - 1
  return rng => {
    const u = rng.uniform() * sum
    let i = 0
    while (i < last && u >= below[i]) i++
    return values[i]
  }
}
