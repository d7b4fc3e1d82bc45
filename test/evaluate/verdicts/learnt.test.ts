import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/evaluate/evaluate.ts'
import { capped, fairRows, type LearntDecisions, type LogFacts } from '../../../src/evaluate/verdicts/learnt.ts'
import type { CandidateSpec, DatasetSpec, PolicySpec } from '../../../src/kinds.ts'
import type { Tables } from '../../../src/log/tables.ts'
import { stream } from '../../../src/math/rng.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import type { SnapshotData } from '../../../src/policy/snapshot.ts'
import { train } from '../../../src/train/train.ts'
import { type MemoryColumn, memoryTables } from '../support/memory-tables.ts'
import { plan } from '../support/plan.ts'

const learnt: LearntDecisions = {
  kind: 'decisions',
  digest: 'one',
  from: 100,
  to: 200,
  heldOut: { groups: 205, by: 'unit' },
  mend: 'MEND',
}
const log: LogFacts = {
  digest: 'two',
  by: 'unit',
  first: 100,
  last: 200,
  timed: true,
  ids: 'unclear',
  regrouped: false,
}
const none = { ...learnt, heldOut: { groups: 0, by: 'unit' } } as const

const units = { kind: 'units', groups: 205 }
const all = (from: string) => ({ kind: 'all', from })
const refused = (reason: string) => ({ kind: 'none', reason: expect.stringContaining(reason) })

describe('the rows on which a candidate is judged', () => {
  it('are all for one that learnt nothing, or of which nothing is known', () => {
    expect(fairRows({ kind: 'nothing' }, log)).toEqual(all('nothing'))
    expect(fairRows({ kind: 'unsaid' }, log)).toEqual(all('unknown'))
    expect(fairRows({ kind: 'unknown' }, log)).toEqual(all('unknown'))
    expect(fairRows({ ...learnt, heldOut: undefined }, log)).toEqual(all('unknown'))
    expect(fairRows({ ...learnt, heldOut: undefined }, { ...log, last: 201 })).toEqual({ kind: 'after', ms: 200 })
  })

  it('are none for one that is said to have learnt the log', () =>
    expect(fairRows({ kind: 'log' }, log)).toEqual(refused('made from the log')))

  it.each<[string, Partial<LogFacts>, object]>([
    ['ends before what was learnt', { first: 10, last: 99 }, all('other-decisions')],
    ['ends with the first decision that was learnt', { first: 10, last: 100 }, units],
    ['begins with the last one', { first: 200, last: 300 }, units],
    ['begins after it', { first: 201, last: 300 }, all('other-decisions')],
    ['begins after it, but not every row has a time', { first: 201, last: 300, timed: false }, units],
    ['begins after it, but is the same file', { first: 201, last: 300, digest: 'one' }, units],
    ['begins after it, but has ids that were learnt', { first: 201, last: 300, ids: 'shared' }, units],
    ['has other ids, which may be new names of the same', { ids: 'other' }, units],
    ['has other ids, and other times', { first: 201, last: 300, ids: 'other' }, all('other-decisions')],
    ['has other ids, but is the same file', { ids: 'other', digest: 'one' }, units],
    ['has no times', { first: undefined, last: undefined, timed: false }, units],
  ])('where it held units out, and the log %s', (_, facts, rows) =>
    expect(fairRows(learnt, { ...log, ...facts })).toEqual(rows),
  )

  it.each<[string, Partial<LogFacts>, object]>([
    [
      'ends with what was learnt',
      { ids: 'shared' },
      refused('it learnt these decisions, and none were held out: MEND'),
    ],
    ['may be what was learnt', {}, refused('it may have learnt these decisions')],
    ['goes on after it', { last: 201 }, { kind: 'after', ms: 200 }],
    ['goes on after it, in the same file', { last: 201, digest: 'one' }, { kind: 'after', ms: 200 }],
    ['has no times', { first: undefined, last: undefined, timed: false }, refused('none were held out')],
    ['has other ids', { ids: 'other' }, { ...all('other-decisions'), doubtful: true }],
    ['has other ids, and goes on after it', { ids: 'other', last: 201 }, { kind: 'after', ms: 200 }],
    [
      'has other ids and no times',
      { ids: 'other', first: undefined, last: undefined, timed: false },
      { ...all('other-decisions'), doubtful: true },
    ],
  ])('where it held nothing out, and the log %s', (_, facts, rows) =>
    expect(fairRows(none, { ...log, ...facts })).toEqual(rows),
  )

  it('are those of held out units only where units are what they were', () => {
    expect(fairRows(learnt, { ...log, by: 'decision' })).toEqual(refused('cannot be told here'))
    expect(fairRows(learnt, { ...log, regrouped: true })).toEqual(refused('cannot be told here'))
    expect(fairRows(learnt, { ...log, regrouped: true, last: 201 })).toEqual({ kind: 'after', ms: 200 })
    const byRow = { ...learnt, heldOut: { groups: 205, by: 'row' } } as const
    expect(fairRows(byRow, { ...log, by: 'row' })).toEqual(refused('cannot be told here'))
    expect(fairRows(byRow, { ...log, by: 'row', digest: 'one' })).toEqual(units)
    const said = { ...learnt, digest: undefined, heldOut: { groups: 205 } }
    expect(fairRows(said, { ...log, by: 'decision' })).toEqual(units)
    expect(fairRows(said, { ...log, by: 'row' })).toEqual(refused('cannot be told here'))
  })
})

