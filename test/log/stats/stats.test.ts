import { describe, expect, it } from 'vitest'
import type { DecisionRecord } from '../../../src/log/records/records.ts'
import type { LogAlarm } from '../../../src/log/stats/policy-stats.ts'
import { createLogStats, type LogStatsResult } from '../../../src/log/stats/stats.ts'
import { normal } from '../../../src/math/distributions.ts'
import { type Rng, stream } from '../../../src/math/rng.ts'
import { ACTIONS, decision, reward } from '../support.ts'

const K = 5

type Fault = 'none' | 'stale weights' | 'before eligibility' | 'greedy timeouts' | 'lost records'

/** Action `b` is chosen every other time. */
const BIAS = [0, 2, 0, 0, -0.5]

/** Softmax over weights that move from decision to decision, as while learning. */
function* propensities(rng: Rng): Generator<readonly number[], never> {
  const values = Array.from({ length: K }, () => normal(rng))
  for (;;) {
    for (let a = 0; a < K; a++) values[a] = 0.98 * values[a] + 0.1 * normal(rng)
    yield normalised(values.map((value, a) => 0.2 + Math.exp(value + BIAS[a])))
  }
}

function normalised(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map(weight => weight / sum)
}

/** `count` decisions, drawn from one vector and logged with another, as a fault has it. */
function play(fault: Fault, count: number, seed: number): LogStatsResult {
  const rng = stream(seed, fault)
  const vectors = propensities(rng)
  const stats = createLogStats()
  let previous = vectors.next().value
  for (let i = 0; i < count; i++) {
    const p = vectors.next().value
    const chance = rng.uniform()
    let drawn = p
    if (fault === 'stale weights' && chance < 0.1) drawn = previous
    if (fault === 'before eligibility') drawn = normalised(p.map((each, a) => (a === 4 && chance < 0.2 ? 0 : each)))
    if (fault === 'greedy timeouts' && chance < 0.02) drawn = p.map(each => (each === Math.max(...p) ? 1 : 0))
    if (i % 500 === 0) previous = vectors.next().value
    const truth = decision(`${seed}-${i}`, drawn)
    const [slot] = truth.slots
    if (fault === 'lost records' && slot.action === 'b' && chance < 0.03) continue
    const at = truth.eligible.findIndex(({ id }) => id === slot.action)
    stats.decision({ ...truth, slots: [{ ...slot, propensity: p[at], propensities: p }] })
  }
  return stats.finish()
}

const checksOf = ({ alarms }: LogStatsResult): string[] => [...new Set(alarms.map(({ check }) => check))]

describe('the calibration of 100,000 decisions', () => {
  // The subtle faults move a score by some four standard deviations, give or take one: most of their logs raise the alarm, not all.
  it.each<readonly [Fault, readonly LogAlarm['check'][]]>([
    ['stale weights', ['inverse-propensity']],
    ['before eligibility', ['propensity', 'inverse-propensity']],
    ['greedy timeouts', ['inverse-propensity']],
    ['lost records', ['propensity']],
  ])('shows %s, by %j', (fault, checks) => {
    const logs = [1, 2, 3].map(seed => checksOf(play(fault, 100_000, seed)))
    for (const check of checks) expect(logs.filter(found => found.includes(check)).length).toBeGreaterThanOrEqual(2)
  })

  it('is fine where nothing is wrong', () => {
    expect([1, 2, 3].flatMap(seed => play('none', 100_000, seed).alarms)).toEqual([])
  })
})

describe('the p values of right logs', () => {
  it('are uniform, and raise hardly an alarm', () => {
    const results = Array.from({ length: 60 }, (_, seed) => play('none', 4000, 100 + seed))
    // 7 tests a log: 0.2 alarms are expected.
    expect(results.flatMap(({ alarms }) => alarms).length).toBeLessThanOrEqual(2)
    const [actions, inverses, uniforms] = [
      results.flatMap(({ policies }) => policies[0].actions.map(({ p }) => p as number)),
      results.map(({ policies }) => policies[0].inversePropensity?.p as number),
      results.map(({ policies }) => policies[0].uniformity.p),
    ]
    for (const ps of [actions, inverses, uniforms]) {
      const n = ps.length
      expect(Math.abs(ps.filter(p => p < 0.5).length - n / 2)).toBeLessThan(4 * Math.sqrt(n / 4))
      expect(ps.filter(p => p < 0.05).length).toBeLessThan(0.05 * n + 4 * Math.sqrt(n * 0.0475))
    }
  })

  it('stay honest where an action is hardly ever drawn', () => {
    let alarms = 0
    for (let seed = 0; seed < 300; seed++) {
      const stats = createLogStats()
      const rng = stream(seed, 'rare')
      for (let i = 0; i < 300; i++) {
        const rare = Math.exp(-3 - 6 * rng.uniform())
        stats.decision(decision(`${seed}-${i}`, [1 - rare, rare]))
      }
      alarms += stats.finish().alarms.length
    }
    // 1,200 tests at 0.0005 make 0.6; the normal p of z raises several times as many.
    expect(alarms).toBeLessThanOrEqual(3)
  })

  it('still show an action that is drawn and should never be', () => {
    const stats = createLogStats()
    for (let i = 0; i < 1000; i++) {
      const truth = decision(`d${i}`, [0.99, 0.01])
      const logged = [1 - 1e-9, 1e-9]
      const at = truth.slots[0].action === 'a' ? 0 : 1
      stats.decision({ ...truth, slots: [{ ...truth.slots[0], propensity: logged[at], propensities: logged }] })
    }
    expect(checksOf(stats.finish())).toContain('propensity')
  })
})

