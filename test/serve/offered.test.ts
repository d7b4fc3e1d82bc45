import { describe, expect, it } from 'vitest'
import { createLogCheck } from '../../src/log/check/check.ts'
import { replay } from '../../src/log/records/replay.ts'
import type { DecideAnswer, Problem } from '../../src/serve/api.ts'
import { createLedger } from '../../src/serve/ids/ledger.ts'
import { createOnlineLearner } from '../../src/serve/rewards/online-learner.ts'
import { bench, NOW, policyOf, served } from './support.ts'

const shelf = () =>
  served(
    {
      context: { playerId: { type: 'string' }, level: { type: 'integer', default: 1 } },
      actions: {
        from: 'request',
        max: 4,
        features: { genre: { type: 'string', enum: ['card', 'puzzle'] }, price: { type: 'number', default: 0 } },
        eligible: 'action.price < 5.0',
      },
      features: [{ action: 'genre' }, { cross: ['level', 'action.genre'] }],
      algorithm: {
        learner: { type: 'linear', l2: 1, intercept: true, shared: true },
        exploration: { type: 'squarecb', gamma: { scale: 1000, exponent: 0.5 }, ties: 'random' },
      },
      guardrails: { minProbability: 0.01 },
      reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
    },
    'shelf',
  )

const context = { playerId: 'p1', level: 3 }
const rummy = { id: 'rummy', features: { genre: 'card' } }
const blocks = { id: 'blocks', features: { genre: 'puzzle', price: 2 } }
const dear = { id: 'dear', features: { genre: 'card', price: 9 } }

const ok = (answer: DecideAnswer | Problem): DecideAnswer => {
  if ('status' in answer) throw new Error(JSON.stringify(answer))
  return answer
}
const pointers = (answer: DecideAnswer | Problem) =>
  'errors' in answer ? answer.errors?.map(({ pointer }) => pointer) : []

