import { withRoom } from '../id-table.ts'

/** A list of numbers that grows, 8 bytes each. */
export interface Numbers {
  push(value: number): void
  /** Ascending; nothing may be added afterwards. */
  sorted(): Float64Array
}

export function createNumbers(): Numbers {
  let values = new Float64Array(256)
  let size = 0
  return {
    push(value) {
      values = withRoom(values, size)
      values[size++] = value
    },
    sorted: () => values.subarray(0, size).sort(),
  }
}
