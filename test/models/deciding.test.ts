import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ModelOutput, PolicySpec, Scorer } from '../../src/kinds.ts'
import { checkAgainstPolicy, checkDecision } from '../../src/log/check/check-decision.ts'
import { decisionRecord } from '../../src/log/records/decision-record.ts'
import { readRecord } from '../../src/log/records/read-record.ts'
import { recordText } from '../../src/log/records/record-text.ts'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import { replay } from '../../src/log/records/replay.ts'
import { probabilityBest } from '../../src/math/quadrature.ts'
import { stream } from '../../src/math/rng.ts'
import { ModelFailure, type Tensor } from '../../src/models/runtime.ts'
import { createScoring } from '../../src/models/score.ts'
import { type Decision, decide } from '../../src/policy/decide.ts'
import { shortFloat, widthOf } from '../../src/policy/model-outputs.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import type { Pool } from '../../src/policy/pool.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}`

const scorerOf = (output: ModelOutput, changes: Partial<Scorer> = {}): Scorer => ({
  name: 'ctr',
  digest: DIGEST,
  runtime: { type: 'onnx', file: 'models/ctr.onnx', digest: DIGEST },
  inputs: [{ name: 'x', dtype: 'float32', features: [{ field: 'level' }, { action: 'price' }] }],
  output,
  listwise: false,
  timeout: '50ms',
  onError: 'fallback',
  log: true,
  ...changes,
})

const ALGORITHM: PolicySpec['algorithm'] = {
  learner: { type: 'model', model: 'ctr' },
  exploration: { type: 'squarecb', gamma: { scale: 50, exponent: 0.5 }, ties: 'random' },
}

function policyOf(scorer: Scorer, changes: Partial<PolicySpec> = {}): Policy {
  return createPolicy(
    'shop',
    {
      unit: 'playerId',
      context: { playerId: { type: 'string' }, level: { type: 'number' } },
      actions: [
        { id: 'a', features: { price: 0.5 } },
        { id: 'b', features: { price: 1 }, eligible: 'ctx.level > 2.0' },
        { id: 'c', features: { price: 2 } },
      ],
      decision: { type: 'single' },
      algorithm: ALGORITHM,
      guardrails: { minProbability: 0.02 },
      reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
      mode: 'online',
      scorer,
      ...changes,
    },
    DIGEST,
  )
}

/** Sees what it is asked, and gives level + 10 · price, a column more each time. */
function fake(columns = 1, name = 'y') {
  const calls: Tensor[] = []
  return {
    calls,
    async run(inputs: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>> {
      const x = inputs.get('x') as Tensor
      calls.push(x)
      const data = new Float32Array(x.rows * columns)
      for (let i = 0; i < x.rows; i++) {
        const score = Number(x.data[i * x.columns]) + 10 * Number(x.data[i * x.columns + 1] ?? 0)
        for (let j = 0; j < columns; j++) data[i * columns + j] = (score + j) / 100
      }
      return new Map([[name, { rows: x.rows, columns, data }]])
    },
  }
}

const signal = new AbortController().signal
const context = { playerId: 'p', level: 3 }

async function asked(policy: Policy, runtime: Parameters<typeof createScoring>[1], from = context): Promise<Pool> {
  const [pool] = await createScoring(policy, runtime).score([{ context: from, pool: policy.pool as Pool }], signal)
  return pool
}

const decided = (policy: Policy, pool: Pool, decisionId = 'd1', from = context): Decision =>
  decide(policy, { decisionId, context: from, pool }) as Decision

function logged(policy: Policy, decision: Decision, pool: Pool): DecisionRecord {
  const facts = { ts: '2026-11-29T12:00:00.000Z', mode: 'online', snapshot: null, runtime: 'dap/0' } as const
  const record = decisionRecord(policy, decision, { ...facts, latencyUs: 1, logProbability: 1 }, pool)
  const text = recordText(record)
  expect(text).toBe(JSON.stringify(record))
  const read = readRecord(text)
  expect(read).toHaveProperty('decision')
  return (read as { decision: DecisionRecord }).decision
}

describe('a decision by what a Model says', () => {
  it('asks about those that may be taken, in one call, and has their scores in the record', async () => {
    const policy = policyOf(scorerOf({ type: 'value' }))
    const runtime = fake()
    const pool = await asked(policy, runtime)
    expect(runtime.calls.map(({ rows, data }) => [rows, ...data])).toEqual([[3, 3, 0.5, 3, 1, 3, 2]])
    const decision = decided(policy, pool)
    expect(decision.model).toEqual({ name: 'ctr', digest: DIGEST, outputs: [0.08, 0.13, 0.23] })
    // Inverse gap weighting of these very numbers, γ = 50, and the floor.
    const value = [0.08, 0.13, 0.23].map(Math.fround)
    const weights = [1 / (3 + 50 * (value[2] - value[0])), 1 / (3 + 50 * (value[2] - value[1]))]
    const raw = [...weights, 1 - weights[0] - weights[1]]
    for (const [i, p] of decision.propensities.entries()) expect(p).toBeCloseTo(0.02 + 0.94 * raw[i], 12)

    const low = { playerId: 'p', level: 1 }
    const fewer = await asked(policy, runtime, low)
    expect(runtime.calls[1].rows).toBe(2)
    expect(decided(policy, fewer, 'd1', low).model?.outputs).toEqual([0.06, 0.21])
  })

  it('comes out again of its record, bit for bit, and of no other scores', () =>
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, min: 0, max: 1 }), { minLength: 3, maxLength: 3 }),
        fc.string({ minLength: 1, maxLength: 8 }),
        fc.constantFrom(1, 3),
        (scores, id, level) => {
          const policy = policyOf(scorerOf({ type: 'probability' }))
          const from = { playerId: 'p', level }
          const pool = { ...(policy.pool as Pool), outputs: { numbers: Float64Array.from(scores) } }
          const decision = decided(policy, pool, id, from)
          expect(decision.servedBy).toBe('policy')
          const record = logged(policy, decision, pool)
          const faults: string[] = []
          checkDecision(record, (_, message) => faults.push(message))
          checkAgainstPolicy(record, policy, (_, message) => faults.push(message))
          expect(faults).toEqual([])
          expect(replay(policy, record)).toEqual({ same: true, differences: [] })
          const other = record.model?.outputs?.map((p, i) => (i === 0 ? (p > 0.5 ? p - 0.25 : p + 0.25) : p))
          const changed = { ...record, model: { ...(record.model as object), outputs: other } } as DecisionRecord
          expect(replay(policy, changed).same).toBe(false)
        },
      ),
    ))

  it('is the fallback where there are no scores, says why, and comes out again', async () => {
    const policy = policyOf(scorerOf({ type: 'value' }))
    for (const [reason, run] of [
      ['timeout', () => Promise.reject(new ModelFailure('timeout', 'late'))],
      ['answer', async () => new Map()],
      ['not-finite', async () => new Map([['y', { rows: 3, columns: 1, data: new Float32Array([1, Number.NaN, 0]) }]])],
    ] as const) {
      const pool = await asked(policy, { run } as Parameters<typeof createScoring>[1])
      const decision = decided(policy, pool)
      expect(decision).toMatchObject({
        servedBy: 'fallback',
        action: 'a',
        propensity: 1,
        reason: `no scores of the model \`ctr\`: ${reason}`,
        model: { name: 'ctr', digest: DIGEST, failure: reason },
      })
      expect(replay(policy, logged(policy, decision, pool))).toEqual({ same: true, differences: [] })
    }
  })

  it('does not ask for one that is held out, nor where nothing may be taken', async () => {
    const runtime = fake()
    const out = policyOf(scorerOf({ type: 'value' }), {
      guardrails: { minProbability: 0, holdout: { fraction: 1, action: 'a' } },
    })
    const pool = await asked(out, runtime)
    expect(decided(out, pool)).toMatchObject({ servedBy: 'holdout', model: undefined })
    const none = policyOf(scorerOf({ type: 'value' }), {
      actions: [{ id: 'a', features: { price: 1 }, eligible: 'false' }],
    })
    expect(decided(none, await asked(none, runtime))).toMatchObject({ servedBy: 'none', model: undefined })
    expect(runtime.calls).toEqual([])
  })

  it('asks a listwise model about one decision at a time, and others about all at once', async () => {
    for (const listwise of [false, true]) {
      const policy = policyOf(scorerOf({ type: 'value' }, { listwise }))
      const runtime = fake()
      const each = [1, 3].map(level => ({ context: { playerId: 'p', level }, pool: policy.pool as Pool }))
      const pools = await createScoring(policy, runtime).score(each, signal)
      expect(runtime.calls.map(({ rows }) => rows)).toEqual(listwise ? [2, 3] : [5])
      expect(pools.map((pool, i) => decided(policy, pool, 'd', each[i].context).model?.outputs)).toEqual([
        [0.06, 0.21],
        [0.08, 0.13, 0.23],
      ])
    }
  })

  it('cannot do without what it was to ask', () => {
    const policy = policyOf(scorerOf({ type: 'value' }))
    expect(decided(policy, policy.pool as Pool)).toMatchObject({
      servedBy: 'fallback',
      reason: 'the model `ctr` has not been asked',
    })
  })
})