describe('a verdict', () => {
  const ok = { verdict: 'ok', reasons: [] } as const
  const refuse = { verdict: 'refuse', reasons: ['few rows'] } as const
  it('is no better than what was learnt allows, and no better than it was', () => {
    const caution = { from: 'unknown', cap: { verdict: 'caution', reasons: ['who knows'] } } as const
    expect(capped(ok, { from: 'nothing' })).toEqual(ok)
    expect(capped(ok, caution)).toEqual(caution.cap)
    expect(capped(refuse, caution)).toEqual({ verdict: 'refuse', reasons: ['who knows', 'few rows'] })
    expect(capped(ok, { from: 'this-log', cap: refuse })).toEqual(refuse)
  })
})

const CELLS = Array.from({ length: 25 }, (_, c) => `c${c}`)
const LINEAR: PolicySpec = {
  unit: 'player',
  context: { player: { type: 'string' }, x: { type: 'number' }, cell: { type: 'string', enum: CELLS } },
  features: [{ field: 'x' }, { field: 'cell', transform: 'one-hot' }],
  actions: Array.from({ length: 8 }, (_, a) => ({ id: String(a) })),
  decision: { type: 'single' },
  mode: 'online',
  algorithm: { learner: { type: 'linear', l2: 1, intercept: true }, exploration: { type: 'greedy', ties: 'random' } },
  guardrails: { minProbability: 0.01 },
  reward: { name: 'reward', type: 'binary', wait: '1h', default: 0 },
}
const DATASET: DatasetSpec = {
  files: [],
  format: 'csv',
  mapping: { action: 'action', propensity: 'p', reward: 'r', unit: 'player', decisionId: 'id', ts: 'ts', context: {} },
  propensity: 'logged',
  reward: {},
  quality: { badRows: 'fail' },
}

type Rows = Readonly<Record<string, MemoryColumn>>

/** A log of a uniform policy over 8 actions, in which neither action nor context has anything to do with the reward. */
function noise(rows: number, seed: number, first = 0): Rows {
  const rng = stream(seed, 'noise')
  const draws = (make: (i: number) => string | number) => Array.from({ length: rows }, (_, i) => make(i))
  return {
    id: draws(i => `d${first + i}`),
    player: draws(i => `p${(first + i) % 500}`),
    ts: draws(i => new Date(Date.UTC(2026, 0, 1) + 60_000 * (first + i)).toISOString()),
    action: draws(() => String(Math.floor(8 * rng.uniform()))),
    p: new Float64Array(rows).fill(1 / 8),
    x: draws(() => rng.uniform()),
    cell: draws(() => CELLS[Math.floor(25 * rng.uniform())]),
    r: draws(() => (rng.uniform() < 0.3 ? 1 : 0)),
  }
}

interface Learnt {
  readonly policy: Policy
  readonly data: SnapshotData
}

async function learn(tables: Tables, heldOut: number, digest = 'one'): Promise<Learnt> {
  const dataset = { name: 'log', spec: DATASET, paths: ['memory'] }
  const policy = { name: 'offer', spec: LINEAR, digest: '' }
  const training = await train({ policy, dataset, weights: 'none', heldOut }, tables)
  return { policy: training.policy, data: { dataset: 'log', digest, rows: training.rows, ...training.learntFrom } }
}

interface Judged {
  readonly learnt?: Readonly<Record<string, Learnt | { readonly policy: Policy; readonly data: null }>>
  readonly others?: readonly CandidateSpec[]
  readonly digest?: string
}

