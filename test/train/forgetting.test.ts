import { describe, expect, it } from 'vitest'
import { foldWorkers } from '../../src/adapters/node/workers.ts'
import { DapError } from '../../src/errors.ts'
import type { DatasetSpec, LearnerSpec, PolicySpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { snapshotText, takeSnapshot } from '../../src/policy/snapshot.ts'
import type { Fold } from '../../src/train/fold.ts'
import { train } from '../../src/train/train.ts'
import { type MemoryColumn, memoryTables } from '../evaluate/support/memory-tables.ts'

const DAY = 86_400_000
const END = Date.UTC(2026, 10, 18, 12)
const MAPPING = { action: 'action', propensity: 'p', reward: 'r', decisionId: 'id', ts: 'ts', context: {} }

const policyOf = (learner: LearnerSpec): PolicySpec => ({
  context: { x: { type: 'number' } },
  features:
    learner.type === 'hybrid' || ('shared' in learner && learner.shared)
      ? [{ field: 'x' }, { action: 'id' }]
      : learner.type === 'hashed'
        ? undefined
        : [{ field: 'x' }],
  actions: [{ id: 'a' }, { id: 'b' }],
  decision: { type: 'single' },
  mode: 'online',
  algorithm: { learner, exploration: { type: 'greedy', ties: 'random' } },
  guardrails: { minProbability: 0.05 },
  reward: { name: 'reward', type: 'binary', wait: '1h', default: 0 },
})
const HYBRID: LearnerSpec = { type: 'hybrid', l2: 1, intercept: true }
const MEAN: LearnerSpec = { type: 'mean' }
const HASHED: LearnerSpec = { type: 'hashed', l2: 1 }

const LOGISTIC: LearnerSpec = { type: 'logistic', l2: 1, intercept: true }
const SHARED: LearnerSpec = { ...LOGISTIC, shared: true }

const DISCOUNT = { discount: { halfLife: '14d' } }
const WINDOW = { window: '28d' }

type Rows = Readonly<Record<string, MemoryColumn>>

/** Rows of so many days until END, in any order; `a` is the better one in the last 20, and `b` before. */
function logOf(rows: number, days: number): Rows {
  const rng = stream(1, 'log')
  const all = Array.from({ length: rows }, (_, i) => {
    const age = i === 0 ? 0 : rng.uniform() * days
    const action = rng.uniform() < 0.5 ? 'a' : 'b'
    const good = age < 20 ? 'a' : 'b'
    return {
      id: `d${i}`,
      x: Math.round(8 * rng.uniform()) / 8,
      action,
      p: 0.5,
      r: rng.uniform() < (action === good ? 0.7 : 0.2) ? 1 : 0,
      ts: new Date(END - age * DAY).toISOString(),
    }
  })
  return Object.fromEntries(
    (['id', 'x', 'action', 'p', 'r', 'ts'] as const).map(name => [name, all.map(row => row[name])]),
  )
}

function learn(
  rows: Rows,
  learner: LearnerSpec,
  { until, dataset, fold }: { until?: number; dataset?: Partial<DatasetSpec>; fold?: Fold } = {},
) {
  const spec: DatasetSpec = {
    files: [],
    format: 'csv',
    mapping: MAPPING,
    propensity: 'logged',
    reward: {},
    quality: { badRows: 'fail' },
    ...dataset,
  }
  const policy = { name: 'offer', spec: policyOf(learner), digest: 'sha256:0' }
  const opened = { name: 'log', spec, paths: ['memory'] }
  return train({ policy, dataset: opened, weights: 'none', heldOut: 0, until }, memoryTables({ memory: rows }), fold)
}

async function problem(promise: Promise<unknown>): Promise<DapError> {
  const error = await promise.catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(DapError)
  return error as DapError
}

describe('training a learner that forgets', () => {
  it('learns what is so now, and says what it remembers', async () => {
    const rows = logOf(4000, 100)
    const [all, recent] = await Promise.all([learn(rows, MEAN), learn(rows, { ...MEAN, window: '14d' })])
    const better = ({ policy }: typeof all) => (policy.learner.value[0] > policy.learner.value[1] ? 'a' : 'b')
    expect([better(all), better(recent)]).toEqual(['b', 'a'])
    const { remembered } = recent.learntFrom
    expect(remembered).toMatchObject({
      bucket: '6h',
      since: '2026-11-04T18:00:00.000Z',
      at: '2026-11-18T12:00:00.000Z',
    })
    expect(remembered?.rows).toBe(remembered?.effectiveRows)
    expect(remembered?.rows).toBe(Array.from(rows.ts).filter(ts => String(ts) >= '2026-11-04T18').length)
    expect(recent.notes).toEqual([`${4000 - remembered!.rows} rows of before 2026-11-04T18:00:00.000Z no longer count`])
    expect([recent.rows, recent.policy.learner.count]).toEqual([4000, remembered?.rows])
    expect(all.learntFrom.remembered).toBeUndefined()
  })

  it('counts back from where it is told to, and from the last decision without', async () => {
    const rows = logOf(500, 10)
    const learner: LearnerSpec = { ...MEAN, discount: { halfLife: '14d' } }
    const [now, later] = await Promise.all([learn(rows, learner), learn(rows, learner, { until: END + 14 * DAY })])
    expect(later.policy.learner.count).toBeCloseTo(now.policy.learner.count / 2, 9)
    expect(later.learnt.map(each => each.rows)).toEqual(now.learnt.map(each => each.rows))
    expect(later.learntFrom.remembered?.effectiveRows).toBeCloseTo(later.policy.learner.count, 9)
    const error = await problem(learn(rows, learner, { until: END + 400 * DAY }))
    expect(error.message).toContain('every row that could be learnt is of before 2027-')
    expect(error.hint).toContain('discount.halfLife')
  })

  it('is the same from any number of workers, and needs no order of the log', async () => {
    const rows = logOf(40_000, 120)
    const byTime = Array.from(rows.ts, (ts, i) => ({ ts: String(ts), i })).sort((a, b) => (a.ts < b.ts ? -1 : 1))
    const sorted = Object.fromEntries(
      Object.entries(rows).map(([name, column]) => [name, byTime.map(({ i }) => column[i])]),
    )
    for (const way of [DISCOUNT, WINDOW]) {
      const learner = { ...HYBRID, ...way } as LearnerSpec
      const text = async (log: Rows, fold?: Fold) => {
        const { policy, learntFrom, rows } = await learn(log, learner, { fold })
        return snapshotText(takeSnapshot(policy, { data: { dataset: 'log', digest: 'd', rows, ...learntFrom } }))
      }
      const one = await text(rows)
      expect(
        await text(rows, foldWorkers(new URL('../../src/worker.ts', import.meta.url), 2, new AbortController().signal)),
      ).toBe(one)
      expect(await text(sorted as Rows)).toBe(one)
    }
  })

  it.each([
    { ...HASHED, ...DISCOUNT },
    { ...HASHED, ...WINDOW },
    { ...LOGISTIC, ...DISCOUNT },
    { ...SHARED, ...WINDOW },
  ] as LearnerSpec[])('passes over rows as they count then, the same from any number of workers: %o', async learner => {
    const rows = logOf(40_000, 120)
    const run = async (fold?: Fold) => {
      const { policy, learntFrom, learnt, fit, hashing } = await learn(rows, learner, { fold })
      return { snapshot: snapshotText(takeSnapshot(policy)), learntFrom, learnt, fit, hashing }
    }
    const one = await run()
    const entry = new URL('../../src/worker.ts', import.meta.url)
    for (const workers of [2, 8])
      expect(await run(foldWorkers(entry, workers, new AbortController().signal))).toEqual(one)
    expect(one.fit?.converged).toBe(true)
    expect(one.learntFrom.remembered?.rows).toBeLessThan(39_000)
  })

  it.each([HASHED, LOGISTIC, SHARED])(
    'fits within a window what it would fit had nothing else been, and with a half-life two old rows for one: %o',
    async learner => {
      const rows = logOf(6000, 100)
      const since = '2026-10-22T00'
      const recent = Array.from(rows.ts.keys()).filter(i => String(rows.ts[i]) >= since)
      const only = Object.fromEntries(Object.entries(rows).map(([name, column]) => [name, recent.map(i => column[i])]))
      const windowed = await learn(rows, { ...learner, ...WINDOW } as LearnerSpec)
      const alone = await learn(only as Rows, learner)
      expect([windowed.policy.learner.state(), windowed.hashing]).toEqual([alone.policy.learner.state(), alone.hashing])
      expect(windowed.notes).toEqual([`${6000 - recent.length} rows of before ${since}:00:00.000Z no longer count`])

      // Of 14 days ago there are two of each row, which count half.
      const base = logOf(3000, 0.4)
      const old = Array.from(base.ts, (ts, i) =>
        i % 3 === 0 ? new Date(Date.parse(String(ts)) - 14 * DAY).toISOString() : ts,
      )
      const copies = Array.from(base.ts.keys()).flatMap(i => (i % 3 === 0 ? [i, i] : [i]))
      const twice = Object.fromEntries(
        Object.entries({ ...base, ts: old }).map(([name, column]) => [name, copies.map(i => column[i])]),
      )
      const discounted = await learn(twice as Rows, { ...learner, ...DISCOUNT } as LearnerSpec)
      const [is, wanted] = [discounted, await learn(base, learner)].map(({ policy }) => policy.learner.state())
      expect(is['slots']).toEqual(wanted['slots'])
      for (const [name, numbers] of Object.entries(wanted))
        for (const [i, number] of [numbers].flat().entries()) expect([is[name]].flat()[i]).toBeCloseTo(number, 6)
      expect(discounted.policy.learner.count).toBeCloseTo(3000, 6)
      expect(discounted.learntFrom.remembered).toMatchObject({ rows: 4000, effectiveRows: expect.closeTo(3000, 6) })
    },
  )

  it('refuses a log without times, and a row without one', async () => {
    const learner: LearnerSpec = { ...MEAN, window: '7d' }
    const error = await problem(learn(logOf(5, 1), learner, { dataset: { mapping: { ...MAPPING, ts: undefined } } }))
    expect(error.message).toBe('`offer` forgets by the times of decisions, and Dataset `log` has none')
    expect(error.hint).toContain('`ts`')
    const rows = { ...logOf(3, 1), ts: ['2026-01-01T00:00:00Z', null, '2026-01-01T00:00:00Z'] }
    expect((await problem(learn(rows, learner))).message).toContain('memory:2: it has no time')
    expect((await learn(rows, MEAN)).rows).toBe(3)
  })
})
