import type { Places } from './slots.ts'

/** In place of an action: nothing stands in the slot. */
export const NOTHING = -1

/** A list as it is filled from the top: which actions may stand in the slot that is next. */
export interface Filling {
  /** The slot that is next. */
  readonly slot: number
  /** The actions that may stand there are its first ones, as many as `open` returned, ascending. */
  readonly left: Int32Array
  /** May anything that stands nowhere else stand in every slot? */
  readonly free: boolean
  /** May nothing stand in any slot that may not stand in the first? */
  readonly firstTakesAll: boolean
  /** Begins with nothing in any slot; the first `count` of `eligible`, ascending, are all that there is. */
  start(eligible: Int32Array, count: number, places: Places | undefined): void
  open(): number
  /** The first quota that what stands above has used up, and the action would count against; −1: none. */
  spent(action: number): number
  /** Puts an action into the slot, or `NOTHING`. */
  take(action: number): void
  /** Takes out what was put in last. */
  back(): void
}

/** @param capacity The most actions of a pool. @param slots The most slots. */
export function createFilling(capacity: number, slots: number): Filling {
  const left = new Int32Array(capacity)
  const stands = new Uint8Array(capacity)
  const taken = new Int32Array(slots)
  let eligible: Int32Array = left
  let count = 0
  let places: Places | undefined
  let slot = 0

  function spent(action: number): number {
    return (places?.quotas ?? []).findIndex(({ of, max }) => {
      if (of[action] === 0) return false
      let used = 0
      for (let s = 0; s < slot; s++) if (taken[s] !== NOTHING) used += of[taken[s]]
      return used >= max
    })
  }

  function fill(pinned: Uint8Array | undefined): number {
    const only = places?.only[slot]
    let n = 0
    for (let i = 0; i < count; i++) {
      const action = eligible[i]
      if (stands[action] === 1) continue
      if (places !== undefined && (only?.[action] === 0 || pinned?.[action] === 0 || spent(action) >= 0)) continue
      left[n++] = action
    }
    return n
  }

  return {
    left,
    get free() {
      return places === undefined
    },
    get firstTakesAll() {
      return places?.only[0] === undefined && places?.pinned[0] === undefined
    },
    get slot() {
      return slot
    },
    start(all, length, where) {
      for (let s = 0; s < slot; s++) if (taken[s] !== NOTHING) stands[taken[s]] = 0
      eligible = all
      count = length
      places = where
      slot = 0
    },
    open() {
      const pinned = places?.pinned[slot]
      return fill(pinned) || (pinned === undefined ? 0 : fill(undefined))
    },
    spent,
    take(action) {
      taken[slot++] = action
      if (action !== NOTHING) stands[action] = 1
    },
    back() {
      const action = taken[--slot]
      if (action !== NOTHING) stands[action] = 0
    },
  }
}
