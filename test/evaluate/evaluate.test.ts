import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { corrected, value, weightedReward } from '../../src/evaluate/estimators/series.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import { addChunk, createCandidateRun } from '../../src/evaluate/weights/candidate-run.ts'
import { createGroups } from '../../src/evaluate/weights/groups.ts'
import { addLog, createLogSums, mergeLogSums, totalAt } from '../../src/evaluate/weights/log-sums.ts'
import { type CandidateSums, candidateSeries, mergeCandidateSums } from '../../src/evaluate/weights/sums.ts'
import type { CandidateSpec, EvaluationSpec, PolicySpec } from '../../src/kinds.ts'
import type { DecisionLog } from '../../src/log/rows/decision-log.ts'
import { stream } from '../../src/math/rng.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import type { EvaluationResult } from '../../src/results.ts'
import { type MemoryColumn, memoryTables } from './support/memory-tables.ts'
import { type PlanParts, plan } from './support/plan.ts'

type Columns = Readonly<Record<string, MemoryColumn>>

const run = (
  columns: Columns,
  parts: PlanParts = {},
  chunkRows?: number,
  files: Readonly<Record<string, Columns>> = {},
) => evaluate(plan(parts), memoryTables({ memory: columns, ...files }, chunkRows))

const estimateOf = (result: EvaluationResult, estimator: string, candidate = 0) => {
  const found = result.candidates[candidate].estimates.find(e => e.estimator === estimator)
  if (!found) throw new Error(`no estimate ${estimator}`)
  return found
}

/** Four rows, two actions. Uniform has weights 1, 1, 2, 1. */
const HAND: Columns = { action: ['a', 'b', 'a', 'b'], propensity: [0.5, 0.5, 0.25, 0.5], reward: [1, 0, 1, 1] }

