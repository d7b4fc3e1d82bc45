import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LearnerSpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { createLearner, LEARNERS, learnerOf } from '../../src/policy/algorithm.ts'
import type { Learner, LearnerState } from '../../src/policy/learner.ts'
import { createStatistics, mergeStatistics } from '../../src/policy/statistics.ts'
import { learnerSamples } from '../support/definitions.ts'

const ACTIONS = ['a', 'b', 'c']
const D = 4
/** So many of them, of a learner that has a model an action beside a shared one, are of the former. */
const OWN = 2
/** Those that sums make; others are fitted in passes. */
const SPECS = LEARNERS.filter(({ passes }) => passes === undefined).map(learner => learnerSamples(learner, ACTIONS)[0])
const BETA: LearnerSpec = { type: 'beta', prior: { alpha: 1, beta: 2 } }

interface Row {
  readonly action: number
  readonly x: Float64Array
  readonly reward: number
  readonly weight: number
}

/** Rows of the first two actions alone, with features of any correlation. */
function rowsOf(count: number, seed: number, weighted = false): Row[] {
  const rng = stream(seed, 'statistics')
  return Array.from({ length: count }, () => {
    const shared = rng.uniform()
    return {
      action: rng.uniform() < 0.7 ? 0 : 1,
      x: Float64Array.from({ length: D }, (_, i) => (i === 0 ? 1 : shared + 0.3 * rng.uniform())),
      reward: rng.uniform(),
      weight: weighted ? 1 / (0.01 + rng.uniform()) : 1,
    }
  })
}

function partOf(spec: LearnerSpec, rows: readonly Row[]): Float64Array {
  const { sums, add } = createStatistics({ learner: spec }, ACTIONS.length, D, OWN)
  for (const { action, x, reward, weight } of rows) add(action, x, reward, weight)
  return sums
}

function merged(spec: LearnerSpec, parts: readonly Float64Array[]) {
  const statistics = mergeStatistics({ learner: spec }, ACTIONS.length, D, OWN)
  for (const part of parts) statistics.merge(part)
  return statistics
}

function taught(spec: LearnerSpec, rows: readonly Row[]): Learner {
  const learner = createLearner(spec, ACTIONS, D, ACTIONS.length, { own: OWN })
  for (const { action, x, reward } of rows) learner.learn(action, x, reward)
  return learner
}

const flat = (state: LearnerState): number[] => Object.values(state).flat()

/** Largest difference, relative to the largest number of the same list. */
function distance(one: LearnerState, other: LearnerState): number {
  expect(Object.keys(one)).toEqual(Object.keys(other))
  return Math.max(
    ...Object.keys(one).map(key => {
      const [a, b] = [flat({ key: one[key] }), flat({ key: other[key] })]
      expect(a).toHaveLength(b.length)
      const size = Math.max(...a.map(Math.abs), 1e-300)
      return Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / size
    }),
  )
}

describe.each(SPECS.map(spec => [spec.type, spec] as const))('the statistics of %s', (_, spec) => {
  it('make the state that learning row by row makes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), fc.nat(), (count, seed) => {
        const rows = rowsOf(count, seed)
        const state = merged(spec, [partOf(spec, rows)]).state()
        expect(distance(taught(spec, rows).state(), state)).toBeLessThan(1e-9)
        const restored = createLearner(spec, ACTIONS, D, ACTIONS.length, { own: OWN })
        restored.restore(JSON.parse(JSON.stringify(state)) as LearnerState)
        expect(restored.count).toBe(count)
      }),
      { numRuns: 60 },
    )
  })

  it('are the same however they were split, and whatever was merged first', () => {
    const rows = rowsOf(3000, 7, true)
    const whole = merged(spec, [partOf(spec, rows)]).state()
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2999 }), { maxLength: 20 }), fc.nat(), (cuts, seed) => {
        const ends = [...new Set([...cuts, 3000])].sort((a, b) => a - b)
        const parts = ends.map((end, i) => partOf(spec, rows.slice(ends[i - 1] ?? 0, end)))
        const rng = stream(seed, 'order')
        const shuffled = parts.map(part => ({ part, key: rng.uniform() })).sort((a, b) => a.key - b.key)
        const inOrder = merged(spec, parts).state()
        expect(distance(whole, inOrder)).toBeLessThan(1e-11)
        expect(
          distance(
            inOrder,
            merged(
              spec,
              shuffled.map(({ part }) => part),
            ).state(),
          ),
        ).toBeLessThan(1e-11)
      }),
      { numRuns: 30 },
    )
  })

  it('count weighted rows as Kish does: as many as they are worth', () => {
    const rows = rowsOf(500, 3, true)
    const { rows: counts, effective } = merged(spec, [partOf(spec, rows)]).learnt()
    const total = (weights: readonly number[]) => weights.reduce((sum, weight) => sum + weight, 0)
    for (const action of [0, 1]) {
      const weights = rows.filter(row => row.action === action).map(row => row.weight)
      expect(counts[action]).toBe(weights.length)
      // Rows of a model that actions share and that learns are weighed together.
      const { learns, features } = learnerOf(spec)
      const alike = learns && features?.(spec).shared === true ? rows.map(row => row.weight) : weights
      const ratio = total(alike) / total(alike.map(weight => weight * weight))
      expect(effective[action]).toBeCloseTo(ratio * total(weights), 8)
    }
    expect([counts[2], effective[2]]).toEqual([0, 0])
    // Weights that are all the same, whatever they are, change nothing.
    const same = rows.map(row => ({ ...row, weight: 8 }))
    const plain = rows.map(row => ({ ...row, weight: 1 }))
    const [one, other] = [same, plain].map(each => merged(spec, [partOf(spec, each)]).state())
    expect(distance(one, other)).toBeLessThan(1e-12)
  })
})