describe('explorations over what a Model says', () => {
  const thompson = (scorer: Scorer) =>
    policyOf(scorer, {
      algorithm: { ...ALGORITHM, exploration: { type: 'thompson', scale: 1 } },
      guardrails: { minProbability: 0 },
    })
  const given = (policy: Policy, numbers: readonly number[]): Pool => ({
    ...(policy.pool as Pool),
    outputs: { numbers: Float64Array.from(numbers, Math.fround) },
  })

  it('of heads have the shares of those that have an action best', () => {
    const policy = thompson(scorerOf({ type: 'heads', count: 4, link: 'identity' }))
    const pool = given(policy, [3, 1, 2, 2, 1, 5, 2, 0, 0, 0, 2, 9])
    // The third head has all three alike.
    expect(decided(policy, pool).propensities).toEqual([(1 + 1 / 3) / 4, (1 + 1 / 3) / 4, (1 + 1 / 3) / 4])
    const rng = stream(3, 'heads')
    const taken = [0, 0, 0]
    const x = Float64Array.from([3, 1, 2, 2, 1, 5, 2, 0, 0, 0, 1, 1])
    for (let i = 0; i < 40_000; i++) taken[policy.sample(x, Int32Array.of(0, 1, 2), 3, rng)]++
    // Heads: a; b; a and b; a.
    for (const [i, share] of [2.5 / 4, 1.5 / 4, 0].entries()) expect(taken[i] / 40_000).toBeCloseTo(share, 1.9)
  })

  it('of a mean and its deviation have the probability of the best, by quadrature', () => {
    const policy = thompson(
      scorerOf({ type: 'gaussian', mean: { column: 0 }, standardDeviation: { column: 1 }, deviation: 'epistemic' }),
    )
    const numbers = [0.1, 0.05, 0.12, 0.1, 0.2, 0.02]
    const expected = probabilityBest(
      [0, 1, 2].map(a => ({
        family: 'normal',
        mean: Math.fround(numbers[2 * a]),
        sd: Math.fround(numbers[2 * a + 1]),
      })),
    )
    expect(decided(policy, given(policy, numbers)).propensities).toEqual([...expected])
  })
})

