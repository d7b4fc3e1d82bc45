import { DapError } from '../errors.ts'
import type { Decision } from './decide.ts'
import { hashUniform } from './draw.ts'
import type { Policy } from './policy.ts'

/** Why a decision is what it is. */
export interface Explanation {
  /** What the learner saw. */
  readonly features: readonly { readonly name: string; readonly value: number }[]
  /** How many rewards it had learnt. */
  readonly learnt: number
  readonly actions: readonly ExplainedAction[]
  /** Absent without a holdout: the unit is held out if u is below the fraction. */
  readonly holdout?: { readonly fraction: number; readonly u: number }
  /** The action whose interval of [0, 1) holds u. */
  readonly draw: { readonly key: string; readonly u: number }
}

export interface ExplainedAction {
  readonly id: string
  /** The rule that excluded it; what follows is then absent. */
  readonly excludedBy?: string
  /** The estimated reward; null while nothing is known. Absent where nothing was estimated, as for a held out unit. */
  readonly value?: number | null
  /** Its standard error in units of the reward's noise; null while nothing is known. */
  readonly width?: number | null
  /** Before the floor. */
  readonly probability?: number
  /** After it: what was drawn from. Absent, as what follows, where nothing was served. */
  readonly propensity?: number
  /** The part of [0, 1) that draws this action. */
  readonly from?: number
  readonly to?: number
}

/** What `dap decide` gives. */
export type DecideResult = Omit<Decision, 'policy'> & {
  readonly schema: 'dap.decide/v1'
  readonly policy: { readonly name: string; readonly digest: string; readonly snapshot: string | null }
  readonly explanation?: Explanation
}

/** Explains a decision that this policy, in this state, has just made. */
export function explain(policy: Policy, decision: Decision): Explanation {
  const { context, eligible, servedBy } = decision
  const k = policy.actions.length
  const x = new Float64Array(policy.features.dimension)
  const raw = new Float64Array(k)
  const indices = Int32Array.from(eligible, id => policy.actions.indexOf(id))
  const estimated = servedBy === 'policy'
  if (estimated) {
    policy.features.write(context, x)
    policy.learner.predict(x)
    policy.exploration.probabilities(policy.learner, indices, indices.length, raw)
  }
  let from = 0
  const actions = policy.actions.map((id, a): ExplainedAction => {
    const excluded = decision.excluded.find(other => other.id === id)
    if (excluded !== undefined) return { id, excludedBy: excluded.by }
    const at = eligible.indexOf(id)
    if (at < 0) throw new DapError(`the decision knows nothing of action \`${id}\``)
    if (decision.action === null) return { id }
    const propensity = decision.propensities[at]
    const interval = { propensity, from, to: from + propensity }
    from += propensity
    if (!estimated) return { id, ...interval }
    const [value, width] = [policy.learner.value[a], policy.learner.width[a]].map(finite)
    return { id, value, width, probability: raw[a], ...interval }
  })
  const { holdout } = policy.spec.guardrails
  const { salt, u } = decision.randomness
  return {
    features: estimated ? policy.features.names.map((name, i) => ({ name, value: x[i] })) : [],
    learnt: policy.learner.count,
    actions,
    ...(holdout === undefined || decision.unit === undefined
      ? {}
      : { holdout: { fraction: holdout.fraction, u: hashUniform(salt, 'unit', decision.unit, 'holdout') } }),
    draw: { key: `${salt}/${decision.decisionId}/0`, u },
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
