import { SNAPSHOT_SCHEMA } from '../generated/names.ts'
import { snapshotShape } from '../generated/snapshot-shape.ts'
import type { HeldOut, PackedNumbers, Snapshot } from '../generated/types.ts'
import { fromBase64, toBase64 } from '../math/base64.ts'
import { documentFaults } from '../schema/document.ts'
import { learnerOf } from './algorithm.ts'
import { digestOf, fileText } from './digest.ts'
import type { LearnerState } from './learner.ts'

export type { HeldOut, PackedNumbers, Snapshot, SnapshotData } from '../generated/types.ts'

/** What rows are told apart by, and hashed: the units of the log (its decisions, where one has no unit), its decisions, or the numbers of its rows. */
export type UnitKind = HeldOut['by']

/** A LearnerState whose lists are packed: shorter than decimals, and every bit survives. */
export type PackedState = Snapshot['state']

export type Faults = { readonly faults: readonly string[] }

/** Numbers in a list of a learner's state; 64 MiB of them. */
export const MAX_NUMBERS = 8 * 1024 * 1024

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
function sizeFault({ learner, actions, features, own }: Snapshot): string | undefined {
  const numbers = learnerOf(learner).numbers?.(learner, actions.length, features.length, own) ?? actions.length
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
  const view = new DataView(new ArrayBuffer(8 * numbers.length))
  for (let i = 0; i < numbers.length; i++) view.setFloat64(8 * i, numbers[i], true)
  return { float64: toBase64(new Uint8Array(view.buffer)), length: numbers.length }
}

/** `name` is what messages call them. */
export function unpackNumbers({ float64, length }: PackedNumbers, name: string): readonly number[] {
  const bytes = fromBase64(float64)
  if (bytes?.length !== 8 * length) throw new RangeError(`\`${name}\` is not the base64 of ${length} numbers`)
  const view = new DataView(bytes.buffer)
  return Array.from({ length }, (_, i) => view.getFloat64(8 * i, true))
}

function mapEntries<A, B>(record: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))
}