function judge(tables: Tables, { learnt = {}, others = [], digest = 'one' }: Judged) {
  const names = Object.keys(learnt)
  const made = plan({
    dataset: DATASET,
    spec: {
      candidates: [...names.map(name => ({ name, policy: 'offer', snapshot: 's.json' })), ...others],
      gates: names.map(name => ({ id: name, expr: `candidate('${name}').estimate('ips').lift.lower > 0.0` })),
    },
    policies: new Map(names.map(name => [name, learnt[name].policy])),
  })
  const learntFrom = new Map(names.map(name => [name, learnt[name].data]))
  return evaluate({ ...made, dataset: { ...made.dataset, digest }, learntFrom }, tables)
}

const scored = (
  learntFrom?: CandidateSpec extends infer C ? (C extends { learntFrom?: infer L } ? L : never) : never,
) => ({
  name: 'scored',
  probabilities: { columns: 'p{action}' },
  ...(learntFrom === undefined ? {} : { learntFrom }),
})
const withProbabilities = (rows: Rows): Rows => ({
  ...rows,
  ...Object.fromEntries(Array.from({ length: 8 }, (_, a) => [`p${a}`, rows.p])),
})

describe('an evaluation', () => {
  const rows = noise(4000, 1)
  const tables = memoryTables({ memory: rows })

  it('judges every candidate on the units that none has learnt, and says so', async () => {
    const [small, large] = [await learn(tables, 100), await learn(tables, 300)]
    const result = await judge(tables, { learnt: { small, large }, others: [{ name: 'uniform', uniform: true }] })
    expect(result.dataset).toMatchObject({ judgedOn: { heldOut: { groups: 100, by: 'unit' } } })
    expect(result.dataset.notes[0]).toBe('judged on 9.8 % of the units, which were held out')
    expect(result.candidates.map(({ learntFrom }) => learntFrom)).toEqual(['this-log', 'this-log', 'nothing'])
    const { heldOutPart } = await train(
      {
        policy: { name: 'o', spec: LINEAR, digest: '' },
        dataset: { name: 'l', spec: DATASET, paths: ['memory'] },
        weights: 'none',
        heldOut: 100,
      },
      tables,
    )
    let expected = 0
    for await (const chunk of tables.read({ format: 'csv', paths: ['memory'], part: heldOutPart }, []))
      expected += chunk.rows
    expect(result.dataset.rows).toBe(expected)
  })

  it.each([
    ['in another order', (i: number) => 3999 - i, 4000],
    ['without its beginning', (i: number) => i + 1500, 2500],
  ])('knows its decisions again %s', async (_, place, count) => {
    const moved = Object.fromEntries(
      Object.entries(rows).map(([name, values]) => [name, Array.from({ length: count }, (_, i) => values[place(i)])]),
    )
    const all = { held: await learn(tables, 205), none: await learn(tables, 0) }
    const result = await judge(memoryTables({ memory: moved }), { learnt: all, digest: 'two' })
    expect(result.dataset.judgedOn).toEqual({ heldOut: { groups: 205, by: 'unit' } })
    expect(result.candidates[1]).toMatchObject({ verdict: 'refuse', learntFrom: 'this-log' })
    expect(result.candidates[1].reasons[0]).toBe(
      'it learnt these decisions, and none were held out: `dap train offer --dataset log --holdout 0.2` mends that',
    )
    expect(result.candidates[0].reasons).not.toContain(result.candidates[1].reasons[0])
  })

  it('judges on later decisions of a longer log, and on both conditions where candidates differ', async () => {
    const longer = memoryTables({ memory: noise(9000, 1) })
    const [all, held] = [await learn(tables, 0), await learn(tables, 205)]
    const after = String(rows.ts[3999])
    const one = await judge(longer, { learnt: { all }, digest: 'two' })
    expect(one.dataset).toMatchObject({ judgedOn: { after }, rows: 5000 })
    expect(one.dataset.notes[0]).toBe(`judged on decisions after ${after}, of which none was learnt`)
    const both = await judge(longer, { learnt: { all, held }, digest: 'two' })
    expect(both.dataset.judgedOn).toEqual({ heldOut: { groups: 205, by: 'unit' }, after })
    expect(both.dataset.rows).toBeLessThan(1500)
    expect(both.dataset.rows).toBeGreaterThan(500)
  })

  it('judges on all of a log of other decisions, by their times or their ids', async () => {
    const all = await learn(tables, 0)
    const later = await judge(memoryTables({ memory: noise(300, 2, 4000) }), { learnt: { all }, digest: 'two' })
    expect(later).toMatchObject({
      dataset: { rows: 300, judgedOn: null },
      candidates: [{ learntFrom: 'other-decisions' }],
    })
    const { ts, ...others } = noise(4000, 2, 4000)
    const beside = await judge(memoryTables({ memory: { ...others, ts: rows.ts } }), { learnt: { all }, digest: 'two' })
    expect(beside).toMatchObject({ dataset: { judgedOn: null }, candidates: [{ learntFrom: 'other-decisions' }] })
    expect(ts).toHaveLength(4000)
  })

  it('does not go by held out units where units are another column than they were', async () => {
    const held = await learn(tables, 205)
    const renamed = memoryTables({ memory: { ...rows, player: Array.from(rows.player, id => `x${id}`) } })
    const result = await judge(renamed, { learnt: { held }, digest: 'two' })
    expect(result.candidates[0]).toMatchObject({
      verdict: 'refuse',
      reasons: [expect.stringContaining('units are not what they were'), ...result.candidates[0].reasons.slice(1)],
    })
  })

  it('is cautious about a snapshot that does not say what it learnt', async () => {
    const { policy, data } = await learn(tables, 205)
    const result = await judge(tables, {
      learnt: { served: { policy, data: null }, old: { policy, data: { ...data, heldOut: undefined } } },
    })
    for (const candidate of result.candidates) {
      expect(candidate.learntFrom).toBe('unknown')
      expect(candidate.verdict).not.toBe('ok')
      expect(candidate.reasons[0]).toContain('`dap train` makes one that says it')
    }
    expect(result.dataset.judgedOn).toBeNull()
  })

  it('refuses candidates alone where no row is left that none of them learnt', async () => {
    const few = memoryTables({ memory: { ...rows, player: Array.from(rows.player, () => 'p1') } })
    const { policy, data } = await learn(tables, 205)
    // The one unit of this log is in no group that was held out.
    const result = await judge(few, {
      learnt: { held: { policy, data: { ...data, ids: undefined } } },
      others: [{ name: 'uniform', uniform: true }],
      digest: 'two',
    })
    expect(result.dataset).toMatchObject({ rows: 4000, judgedOn: null })
    const refused = result.candidates.map(({ reasons }) => reasons.some(reason => reason.includes('no row is left')))
    expect(refused).toEqual([true, false])
    expect(result.candidates[0].verdict).toBe('refuse')
  })

  it('takes what tables and scores say of themselves', async () => {
    const one = memoryTables({ memory: withProbabilities(rows) })
    const of = async (learntFrom: Parameters<typeof scored>[0]) => {
      const { dataset, candidates } = await judge(one, { others: [scored(learntFrom)] })
      return [candidates[0].verdict, candidates[0].learntFrom, dataset.rows, dataset.notes[0]]
    }
    const unsaid = '`scored`: what its numbers were made from is not said (`learntFrom`): taken for other decisions'
    expect((await of(undefined)).slice(1)).toEqual(['unknown', 4000, unsaid])
    expect((await of('nothing')).slice(0, 3)).toEqual(['ok', 'nothing', 4000])
    expect((await of('log')).slice(0, 2)).toEqual(['refuse', 'this-log'])
    expect((await of({ until: String(rows.ts[999]) })).slice(0, 3)).toEqual(['ok', 'this-log', 3000])
    expect((await of({ until: '2025-12-31T00:00:00Z' })).slice(0, 3)).toEqual(['ok', 'other-decisions', 4000])
    expect((await of({ until: '2027-01-01T00:00:00Z' })).slice(0, 2)).toEqual(['refuse', 'this-log'])
    expect((await of({ heldOut: 0.2 }))[3]).toBe('judged on 20 % of the units, which were held out')
  })
})

it('passes a gate on noise about as seldom as its level says, and nearly always on the rows that were learnt', async () => {
  let fair = 0
  let leaked = 0
  const logs = 60
  for (let seed = 0; seed < logs; seed++) {
    const tables = memoryTables({ memory: noise(3000, 100 + seed) })
    const { policy, data } = await learn(tables, 205)
    if ((await judge(tables, { learnt: { new: { policy, data } } })).passed) fair++
    const all = await learn(tables, 0)
    const other = { ...all.data, digest: '', from: undefined, to: undefined, ids: undefined, heldOut: undefined }
    if ((await judge(tables, { learnt: { new: { policy: all.policy, data: other } } })).passed) leaked++
    if (seed === 0) expect((await judge(tables, { learnt: { new: all } })).candidates[0].verdict).toBe('refuse')
  }
  expect(fair).toBeLessThanOrEqual(5)
  expect(leaked).toBeGreaterThanOrEqual(0.9 * logs)
})
