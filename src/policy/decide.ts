import { LONGEST_UNIT } from '../generated/names.ts'
import { type ContextFault, isLonger, pointerTo } from './context.ts'
import { DRAW_SCHEME, drawIndex, drawUniform } from './draw.ts'
import type { EligibleSet } from './eligible-sets.ts'
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
  /** One of the eligible; null where nothing may be served. */
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
}

export interface DecisionRequest {
  readonly decisionId: string
  /** As it came in: it is checked and its defaults are filled in. */
  readonly context: unknown
  /** What it is between, as `Policy.offer` opened it; default: the policy's own actions. */
  readonly pool?: Pool
  /** Not the policy, for this reason, but this action of the caller's own if the rules let it be taken; without one, the fallback. */
  readonly imposed?: { readonly reason: string; readonly action?: string }
}

export type DecisionResult = Decision | { readonly faults: readonly ContextFault[] }

/**
 * Makes one decision in the only order under which its log can be evaluated: context, eligibility, holdout, values, exploration,
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
  const u = drawUniform(salt, request.decisionId)
  const { imposed, decisionId } = request
  const between = { policy, context, decisionId, pool: requirePool(request.pool ?? policy.pool) }
  const chosen = imposed === undefined ? distribution(between) : unasked(between, imposed)
  const { eligible, excluded, propensities, floor, servedBy, reason } = chosen
  const at = servedBy === 'none' ? undefined : drawIndex(propensities, u)
  return {
    policy: { name: policy.name, digest: policy.digest },
    decisionId: request.decisionId,
    unit,
    context,
    defaulted,
    eligible,
    excluded,
    action: at === undefined ? null : eligible[at],
    propensity: at === undefined ? null : propensities[at],
    propensities,
    floor,
    randomness: { scheme: DRAW_SCHEME, salt, u },
    servedBy,
    reason,
  }
}

type Distribution = Pick<Decision, 'eligible' | 'excluded' | 'propensities' | 'floor' | 'servedBy' | 'reason'>

/** What is decided. */
interface Between {
  readonly policy: Policy
  readonly context: Context
  readonly decisionId: string
  readonly pool: Pool
}

/** All of a decision but its draw. */
function distribution(between: Between): Distribution {
  const { policy, context, decisionId, pool } = between
  const k = pool.ids.length
  const indices = new Int32Array(k)
  try {
    const count = policy.eligibility.write(context, indices, pool)
    if (count === 0) return unasked(between, { reason: 'no action is eligible' })
    const set = policy.eligibleSet(indices, count, pool)
    if (policy.heldOut(context)) {
      return (
        certain(set, policy.holdoutAction, 'holdout', 'the unit is held out') ??
        unasked(between, { reason: 'the holdout action is not eligible' })
      )
    }
    const probabilities = new Float64Array(k)
    policy.probabilities(context, indices, count, probabilities, decisionId, pool)
    const propensities = set.indices.map(a => probabilities[a])
    if (!isDistribution(propensities)) {
      return unasked(between, { reason: 'the probabilities do not sum to 1' })
    }
    const { eligible, excluded } = set
    return { eligible, excluded, propensities, floor: policy.floor(count), servedBy: 'policy' }
  } catch (error) {
    return unasked(between, { reason: error instanceof Error ? error.message : String(error) })
  }
}

function isDistribution(propensities: readonly number[]): boolean {
  let sum = 0
  for (const p of propensities) {
    if (!(p >= 0)) return false
    sum += p
  }
  return Math.abs(sum - 1) <= 1e-9
}

/** Without the policy's choice: the caller's own action, the fallback or nothing, whichever the rules let be taken first. */
function unasked(
  { policy, context, pool }: Between,
  { reason, action }: NonNullable<DecisionRequest['imposed']>,
): Distribution {
  const indices = new Int32Array(pool.ids.length)
  const set = policy.eligibleSet(indices, policy.eligibility.writeCertain(context, indices, pool), pool)
  const own = action === undefined ? undefined : pool.ids.indexOf(action)
  return (
    certain(set, own, 'override', reason) ??
    certain(set, policy.fallback, 'fallback', reason) ?? {
      eligible: set.eligible,
      excluded: set.excluded,
      propensities: [],
      floor: 0,
      servedBy: 'none',
      reason,
    }
  )
}

/** One action with probability 1; undefined where it is not eligible. */
function certain(
  { indices, eligible, excluded }: EligibleSet,
  served: Served | undefined,
  servedBy: 'holdout' | 'fallback' | 'override',
  reason: string,
): Distribution | undefined {
  const action = served === FIRST_ELIGIBLE ? indices[0] : served
  if (action === undefined || !indices.includes(action)) return undefined
  return { eligible, excluded, propensities: indices.map(a => (a === action ? 1 : 0)), floor: 0, servedBy, reason }
}