describe('units with 10 decisions each', () => {
  /** 300 of them; `sticky`: all of a unit's decisions are its first. Logged are the propensities `logged`, drawn is from `drawn`. */
  function players(seed: number, sticky: boolean, drawn: readonly number[], logged = drawn): LogStatsResult {
    const stats = createLogStats()
    const rng = stream(seed, 'answers')
    const first: DecisionRecord[] = []
    for (let i = 0; i < 3000; i++) {
      const unit = `p${i % 300}`
      if (!sticky || i < 300) first[i % 300] = decision(`${seed}-${i}`, drawn)
      const { slots, ...record } = first[i % 300]
      const at = ACTIONS.indexOf(slots[0].action as (typeof ACTIONS)[number])
      const slot = { ...slots[0], propensity: logged[at], propensities: logged }
      stats.decision({ ...record, decisionId: `${seed}-${i}`, unit, slots: [slot] })
      // Some units do not always answer, whatever they got.
      if (i % 7 !== 0 || i % 300 > 100) stats.reward(reward(`${seed}-${i}`, { value: rng.uniform() < 0.3 ? 1 : 0 }))
    }
    return stats.finish()
  }

  it.each([[[0.5, 0.5]], [[0.9, 0.1]], [[0.7, 0.2, 0.05, 0.04, 0.01]]])(
    'whose action was drawn once, from %j, raise hardly an alarm',
    p => {
      const logs = Array.from({ length: 50 }, (_, seed) => players(seed, true, p))
      expect(logs.filter(({ alarms }) => alarms.length > 0).length).toBeLessThanOrEqual(3)
    },
  )

  it('whose action was drawn each time, raise hardly an alarm', () => {
    const logs = Array.from({ length: 50 }, (_, seed) => players(seed, false, [0.7, 0.2, 0.1]))
    expect(logs.filter(({ alarms }) => alarms.length > 0).length).toBeLessThanOrEqual(2)
  })

  it('raise the alarm where the propensities are wrong', () => {
    for (let seed = 0; seed < 10; seed++) {
      expect(checksOf(players(seed, true, [0.8, 0.2], [0.5, 0.5]))).toContain('propensity')
      expect(checksOf(players(seed, false, [0.58, 0.42], [0.5, 0.5]))).toContain('propensity')
    }
  })

  it('are counted, and how even they are', () => {
    const stats = createLogStats()
    const units = ['a', 'a', 'a', 'b', undefined, undefined]
    for (const [i, unit] of units.entries()) stats.decision(decision(`d${i}`, [0.5, 0.5], { unit }))
    expect(stats.finish().policies[0].units).toEqual({ count: 4, effective: 36 / 12, largestShare: 1 / 2 })
  })
})

