import { describe, expect, it } from 'vitest'
import { createPolicy } from '../../src/policy/policy.ts'
import { createTeacher } from '../../src/simulate/teacher.ts'
import { policy } from './support.ts'

const ROW = policy('row', {
  actions: [
    { id: 'a', features: { price: 2 } },
    { id: 'b', features: { price: 3 } },
  ],
  features: [{ action: 'price' }, { slot: 'size' }],
  decision: {
    type: 'slots',
    slots: [4, 5, 6].map(size => ({ id: `s${size}`, features: { size } })),
  },
  algorithm: {
    learner: { type: 'linear', shared: true, l2: 1, intercept: true },
    exploration: { type: 'softmax', temperature: 1 },
  },
  credit: { position: [1, 0.5] },
})

describe('a list is taught', () => {
  it('slot by slot, with the features of slot and action times the examination of the slot; an empty one teaches nothing', () => {
    const made = createPolicy(ROW.name, ROW.spec, ROW.digest)
    const rows: unknown[] = []
    const teach = createTeacher(made, { learn: (action, x, reward) => rows.push([action, [...x], reward]) })
    teach({}, made.pool!, [1, -1, 0], [0, 0, 1])
    expect(rows).toEqual([
      [1, [1, 3, 4], 0],
      [0, [0.5, 1, 3], 1],
    ])
  })
})
