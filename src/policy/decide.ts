import { LONGEST_UNIT } from '../generated/names.ts'
import { type ContextFault, isLonger, pointerTo } from './context.ts'
import { DRAW_SCHEME, drawIndex, drawUniform } from './draw.ts'
import type { EligibleSet } from './eligible-sets.ts'
import { NOTHING } from './lists/filling.ts'
import { isList } from './lists/slots.ts'
import { type FailureReason, failed, failureReason, loggedOutputs } from './model-outputs.ts'
import type { Context, Policy, Served } from './policy.ts'
import { FIRST_ELIGIBLE, type Pool, requirePool } from './pool.ts'

/** One decision and all that it takes to recompute it. */
export interface Decision {
  readonly policy: { readonly name: string; readonly digest: string }
  readonly decisionId: string
  readonly unit?: string
  /** After defaults. */
  readonly context: Context
  /** Fields of the context that took their default. */
  readonly defaulted: readonly string[]
  /** The actions that rules and request let be taken, in the order of their list; `propensities` belong to them one by one. */
  readonly eligible: readonly string[]
  /** The others, and what excluded each: its rule, or `request`. */
  readonly excluded: readonly { readonly id: string; readonly by: string }[]
  /** Of slot 0, as everything up to `randomness.u`: one of the eligible; null where nothing may be served. */
  readonly action: string | null
  /** null without an action. */
  readonly propensity: number | null
  /** Empty without an action. */
  readonly propensities: readonly number[]
  /** The least propensity that the policy promises each of the eligible; 0 where it was not the policy that chose. */
  readonly floor: number
  readonly randomness: { readonly scheme: typeof DRAW_SCHEME; readonly salt: string; readonly u: number }
  readonly servedBy: 'policy' | 'holdout' | 'fallback' | 'override' | 'none'
  /** Why it was not the policy. */
  readonly reason?: string
  /** Of a list: all of its slots. */
  readonly slots?: readonly DecidedSlot[]
  /** Of a list whose vectors they tell: the exploration's choice in the first slot, by eligible action. See `Walk.scores`. */
  readonly scores?: readonly number[]
  /** Of a policy with a Model, where it was asked: what it said, by eligible action, as records have it; or why it said nothing. */
  readonly model?: ModelSaid
}

export interface ModelSaid {
  readonly name: string
  readonly digest: string
  /** Row by row: one an eligible action, or one of all where the model sees no action. Absent where the Model does not want them logged. */
  readonly outputs?: readonly number[]
  readonly failure?: FailureReason
}

/** One slot, drawn from its own vector, given what stands in the slots above it. */
export interface DecidedSlot extends Pick<Decision, 'action' | 'propensity' | 'propensities' | 'floor'> {
  /** Its number, from 0. */
  readonly slot: number
  readonly u: number
}

export interface DecisionRequest {
  readonly decisionId: string
  /** As it came in: it is checked and its defaults are filled in. */
  readonly context: unknown
  /** What it is between, as `Policy.offer` opened it; default: the policy's own actions. */
  readonly pool?: Pool
  /**
   * Not the policy, for this reason, but these actions of the caller's own, slot by slot, those of them that the rules let be taken; without any, the
   * fallback.
   */
  readonly imposed?: { readonly reason: string; readonly actions?: readonly string[] }
}

export type DecisionResult = Decision | { readonly faults: readonly ContextFault[] }

/**
 * Makes one decision in the only order under which its log can be evaluated: context, eligibility, holdout, and then for each slot values, exploration,
 * floor, one draw from that very vector. Where the policy cannot choose, or is not asked, it is the fallback, with propensity 1; and
 * where there is none that the rules let be taken, no action. Nothing that a rule excludes is ever the answer.
 */
