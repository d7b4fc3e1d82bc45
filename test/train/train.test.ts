import { describe, expect, it } from 'vitest'
import { foldWorkers } from '../../src/adapters/node/workers.ts'
import { DapError } from '../../src/errors.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import type { DatasetSpec, PolicySpec } from '../../src/kinds.ts'
import type { DecisionLog } from '../../src/log/rows/decision-log.ts'
import { stream } from '../../src/math/rng.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import { loadSnapshot, snapshotText, takeSnapshot } from '../../src/policy/snapshot.ts'
import { BATCH_ROWS, BATCH_TEXT, batches } from '../../src/train/batches.ts'
import type { Fold } from '../../src/train/fold.ts'
import { type TrainingPlan, train } from '../../src/train/train.ts'
import { type MemoryColumn, memoryTables } from '../evaluate/support/memory-tables.ts'

const LINEAR: PolicySpec = {
  unit: 'player',
  context: { player: { type: 'string' }, x: { type: 'number' }, vip: { type: 'boolean', default: false } },
  features: [{ field: 'x' }, { field: 'vip' }],
  actions: [{ id: 'a' }, { id: 'b' }],
  decision: { type: 'single' },
  mode: 'online',
  algorithm: {
    learner: { type: 'linear', l2: 1, intercept: true },
    exploration: { type: 'greedy', ties: 'random' },
  },
  guardrails: { minProbability: 0.05 },
  reward: { name: 'reward', type: 'binary', wait: '1h', default: 0 },
}
const MEAN: PolicySpec = { ...LINEAR, algorithm: { ...LINEAR.algorithm, learner: { type: 'mean' } } }

const HASHED: PolicySpec = {
  ...LINEAR,
  features: [{ hash: { bits: 10, namespaces: ['context', 'action'], pairs: [['context', 'action']] } }],
  algorithm: { ...LINEAR.algorithm, learner: { type: 'hashed', l2: 5 } },
}

const LOGISTIC: PolicySpec = {
  ...LINEAR,
  algorithm: { ...LINEAR.algorithm, learner: { type: 'logistic', l2: 0.5, intercept: true } },
}
const LOGISTIC_SHARED: PolicySpec = {
  ...LINEAR,
  features: [{ action: 'id' }, { cross: ['x', 'action.id'] }],
  algorithm: { ...LINEAR.algorithm, learner: { type: 'logistic', l2: 0.5, intercept: true, shared: true } },
}

const MAPPING = {
  action: 'action',
  propensity: 'p',
  reward: 'r',
  unit: 'player',
  decisionId: 'id',
  ts: 'ts',
  context: {},
}

interface Options {
  readonly policy?: PolicySpec
  readonly dataset?: Partial<DatasetSpec>
  readonly heldOut?: number
  readonly weights?: TrainingPlan['weights']
}

function planOf({ policy = MEAN, dataset, heldOut = 0, weights = 'none' }: Options = {}): TrainingPlan {
  const quality = { badRows: 'fail' } as const
  const spec: DatasetSpec = {
    files: [],
    format: 'csv',
    mapping: MAPPING,
    propensity: 'logged',
    reward: {},
    quality,
    ...dataset,
  }
  return {
    policy: { name: 'offer', spec: policy, digest: 'sha256:0' },
    dataset: { name: 'log', spec, paths: ['memory'] },
    weights,
    heldOut,
  }
}

type Rows = Readonly<Record<string, MemoryColumn>>

/** A log of a uniform policy over `a` and `b`: `b` is better where x > 0.5. */
function logOf(rows: number, seed = 1): Rows {
  const rng = stream(seed, 'train')
  const all = Array.from({ length: rows }, (_, i) => {
    const x = Math.floor(10 * rng.uniform()) / 10 + 0.05
    const action = rng.uniform() < 0.5 ? 'a' : 'b'
    return { id: `d${i}`, player: `p${i}`, x, action, r: rng.uniform() < mean(action, x) ? 1 : 0 }
  })
  return {
    ...Object.fromEntries(
      (['id', 'player', 'x', 'action', 'r'] as const).map(name => [name, all.map(row => row[name])]),
    ),
    p: new Float64Array(rows).fill(0.5),
    ts: all.map((_, i) => new Date(Date.UTC(2026, 0, 1) + 1000 * i).toISOString()),
  }
}

