import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cressieReadBounds, type FakeRow, type WeightedSums } from '../../src/evaluate/intervals/cressie-read.ts'
import { gaussianBounds } from '../../src/evaluate/intervals/gaussian.ts'
import { stream } from '../../src/math/rng.ts'
import { evaluateRows, type Row } from './support/rows.ts'

const UNIT = { lower: 0, upper: 1 }

function sumsOf(w: readonly number[], y: readonly number[]): WeightedSums {
  const sum = (f: (i: number) => number) => w.reduce((total, _, i) => total + f(i), 0)
  return {
    rows: w.length,
    w: sum(i => w[i]),
    ww: sum(i => w[i] * w[i]),
    y: sum(i => y[i]),
    wy: sum(i => w[i] * y[i]),
    yy: sum(i => y[i] * y[i]),
  }
}

/** The fake rows of the reference: weight 0 or the largest, reward r. With w = ∞, y is the slope r. */
const fakes = (r: number, maxWeight: number): FakeRow[] => [
  { w: 0, y: 0 },
  { w: maxWeight, y: maxWeight === Infinity ? r : maxWeight * r },
]
const bounds = (sums: WeightedSums, level: number, maxWeight: number) =>
  cressieReadBounds(sums, { level, maxWeight, low: fakes(0, maxWeight), high: fakes(1, maxWeight), range: UNIT }, false)

interface Golden {
  readonly estimates: Readonly<Record<string, number>>
  readonly intervals: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>
}
const golden: { readonly logs: Readonly<Record<string, Golden & Readonly<Record<string, unknown>>>> } = JSON.parse(
  readFileSync(new URL('../golden/evaluate/vw_estimators.json', import.meta.url), 'utf8'),
)

function expectBounds(actual: { lower: number; upper: number }, [lower, upper]: readonly [number, number]): void {
  expect(Math.abs(actual.lower - lower)).toBeLessThanOrEqual(1e-9 * Math.max(1e-3, Math.abs(lower)))
  expect(Math.abs(actual.upper - upper)).toBeLessThanOrEqual(1e-9 * Math.max(1e-3, Math.abs(upper)))
}

for (const [name, log] of Object.entries(golden.logs)) {
  const csv = new URL(`../../../shared/data/vw/${name}.csv`, import.meta.url)
  describe.skipIf(!existsSync(csv))(`on ${name}, VowpalWabbit/estimators`, () => {
    const rows = existsSync(csv)
      ? readFileSync(csv, 'utf8')
          .trim()
          .split('\n')
          .slice(1)
          .map(line => line.split(',').map(Number))
      : []
    const w = rows.map(([logged, predicted]) => predicted / logged)
    const r = rows.map(([, , reward]) => reward)
    const y = w.map((weight, i) => weight * r[i])
    const all = sumsOf(w, y)

    it('has the same point estimates', () => {
      const { ips, snips } = log.estimates
      expect(all.y / all.rows).toBeCloseTo(ips, 12)
      expect(all.y / all.w).toBeCloseTo(snips, 12)
    })

    for (const [alpha, expected] of Object.entries(log.intervals)) {
      it(`has the same intervals at alpha ${alpha}`, () => {
        const level = 1 - Number(alpha)
        expectBounds(bounds(all, level, Infinity), expected.cressieread)
        expectBounds(bounds(all, level, 100), expected.cressieread_wmax100)
        const error = standardErrorOfMean(all.rows, all.y, all.yy)
        expectBounds(gaussianBounds(all.y / all.rows, error, level), expected.gaussian)
      })
    }

    it('has the same intervals after the first rows', () => {
      const checkpoints = log['interval_checkpoints_alpha0.05'] as Golden['intervals']
      for (const [count, expected] of Object.entries(checkpoints)) {
        const n = Number(count)
        const sums = sumsOf(w.slice(0, n), y.slice(0, n))
        expectBounds(bounds(sums, 0.95, Infinity), expected.cressieread)
        const error = standardErrorOfMean(n, sums.y, sums.yy)
        expectBounds(gaussianBounds(sums.y / n, error, 0.95), expected.gaussian)
      }
    })
  })
}

