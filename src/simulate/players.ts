import { DapError } from '../errors.ts'
import type { PolicySpec } from '../kinds.ts'
import { uniformInt } from '../math/distributions.ts'
import { type Rng, stream } from '../math/rng.ts'
import { createScoreAhead, type OpenRuntime, type ScoreAhead } from '../models/score-ahead.ts'
import { type ChooseOne, fillList } from '../policy/lists/sample.ts'
import { createPolicy, type Policy } from '../policy/policy.ts'
import { isDated, type Pool } from '../policy/pool.ts'
import type { Baseline } from './baselines.ts'
import { createBestList } from './best-list.ts'
import type { ClickModel } from './click-model.ts'
import type { ListPlayer } from './list-seat.ts'
import { createMemory, timeOf } from './memory.ts'
import { createView } from './offered.ts'
import type { Player, Seated } from './play.ts'
import type { Rounds } from './rounds.ts'
import { createTeacher } from './teacher.ts'

/** A resource of the repository, as far as a simulation needs it. */
export interface Named<Spec> {
  readonly name: string
  readonly spec: Spec
  readonly digest: string
}

/** What it takes to seat policies at a world. */
export interface Seating {
  /** The places of what a world offers, for policies whose actions are the request's. */
  readonly worldActions: readonly string[]
  readonly units: number
  /** The context fields that have a distribution: a unit that has none is called the same in every replication. */
  readonly drawn: ReadonlySet<string>
  readonly seed: number
  /** The time between two decisions, by which a learner forgets, and actions of a set come and go. */
  readonly every: string | undefined
  /** Opens the Models of policies that have one. */
  readonly open: OpenRuntime | undefined
}

/**
 * A policy at a world: eligibility, holdout, and the memory that learns. It begins every replication knowing nothing. With `units` the holdout goes by the
 * unit's hash; without, every round being a new unit, by chance with the same fraction. Stream: (seed, policy, name, r).
 */
function seatPolicy(
  { name, spec, digest }: Named<PolicySpec>,
  { worldActions, units, drawn, seed, every, open }: Seating,
) {
  const policy = createPolicy(name, spec, digest)
  const { learner, features } = policy
  const blank = learner.state()
  const memory = createMemory(policy)
  const asking = createAsking(policy, poolsOf(policy, every), open)
  const { poolAt } = asking
  const ruled = mayExclude(policy)
  const held = createHoldout(policy, units, drawn)
  const chance = { rng: stream(seed) }
  const seated: Seated = {
    name,
    actions: policy.pool?.ids ?? worldActions,
    contextual: features.dimension > 0 || ruled || held?.contextual === true || placesActions(spec),
    eligible: ruled
      ? (rounds, i, out) => policy.eligibility.write(rounds.contexts[i], out, poolAt(rounds, i))
      : undefined,
    heldOut: held && ((rounds, i) => held.decide(rounds, i, chance.rng)),
    holdoutAction: policy.holdoutAction,
    fallback: policy.fallback,
    ask: asking.ask,
    start(replication) {
      learner.restore(blank)
      memory?.start()
      held?.start()
      chance.rng = stream(seed, 'policy', name, replication)
    },
  }
  const advance = (rounds: Rounds, i: number) => memory?.advance(timeOf(every, rounds.from + i))
  return { policy, seated, chance, poolAt, advance, memory: memory ?? learner }
}

/**
 * A policy as it decides when it is served: eligibility, holdout, values, exploration, floor, draw, and nothing where
 * no action is eligible. It learns at once from every decision that it chose itself.
 */
export function policyPlayer(source: Named<PolicySpec>, seating: Seating): Player {
  const { policy, seated, chance, poolAt, advance, memory } = seatPolicy(source, seating)
  const { features } = policy
  const { dimension } = features
  const rows = features.rows === 1 ? 1 : seated.actions.length
  const x = new Float64Array(rows * dimension)
  const rowOf = seated.actions.map((_, a) => (rows === 1 ? x : x.subarray(a * dimension, (a + 1) * dimension)))
  const reads = dimension > 0
  return {
    ...seated,
    choose(rounds, i, eligible, count) {
      if (reads) features.write(rounds.contexts[i], x, poolAt(rounds, i))
      advance(rounds, i)
      return policy.sample(x, eligible, count, chance.rng)
    },
    learn: (action, reward) => memory.learn(action, rowOf[action], reward),
  }
}

/** The same of lists, slot after slot; of what their slots bring it learns what the policy's `credit` says. */
export function policyListPlayer(source: Named<PolicySpec>, seating: Seating): ListPlayer {
  const { policy, seated, chance, poolAt, advance, memory } = seatPolicy(source, seating)
  const teach = createTeacher(policy, memory)
  return {
    ...seated,
    slots: policy.slots,
    fill: (rounds, i, eligible, count) => policy.fill(rounds.contexts[i], eligible, count, poolAt(rounds, i)),
    list(rounds, i, eligible, count, out) {
      advance(rounds, i)
      return policy.sampleList(rounds.contexts[i], eligible, count, chance.rng, out, poolAt(rounds, i))
    },
    learn: (rounds, i, list, rewards) => teach(rounds.contexts[i], poolAt(rounds, i), list, rewards),
  }
}

