import { describe, expect, it } from 'vitest'
import type { ContextField, DistributionSpec } from '../../src/kinds.ts'
import type { Context } from '../../src/policy/policy.ts'
import { worldFields } from '../../src/policy/world-fields.ts'
import { createPopulation } from '../../src/simulate/population.ts'
import { policy } from './support.ts'

const number: ContextField = { type: 'number' }

/** One field's values over so many rounds of new units. */
function values(distribution: DistributionSpec, field: ContextField, rounds = 100_000): Context[string][] {
  const population = createPopulation({ context: { f: distribution } }, { f: field }, new Set(), 17, 1)
  population.start(0)
  return Array.from({ length: rounds }, () => population.meet().f)
}

describe('a population draws contexts', () => {
  const moments: readonly [string, DistributionSpec, number, number][] = [
    ['uniform', { uniform: { min: 2, max: 8 } }, 5, 3],
    ['normal', { normal: { mean: -3, sd: 2 } }, -3, 4],
    ['logNormal', { logNormal: { mean: 0.5, sd: 0.4 } }, Math.exp(0.58), (Math.exp(0.16) - 1) * Math.exp(1.16)],
    ['exponential', { exponential: { mean: 4 } }, 4, 16],
    ['poisson', { poisson: { mean: 3.5 } }, 3.5, 3.5],
    ['negativeBinomial', { negativeBinomial: { mean: 60, dispersion: 1.2 } }, 60, 60 + 3600 / 1.2],
    ['bernoulli', { bernoulli: { p: 0.3 } }, 0.3, 0.21],
    ['constant', { constant: 6 }, 6, 0],
    ['categorical', { categorical: { 1: 0.25, 5: 0.75 } }, 4, 3],
  ]
  it.each(moments)('%s with its mean and variance', (_, distribution, mean, variance) => {
    const drawn = values(distribution, number) as number[]
    const n = drawn.length
    const m = drawn.reduce((a, b) => a + b, 0) / n
    const v = drawn.reduce((a, b) => a + (b - m) * (b - m), 0) / n
    const fourth = drawn.reduce((a, b) => a + (b - m) ** 4, 0) / n
    expect(Math.abs(m - mean)).toBeLessThanOrEqual(4.5 * Math.sqrt(variance / n))
    expect(Math.abs(v - variance)).toBeLessThanOrEqual(4.5 * Math.sqrt(Math.max(0, fourth - v * v) / n) + 1e-12)
  })

  it('of an enum by its weights', () => {
    const drawn = values({ categorical: { ios: 0.55, android: 0.45 } }, { type: 'string', enum: ['ios', 'android'] })
    const ios = drawn.filter(value => value === 'ios').length / drawn.length
    expect(Math.abs(ios - 0.55)).toBeLessThan(4.5 * Math.sqrt((0.55 * 0.45) / drawn.length))
    expect(new Set(drawn)).toEqual(new Set(['ios', 'android']))
  })

  it('rounded for integers and kept within the bounds of the field', () => {
    const drawn = values({ normal: { mean: 5, sd: 4 } }, { type: 'integer', minimum: 1, maximum: 9 }, 5000) as number[]
    expect(drawn.every(value => Number.isInteger(value))).toBe(true)
    expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([1, 9])
    const bounded = values({ normal: { mean: 0, sd: 1 } }, { type: 'number', minimum: 0 }, 1000) as number[]
    expect(bounded.filter(value => value === 0).length).toBeGreaterThan(400)
  })

  it('component by component for a vector', () => {
    const vector: ContextField = { type: 'array', items: { type: 'number' }, minItems: 3, maxItems: 3 }
    const [a, b] = values({ normal: { mean: 0, sd: 1 } }, vector, 1) as [number[], number[]]
    expect(b).toBeUndefined()
    expect(a).toHaveLength(3)
    expect(new Set(a).size).toBe(3)
    expect(values({ constant: [1, 2, 3] }, vector, 1)).toEqual([[1, 2, 3]])
  })

  it('true or false for a boolean', () => {
    expect(new Set(values({ bernoulli: { p: 0.5 } }, { type: 'boolean' }, 100))).toEqual(new Set([true, false]))
    expect(values({ constant: true }, { type: 'boolean' }, 1)).toEqual([true])
  })

  it('with the default of a field that nothing draws, and the number of the unit', () => {
    const fields = { playerId: { type: 'string' }, level: { type: 'integer', default: 3 } } as const
    const population = createPopulation(undefined, fields, new Set(['playerId']), 1, 4)
    population.start(0)
    const met = Array.from({ length: 3 }, () => ({ ...population.meet() }))
    expect(met).toEqual([0, 1, 2].map(unit => ({ playerId: `u${unit}`, level: 3 })))
  })

  it('and says which field has neither a distribution nor a default', () => {
    expect(() => createPopulation(undefined, { level: { type: 'integer' } }, new Set(), 1, 1)).toThrow('`level`')
  })
})

describe('units', () => {
  const spec = { units: 20_000, context: { taste: { normal: { mean: 0, sd: 1 } } } } as const
  const fields = { playerId: { type: 'string' }, taste: number } as const

  function play(replication: number, rounds: number): Map<number, Set<string>> {
    const population = createPopulation(spec, fields, new Set(['playerId']), 3, 8)
    population.start(replication)
    const seen = new Map<number, Set<string>>()
    for (let i = 0; i < rounds; i++) {
      const context = JSON.stringify(population.meet())
      seen.set(population.unit, (seen.get(population.unit) ?? new Set()).add(context))
    }
    return seen
  }

  it('keep their context as long as a replication lasts, also those beyond what is remembered', () => {
    const seen = play(0, 60_000)
    expect([...seen.values()].every(contexts => contexts.size === 1)).toBe(true)
    // 20,000 · (1 − e⁻³) distinct units are expected among 60,000 rounds.
    expect(Math.abs(seen.size - 20_000 * (1 - Math.exp(-3)))).toBeLessThan(150)
    const distinct = new Set([...seen.values()].flatMap(contexts => [...contexts]))
    expect(distinct.size).toBe(seen.size)
  })

  it('are the same units in the same order for the same replication, and others in another', () => {
    expect(play(1, 100)).toEqual(play(1, 100))
    expect(play(2, 100)).not.toEqual(play(1, 100))
  })
})

describe('the fields of a world', () => {
  it('are those of the policies, and those that only the population draws', () => {
    const { spec } = policy('p', { context: { level: { type: 'integer', minimum: 1 } } })
    const context = {
      level: { poisson: { mean: 9 } },
      mood: { categorical: { good: 0.5, bad: 0.5 } },
      whale: { bernoulli: { p: 0.01 } },
      skill: { normal: { mean: 0, sd: 1 } },
      taste: { constant: [1, 2] },
    }
    expect(worldFields([spec], { context })).toEqual({
      level: { type: 'integer', minimum: 1 },
      mood: { type: 'string', enum: ['good', 'bad'] },
      whale: { type: 'boolean' },
      skill: { type: 'number' },
      taste: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 },
    })
  })
})
