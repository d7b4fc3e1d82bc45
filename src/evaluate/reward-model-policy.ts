import type { DatasetSpec, EvaluationSpec } from '../kinds.ts'

/**
 * The policy of whose context and actions the inputs of a Model that predicts rewards are made: the one that the Dataset names, or the first that is a
 * candidate; undefined where there is none.
 */
export function rewardModelPolicy(
  { candidates }: Pick<EvaluationSpec, 'candidates'>,
  dataset: Pick<DatasetSpec, 'actions'> | undefined,
): string | undefined {
  const { actions } = dataset ?? {}
  if (actions !== undefined && 'policy' in actions) return actions.policy
  return candidates.flatMap(each => ('policy' in each ? each.policy : []))[0]
}
