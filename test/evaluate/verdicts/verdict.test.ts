import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEstimator } from '../../../src/evaluate/estimators/estimators.ts'
import type { Coverage } from '../../../src/evaluate/verdicts/support.ts'
import {
  both,
  judge,
  judgeEstimate,
  judgeLost,
  judgeModelled,
  judgeNumbers,
  judgeOrphans,
  judgeSlots,
  judgeUnrewarded,
} from '../../../src/evaluate/verdicts/verdict.ts'
import type { Units } from '../../../src/evaluate/weights/units.ts'
import type { EstimatorSpec } from '../../../src/kinds.ts'
import type { Support } from '../../../src/results.ts'

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
  ineligibleMass: 0,
  idleMass: 0,
  largestPossibleWeight: 10,
  minWeight: 0.1,
  maxWeight: 4,
  meanWeightError: 0.008,
  equalWeights: false,
  values: [0, 0],
  predictions: [0, 0],
  uncertainRows: 0,
  matched: undefined,
  ...rest,
})
const ROWS: Units = { known: false, count: 10_000, effective: 10_000, largestShare: 1e-4, groups: 10_000 }
const units = (part: Partial<Units>): Units => ({
  known: true,
  count: 10_000,
  effective: 10_000,
  largestShare: 1e-4,
  groups: 10_000,
  ...part,
})

