import type { ModelOutput, PolicySpec, Scorer } from '../../src/kinds.ts'
import { decisionRecord } from '../../src/log/records/decision-record.ts'
import { type DecisionRecord, REWARD_SCHEMA, type RewardRecord } from '../../src/log/records/records.ts'
import { stream } from '../../src/math/rng.ts'
import { ModelFailure, type Runtime, type Tensor } from '../../src/models/runtime.ts'
import { createScoring } from '../../src/models/score.ts'
import { decide } from '../../src/policy/decide.ts'
import { widthOf } from '../../src/policy/model-outputs.ts'
import type { Context, Policy } from '../../src/policy/policy.ts'
import type { Pool } from '../../src/policy/pool.ts'

/** A runtime of a model of one input: tanh of as many fixed combinations of it as the output has columns, in float32. It counts what it is asked. */
export function tanhRuntime(width: number): Pick<Runtime, 'run' | 'about'> & { calls: number; rows: number } {
  const runtime = {
    about: 'tanh 1.0',
    calls: 0,
    rows: 0,
    async run(inputs: ReadonlyMap<string, Tensor>) {
      const [x] = [...inputs.values()]
      runtime.calls++
      runtime.rows += x.rows
      const data = new Float32Array(x.rows * width)
      for (let r = 0; r < x.rows; r++) {
        for (let c = 0; c < width; c++) {
          let sum = 0.1 * (c + 1)
          for (let j = 0; j < x.columns; j++)
            sum += Number(x.data[r * x.columns + j]) * (((3 * c + 5 * j) % 7) / 7 - 0.4)
          data[r * width + c] = Math.tanh(sum)
        }
      }
      return new Map([['y', { rows: x.rows, columns: width, data }]])
    },
  }
  return runtime
}

/** A runtime that never answers with scores. */
export const brokenRuntime: Pick<Runtime, 'run' | 'about'> = {
  about: 'broken 1.0',
  run: async () => {
    throw new ModelFailure('unreachable', 'connection refused')
  },
}

export const EMBEDDING: ModelOutput = { type: 'embedding', width: 3 }

/** What a policy takes in of the Model `net`, of contexts with a number `x` and actions with a `price`. */
export function scorer(output: ModelOutput = EMBEDDING, more: Partial<Scorer> = {}): Scorer {
  const digest = `sha256:${String(widthOf(output)).repeat(64).slice(0, 64)}`
  return {
    name: 'net',
    digest,
    runtime: { type: 'onnx', file: 'models/net.onnx', digest },
    inputs: [
      {
        name: 'x',
        dtype: 'float32',
        features: [{ field: 'x' }, { action: 'price' }, { cross: ['x', 'action.price'] }],
      },
    ],
    output,
    listwise: false,
    timeout: '50ms',
    onError: 'fallback',
    log: true,
    ...more,
  }
}

/** A policy that learns a line through what the Model gives. */
export const NEURAL_LINEAR: PolicySpec = {
  unit: 'player',
  context: { player: { type: 'string' }, x: { type: 'number' } },
  features: [{ model: 'net' }],
  actions: [
    { id: 'a', features: { price: 1 } },
    { id: 'b', features: { price: 2.5 }, eligible: 'ctx.x >= 0.2' },
    { id: 'c', features: { price: 0.3 } },
  ],
  decision: { type: 'single' },
  mode: 'online',
  algorithm: {
    learner: { type: 'linear', l2: 1, intercept: true, shared: true },
    exploration: { type: 'epsilon-greedy', epsilon: 0.3, ties: 'random' },
  },
  guardrails: { minProbability: 0.05 },
  reward: { name: 'reward', type: 'binary', wait: '1h', default: 0 },
  scorer: scorer(),
}

/** One that decides by what the Model says an action is worth. */
export const BY_SCORES: PolicySpec = {
  ...NEURAL_LINEAR,
  features: undefined,
  algorithm: {
    learner: { type: 'model', model: 'net' },
    exploration: { type: 'squarecb', gamma: { scale: 20, exponent: 0 }, ties: 'random' },
  },
  scorer: scorer({ type: 'value' }),
}

/** One decision as a server makes it, asked, recorded and learnt. */
export interface Played {
  readonly record: DecisionRecord
  readonly reward: RewardRecord
  readonly pool: Pool
}

/**
 * Decisions of a policy with a Model, one after the other, each rewarded and learnt at once: what a server's log would have.
 *
 * @param learn Told of each decision that the policy chose itself.
 */
export async function playModel(
  policy: Policy,
  runtime: Pick<Runtime, 'run'>,
  rounds: number,
  learn: (pool: Pool, context: Context, action: number, reward: number) => void = () => {},
): Promise<readonly Played[]> {
  const score = createScoring(policy, runtime)
  const rng = stream(11, 'model')
  const played: Played[] = []
  for (let i = 0; i < rounds; i++) {
    const context = { player: `p${i}`, x: Math.floor(100 * rng.uniform()) / 100 }
    const actions = policy.pool === undefined ? offered(rng.uniform()) : undefined
    const open = policy.offer({ actions })
    if ('faults' in open) throw new RangeError(open.faults[0].message)
    const { pool } = await score({ context, pool: open }, new AbortController().signal)
    const decision = decide(policy, { decisionId: `d${i}`, context, pool })
    if ('faults' in decision) throw new RangeError(decision.faults[0].message)
    const ts = new Date(Date.UTC(2026, 0, 1) + 1000 * i).toISOString()
    const facts = {
      ts,
      mode: 'online',
      snapshot: null,
      runtime: 'dap/0.0.0-test',
      latencyUs: 9,
      logProbability: 1,
    } as const
    const record = decisionRecord(policy, decision, facts, pool)
    const action = pool.ids.indexOf(decision.action as string)
    const value = rng.uniform() < 0.2 + 0.6 * Math.tanh(context.x * Number(pool.values[action]['price'])) ** 2 ? 1 : 0
    const reward: RewardRecord = { schema: REWARD_SCHEMA, rewardId: `r${i}`, decisionId: `d${i}`, value, ts }
    if (decision.servedBy === 'policy') learn(pool, context, action, value)
    played.push({ record: JSON.parse(JSON.stringify(record)) as DecisionRecord, reward, pool })
  }
  return played
}

const offered = (u: number) =>
  Array.from({ length: 2 + Math.floor(4 * u) }, (_, i) => ({
    id: `i${i}`,
    features: { price: Math.round(100 * u) / 50 + i },
  }))

/** The lines of the log. */
export const linesOf = (played: readonly Played[]): string =>
  played.map(({ record, reward }) => `${JSON.stringify(record)}\n${JSON.stringify(reward)}\n`).join('')
