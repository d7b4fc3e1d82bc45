import { describe, expect, it } from 'vitest'
import type { Coverage } from '../../src/evaluate/support.ts'
import { judge, judgeUnrewarded } from '../../src/evaluate/verdict.ts'
import type { Support } from '../../src/results.ts'

const GOOD: Support = {
  effectiveSampleSize: 6000,
  maxWeight: 4,
  maxWeightShare: 0.0004,
  meanWeight: 1.001,
  positiveCount: 500,
  rowsWithoutSupport: 100,
  unsupportedMass: 0,
  rows: 10_000,
}
const coverage = (support: Partial<Support>, rest: Partial<Coverage> = {}): Coverage => ({
  support: { ...GOOD, ...support },
  largestPossibleWeight: 10,
  minWeight: 0.1,
  maxWeight: 4,
  meanWeightError: 0.008,
  equalWeights: false,
  ...rest,
})

describe('the verdict', () => {
  it.each([
    ['good support', {}, 'ok', ''],
    [
      'a few effective rows',
      { effectiveSampleSize: 40 },
      'refuse',
      'the weights leave 40.0 effective rows of 10000 (0.4 %)',
    ],
    [
      'a twentieth of the rows',
      { effectiveSampleSize: 500 },
      'caution',
      'the weights leave 500 effective rows of 10000 (5 %)',
    ],
    ['one row that decides', { maxWeightShare: 0.3 }, 'refuse', 'one row carries 30 % of the weight'],
    ['one row that matters', { maxWeightShare: 0.06 }, 'caution', 'one row carries 6 % of the weight'],
    ['no reward', { positiveCount: 0 }, 'refuse', 'no row has both a reward and a positive weight'],
    ['four rewards', { positiveCount: 4 }, 'refuse', 'only 4 rows have both a reward and a positive weight'],
    ['ten rewards', { positiveCount: 10 }, 'caution', 'only 10 rows have both a reward and a positive weight'],
    [
      'an action that was never logged',
      { unsupportedMass: 0.1, meanWeight: 0.9 },
      'refuse',
      "10 % of the candidate's probability is on actions that the log never took",
    ],
    [
      'wrong propensities',
      { meanWeight: 1.1 },
      'refuse',
      'the mean weight is 1.1, 12.5 standard errors from the 1 that it must have if the logged propensities are right',
    ],
    [
      'doubtful propensities',
      { meanWeight: 1.04 },
      'caution',
      'the mean weight is 1.04, 5.0 standard errors from the 1 that it must have if the logged propensities are right',
    ],
  ] as const)('under %s', (_, support, verdict, reason) => {
    const judged = judge(coverage(support))
    expect(judged.verdict).toBe(verdict)
    expect(judged.reasons.join('\n')).toBe(reason)
  })

  it('is ok for the policy that made the log, however few the rewards', () => {
    const judged = judge(
      coverage(
        { positiveCount: 1, meanWeight: 1, maxWeight: 12 },
        { minWeight: 0.9999, maxWeight: 1.0001, meanWeightError: 1e-6 },
      ),
    )
    expect(judged).toEqual({ verdict: 'ok', reasons: [] })
  })

  it('is no longer ok for it where one record stands for most of the log', () => {
    const shed = (maxWeightShare: number, effectiveSampleSize: number) =>
      judge(
        coverage(
          { meanWeight: 1, maxWeight: 300, maxWeightShare, effectiveSampleSize },
          { minWeight: 1, maxWeight: 1, meanWeightError: 0 },
        ),
      )
    expect(shed(0.26, 6000)).toMatchObject({ verdict: 'refuse', reasons: ['one row carries 26 % of the weight'] })
    expect(shed(0.25, 6000).verdict).toBe('caution')
    expect(shed(0.05, 6000).verdict).toBe('ok')
    expect(shed(0.01, 49).verdict).toBe('refuse')
  })

  it('is a caution at best where rows were left out for want of a reward', () => {
    const ok = judge(coverage({}))
    expect(judgeUnrewarded(ok, 0)).toEqual(ok)
    expect(judgeUnrewarded(ok, 300)).toEqual({
      verdict: 'caution',
      reasons: ['300 rows without a reward are left out: the others were chosen by their outcome'],
    })
    expect(judgeUnrewarded(judge(coverage({ positiveCount: 0 })), 1)).toEqual({
      verdict: 'refuse',
      reasons: [
        'no row has both a reward and a positive weight',
        '1 row without a reward is left out: the others were chosen by their outcome',
      ],
    })
  })

  it('is a refusal when all weights are equal and not 1', () => {
    const judged = judge(
      coverage({ meanWeight: 0.5 }, { minWeight: 0.5, maxWeight: 0.5, equalWeights: true, meanWeightError: 0 }),
    )
    expect(judged.verdict).toBe('refuse')
    expect(judged.reasons[0]).toContain('the mean weight is 0.5')
  })
})
