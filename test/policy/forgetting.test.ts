import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LearnerSpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { createLearner, LEARNERS } from '../../src/policy/algorithm.ts'
import { forgettingOf, HALF_LIVES, MOST_BUCKETS, WINDOWS } from '../../src/policy/forgetting.ts'
import type { LearnerState } from '../../src/policy/learner.ts'
import { createStatistics, mergeStatistics } from '../../src/policy/statistics.ts'
import { learnerSamples } from '../support/definitions.ts'

const ACTIONS = ['a', 'b', 'c']
const D = 4
const OWN = 2
const DAY = 86_400_000
/** A Wednesday, at noon. */
const NOON = Date.UTC(2026, 10, 18, 12)

type Way = { readonly discount: { readonly halfLife: string } } | { readonly window: string }

/** Learners whose statistics are sums, without what they forget by. */
const PLAIN = LEARNERS.filter(({ options, passes }) => 'discount' in options && passes === undefined).map(
  learner => learnerSamples(learner, ACTIONS)[0],
)
const forgetful = (learner: LearnerSpec, way: Way): LearnerSpec => ({ ...learner, ...way }) as LearnerSpec
const MEAN: LearnerSpec = { type: 'mean' }
const WAYS: readonly Way[] = [{ discount: { halfLife: '14d' } }, { window: '28d' }, { window: '90h' }]

interface Row {
  readonly action: number
  readonly x: Float64Array
  readonly reward: number
  readonly time: number
}

/** Numbers whose sums of products are exact, so that every byte counts. */
function rowsOf(count: number, seed: number, days = 150): Row[] {
  const rng = stream(seed, 'forgetting')
  const coarse = () => Math.round(64 * rng.uniform()) / 64
  return Array.from({ length: count }, () => ({
    action: rng.uint32() % 3,
    x: Float64Array.from({ length: D }, coarse),
    reward: coarse(),
    time: NOON - days * DAY * rng.uniform(),
  }))
}

function partOf(learner: LearnerSpec, rows: readonly Row[]): Float64Array {
  const statistics = createStatistics({ learner }, ACTIONS.length, D, OWN)
  for (const { action, x, reward, time } of rows) statistics.add(action, x, reward, 1, time)
  return statistics.sums
}

function merged(learner: LearnerSpec, parts: readonly (readonly Row[])[]) {
  const statistics = mergeStatistics({ learner }, ACTIONS.length, D, OWN)
  for (const rows of parts) statistics.merge(partOf(learner, rows))
  return statistics
}

/** The counts of a mean that forgets, of a row of the first action at each time. */
function countAt(way: Way, times: readonly number[], until?: number): number {
  const rows = times.map(time => ({ action: 0, x: new Float64Array(D), reward: 1, time }))
  return (merged(forgetful(MEAN, way), [rows]).state(until) as { counts: number[] }).counts[0]
}

describe('buckets of time', () => {
  it('are as long as the half-life or the window asks for', () => {
    const bucketOf = (way: Way) => forgettingOf(forgetful(MEAN, way))
    const halfLives = ['1h', '15h', '901m', '90h', '5401m', '15d', '361h', '105d', '106d', '420d']
    expect(halfLives.map(halfLife => bucketOf({ discount: { halfLife } })?.bucket)).toEqual([
      '1h',
      '1h',
      '6h',
      '6h',
      '1d',
      '1d',
      '7d',
      '7d',
      '28d',
      '28d',
    ])
    const windows = ['1h', '90h', '91h', '540h', '541h', '90d', '91d', '630d', '631d', '2520d']
    expect(windows.map(window => bucketOf({ window })?.bucket)).toEqual([
      '1h',
      '1h',
      '6h',
      '6h',
      '1d',
      '1d',
      '7d',
      '7d',
      '28d',
      '28d',
    ])
    for (const [limits, name] of [
      [HALF_LIVES, 'halfLife'],
      [WINDOWS, 'window'],
    ] as const) {
      const at = (milliseconds: number) =>
        bucketOf(name === 'window' ? { window: `${milliseconds}ms` } : { discount: { halfLife: `${milliseconds}ms` } })
      expect([at(limits.least), at(limits.most)].every(each => each !== undefined)).toBe(true)
      expect(() => at(limits.least - 1)).toThrow(RangeError)
      expect(() => at(limits.most + 1)).toThrow(RangeError)
    }
    expect(forgettingOf(MEAN)).toBeUndefined()
    expect(() => forgettingOf({ ...MEAN, discount: { halfLife: '1d' }, window: '1d' } as LearnerSpec)).toThrow(
      RangeError,
    )
  })

  it('begin with the hour, the day in UTC, or on a Monday, before 1970, too', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -4e12, max: 4e12 }),
        fc.constantFrom('1h', '20h', '5d', '20d', '200d'),
        (time, halfLife) => {
          const { bucketOf, startOf, bucket } = forgettingOf(forgetful(MEAN, { discount: { halfLife } }))!
          const start = startOf(bucketOf(time))
          expect(start <= time && time < startOf(bucketOf(time) + 1)).toBe(true)
          expect(bucketOf(start)).toBe(bucketOf(time))
          expect(bucketOf(start - 1)).toBe(bucketOf(time) - 1)
          const iso = new Date(start).toISOString()
          if (bucket === '1d') expect(iso.slice(10)).toBe('T00:00:00.000Z')
          if (bucket === '7d' || bucket === '28d')
            expect([new Date(start).getUTCDay(), iso.slice(10)]).toEqual([1, 'T00:00:00.000Z'])
        },
      ),
    )
  })
})

