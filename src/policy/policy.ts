import type { PolicySpec } from '../kinds.ts'
import { type Rng, xoshiro128 } from '../math/rng.ts'
import { createAlgorithm, takesAnyActions } from './algorithm.ts'
import { type Context, type ContextResult, createContextCheck } from './context.ts'
import { drawStream, hashUniform } from './draw.ts'
import { createEligibility, type Eligibility } from './eligibility.ts'
import { createEligibleSets, type EligibleSet } from './eligible-sets.ts'
import type { Exploration } from './exploration.ts'
import { pick } from './explorations/pick.ts'
import { createFeatures, type Features } from './features.ts'
import type { Learner } from './learner.ts'
import { createFilling, type Filling } from './lists/filling.ts'
import { sampleList } from './lists/sample.ts'
import { createSlots, isList, type Slots } from './lists/slots.ts'
import { addFloor, createWalk, type Walk } from './lists/walk.ts'
import {
  capacityOf,
  createOfferCheck,
  FIRST_ELIGIBLE,
  isListed,
  isSet,
  type OpenOffer,
  ownPool,
  type Pool,
  requirePool,
} from './pool.ts'

export type { Context, ContextFault, ContextResult } from './context.ts'

/** A Policy made runnable. Actions are indices into a pool, where none is given its own. Only `learner` changes with time. */
export interface Policy {
  readonly name: string
  readonly spec: PolicySpec
  readonly digest: string
  /** The ids that it lists; none where requests bring the actions. */
  readonly actions: readonly string[]
  /** Those of which the learner keeps anything: none where they come and go, and a model that they share tells them apart by their features. */
  readonly kept: readonly string[]
  /** Its own actions; undefined where requests bring them. */
  readonly pool: Pool | undefined
  /** The most actions that a decision can be between: buffers have room for so many. */
  readonly capacity: number
  /** First part of every key that is hashed. */
  readonly salt: string
  /** Served where the policy cannot choose, if its rule, which only policies of an older dap give it, lets it; undefined where there is none. */
  readonly fallback: Served | undefined
  /** The action of a unit that is held out; undefined when there is no holdout. */
  readonly holdoutAction: Served | undefined
  readonly learner: Learner
  readonly exploration: Exploration
  readonly features: Features
  readonly eligibility: Eligibility
  /** What a decision fills: one slot of a single one. */
  readonly slots: Slots
  /** Checks and defaults a request's context. */
  context(input: unknown): ContextResult
  /** The actions that a request's decision is between, or what is wrong with them. */
  offer: OpenOffer
  /** The set that the first `count` of these ascending indices stand for. */
  eligibleSet(indices: Int32Array, count: number, pool?: Pool): EligibleSet
  /**
   * Opens the slots of a decision between the eligible actions given: each has exact probabilities, after floor or mixture. learner.predict is called
   * inside. Where the exploration is `seeded` they are those of this decision, which must be named. One decision at a time: it is always the same walk.
   */
  walk(context: Context, eligible: Int32Array, count: number, decisionId?: string, pool?: Pool): Walk
  /** Slots to be filled by other means than the policy's choice, but only with what may stand in them. Never throws. */
  fill(context: Context, eligible: Int32Array, count: number, pool?: Pool): Filling
  /** The probabilities of the first slot, into `out`, which has room for all actions: all that a single decision needs. */
  probabilities(
    context: Context,
    eligible: Int32Array,
    count: number,
    out: Float64Array,
    decisionId?: string,
    pool?: Pool,
  ): void
  /** A fast draw from the distribution of a single decision. learner.predict(x) is called inside with the features already in x. */
  sample(x: Float64Array, eligible: Int32Array, count: number, rng: Rng): number
  /** A fast draw of a whole list, which it writes into `out` as `sampleList` does, from the distribution that `walk` has; learner.predict is called inside. */
  sampleList(context: Context, eligible: Int32Array, count: number, rng: Rng, out: Int32Array, pool?: Pool): number
  /** The unit of a context, as text; undefined for a policy without one. */
  unit(context: Context): string | undefined
  /** Is this unit held out? Decided by hash, once and for all. */
  heldOut(context: Context): boolean
}

/** Which action is served without being drawn: one of the policy's own, or the first that the rules let be taken. */
export type Served = number | typeof FIRST_ELIGIBLE

