import { createIdTable, withRoom } from '../id-table.ts'

/**
 * Records by their ids: which ids there are, in the order in which they came, and how often each was logged. It does not depend on the
 * order which ids contradict themselves: those of which not all records say the same.
 */
export interface Copies {
  readonly size: number
  /** The place of an id, from 0, whether or not there is a record of it yet. */
  entry(id: string): number
  /** A record of the entry. Returns whether there was none before. */
  first(entry: number): boolean
  /** One more record of the entry contradicts the others. */
  contradict(entry: number): void
  logged(entry: number): number
  contradicts(entry: number): boolean
}

/** Memory: 29 bytes an id. */
export function createCopies(): Copies {
  const ids = createIdTable()
  let logged = new Uint32Array(1024)
  let contradicts = new Uint8Array(1024)
  return {
    get size() {
      return ids.size
    },
    entry(id) {
      const entry = ids.add(id)
      logged = withRoom(logged, entry)
      contradicts = withRoom(contradicts, entry)
      return entry
    },
    first: entry => logged[entry]++ === 0,
    contradict(entry) {
      contradicts[entry] = 1
    },
    logged: entry => logged[entry],
    contradicts: entry => contradicts[entry] === 1,
  }
}