function mean(action: string, x: number): number {
  return action === 'a' ? 0.4 : 0.1 + 0.6 * x
}

const learn = (rows: Rows, options?: Options, fold?: Fold) =>
  train(planOf(options), memoryTables({ memory: rows }), fold)

async function problem(promise: Promise<unknown>): Promise<DapError> {
  const error = await promise.catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(DapError)
  return error as DapError
}

describe('train', () => {
  it('learns what the learner would have learnt row by row', async () => {
    const rows = logOf(40_000)
    for (const spec of [MEAN, LINEAR]) {
      const { policy, learnt, rows: count, learntFrom } = await learn(rows, { policy: spec })
      const other = createPolicy('other', spec, '')
      for (let i = 0; i < count; i++) {
        const x = Float64Array.of(1, rows.x[i] as number, 0)
        other.learner.learn(rows.action[i] === 'a' ? 0 : 1, x, rows.r[i] as number)
      }
      const context = Float64Array.of(1, 0.3, 0)
      policy.learner.predict(context)
      other.learner.predict(context)
      for (const a of [0, 1]) {
        expect(policy.learner.value[a]).toBeCloseTo(other.learner.value[a], 10)
        expect(policy.learner.width[a]).toBeCloseTo(other.learner.width[a], 10)
      }
      expect(count).toBe(40_000)
      expect(learnt.map(({ action, rows: n }) => [action, n])).toEqual(
        ['a', 'b'].map(id => [id, Array.from(rows.action).filter(action => action === id).length]),
      )
      expect([learntFrom.from, learntFrom.to]).toEqual([rows.ts[0], rows.ts[39_999]])
    }
  })

  it('reads two fields of the context from one column', async () => {
    const spec: PolicySpec = {
      ...LINEAR,
      context: { ...LINEAR.context, y: { type: 'number' }, z: { type: 'number' } },
      features: [{ field: 'x' }, { field: 'y' }, { field: 'z' }],
    }
    const rows: Rows = { ...logOf(100), other: new Float64Array(100).fill(7) }
    const dataset = { mapping: { ...MAPPING, context: { y: 'x', z: 'other' } } }
    const { policy } = await learn(rows, { policy: spec, dataset })
    const other = createPolicy('other', spec, '')
    for (let i = 0; i < 100; i++) {
      const x = rows.x[i] as number
      other.learner.learn(rows.action[i] === 'a' ? 0 : 1, Float64Array.of(1, x, x, 7), rows.r[i] as number)
    }
    for (const learner of [policy.learner, other.learner]) learner.predict(Float64Array.of(1, 0.2, 0.2, 7))
    expect(policy.learner.value[1]).toBeCloseTo(other.learner.value[1], 10)
  })

  it('learns of a reward above the cap that it is the cap, and says how many were', async () => {
    const rows = logOf(1000)
    const money = Array.from(rows.r, (r, i) => (r === 1 ? 1 + (i % 50) : 0))
    const spec: PolicySpec = { ...MEAN, reward: { ...MEAN.reward, type: 'number' } }
    const capped = await learn({ ...rows, r: money }, { policy: spec, dataset: { reward: { cap: 30 } } })
    const before = await learn({ ...rows, r: money.map(r => Math.min(r, 30)) }, { policy: spec })
    expect(capped.policy.learner.state()).toEqual(before.policy.learner.state())
    const above = money.filter(r => r > 30)
    const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
    const share = Number(((100 * sum(above.map(r => r - 30))) / sum(money)).toPrecision(2))
    expect(capped.notes).toContain(
      `reward.cap: ${above.length} rewards above 30 count as 30, which takes away ${share} % of all reward`,
    )
    expect(before.notes).toEqual([])
  })

  it('leaves the held out units to the evaluation: together they are the log', async () => {
    const rows = logOf(5000)
    const { rows: learnt, heldOut, heldOutPart } = await learn(rows, { heldOut: 205 })
    expect(learnt + heldOut).toBe(5000)
    expect(heldOut / 5000).toBeCloseTo(0.2, 1)
    let seen = 0
    const source = { format: 'csv', paths: ['memory'], part: heldOutPart } as const
    for await (const chunk of memoryTables({ memory: rows }).read(source, [])) seen += chunk.rows
    expect(seen).toBe(heldOut)

    const unitless = { mapping: { ...MAPPING, unit: undefined, decisionId: undefined } }
    expect((await learn(rows, { heldOut: 205, dataset: unitless })).heldOut / 5000).toBeCloseTo(0.2, 3)
    // A fifth of any stretch of a log, however short.
    for (const [rows, from, to] of [[100, 15, 25] as const, [300, 55, 65] as const]) {
      const { heldOut: few } = await learn(logOf(rows), { heldOut: 205, dataset: unitless })
      expect(few).toBeGreaterThanOrEqual(from)
      expect(few).toBeLessThanOrEqual(to)
    }
  })

  it('notes the rows of actions that the policy has no more, and fails for those that nobody knows', async () => {
    const rows = { ...logOf(6), action: ['a', 'b', 'gone', 'a', 'gone', 'b'] }
    const { rows: learnt, notes } = await learn(rows)
    expect(learnt).toBe(4)
    expect(notes).toEqual(['2 rows of action `gone`, which the policy does not have, left out'])
    const declared = learn(rows, { dataset: { actions: ['a', 'b'] } })
    expect((await problem(declared)).message).toContain('memory:3: unknown action `gone`')
  })

  it('names the row of a context that does not fit, and of a reward that cannot be learnt', async () => {
    const rows = { ...logOf(3), vip: ['true', 'perhaps', 'false'] }
    expect((await problem(learn(rows, { policy: LINEAR }))).message).toContain(
      '\n  memory:2: the context does not fit policy `offer`: `vip` must be a boolean, not a string',
    )
    const beta = {
      ...MEAN,
      algorithm: {
        learner: { type: 'beta', prior: { alpha: 1, beta: 1 } } as const,
        exploration: { type: 'thompson', scale: 1 } as const,
      },
    }
    expect((await problem(learn({ ...logOf(3), r: [0, 1, 2] }, { policy: beta }))).message).toBe(
      'memory:3: beta: the reward 2 is not in [0, 1]',
    )
    const huge = learn({ ...logOf(3), x: [1, 1e200, 1] }, { policy: LINEAR })
    expect((await problem(huge)).message).toContain(
      'memory:2: the context does not fit policy `offer`: `x` must be within -1e30 and 1e30, not 1e+200',
    )
    expect((await problem(learn({ ...logOf(3), p: [0.5, 0, 0.5] }))).message).toContain(
      'memory:2: `p` is outside (0, 1]',
    )
    expect((await problem(learn(logOf(0)))).message).toBe('the log of Dataset `log` has no row to learn from')
  })

  it('drops what does not fit, counted and named in order, from any number of workers', async () => {
    const n = 2 * BATCH_ROWS + 100
    const vip = Array.from({ length: n }, (_, i) => (i % 9000 === 8999 ? 'perhaps' : 'true'))
    const rows: Rows = { ...logOf(n), vip, p: Array.from({ length: n }, (_, i) => (i === 20_000 ? 0 : 0.5)) }
    const plan = planOf({ policy: LINEAR, dataset: { quality: { badRows: 'drop' } } })
    const entry = new URL('../../src/worker.ts', import.meta.url)
    const learnWith = async (fold?: Fold) => {
      const training = await train(plan, memoryTables({ memory: rows }), fold)
      return { ...training, policy: snapshotText(takeSnapshot(training.policy)) }
    }
    const here = await learnWith()
    expect(here).toMatchObject({ rows: n - 4, dropped: 4, learntFrom: { to: rows.ts[n - 1] } })
    expect(here.notes).toEqual([
      '4 bad rows dropped: memory:9000: the context does not fit policy `offer`: `vip` must be a boolean, not a string; ' +
        'memory:18000: the context does not fit policy `offer`: `vip` must be a boolean, not a string; ' +
        'memory:20001: `p` is outside (0, 1]; and 1 more',
    ])
    expect(here.learnt.reduce((sum, { rows: learnt }) => sum + learnt, 0)).toBe(n - 4)
    for (const workers of [1, 2]) {
      expect(await learnWith(foldWorkers(entry, workers, new AbortController().signal))).toEqual(here)
    }
  })

  it('does not say that the time of a row was learnt that was not', async () => {
    const rows: Rows = { ...logOf(3), vip: ['perhaps', 'true', 'no'] }
    const { learntFrom } = await learn(rows, { policy: LINEAR, dataset: { quality: { badRows: 'drop' } } })
    expect([learntFrom.from, learntFrom.to]).toEqual([rows.ts[1], rows.ts[1]])
  })

  it('lets a row count for the decisions that it stands for, and a posterior no sharper than its rows', async () => {
    const rows = { ...logOf(4), action: ['a', 'a', 'a', 'b'], r: [1, 0, 0, 1], kept: [0.25, 0.5, 0.5, 1] }
    const dataset = { mapping: { ...MAPPING, logProbability: 'kept' } }
    const { policy, learnt, notes } = await learn(rows, { dataset })
    // h = 4, 2, 2: mean 4/8, worth 64/24 rows.
    expect(policy.learner.value[0]).toBeCloseTo(0.5, 14)
    expect(learnt[0]).toEqual({ action: 'a', rows: 3, effectiveRows: expect.closeTo(64 / 24, 12) })
    expect(notes).toEqual(['3 rows were kept with a probability below 1: each weighs 1/probability'])
    const ten = { ...logOf(4), action: ['a', 'a', 'a', 'b'], r: [1, 0, 0, 1], kept: [0.1, 0.1, 0.1, 0.1] }
    const same = await learn(ten, { dataset })
    expect(same.learnt[0].effectiveRows).toBeCloseTo(3, 12)
    expect(same.policy.learner.value[0]).toBeCloseTo(1 / 3, 14)
  })

  it('needs propensities for weights by propensity alone', async () => {
    const { p, ...rows } = logOf(10)
    const dataset = { propensity: 'unknown', mapping: { ...MAPPING, propensity: undefined } } as const
    expect((await learn(rows, { dataset })).rows).toBe(p.length)
    const weighted = learn(rows, { dataset, weights: 'inverse-propensity' })
    expect((await problem(weighted)).message).toContain('`--weights inverse-propensity` needs propensities')
  })

  it('says what became of the rows where it can learn from none', async () => {
    const rows = { ...logOf(2), p: [0, 2] }
    const failed = await problem(learn(rows, { dataset: { quality: { badRows: 'drop' } } }))
    expect(failed.message).toBe(
      'the log of Dataset `log` has no row to learn from\n' +
        '  2 bad rows dropped: memory:1: `p` is outside (0, 1]; memory:2: `p` is outside (0, 1]',
    )
  })

  it('weights rows by 1/propensity when told to', async () => {
    const rows = { ...logOf(4), action: ['a', 'a', 'a', 'b'], r: [1, 0, 0, 1], p: [0.25, 0.5, 0.5, 0.5] }
    const { policy, learnt } = await learn(rows, { weights: 'inverse-propensity' })
    // Weights 4, 2, 2: mean 4/8, worth 64/24 rows.
    expect(policy.learner.value[0]).toBeCloseTo(0.5, 14)
    expect(learnt[0]).toEqual({ action: 'a', rows: 3, effectiveRows: expect.closeTo(64 / 24, 12) })
  })

  it('makes the same bytes here, in one worker and in three', async () => {
    const rows = logOf(3 * BATCH_ROWS + 17)
    const plan = planOf({ policy: LINEAR, heldOut: 100 })
    const bytes = async (fold?: Fold, chunkRows?: number) => {
      const { policy } = await train(plan, memoryTables({ memory: rows }, chunkRows), fold)
      return snapshotText(takeSnapshot(policy))
    }
    const entry = new URL('../../src/worker.ts', import.meta.url)
    const workers = (count: number) => foldWorkers(entry, count, new AbortController().signal)
    const here = await bytes()
    expect(await bytes(undefined, 777)).toBe(here)
    expect(await bytes(workers(1))).toBe(here)
    expect(await bytes(workers(3))).toBe(here)
  })

  it('fits in passes to the same bytes here, and in one worker, two and eight, and says how', async () => {
    const rows = logOf(2 * BATCH_ROWS + 17)
    const plan = planOf({ policy: HASHED, heldOut: 100 })
    const entry = new URL('../../src/worker.ts', import.meta.url)
    const run = async (fold?: Fold) => {
      const { policy, fit, hashing } = await train(plan, memoryTables({ memory: rows }), fold)
      return { snapshot: snapshotText(takeSnapshot(policy)), fit, hashing }
    }
    const here = await run()
    for (const workers of [1, 2, 8])
      expect(await run(foldWorkers(entry, workers, new AbortController().signal))).toEqual(here)
    expect(here.fit?.converged).toBe(true)
    const { hashing } = here
    // The ids of two actions, x, and both; nobody is a vip.
    expect(hashing).toMatchObject({ slots: 1024, occupied: 5, names: 5 })
    expect(hashing?.strongest.map(({ name }) => name).sort()).toEqual([
      'action.id=a',
      'action.id=a × x',
      'action.id=b',
      'action.id=b × x',
      'x',
    ])
    const sizes = hashing?.strongest.map(({ weight }) => Math.abs(weight)) ?? []
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a))
    const restored = createPolicy('offer', HASHED, 'sha256:0')
    expect(loadSnapshot(restored, JSON.parse(here.snapshot))).toMatchObject({ ok: true })
    for (const { slot, weight } of hashing?.strongest ?? [])
      expect(restored.learner.coefficient?.(slot, 0)).toBe(weight)
  })

  it.each([
    ['a model an action', LOGISTIC],
    ['a model that actions share', LOGISTIC_SHARED],
  ])('fits logistic regression, %s, to the same bytes here, and in one worker, two and eight', async (_, spec) => {
    const rows = logOf(2 * BATCH_ROWS + 17)
    const plan = planOf({ policy: spec, weights: 'inverse-propensity' })
    const entry = new URL('../../src/worker.ts', import.meta.url)
    const run = async (fold?: Fold) => {
      const { policy, fit, learnt } = await train(plan, memoryTables({ memory: rows }), fold)
      return { snapshot: snapshotText(takeSnapshot(policy)), fit, learnt }
    }
    const here = await run()
    for (const workers of [1, 2, 8])
      expect(await run(foldWorkers(entry, workers, new AbortController().signal))).toEqual(here)
    expect(here.fit).toMatchObject({ converged: true })
    expect(here.fit?.distance).toBeLessThan(1e-8)
    const restored = createPolicy('offer', spec, 'sha256:0')
    expect(loadSnapshot(restored, JSON.parse(here.snapshot))).toMatchObject({ ok: true })
    const again = await train({ ...plan, start: restored.learner.state() }, memoryTables({ memory: rows }))
    expect(again.fit?.passes).toBeLessThan(here.fit?.passes ?? 0)
  })

  it.each([
    ['linear', LINEAR],
    ['logistic', LOGISTIC],
    ['logistic, shared', LOGISTIC_SHARED],
  ])('learns the largest numbers that a context may have, %s', async (_, spec) => {
    const rows = { ...logOf(50), x: Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? 1e30 : -1e30)) }
    expect(await learn(rows, { policy: spec })).toMatchObject({ rows: 50 })
  })

  it('refuses rewards that are too large to be fitted', async () => {
    const failed = await problem(
      learn({ ...logOf(50), r: Array.from({ length: 50 }, () => 1e308) }, { policy: LINEAR }),
    )
    expect(failed.message).toContain('the log is too large in its numbers to learn from')
    expect(failed.hint).toContain('`reward.cap`')
  })

  it('starts a fit where it is told to', async () => {
    const rows = logOf(3000)
    const plan = planOf({ policy: HASHED })
    const first = await train(plan, memoryTables({ memory: rows }))
    const second = await train({ ...plan, start: first.policy.learner.state() }, memoryTables({ memory: rows }))
    expect(second.fit?.passes).toBe(2)
    expect(first.fit?.passes).toBeGreaterThan(2)
  })

  it('fits rows of unequal weight by it, to a posterior no sharper than they are worth', async () => {
    const rows = { ...logOf(3000), kept: Array.from({ length: 3000 }, (_, i) => (i % 2 === 0 ? 1 : 0.1)) }
    const { policy, learnt } = await learn(rows, {
      policy: HASHED,
      dataset: { mapping: { ...MAPPING, logProbability: 'kept' } },
    })
    const worth = (1500 + 15000) ** 2 / (1500 + 150000)
    expect(policy.learner.count).toBeCloseTo(worth, 6)
    expect(learnt.reduce((sum, { effectiveRows }) => sum + effectiveRows, 0)).toBeCloseTo(worth, 6)
  })

  it('refuses rows that are more than it can keep for the passes', async () => {
    const plan = { ...planOf({ policy: HASHED }), mostKept: 100_000 }
    const failed = await problem(train(plan, memoryTables({ memory: logOf(3000) })))
    expect(failed.message).toBe(
      'the learner `hashed` passes over all rows again and again, and can keep 1315 of these: the log has more',
    )
  })

  it('hands a fault of a worker on, and stops them when it is told to', async () => {
    const rows = { ...logOf(3), vip: ['true', 'perhaps', 'false'] }
    const plan = planOf({ policy: LINEAR })
    const entry = new URL('../../src/worker.ts', import.meta.url)
    const abort = new AbortController()
    const failed = train(plan, memoryTables({ memory: rows }), foldWorkers(entry, 2, abort.signal))
    expect((await problem(failed)).message).toContain('memory:2: the context does not fit')
    const interrupted = train(plan, memoryTables({ memory: logOf(200_000) }), foldWorkers(entry, 2, abort.signal))
    abort.abort()
    expect((await problem(interrupted)).message).toBe('interrupted')
  })
})