describe('a learner over the embedding of a Model', () => {
  const linear = (scorer: Scorer) =>
    policyOf(scorer, {
      algorithm: {
        learner: { type: 'linear', shared: true, l2: 1, intercept: true },
        exploration: { type: 'thompson', scale: 1 },
      },
      features: [{ field: 'level' }, { model: 'ctr' }],
    })

  it('sees it beside other features, by names that tell the model', async () => {
    const policy = linear(scorerOf({ type: 'embedding', width: 2 }))
    expect(policy.features.names).toEqual(['intercept', 'level', 'ctr@abababababab[0]', 'ctr@abababababab[1]'])
    const pool = await asked(policy, fake(2))
    const x = new Float64Array(policy.features.dimension)
    policy.features.writeRow(context, 1, x, pool)
    expect([...x]).toEqual([1, 3, Math.fround(0.13), Math.fround(0.14)])
    const decision = decided(policy, pool)
    expect(decision.model?.outputs).toEqual([0.08, 0.09, 0.13, 0.14, 0.23, 0.24])
    expect(replay(policy, logged(policy, decision, pool)).same).toBe(true)
  })

  it('has one of the context alone once a decision', async () => {
    const inputs: Scorer['inputs'] = [{ name: 'x', dtype: 'float32', features: [{ field: 'level' }] }]
    const policy = policyOf(scorerOf({ type: 'embedding', width: 2 }, { inputs }), {
      algorithm: {
        learner: { type: 'linear', shared: false, l2: 1, intercept: true },
        exploration: { type: 'thompson', scale: 1 },
      },
      features: [{ model: 'ctr' }],
    })
    const runtime = fake(2)
    const pool = await asked(policy, runtime)
    expect(runtime.calls.map(({ rows }) => rows)).toEqual([1])
    const decision = decided(policy, pool)
    expect(decision.model?.outputs).toEqual([0.03, 0.04])
    expect(replay(policy, logged(policy, decision, pool)).same).toBe(true)
  })
})

describe('a score in a record', () => {
  it('is a decimal number of at most nine digits, of which the same float32 is made', () =>
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), x => {
        expect(Math.fround(shortFloat(x)) + 0).toBe(x + 0)
        expect(
          shortFloat(x)
            .toExponential()
            .replace(/e.*|[-.]/g, '').length,
        ).toBeLessThanOrEqual(9)
      }),
    ))

  it('has as many numbers as its output', () => {
    expect(widthOf({ type: 'logit' })).toBe(1)
    expect(widthOf({ type: 'heads', count: 7, link: 'identity' })).toBe(7)
  })
})
