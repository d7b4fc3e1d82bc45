import type { ContextFault } from './context.ts'
import { DRAW_SCHEME, drawIndex, drawUniform } from './draw.ts'
import type { Context, Policy } from './policy.ts'

/** One decision and all that it takes to recompute it. */
export interface Decision {
  readonly policy: { readonly name: string; readonly digest: string }
  readonly decisionId: string
  readonly unit?: string
  /** After defaults. */
  readonly context: Context
  /** Fields of the context that took their default. */
  readonly defaulted: readonly string[]
  /** The actions that could be chosen, in the policy's order; `propensities` belong to them one by one. */
  readonly eligible: readonly string[]
  /** The others, and the rule that excluded each. */
  readonly excluded: readonly { readonly id: string; readonly by: string }[]
  readonly action: string
  readonly propensity: number
  readonly propensities: readonly number[]
  /** The least propensity that the policy promises each of the eligible; 0 where it was not the policy that chose. */
  readonly floor: number
  readonly randomness: { readonly scheme: typeof DRAW_SCHEME; readonly salt: string; readonly u: number }
  readonly servedBy: 'policy' | 'holdout' | 'fallback' | 'override'
  /** Why it was not the policy. */
  readonly reason?: string
}

export interface DecisionRequest {
  readonly decisionId: string
  /** As it came in: it is checked and its defaults are filled in. */
  readonly context: unknown
  /** Not the policy, but this action, for this reason. */
  readonly imposed?: { readonly by: 'fallback' | 'override'; readonly action: string; readonly reason: string }
}

export type DecisionResult = Decision | { readonly faults: readonly ContextFault[] }

/**
 * Makes one decision in the only order under which its log can be evaluated: context, eligibility, holdout, values, exploration,
 * floor, one draw from that very vector. An error in a rule or a transform is answered by the fallback, with propensity 1.
 */
export function decide(policy: Policy, request: DecisionRequest): DecisionResult {
  const checked = policy.context(request.context)
  if ('faults' in checked) return checked
  const { context, defaulted } = checked
  const unit = policy.unit(context)
  const { salt } = policy
  const u = drawUniform(salt, request.decisionId)
  const { imposed } = request
  const chosen =
    imposed === undefined
      ? distribution(policy, context)
      : certain(policy, policy.actions.indexOf(imposed.action), imposed.by, imposed.reason)
  const { eligible, excluded, propensities, floor, servedBy, reason } = chosen
  const at = drawIndex(propensities, u)
  return {
    policy: { name: policy.name, digest: policy.digest },
    decisionId: request.decisionId,
    unit,
    context,
    defaulted,
    eligible,
    excluded,
    action: eligible[at],
    propensity: propensities[at],
    propensities,
    floor,
    randomness: { scheme: DRAW_SCHEME, salt, u },
    servedBy,
    reason,
  }
}

type Distribution = Pick<Decision, 'eligible' | 'excluded' | 'propensities' | 'floor' | 'servedBy' | 'reason'>

/** All of a decision but its draw. */
function distribution(policy: Policy, context: Context): Distribution {
  const k = policy.actions.length
  const indices = new Int32Array(k)
  try {
    const count = policy.eligibility.write(context, indices)
    if (count === 0) {
      // Every action has a rule then, and it is the rules that say why.
      const { excluded } = policy.eligibleSet(indices, 0)
      const others = excluded.filter(({ id }) => id !== policy.actions[policy.fallback])
      return { ...fallback(policy, 'no action is eligible'), excluded: others }
    }
    const set = policy.eligibleSet(indices, count)
    const { eligible, excluded } = set
    if (policy.heldOut(context)) {
      const holdout = policy.holdoutAction
      const propensities = set.indices.map(a => (a === holdout ? 1 : 0))
      if (!propensities.includes(1)) return fallback(policy, 'the holdout action is not eligible')
      return { eligible, excluded, propensities, floor: 0, servedBy: 'holdout', reason: 'the unit is held out' }
    }
    const probabilities = new Float64Array(k)
    policy.probabilities(context, indices, count, probabilities)
    const propensities = set.indices.map(a => probabilities[a])
    if (!isDistribution(propensities)) return fallback(policy, 'the probabilities do not sum to 1')
    return { eligible, excluded, propensities, floor: policy.floor(count), servedBy: 'policy' }
  } catch (error) {
    return fallback(policy, error instanceof Error ? error.message : String(error))
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

function fallback(policy: Policy, reason: string): Distribution {
  return certain(policy, policy.fallback, 'fallback', reason)
}

/** One action with probability 1. */
function certain(policy: Policy, action: number, servedBy: 'fallback' | 'override', reason: string): Distribution {
  const excluded = policy.actions.flatMap((id, a) => (a === action ? [] : [{ id, by: servedBy }]))
  return { eligible: [policy.actions[action]], excluded, propensities: [1], floor: 0, servedBy, reason }
}
