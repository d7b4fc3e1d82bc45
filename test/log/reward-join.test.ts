import { describe, expect, it } from 'vitest'
import type { RewardSpec } from '../../src/kinds.ts'
import { joinNotes, rewardJoin } from '../../src/log/reward-join.ts'
import { milliseconds } from '../../src/policy/duration.ts'

const PURCHASE: RewardSpec = { name: 'purchase', type: 'binary', wait: '72h', default: 0 }
const NOW = 1_000_000
const NOTHING = {
  decisions: 0,
  repeated: 0,
  waiting: 0,
  inactive: 0,
  shed: 0,
  rewards: 0,
  late: 0,
  orphans: 0,
  otherSchemas: 0,
  unreadable: 0,
}

describe('how rewards join', () => {
  it('is as the policy says, and before it as the Dataset does', () => {
    const ofPolicy = { name: 'purchase', wait: 259_200_000, until: NOW, aggregate: 'max', default: 0 }
    expect(rewardJoin({}, PURCHASE, NOW)).toEqual(ofPolicy)
    expect(rewardJoin({}, { ...PURCHASE, type: 'number' }, NOW)).toEqual({ ...ofPolicy, aggregate: 'sum' })
    expect(rewardJoin({}, { ...PURCHASE, aggregate: 'first' }, NOW)).toEqual({ ...ofPolicy, aggregate: 'first' })
    const dataset = { name: 'spend', wait: '1s', aggregate: 'mean', default: -1 } as const
    expect(rewardJoin(dataset, PURCHASE, NOW)).toEqual({ ...dataset, wait: 1000, until: NOW })
  })

  it('is the sum of all, whenever they came, where nobody says', () => {
    expect(rewardJoin({ minimum: 0 }, undefined, NOW)).toEqual({ aggregate: 'sum', default: 0 })
  })

  it('is told where it left something out', () => {
    expect(joinNotes({ ...NOTHING, decisions: 9, rewards: 4 })).toEqual([])
    expect(joinNotes({ ...NOTHING, waiting: 1, orphans: 2 })).toEqual([
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
