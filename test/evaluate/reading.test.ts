import { describe, expect, it } from 'vitest'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import type { CandidateSpec, EvaluationSpec, PolicySpec } from '../../src/kinds.ts'
import type { Tables } from '../../src/log/tables.ts'
import { stream } from '../../src/math/rng.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { type MemoryColumn, memoryTables } from './support/memory-tables.ts'
import { type PlanParts, plan } from './support/plan.ts'

type Columns = Readonly<Record<string, MemoryColumn>>

const run = (columns: Columns, parts: PlanParts = {}, files: Readonly<Record<string, Columns>> = {}) =>
  evaluate(plan(parts), memoryTables({ memory: columns, ...files }, 3))

const HAND: Columns = { action: ['a', 'b', 'a', 'b'], propensity: [0.5, 0.5, 0.25, 0.5], reward: [1, 0, 1, 1] }

/** Takes `b` from level 10 on; divides by the level, as nobody should. */
const POLICY: PolicySpec = {
  context: { level: { type: 'integer', minimum: 0 }, platform: { type: 'string', enum: ['ios', 'android'] } },
  actions: [{ id: 'a' }, { id: 'b', eligible: '100 / ctx.level < 11' }],
  decision: { type: 'single' },
  mode: 'online',
  algorithm: { learner: { type: 'fixed', probabilities: { a: 0.4, b: 0.6 } } },
  guardrails: { minProbability: 0.1 },
  reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
}
const DROP = { quality: { badRows: 'drop' } } as const

