import { describe, expect, it } from 'vitest'
import type { ActionKnowledge, SnapshotShowResult } from '../../src/policy/snapshot-describe.ts'
import { diffSnapshots } from '../../src/policy/snapshot-diff.ts'

const description = (...actions: readonly ActionKnowledge[]): SnapshotShowResult => ({
  schema: 'dap.snapshot-description/v1',
  digest: `sha256:${JSON.stringify(actions)}`,
  dap: null,
  policy: { name: 'p', digest: 'sha256:p' },
  learner: { type: 'linear', l2: 1, intercept: true },
  count: 7,
  data: null,
  features: ['intercept', 'level'],
  actions,
})

/** An action of the learner `linear`. */
const linear = (id: string, intercept: number, level: number, count = 7): ActionKnowledge => ({
  id,
  count,
  coefficients: [
    { feature: 'intercept', value: intercept, width: 1 },
    { feature: 'level', value: level, width: 1 },
  ],
})

describe('the difference of two snapshots', () => {
  it('has the actions of which anything changed, be it one coefficient, the largest change first', () => {
    const before = description(linear('same', 1, 1), linear('one', 1, 1), linear('two', 1, 1), linear('counted', 1, 1))
    const after = description(
      linear('same', 1, 1),
      linear('one', 1, 2),
      linear('two', 4, 0),
      linear('counted', 1, 1, 8),
    )
    const { same, facts, actions } = diffSnapshots(before, after)
    expect({ same, facts }).toEqual({ same: false, facts: [] })
    expect(actions.map(({ id, coefficients }) => [id, coefficients])).toEqual([
      [
        'two',
        [
          { feature: 'intercept', before: 1, after: 4 },
          { feature: 'level', before: 1, after: 0 },
        ],
      ],
      ['one', [{ feature: 'level', before: 1, after: 2 }]],
      ['counted', []],
    ])
  })

  it('puts actions that came or went before those that changed', () => {
    const { actions } = diffSnapshots(
      description(linear('changed', 1, 1), linear('gone', 1, 1)),
      description(linear('changed', 9, 9), linear('new', 1, 1)),
    )
    expect(actions.map(({ id, status }) => `${id} ${status}`)).toEqual(['gone removed', 'new added', 'changed changed'])
  })
})