/** Do rules that look at contexts say what may stand where in a list? */
const placesActions = ({ decision }: PolicySpec): boolean =>
  decision.type === 'ranking' && (decision.pins ?? decision.quotas) !== undefined

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

/** The pools of the rounds of a block, of a policy with a Model with what that says once it has been asked: about what the rules let be taken. */
function createAsking(
  policy: Policy,
  poolAt: (rounds: Rounds, i: number) => Pool,
  open: OpenRuntime | undefined,
): { readonly poolAt: (rounds: Rounds, i: number) => Pool; readonly ask?: Seated['ask'] } {
  if (policy.spec.scorer === undefined) return { poolAt }
  let ahead: ScoreAhead | undefined
  let asked: readonly Pool[] = []
  return {
    poolAt: (_, i) => asked[i],
    async ask(rounds, signal) {
      if (open === undefined) throw new RangeError('nobody opens Models')
      ahead ??= createScoreAhead(policy, await open(policy))
      const decisions = Array.from({ length: rounds.count }, (_, i) => {
        const [context, pool] = [rounds.contexts[i], poolAt(rounds, i)]
        const indices = new Int32Array(pool.ids.length)
        return { context, pool, indices: indices.subarray(0, policy.eligibility.write(context, indices, pool)) }
      })
      asked = await ahead(decisions, signal)
    },
  }
}

/** Whom a baseline takes its actions from, its rules and its slots, and the world's column of each action. */
interface Model {
  readonly model: Named<PolicySpec> | undefined
  readonly column: Int32Array
}

/** Stream: (seed, policy, name, r). */
function seatBaseline(name: Baseline, { model }: Model, { worldActions, seed, every }: Seating) {
  const policy = model && createPolicy(model.name, model.spec, model.digest)
  const ruled = policy !== undefined && mayExclude(policy)
  const poolAt = policy && poolsOf(policy, every)
  const chance = { rng: stream(seed) }
  const seated: Seated = {
    name,
    actions: policy?.pool?.ids ?? worldActions,
    contextual: ruled || (model !== undefined && placesActions(model.spec)),
    eligible: ruled
      ? (rounds, i, out) => policy.eligibility.write(rounds.contexts[i], out, poolAt?.(rounds, i))
      : undefined,
    start(replication) {
      chance.rng = stream(seed, 'policy', name, replication)
    },
  }
  return { policy, poolAt, seated, chance }
}

/**
 * `uniform`, which chooses uniformly, or `oracle`, which chooses the action of the highest expected reward, among the actions
 * that the model may choose; without a model, among all of the world's.
 */
export function baselinePlayer(name: Baseline, of: Model, seating: Seating): Player {
  const { seated, chance } = seatBaseline(name, of, seating)
  const { column } = of

  function best({ means, stride }: Rounds, i: number, eligible: Int32Array, count: number): number {
    let best = eligible[0]
    for (let k = 1; k < count; k++) {
      if (means[i * stride + column[eligible[k]]] > means[i * stride + column[best]]) best = eligible[k]
    }
    return best
  }

  return {
    ...seated,
    choose: name === 'oracle' ? best : (_rounds, _i, eligible, count) => eligible[uniformInt(chance.rng, count)],
    learn() {},
  }
}

/**
 * The same of lists with the model's slots: `uniform` takes any action that may stand in a slot, slot after slot, `oracle` makes the best list.
 *
 * @throws DapError without a model: nobody says how long lists are.
 */
export function baselineListPlayer(name: Baseline, of: Model, seating: Seating, clicks: ClickModel): ListPlayer {
  const { policy, poolAt, seated, chance } = seatBaseline(name, of, seating)
  if (policy === undefined || poolAt === undefined) {
    throw new DapError(`\`${name}\` does not know how many slots lists have`, {
      hint: 'a world whose lists are clicked needs a policy beside it: name one in `policies`',
    })
  }
  const { slots } = policy
  const best = createBestList(clicks, of.column, slots)
  const open: ListPlayer['fill'] = (rounds, i, eligible, count) =>
    policy.fill(rounds.contexts[i], eligible, count, poolAt(rounds, i))
  const anything: ChooseOne = (_, left, count) => left[uniformInt(chance.rng, count)]
  return {
    ...seated,
    slots,
    fill: open,
    list(rounds, i, eligible, count, out) {
      const filling = open(rounds, i, eligible, count)
      return name === 'oracle'
        ? best(rounds, i, eligible, count, filling, out)
        : fillList(slots, filling, anything, out)
    },
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