/** Builds the policy with a learner that knows nothing yet. A RangeError for a spec that validation would have refused. */
export function createPolicy(name: string, spec: PolicySpec, digest: string): Policy {
  const pool = ownPool(spec.actions)
  const actions = pool?.ids ?? []
  const capacity = capacityOf(spec.actions)
  const { holdout } = spec.guardrails
  const salt = spec.salt ?? name
  const { fallback: named = isListed(spec.actions) ? actions[0] : FIRST_ELIGIBLE } = spec.guardrails
  const fallback = named === null ? undefined : served(named, 'fallback')
  const holdoutAction = holdout === undefined ? undefined : served(holdout.action, 'holdout')
  if (holdout !== undefined && spec.unit === undefined) throw new RangeError('a holdout needs a `unit`')
  const features = createFeatures(spec)
  const eligibility = createEligibility(spec)
  const slots = createSlots(spec)
  const list = isList(spec)
  const kept = isSet(spec.actions) && takesAnyActions(spec.algorithm.learner) ? [] : actions
  const { learner, exploration, usesWidths } = createAlgorithm(
    spec.algorithm,
    kept,
    features.dimension,
    capacity,
    features,
  )
  const scratch = new Float64Array(features.rows * features.dimension)
  const chances = new Float64Array(capacity)

  function served(id: string, role: string): Served {
    const index = actions.indexOf(id)
    if (index < 0 && id === FIRST_ELIGIBLE) return id
    if (index < 0) throw new RangeError(`the ${role} \`${id}\` is not an action`)
    return index
  }

  const filling = createFilling(capacity, slots.count)
  /** The decision whose slots are open. */
  let open: { readonly context: Context; readonly decisionId: string | undefined; readonly pool: Pool | undefined }
  /** The slot whose values the learner has; those of all, where they do not differ. */
  let predicted: number | undefined
  const walk = createWalk(
    slots,
    filling,
    (slot, left, count, out, rng) => {
      predict(slot)
      exploration.probabilities(learner, left, count, out, rng)
    },
    streamOf,
    capacity,
    exploration.luce === true,
  )

  function streamOf(): Rng | undefined {
    return exploration.seeded && open.decisionId !== undefined ? drawStream(salt, open.decisionId) : undefined
  }

  /** Brings the learner's values up to date for a slot. */
  function predict(slot: number): void {
    if (predicted !== undefined && (!features.ofSlots || predicted === slot)) return
    const rows = features.write(open.context, scratch, open.pool, slot)
    learner.predict(rows === features.rows ? scratch : scratch.subarray(0, rows * features.dimension), usesWidths)
    predicted = slot
  }

  function start(context: Context, eligible: Int32Array, count: number, decisionId?: string, offered?: Pool): Walk {
    open = { context, decisionId, pool: offered }
    predicted = undefined
    filling.start(eligible, count, slots.open(context, requirePool(offered ?? pool)))
    walk.start()
    return walk
  }

  /** What is chosen in a slot, as often as the exploration says. Where that draws, it is by the same draws in each slot of a list. */
  function chooser(rng: Rng): (slot: number, left: Int32Array, count: number) => number {
    const { seeded } = exploration
    const [s0, s1, s2, s3] = seeded ? [rng.uint32(), rng.uint32(), rng.uint32(), rng.uint32() | 1] : [0, 0, 0, 1]
    return (slot, left, count) => {
      predict(slot)
      if (!seeded) return exploration.sample(learner, left, count, rng)
      exploration.probabilities(learner, left, count, chances, xoshiro128(s0, s1, s2, s3))
      return pick(chances, 1, left, count, rng.uniform())
    }
  }

  function unit(context: Context): string | undefined {
    return spec.unit === undefined ? undefined : String(context[spec.unit])
  }

  return {
    name,
    spec,
    digest,
    actions,
    kept,
    pool,
    capacity,
    salt,
    fallback,
    holdoutAction,
    learner,
    exploration,
    features,
    eligibility,
    offer: createOfferCheck(spec.actions),
    eligibleSet: createEligibleSets(pool, eligibility),
    slots,
    walk: start,
    fill(context, eligible, count, offered) {
      filling.start(eligible, count, slots.open(context, requirePool(offered ?? pool), true))
      return filling
    },
    unit,
    context: createContextCheck(spec.context),
    probabilities(context, eligible, count, out, decisionId, offered) {
      if (list) {
        start(context, eligible, count, decisionId, offered).vector(out)
        return
      }
      open = { context, decisionId, pool: offered }
      predicted = undefined
      predict(0)
      exploration.probabilities(learner, eligible, count, out, streamOf())
      const f = slots.floor(0, count)
      addFloor(out, eligible, count, f, Math.max(0, 1 - count * f))
    },
    sample(x, eligible, count, rng) {
      const uniformly = count * slots.floor(0, count)
      if (uniformly > 0 && rng.uniform() < uniformly) return eligible[Math.floor(rng.uniform() * count)]
      learner.predict(x, usesWidths)
      return exploration.sample(learner, eligible, count, rng)
    },
    sampleList(context, eligible, count, rng, out, offered) {
      start(context, eligible, count, undefined, offered)
      return sampleList(slots, filling, chooser(rng), rng, out)
    },
    heldOut(context) {
      const id = unit(context)
      if (holdout === undefined || id === undefined) return false
      return hashUniform(salt, 'unit', id, 'holdout') < holdout.fraction
    },
  }
}