describe('rows that a candidate cannot take', () => {
  const n = 8
  const columns = {
    action: Array(n).fill('a'),
    propensity: new Float64Array(n).fill(0.5),
    reward: [1, 1, 1, 0, 0, 0, 0, 0],
    level: [20, 20, 20, 20, -1, 0, null, 20],
    platform: ['ios', 'ios', 'web', 'ios', 'ios', 'ios', 'ios', ''],
  }
  const parts: PlanParts = {
    policies: new Map([['pol', createPolicy('pol', POLICY, 'sha256:0')]]),
    spec: { candidates: [{ name: 'pol', policy: 'pol' }] },
  }

  it('are all named', async () => {
    await expect(run(columns, parts)).rejects.toThrow(
      [
        '  memory:3: the context does not fit policy `pol`: `platform` must be one of ios, android',
        '  memory:5: the context does not fit policy `pol`: `level` must be at least 0',
        '  memory:6: policy `pol` cannot decide: the rule `100 / ctx.level < 11` has no value',
      ].join('\n'),
    )
    await expect(run(columns, parts)).rejects.toThrow(
      /^the log has 5 bad rows \(1 × policy `pol` cannot decide: .*; 1 × the context does not fit policy `pol`: /,
    )
  })

  it('are dropped, counted and named', async () => {
    const result = await run(columns, { ...parts, dataset: DROP })
    expect(result.dataset).toMatchObject({ rows: 3, dropped: 5, meanReward: 2 / 3 })
    expect(result.dataset.notes.find(note => note.includes('dropped'))).toMatch(
      /^5 bad rows dropped: memory:3: .* must be one of ios, android; memory:5: .*; memory:6: .*; and 2 more$/,
    )
  })

  it('are the same in every pass', async () => {
    const spec = {
      ...parts.spec,
      estimators: ['dr' as const],
      rewardModel: { type: 'tabular', by: ['action'], prior: 1, crossFit: { folds: 2 } } as const,
    }
    expect((await run(columns, { ...parts, spec, dataset: DROP })).dataset).toMatchObject({ rows: 3, dropped: 5 })
  })

  it('are those of probabilities that are no distribution', async () => {
    const memory = { ...HAND, p_a: [0.5, -0.5, 0.5, null], p_b: [0.5, 1.5, 0.6, 1] }
    const candidates: CandidateSpec[] = [{ name: 'p', probabilities: { columns: 'p_{action}' } }]
    await expect(run(memory, { spec: { candidates } })).rejects.toThrow(
      [
        '  memory:2: `p_{action}` has a number that is not in [0, 1]',
        '  memory:3: `p_{action}` does not sum to 1',
        '  memory:4: `p_a` is missing',
      ].join('\n'),
    )
  })
})

describe('a log without a row', () => {
  it('says what became of them', async () => {
    const columns = { ...HAND, propensity: [0, 0, 2, 0] }
    await expect(run(columns, { dataset: DROP })).rejects.toThrow(
      /^the log of Dataset `log` has no row that can be used\n(?:.*\n)* {2}4 bad rows dropped: memory:1: `propensity` is outside \(0, 1\]/,
    )
  })

  it('or that there was none', async () => {
    const nothing = { action: [], propensity: [], reward: [] }
    await expect(run(nothing)).rejects.toThrow('the log of Dataset `log` has no row that can be used')
  })
})

it('refuses a log that changes while it is read', async () => {
  const tables = memoryTables({ memory: HAND })
  let readings = 0
  const growing: Tables = {
    ...tables,
    async *read(source, requests, options) {
      yield* tables.read(source, requests, options)
      if (++readings === 3) yield* tables.read(source, requests, options)
    },
  }
  const spec = {
    estimators: ['dm' as const],
    rewardModel: { type: 'tabular', by: ['action'], prior: 1, crossFit: { folds: 2 } } as const,
  }
  await expect(evaluate(plan({ spec }), growing)).rejects.toThrow('the log changed while it was read: 4 rows, then 8')
})

describe('a cap of rewards', () => {
  const rng = stream(7, 'money')
  const n = 400
  const columns = {
    action: Array.from({ length: n }, () => (rng.uniform() < 0.5 ? 'a' : 'b')),
    propensity: new Float64Array(n).fill(0.5),
    reward: Float64Array.from({ length: n }, () => Math.exp(5 * rng.uniform()) - 1),
  }
  const spec = {
    candidates: [
      { name: 'log', logging: true as const },
      { name: 'b', fixed: 'b' },
    ],
    estimators: ['ips' as const, 'snips' as const, 'dm' as const, 'dr' as const],
    rewardModel: { type: 'tabular', by: ['action'], prior: 1, crossFit: { folds: 2 } } as const,
    interval: { method: 'cressie-read', level: 0.95 } as const,
  }

  it('gives, wherever it is, what rewards of a log that were capped before would', async () => {
    for (const cap of [0.5, 10, 60, 1000]) {
      const before = { ...columns, reward: columns.reward.map(reward => Math.min(reward, cap)) }
      const { dataset, ...result } = await run(columns, { spec, dataset: { reward: { minimum: 0, cap } } })
      const { dataset: expected, ...same } = await run(before, { spec, dataset: { reward: { minimum: 0 } } })
      expect(result).toEqual(same)
      expect(dataset.meanReward).toBe(expected.meanReward)
      expect(dataset.notes.some(note => note.startsWith('reward.cap: '))).toBe(cap < 1000)
    }
  })

  it('is the upper end of the range, where one is declared or some reward was capped', async () => {
    const bounds = async (reward: { minimum: number; maximum?: number; cap?: number }) => {
      const { candidates, dataset } = await run(columns, { spec, dataset: { reward } })
      const noted = dataset.notes.some(note => note.includes('was not declared: that of the log'))
      return { upper: candidates[1].estimates[0].interval?.upper, noted }
    }
    const capped = await bounds({ minimum: 0, cap: 60 })
    expect(await bounds({ minimum: 0, cap: 60, maximum: 200 })).toEqual(capped)
    expect(capped.noted).toBe(false)
    expect(await bounds({ minimum: 0, cap: 1000 })).toEqual(await bounds({ minimum: 0 }))
    expect((await bounds({ minimum: 0, cap: 1000 })).noted).toBe(true)
  })
})

describe('eligible sets in columns', () => {
  const ALL = ['a', 'b', 'c', 'd']
  /** Uniform over sets of two to four. */
  function sets(rows: number) {
    const rng = stream(3, 'sets')
    const decisions = Array.from({ length: rows }, () => {
      const eligible = ALL.filter(() => rng.uniform() < 0.6)
      while (eligible.length < 2) eligible.push(ALL.find(id => !eligible.includes(id)) as string)
      const action = eligible[Math.floor(rng.uniform() * eligible.length)]
      return { action, eligible, reward: action === 'a' ? 1 : 0, propensity: 1 / eligible.length }
    })
    return {
      action: decisions.map(({ action }) => action),
      reward: decisions.map(({ reward }) => reward),
      propensity: decisions.map(({ propensity }) => propensity),
      eligible: decisions.map(({ eligible }) => JSON.stringify(eligible)),
      propensities: decisions.map(({ eligible, propensity }) => JSON.stringify(eligible.map(() => propensity))),
      list: decisions.map(({ eligible }) => JSON.stringify(eligible.map((_, j) => (j === 0 ? 1 : 0)))),
      first: decisions.map(({ eligible, action }) => (eligible[0] === action ? 1 : 0)),
    }
  }
  const columns = sets(2000)
  const mapping = { eligible: 'eligible', propensities: 'propensities' }

  it('make the uniform candidate the policy that made the log', async () => {
    const candidates: CandidateSpec[] = [
      { name: 'uniform', uniform: true },
      { name: 'logging', logging: true },
    ]
    const { candidates: results } = await run(columns, { mapping, spec: { candidates } })
    expect(results[0].support).toMatchObject({ meanWeight: 1, maxWeight: 1 })
    expect(results[0].estimates[0].value).toBeCloseTo(results[1].estimates[0].value as number, 12)
  })

  it('go with the entries of a list of probabilities', async () => {
    const candidates: CandidateSpec[] = [{ name: 'first', probabilities: { list: 'list' } }]
    const { candidates: results } = await run(columns, { mapping, spec: { candidates } })
    const expected = columns.first.reduce<number>(
      (sum, first, i) => sum + (first * columns.reward[i]) / columns.propensity[i],
      0,
    )
    expect(results[0].estimates[0].value).toBeCloseTo(expected / 2000, 12)
    expect(results[0].support?.rowsWithoutSupport).toBe(columns.first.filter(first => first === 0).length)
  })

  it('are every action, for a list where there are none', async () => {
    const candidates: CandidateSpec[] = [{ name: 'list', probabilities: { list: 'pi' } }]
    const pi = ['[0.25,0.75]', '[0.25,0.75]', '[1,0]', '[0.5,0.5]']
    const result = await run({ ...HAND, pi }, { spec: { candidates } })
    // (0.25/0.5 + 1/0.25 + 0.5/0.5) / 4
    expect(result.candidates[0].estimates[0].value).toBeCloseTo(5.5 / 4, 12)
    await expect(run({ ...HAND, pi: [...pi.slice(1), '[1]'] }, { spec: { candidates } })).rejects.toThrow(
      'memory:4: `pi` does not have one number for each eligible action',
    )
  })

  it('may all be different', async () => {
    const rng = stream(4, 'many sets')
    const everybody = Array.from({ length: 40 }, (_, a) => `a${a}`)
    const drawn = Array.from({ length: 3000 }, () => everybody.filter(() => rng.uniform() < 0.5).slice(0, 10))
    const many = {
      action: drawn.map(set => set[0]),
      eligible: drawn.map(set => JSON.stringify(set)),
      propensity: drawn.map(set => 1 / set.length),
      reward: drawn.map((_, i) => i % 2),
    }
    expect(new Set(many.eligible).size).toBeGreaterThan(2900)
    const candidates: CandidateSpec[] = [{ name: 'uniform', uniform: true }]
    const { candidates: results } = await run(many, { mapping: { eligible: 'eligible' }, spec: { candidates } })
    expect(results[0].support).toMatchObject({ meanWeight: 1, maxWeight: 1, rowsWithoutSupport: 0 })
  })

  it('name the actions that nobody took', async () => {
    const rare = { ...HAND, eligible: Array(4).fill('["a","b","z",7]') }
    const { dataset } = await run(rare, { mapping: { eligible: 'eligible' } })
    expect(dataset.notes[0]).toContain('the 4 seen in the log')
  })
})

describe('a log without propensities', () => {
  // As often as it takes to be judged at all.
  const often = (values: MemoryColumn) => Array.from({ length: 20 }, () => [...values]).flat()
  const columns: Columns = { action: often(HAND.action), reward: often(HAND.reward) }
  const parts: PlanParts = {
    mapping: { propensity: undefined },
    dataset: { propensity: 'unknown' },
    spec: {
      candidates: [
        { name: 'a', fixed: 'a' },
        { name: 'logging', logging: true },
        { name: 'z', fixed: 'z' },
      ],
      estimators: ['dm'],
      rewardModel: { type: 'tabular', by: ['action'], prior: 0, crossFit: { folds: 1 } },
      gates: [
        { id: 'worth', expr: "candidate('a').estimate('dm').value > 0.5" },
        { id: 'support', expr: "candidate('a').support.maxWeight < 10.0" },
      ],
    },
  }

  it('has direct estimates alone, and says that nothing tells how good they are', async () => {
    const { candidates, gates } = await run(columns, parts)
    expect(candidates.map(({ estimates }) => estimates[0].value)).toEqual([1, 0.75, 0.75])
    expect(candidates.map(({ verdict }) => verdict)).toEqual(['caution', 'ok', 'refuse'])
    expect(candidates.map(({ support }) => support)).toEqual([null, null, null])
    expect(candidates[0].reasons).toEqual([
      'the log has no propensities: `dm` is as right as its reward model, and nothing here can tell',
    ])
    expect(candidates[2].reasons[0]).toContain("100 % of the candidate's probability is on actions that the log never")
    expect(gates.map(({ passed }) => passed)).toEqual([true, false])
    expect(gates[1].reason).toBe("candidate('a').support could not be computed")
  })

  it('cannot be weighted', async () => {
    await expect(run(columns, { ...parts, spec: { ...parts.spec, estimators: ['dm', 'ips'] } })).rejects.toThrow(
      'the estimator `ips` needs propensities, and Dataset `log` has none',
    )
  })
})

describe('a cell', () => {
  it('of a table names the whole number of the log, and its text before', async () => {
    const columns = {
      action: ['1', '2', '1', '2'],
      slot: ['1', '2', '2.0', '1'],
      propensity: [0.5, 0.5, 0.5, 0.5],
      reward: [1, 0, 1, 1],
    }
    const table = { slot: ['1.0', '1.0', '2', '2.0'], action: ['1.0', '2.0', '1', '2'], probability: [0.5, 0.5, 1, 1] }
    const result = await run(
      columns,
      { tables: new Map([['t', 'table']]), spec: { candidates: [{ name: 't', table: { file: 't', by: ['slot'] } }] } },
      { table },
    )
    // Slot 2 has action 1, slot 2.0 has action 2: weights 1, 0, 0, 1.
    expect(result.candidates[0].support).toMatchObject({ rowsWithoutSupport: 2, meanWeight: 0.5 })
    expect(result.dataset.notes.join()).toContain('the 2 seen in the log')
  })

  it('of a log names the whole number that was declared', async () => {
    const columns = { ...HAND, action: ['1.0', '2.00', '1', '2.10'] }
    await expect(run(columns, { dataset: { actions: { range: [1, 2] } } })).rejects.toThrow(
      'the log has 1 bad row (1 × unknown action `2.10`)',
    )
  })
})

it('names every fault of a table', async () => {
  const table = {
    slot: [1, 1, 2, null, 3],
    action: ['a', 'a', null, 'b', 'a'],
    probability: [0.5, 0.5, 1, 1, 1.5],
  }
  const parts: PlanParts = {
    tables: new Map([['t', 'table']]),
    spec: { candidates: [{ name: 't', table: { file: 't', by: ['slot'] } }] },
  }
  const failed = run({ ...HAND, slot: [1, 1, 1, 1] }, parts, { table })
  await expect(failed).rejects.toThrow(/^candidate `t`: the table has 4 bad rows/)
  await expect(failed).rejects.toThrow(
    [
      '  table:2: action `a` is there twice',
      '  table:3: `action` is missing',
      '  table:4: `slot` is missing',
      '  table:5: `probability` is not a number in [0, 1]',
    ].join('\n'),
  )
})

describe('rewards that are too large', () => {
  const columns = (reward: number) => ({
    action: Array.from({ length: 200 }, (_, i) => 'ab'[i % 2]),
    propensity: Array.from({ length: 200 }, () => 0.5),
    reward: Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? -reward : reward)),
  })
  const spec: Partial<EvaluationSpec> = {
    candidates: [
      { name: 'a', fixed: 'a' },
      { name: 'log', logging: true },
    ],
    estimators: ['ips', 'snips'],
  }

  it('to be added up are an error', async () => {
    await expect(run(columns(1e308), { spec })).rejects.toThrow('are too large to be added up')
  })

  it('to be squared leave no number that is trusted, not even of the log', async () => {
    const { candidates } = await run(columns(1e200), { spec })
    expect(candidates.map(({ verdict }) => verdict)).toEqual(['refuse', 'refuse'])
  })
})

