import type { PolicySpec } from '../kinds.ts'
import { uniformInt } from '../math/distributions.ts'
import { type Rng, stream } from '../math/rng.ts'
import { createPolicy, type Policy } from '../policy/policy.ts'
import { isDated, type Pool } from '../policy/pool.ts'
import type { Baseline } from './baselines.ts'
import { createMemory, timeOf } from './memory.ts'
import { createView } from './offered.ts'
import type { Player } from './play.ts'
import type { Rounds } from './rounds.ts'

/** A resource of the repository, as far as a simulation needs it. */
export interface Named<Spec> {
  readonly name: string
  readonly spec: Spec
  readonly digest: string
}

/**
 * A policy as it decides when it is served: eligibility, holdout, values, exploration, floor, draw, and nothing where
 * no action is eligible. It begins every replication knowing nothing, and learns at once from every decision that it chose
 * itself. With `units` the holdout goes by the unit's hash; without, every round being a new unit, by chance with the same
 * fraction. Stream: (seed, policy, name, r).
 *
 * @param worldActions The places of what a world offers, for a policy whose actions are the request's.
 * @param every The time between two decisions, by which a learner forgets, and actions of a set come and go.
 * @param drawn The context fields that have a distribution: a unit that has none is called the same in every replication.
 */
export function policyPlayer(
  source: Named<PolicySpec>,
  worldActions: readonly string[],
  units: number,
  drawn: ReadonlySet<string>,
  seed: number,
  every?: string,
): Player {
  const { name } = source
  const policy = createPolicy(name, source.spec, source.digest)
  const { learner, features } = policy
  const blank = learner.state()
  const memory = createMemory(policy)
  const { dimension } = features
  const actions = policy.pool?.ids ?? worldActions
  const rows = features.rows === 1 ? 1 : actions.length
  const poolAt = poolsOf(policy, every)
  const x = new Float64Array(rows * dimension)
  const rowOf = actions.map((_, a) => (rows === 1 ? x : x.subarray(a * dimension, (a + 1) * dimension)))
  const reads = dimension > 0
  const ruled = mayExclude(policy)
  const held = createHoldout(policy, units, drawn)
  let rng = stream(seed)

  return {
    name,
    actions,
    contextual: reads || ruled || held?.contextual === true,
    eligible: ruled
      ? (rounds, i, out) => policy.eligibility.write(rounds.contexts[i], out, poolAt(rounds, i))
      : undefined,
    heldOut: held && ((rounds, i) => held.decide(rounds, i, rng)),
    holdoutAction: policy.holdoutAction,
    fallback: policy.fallback,
    start(replication) {
      learner.restore(blank)
      memory?.start()
      held?.start()
      rng = stream(seed, 'policy', name, replication)
    },
    choose(rounds, i, eligible, count) {
      if (reads) features.write(rounds.contexts[i], x, poolAt(rounds, i))
      memory?.advance(timeOf(every, rounds.from + i))
      return policy.sample(x, eligible, count, rng)
    },
    learn: (action, reward) => (memory ?? learner).learn(action, rowOf[action], reward),
  }
}

/** Is there anything that may keep an action from being taken? */
const mayExclude = ({ spec, eligibility }: Policy): boolean => eligibility.ruled || isDated(spec.actions)

/** What a policy sees of the actions of round i: its own at the time, or what the world offers, looked at once a round. */
function poolsOf({ spec, pool, offer }: Policy, every: string | undefined): (rounds: Rounds, i: number) => Pool {
  if (pool !== undefined && !isDated(spec.actions)) return () => pool
  if (pool !== undefined) return ({ from }, i) => offer({ at: timeOf(every, from + i) }) as Pool
  const view = createView(spec.actions)
  let seen: { readonly offered: Pool; readonly pool: Pool } | undefined
  return ({ pools }, i) => {
    const offered = pools[i]
    if (seen?.offered !== offered) seen = { offered, pool: view(offered) }
    return seen.pool
  }
}

/**
 * `uniform`, which chooses uniformly, or `oracle`, which chooses the action of the highest expected reward, among the actions
 * that `model` may choose; without a model, among all of the world's. Stream: (seed, policy, name, r).
 *
 * @param column The world's column of each action.
 */
export function baselinePlayer(
  name: Baseline,
  model: Named<PolicySpec> | undefined,
  worldActions: readonly string[],
  column: Int32Array,
  seed: number,
  every?: string,
): Player {
  const policy = model && createPolicy(model.name, model.spec, model.digest)
  const ruled = policy !== undefined && mayExclude(policy)
  const poolAt = policy && poolsOf(policy, every)
  let rng = stream(seed)

  function best({ means, stride }: Rounds, i: number, eligible: Int32Array, count: number): number {
    let best = eligible[0]
    for (let k = 1; k < count; k++) {
      if (means[i * stride + column[eligible[k]]] > means[i * stride + column[best]]) best = eligible[k]
    }
    return best
  }

  return {
    name,
    actions: policy?.pool?.ids ?? worldActions,
    contextual: ruled,
    eligible: ruled
      ? (rounds, i, out) => policy.eligibility.write(rounds.contexts[i], out, poolAt?.(rounds, i))
      : undefined,
    start(replication) {
      rng = stream(seed, 'policy', name, replication)
    },
    choose: name === 'oracle' ? best : (_rounds, _i, eligible, count) => eligible[uniformInt(rng, count)],
    learn() {},
  }
}

interface Holdout {
  readonly contextual: boolean
  start(): void
  decide(rounds: Rounds, i: number, rng: Rng): boolean
}

/** Units whose answer is remembered, so that a hash is computed once a unit. */
const REMEMBERED_UNITS = 65536

function createHoldout(policy: Policy, units: number, drawn: ReadonlySet<string>): Holdout | undefined {
  const { unit, guardrails } = policy.spec
  const { holdout } = guardrails
  if (holdout === undefined) return undefined
  if (units === Number.POSITIVE_INFINITY) {
    return { contextual: false, start() {}, decide: (_rounds, _i, rng) => rng.uniform() < holdout.fraction }
  }
  /** 0 not asked yet, 1 no, 2 yes. */
  const answers = new Uint8Array(Math.min(units, REMEMBERED_UNITS))
  return {
    contextual: true,
    start() {
      if (unit !== undefined && drawn.has(unit)) answers.fill(0)
    },
    decide({ contexts, units }, i) {
      const met = units[i]
      if (met >= answers.length) return policy.heldOut(contexts[i])
      if (answers[met] === 0) answers[met] = policy.heldOut(contexts[i]) ? 2 : 1
      return answers[met] === 2
    },
  }
}
