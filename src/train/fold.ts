import { DapError } from '../errors.ts'
import type { PolicySpec } from '../kinds.ts'
import { type ContextSource, contextReader } from '../log/context-reader.ts'
import type { DecisionLog } from '../log/decision-log.ts'
import { createPolicy } from '../policy/policy.ts'
import { createStatistics } from '../policy/statistics.ts'

/** What it takes to turn rows of a log into statistics: plain data, so that it can be sent to a thread. */
export interface FoldPlan {
  readonly policy: { readonly name: string; readonly spec: PolicySpec; readonly digest: string }
  /** Where contexts are; absent for a learner that does not look at them. */
  readonly context?: ContextSource
  readonly weights: Weights
}

/** What a row counts: the same as every other, or 1/propensity. */
export type Weights = 'none' | 'inverse-propensity'

/** From batches of rows, their columns those of the context reader, to the sums of each, in the same order. */
export type Fold = (plan: FoldPlan, batches: AsyncIterable<DecisionLog>) => AsyncIterable<Float64Array>

/** Folds one batch into the sums of `Statistics`. Throws a DapError that names the row for a context or a reward that does not fit. */
export function createFold(plan: FoldPlan): (batch: DecisionLog) => Float64Array {
  const { name, spec, digest } = plan.policy
  const policy = createPolicy(name, spec, digest)
  const { features, actions } = policy
  const reader = plan.context && contextReader(policy, plan.context)
  const weighted = plan.weights === 'inverse-propensity'
  const x = new Float64Array(features.dimension)
  return ({ rows, row, action, reward, propensity, columns }) => {
    const { sums, add } = createStatistics(spec.algorithm.learner, actions.length, features.dimension)
    const contextOf = reader?.bind(columns)
    let i = 0
    try {
      for (; i < rows; i++) {
        if (contextOf !== undefined) features.write(contextOf(i), x)
        add(action[i], x, reward[i], weighted ? 1 / propensity[i] : 1)
      }
    } catch (error) {
      if (!(error instanceof DapError || error instanceof RangeError)) throw error
      const hint = error instanceof DapError ? error.hint : undefined
      throw new DapError(`row ${row[i] + 1}: ${error.message}`, { hint, cause: error })
    }
    return sums
  }
}

/** Folds where it is called. */
export async function* foldHere(plan: FoldPlan, batches: AsyncIterable<DecisionLog>): AsyncGenerator<Float64Array> {
  const fold = createFold(plan)
  for await (const batch of batches) yield fold(batch)
}
