/** How many hashes a sketch keeps. */
export const SKETCH_SIZE = 128

/**
 * A sample of the ids of a log that knows itself again: the `SKETCH_SIZE` smallest of their hashes (see `ColumnRequest`), whichever order
 * they came in. Another log that has ids of this one has, as far as it reaches, the same smallest hashes.
 */
export interface IdSketch {
  /** NaN, for a row without an id, is none. */
  add(hash: number): void
  /** Ascending; fewer than `SKETCH_SIZE` are all that there were. Those of several sketches, added to one, are the sketch of all their ids. */
  hashes(): readonly number[]
}

export function createIdSketch(): IdSketch {
  const kept: number[] = []
  /** Nothing from here on is kept. */
  let bound = Number.POSITIVE_INFINITY
  return {
    add(hash) {
      if (!(hash < bound)) return
      let at = kept.length
      while (at > 0 && kept[at - 1] > hash) at--
      if (at > 0 && kept[at - 1] === hash) return
      kept.splice(at, 0, hash)
      if (kept.length > SKETCH_SIZE) kept.pop()
      if (kept.length === SKETCH_SIZE) bound = kept[SKETCH_SIZE - 1]
    },
    hashes: () => [...kept],
  }
}

/** What the ids of a log say of those of a sketch: `shared`, it has some of them; `other`, it has not; `unclear`, too few would show. */
export type Kinship = 'shared' | 'other' | 'unclear'

/** Rows of a log below the largest hash of a sketch that must be there, and be strangers, before all of the log is taken for other. */
const ENOUGH = 30

/** Compares the ids of a log with a sketch, one by one. */
export function createKinship(sketch: readonly number[]) {
  const known = new Set(sketch)
  const complete = sketch.length < SKETCH_SIZE
  const bound = complete ? Number.POSITIVE_INFINITY : Math.max(...sketch)
  let strangers = 0
  let shared = 0
  return {
    /** Is the id one of the sketch's? */
    see(hash: number): boolean {
      if (!(hash <= bound)) return false
      if (known.has(hash)) {
        shared++
        return true
      }
      strangers++
      return false
    },
    kinship: (): Kinship => (shared > 0 ? 'shared' : strangers >= (complete ? 1 : ENOUGH) ? 'other' : 'unclear'),
  }
}
