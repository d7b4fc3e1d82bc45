import { SNAPSHOT_SHOW_RESULT_SCHEMA } from '../generated/names.ts'
import type { ActionKnowledge, Coefficient, SnapshotShowResult } from '../generated/types.ts'
import { createLearner, learnerOf } from './algorithm.ts'
import type { Learner } from './learner.ts'
import { type Snapshot, snapshotDigest, unpackState } from './snapshot-format.ts'

export type { ActionKnowledge, Coefficient, SnapshotShowResult } from '../generated/types.ts'

/** `names` are those of the slots of hashed features, as far as they are known. A RangeError where the state is not that of the snapshot's learner. */
export function describeSnapshot(
  snapshot: Snapshot,
  names: ReadonlyMap<number, string> = new Map(),
): SnapshotShowResult {
  const { dap = null, policy, learner: spec, actions, features, own, count, data = null } = snapshot
  // Where requests bring the actions, a row of one is enough.
  const capacity = Math.max(1, actions.length)
  const learner = createLearner(spec, actions, features.length, capacity, { own })
  const state = unpackState(snapshot.state)
  learner.restore(state)
  const { features: contextual, coefficients: linear, slots } = learnerOf(spec)
  const shared = contextual?.(spec).shared === true
  const coefficients = linear === true ? coefficientsOf(learner, features, capacity) : undefined
  /** Of so many features, the first ones, each action has coefficients of its own. */
  const ofActions = shared ? (own ?? 0) : features.length
  const bySlot = slots?.(state).map(
    ({ slot, ...weight }): Coefficient => ({
      feature: slot === undefined ? 'intercept' : (names.get(slot) ?? `slot ${slot}`),
      ...weight,
    }),
  )
  return {
    schema: SNAPSHOT_SHOW_RESULT_SCHEMA,
    digest: snapshotDigest(snapshot),
    dap,
    policy,
    learner: spec,
    count,
    data,
    features,
    ...(shared && coefficients !== undefined ? { coefficients: coefficients[0].slice(ofActions) } : {}),
    ...(bySlot === undefined ? {} : { coefficients: bySlot }),
    actions: actions.map((id, a): ActionKnowledge => {
      const known = { id, count: learner.counts?.[a] ?? null }
      if (coefficients !== undefined && ofActions > 0)
        return { ...known, coefficients: coefficients[a].slice(0, ofActions) }
      if (contextual !== undefined) return known
      return { ...known, value: finite(learner.value[a]), width: finite(learner.width[a]) }
    }),
  }
}

/** By action. In the row that is 1 in one feature and 0 in all others the posterior is that of the feature's coefficient. */
function coefficientsOf(learner: Learner, features: readonly string[], actions: number): Coefficient[][] {
  const d = features.length
  const byAction: Coefficient[][] = Array.from({ length: actions }, () => [])
  // A row an action; who does not share sees the first alone.
  const x = new Float64Array(actions * d)
  for (const [i, feature] of features.entries()) {
    x.fill(0)
    for (let a = 0; a < actions; a++) x[a * d + i] = 1
    learner.predict(x)
    for (let a = 0; a < actions; a++) {
      const posterior = learner.posterior(a, 1)
      if (posterior?.family !== 'normal') throw new RangeError('coefficients are normal')
      byAction[a].push({ feature, value: posterior.mean, width: posterior.sd })
    }
  }
  return byAction
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