describe('a server of actions that requests bring', () => {
  it('answers and records them, and what it wrote is checked and recomputed', () => {
    const self = bench([shelf()])
    const answer = ok(self.engine.decide({ decisionId: 'd', context, actions: [rummy, dear, blocks] }, 0))
    const chosen = [rummy, blocks].find(({ id }) => id === answer.action)
    expect(answer.features).toEqual({ price: 0, ...chosen?.features })
    const [record] = self.decisions
    expect(record).toMatchObject({
      schema: 'dap.decision/v2',
      eligible: [{ id: 'rummy', features: { genre: 'card', price: 0 } }, blocks],
      excluded: [{ ...dear, by: 'action.price < 5.0' }],
    })
    expect(replay(policyOf(self), record)).toEqual({ same: true, differences: [] })
    const check = createLogCheck(new Map([['sha256:test', { policy: policyOf(self), wait: 1 }]]))
    check.line('log', 1, JSON.stringify(record))
    expect(check.finish().faults).toEqual([])
  })

  it('counts them by their places: ids may be any number', () => {
    const self = bench([shelf()])
    for (let i = 0; i < 40; i++) {
      ok(
        self.engine.decide(
          {
            context,
            actions: [
              { ...rummy, id: `r${i}` },
              { ...blocks, id: `b${i}` },
            ],
          },
          0,
        ),
      )
    }
    const labels = new Set(self.seen.filter(line => line.startsWith('decided')).map(line => line.split(' ').at(-1)))
    expect([...labels].sort()).toEqual(['#1', '#2'])
  })

  it('names every fault, of the context and of the actions', () => {
    const { engine } = bench([shelf()])
    expect(pointers(engine.decide({ context: { playerId: 'p', level: 1.5 } }, 0))).toEqual([
      '/context/level',
      '/actions',
    ])
    expect(
      pointers(
        engine.decide({ context, actions: [rummy, rummy, { id: 'x', features: { genre: 'chess', size: 1 } }] }, 0),
      ),
    ).toEqual(['/actions/1/id', '/actions/2/features/size', '/actions/2/features/genre'])
    expect(
      pointers(bench([served()]).engine.decide({ context: { playerId: 'p', platform: 'ios' }, actions: [rummy] }, 0)),
    ).toEqual(['/actions'])
  })

  it('takes a retry for the same whatever the order of its lists, and another offer under its id for a conflict', () => {
    const { engine } = bench([shelf()])
    const ask = (request: object) => engine.decide({ decisionId: 'd', context, ...request }, 0)
    const first = ok(ask({ actions: [rummy, blocks, dear], exclude: ['x', 'dear'] }))
    expect(ok(ask({ actions: [dear, blocks, rummy], exclude: ['dear'] }))).toEqual(first)
    for (const other of [
      { actions: [rummy, blocks, dear] },
      { actions: [rummy, blocks], exclude: ['dear'] },
      { actions: [rummy, { ...blocks, features: { genre: 'puzzle', price: 3 } }, dear], exclude: ['dear'] },
    ]) {
      expect(ask(other)).toMatchObject({ status: 409 })
    }
  })

  it('knows a retry after a restart, from the record alone', () => {
    const self = bench([shelf()])
    const first = ok(self.engine.decide({ decisionId: 'd', context, actions: [rummy, dear, blocks] }, 0))
    const ledger = createLedger(() => 0, { retentionMs: 600_000, retained: 10 })
    const [record] = self.decisions
    return import('../../src/serve/ids/ledger.ts').then(({ claimOfDecision }) => {
      ledger.restore([{ claim: claimOfDecision(record), ageMs: 5 }])
      const again = bench([shelf()], { ledger })
      expect(ok(again.engine.decide({ decisionId: 'd', context, actions: [rummy, dear, blocks] }, 0))).toEqual(first)
      expect(again.engine.decide({ decisionId: 'd', context, actions: [rummy, dear] }, 0)).toMatchObject({
        status: 409,
      })
    })
  })

  it('serves nothing that a request excludes where the kill switch is thrown', () => {
    const self = bench([shelf()])
    self.killed.add('shelf')
    const ask = (exclude: string[]) => ok(self.engine.decide({ context, actions: [dear, rummy, blocks], exclude }, 0))
    expect(ask([])).toMatchObject({ action: 'rummy', servedBy: 'fallback' })
    expect(ask(['rummy'])).toMatchObject({ action: 'blocks', servedBy: 'fallback' })
    expect(ask(['rummy', 'blocks'])).toMatchObject({ action: null, servedBy: 'none' })
  })

  it('learns of what was taken, by its features', async () => {
    const first = shelf()
    const policies = new Map([['shelf', first]])
    const published: object[] = []
    const learner = createOnlineLearner({
      source: { policies, replace: async (_, next) => void policies.set('shelf', next) },
      dap: 'test',
      publishMs: 0,
      startedAt: 0,
      publish: async (_, snapshot) => void published.push(snapshot),
    })
    const self = bench([first], { learner })
    for (let i = 0; i < 30; i++) {
      const { decisionId, action } = ok(self.engine.decide({ context, actions: [rummy, blocks] }, 0))
      self.engine.reward([{ decisionId, value: action === 'rummy' ? 1 : 0 }])
    }
    await learner.tick(NOW + 3_600_001)
    expect(learner.stats).toMatchObject({ learnt: 30, unusable: 0 })
    expect(published).toHaveLength(1)
    const { policy } = policies.get('shelf') as ReturnType<typeof shelf>
    const x = new Float64Array(policy.features.rows * policy.features.dimension)
    const pool = policy.offer({
      actions: [
        { id: 'new', features: { genre: 'card' } },
        { id: 'other', features: { genre: 'puzzle' } },
      ],
    })
    if ('faults' in pool) throw new Error()
    policy.features.write(context, x, pool)
    policy.learner.predict(x)
    expect(policy.learner.value[0]).toBeGreaterThan(0.7)
    expect(policy.learner.value[1]).toBeLessThan(0.3)
  })
})
