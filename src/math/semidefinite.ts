/** Pivots below this share of the greatest are the rounding of 0. */
const RANK_TOLERANCE = 1e-11

/**
 * Some solution x of A x = b for a symmetric positive semidefinite A (row-major, n × n) whose range b is in; undefined where it is not. Of
 * all solutions any has the same product with whatever is in the range of A. By the Cholesky factor of as many rows as A has rank, the
 * greatest pivot first (Higham, "Accuracy and stability of numerical algorithms", section 10.3).
 */
export function solveSemidefinite(matrix: Float64Array, b: Float64Array): Float64Array | undefined {
  const n = b.length
  const left = Float64Array.from({ length: n }, (_, i) => matrix[i * n + i])
  const factor = new Float64Array(n * n)
  const pivots: number[] = []
  const smallest = RANK_TOLERANCE * Math.max(0, ...left)
  for (let rank = 0; rank < n; rank++) {
    let pivot = 0
    for (let i = 1; i < n; i++) if (left[i] > left[pivot]) pivot = i
    if (!(left[pivot] > smallest)) break
    const root = Math.sqrt(left[pivot])
    for (let i = 0; i < n; i++) {
      let rest = matrix[i * n + pivot]
      for (let k = 0; k < rank; k++) rest -= factor[i * n + k] * factor[pivot * n + k]
      factor[i * n + rank] = rest / root
      left[i] -= factor[i * n + rank] * factor[i * n + rank]
    }
    left[pivot] = -Infinity
    pivots.push(pivot)
  }

  const x = new Float64Array(n)
  const y = new Float64Array(pivots.length)
  for (const [k, pivot] of pivots.entries()) {
    let rest = b[pivot]
    for (let j = 0; j < k; j++) rest -= factor[pivot * n + j] * y[j]
    y[k] = rest / factor[pivot * n + k]
  }
  for (let i = 0; i < n; i++) {
    let rest = b[i]
    for (let k = 0; k < pivots.length; k++) rest -= factor[i * n + k] * y[k]
    if (Math.abs(rest) > 1e-8) return undefined
  }
  for (let k = pivots.length - 1; k >= 0; k--) {
    let rest = y[k]
    for (let j = k + 1; j < pivots.length; j++) rest -= factor[pivots[j] * n + k] * x[pivots[j]]
    x[pivots[k]] = rest / factor[pivots[k] * n + k]
  }
  return x
}