export function decide(policy: Policy, request: DecisionRequest): DecisionResult {
  const checked = policy.context(request.context)
  if ('faults' in checked) return checked
  const { context, defaulted } = checked
  const unit = policy.unit(context)
  if (unit !== undefined && isLonger(unit, LONGEST_UNIT)) {
    return {
      faults: [
        { pointer: pointerTo(policy.spec.unit as string), message: `must have at most ${LONGEST_UNIT} characters` },
      ],
    }
  }
  const { salt } = policy
  const { imposed, decisionId } = request
  const between = { policy, context, decisionId, pool: requirePool(request.pool ?? policy.pool) }
  const { eligible, excluded, slots, scores, model, servedBy, reason } =
    imposed === undefined ? choose(between) : unasked(between, imposed)
  const { action, propensity, propensities, floor, u } = slots[0]
  return {
    policy: { name: policy.name, digest: policy.digest },
    decisionId,
    unit,
    context,
    defaulted,
    eligible,
    excluded,
    action,
    propensity,
    propensities,
    floor,
    randomness: { scheme: DRAW_SCHEME, salt, u },
    servedBy,
    reason,
    slots: isList(policy.spec) ? slots : undefined,
    scores,
    model,
  }
}

type Choice = Pick<Decision, 'eligible' | 'excluded' | 'scores' | 'model' | 'servedBy' | 'reason'> & {
  /** At least one, though it may be empty. */
  readonly slots: readonly DecidedSlot[]
}

/** What is decided. */
interface Between {
  readonly policy: Policy
  readonly context: Context
  readonly decisionId: string
  readonly pool: Pool
}

/** The policy's choice, or what is served where it has none. */
function choose(between: Between): Choice {
  const { policy, context, pool } = between
  const indices = new Int32Array(pool.ids.length)
  try {
    const count = policy.eligibility.write(context, indices, pool)
    if (count === 0) return unasked(between, { reason: 'no action is eligible' })
    const set = policy.eligibleSet(indices, count, pool)
    if (policy.heldOut(context)) {
      return (
        certain(between, set, [policy.holdoutAction], 'holdout', 'the unit is held out') ??
        unasked(between, { reason: 'the holdout action is not eligible' })
      )
    }
    const model = said(between, set)
    if (model?.failure !== undefined) {
      return { ...unasked(between, { reason: failureReason(model.name, { failure: model.failure }) }), model }
    }
    const drawn = draw(between, set, indices)
    if (drawn === undefined) return unasked(between, { reason: 'the probabilities do not sum to 1' })
    if (drawn.slots.every(isEmpty)) return unasked(between, { reason: 'no action may stand in any slot' })
    return { ...drawn, model }
  } catch (error) {
    return unasked(between, { reason: error instanceof Error ? error.message : String(error) })
  }
}

/** What the policy's Model said, if it has one. */
function said({ policy: { spec }, pool: { outputs } }: Between, { indices }: EligibleSet): ModelSaid | undefined {
  const { scorer } = spec
  if (scorer === undefined || outputs === undefined) return undefined
  const { name, digest, log } = scorer
  if (failed(outputs)) return { name, digest, failure: outputs.failure }
  return log ? { name, digest, outputs: loggedOutputs(scorer, outputs, indices) } : { name, digest }
}

/** Draws slot after slot; undefined where a vector is none. */
function draw(
  { policy, context, decisionId, pool }: Between,
  set: EligibleSet,
  indices: Int32Array,
): Choice | undefined {
  const { eligible, excluded } = set
  const count = set.indices.length
  const vector = new Float64Array(pool.ids.length)
  if (!isList(policy.spec)) {
    policy.probabilities(context, indices, count, vector, decisionId, pool)
    const only = slotOf(set, vector, policy.slots.floor(0, count), 0, drawUniform(policy.salt, decisionId))
    return only && { eligible, excluded, slots: [only], servedBy: 'policy' }
  }
  const walk = policy.walk(context, indices, count, decisionId, pool)
  const slots: DecidedSlot[] = []
  while (walk.slot < policy.slots.count) {
    const { slot } = walk
    const u = drawUniform(policy.salt, decisionId, slot)
    if (walk.vector(vector) === 0) {
      // A ranking ends; a slot that has a name stays empty.
      if (policy.slots.ids.length === 0) break
      slots.push(empty(slot, u))
      walk.take(NOTHING)
      continue
    }
    const drawn = slotOf(set, vector, walk.floor, slot, u)
    if (drawn === undefined) return undefined
    slots.push(drawn)
    walk.take(set.indices[eligible.indexOf(drawn.action as string)])
  }
  const { scores } = walk
  return { eligible, excluded, slots, scores: scores && set.indices.map(a => scores[a]), servedBy: 'policy' }
}