describe('the verdict', () => {
  it.each([
    ['good support', {}, 'ok', ''],
    [
      'a few effective rows',
      { effectiveSampleSize: 40 },
      'refuse',
      'the weights leave 40.0 effective rows of 10000 (0.4 %); some 250000 rows would be enough',
    ],
    [
      'a twentieth of the rows',
      { effectiveSampleSize: 500 },
      'caution',
      'the weights leave 500 effective rows of 10000 (5 %); some 20000 rows would be enough',
    ],
    [
      'one row that decides',
      { maxWeightShare: 0.3 },
      'refuse',
      'one row carries 30 % of the weight; some 60000 rows would be enough',
    ],
    [
      'one row that matters',
      { maxWeightShare: 0.06 },
      'caution',
      'one row carries 6 % of the weight; some 12000 rows would be enough',
    ],
    ['no reward', { positiveCount: 0 }, 'refuse', 'no row has both a reward and a positive weight'],
    [
      'four rewards',
      { positiveCount: 4 },
      'refuse',
      'only 4 rows have both a reward and a positive weight; some 75000 rows would be enough',
    ],
    [
      'ten rewards',
      { positiveCount: 10 },
      'caution',
      'only 10 rows have both a reward and a positive weight; some 30000 rows would be enough',
    ],
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
    const judged = judge(coverage(support), ROWS)
    expect(judged.verdict).toBe(verdict)
    expect(judged.reasons.join('\n')).toBe(reason)
  })

  it.each([
    [
      'a share of effective rows',
      [{ effectiveSampleSize: 99.9 }, 'refuse'],
      [{ effectiveSampleSize: 100.1 }, 'caution'],
    ],
    ['many effective rows', [{ effectiveSampleSize: 999 }, 'caution'], [{ effectiveSampleSize: 1000 }, 'ok']],
    ['one weight', [{ maxWeightShare: 0.2501 }, 'refuse'], [{ maxWeightShare: 0.25 }, 'caution']],
    ['one large weight', [{ maxWeightShare: 0.0501 }, 'caution'], [{ maxWeightShare: 0.05 }, 'ok']],
    ['rewards', [{ positiveCount: 4 }, 'refuse'], [{ positiveCount: 5 }, 'caution']],
    ['some rewards', [{ positiveCount: 29 }, 'caution'], [{ positiveCount: 30 }, 'ok']],
    [
      'unsupported probability',
      [{ unsupportedMass: 0.0501, meanWeight: 0.95 }, 'refuse'],
      [{ unsupportedMass: 0.05, meanWeight: 0.95 }, 'caution'],
    ],
    ['a little unsupported probability', [{ unsupportedMass: 0.00101 }, 'caution'], [{ unsupportedMass: 0.001 }, 'ok']],
    ['the mean weight', [{ meanWeight: 1.0481 }, 'refuse'], [{ meanWeight: 1.0479 }, 'caution']],
    ['a doubtful mean weight', [{ meanWeight: 0.9759 }, 'caution'], [{ meanWeight: 0.9761 }, 'ok']],
    ['a mean weight below 1', [{ meanWeight: 0.9519 }, 'refuse'], [{ meanWeight: 0.9521 }, 'caution']],
  ] as const)('turns at a border of %s', (_, one, other) => {
    for (const [support, verdict] of [one, other]) expect(judge(coverage(support), ROWS).verdict).toBe(verdict)
  })

  it.each([
    ['the largest unit', { largestShare: 0.2501 }, { largestShare: 0.25 }, 'refuse', 'caution'],
    ['a large unit', { largestShare: 0.0501 }, { largestShare: 0.05 }, 'caution', 'ok'],
    ['uneven units', { effective: 999 }, { effective: 1000 }, 'caution', 'ok'],
  ] as const)('turns at a border of %s', (_, worse, better, then, otherwise) => {
    const support = { effectiveSampleSize: 900, rows: 100_000 }
    expect(judge(coverage(support), units(worse)).verdict).toBe(then)
    expect(judge(coverage(support), units({ effective: 1000, ...better })).verdict).toBe(otherwise)
  })

  it('turns at a border of effective rows', () => {
    const of = (effectiveSampleSize: number) =>
      judge(coverage({ effectiveSampleSize, rows: 400 }), { ...ROWS, count: 400, effective: 400 }).verdict
    expect(of(49.99)).toBe('refuse')
    expect(of(50)).toBe('ok')
  })

  /** How many a reason says would be enough; none where it does not. */
  const enoughIn = (reason: string) => Number(/some (\d+) units would be enough/.exec(reason)?.[1] ?? Number.NaN)
  const effectiveSizes = fc.double({ min: 1, max: 99, noNaN: true })

  it('never says that fewer would be enough than there must be, nor many more', () => {
    fc.assert(
      fc.property(effectiveSizes, fc.integer({ min: 100, max: 3000 }), (effectiveSampleSize, count) => {
        const known = units({ count, effective: count })
        const { reasons } = judge(coverage({ effectiveSampleSize }), known)
        const share = effectiveSampleSize / count
        const needed = (count * (share < 0.1 ? 1000 : 100)) / effectiveSampleSize
        expect(enoughIn(reasons[0])).toBeGreaterThanOrEqual(needed * (1 - 1e-12))
        expect(enoughIn(reasons[0])).toBeLessThanOrEqual(1.1 * needed + 1)
      }),
    )
  })

  it('says what would be enough for all slots, and from which one on', () => {
    const known = units({ count: 112, effective: 112 })
    fc.assert(
      fc.property(fc.array(effectiveSizes, { minLength: 1, maxLength: 5 }), sizes => {
        const slots = sizes.map(effectiveSampleSize => coverage({ effectiveSampleSize }))
        const { verdict, reasons } = judgeSlots(slots, known)
        const alone = slots.map(each => judge(each, known))
        expect(verdict).toBe(alone.some(each => each.verdict === 'refuse') ? 'refuse' : 'caution')
        const most = Math.max(...alone.map(each => enoughIn(each.reasons[0])))
        expect(enoughIn(reasons.find(reason => reason.includes('effective')) as string)).toBe(most)
      }),
    )
    const [good, bad, worse] = [1000, 60, 30].map(effectiveSampleSize => coverage({ effectiveSampleSize }))
    const said = (...slots: Coverage[]) => judgeSlots(slots, units({ count: 5000, effective: 5000 })).reasons[0]
    expect(said(bad)).toMatch(/^the weights leave 60\.0 effective/)
    expect(said(good, worse)).toMatch(/^from slot 1 on the weights leave 30\.0 effective/)
    expect(said(good, worse, coverage({ effectiveSampleSize: 20 }))).toMatch(
      /^from slot 1 on, in slot 2 at worst, the weights leave 20\.0 effective/,
    )
    expect(said(worse, coverage({ effectiveSampleSize: 20 }))).toMatch(/^in slot 1 at worst, the weights leave 20\.0/)
  })

  it('says what units are worth, and of them how many would be enough', () => {
    const judged = judge(
      coverage({ effectiveSampleSize: 20, rows: 12_000 }),
      units({ count: 300, effective: 24, largestShare: 0.16 }),
    )
    expect(judged).toEqual({
      verdict: 'refuse',
      reasons: [
        'the weights leave 20.0 effective units of 300 (6.7 %); some 1500 units would be enough',
        'the 300 units are worth 24.0 of equal activity, and the largest has 16 % of the decisions',
      ],
    })
  })

  it('gives no advice where ten thousand times the log would be needed', () => {
    const of = (effectiveSampleSize: number) => judge(coverage({ effectiveSampleSize }), ROWS).reasons.join()
    expect(of(0.1001)).toContain('some 100000000 rows would be enough')
    expect(of(0.1)).not.toContain('would be enough')
  })

  it('asks more of a mean weight whose error is known from few units', () => {
    const off = coverage({ meanWeight: 1.028, effectiveSampleSize: 60 }, { meanWeightError: 0.008 })
    const of = (effective: number) => judge(off, units({ count: effective, effective })).reasons.join()
    // 3.5 standard errors: beyond the 3 of a normal distribution, not beyond the 4.1 of Student's with 9 degrees of freedom.
    expect(of(10_000)).toContain('3.5 standard errors')
    expect(of(10)).not.toContain('standard errors')
  })

  it('is ok for the policy that made the log, however few the rewards, but not without any, nor on three rows', () => {
    const same = { minWeight: 0.9999, maxWeight: 1.0001, meanWeightError: 1e-6 }
    const of = (support: Partial<Support>) => judge(coverage({ meanWeight: 1, ...support }, same), ROWS)
    expect(of({ positiveCount: 1 })).toEqual({ verdict: 'ok', reasons: [] })
    expect(of({ positiveCount: 0 })).toEqual({ verdict: 'caution', reasons: ['no row has a reward'] })
    expect(of({ rows: 3, effectiveSampleSize: 3 }).verdict).toBe('refuse')
  })

  it('is no longer ok for it where one record stands for most of the log', () => {
    const shed = (maxWeightShare: number, effectiveSampleSize: number) =>
      judge(
        coverage(
          { meanWeight: 1, maxWeight: 300, maxWeightShare, effectiveSampleSize },
          { minWeight: 1, maxWeight: 1, meanWeightError: 0 },
        ),
        ROWS,
      )
    expect(shed(0.26, 6000)).toMatchObject({ verdict: 'refuse' })
    expect(shed(0.26, 6000).reasons[0]).toContain('one row carries 26 % of the weight')
    expect(shed(0.25, 6000).verdict).toBe('caution')
    expect(shed(0.05, 6000).verdict).toBe('ok')
    expect(shed(0.01, 49).verdict).toBe('refuse')
  })

  it('tells actions that were not eligible from those that the log never took', () => {
    const of = (unsupportedMass: number, ineligibleMass: number) =>
      judge(coverage({ unsupportedMass, meanWeight: 1 - unsupportedMass }, { ineligibleMass }), ROWS)
    const outside = "30 % of the candidate's probability is on actions that were not eligible"
    expect(of(0.3, 0.3)).toEqual({ verdict: 'refuse', reasons: [outside] })
    expect(of(0.5, 0.3).reasons).toEqual([
      outside,
      "20 % of the candidate's probability is on actions that the log never took",
    ])
    expect(of(0.3005, 0.3).reasons[1]).toBe(
      "0.05 % of the candidate's probability is on actions that the log never took",
    )
    expect(of(0.3 + 1e-12, 0.3).reasons).toEqual([outside])
    const idle = { ineligibleMass: 0.3, idleMass: 0.2 }
    expect(judge(coverage({ unsupportedMass: 0.3, meanWeight: 0.7 }, idle), ROWS).reasons).toEqual([
      'in 20 % of the decisions nothing was eligible that the candidate may take',
      "10 % of the candidate's probability is on actions that were not eligible",
    ])
  })

  it('is a caution at best where rows were left out for want of a reward', () => {
    const ok = judge(coverage({}), ROWS)
    expect(both(ok, judgeUnrewarded(0))).toEqual(ok)
    expect(both(ok, judgeUnrewarded(300))).toEqual({
      verdict: 'caution',
      reasons: ['300 rows without a reward are left out: the others were chosen by their outcome'],
    })
    expect(both(judge(coverage({ positiveCount: 0 }), ROWS), judgeUnrewarded(1))).toEqual({
      verdict: 'refuse',
      reasons: [
        'no row has both a reward and a positive weight',
        '1 row without a reward is left out: the others were chosen by their outcome',
      ],
    })
  })

  it('is a caution where more rewards are of no decision than of one', () => {
    expect(judgeOrphans({ rewards: 10, orphans: 10 }).verdict).toBe('ok')
    expect(judgeOrphans({ rewards: 10, orphans: 11 }).verdict).toBe('caution')
  })

  it('decisions that are left out for their rewards are a quarter of an error at most', () => {
    expect(judgeLost({ rewards: 0, lost: 0 }).verdict).toBe('ok')
    expect(judgeLost({ rewards: 400, lost: 5 }).verdict).toBe('ok')
    expect(judgeLost({ rewards: 400, lost: 6 })).toEqual({
      verdict: 'caution',
      reasons: [
        '6 decisions are left out for a reward that cannot be used, beside 400 that can: the others were chosen by their outcome',
      ],
    })
    expect(judgeLost({ rewards: 0, lost: 1 }).verdict).toBe('caution')
  })

  it('is a caution below 100 units that are not the log itself', () => {
    const of = (effectiveSampleSize: number, known: boolean) =>
      judge(coverage({ effectiveSampleSize, rows: 300 }), { ...units({ count: 300, effective: 300 }), known }).verdict
    expect(of(99.9, true)).toBe('caution')
    expect(of(100, true)).toBe('ok')
    expect(of(99.9, false)).toBe('ok')
  })

  it('gives no advice that nobody could follow', () => {
    const judged = judge(coverage({ effectiveSampleSize: 1e-9 }), ROWS)
    expect(judged.reasons.join()).not.toContain('enough')
  })

  it('asks a log without propensities for units, rewards and support, too', () => {
    const of = (effective: number, support: Partial<Support> = {}, ineligibleMass = 0, logging = false) =>
      judgeModelled(coverage(support, { ineligibleMass }), units({ count: 100, effective }), logging)
    expect(of(49.9).verdict).toBe('refuse')
    expect(of(50).verdict).toBe('caution')
    expect(of(49.9, {}, 0, true)).toEqual({
      verdict: 'refuse',
      reasons: ['the log has no more than 49.9 units of equal activity'],
    })
    expect(of(50, {}, 0, true)).toEqual({ verdict: 'ok', reasons: [] })
    expect(of(50, { positiveCount: 0 }, 0, true).verdict).toBe('caution')
    expect(of(50, { unsupportedMass: 0.0501 }).verdict).toBe('refuse')
    expect(of(50, { unsupportedMass: 0.05 }).verdict).toBe('caution')
    expect(of(50, { unsupportedMass: 0.3 }, 0.3).reasons[0]).toContain('were not eligible')
  })

  it('is a refusal when all weights are equal and not 1', () => {
    const judged = judge(
      coverage({ meanWeight: 0.5 }, { minWeight: 0.5, maxWeight: 0.5, equalWeights: true, meanWeightError: 0 }),
      ROWS,
    )
    expect(judged.verdict).toBe('refuse')
    expect(judged.reasons[0]).toContain('the mean weight is 0.5')
  })
})

