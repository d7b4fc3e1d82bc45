import type { ExplorationSpec, LearnerSpec, PolicySpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { learnerOf } from '../../src/policy/algorithm.ts'
import type { LearnerState, Passes, PassRows } from '../../src/policy/learner.ts'
import { fitHere } from '../../src/policy/passes.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import type { Pool } from '../../src/policy/pool.ts'
import { DAY, FIELDS, levelsOf, OFFERED, type PoolWorld, TOKENS } from './pool-world.ts'

/** What is played: a learner of hashed features, fitted anew each `DAY` decisions, and what explores over it. */
export interface PoolPlayer {
  readonly learner: Extract<LearnerSpec, { type: 'hashed' }>
  readonly exploration: ExplorationSpec
  /** Days after which a row counts half; without it, all rows count alike for ever. */
  readonly halfLife?: number
  /** Does it learn at once, too, until it is fitted anew? */
  readonly atOnce?: boolean
}

/**
 * Plays a world with the kernel, until `dap simulate` knows of pools: features of the items on offer, values, exploration,
 * draw. Returns the sum of the means of what was chosen.
 */
export function playPool(
  world: PoolWorld,
  { learner: spec, exploration, halfLife = Number.POSITIVE_INFINITY, atOnce = false }: PoolPlayer,
  seed: number,
): number {
  const policy = createPolicy('pool', specOf(spec, exploration), 'sha256:0')
  const { learner, features } = policy
  const { dimension, hashing } = features
  const passes = learnerOf(spec).passes?.(spec, 0, dimension, hashing)
  if (passes === undefined) throw new Error(`${spec.type} is not fitted in passes`)
  const values = world.items.map((tokens, i) => ({
    ...Object.fromEntries(tokens.map((level, t) => [`t${t}`, `v${level}`])),
    id: `item${i}`,
  }))
  const rows = new Float64Array(OFFERED * dimension)
  const all = Int32Array.from({ length: OFFERED }, (_, place) => place)
  const rng = stream(seed, 'pool player')
  const days: PassRows[] = []
  let earned = 0
  for (const [t, { context, offered, means, chance }] of world.requests.entries()) {
    const at = t % DAY
    if (at === 0) {
      if (t > 0) learner.restore(refitted(passes, days, halfLife, learner.state()))
      days.push({
        rows: Math.min(DAY, world.requests.length - t),
        x: new Float64Array(DAY * dimension),
        action: new Int32Array(DAY),
        reward: new Float64Array(DAY),
        weight: undefined,
      })
    }
    const pool: Pool = {
      ids: offered.map(item => values[item].id),
      entries: [],
      values: offered.map(item => values[item]),
      lasting: false,
    }
    features.write(Object.fromEntries(context.map((level, i) => [`c${i}`, `v${level}`])), rows, pool)
    const chosen = policy.sample(rows, all, OFFERED, rng)
    earned += means[chosen]
    const row = rows.subarray(chosen * dimension, (chosen + 1) * dimension)
    const day = days[days.length - 1]
    day.x.set(row, at * dimension)
    day.reward[at] = chance < means[chosen] ? 1 : 0
    if (atOnce) learner.learn(chosen, row, day.reward[at])
  }
  return earned
}

/** Fitted to all days, the older ones counting less. */
function refitted(passes: Passes, days: readonly PassRows[], halfLife: number, from: LearnerState): LearnerState {
  const kept = 0.5 ** (1 / halfLife)
  const weights = days.map((_, d) => kept ** (days.length - 1 - d))
  const aged = days.map((each, d): PassRows => ({ ...each, weight: new Float64Array(DAY).fill(weights[d]) }))
  const count = DAY * weights.reduce((sum, weight) => sum + weight, 0)
  return fitHere(passes, aged, Float64Array.of(count), Float64Array.of(1), from).state()
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
  } as unknown as PolicySpec
}