describe('the eligible sets of a log', () => {
  it('bind a candidate: what it gives to others is unsupported, and the propensities are not blamed', async () => {
    const rows = Array.from({ length: 2000 }, (_, i) => ({ other: i % 2 ? 'c' : 'b', first: i % 4 < 2 }))
    const columns = {
      action: rows.map(({ other, first }) => (first ? 'a' : other)),
      propensity: rows.map(() => 0.5),
      reward: rows.map((_, i) => (i % 7 === 0 ? 1 : 0)),
      set: rows.map(({ other }) => JSON.stringify(['a', other])),
      p_a: rows.map(() => 0.5),
      p_b: rows.map(() => 0.25),
      p_c: rows.map(() => 0.25),
    }
    const result = await run(
      columns,
      {
        dataset: { actions: ['a', 'b', 'c'] },
        mapping: { eligible: 'set' },
        tables: new Map([['table', 't']]),
        spec: {
          candidates: [
            { name: 'c', fixed: 'c' },
            { name: 'a', fixed: 'a' },
            { name: 'table', table: { file: 't', by: [] } },
            { name: 'columns', probabilities: { columns: 'p_{action}' } },
          ],
        },
      },
      { t: { action: ['a', 'b', 'c'], probability: [0.5, 0.25, 0.25] } },
    )
    const unsupported = result.candidates.map(({ support }) => support?.unsupportedMass)
    expect(unsupported[0]).toBeCloseTo(0.5, 12)
    expect(unsupported[1]).toBe(0)
    expect(unsupported[2]).toBeCloseTo(0.25, 12)
    expect(unsupported[3]).toBeCloseTo(0.25, 12)
    for (const at of [0, 2, 3]) {
      const { verdict, reasons } = result.candidates[at]
      expect(verdict).toBe('refuse')
      expect(reasons.filter(reason => reason.includes('propensit'))).toEqual([])
      expect(reasons.join()).toContain(at === 0 ? 'nothing was eligible' : 'not eligible')
    }
    expect(result.candidates[1].verdict).toBe('ok')
  })
})
