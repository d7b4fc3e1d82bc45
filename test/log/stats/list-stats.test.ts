import { describe, expect, it } from 'vitest'
import { drawIndex, drawUniform } from '../../../src/policy/draw.ts'
import { dap } from '../../support/run-dap.ts'
import { reward } from '../support.ts'
import { listStats, PAGE, RANKING } from './lists.ts'

const COUNT = 6_000

describe('the statistics of lists', () => {
  it.each([
    ['a ranking', RANKING],
    ['declared slots', PAGE],
  ] as const)('calibrate each slot of %s, and all of them together', (_, decision) => {
    const { policies, alarms, passed, skipped } = listStats(decision, COUNT)
    expect({ alarms, passed, skipped }).toEqual({ alarms: [], passed: true, skipped: 0 })
    const [{ slots = [], actions, decisions }] = policies
    expect(decisions).toBe(COUNT)
    expect(slots.map(({ slot }) => slot)).toEqual([0, 1, 2])
    const filled = slots.reduce((sum, { lists }) => sum + lists, 0)
    expect(actions.reduce((sum, { chosen }) => sum + chosen, 0)).toBe(filled)
    for (const slot of slots) {
      expect(slot.actions.reduce((sum, { chosen }) => sum + chosen, 0)).toBe(slot.lists)
      expect(slot.actions.reduce((sum, { expected }) => sum + expected, 0)).toBeCloseTo(slot.lists, 6)
      expect(slot).toMatchObject({ examined: null, rewarded: 0 })
    }
    if (decision === PAGE) {
      expect(slots[0].actions.map(({ action }) => action).sort()).toEqual(['a', 'b', 'c', 'd'])
      expect(slots[2].actions.map(({ action }) => action).sort()).toEqual(['a', 'b'])
      expect(slots[2].lists).toBeLessThan(COUNT)
    }
  })

  it('show a slot that was not drawn from its vector, and no other', () => {
    const { alarms } = listStats(RANKING, COUNT, (record, stats) => {
      const [first, second, last] = record.slots
      const { propensities = [] } = last
      const greedy = propensities.indexOf(Math.max(...propensities))
      const wrong = { ...last, action: record.eligible[greedy].id, propensity: propensities[greedy] }
      stats.decision({ ...record, slots: [first, second, wrong] })
    })
    expect(new Set(alarms.flatMap(({ slot }) => slot ?? []))).toEqual(new Set([2]))
    expect(alarms.some(({ check, slot }) => check === 'inverse-propensity' && slot === 2)).toBe(true)
  })

  it('show lists that are lost by what stands in a slot', () => {
    const { alarms } = listStats(RANKING, COUNT, (record, stats) => {
      if ((record.slots[1].u ?? 0) > 0.1) stats.decision(record)
    })
    expect(alarms).toContainEqual(expect.objectContaining({ check: 'uniformity', slot: 1 }))
    expect(alarms.filter(({ check, slot }) => check === 'uniformity' && slot === 2)).toEqual([])
  })

  it('say how often a slot was seen, and a reward came for it', () => {
    const { policies } = listStats(RANKING, 100, (record, stats, i) => {
      stats.decision(record)
      const { decisionId } = record
      const tell = (slot: number | undefined, kind: 'metric' | 'activation') =>
        stats.reward({
          ...reward(decisionId, { rewardId: `${kind}${i}-${slot}` }),
          ...(kind === 'activation' ? { kind, value: undefined } : {}),
          ...(slot === undefined ? {} : { slot }),
        })
      // All see the first, half the second; of every tenth list all.
      tell(0, 'activation')
      if (i % 2 === 0) tell(1, 'activation')
      if (i % 10 === 0) tell(undefined, 'activation')
      if (i % 4 === 0) tell(1, 'metric')
      if (i % 20 === 0) tell(undefined, 'metric')
    })
    const [{ slots = [], joinRate }] = policies
    expect(slots.map(({ examined, rewarded }) => [examined, rewarded])).toEqual([
      [1, 0.05],
      [0.5, 0.25],
      [0.1, 0],
    ])
    expect(joinRate).toBe(0.25)
  })

  it('are a table a slot, and the log shows the whole list', async () => {
    const lines: string[] = []
    listStats(RANKING, 40, record => void lines.push(JSON.stringify(record)))
    const rewards = [
      { ...reward('d1', { rewardId: 'r' }), slot: 2 },
      { ...reward('d1', { rewardId: 's' }), kind: 'activation', slot: 0, value: undefined },
      { ...reward('d1', { rewardId: 't' }), kind: 'activation', value: undefined },
    ].map(each => JSON.stringify({ ...each, ts: '2026-11-29T12:00:01.000Z', receivedTs: undefined }))
    const files = {
      'dap.yaml': 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: shop }\nspec: {}\n',
      'logs/a.jsonl': `${[...lines, ...rewards].join('\n')}\n`,
    }
    const { stdout } = await dap('log stats logs', files)
    const at = stdout.indexOf('slot  lists')
    expect(stdout.slice(at, stdout.indexOf('\n\n', at))).toMatchInlineSnapshot(`
      "slot  lists  least likely action       p  mean 1/propensity       p   p of u   seen  rewards came for
         0     40  a                    0.1143  4.752 for 5        0.8284  0.04486  2.5 %               0 %
         1     40  e                    0.3557  4.246 for 4        0.6808    0.531  2.5 %               0 %
         2     40  a                    0.2711  2.788 for 3        0.6443   0.3155  2.5 %             2.5 %"
    `)
    expect(
      (await dap('log tail logs --no-follow -n 39', files)).stdout.split('\n').slice(0, 5).join('\n'),
    ).toMatchInlineSnapshot(`
      "12:00:00.000  d1  p1  e, c, b  0.4733, 0.3964, 0.3532
      12:00:00.000  d2  p2  e, b, d  0.5482, 0.05449, 0.7633
      12:00:00.000  d3  p3  d, c, b  0.1398, 0.4388, 0.3453
      12:00:00.000  d4  p4  e, d, c  0.4618, 0.7392, 0.3557
      12:00:00.000  d5  p5  e, d, c  0.628, 0.4941, 0.463"
    `)
  })

  it('know that every u is its own', () => {
    listStats(RANKING, 50, record => {
      for (const { slot, u = record.randomness.u, propensities = [], action } of record.slots) {
        expect(u).toBe(drawUniform(record.randomness.salt, record.decisionId, slot))
        expect(record.eligible[drawIndex(propensities, u)].id).toBe(action)
      }
    })
  })
})