describe('evaluate', () => {
  it('gives, on four rows, what is worked out by hand', async () => {
    const result = await run(HAND, {
      spec: {
        estimators: ['ips', 'snips', 'dm', 'dr'],
        rewardModel: { type: 'tabular', by: ['action'], prior: 0, crossFit: { folds: 1 } },
      },
    })
    // Σwr = 1 + 0 + 2 + 1; Σw = 5. q(a) = 1, q(b) = 1/2, so v = 3/4 and dr adds (0 − 1/2 + 1/2)/4 for b and nothing for a.
    expect(estimateOf(result, 'ips').value).toBe(1)
    expect(estimateOf(result, 'snips').value).toBe(0.8)
    expect(estimateOf(result, 'dm').value).toBe(0.75)
    expect(estimateOf(result, 'dr').value).toBe(0.75)
    expect(estimateOf(result, 'ips').lift?.value).toBe(0.25)
    expect(estimateOf(result, 'ips').lift?.relative).toBeCloseTo(1 / 3, 12)
    // Var = ((1 − 1)² + (0 − 1)² + (2 − 1)² + (1 − 1)²) / 3, over 4.
    expect(estimateOf(result, 'ips').standardError).toBeCloseTo(Math.sqrt(2 / 3 / 4), 12)
    expect(result.candidates[0].support).toEqual({
      effectiveSampleSize: 25 / 7,
      maxWeight: 2,
      maxWeightShare: 0.4,
      meanWeight: 1.25,
      positiveCount: 3,
      rowsWithoutSupport: 0,
      unsupportedMass: 0,
      rows: 4,
    })
    expect(result.dataset).toMatchObject({ rows: 4, dropped: 0, meanReward: 0.75 })
    expect(result.dataset.notes).toEqual([
      'actions were not declared: the 2 seen in the log or named by candidates are taken for all',
      'the log has no units: rows are taken for independent of each other',
      'the logged propensities cannot be tested: the decisions count as those of fewer than 10 units',
    ])
  })

  it('takes the predictions of a reward model from columns of the log', async () => {
    const columns = { ...HAND, q_a: [1, 1, 1, 1], q_b: [0.5, 0.5, 0.5, 0.5] }
    const spec: Partial<EvaluationSpec> = {
      candidates: [
        { name: 'uniform', uniform: true },
        { name: 'scores', scores: { columns: 'q_{action}' }, exploration: { type: 'greedy', ties: 'first' } },
      ],
      estimators: ['dm', 'dr'],
      rewardModel: { type: 'columns', columns: 'q_{action}' },
    }
    const result = await run(columns, { spec })
    expect(estimateOf(result, 'dm').value).toBe(0.75)
    expect(estimateOf(result, 'dr').value).toBe(0.75)
    expect(estimateOf(result, 'dm').standardError).toBe(0)
    expect(estimateOf(result, 'dm', 1).value).toBe(1)
  })

  it('knows the largest possible weight better when the log has every propensity', async () => {
    // a is logged with 0.1 where x = 0, and the candidate takes it with 0.9 where x = 1 alone, where it was logged with 0.8.
    const rows = Array.from({ length: 200 }, (_, i) => {
      const x = i % 2
      const action = (i >> 1) % 10 < (x === 0 ? 1 : 8) ? 'a' : 'b'
      const propensities = x === 0 ? [0.1, 0.9] : [0.8, 0.2]
      return { x, action, propensities, propensity: propensities[action === 'a' ? 0 : 1], reward: i % 67 === 0 ? 1 : 0 }
    })
    const decisions = {
      action: rows.map(row => row.action),
      propensity: rows.map(row => row.propensity),
      reward: rows.map(row => row.reward),
      servedBy: rows.map(() => 'policy'),
      logProbability: rows.map(() => 1),
      eligible: rows.map(() => '["a","b"]'),
      propensities: rows.map(row => JSON.stringify(row.propensities)),
      context: rows.map(({ x }) => JSON.stringify({ x })),
      unit: rows.map(() => null),
      ts: rows.map(() => null),
      list: rows.map(() => null),
    }
    const spec: PolicySpec = {
      context: { x: { type: 'integer' } },
      actions: [{ id: 'a', eligible: 'ctx.x == 1' }, { id: 'b' }],
      decision: { type: 'single' },
      mode: 'online',
      algorithm: { learner: { type: 'fixed', probabilities: { a: 0.9, b: 0.1 } } },
      guardrails: { minProbability: 0 },
      reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
    }
    const evaluated = (columns: Columns, format: 'dap' | 'csv') =>
      run(columns, {
        dataset: { format, reward: { minimum: 0, maximum: 1 } },
        policies: new Map([['new', createPolicy('new', spec, 'sha256:0')]]),
        spec: { candidates: [{ name: 'new', policy: 'new' }], interval: { method: 'cressie-read', level: 0.95 } },
      })
    const exact = estimateOf(await evaluated(decisions, 'dap'), 'ips')
    const bound = estimateOf(await evaluated({ ...decisions, x: rows.map(row => row.x) }, 'csv'), 'ips')
    expect(exact.value).toBeCloseTo(bound.value as number, 12)
    expect(exact.interval?.upper).toBeLessThan(bound.interval?.upper as number)
  })

  it('says nothing where the candidate never takes a logged action', async () => {
    const result = await run(HAND, {
      spec: {
        candidates: [{ name: 'other', fixed: 'c' }],
        estimators: ['ips', 'snips', 'dr', 'dm'],
        rewardModel: { type: 'tabular', by: ['action'], prior: 1, crossFit: { folds: 1 } },
      },
    })
    const [candidate] = result.candidates
    expect(candidate.verdict).toBe('refuse')
    expect(candidate.support?.unsupportedMass).toBe(1)
    for (const estimator of ['ips', 'snips', 'dr']) {
      expect(estimateOf(result, estimator)).toEqual({
        estimator,
        value: null,
        standardError: null,
        interval: null,
        lift: null,
        verdict: 'refuse',
        reasons: [],
      })
    }
    // The model has only the mean reward to say of an action that it never saw.
    expect(estimateOf(result, 'dm').value).toBe(0.75)
  })

  it('fails a gate on a refused candidate', async () => {
    const result = await run(HAND, {
      spec: {
        candidates: [{ name: 'other', fixed: 'b' }],
        gates: [{ id: 'any', expr: "candidate('other').estimate('ips').value > -1.0" }],
      },
    })
    expect(result.candidates[0].verdict).toBe('refuse')
    expect(result.passed).toBe(false)
    expect(result.gates[0].reason).toContain('refused')
  })

  it('cross-fits: a row meets a table made without its own fold', async () => {
    // Even rows have reward 1, odd rows 0: each fold is predicted by the other's mean.
    const columns = { action: ['a', 'a', 'a', 'a'], propensity: [1, 1, 1, 1], reward: [1, 0, 1, 0] }
    const spec: Partial<EvaluationSpec> = {
      candidates: [{ name: 'a', fixed: 'a' }],
      estimators: ['dm', 'dr'],
      rewardModel: { type: 'tabular', by: ['action'], prior: 0, crossFit: { folds: 2, by: 'row' } },
    }
    const result = await run(columns, { spec })
    expect(estimateOf(result, 'dm').value).toBe(0.5)
    // v = 0, 1, 0, 1 and w (r − q) = 1, −1, 1, −1.
    expect(estimateOf(result, 'dr').value).toBe(0.5)
  })

  it('reads each kind of candidate', async () => {
    const columns: Columns = {
      action: ['a', 'b', 'a', 'b'],
      position: [1, 2, 2, 1],
      propensity: [0.5, 0.5, 0.5, 0.5],
      reward: [1, 0, 0, 1],
      p_a: [0.25, 0.25, 0.25, 0.25],
      p_b: [0.75, 0.75, 0.75, 0.75],
      s_a: [0, 0, 0, 0],
      s_b: [Math.log(3), Math.log(3), Math.log(3), Math.log(3)],
    }
    const table = { slot: [1, 1, 2], action: ['a', 'b', 'b'], probability: [0.25, 0.75, 1] }
    const candidates: CandidateSpec[] = [
      { name: 'uniform', uniform: true },
      { name: 'fixed', fixed: 'b' },
      { name: 'table', table: { file: 't.csv', by: ['slot'] } },
      { name: 'probabilities', probabilities: { columns: 'p_{action}' } },
      { name: 'softmax', scores: { columns: 's_{action}' }, exploration: { type: 'softmax', temperature: 1 } },
      { name: 'greedy', scores: { columns: 's_{action}' }, exploration: { type: 'greedy', ties: 'random' } },
      {
        name: 'epsilon',
        scores: { columns: 's_{action}' },
        exploration: { type: 'epsilon-greedy', epsilon: 0.2, ties: 'random' },
      },
    ]
    const result = await run(
      columns,
      { mapping: { slot: 'position' }, tables: new Map([['table', 'table']]), spec: { candidates } },
      1000,
      { table },
    )
    const values = candidates.map((_, i) => estimateOf(result, 'ips', i).value)
    const expected = [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    values.forEach((value, i) => {
      expect(value, candidates[i].name).toBeCloseTo(expected[i], 12)
    })
    expect(result.candidates.map(({ support }) => support?.rowsWithoutSupport)).toEqual([0, 2, 1, 0, 0, 2, 0])
    expect(result.candidates[6].support?.maxWeight).toBeCloseTo(1.8, 12)
  })

  it('lets a policy decide in the logged context, floor included', async () => {
    const spec: PolicySpec = {
      context: { level: { type: 'integer' }, vip: { type: 'boolean', default: false } },
      actions: [{ id: 'a' }, { id: 'b', eligible: 'ctx.level >= 10' }],
      decision: { type: 'single' },
      mode: 'online',
      algorithm: { learner: { type: 'fixed', probabilities: { a: 0.4, b: 0.6 } } },
      guardrails: { minProbability: 0.1 },
      reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
    }
    const policy = createPolicy('new', spec, 'sha256:0')
    const columns = { action: ['a', 'b'], propensity: [0.5, 0.5], reward: [1, 1], level: [1, 20] }
    const parts = { policies: new Map([['new', policy]]), spec: { candidates: [{ name: 'new', policy: 'new' }] } }
    const result = await run(columns, parts)
    // Row 1: only a is eligible. Row 2: 0.1 + 0.8 · 0.6.
    expect(estimateOf(result, 'ips').value).toBeCloseTo((1 / 0.5 + 0.58 / 0.5) / 2, 12)
    await expect(run({ ...columns, level: [1, 2.5] }, parts)).rejects.toThrow(
      'memory:2: the context does not fit policy `new`: `level` must be an integer',
    )
    const { level, ...without } = columns
    await expect(run(without, parts)).rejects.toThrow('the log has no column `level`')
    expect(level).toHaveLength(2)
  })

  it('gives a policy no action where its rules exclude all, whatever its fallback: that is mass without support', async () => {
    const spec: PolicySpec = {
      context: { level: { type: 'integer' } },
      actions: ['a', 'b'].map(id => ({ id, eligible: 'ctx.level >= 10' })),
      decision: { type: 'single' },
      mode: 'online',
      algorithm: { learner: { type: 'uniform' } },
      guardrails: { minProbability: 0, fallback: 'a' },
      reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
    }
    const policies = new Map([['new', createPolicy('new', spec, 'sha256:0')]])
    const columns = { action: ['a', 'b'], propensity: [0.5, 0.5], reward: [1, 1], level: [1, 20] }
    const result = await run(columns, { policies, spec: { candidates: [{ name: 'new', policy: 'new' }] } })
    const [{ support }] = result.candidates
    expect(support).toMatchObject({ rowsWithoutSupport: 1, unsupportedMass: 0.5 })
    expect(estimateOf(result, 'ips').value).toBeCloseTo(0.5, 12)
  })

  it('refuses a table that is no distribution, or says nothing about a cell of the log', async () => {
    const parts = {
      tables: new Map([['t', 'table']]),
      spec: { candidates: [{ name: 't', table: { file: 't', by: ['slot'] } }] },
      mapping: { slot: 'position' },
    }
    const columns = { ...HAND, position: [1, 1, 2, 2] }
    const over = { slot: [1, 1, 2], action: ['a', 'b', 'a'], probability: [0.5, 0.6, 1] }
    await expect(run(columns, parts, 10, { table: over })).rejects.toThrow('the probabilities of slot = 1 sum to 1.1')
    const short = { slot: [1], action: ['a'], probability: [1] }
    await expect(run(columns, parts, 10, { table: short })).rejects.toThrow('the table says nothing about slot = 2')
  })

  it('takes a table whose probabilities sum to 1 within a millionth, and no other', async () => {
    const parts = {
      tables: new Map([['t', 'table']]),
      spec: { candidates: [{ name: 't', table: { file: 't', by: [] } }] },
    }
    const off = (by: number) => run(HAND, parts, 10, { table: { action: ['a', 'b'], probability: [0.5, 0.5 + by] } })
    for (const by of [9e-7, -9e-7]) expect(estimateOf(await off(by), 'ips').value).not.toBeNull()
    for (const by of [1.1e-6, -1.1e-6]) await expect(off(by)).rejects.toThrow('the probabilities of the table sum to')
  })

  const columnsOf = (rows: readonly (readonly [number, number, number, number])[]): Record<string, number[]> => ({
    action: rows.map(row => row[0]),
    x: rows.map(row => row[1]),
    propensity: rows.map(row => row[2]),
    reward: rows.map(row => row[3]),
    s_0: rows.map(row => row[2]),
    s_1: rows.map(row => row[1]),
    s_2: rows.map(row => -row[0]),
  })
  const log = fc.array(
    fc.tuple(
      fc.nat(2),
      fc.nat(3),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      fc.double({ min: -5, max: 5, noNaN: true }),
    ),
    { minLength: 2, maxLength: 60 },
  )
  const everything: PlanParts = {
    dataset: { actions: { range: [0, 2] }, reward: { minimum: -5, maximum: 5 } },
    mapping: { slot: 'x' },
    spec: {
      candidates: [
        { name: 'uniform', uniform: true },
        { name: 'scores', scores: { columns: 's_{action}' }, exploration: { type: 'softmax', temperature: 2 } },
      ],
      estimators: ['ips', 'snips', 'dm', 'dr'],
      rewardModel: { type: 'tabular', by: ['action', 'x'], prior: 1, crossFit: { folds: 1 } },
      interval: { method: 'cressie-read', level: 0.9 },
    },
  }

  it('gives the same bytes whatever the size of the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(log, fc.integer({ min: 1, max: 20 }), async (rows, size) => {
        expect(await run(columnsOf(rows), everything, size)).toEqual(await run(columnsOf(rows), everything, 1000))
      }),
      { numRuns: 60 },
    )
  })

  it('does not mind the order of the rows', async () => {
    await fc.assert(
      fc.asyncProperty(log, fc.nat(), async (rows, seed) => {
        const rng = stream(seed, 'shuffle')
        const shuffled = rows
          .map(row => ({ row, key: rng.uniform() }))
          .sort((a, b) => a.key - b.key)
          .map(({ row }) => row)
        const one = await run(columnsOf(rows), everything)
        const other = await run(columnsOf(shuffled), everything)
        one.candidates.forEach(({ estimates }, c) => {
          estimates.forEach(({ value }, e) => {
            expect(other.candidates[c].estimates[e].value).toBeCloseTo(value as number, 11)
          })
        })
      }),
      { numRuns: 60 },
    )
  })

  it('merges partial sums to the sums of the whole', () => {
    const rng = stream(5, 'merge')
    const chunk = (rows: number, start: number): { log: DecisionLog; stratum: Int32Array } => {
      const fill = (f: () => number) => Float64Array.from({ length: rows }, f)
      return {
        log: {
          rows,
          row: Float64Array.from({ length: rows }, (_, i) => start + i),
          action: Int32Array.from({ length: rows }, () => Math.floor(3 * rng.uniform())),
          propensity: fill(() => 0.1 + 0.9 * rng.uniform()),
          reward: fill(() => (rng.uniform() < 0.5 ? 0 : rng.uniform())),
          standsFor: undefined,
          columns: [],
        },
        stratum: Int32Array.from({ length: rows }, () => Math.floor(2 * rng.uniform())),
      }
    }
    const candidate = { kind: 'cells', keys: [], distribution: () => Float64Array.of(0.2, 0.3, 0.5) } as const
    const q = Float64Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    const chunks = [chunk(700, 0), chunk(300, 700)]
    const series = candidateSeries([weightedReward, value, corrected])
    const fold = (part: typeof chunks) => {
      const sums = createCandidateRun(candidate, 3, series)
      const logSums = createLogSums(3)
      const groupsOf = createGroups()
      for (const { log, stratum } of part) {
        const groups = groupsOf(log, undefined)
        addLog(logSums, log, groups, stratum, 2)
        addChunk(sums, log, [], {
          groups,
          stratum,
          strata: 2,
          model: { q },
          eligible: undefined,
          propensities: undefined,
        })
      }
      return { sums: sums.sums(logSums), logSums }
    }
    const whole = fold(chunks)
    const [a, b] = chunks.map(one => fold([one]))
    mergeCandidateSums(a.sums, b.sums)
    mergeLogSums(a.logSums, b.logSums)
    const flat = (sums: CandidateSums) => {
      const { totals, ...rest } = sums
      return [
        ...totals.flatMap(({ unit, row }) => [...unit, ...row]),
        ...Object.values(rest).flatMap(value => (typeof value === 'number' ? [value] : Array.from(value))),
      ]
    }
    flat(whole.sums).forEach((value, i) => {
      expect(flat(a.sums)[i]).toBeCloseTo(value, 10)
    })
    expect(a.logSums.rows).toBe(1000)
    expect(totalAt(a.logSums.total, 0)).toBeCloseTo(totalAt(whole.logSums.total, 0), 10)
    expect(a.logSums.count).toEqual(whole.logSums.count)
  })

  it('refuses a reward model of more cells than fit in memory', async () => {
    const n = 60_000
    const columns = {
      action: Array.from({ length: n }, (_, i) => i % 20),
      propensity: new Float64Array(n).fill(0.05),
      reward: new Float64Array(n),
      player: Array.from({ length: n }, (_, i) => i),
    }
    const rewardModel = { type: 'tabular', by: ['action', 'player'], prior: 1, crossFit: { folds: 2 } } as const
    await expect(run(columns, { spec: { estimators: ['dm'], rewardModel } })).rejects.toThrow(
      'the slot and the columns of the reward model make more than 1000000 cells',
    )
  })

  it('cross-fits by unit: rows of one unit are of one fold', async () => {
    // Each unit has one reward for all its rows: with folds by unit a row never meets its own unit's rewards.
    const units = Array.from({ length: 400 }, (_, i) => `player-${i >> 2}`)
    const columns = {
      action: units.map(() => 'a'),
      propensity: units.map(() => 1),
      reward: units.map((_, i) => ((i >> 2) % 2 === 0 ? 1 : 0)),
      player: units,
    }
    const dm = async (by: 'unit' | 'row') => {
      const rewardModel = { type: 'tabular', by: ['action', 'player'], prior: 0, crossFit: { folds: 2, by } } as const
      const spec: Partial<EvaluationSpec> = { candidates: [{ name: 'a', fixed: 'a' }], estimators: ['dm'], rewardModel }
      return (await run(columns, { mapping: { unit: 'player' }, spec })).candidates[0].estimates[0]
    }
    // By row, the other fold has two rows of the same unit, and tells its reward; by unit nothing but the mean reward is known.
    expect((await dm('row')).value).toBeCloseTo(0.5, 12)
    expect((await dm('row')).standardError).toBeGreaterThan(0.02)
    const byUnit = await dm('unit')
    expect(Math.abs((byUnit.value as number) - 0.5)).toBeLessThan(0.1)
    await expect(
      run(columns, {
        spec: {
          estimators: ['dm'],
          rewardModel: { type: 'tabular', by: ['action'], prior: 0, crossFit: { folds: 2, by: 'unit' } },
        },
      }),
    ).rejects.toThrow('cross-fitting by unit needs `spec.mapping.unit`')
  })

  it('takes the declared range of rewards, and refuses rewards outside it', async () => {
    await expect(run({ ...HAND, reward: [1, 0, 3, 1] }, { dataset: { reward: { maximum: 2 } } })).rejects.toThrow(
      'the log has rewards from 0 to 3, outside the declared [0, 2]',
    )
    const noted = await run({ ...HAND, reward: [1, 0, 3, 1] })
    expect(noted.dataset.notes).toContain(
      'the range of rewards was not declared: that of the log, [0, 3], is taken for it',
    )
  })
})
