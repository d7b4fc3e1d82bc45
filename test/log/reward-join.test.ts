import { describe, expect, it } from 'vitest'
import type { DatasetSpec, RewardSpec } from '../../src/kinds.ts'
import { joinNotes, rewardJoin } from '../../src/log/reward-join.ts'
import { milliseconds } from '../../src/policy/duration.ts'

const PURCHASE: RewardSpec = { name: 'purchase', type: 'binary', wait: '72h', default: 0 }
const NOW = 1_000_000
const NOTHING = {
  decisions: 0,
  repeated: 0,
  waiting: 0,
  inactive: 0,
  rewards: 0,
  rewardsRepeated: 0,
  late: 0,
  orphans: 0,
  torn: 0,
  otherNames: 0,
}

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
    expect(rewardJoin(dataset({}), PURCHASE, NOW)).toEqual(ofPolicy)
    expect(rewardJoin(dataset({}), { ...PURCHASE, type: 'number' }, NOW)).toEqual({ ...ofPolicy, aggregate: 'sum' })
    const first = { ...ofPolicy, aggregate: 'first' }
    expect(rewardJoin(dataset({}), { ...PURCHASE, aggregate: 'first' }, NOW)).toEqual(first)
    const spend = { name: 'spend', wait: '1s', aggregate: 'mean', default: -1 } as const
    expect(rewardJoin(dataset(spend), PURCHASE, NOW)).toEqual({ ...spend, wait: 1000, until: NOW })
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
    expect(joinNotes({ ...NOTHING, decisions: 9, rewards: 4 })).toEqual([])
    expect(joinNotes({ ...NOTHING, waiting: 1, orphans: 2, repeated: 3, torn: 1 })).toEqual([
      '1 last line cut off, as a killed writer leaves them, left out',
      '3 decisions logged again under the same id, counted once',
      '1 decision whose wait for rewards is not over, left out',
      '2 rewards for no decision of this log, left out',
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