describe('the verdict on an estimate', () => {
  const interval = (lower: number, upper: number) => ({ method: '', level: 0.95, lower, upper })
  const of = (
    spec: EstimatorSpec,
    value: number | null,
    rest: Partial<Coverage> = {},
    dr: Parameters<typeof judgeEstimate>[3] = { value: 0.5, interval: interval(0.4, 0.6), lift: null },
  ) => judgeEstimate(createEstimator(spec), { value, interval: interval(0.4, 0.6), lift: null }, coverage({}, rest), dr)

  it('trusts a biased one only beside a doubly robust one that agrees within half of its interval', () => {
    for (const type of ['dm', 'switch-dr', 'clipped-ips', 'clipped-dr'] as const) {
      expect(of(type, 0.5999).verdict, type).toBe('ok')
      expect(of(type, 0.4001).verdict, type).toBe('ok')
      expect(of(type, 0.6001).verdict, type).toBe('caution')
      expect(of(type, 0.3999).verdict, type).toBe('caution')
      expect(
        judgeEstimate(createEstimator(type), { value: 0.5, interval: null, lift: null }, coverage({}), undefined),
      ).toMatchObject({
        verdict: 'caution',
      })
    }
    expect(of('dm', 0.7).reasons[0]).toBe(
      '`dm` is off by what its reward model misses, which its interval does not count: it is 0.2 from that of `dr`, more than the 0.1 that chance would explain',
    )
  })

  it('looks at the lift of a biased one, too, whose interval may be the narrower one', () => {
    const lift = (value: number) => ({
      value,
      lower: value - 0.05,
      upper: value + 0.05,
      simultaneous: null,
      relative: null,
    })
    const beside = (value: number) =>
      judgeEstimate(
        createEstimator('clipped-ips'),
        { value: 0.5, interval: interval(0.4, 0.6), lift: lift(value) },
        coverage({}),
        { value: 0.5, interval: interval(0.4, 0.6), lift: lift(0) },
      )
    expect(beside(0.0499).verdict).toBe('ok')
    expect(beside(0.0501).verdict).toBe('caution')
    expect(beside(-0.0501).reasons[0]).toContain('its lift is 0.0501 from that of `dr`, more than the 0.05')
  })

  it('finds one that lies outside of its own interval', () => {
    expect(of('ips', 0.6).verdict).toBe('ok')
    expect(of('ips', 0.4).verdict).toBe('ok')
    expect(of('ips', 0.6001).verdict).toBe('caution')
    expect(of('ips', 0.3999).verdict).toBe('caution')
  })

  it('refuses numbers that overflowed', () => {
    const numbers = (
      value: number | null,
      bounds: ReturnType<typeof interval> | null = interval(0, 1),
      standardError: number | null = 0.1,
    ) => judgeNumbers({ estimator: 'ips', value, standardError, interval: bounds }).verdict
    expect(numbers(Infinity)).toBe('refuse')
    expect(numbers(Number.NaN)).toBe('refuse')
    expect(numbers(0.5, null)).toBe('refuse')
    expect(numbers(0.5, interval(0, 1), null)).toBe('refuse')
    expect(numbers(0.5)).toBe('ok')
    expect(numbers(null, null)).toBe('ok')
  })

  it('trusts replay where the candidate does not draw, and rows of one propensity match', () => {
    expect(of('replay', 0.5, { matched: [0.1, 0.1 * (1 + 9e-7)] }).verdict).toBe('ok')
    expect(of('replay', 0.5, { matched: [0.1, 0.1 * (1 + 2e-6)] }).verdict).toBe('caution')
    expect(of('replay', null).verdict).toBe('refuse')
    expect(of('replay', 0.5, { matched: [0.1, 0.1], uncertainRows: 1 }).verdict).toBe('refuse')
  })
})