describe('the numbers', () => {
  it('are those of three records, by hand', () => {
    const stats = createLogStats()
    stats.reward(reward('d1', { value: 3 }))
    stats.decision(decision('d1', [1], { latencyUs: 100 }))
    stats.decision(decision('d2', [1], { latencyUs: 300, logProbability: 0.5 }))
    stats.decision(
      decision('d3', [1], {
        mode: 'shadow',
        served: { by: 'override', reason: 'shadow' },
        slots: [{ slot: 0, action: 'a', propensity: 1, propensities: [1], floor: 0, baseline: 'b' }],
      }),
    )
    stats.decision(decision('d3', [1]))
    stats.reward(reward('d3', { value: 5, name: 'purchase' }))
    stats.reward(reward('d3', { value: 5, name: 'purchase' }))
    stats.reward(reward('unknown', { value: 7 }))
    const { volume, policies, ...rest } = stats.finish()
    expect(rest).toEqual({
      schema: 'dap.log-stats/v1',
      files: 0,
      decisions: 3,
      rewards: 3,
      activations: 0,
      skipped: 0,
      alarms: [],
      passed: true,
    })
    const who = { policy: 'shop-offer', digest: 'sha256:test', snapshot: null }
    expect(volume).toEqual([
      { ...who, servedBy: 'policy', mode: 'online', decisions: 2 },
      { ...who, servedBy: 'override', mode: 'shadow', decisions: 1 },
    ])
    expect(policies).toMatchObject([
      {
        decisions: 3,
        units: { count: 3, effective: 3, largestShare: 1 / 3 },
        joinRate: 2 / 3,
        rewards: [
          { name: 'purchase', count: 1, mean: 5 },
          { name: null, count: 1, mean: 3 },
        ],
        agreement: { decisions: 1, share: 0 },
        shedShare: 1 / 4,
        latencyUs: { p50: 100, p99: 300 },
        actions: [{ action: 'a', chosen: 2, expected: 2, z: null, p: null, joinRate: 1 / 2, joins: null }],
        inversePropensity: { mean: 1, expected: 1, z: null, p: null },
      },
    ])
  })

  it('leave out decisions whose activation has not come, and what is not whole', () => {
    const stats = createLogStats()
    const pending = { served: { by: 'policy', activation: 'pending' } } as const
    stats.decision(decision('shown', [1], pending))
    stats.decision(decision('unseen', [1], pending))
    stats.reward(reward('shown'))
    stats.reward({ ...reward('shown'), rewardId: 'x', kind: 'activation', value: undefined })
    stats.decision({ ...decision('bad', [1]), eligible: [{ id: 'b' }] })
    stats.line('f', 1, '{"torn')
    stats.line('f', 2, '')
    const result = stats.finish()
    expect(result).toMatchObject({ decisions: 2, rewards: 1, activations: 1, skipped: 2 })
    expect(result.policies[0].joinRate).toBe(1)
  })
})

describe('the test of join rates', () => {
  /** Two actions; a reward comes for `share(action, i)` of the decisions, and is one of `values`. */
  function joins(
    seed: number,
    share: (action: string, i: number) => number,
    values: readonly number[],
    chance = (_: number) => 0.5,
  ): LogStatsResult {
    const stats = createLogStats()
    const rng = stream(seed, 'joins')
    for (let i = 0; i < 4000; i++) {
      const record = decision(`${seed}-${i}`, [1 - chance(i), chance(i)])
      stats.decision(record)
      if (rng.uniform() >= share(record.slots[0].action as string, i)) continue
      stats.reward(reward(`${seed}-${i}`, { value: values[Math.floor(rng.uniform() * values.length)] }))
    }
    return stats.finish()
  }
  const ps = ({ policies }: LogStatsResult) => policies[0].actions.map(action => action.joins?.p as number)

  it('is quiet where rewards go missing alike, and shows where those of one action do', () => {
    const quiet = Array.from({ length: 40 }, (_, seed) => joins(seed, () => 0.95, [0, 1]))
    expect(quiet.flatMap(({ alarms }) => alarms)).toEqual([])
    // Four standard deviations of a binomial (40, 1/2).
    expect(Math.abs(quiet.filter(result => ps(result)[0] < 0.5).length - 20)).toBeLessThan(13)
    expect(checksOf(joins(1, action => (action === 'a' ? 0.95 : 0.9), [0, 1]))).toEqual(['joins'])
  })

  it('takes no context that answers less, and gets other actions, for an action that loses rewards', () => {
    const ios = (i: number) => i % 2 === 0
    const result = joins(
      3,
      (_, i) => (ios(i) ? 0.95 : 0.7),
      [0, 1],
      i => (ios(i) ? 0.9 : 0.2),
    )
    const [a, b] = result.policies[0].actions.map(({ joinRate }) => joinRate as number)
    expect(Math.abs(a - b)).toBeGreaterThan(0.1)
    expect(result.alarms).toEqual([])
  })

  it('is not made where a reward comes for a success alone: actions differ, and should', () => {
    const result = joins(1, action => (action === 'a' ? 0.1 : 0.3), [1])
    expect(result.policies[0].actions.map(action => action.joins)).toEqual([null, null])
    expect(result.alarms).toEqual([])
  })

  it('has nothing to say where all rewards came', () => {
    expect(joins(1, () => 1, [0, 1]).policies[0].actions.map(action => action.joins)).toEqual([
      { z: null, p: null },
      { z: null, p: null },
    ])
  })
})