describe('batches', () => {
  it('hold the chosen rows in order, whatever the chunks were', async () => {
    async function* log(): AsyncGenerator<DecisionLog> {
      for (let start = 0; start < 50_000; start += 1999) {
        const rows = Math.min(1999, 50_000 - start)
        const row = Float64Array.from({ length: rows }, (_, i) => start + i)
        const zeros = new Float64Array(rows)
        const texts = Array.from(row, i => (i % 5 === 0 ? null : `t${i}`))
        yield {
          rows,
          row,
          action: Int32Array.from(row),
          propensity: zeros,
          reward: row,
          standsFor: start === 1999 ? row : undefined,
          columns: [
            { type: 'text', values: texts },
            { type: 'number', values: row.map(i => -i) },
          ],
        }
      }
    }
    const even = ({ rows, row }: DecisionLog, out: Int32Array) => {
      let count = 0
      for (let i = 0; i < rows; i++) if (row[i] % 2 === 0) out[count++] = i
      return count
    }
    const sizes: number[] = []
    const seen: unknown[][] = []
    const wanted = [
      { place: 0, type: 'text' },
      { place: 1, type: 'number' },
    ] as const
    for await (const { rows, action, reward, standsFor, columns } of batches(log(), wanted, even)) {
      sizes.push(rows)
      const [t, n] = columns.map(column => (column as { values: ArrayLike<unknown> }).values)
      for (let i = 0; i < rows; i++) seen.push([action[i], reward[i], standsFor?.[i] ?? 1, t[i], n[i]])
    }
    expect(sizes).toEqual([BATCH_ROWS, 25_000 - BATCH_ROWS])
    expect(seen).toEqual(
      Array.from({ length: 25_000 }, (_, j) => {
        const i = 2 * j
        return [i, i, i >= 1999 && i < 3998 ? i : 1, j % 5 === 0 ? null : `t${i}`, -i]
      }),
    )
  })

  it('end early where texts are long, at the same rows whatever the chunks were', async () => {
    const text = 'x'.repeat(BATCH_TEXT / 8)
    const sizesOf = async (chunk: number) => {
      async function* log(): AsyncGenerator<DecisionLog> {
        for (let start = 0; start < 30; start += chunk) {
          const rows = Math.min(chunk, 30 - start)
          const row = Float64Array.from({ length: rows }, (_, i) => start + i)
          const values = Array.from(row, i => (i % 3 === 2 ? null : text))
          yield {
            ...{ rows, row, action: Int32Array.from(row), propensity: row, reward: row, standsFor: undefined },
            columns: [{ type: 'text', values }],
          }
        }
      }
      const all = ({ rows }: DecisionLog, out: Int32Array) => {
        for (let i = 0; i < rows; i++) out[i] = i
        return rows
      }
      const sizes: number[] = []
      const seen: number[] = []
      for await (const { rows, row } of batches(log(), [{ place: 0, type: 'text' }], all)) {
        sizes.push(rows)
        seen.push(...row.subarray(0, rows))
      }
      expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => i))
      return sizes
    }
    for (const chunk of [1, 7, 30]) expect(await sizesOf(chunk)).toEqual([11, 12, 7])
  })
})

