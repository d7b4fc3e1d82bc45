/**
 * Whether this run has the lock of an endpoint, as far as it knows. A write that takes it or gives it back may have been done without an
 * answer, and an endpoint comes and goes with the lock: only a look tells.
 */
export interface Grip {
  readonly held: boolean
  /** It is held, or a write that takes it may have been done. */
  readonly possible: boolean
  /** The endpoint is being created, with the lock, and was not seen yet. */
  readonly unborn: boolean
  creating(): void
  /** From now on the endpoint may be gone, and the lock with it. */
  deleting(): void
  /** Before a write that keeps the lock or gives it back, and once it is answered. */
  writes(keeps: boolean): void
  wrote(keeps: boolean): void
  /**
   * What a look at the endpoint means: the lock is held as before, or found to be held, or is not held; or it was lost, to somebody or to
   * nobody. `whose` is the lock that is there.
   */
  sees(there: boolean, whose: 'ours' | 'theirs' | 'nobodys'): 'kept' | 'found' | 'free' | 'lost'
  drop(): void
}

export function createGrip(): Grip {
  let held = false
  let claimed = false
  let releasing = false
  let doomed = false
  let unborn = false
  return {
    get held() {
      return held
    },
    get possible() {
      return claimed
    },
    get unborn() {
      return unborn
    },
    creating() {
      unborn = true
    },
    deleting() {
      doomed = true
    },
    writes(keeps) {
      releasing = !keeps
      claimed ||= keeps
    },
    wrote(keeps) {
      held = claimed = keeps
    },
    sees(there, whose) {
      const expected = (releasing && whose === 'nobodys') || (doomed && !there)
      const before = held
      held = claimed = whose === 'ours'
      unborn &&= !there
      releasing = false
      if (held) return before ? 'kept' : 'found'
      return before && !expected ? 'lost' : 'free'
    },
    drop() {
      held = claimed = false
    },
  }
}
