import type { Fault, Path } from './fault.ts'
import type { Schema } from './schema.ts'
import { shapeFaults } from './shape.ts'

/** A document of which the parts that its schema does not allow have been taken out, so that the rest can be judged. */
export interface Healthy {
  readonly value: Record<string, unknown>
  /** Of the faults found in `value`, those that what was taken out did not cause; their paths are those of the document. */
  own(faults: Iterable<Fault>): Fault[]
}

/** Each round takes out what the last one left incomplete: a list item without its `id`, then the empty list. */
const MAX_ROUNDS = 8

/**
 * The healthy part of a faulty document: one unknown key must not hide that a rule names an unknown field. Undefined where
 * nothing useful is left.
 */
export function withoutFaults(given: Record<string, unknown>, schema: Schema): Healthy | undefined {
  // What a resource is called matters to none of its rules.
  const document = { ...given, metadata: { name: 'unnamed' } }
  const removed = new Map<string, Path>()
  const missed: Path[] = []
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { value, original } = prune(document, removed)
    const faults = shapeFaults(value, schema)
    if (faults.length === 0) {
      const names = namesIn(document, missed)
      return {
        value: value as Record<string, unknown>,
        own: found =>
          [...found]
            .map(fault => ({ ...fault, path: original(fault.path) }))
            .filter(fault => !missed.some(path => related(fault.path, path)))
            .filter(({ message }) => !names.some(name => message.includes(`\`${name}\``))),
      }
    }
    for (const fault of faults) {
      const path = original(fault.path)
      // Without its spec a resource says nothing.
      if (path.length < 2) return undefined
      removed.set(JSON.stringify(path), path)
      // A key that nothing resembles is superfluous: nobody misses it.
      if (fault.code !== 'unknown-key' || fault.hint?.startsWith('did you mean')) missed.push(path)
    }
  }
  return undefined
}

/** A copy without the removed paths, and the way back: list items move up when one before them is gone. */
function prune(document: unknown, removed: ReadonlyMap<string, Path>): { value: unknown; original(path: Path): Path } {
  const kept = new Map<unknown, readonly number[]>()
  const copy = (value: unknown, path: Path): unknown => {
    if (typeof value !== 'object' || value === null) return value
    const stays = (step: string | number) => !removed.has(JSON.stringify([...path, step]))
    if (Array.isArray(value)) {
      const indices = [...value.keys()].filter(stays)
      const list = indices.map(i => copy(value[i], [...path, i]))
      kept.set(list, indices)
      return list
    }
    const entries = Object.entries(value).filter(([key]) => stays(key))
    return Object.fromEntries(entries.map(([key, inner]) => [key, copy(inner, [...path, key])]))
  }
  const value = copy(document, [])
  return {
    value,
    original(path) {
      let at: unknown = value
      return path.map(step => {
        const index = kept.get(at)?.[step as number] ?? step
        at = (at as Record<string | number, unknown> | undefined)?.[step]
        return index
      })
    },
  }
}

/** What other parts of a document may call the removed ones: their keys, their ids and names. */
function namesIn(document: unknown, removed: readonly Path[]): string[] {
  return removed.flatMap(path => {
    const value = path.reduce<unknown>(
      (at, step) => (at as Record<string | number, unknown> | undefined)?.[step],
      document,
    )
    const { id, name } = (value ?? {}) as { id?: unknown; name?: unknown }
    return [path.at(-1), id, name].filter(word => typeof word === 'string')
  })
}

/** Is one at, above or below the other? */
function related(a: Path, b: Path): boolean {
  const common = Math.min(a.length, b.length)
  return a.slice(0, common).every((step, i) => step === b[i])
}
