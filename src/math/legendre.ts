/** Gauss-Legendre panels on [−1, 1]. A function is given by its values at the NODES nodes, which lie symmetrically about 0. */
export const NODES = 16
const HALF = NODES / 2

/** The nodes, ascending, and their weights. */
export const node = new Float64Array(NODES)
export const weight = new Float64Array(NODES)

/**
 * The integration matrix, taken apart by symmetry (row-major, HALF × HALF): row i of `evenPart` times the sums of mirrored values is
 * the integral of the function's even part from 0 to the mirror of node i; row i of `oddPart` times their differences is that of
 * its odd part from −1 to node i.
 */
const evenPart = new Float64Array(HALF * HALF)
const oddPart = new Float64Array(HALF * HALF)

/** From the same sums and differences to the last even and odd Legendre coefficients, of degree NODES − 2 and NODES − 1. */
const lastEven = new Float64Array(HALF)
const lastOdd = new Float64Array(HALF)

{
  /** P_0 … P_NODES at x. */
  const legendre = (x: number): Float64Array => {
    const p = new Float64Array(NODES + 1)
    p[0] = 1
    p[1] = x
    for (let k = 1; k < NODES; k++) p[k + 1] = ((2 * k + 1) * x * p[k] - k * p[k - 1]) / (k + 1)
    return p
  }
  /** Is P_NODES negative at x? Asked often, and whenever dap starts: without a list. */
  const isNegative = (x: number): boolean => {
    let before = 1
    let p = x
    for (let k = 1; k < NODES; k++) {
      const next = ((2 * k + 1) * x * p - k * before) / (k + 1)
      before = p
      p = next
    }
    return p < 0
  }
  // The positive roots of P_NODES: sign changes on a fine grid, then Newton's method.
  const steps = 500
  let found = HALF
  let negative = isNegative(0)
  for (let s = 0; s < steps; s++) {
    const was = negative
    negative = isNegative((s + 1) / steps)
    if (negative === was) continue
    let x = (s + 0.5) / steps
    for (let i = 0; i < 10; i++) {
      const p = legendre(x)
      x -= (p[NODES] * (x * x - 1)) / (NODES * (x * p[NODES] - p[NODES - 1]))
    }
    const slope = NODES * legendre(x)[NODES - 1]
    node[found] = x
    weight[found] = (2 * (1 - x * x)) / (slope * slope)
    node[NODES - 1 - found] = -x
    weight[NODES - 1 - found] = weight[found]
    found++
  }
  // f = Σ c_k P_k with c_k = (2k + 1)/2 Σ_j w_j f(x_j) P_k(x_j), and ∫ P_k = (P_{k+1} − P_{k−1})/(2k + 1).
  const values = Array.from(node, legendre)
  const integral = (i: number, j: number): number => {
    let sum = node[i] + 1
    for (let k = 1; k < NODES; k++) sum += values[j][k] * (values[i][k + 1] - values[i][k - 1])
    return (weight[j] / 2) * sum
  }
  for (let j = 0; j < HALF; j++) {
    const mirror = NODES - 1 - j
    for (let i = 0; i < HALF; i++) {
      const upper = NODES - 1 - i
      evenPart[i * HALF + j] = (integral(upper, j) + integral(upper, mirror) - integral(i, j) - integral(i, mirror)) / 4
      oddPart[i * HALF + j] = (integral(i, mirror) - integral(i, j)) / 2
    }
    lastEven[j] = ((2 * NODES - 3) / 2) * weight[j] * values[j][NODES - 2]
    lastOdd[j] = ((2 * NODES - 1) / 2) * weight[j] * values[mirror][NODES - 1]
  }
}

/** The sizes of the last two Legendre coefficients of the values that begin at `at`: small when the panel resolves them. */
export function unresolved(values: Float64Array, at: number): number {
  let a = 0
  let b = 0
  for (let j = 0; j < HALF; j++) {
    const left = values[at + j]
    const right = values[at + NODES - 1 - j]
    a += lastEven[j] * (right + left)
    b += lastOdd[j] * (right - left)
  }
  return Math.abs(a) + Math.abs(b)
}

const even = new Float64Array(HALF)
const odd = new Float64Array(HALF)

/**
 * For the values that begin at `at`, writes end − half · ∫ from each node to 1 of their interpolant into `out`, from the same place on,
 * and returns end − half · ∫ over the whole panel.
 */
export function integrate(values: Float64Array, at: number, end: number, half: number, out: Float64Array): number {
  let total = 0
  for (let j = 0; j < HALF; j++) {
    const left = values[at + j]
    const right = values[at + NODES - 1 - j]
    even[j] = right + left
    odd[j] = right - left
    total += weight[j] * (right + left)
  }
  const middle = end - (half * total) / 2
  for (let i = 0; i < HALF; i++) {
    const row = i * HALF
    let g = 0
    let h = 0
    for (let j = 0; j < HALF; j++) {
      g += evenPart[row + j] * even[j]
      h += oddPart[row + j] * odd[j]
    }
    out[at + i] = middle + half * (h - g)
    out[at + NODES - 1 - i] = middle + half * (h + g)
  }
  return end - half * total
}