/** One draw from a vector over the pool; undefined where that is no distribution. */
function slotOf(
  { indices, eligible }: EligibleSet,
  vector: Float64Array,
  floor: number,
  slot: number,
  u: number,
): DecidedSlot | undefined {
  const propensities = indices.map(a => vector[a])
  if (!isDistribution(propensities)) return undefined
  const at = drawIndex(propensities, u)
  return { slot, action: eligible[at], propensity: propensities[at], propensities, floor, u }
}

const isEmpty = ({ action }: DecidedSlot): boolean => action === null

const empty = (slot: number, u: number): DecidedSlot => ({
  slot,
  action: null,
  propensity: null,
  propensities: [],
  floor: 0,
  u,
})

function isDistribution(propensities: readonly number[]): boolean {
  let sum = 0
  for (const p of propensities) {
    if (!(p >= 0)) return false
    sum += p
  }
  return Math.abs(sum - 1) <= 1e-9
}

/** Without the policy's choice: the caller's own actions, the fallback or nothing, whichever the rules let be taken first. */
function unasked(between: Between, { reason, actions = [] }: NonNullable<DecisionRequest['imposed']>): Choice {
  const { policy, context, decisionId, pool } = between
  const indices = new Int32Array(pool.ids.length)
  const set = policy.eligibleSet(indices, policy.eligibility.writeCertain(context, indices, pool), pool)
  const own = actions.map(id => pool.ids.indexOf(id))
  return (
    certain(between, set, own, 'override', reason) ??
    certain(between, set, [policy.fallback], 'fallback', reason) ?? {
      eligible: set.eligible,
      excluded: set.excluded,
      slots: [empty(0, drawUniform(policy.salt, decisionId))],
      servedBy: 'none',
      reason,
    }
  )
}

/**
 * What is served without being drawn, each with probability 1: the caller's own actions and no others, or that of a holdout or a fallback first, and below it
 * the others in their order. Undefined where none of those named is eligible.
 */
function certain(
  { policy, context, decisionId, pool }: Between,
  { indices, eligible, excluded }: EligibleSet,
  served: readonly (Served | undefined)[],
  servedBy: 'holdout' | 'fallback' | 'override',
  reason: string,
): Choice | undefined {
  const named = served.map(each => (each === FIRST_ELIGIBLE ? indices[0] : each)).filter(a => a !== undefined)
  const may = new Set(indices)
  const first = named.filter(a => may.has(a))
  if (first.length === 0) return undefined
  const wanted = servedBy === 'override' ? first : [...first, ...indices.filter(a => a !== first[0])]
  const filling = policy.fill(context, Int32Array.from(indices), indices.length, pool)
  const slots: DecidedSlot[] = []
  const stand = (a: number | undefined) => {
    const u = drawUniform(policy.salt, decisionId, filling.slot)
    const at = a === undefined ? -1 : indices.indexOf(a)
    slots.push(
      at < 0
        ? empty(filling.slot, u)
        : {
            slot: filling.slot,
            action: eligible[at],
            propensity: 1,
            propensities: indices.map((_, i) => (i === at ? 1 : 0)),
            floor: 0,
            u,
          },
    )
    filling.take(a ?? NOTHING)
  }
  while (filling.slot < policy.slots.count) {
    const left = new Set(filling.left.subarray(0, filling.open()))
    const next = wanted.find(a => left.has(a))
    if (next === undefined && policy.slots.ids.length === 0) break
    stand(next)
  }
  return slots.some(({ action }) => action !== null) ? { eligible, excluded, slots, servedBy, reason } : undefined
}
