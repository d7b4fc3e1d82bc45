import type { SourceFault } from '../../log/tables.ts'

/** So many faults of a kind are named; all are counted. */
export const NAMED = 10

/** A log may be wrong in as many ways as it has lines: of more than these, the rest is one. */
const REASONS = 100

/** Faults by reason: how many, and where the first ones are, as whoever meets them knows it (a row, a line, a place in words). */
export interface Faults<At> {
  add(reason: string, at: At): void
  /** `places` gives the words for where the first ones of a reason are, in their order. */
  list(places: (first: readonly At[]) => readonly string[] | Promise<readonly string[]>): Promise<SourceFault[]>
}

export function createFaults<At>(): Faults<At> {
  const faults = new Map<string, { rows: number; first: At[] }>()
  return {
    add(message, at) {
      const reason = faults.has(message) || faults.size < REASONS ? message : 'another fault'
      const known = faults.get(reason) ?? { rows: 0, first: [] }
      known.rows++
      if (known.first.length < NAMED) known.first.push(at)
      faults.set(reason, known)
    },
    async list(places) {
      const listed: SourceFault[] = []
      for (const [reason, { rows, first }] of faults) listed.push(...faultsAt(reason, rows, await places(first)))
      return listed
    },
  }
}

/** One fault for each place that is known; the first one stands for all the others as well. */
export function faultsAt(reason: string, rows: number, places: readonly string[]): SourceFault[] {
  return places.map((place, i) => ({ reason, place, rows: i === 0 ? rows - places.length + 1 : 1 }))
}
