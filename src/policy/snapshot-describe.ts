import { createLearner, learnerOf } from './algorithm.ts'
import type { Learner } from './learner.ts'
import { type Snapshot, type SnapshotData, snapshotDigest, unpackState } from './snapshot-format.ts'

/** What a snapshot knows, readable; `dap snapshot show --json`. */
export interface SnapshotDescription {
  readonly schema: 'dap.snapshot-description/v1'
  readonly digest: string
  /** The version of dap that took it; null where it does not say. */
  readonly dap: string | null
  readonly policy: Snapshot['policy']
  readonly learner: Snapshot['learner']
  readonly count: number
  /** null where it does not say what it was learnt from. */
  readonly data: SnapshotData | null
  readonly features: readonly string[]
  readonly actions: readonly ActionKnowledge[]
}

export interface ActionKnowledge {
  readonly id: string
  /** Rewards learnt of it; null for a learner that does not tell actions apart. */
  readonly count: number | null
  /** The estimated reward, and its standard error in units of the reward's noise; null while nothing is known. Without features only. */
  readonly value?: number | null
  readonly width?: number | null
  /** θ by feature, with its standard error in the same units. */
  readonly coefficients?: readonly Coefficient[]
}

export interface Coefficient {
  readonly feature: string
  readonly value: number
  readonly width: number
}

/** A RangeError where the state is not that of the snapshot's learner. */
export function describeSnapshot(snapshot: Snapshot): SnapshotDescription {
  const { dap = null, policy, learner: spec, actions, features, count, data = null } = snapshot
  const learner = createLearner(spec, actions, features.length)
  learner.restore(unpackState(snapshot.state))
  const { features: contextual, coefficients: linear } = learnerOf(spec)
  const coefficients = linear === true ? coefficientsOf(learner, actions.length, features) : undefined
  return {
    schema: 'dap.snapshot-description/v1',
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
