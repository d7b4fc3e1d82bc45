import { expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import { replay } from '../../src/log/records/replay.ts'
import { answerOf } from '../../src/serve/answer.ts'
import { bench, NOW, policyOf, served } from './support.ts'

const at = (ms: number) => new Date(NOW + ms).toISOString()

/** Three levels: one always, one from a minute after the start, one until two minutes after it. */
const LEVELS: Partial<PolicySpec> = {
  features: [{ action: 'difficulty' }],
  actions: {
    set: 'levels',
    eligible: 'action.difficulty <= double(ctx.level)',
    pool: {
      features: { difficulty: { type: 'number' } },
      list: [
        { id: 'always', features: { difficulty: 1 } },
        { id: 'later', features: { difficulty: 2 }, from: at(60_000) },
        { id: 'before', features: { difficulty: 3 }, until: at(120_000) },
        { id: 'hard', features: { difficulty: 90 } },
      ],
    },
  },
  algorithm: {
    learner: { type: 'linear', l2: 1, intercept: true, shared: true },
    exploration: { type: 'thompson', scale: 1 },
  },
}

it('decides among what may be taken at the time, records that, and answers the same after a restart', () => {
  const self = bench([served(LEVELS)])
  const ask = (time: number, exclude?: readonly string[]) => {
    self.time = time
    const context = { playerId: 'p', level: 5, platform: 'ios' }
    const answer = self.engine.decide({ context, ...(exclude === undefined ? {} : { exclude: [...exclude] }) }, time)
    return { answer, record: self.decisions.at(-1)! }
  }
  const said = (time: number, exclude?: readonly string[]) => {
    const { eligible, excluded } = ask(time, exclude).record
    return [eligible.map(({ id }) => id).join(), ...excluded.map(({ id, by }) => `${id} by ${by}`)]
  }
  const rule = 'hard by action.difficulty <= double(ctx.level)'
  const later = `later by dates: from ${at(60_000)}`
  const before = `before by dates: until ${at(120_000)}`
  expect(said(0)).toEqual(['always,before', later, rule])
  expect(said(59_999)).toEqual(['always,before', later, rule])
  expect(said(60_000)).toEqual(['always,later,before', rule])
  expect(said(119_999)).toEqual(['always,later,before', rule])
  expect(said(120_000)).toEqual(['always,later', before, rule])
  // A clock may be set back.
  expect(said(0)).toEqual(['always,before', later, rule])
  expect(said(0, ['always', 'later', 'nobody'])).toEqual(['before', 'always by request', 'later by request', rule])
  self.killed.add('shop-offer')
  expect(ask(0).record).toMatchObject({ served: { by: 'fallback', reason: 'killed' }, slots: [{ action: 'always' }] })
  expect(ask(0, ['always', 'before']).record).toMatchObject({ served: { by: 'none' }, slots: [{ action: null }] })
  self.killed.clear()

  for (const record of self.decisions) {
    expect(record.schema).toBe('dap.decision/v1')
    expect(replay(policyOf(self), record)).toEqual({ same: true, differences: [] })
  }
  const { answer, record } = ask(90_000)
  expect(answer).toMatchObject({ features: { difficulty: expect.any(Number) } })
  expect(JSON.parse(JSON.stringify(answerOf(record)))).toEqual(JSON.parse(JSON.stringify(answer)))
})
