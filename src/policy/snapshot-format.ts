import { snapshotShape } from '../generated/snapshot-shape.ts'
import type { LearnerSpec } from '../kinds.ts'
import { packedSize } from '../math/ridge.ts'
import { documentFaults } from '../schema/document.ts'
import { digestOf, fileText } from './digest.ts'
import type { LearnerState } from './learner.ts'

export const SNAPSHOT_SCHEMA = 'dap.snapshot/v1'

/** A learner's state as JSON, with what it takes to refuse it where it does not belong; `schemas/snapshot.schema.json`. */
export interface Snapshot {
  readonly schema: typeof SNAPSHOT_SCHEMA
  /** The version of dap that took it. */
  readonly dap?: string
  /** The policy it was taken from; another version of the policy may load it as long as what follows is the same. */
  readonly policy: { readonly name: string; readonly digest: string }
  readonly learner: LearnerSpec
  readonly actions: readonly string[]
  /** Names of the features, which carry every parameter of theirs. */
  readonly features: readonly string[]
  /** How many rewards were learnt. */
  readonly count: number
  readonly data?: SnapshotData
  readonly state: PackedState
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
  /** Which were left out, to be judged on; absent where it is not known. */
  readonly heldOut?: HeldOut
  /** The sketch (see `IdSketch`) of the ids of the decisions, where the log has them. */
  readonly ids?: PackedNumbers
}

/** Units of the hash groups [0, groups) were not learnt; 0: all were. */
export interface HeldOut {
  readonly groups: number
  readonly by: UnitKind
}

/** What rows are told apart by, and hashed: the units of the log (its decisions, where one has no unit), its decisions, or the numbers of its rows. */
export type UnitKind = 'unit' | 'decision' | 'row'

/** A LearnerState whose lists are packed: shorter than decimals, and every bit survives. */
export type PackedState = Readonly<Record<string, number | PackedNumbers>>

export interface PackedNumbers {
  /** Base64 of the numbers as 64-bit floats, little-endian. */
  readonly float64: string
  /** How many numbers there are. */
  readonly length: number
}

export type Faults = { readonly faults: readonly string[] }

/** Numbers in the matrices of a linear learner; 64 MiB of them. */
const MAX_NUMBERS = 8 * 1024 * 1024

/** Text of a snapshot's file: keys sorted, so the state comes last. */
export const snapshotText: (snapshot: Snapshot) => string = fileText

/** Names a snapshot: `sha256:` over its canonical content, whatever the layout of its file. */
export const snapshotDigest: (snapshot: Snapshot) => string = digestOf

/** A JSON value as a snapshot, or what is wrong with it. Never throws. */
export function readSnapshot(json: unknown): { readonly snapshot: Snapshot } | Faults {
  const faults = documentFaults(json, 'snapshot', SNAPSHOT_SCHEMA, snapshotShape)
  if (faults.length > 0) return { faults }
  const snapshot = json as Snapshot
  const wrong = sizeFault(snapshot) ?? sketchFault(snapshot.data?.ids)
  return wrong === undefined ? { snapshot } : { faults: [wrong] }
}

/** No schema multiplies: two lists, neither too long, may promise matrices that are too large. */
function sizeFault({ learner, actions, features }: Snapshot): string | undefined {
  if (learner.type !== 'linear') return undefined
  const numbers = actions.length * packedSize(features.length)
  return numbers > MAX_NUMBERS ? `the learner has ${numbers} numbers, more than ${MAX_NUMBERS}` : undefined
}

/** No schema unpacks. A state is unpacked where it is loaded. */
function sketchFault(ids: PackedNumbers | undefined): string | undefined {
  try {
    const isSketch = ids === undefined || unpackNumbers(ids, 'data.ids').every(hash => hash >= 0 && hash < Infinity)
    return isSketch ? undefined : '`data.ids` must be hashes, numbers of at least 0'
  } catch (error) {
    if (error instanceof RangeError) return error.message
    throw error
  }
}

export function packState(state: LearnerState): PackedState {
  return mapEntries(state, value => (typeof value === 'number' ? value : packNumbers(value)))
}

/** A RangeError where a text is not the base64 of so many numbers, as in `unpackNumbers`. */
export function unpackState(state: PackedState): LearnerState {
  return mapEntries(state, (value, key) => (typeof value === 'number' ? value : unpackNumbers(value, `state.${key}`)))
}

export function packNumbers(numbers: readonly number[]): PackedNumbers {
  const bytes = Buffer.alloc(8 * numbers.length)
  for (let i = 0; i < numbers.length; i++) bytes.writeDoubleLE(numbers[i], 8 * i)
  return { float64: bytes.toString('base64'), length: numbers.length }
}

/** `name` is what messages call them. */
export function unpackNumbers({ float64, length }: PackedNumbers, name: string): readonly number[] {
  const bytes = Buffer.from(float64, 'base64')
  if (bytes.length !== 8 * length || bytes.toString('base64') !== float64) {
    throw new RangeError(`\`${name}\` is not the base64 of ${length} numbers`)
  }
  return Array.from({ length }, (_, i) => bytes.readDoubleLE(8 * i))
}

function mapEntries<A, B>(record: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))
}
