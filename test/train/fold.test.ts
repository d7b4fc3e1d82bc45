import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import type { DecisionLog } from '../../src/log/rows/decision-log.ts'
import { mergeStatistics } from '../../src/policy/statistics.ts'
import { createFolder, type Weights } from '../../src/train/fold.ts'

const SPEC: PolicySpec = {
  context: {},
  actions: [{ id: 'a' }, { id: 'b' }],
  decision: { type: 'single' },
  mode: 'online',
  algorithm: { learner: { type: 'mean' }, exploration: { type: 'greedy', ties: 'random' } },
  guardrails: { minProbability: 0 },
  reward: { name: 'reward', type: 'binary', wait: '1h', default: 0 },
}

/** Four rows of one action, of propensities 0.5 and 0.25; the last two were kept one in ten. */
function learnt(weights: Weights, standsFor: Float64Array | undefined) {
  const batch: DecisionLog = {
    rows: 4,
    row: Float64Array.of(0, 1, 2, 3),
    action: Int32Array.of(0, 0, 0, 0),
    propensity: Float64Array.of(0.5, 0.25, 0.5, 0.25),
    reward: Float64Array.of(0, 0, 1, 1),
    standsFor,
    columns: [],
  }
  const { fold } = createFolder({ policy: { name: 'p', spec: SPEC, digest: '' }, weights })
  const statistics = mergeStatistics(SPEC.algorithm, 2, 0)
  statistics.merge(fold(batch).sums)
  const { counts, sums } = statistics.state() as Record<'counts' | 'sums', number[]>
  return { count: counts[0], mean: sums[0] / counts[0] }
}

describe('a fold', () => {
  const standsFor = Float64Array.of(1, 1, 10, 10)

  it('takes a row for as many decisions as it stands for, and counts it as one', () => {
    const { count, mean } = learnt('none', standsFor)
    expect(mean).toBeCloseTo(20 / 22, 12)
    expect(count).toBeCloseTo(22 ** 2 / 202, 12)
    expect(learnt('none', Float64Array.of(10, 10, 10, 10))).toEqual({ count: 4, mean: 0.5 })
  })

  it('multiplies that with the inverse propensity', () => {
    // h/p = 2, 4, 20, 40.
    const { count, mean } = learnt('inverse-propensity', standsFor)
    expect(mean).toBeCloseTo(60 / 66, 12)
    expect(count).toBeCloseTo(66 ** 2 / (4 + 16 + 400 + 1600), 12)
  })

  it('is that of plain rows where every decision was kept', () => {
    for (const weights of ['none', 'inverse-propensity'] as const) {
      expect(learnt(weights, undefined)).toEqual(learnt(weights, Float64Array.of(1, 1, 1, 1)))
    }
  })
})
