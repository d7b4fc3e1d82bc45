import { describe, expect, it } from 'vitest'
import type { AlgorithmSpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { createLearner } from '../../src/policy/algorithm.ts'
import type { Learner } from '../../src/policy/learner.ts'
import { createStatistics, mergeStatistics } from '../../src/policy/statistics.ts'
import { goldenJson } from '../golden/read.ts'

interface Fitted {
  readonly theta: readonly number[]
  readonly values: readonly number[]
  readonly widths: readonly number[]
  readonly covariance: readonly (readonly number[])[]
}
interface Golden {
  readonly l2: number
  readonly rows: readonly { action: number; z: number[]; reward: number; propensity: number }[]
  readonly query: readonly (readonly number[])[]
  readonly plain: Fitted
  readonly weighted: Fitted
}

const { l2, rows, query, plain, weighted } = goldenJson<Golden>('ridge/shared_ridge.json')
const ALGORITHM: AlgorithmSpec = {
  learner: { type: 'linear', l2, intercept: false, shared: true },
  exploration: { type: 'thompson', scale: 1 },
}
const ACTIONS = query.map((_, a) => `a${a}`)
const D = query[0].length
const fresh = () => createLearner(ALGORITHM.learner, ACTIONS, D)

/** Learnt row by row, as a server does. */
function learnt(): Learner {
  const learner = fresh()
  for (const { action, z, reward } of rows) learner.learn(action, Float64Array.from(z), reward)
  return learner
}

/** Folded in parts, as `dap train` does. */
function folded(parts: number, weightOf: (row: Golden['rows'][number]) => number): Learner {
  const merged = mergeStatistics(ALGORITHM, ACTIONS.length, D)
  for (let p = 0; p < parts; p++) {
    const { sums, add } = createStatistics(ALGORITHM, ACTIONS.length, D)
    for (const row of rows.filter((_, i) => i % parts === p)) {
      add(row.action, Float64Array.from(row.z), row.reward, weightOf(row))
    }
    merged.merge(sums)
  }
  const learner = fresh()
  learner.restore(merged.state())
  return learner
}

const CASES: readonly (readonly [string, Learner, Fitted])[] = [
  ['learnt row by row', learnt(), plain],
  ['folded', folded(1, () => 1), plain],
  ['folded in 7 parts', folded(7, () => 1), plain],
  ['weighted by 1/propensity', folded(3, ({ propensity }) => 1 / propensity), weighted],
]

describe.each(CASES)("numpy's ridge regression is the one that actions share, %s", (_, learner, golden) => {
  it('has its coefficients, values and widths, to 1e-9', () => {
    learner.predict(Float64Array.from(query.flat()))
    const near = (found: ArrayLike<number>, wanted: readonly number[]) => {
      expect(found.length).toBe(wanted.length)
      for (const [i, number] of wanted.entries()) expect(Math.abs(found[i] - number)).toBeLessThan(1e-9)
    }
    near(learner.state()['theta'] as number[], golden.theta)
    near(learner.value, golden.values)
    near(learner.width, golden.widths)
  })

  it('draws models whose values have its covariance', () => {
    const draws = 50_000
    learner.predict(Float64Array.from(query.flat()), false)
    const valuesOf = learner.models?.(2, draws, stream(3))
    const values = ACTIONS.map((_, a) => Float64Array.from(valuesOf?.(a) ?? []).subarray(0, draws))
    for (const [a, row] of golden.covariance.entries()) {
      for (const [b, covariance] of row.entries()) {
        let sum = 0
        for (let m = 0; m < draws; m++) sum += (values[a][m] - golden.values[a]) * (values[b][m] - golden.values[b])
        // Of a product of normals the variance is at most twice that of its parts: 5 standard errors.
        const deviation = 4 * Math.sqrt(2 * row[a] * golden.covariance[b][b])
        expect(Math.abs(sum / draws - 4 * covariance)).toBeLessThan((5 * deviation) / Math.sqrt(draws))
      }
    }
  })
})