describe('what was trained', () => {
  /** Over the ten values of x, each as likely. */
  function trueValue(policy: Policy): number {
    const p = new Float64Array(2)
    let sum = 0
    for (let j = 0; j < 10; j++) {
      const x = j / 10 + 0.05
      policy.probabilities({ player: '', x, vip: false }, Int32Array.of(0, 1), 2, p)
      sum += (p[0] * mean('a', x) + p[1] * mean('b', x)) / 10
    }
    return sum
  }

  it('is worth more than before, and the interval on the held out units covers what it is worth', async () => {
    const untrained = trueValue(createPolicy('offer', LINEAR, ''))
    const repetitions = 400
    let better = 0
    let covered = 0
    for (let seed = 0; seed < repetitions; seed++) {
      const tables = memoryTables({ memory: logOf(2500, seed) })
      const plan = planOf({ policy: LINEAR, heldOut: 205 })
      const { policy, heldOutPart } = await train(plan, tables)
      const value = trueValue(policy)
      if (value > untrained) better++
      const { candidates } = await evaluate(
        {
          name: 'new',
          dataset: { ...plan.dataset, digest: '', part: heldOutPart },
          spec: {
            dataset: 'log',
            candidates: [{ name: 'new', policy: 'offer' }],
            estimators: ['dr'],
            rewardModel: { type: 'tabular', by: ['action'], prior: 10, crossFit: { folds: 2, by: 'row' } },
            interval: { method: 'cressie-read', level: 0.95 },
            gates: [],
          },
          policies: new Map([['new', policy]]),
          tables: new Map(),
        },
        tables,
      )
      const interval = candidates[0].estimates[0].interval
      if (interval !== null && interval.lower <= value && value <= interval.upper) covered++
    }
    expect(better).toBe(repetitions)
    expect(covered / repetitions).toBeGreaterThanOrEqual(0.93)
  })
})
