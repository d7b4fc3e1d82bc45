import type { Fault, Path } from './fault.ts'
import type { Schema } from './schema.ts'
import { shapeFaults } from './shape.ts'

/** A faulty document, mended where the schema says what may have been meant, and without the rest of its faults. */
export interface Mended {
  readonly value: Record<string, unknown>
  /** Of the faults found in `value`, those that are the writer's own, not the mending's; their paths are the document's. */
  own(faults: Iterable<Fault>): Fault[]
}

/** Each round mends what the last one brought to light: a learner of a known type at last, but with an unknown key. */
const MAX_ROUNDS = 8

/** Parts of a document that only make sense together: where one is mended, nothing is said of the others. */
const UNITS = ['spec.algorithm', 'spec.world']

/**
 * What of a faulty document can still be judged: one unknown key must not hide that a rule names an unknown field. Undefined
 * where nothing useful is left.
 */
export function mendDocument(given: Record<string, unknown>, schema: Schema): Mended | undefined {
  // What a resource is called matters to none of its rules.
  const document = { ...given, metadata: { name: 'unnamed' } }
  const edits: Edits = new Map()
  const mended: Path[] = []
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { value, original } = edited(document, edits)
    const faults = shapeFaults(value, schema)
    if (faults.length === 0) {
      const names = [...namesIn(document, mended), ...namesIn(value, mended)]
      const mine = ({ path, message }: Fault) =>
        !mended.some(other => related(path, other)) && !names.some(name => message.includes(`\`${name}\``))
      return {
        value: value as Record<string, unknown>,
        own: found => [...found].map(fault => ({ ...fault, path: original(fault.path) })).filter(mine),
      }
    }
    for (const fault of faults) {
      const path = original(fault.path)
      const edit = editOf(fault, path, document)
      if (edit.value !== undefined && !edits.has(keyOf(edit.path))) {
        edits.set(keyOf(edit.path), edit)
      } else if (path.length > 1) {
        edits.set(keyOf(path), { path, value: undefined })
      } else {
        return undefined
      }
      if (fault.code === 'unknown-key') edits.set(keyOf(path), { path, value: undefined })
      // A key that nothing resembles is superfluous: nobody misses it.
      if (fault.code !== 'unknown-key' || edit.value !== undefined) mended.push(edit.path)
    }
  }
  return undefined
}

/** Another value at a path; undefined takes out what is there. */
interface Edit {
  readonly path: Path
  readonly value: unknown
}

type Edits = Map<string, Edit>

/** What the fault's `mend` comes to. */
function editOf({ code, mend }: Fault, path: Path, document: unknown): Edit {
  if (mend?.key === undefined) return { path, value: mend?.value }
  if (code === 'unknown-key') return { path: [...path.slice(0, -1), mend.key], value: at(document, path) }
  return { path: [...path, mend.key], value: mend.value }
}

const keyOf = (path: Path) => JSON.stringify(path)

/** A copy with the edits, and the way back: list items move up when one before them is gone. */
function edited(document: unknown, edits: Edits): { value: unknown; original(path: Path): Path } {
  const kept = new Map<unknown, readonly number[]>()
  const copy = (given: unknown, path: Path): unknown => {
    const edit = edits.get(keyOf(path))
    const value = edit === undefined ? given : edit.value
    if (typeof value !== 'object' || value === null) return value
    const gone = (step: string | number) =>
      edits.has(keyOf([...path, step])) && edits.get(keyOf([...path, step]))!.value === undefined
    if (Array.isArray(value)) {
      const indices = [...value.keys()].filter(i => !gone(i))
      const list = indices.map(i => copy(value[i], [...path, i]))
      kept.set(list, indices)
      return list
    }
    const added = [...edits.values()].filter(
      other => other.path.length === path.length + 1 && startsWith(other.path, path),
    )
    const keys = new Set([...Object.keys(value), ...added.map(other => String(other.path.at(-1)))])
    const stay = [...keys].filter(key => !gone(key))
    return Object.fromEntries(stay.map(key => [key, copy((value as Record<string, unknown>)[key], [...path, key])]))
  }
  const value = copy(document, [])
  return {
    value,
    original(path) {
      let node: unknown = value
      return path.map(step => {
        const index = kept.get(node)?.[step as number] ?? step
        node = (node as Record<string | number, unknown> | undefined)?.[step]
        return index
      })
    },
  }
}

function at(document: unknown, path: Path): unknown {
  return path.reduce<unknown>((node, step) => (node as Record<string | number, unknown> | undefined)?.[step], document)
}

/** What other parts of a document may call the mended ones: their keys, their ids and names, their values. */
function namesIn(document: unknown, mended: readonly Path[]): string[] {
  return mended.flatMap(path => {
    const value = at(document, path)
    const { id, name } = (value ?? {}) as { id?: unknown; name?: unknown }
    return [path.at(-1), id, name, value].filter(word => typeof word === 'string')
  })
}

/** Is one at, above or below the other, or are both in one unit? */
function related(a: Path, b: Path): boolean {
  const unit = UNITS.find(each => a.slice(0, 2).join('.') === each)
  return startsWith(a, b) || startsWith(b, a) || (unit !== undefined && b.slice(0, 2).join('.') === unit)
}

const startsWith = (path: Path, start: Path) => start.every((step, i) => path[i] === step)