describe('the Cressie-Read interval', () => {
  it('is not vacuous when all weights are equal', () => {
    const rewards = Array.from({ length: 100 }, (_, i) => (i < 20 ? 1 : 0))
    const sums = sumsOf(
      rewards.map(() => 1),
      rewards,
    )
    const { lower, upper } = cressieReadBounds(
      sums,
      { level: 0.95, maxWeight: 1, low: [{ w: 1, y: 0 }], high: [{ w: 1, y: 1 }], range: UNIT },
      true,
    )
    expect(lower).toBeCloseTo(0.119, 2)
    expect(upper).toBeCloseTo(0.288, 2)
  })

  it('has room above 0 when no reward was seen', () => {
    const rewards = Array.from({ length: 100 }, () => 0)
    const sums = sumsOf(
      rewards.map(() => 1),
      rewards,
    )
    const options = { level: 0.95, maxWeight: 1, low: [{ w: 1, y: 0 }], high: [{ w: 1, y: 1 }], range: UNIT }
    const { lower, upper } = cressieReadBounds(sums, options, true)
    expect(lower).toBe(0)
    // The rule of three gives 0.03; two-sided Clopper-Pearson 0.036.
    expect(upper).toBeGreaterThan(0.025)
    expect(upper).toBeLessThan(0.04)
  })

  it('is, by hand, where weights are equal: of 101 rows, one of which is the worst', () => {
    const rewards = Array.from({ length: 100 }, (_, i) => (i < 20 ? 1 : 0))
    const sums = sumsOf(
      rewards.map(() => 1),
      rewards,
    )
    const options = { level: 0.95, maxWeight: 1, low: [{ w: 1, y: 0 }], high: [{ w: 1, y: 1 }], range: UNIT }
    const { lower, upper } = cressieReadBounds(sums, options, true)
    const half = (mean: number) => 1.983971518523552 * Math.sqrt((mean * (1 - mean)) / 101)
    expect(lower).toBeCloseTo(20 / 101 - half(20 / 101), 9)
    expect(upper).toBeCloseTo(21 / 101 + half(21 / 101), 9)
  })

  it('is, with a largest weight that nobody knows, the one that ever larger ones come to', () => {
    const rng = stream(1, 'ever larger')
    for (const scale of [0.8, 1.3]) {
      const w = Array.from({ length: 60 }, () => scale * 2 * rng.uniform())
      const y = w.map(weight => weight * (rng.uniform() < 0.4 ? 1 : 0))
      const sums = sumsOf(w, y)
      const [known, unknown] = [1e5, Infinity].map(largest => bounds(sums, 0.95, largest))
      expect(unknown.lower).toBeGreaterThan(0.05)
      expect(unknown.lower).toBeCloseTo(known.lower, 4)
      expect(unknown.upper).toBeCloseTo(known.upper, 4)
    }
  })

  it('does without a row that might have been with which the weights can hardly have the mean 1', () => {
    const w = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1.5 : 1.6))
    const sums = sumsOf(
      w,
      w.map((weight, i) => (i % 3 === 0 ? weight : 0)),
    )
    const options = { level: 0.95, maxWeight: 2, range: UNIT }
    const zero = { low: [{ w: 0, y: 0 }], high: [{ w: 0, y: 0 }] }
    const like = { low: [{ w: 1.55, y: 0 }], high: [{ w: 1.55, y: 1.55 }] }
    const without = cressieReadBounds(sums, { ...options, ...zero }, false)
    expect(without.lower).toBeGreaterThan(0)
    const both = { low: [...zero.low, ...like.low], high: [...zero.high, ...like.high] }
    expect(cressieReadBounds(sums, { ...options, ...both }, false)).toEqual(without)
    expect(cressieReadBounds(sums, { ...options, ...like }, false)).toEqual(UNIT)
  })

  it('does without a row that might have been where it leaves all weights equal', () => {
    const rewards = Array.from({ length: 100 }, (_, i) => (i < 20 ? 1 : 0))
    const sums = sumsOf(
      rewards.map(() => 1),
      rewards,
    )
    const options = { level: 0.95, maxWeight: 2, range: UNIT }
    const [zero, one, two] = [0, 1, 2].map(w => ({ low: { w, y: 0 }, high: { w, y: w } }))
    const of = (fakes: readonly (typeof one)[]) =>
      cressieReadBounds(
        sums,
        { ...options, low: fakes.map(({ low }) => low), high: fakes.map(({ high }) => high) },
        false,
      )
    const without = of([zero, two])
    expect(without.lower).toBeGreaterThan(0)
    expect(without.upper).toBeLessThan(1)
    expect(of([zero, one, two])).toEqual(without)
    // Where none is left, nothing is known.
    expect(of([one])).toEqual(UNIT)
  })

  it('takes weights for equal that are a billionth of the largest apart, and no others', () => {
    const log = Array.from({ length: 100 }, (_, i): Row => {
      return { x: 0, action: i % 2, propensity: 0.5, reward: i % 3 === 0 ? 1 : 0, h: 1 }
    })
    const apart = (share: number) => {
      const candidate = [[0.5, 0.5 * (1 - share), 0]]
      return evaluateRows(log, { candidate, estimators: ['ips'], method: 'cressie-read' }).coverage.equalWeights
    }
    expect([0, 0.9e-9, 1.1e-9, 1e-4].map(apart)).toEqual([true, true, false, false])
  })

  it('is the whole range while there are no rows', () => {
    const options = { level: 0.95, maxWeight: 2, low: fakes(0, 2), high: fakes(1, 2), range: UNIT }
    expect(cressieReadBounds(sumsOf([], []), options, false)).toEqual(UNIT)
  })
})

/** Standard error of a mean: √(s² / n) with s² = (Σy² − (Σy)²/n) / (n − 1); NaN below two rows. */
function standardErrorOfMean(rows: number, sum: number, sumOfSquares: number): number {
  return Math.sqrt(Math.max(0, sumOfSquares - (sum * sum) / rows) / (rows - 1) / rows)
}
