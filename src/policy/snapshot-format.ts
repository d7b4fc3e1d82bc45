import { SNAPSHOT_SCHEMA } from '../generated/names.ts'
import type { HeldOut, PackedNumbers, Snapshot } from '../generated/types.ts'
import { LEARNERS, learnerOf } from './algorithm.ts'
import { digestOf, fileText } from './digest.ts'
import type { LearnerState } from './learner.ts'

export type { HeldOut, PackedNumbers, Snapshot, SnapshotData } from '../generated/types.ts'

/** What rows are told apart by, and hashed: the units of the log (its decisions, where one has no unit), its decisions, or the numbers of its rows. */
export type UnitKind = HeldOut['by']

/** A LearnerState whose lists are packed: shorter than decimals, and every bit survives. */
export type PackedState = Snapshot['state']

export type Faults = { readonly faults: readonly string[] }

/** A Policy has no more actions than this. */
const MAX_ACTIONS = 1000
/** Of names and other texts. */
const MAX_CHARACTERS = 1024
/** Hashes in the sketch of ids. */
const MAX_SKETCH = 1024
/** Numbers in a list of a learner's state; 64 MiB of them. */
const MAX_NUMBERS = 8 * 1024 * 1024

/** Text of a snapshot's file: keys sorted, so the state comes last. */
export const snapshotText: (snapshot: Snapshot) => string = fileText

/** Names a snapshot: `sha256:` over its canonical content, whatever the layout of its file. */
export const snapshotDigest: (snapshot: Snapshot) => string = digestOf

/** A JSON value as a snapshot, or every reason why it is none. Never throws. */
export function readSnapshot(json: unknown): { readonly snapshot: Snapshot } | Faults {
  if (!isRecord(json)) return { faults: ['the snapshot is not an object'] }
  if (json.schema !== SNAPSHOT_SCHEMA) {
    return { faults: [`the snapshot's schema is ${schemaText(json.schema)}; this dap reads "${SNAPSHOT_SCHEMA}"`] }
  }
  const faults = [
    ...Object.keys(json).flatMap(key => (FIELDS.has(key) ? [] : [`the snapshot has an unknown key ${quoted(key)}`])),
    ...[...FIELDS].flatMap(([key, { is, noun }]) => {
      const value = Object.hasOwn(json, key) ? json[key] : undefined
      return is(value) ? [] : [`\`${key}\` is not ${noun}`]
    }),
  ]
  if (faults.length > 0) return { faults }
  const snapshot = json as unknown as Snapshot
  const numbers = snapshot.actions.length * (learnerOf(snapshot.learner).numbers?.(snapshot.features.length) ?? 1)
  if (numbers > MAX_NUMBERS) return { faults: [`the learner has ${numbers} numbers, more than ${MAX_NUMBERS}`] }
  return { snapshot }
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

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_CHARACTERS
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)
const isCount = (value: unknown) => Number.isFinite(value) && (value as number) >= 0

interface Field {
  is(value: unknown): boolean
  /** What it must be. */
  readonly noun: string
}

const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['schema', { is: () => true, noun: 'a schema' }],
  ['dap', { is: value => value === undefined || isText(value), noun: 'a version of dap' }],
  [
    'policy',
    { is: value => hasOnly(value, { name: isText, digest: isText }), noun: 'the name and the digest of a policy' },
  ],
  ['learner', { is: isLearner, noun: 'a learner that this dap knows' }],
  ['actions', { is: isActions, noun: `a list of at most ${MAX_ACTIONS} different names` }],
  ['features', { is: value => isTexts(value), noun: 'a list of names' }],
  ['count', { is: isCount, noun: 'a number of at least 0' }],
  ['data', { is: isData, noun: 'a description of what was learnt from' }],
  ['state', { is: isState, noun: 'a mapping of numbers and of packed numbers, {"float64": "…", "length": n}' }],
])

function isActions(value: unknown): boolean {
  return isTexts(value) && value.length > 0 && value.length <= MAX_ACTIONS && new Set(value).size === value.length
}

function isLearner(value: unknown): boolean {
  if (!isRecord(value)) return false
  const learner = LEARNERS.find(({ type }) => type === value.type)
  return learner !== undefined && (learner.accepts?.(value) ?? true)
}

function isData(value: unknown): boolean {
  const optional = (each: unknown) => each === undefined || isText(each)
  const shape = {
    ...{ dataset: isText, digest: isText, rows: isCount, from: optional, to: optional, until: optional },
    heldOut: (each: unknown) => each === undefined || isHeldOut(each),
    ids: (each: unknown) => each === undefined || isSketch(each),
  }
  return value === undefined || hasOnly(value, shape)
}

const isHeldOut = (value: unknown) =>
  hasOnly(value, {
    groups: each => Number.isInteger(each) && (each as number) >= 0,
    by: each => each === 'unit' || each === 'decision' || each === 'row',
  })

function isSketch(value: unknown): boolean {
  if (!isPacked(value) || value.length === 0 || value.length > MAX_SKETCH) return false
  try {
    return unpackNumbers(value, 'data.ids').every(isCount)
  } catch {
    return false
  }
}

function isPacked(value: unknown): value is PackedNumbers {
  return hasOnly(value, { float64: each => typeof each === 'string', length: isCount })
}

function isState(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every(each => Number.isFinite(each) || isPacked(each))
}

function hasOnly(value: unknown, shape: Readonly<Record<string, (each: unknown) => boolean>>): boolean {
  if (!isRecord(value) || Object.keys(value).some(key => !Object.hasOwn(shape, key))) return false
  return Object.entries(shape).every(([key, is]) => is(Object.hasOwn(value, key) ? value[key] : undefined))
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The schema that a JSON file names. What is not of dap is not quoted: it may be any file. */
export function schemaText(schema: unknown): string {
  if (typeof schema === 'string' && schema.startsWith('dap.')) return quoted(schema)
  return schema === undefined ? 'missing' : 'of something else'
}

/** A piece of a file for a message. */
export function quoted(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
