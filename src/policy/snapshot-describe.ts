import { SNAPSHOT_SHOW_RESULT_SCHEMA } from '../generated/names.ts'
import type { ActionKnowledge, Coefficient, SnapshotShowResult } from '../generated/types.ts'
import { createLearner, learnerOf } from './algorithm.ts'
import type { Learner } from './learner.ts'
import { type Snapshot, snapshotDigest, unpackState } from './snapshot-format.ts'

export type { ActionKnowledge, Coefficient, SnapshotShowResult } from '../generated/types.ts'

/** A RangeError where the state is not that of the snapshot's learner. */
export function describeSnapshot(snapshot: Snapshot): SnapshotShowResult {
  const { dap = null, policy, learner: spec, actions, features, count, data = null } = snapshot
  const learner = createLearner(spec, actions, features.length)
  learner.restore(unpackState(snapshot.state))
  const { features: contextual, coefficients: linear } = learnerOf(spec)
  const coefficients = linear === true ? coefficientsOf(learner, actions.length, features) : undefined
  return {
    schema: SNAPSHOT_SHOW_RESULT_SCHEMA,
    digest: snapshotDigest(snapshot),
    dap,
    policy,
    learner: spec,
    count,
    data,
    features,
    actions: actions.map((id, a): ActionKnowledge => {
      const known = { id, count: learner.counts?.[a] ?? null }
      if (coefficients !== undefined) return { ...known, coefficients: coefficients[a] }
      if (contextual !== undefined) return known
      return { ...known, value: finite(learner.value[a]), width: finite(learner.width[a]) }
    }),
  }
}

/** By action. In the context that is 1 in one feature and 0 in all others the value is that feature's coefficient. */
function coefficientsOf(learner: Learner, k: number, features: readonly string[]): Coefficient[][] {
  const byAction: Coefficient[][] = Array.from({ length: k }, () => [])
  const x = new Float64Array(features.length)
  for (const [i, feature] of features.entries()) {
    x.fill(0)
    x[i] = 1
    learner.predict(x)
    for (let a = 0; a < k; a++) byAction[a].push({ feature, value: learner.value[a], width: learner.width[a] })
  }
  return byAction
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
