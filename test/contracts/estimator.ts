import { describe, expect, it } from 'vitest'
import { estimatorName } from '../../src/evaluate/estimators/estimator.ts'
import { createEstimator } from '../../src/evaluate/estimators/estimators.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import type { EstimatorSpec, EvaluationSpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import type { EstimateResult } from '../../src/results.ts'
import { memoryTables } from '../evaluate/support/memory-tables.ts'
import { plan } from '../evaluate/support/plan.ts'

const METHODS = ['gaussian', 'cressie-read'] as const
const REWARD_MODEL: EvaluationSpec['rewardModel'] = {
  type: 'tabular',
  by: ['action', 'x'],
  prior: 0,
  crossFit: { folds: 2, by: 'row' },
}

/** Mean reward by context and action, and the logging policy's and the candidate's probabilities. */
const MEAN = [
  [0.2, 0.5, 0.3],
  [0.6, 0.1, 0.4],
]
const LOGGING = [
  [0.5, 0.2, 0.3],
  [0.2, 0.5, 0.3],
]
const CANDIDATE = [
  [0.1, 0.6, 0.3],
  [0.7, 0.1, 0.2],
]
const worthOf = (policy: readonly (readonly number[])[]) =>
  [0, 1].reduce((sum, x) => sum + policy[x].reduce((s, p, a) => s + p * MEAN[x][a], 0) / 2, 0)

/** A log of n decisions, with the candidate's probabilities as columns. */
function worldOf(logging: typeof LOGGING, target: typeof LOGGING, n: number, seed: number) {
  const rng = stream(seed, 'estimator contract')
  const columns = {
    x: [] as number[],
    action: [] as number[],
    propensity: [] as number[],
    reward: [] as number[],
    pi_0: [] as number[],
    pi_1: [] as number[],
    pi_2: [] as number[],
  }
  const propensities: string[] = []
  for (let i = 0; i < n; i++) {
    const x = rng.uniform() < 0.5 ? 0 : 1
    const u = rng.uniform()
    const action = u < logging[x][0] ? 0 : u < logging[x][0] + logging[x][1] ? 1 : 2
    columns.x.push(x)
    columns.action.push(action)
    columns.propensity.push(logging[x][action])
    propensities.push(JSON.stringify(logging[x]))
    columns.reward.push(rng.uniform() < MEAN[x][action] ? 1 : 0)
    for (let a = 0; a < 3; a++) columns[`pi_${a as 0 | 1 | 2}`].push(target[x][a])
  }
  return { ...columns, propensities }
}

async function estimateOn(
  columns: Record<string, readonly (number | string)[]>,
  estimator: EstimatorSpec,
  candidate: EvaluationSpec['candidates'][number],
  method: (typeof METHODS)[number] = 'gaussian',
): Promise<EstimateResult> {
  const result = await evaluate(
    plan({
      dataset: { actions: ['0', '1', '2'] },
      mapping: createEstimator(estimator).by === undefined ? {} : { propensities: 'propensities' },
      policyActions: ['0', '1', '2'].map(id => ({ id, features: { name: `action ${id}` } })),
      spec: {
        candidates: [candidate],
        estimators: [estimator],
        rewardModel: REWARD_MODEL,
        interval: { method, level: 0.95 },
      },
    }),
    memoryTables({ memory: columns }),
  )
  return result.candidates[0].estimates[0]
}

const candidate = { name: 'new', probabilities: { columns: 'pi_{action}' } }

/** For an estimator of candidates that do not draw: one action of each context, in a log of one propensity. */
const CERTAIN = [
  [0, 1, 0],
  [1, 0, 0],
]
const UNIFORM = [
  [1 / 3, 1 / 3, 1 / 3],
  [1 / 3, 1 / 3, 1 / 3],
]

/** What every estimator promises. */
export function estimatorContract(estimator: EstimatorSpec): void {
  const { matching = false } = createEstimator(estimator)
  const [logging, target] = matching ? [UNIFORM, CERTAIN] : [LOGGING, CANDIDATE]
  const VALUE = worthOf(target)
  const world = (n: number, seed: number) => worldOf(logging, target, n, seed)
  describe(`estimator ${estimatorName(estimator)}`, () => {
    it('gives the mean reward for the policy that made the log, with no lift', async () => {
      const columns = world(500, 1)
      const mean = columns.reward.reduce((a, b) => a + b, 0) / 500
      for (const method of METHODS) {
        const found = await estimateOn(columns, estimator, { name: 'logging', logging: true }, method)
        expect(found.value).toBe(mean)
        expect(found.lift).toEqual({ value: 0, lower: 0, upper: 0, simultaneous: null, relative: 0 })
        expect(found.interval?.lower).toBeLessThan(mean)
        expect(found.interval?.upper).toBeGreaterThan(mean)
      }
    })

    it('comes to the true value as the log grows', async () => {
      const { value } = await estimateOn(world(100_000, 2), estimator, candidate)
      expect(Math.abs((value as number) - VALUE)).toBeLessThan(0.012)
    })

    it('has no bias that 200 logs could show', async () => {
      const values: number[] = []
      for (let seed = 0; seed < 200; seed++) {
        values.push((await estimateOn(world(1500, 100 + seed), estimator, candidate)).value as number)
      }
      const mean = values.reduce((a, b) => a + b, 0) / values.length
      const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1)
      expect(Math.abs(mean - VALUE) / Math.sqrt(variance / values.length)).toBeLessThan(4)
    })

    it('has intervals that cover the true value', async () => {
      for (const method of METHODS) {
        let covered = 0
        const logs = 300
        for (let seed = 0; seed < logs; seed++) {
          const { interval } = await estimateOn(world(1000, 1000 + seed), estimator, candidate, method)
          if (interval !== null && interval.lower <= VALUE && VALUE <= interval.upper) covered++
        }
        // 0.93 less two standard errors of a share of 300.
        expect(covered / logs).toBeGreaterThan(0.93 - 2 * Math.sqrt((0.05 * 0.95) / logs))
      }
    })

    it('scales with the rewards', async () => {
      const columns = world(400, 3)
      const scaled = { ...columns, reward: columns.reward.map(r => 7 * r) }
      for (const method of METHODS) {
        const one = await estimateOn(columns, estimator, candidate, method)
        const seven = await estimateOn(scaled, estimator, candidate, method)
        expect(seven.value).toBeCloseTo(7 * (one.value as number), 10)
        expect(seven.interval?.lower).toBeCloseTo(7 * (one.interval?.lower as number), 9)
        expect(seven.interval?.upper).toBeCloseTo(7 * (one.interval?.upper as number), 9)
      }
    })
  })
}
