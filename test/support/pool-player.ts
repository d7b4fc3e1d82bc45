import type { ExplorationSpec, LearnerSpec, PolicySpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { learnerOf } from '../../src/policy/algorithm.ts'
import type { PassRows } from '../../src/policy/learner.ts'
import { fitHere } from '../../src/policy/passes.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import type { Pool } from '../../src/policy/pool.ts'
import { createMemory, START } from '../../src/simulate/memory.ts'
import { DAY, FIELDS, levelsOf, OFFERED, type PoolWorld, TOKENS } from './pool-world.ts'

/** What is played: a learner of hashed features, and what explores over it. */
export interface PoolPlayer {
  /** Fitted anew each `DAY` decisions; one that forgets, as `dap simulate` does it. */
  readonly learner: Extract<LearnerSpec, { type: 'hashed' }>
  readonly exploration: ExplorationSpec
  /** Does it learn at once, too, until it is fitted anew? One that forgets always does. */
  readonly atOnce?: boolean
}

/** Between two decisions. */
const STEP = 86_400_000 / DAY

/**
 * Plays a world with the kernel, without the players of `dap simulate`, which are never fitted anew unless they forget: features of the items on offer,
 * values, exploration, draw. Returns the sum of the means of what was chosen.
 */
export function playPool(
  world: PoolWorld,
  { learner: spec, exploration, atOnce = false }: PoolPlayer,
  seed: number,
): number {
  const policy = createPolicy('pool', specOf(spec, exploration), 'sha256:0')
  const { features } = policy
  const { dimension } = features
  const values = world.items.map((tokens, i) => ({
    ...Object.fromEntries(tokens.map((level, t) => [`t${t}`, `v${level}`])),
    id: `item${i}`,
  }))
  const rows = new Float64Array(OFFERED * dimension)
  const all = Int32Array.from({ length: OFFERED }, (_, place) => place)
  const rng = stream(seed, 'pool player')
  const memory = createMemory(policy) ?? createDays(policy, atOnce)
  let earned = 0
  for (const [t, { context, offered, means, chance }] of world.requests.entries()) {
    const pool: Pool = {
      ids: offered.map(item => values[item].id),
      entries: [],
      values: offered.map(item => values[item]),
      lasting: false,
    }
    features.write(Object.fromEntries(context.map((level, i) => [`c${i}`, `v${level}`])), rows, pool)
    memory.advance(START + t * STEP)
    const chosen = policy.sample(rows, all, OFFERED, rng)
    earned += means[chosen]
    const row = rows.subarray(chosen * dimension, (chosen + 1) * dimension)
    memory.learn(chosen, row, chance < means[chosen] ? 1 : 0)
  }
  return earned
}

/** All that was seen, for a fit at the beginning of each day. */
function createDays({ spec, features, learner }: Policy, atOnce: boolean) {
  const { dimension, hashing } = features
  const { learner: how } = spec.algorithm
  const passes = learnerOf(how).passes?.(how, 0, dimension, hashing)
  if (passes === undefined) throw new Error(`${how.type} is not fitted in passes`)
  const days: (PassRows & { rows: number })[] = []
  return {
    advance(time: number) {
      if ((time - START) % (DAY * STEP) !== 0) return
      const count = Float64Array.of(DAY * days.length)
      if (days.length > 0) learner.restore(fitHere(passes, days, count, Float64Array.of(1), learner.state()).state())
      days.push({
        rows: 0,
        x: new Float64Array(DAY * dimension),
        action: new Int32Array(DAY),
        reward: new Float64Array(DAY),
        weight: undefined,
      })
    },
    learn(action: number, x: Float64Array, reward: number) {
      const day = days[days.length - 1]
      day.x.set(x, day.rows * dimension)
      day.reward[day.rows++] = reward
      if (atOnce) learner.learn(action, x, reward)
    },
  }
}

/** Ten fields of the context, and ten of the items that requests bring: the id and nine tokens. */
function specOf(learner: PoolPlayer['learner'], exploration: ExplorationSpec): PolicySpec {
  const text = (i: number) => ({ type: 'string', enum: Array.from({ length: levelsOf(i) }, (_, v) => `v${v}`) })
  const fieldsOf = (name: string, count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, text(i)]))
  return {
    context: fieldsOf('c', FIELDS),
    actions: { from: 'request', max: OFFERED, features: fieldsOf('t', TOKENS) },
    algorithm: { learner, exploration },
    guardrails: { minProbability: 0 },
    decision: { type: 'single' },
  } as unknown as PolicySpec
}
