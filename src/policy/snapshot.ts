import { SNAPSHOT_SCHEMA } from '../generated/names.ts'
import type { LearnerSpec } from '../kinds.ts'
import { createLearner } from './algorithm.ts'
import { canonicalJson } from './digest.ts'
import { modelDigest } from './features.ts'
import type { Hashing } from './hashing.ts'
import type { LearnerState } from './learner.ts'
import type { Policy } from './policy.ts'
import {
  type Faults,
  packState,
  readSnapshot,
  type Snapshot,
  type SnapshotData,
  snapshotDigest,
  unpackState,
} from './snapshot-format.ts'
import { carryOver } from './snapshot-migrate.ts'

export { readSnapshot, type Snapshot, type SnapshotData, snapshotDigest, snapshotText } from './snapshot-format.ts'

/** What the policy's learner knows now. `about`: the version of dap, and what was learnt from. */
export function takeSnapshot(
  policy: Policy,
  about: { readonly dap?: string; readonly data?: SnapshotData } = {},
): Snapshot {
  const { dap, data } = about
  return {
    schema: SNAPSHOT_SCHEMA,
    ...(dap === undefined ? {} : { dap }),
    policy: { name: policy.name, digest: policy.digest },
    learner: policy.spec.algorithm.learner,
    actions: policy.kept,
    features: policy.features.names,
    ...(policy.features.own === undefined ? {} : { own: policy.features.own }),
    count: policy.learner.count,
    ...(data === undefined ? {} : { data }),
    state: packState(policy.learner.state()),
  }
}

export interface SnapshotLoaded {
  readonly ok: true
  readonly digest: string
  /** Only where the actions were not the same: those that start from nothing, and those that were forgotten. */
  readonly migrated?: { readonly added: readonly string[]; readonly removed: readonly string[] }
}

/**
 * Loads a snapshot into the policy's learner, or says why not, all of it, and leaves the learner as it was. Never throws on bad input.
 * With `migrate`, what was learnt about an action follows it where actions were added, removed or reordered.
 */
export function loadSnapshot(
  policy: Policy,
  json: unknown,
  { migrate = false }: { readonly migrate?: boolean } = {},
): SnapshotLoaded | Faults {
  const read = readSnapshot(json)
  if ('faults' in read) return read
  const { snapshot } = read
  const { learner: spec } = policy.spec.algorithm
  try {
    const faults = [
      ...learnerFaults(spec, snapshot.learner),
      ...(migrate ? [] : listFaults('action', policy.kept, snapshot.actions)),
      ...(modelFaults(policy, snapshot) ?? listFaults('feature', policy.features.names, snapshot.features)),
      ...ownFaults(policy.features.own, snapshot.own),
    ]
    if (faults.length > 0) return { faults }
    const state = checkedState(spec, snapshot, policy.features.hashing)
    const digest = snapshotDigest(snapshot)
    if (sameList(policy.kept, snapshot.actions)) {
      policy.learner.restore(state)
      return { ok: true, digest }
    }
    const { capacity, features } = policy
    const fresh = createLearner(spec, policy.kept, features.dimension, capacity, features).state()
    policy.learner.restore(carryOver(spec, { actions: snapshot.actions, state }, { actions: policy.kept, fresh }))
    return {
      ok: true,
      digest,
      migrated: {
        added: policy.kept.filter(id => !snapshot.actions.includes(id)),
        removed: snapshot.actions.filter(id => !policy.kept.includes(id)),
      },
    }
  } catch (error) {
    if (error instanceof RangeError) return { faults: [error.message] }
    throw error
  }
}

/** The snapshot's state, once a learner of its own actions has taken it and counts what the snapshot says. */
function checkedState(
  spec: LearnerSpec,
  { actions, features, own, state, count }: Snapshot,
  hashing: Hashing | undefined,
): LearnerState {
  const learner = createLearner(spec, actions, features.length, undefined, { own, hashing })
  const unpacked = unpackState(state)
  learner.restore(unpacked)
  if (Math.abs(learner.count - count) > 1e-6 * count) {
    throw new RangeError(
      `the snapshot says that it learnt ${count} rewards, and its state that it learnt ${learner.count}`,
    )
  }
  return unpacked
}

function learnerFaults(now: LearnerSpec, then: LearnerSpec): string[] {
  const [is, was] = [canonicalJson(now), canonicalJson(then)]
  return is === was ? [] : [`the learner was ${shortened(was)} and is now ${shortened(is)}`]
}

/** The features of another Model of the same name are others, all at once; undefined where that is not what differs. */
function modelFaults({ spec, features }: Policy, then: Snapshot): string[] | undefined {
  const { scorer } = spec
  if (scorer === undefined) return undefined
  const [now, was] = [features.names, then.features].map(list => modelDigest(scorer.name, list))
  if (now === undefined || was === undefined || now === was) return undefined
  return [`it was learnt from what the Model \`${scorer.name}\` gave when it was ${was}…, and now it is ${now}…`]
}

/** Two lists of the same names may be parted elsewhere. */
function ownFaults(now: number | undefined, then: number | undefined): string[] {
  if (now === then) return []
  return [`the first ${then ?? 0} features were of each action's own model, and now it is the first ${now ?? 0}`]
}

function listFaults(noun: string, now: readonly string[], then: readonly string[]): string[] {
  if (sameList(now, then)) return []
  const [known, wanted] = [new Set(then), new Set(now)]
  const added = now.filter(name => !known.has(name))
  const removed = then.filter(name => !wanted.has(name))
  if (added.length + removed.length === 0) return [`the order of the ${noun}s has changed: ${names(then)}`]
  return [
    ...(added.length > 0 ? [`${noun}s that the snapshot does not know: ${names(added)}`] : []),
    ...(removed.length > 0 ? [`${noun}s that the policy no longer has: ${names(removed)}`] : []),
  ]
}

const sameList = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((name, i) => name === b[i])

const MOST_NAMES = 12

function names(list: readonly string[]): string {
  const shown = list.slice(0, MOST_NAMES).map(shortened).join(', ')
  return list.length > MOST_NAMES ? `${shown} and ${list.length - MOST_NAMES} more` : shown
}

const shortened = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}…` : text)
