/** Writes the places of the `n` highest of the first `count` values into `out`, the highest first, the first of equals; returns n, or `count` where that is less. */
export function highestFirst(values: Float64Array, count: number, n: number, out: Int32Array): number {
  const most = Math.min(n, count)
  for (let k = 0, last = -1; k < most; k++) {
    // The highest that comes after the last one taken: below it, or its equal further on.
    let best = -1
    for (let i = 0; i < count; i++) {
      const after = last < 0 || values[i] < values[last] || (values[i] === values[last] && i > last)
      if (after && (best < 0 || values[i] > values[best])) best = i
    }
    out[k] = best
    last = best
  }
  return most
}
