import type { LearnerSpec } from '../kinds.ts'
import type { LearnerState } from './learner.ts'
import type { Policy } from './policy.ts'

export const SNAPSHOT_SCHEMA = 'dap.snapshot/v1'

/** A learner's state as plain JSON, with what it takes to refuse it where it does not belong. */
export interface Snapshot {
  readonly schema: typeof SNAPSHOT_SCHEMA
  /** The policy it was taken from; another version of the policy may load it as long as what follows is the same. */
  readonly policy: { readonly name: string; readonly digest: string }
  readonly learner: LearnerSpec
  readonly actions: readonly string[]
  /** Names of the features. */
  readonly features: readonly string[]
  /** How many rewards were learnt. */
  readonly count: number
  readonly state: LearnerState
}

/** What a snapshot was learnt from. */
export interface SnapshotData {
  readonly dataset: string
  /** sha256 over the files' bytes. */
  readonly digest: string
  readonly rows: number
  /** Timestamps of the first and the last decision, where the log has them. */
  readonly from?: string
  readonly to?: string
  /** Decisions whose wait was not over then were left out. */
  readonly until?: string
}

export function takeSnapshot(policy: Policy): Snapshot {
  return {
    schema: SNAPSHOT_SCHEMA,
    policy: { name: policy.name, digest: policy.digest },
    learner: policy.spec.algorithm.learner,
    actions: policy.actions,
    features: policy.features.names,
    count: policy.learner.count,
    state: policy.learner.state(),
  }
}

export type SnapshotResult = { readonly ok: true } | { readonly faults: readonly string[] }

/** Loads a snapshot into the policy's learner, or says why not and leaves the learner as it was. Never throws on bad input. */
export function loadSnapshot(policy: Policy, json: unknown): SnapshotResult {
  if (!isRecord(json)) return { faults: ['the snapshot is not an object'] }
  if (json.schema !== SNAPSHOT_SCHEMA) {
    return { faults: [`the snapshot's schema is ${JSON.stringify(json.schema)}, not "${SNAPSHOT_SCHEMA}"`] }
  }
  try {
    const faults = [
      ...learnerFaults(policy.spec.algorithm.learner, json.learner),
      ...listFaults('action', policy.actions, json.actions),
      ...listFaults('feature', policy.features.names, json.features),
    ]
    if (faults.length > 0) return { faults }
    if (!isRecord(json.state)) return { faults: ['`state` is not an object'] }
    policy.learner.restore(json.state as LearnerState)
    return { ok: true }
  } catch (error) {
    if (error instanceof RangeError) return { faults: [error.message] }
    throw error
  }
}

function learnerFaults(now: LearnerSpec, then: unknown): string[] {
  if (canonical(now) === canonical(then)) return []
  return [`the learner was ${JSON.stringify(then)} and is now ${JSON.stringify(now)}`]
}

function listFaults(noun: string, now: readonly string[], then: unknown): string[] {
  if (!Array.isArray(then) || then.some(name => typeof name !== 'string'))
    return [`\`${noun}s\` is not a list of names`]
  const added = now.filter(name => !then.includes(name))
  const removed = then.filter(name => !now.includes(name))
  const faults = [
    ...(added.length > 0 ? [`${noun}s that the snapshot does not know: ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`${noun}s that the policy no longer has: ${removed.join(', ')}`] : []),
  ]
  if (faults.length > 0 || (now.length === then.length && now.every((name, i) => name === then[i]))) return faults
  return [`the order of the ${noun}s has changed: ${then.join(', ')}`]
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
