import { describe, expect, it } from 'vitest'
import type { DatasetSpec, RewardSpec } from '../../../src/kinds.ts'
import { joinNotes, rewardJoin } from '../../../src/log/rows/reward-join.ts'
import { NO_COUNTS } from '../../../src/log/tables.ts'
import { milliseconds } from '../../../src/policy/duration.ts'

const PURCHASE: RewardSpec = { name: 'purchase', type: 'binary', wait: '72h', default: 0 }
const NOW = 1_000_000
const dataset = (reward: DatasetSpec['reward'], format: DatasetSpec['format'] = 'dap'): DatasetSpec => ({
  files: [],
  format,
  propensity: 'logged',
  reward,
  quality: { badRows: 'fail' },
})

describe('how rewards join', () => {
  it('is as the policy says, and before it as the Dataset does', () => {
    const ofPolicy = { name: 'purchase', wait: 259_200_000, until: NOW, aggregate: 'max', default: 0 }
    expect(rewardJoin(dataset({}), PURCHASE, NOW)).toEqual({ ...ofPolicy, declared: PURCHASE })
    const number: RewardSpec = { ...PURCHASE, type: 'number' }
    expect(rewardJoin(dataset({}), number, NOW)).toEqual({ ...ofPolicy, declared: number, aggregate: 'sum' })
    const first: RewardSpec = { ...PURCHASE, aggregate: 'first' }
    expect(rewardJoin(dataset({}), first, NOW)).toEqual({ ...ofPolicy, declared: first, aggregate: 'first' })
    const spend = { name: 'spend', wait: '1s', aggregate: 'mean', default: -1 } as const
    const joined = { ...spend, declared: PURCHASE, wait: 1000, until: NOW }
    expect(rewardJoin(dataset(spend), PURCHASE, NOW)).toEqual(joined)
  })

  it('is the sum of all, whenever they came, where nobody says', () => {
    expect(rewardJoin(dataset({ minimum: 0 }), undefined, NOW)).toEqual({ aggregate: 'sum', default: 0 })
  })

  it('is what a mapped log says, and nothing else', () => {
    expect(rewardJoin(dataset({ minimum: 0 }, 'csv'), PURCHASE, NOW)).toEqual({})
    const spec = { wait: '1s', aggregate: 'sum', default: 0 } as const
    expect(rewardJoin(dataset(spec, 'csv'), PURCHASE, NOW)).toEqual({ ...spec, wait: 1000, until: NOW })
  })

  it('is told where it left something out', () => {
    expect(joinNotes({ ...NO_COUNTS, decisions: 9, rewards: 4 })).toEqual([])
    expect(joinNotes({ ...NO_COUNTS, waiting: 1, orphans: 2, repeated: 3, torn: 1 })).toEqual([
      '1 last line cut off, as a killed writer leaves them, left out',
      '3 decisions logged again under the same id, counted once',
      '1 decision whose wait for rewards is not over, left out',
      '2 rewards for no decision of this log, left out',
    ])
    const unusable = { conflicts: 2, rewardConflicts: 3, outside: 1, tooEarly: 4, early: 5, lost: 6 }
    expect(joinNotes({ ...NO_COUNTS, ...unusable })).toEqual([
      '2 records of decisions in conflict with another one of the same id, left out',
      '3 rewards in conflict with another one of the same id, left out',
      '1 reward outside the range that the policy declares, left out',
      '4 rewards more than 5 s earlier than the decision, left out',
      '5 rewards up to 5 s earlier than the decision, taken to have come with it',
      '6 decisions for which a reward came that cannot be used, left out',
    ])
  })
})

describe('durations', () => {
  it.each([
    ['5ms', 5],
    ['90s', 90_000],
    ['2m', 120_000],
    ['72h', 259_200_000],
    ['28d', 2_419_200_000],
  ])('%s', (text, expected) => expect(milliseconds(text)).toBe(expected))

  it.each(['', '5', 'h', '-1s', '1.5h', '1 s', '1w'])('`%s` is none', text => {
    expect(() => milliseconds(text)).toThrow(RangeError)
  })
})