describe('a half-life', () => {
  it('is the age at which a bucket counts half', () => {
    const way = { discount: { halfLife: '14d' } }
    for (const [days, weight] of [
      [0, 1],
      [14, 0.5],
      [28, 0.25],
      [7, Math.SQRT1_2],
    ] as const) {
      expect(countAt(way, [NOON, NOON - days * DAY])).toBeCloseTo(1 + weight, 12)
    }
    // A bucket has one age, whatever the hour.
    expect(countAt(way, [NOON + DAY / 2 - 1, NOON - 14 * DAY - DAY / 2])).toBeCloseTo(1.5, 12)
  })

  it('counts from a later time where that is asked for', () => {
    const way = { discount: { halfLife: '2d' } }
    expect(countAt(way, [NOON], NOON + 2 * DAY)).toBeCloseTo(0.5, 12)
    expect(countAt(way, [NOON, NOON - 2 * DAY], NOON)).toBeCloseTo(1.5, 12)
  })

  it('drops what is older than the buckets that are kept, and counts what is just within', () => {
    const way = { discount: { halfLife: '14d' } }
    const old = NOON - (MOST_BUCKETS - 1) * DAY
    expect(countAt(way, [NOON, old])).toBeGreaterThan(1)
    expect(countAt(way, [NOON, old - DAY])).toBe(1)
    // Nor is it held, whatever the order of the rows: a bucket is its number and [n, Σw, Σw², Σwr] of three actions.
    const rows = rowsOf(2000, 8, 300)
    for (const each of [rows, rows.toSorted((a, b) => a.time - b.time)]) {
      expect(partOf(forgetful(MEAN, way), each)).toHaveLength(MOST_BUCKETS * 13)
    }
  })
})

describe('a window', () => {
  it('ends at the beginning of a bucket, the one of now being the last of it', () => {
    const midnight = Date.UTC(2026, 10, 18)
    const way = { window: '28d' }
    const edge = midnight - 27 * DAY
    expect(countAt(way, [NOON, edge])).toBe(2)
    expect(countAt(way, [NOON, edge - 1])).toBe(1)
    // A part of a bucket counts as one.
    expect(countAt({ window: '661h' }, [NOON, edge])).toBe(2)
    expect(countAt({ window: '648h' }, [NOON, edge])).toBe(1)
  })
})

describe.each(PLAIN.map(learner => [learner.type, learner] as const))('%s that forgets', (_, plain) => {
  it('learns the same bytes of any parts, in any order, at any time', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.constantFrom(...WAYS),
        fc.array(fc.integer({ min: 1, max: 299 }), { maxLength: 12 }),
        fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
        (seed, way, cuts, later) => {
          const learner = forgetful(plain, way)
          const until = later === undefined ? undefined : NOON + later * DAY
          const rows = rowsOf(300, seed)
          const ends = [...new Set([...cuts, 300])].sort((a, b) => a - b)
          const parts = ends.map((end, i) => rows.slice(ends[i - 1] ?? 0, end))
          const whole = merged(learner, [rows.toSorted((a, b) => a.time - b.time)])
          for (const each of [merged(learner, parts), merged(learner, parts.toReversed())]) {
            expect(JSON.stringify(each.state(until))).toBe(JSON.stringify(whole.state(until)))
            expect(each.learnt(until)).toEqual(whole.learnt(until))
            expect(each.remembered(until)).toEqual(whole.remembered(until))
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('knows within a window what it would know had nothing else been', () => {
    const rows = rowsOf(400, 3)
    const edge = Date.UTC(2026, 10, 18) - 27 * DAY
    const recent = rows.filter(({ time }) => time >= edge)
    expect(recent.length).toBeGreaterThan(30)
    const state = merged(forgetful(plain, { window: '28d' }), [[...rows, { ...recent[0], time: NOON }]]).state()
    expect(state).toEqual(merged(plain, [[...recent, recent[0]]]).state())
  })

  it('discounts data alone: where all of it is old, what it believed before is left', () => {
    const rows = rowsOf(400, 4, 1)
    const blank = createLearner(plain, ACTIONS, D, ACTIONS.length, { own: OWN }).state()
    const numbers = (state: LearnerState) => Object.values(state).flat()
    for (const way of [{ discount: { halfLife: '1h' } }, { window: '2d' }]) {
      // 65 half-lives later, before the last bucket is dropped; and when all are.
      for (const until of [NOON + 2.7 * DAY, NOON + 100 * DAY]) {
        const old = numbers(merged(forgetful(plain, way), [rows]).state(until))
        for (const [i, number] of numbers(blank).entries()) expect(old[i]).toBeCloseTo(number, 9)
      }
    }
  })

  it('says what it remembers, and counts its rows as they are', () => {
    const times = [NOON, NOON - 3 * DAY, NOON - 3 * DAY, NOON - 40 * DAY]
    const rows = times.map(time => ({ ...rowsOf(1, 5)[0], action: 0, time }))
    const discounted = merged(forgetful(plain, { discount: { halfLife: '3d' } }), [rows])
    expect(discounted.learnt()).toEqual({ rows: Float64Array.of(3, 0, 0), effective: expect.anything() })
    expect(discounted.learnt().effective[0]).toBeCloseTo(2, 12)
    // The three days are four quarters of a day each.
    expect(discounted.remembered()).toEqual({
      bucket: '6h',
      buckets: 2,
      since: Date.UTC(2026, 10, 18, 12) - 89 * (DAY / 4),
      at: Date.UTC(2026, 10, 18, 12),
    })
    expect(merged(plain, [rows]).remembered()).toBeUndefined()
  })

  it('needs times', () => {
    const statistics = createStatistics({ learner: forgetful(plain, { window: '1d' }) }, ACTIONS.length, D, OWN)
    expect(() => statistics.add(0, new Float64Array(D), 1, 1)).toThrow(RangeError)
  })
})
