import type { PolicySpec } from '../kinds.ts'
import type { Rng } from '../math/rng.ts'
import { createAlgorithm } from './algorithm.ts'
import { type Context, type ContextResult, createContextCheck } from './context.ts'
import { drawStream, hashUniform } from './draw.ts'
import { createEligibility, type Eligibility } from './eligibility.ts'
import { createEligibleSets, type EligibleSet } from './eligible-sets.ts'
import type { Exploration } from './exploration.ts'
import { createFeatures, type Features } from './features.ts'
import type { Learner } from './learner.ts'

export type { Context, ContextFault, ContextResult } from './context.ts'

/** A Policy made runnable. Actions are indices into `actions`. Only `learner` changes with time. */
export interface Policy {
  readonly name: string
  readonly spec: PolicySpec
  readonly digest: string
  readonly actions: readonly string[]
  /** First part of every key that is hashed. */
  readonly salt: string
  /** Served where the policy cannot choose, if its rule, which only policies of an older dap give it, lets it; undefined where there is none. */
  readonly fallback: number | undefined
  /** The action of a unit that is held out; undefined when there is no holdout. */
  readonly holdoutAction: number | undefined
  readonly learner: Learner
  readonly exploration: Exploration
  readonly features: Features
  readonly eligibility: Eligibility
  /** The floor f for `count` eligible actions: minProbability, or 1/count where it would not fit. */
  floor(count: number): number
  /** Checks and defaults a request's context. */
  context(input: unknown): ContextResult
  /** The set that the first `count` of these ascending indices stand for. */
  eligibleSet(indices: Int32Array, count: number): EligibleSet
  /**
   * Exact probabilities after the floor over the eligible set given; learner.predict is called inside. `out` has K numbers. Where the
   * exploration is `seeded` they are those of this decision, which must be named.
   */
  probabilities(context: Context, eligible: Int32Array, count: number, out: Float64Array, decisionId?: string): void
  /** A fast draw from the same distribution. learner.predict(x) is called inside with the features already in x. */
  sample(x: Float64Array, eligible: Int32Array, count: number, rng: Rng): number
  /** The unit of a context, as text; undefined for a policy without one. */
  unit(context: Context): string | undefined
  /** Is this unit held out? Decided by hash, once and for all. */
  heldOut(context: Context): boolean
}

/** Builds the policy with a learner that knows nothing yet. A RangeError for a spec that validation would have refused. */
export function createPolicy(name: string, spec: PolicySpec, digest: string): Policy {
  const actions = spec.actions.map(({ id }) => id)
  const { minProbability, holdout } = spec.guardrails
  const salt = spec.salt ?? name
  const { fallback: named = actions[0] } = spec.guardrails
  const fallback = named === null ? undefined : indexOf(named, 'fallback')
  const holdoutAction = holdout === undefined ? undefined : indexOf(holdout.action, 'holdout')
  if (holdout !== undefined && spec.unit === undefined) throw new RangeError('a holdout needs a `unit`')
  const features = createFeatures(spec)
  const eligibility = createEligibility(spec)
  const { learner, exploration, usesWidths } = createAlgorithm(spec.algorithm, actions, features.dimension)
  const scratch = new Float64Array(features.rows * features.dimension)

  function indexOf(id: string, role: string): number {
    const index = actions.indexOf(id)
    if (index < 0) throw new RangeError(`the ${role} \`${id}\` is not an action`)
    return index
  }

  function floor(count: number): number {
    return minProbability * count < 1 ? minProbability : 1 / count
  }

  function unit(context: Context): string | undefined {
    return spec.unit === undefined ? undefined : String(context[spec.unit])
  }

  return {
    name,
    spec,
    digest,
    actions,
    salt,
    fallback,
    holdoutAction,
    learner,
    exploration,
    features,
    eligibility,
    eligibleSet: createEligibleSets(actions, eligibility),
    floor,
    unit,
    context: createContextCheck(spec.context),
    probabilities(context, eligible, count, out, decisionId) {
      features.write(context, scratch)
      learner.predict(scratch, usesWidths)
      const rng = exploration.seeded && decisionId !== undefined ? drawStream(salt, decisionId) : undefined
      exploration.probabilities(learner, eligible, count, out, rng)
      const f = floor(count)
      const rest = Math.max(0, 1 - count * f)
      if (f > 0) for (let i = 0; i < count; i++) out[eligible[i]] = f + rest * out[eligible[i]]
    },
    sample(x, eligible, count, rng) {
      const uniformly = count * floor(count)
      if (uniformly > 0 && rng.uniform() < uniformly) return eligible[Math.floor(rng.uniform() * count)]
      learner.predict(x, usesWidths)
      return exploration.sample(learner, eligible, count, rng)
    },
    heldOut(context) {
      const id = unit(context)
      if (holdout === undefined || id === undefined) return false
      return hashUniform(salt, 'unit', id, 'holdout') < holdout.fraction
    },
  }
}