describe('weighted statistics', () => {
  it('of three rows, by hand', () => {
    const row = (reward: number, weight: number): Row => ({ action: 0, x: new Float64Array(D), reward, weight })
    const rows = [row(1, 2), row(0, 1), row(1, 1)]
    // Σw = 4, Σw² = 6, Σwr = 3: worth 16/6 rows of mean 3/4.
    const mean = merged({ type: 'mean' }, [partOf({ type: 'mean' }, rows)]).state()
    expect(mean.counts).toEqual([expect.closeTo(16 / 6, 12), 0, 0])
    expect(mean.sums).toEqual([expect.closeTo(2, 12), 0, 0])
    const beta = merged(BETA, [partOf(BETA, rows)]).state()
    expect(beta).toEqual({
      count: expect.closeTo(16 / 6, 12),
      successes: [expect.closeTo(2, 12), 0, 0],
      failures: [expect.closeTo(2 / 3, 12), 0, 0],
    })
  })

  it('of a row that stands for ten decisions are those of one row', () => {
    for (const spec of SPECS) {
      const [once, ten] = [1, 10].map(weight => merged(spec, [partOf(spec, [{ ...rowsOf(1, 4)[0], weight }])]).state())
      expect(distance(once, ten)).toBeLessThan(1e-12)
    }
  })

  it('have the mean of as many copies, and count less than they', () => {
    const rows = rowsOf(300, 6).map((row, i) => ({ ...row, weight: 1 + (i % 10) }))
    const copies = rows.flatMap(row => Array.from({ length: row.weight }, () => ({ ...row, weight: 1 })))
    const [shed, whole] = [rows, copies].map(each => merged({ type: 'mean' }, [partOf({ type: 'mean' }, each)]))
    const [one, other] = [shed, whole].map(each => each.state() as Record<'counts' | 'sums', number[]>)
    for (const action of [0, 1]) {
      expect(one.sums[action] / one.counts[action]).toBeCloseTo(other.sums[action] / other.counts[action], 12)
      expect(one.counts[action]).toBeLessThan(shed.learnt().rows[action])
      expect(one.counts[action]).toBeLessThan(other.counts[action])
    }
  })

  it('of a linear learner solve the weighted normal equations', () => {
    const spec: LearnerSpec = { type: 'linear', l2: 1e-9, intercept: true }
    const rows = rowsOf(2000, 5, true).map(row => ({
      ...row,
      action: 0,
      reward: row.x[1] * 2 - row.x[2] + row.x[3] / 2,
    }))
    const { theta } = merged(spec, [partOf(spec, rows)]).state()
    const expected = [0, 2, -1, 0.5]
    for (const [i, value] of (theta as number[]).slice(0, D).entries()) expect(value).toBeCloseTo(expected[i], 6)
  })

  it('of parts lose nothing beside a sum that is much larger', () => {
    const spec: LearnerSpec = { type: 'mean' }
    const parts = [1e16, ...Array.from({ length: 10 }, () => 1), -1e16].map(reward =>
      partOf(spec, [{ ...rowsOf(1, 4)[0], action: 0, reward, weight: 1 }]),
    )
    expect(merged(spec, parts).state()).toEqual({ counts: [12, 0, 0], sums: [10, 0, 0] })
  })

  it('refuse a reward that is no share of a success, and stay as they were', () => {
    const { sums, add } = createStatistics({ learner: BETA }, ACTIONS.length, D, OWN)
    expect(() => add(0, new Float64Array(D), 1.5, 1)).toThrow(RangeError)
    expect(sums.every(sum => sum === 0)).toBe(true)
  })
})
