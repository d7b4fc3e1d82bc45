import type { LearnerSpec, PolicySpec } from '../../kinds.ts'
import { LEARNERS, takesAnyActions } from '../../policy/algorithm.ts'
import { isOfAction } from '../../policy/features.ts'
import type { LearnerDefinition } from '../../policy/learner.ts'
import { isOffered } from '../../policy/pool.ts'

/** The first learner that fits, in words for a hint, with `shared: true` where the policy's actions or features need it; undefined where none does. */
export function otherLearner(
  { actions, features = [] }: Pick<PolicySpec, 'actions' | 'features'>,
  fits: (learner: LearnerDefinition) => boolean,
): string | undefined {
  const offered = isOffered(actions)
  for (const learner of LEARNERS.filter(fits)) {
    const { type, options = {} } = learner
    const shared = options['shared'] !== undefined && (offered || features.some(isOfAction))
    const spec = { type, ...(shared ? { shared } : {}) }
    if (offered && !takesAnyActions(spec as LearnerSpec)) continue
    return shared ? `the learner \`{ type: ${type}, shared: true }\`` : `the learner \`${type}\``
  }
  return undefined
}
