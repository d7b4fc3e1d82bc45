import type { Rng } from '../math/rng.ts'
import type { ConfiguredDefinition, Rewards } from './definition.ts'
import type { Gift, Learner, LearnerDefinition } from './learner.ts'

/**
 * How values become probabilities. `sample` and `probabilities` are the same distribution: one fast, one exact, and where those are seeded,
 * on average over the seeds. Both look only at the first `count` entries of `eligible`, which are distinct action indices; `count` is at least 1.
 */
export interface Exploration {
  /** Do `probabilities` draw, too? Then they are to be given a stream, a decision's its own: the same stream, the same probabilities. */
  readonly seeded?: boolean
  /** Is its choice among some of the actions that among all of them, renormalised (Luce's axiom)? Then lists of such choices are Plackett–Luce. */
  readonly luce?: boolean
  /** Draws an action: for simulation. */
  sample(learner: Learner, eligible: Int32Array, count: number, rng: Rng): number
  /** Writes the probability of every action into `out` (K numbers; 0 for those that are not eligible). They sum to 1. */
  probabilities(learner: Learner, eligible: Int32Array, count: number, out: Float64Array, rng?: Rng): void
}

/** A kind of exploration, as a Policy names it. `Spec` is its part of the policy, after defaults. */
export interface ExplorationDefinition<Spec extends { readonly type: string } = { readonly type: string }>
  extends ConfiguredDefinition {
  /** What it uses of a learner beside values: it goes with those that give all of it. */
  readonly needs: readonly Gift[]
  readonly rewards: Rewards
  /** The names of the algorithms that it makes, by learner; a pair without a name is as good as any. */
  readonly names: Readonly<Record<string, AlgorithmName>>
  /** The option that leaves nothing to chance but ties, `type` where nothing else would help; absent of one that always draws. */
  deterministic?(spec: Spec): string | undefined
  /** The option by which chance may leave an action without any probability; absent where there is none. */
  leavesOut?(spec: Spec): string | undefined
  /** Options that do not go with a learner that it goes with otherwise. */
  misfits?(spec: Spec, learner: LearnerDefinition): readonly Misfit[]
  /** `actions` is K. A RangeError for options that make no sense. */
  create(spec: Spec, learner: LearnerDefinition, actions: number): Exploration
}

export interface AlgorithmName {
  readonly name: string
  /** Authors, year. */
  readonly paper?: string
}

export interface Misfit {
  readonly option: string
  readonly message: string
  readonly hint: string
}
