/**
 * Ridge regression kept by rank-one updates. A is λI + Σ x xᵀ; its inverse is symmetric and stored packed, the lower triangle
 * row by row: entry (i, j), j ≤ i, at i(i + 1)/2 + j. `at` is where a model's block begins in an array that holds several.
 */

/** How many numbers a packed symmetric matrix of d rows has. */
export function packedSize(d: number): number {
  return (d * (d + 1)) / 2
}

/** Writes I/λ into the packed block at `at`. */
export function ridgeStart(inverse: Float64Array, at: number, d: number, lambda: number): void {
  inverse.fill(0, at, at + packedSize(d))
  for (let i = 0; i < d; i++) inverse[at + packedSize(i) + i] = 1 / lambda
}

/** Writes the packed weights of x, x_i x_j off the diagonal twice, so that xᵀMx is one flat dot product with any packed M. */
export function quadraticWeights(x: Float64Array, d: number, out: Float64Array): void {
  let k = 0
  for (let i = 0; i < d; i++) {
    const twice = 2 * x[i]
    for (let j = 0; j < i; j++) out[k++] = twice * x[j]
    out[k++] = x[i] * x[i]
  }
}

/** xᵀMx of the packed M at `mAt`, x being the d numbers at `at`. Zeros of x cost next to nothing. */
export function quadraticForm(m: Float64Array, x: Float64Array, at: number, d: number, mAt = 0): number {
  let sum = 0
  for (let i = 0; i < d; i++) {
    const xi = x[at + i]
    if (xi === 0) continue
    const row = mAt + packedSize(i)
    let off = 0
    for (let j = 0; j < i; j++) off += m[row + j] * x[at + j]
    sum += xi * (2 * off + m[row + i] * xi)
  }
  return sum
}

/** Σ a[i] · b[bAt + i] over i < n, in four interleaved sums, which is what lets the additions overlap. */
export function dot(a: Float64Array, b: Float64Array, bAt: number, n: number): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let i = 0
  for (; i + 3 < n; i += 4) {
    s0 += a[i] * b[bAt + i]
    s1 += a[i + 1] * b[bAt + i + 1]
    s2 += a[i + 2] * b[bAt + i + 2]
    s3 += a[i + 3] * b[bAt + i + 3]
  }
  for (; i < n; i++) s0 += a[i] * b[bAt + i]
  return s0 + s1 + (s2 + s3)
}

/**
 * Learns (x, y). With v = A⁻¹x and q = xᵀv: θ += v (y − xᵀθ)/(1 + q), A⁻¹ −= v vᵀ/(1 + q) (Sherman and Morrison, 1950).
 * `inverse` is packed at `inverseAt`, θ has d numbers at `thetaAt`, `scratch` d numbers that are overwritten.
 */
export function ridgeUpdate(
  inverse: Float64Array,
  inverseAt: number,
  theta: Float64Array,
  thetaAt: number,
  d: number,
  x: Float64Array,
  y: number,
  scratch: Float64Array,
): void {
  ridgeDirection(inverse, inverseAt, d, x, scratch)
  const shrink = 1 / (1 + dot(x, scratch, 0, d))
  const gain = (y - dot(x, theta, thetaAt, d)) * shrink
  ridgeMove(inverse, inverseAt, theta, thetaAt, d, scratch, gain, shrink)
}

/** Writes v = A⁻¹x into `v`: where x moves θ. */
export function ridgeDirection(
  inverse: Float64Array,
  inverseAt: number,
  d: number,
  x: Float64Array,
  v: Float64Array,
): void {
  let k = inverseAt
  for (let i = 0; i < d; i++) {
    let sum = 0
    for (let j = 0; j < i; j++) {
      sum += inverse[k] * x[j]
      v[j] += inverse[k++] * x[i]
    }
    v[i] = sum + inverse[k++] * x[i]
  }
}

/** θ += gain · v, A⁻¹ −= shrink · v vᵀ. */
export function ridgeMove(
  inverse: Float64Array,
  inverseAt: number,
  theta: Float64Array,
  thetaAt: number,
  d: number,
  v: Float64Array,
  gain: number,
  shrink: number,
): void {
  let k = inverseAt
  for (let i = 0; i < d; i++) {
    theta[thetaAt + i] += gain * v[i]
    const scaled = shrink * v[i]
    for (let j = 0; j <= i; j++) inverse[k++] -= scaled * v[j]
  }
}

/**
 * The same in one step, from A and b = Σ x y: θ = A⁻¹b and A⁻¹, by A = LLᵀ (Cholesky). A is packed and becomes L; b stands at
 * `thetaAt` in `theta` and becomes θ; A⁻¹ is written into the packed block at `inverseAt`. NaN where A is not positive definite.
 */
export function ridgeSolve(
  a: Float64Array,
  theta: Float64Array,
  thetaAt: number,
  inverse: Float64Array,
  inverseAt: number,
  d: number,
): void {
  factor(a, d, Number.NaN)
  solveFactored(a, theta, thetaAt, d)
  invertFactored(a, inverse, inverseAt, d)
}

/** The packed A = LLᵀ becomes L (Cholesky). A pivot that is not positive is `singular`: where that is 0, so is all of its column. */
export function factor(a: Float64Array, d: number, singular: number): void {
  for (let i = 0; i < d; i++) {
    const row = packedSize(i)
    for (let j = 0; j <= i; j++) {
      const other = packedSize(j)
      let sum = a[row + j]
      for (let k = 0; k < j; k++) sum -= a[row + k] * a[other + k]
      if (j === i) a[row + j] = sum > 0 ? Math.sqrt(sum) : singular
      else a[row + j] = a[other + j] === 0 ? 0 : sum / a[other + j]
    }
  }
}

/** L of the packed S = LLᵀ, a covariance, so that L times standard normals has it. What rounding leaves below 0 is 0. */
export function covarianceRoot(s: Float64Array, d: number): Float64Array {
  const root = s.slice(0, packedSize(d))
  factor(root, d, 0)
  return root
}

/** Turns b, at `at`, into the solution of LLᵀx = b. */
export function solveFactored(l: Float64Array, b: Float64Array, at: number, d: number): void {
  for (let i = 0; i < d; i++) {
    const row = packedSize(i)
    let sum = b[at + i]
    for (let k = 0; k < i; k++) sum -= l[row + k] * b[at + k]
    b[at + i] = sum / l[row + i]
  }
  for (let i = d - 1; i >= 0; i--) {
    let sum = b[at + i]
    for (let k = i + 1; k < d; k++) sum -= l[packedSize(k) + i] * b[at + k]
    b[at + i] = sum / l[packedSize(i) + i]
  }
}

/** Writes (LLᵀ)⁻¹ into the packed block at `at`. */
export function invertFactored(l: Float64Array, inverse: Float64Array, at: number, d: number): void {
  const column = new Float64Array(d)
  for (let j = 0; j < d; j++) {
    column.fill(0)
    column[j] = 1
    solveFactored(l, column, 0, d)
    for (let i = j; i < d; i++) inverse[at + packedSize(i) + j] = column[i]
  }
}
