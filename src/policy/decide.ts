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
  /** The actions that could be chosen, in the policy's order; `propensities` belong to them one by one. */
  readonly eligible: readonly string[]
  /** The others, and the rule that excluded each. */
  readonly excluded: readonly { readonly id: string; readonly by: string }[]
  readonly action: string
  readonly propensity: number
  readonly propensities: readonly number[]
  readonly randomness: { readonly scheme: typeof DRAW_SCHEME; readonly u: number }
  readonly servedBy: 'policy' | 'holdout' | 'fallback'
  /** Why it was not the policy. */
  readonly reason?: string
}

export interface DecisionRequest {
  readonly decisionId: string
  /** As it came in: it is checked and its defaults are filled in. */
  readonly context: unknown
}

export type DecisionResult = Decision | { readonly faults: readonly ContextFault[] }

/**
 * Makes one decision in the only order under which its log can be evaluated: context, eligibility, holdout, values, exploration,
 * floor, one draw from that very vector. An error in a rule or a transform is answered by the fallback, with propensity 1.
 */
export function decide(policy: Policy, request: DecisionRequest): DecisionResult {
  const checked = policy.context(request.context)
  if ('faults' in checked) return checked
  const { context } = checked
  const unit = policy.unit(context)
  const u = drawUniform(policy.salt, request.decisionId)
  const { eligible, excluded, propensities, servedBy, reason } = distribution(policy, context)
  const at = drawIndex(propensities, u)
  return {
    policy: { name: policy.name, digest: policy.digest },
    decisionId: request.decisionId,
    ...(unit === undefined ? {} : { unit }),
    context,
    eligible: eligible.map(a => policy.actions[a]),
    excluded,
    action: policy.actions[eligible[at]],
    propensity: propensities[at],
    propensities,
    randomness: { scheme: DRAW_SCHEME, u },
    servedBy,
    ...(reason === undefined ? {} : { reason }),
  }
}

type Distribution = Pick<Decision, 'excluded' | 'propensities' | 'servedBy' | 'reason'> & {
  readonly eligible: readonly number[]
}

/** All of a decision but its draw. */
function distribution(policy: Policy, context: Context): Distribution {
  const k = policy.actions.length
  const indices = new Int32Array(k)
  try {
    const count = policy.eligibility.write(context, indices)
    if (count === 0) return fallback(policy, 'no action is eligible')
    const eligible = [...indices.subarray(0, count)]
    const excluded = excludedFrom(policy, eligible)
    if (policy.heldOut(context)) {
      const holdout = policy.holdoutAction
      const propensities = eligible.map(a => (a === holdout ? 1 : 0))
      if (!propensities.includes(1)) return fallback(policy, 'the holdout action is not eligible')
      return { eligible, excluded, propensities, servedBy: 'holdout', reason: 'the unit is held out' }
    }
    const probabilities = new Float64Array(k)
    policy.probabilities(context, indices, count, probabilities)
    const propensities = eligible.map(a => probabilities[a])
    if (!isDistribution(propensities)) return fallback(policy, 'the probabilities do not sum to 1')
    return { eligible, excluded, propensities, servedBy: 'policy' }
  } catch (error) {
    return fallback(policy, error instanceof Error ? error.message : String(error))
  }
}

function excludedFrom(policy: Policy, eligible: readonly number[]): Decision['excluded'] {
  const { rules } = policy.eligibility
  return policy.actions.flatMap((id, a) => (eligible.includes(a) ? [] : [{ id, by: rules[a] ?? 'fallback' }]))
}

function isDistribution(propensities: readonly number[]): boolean {
  const sum = propensities.reduce((total, p) => total + p, 0)
  return propensities.every(p => p >= 0) && Math.abs(sum - 1) <= 1e-9
}

function fallback(policy: Policy, reason: string): Distribution {
  const eligible = [policy.fallback]
  return { eligible, excluded: excludedFrom(policy, eligible), propensities: [1], servedBy: 'fallback', reason }
}
