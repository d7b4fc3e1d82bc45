import { exp, log1p } from './elementary.ts'
import { dot, ridgeDirection, ridgeMove } from './ridge.ts'

/** 1 / (1 + e^−z). */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + exp(-z))
  const e = exp(z)
  return e / (1 + e)
}

/** −ln of the likelihood of y in [0, 1] at log-odds z: ln(1 + e^z) − y·z, however large z is, and to its last digits where that is next to nothing. */
export function logisticLoss(z: number, y: number): number {
  return (z > 0 ? (1 - y) * z : -y * z) + log1p(exp(-Math.abs(z)))
}

/**
 * How far one row moves a normal prior of its log-odds, mean z and variance v: the δ with δ = v·h·(y − σ(z + δ)), which is where the
 * posterior of a row that counts h has its mode. Newton's method, kept between the ends of what δ can be.
 */
export function logisticShift(z: number, v: number, y: number, h: number): number {
  const hv = h * v
  let low = hv * (y - 1)
  let high = hv * y
  let shift = 0
  for (let i = 0; i < MOST_STEPS; i++) {
    const m = sigmoid(z + shift)
    const gap = shift - hv * (y - m)
    if (gap > 0) high = shift
    else low = shift
    const newton = shift - gap / (1 + hv * m * (1 - m))
    const next = newton > low && newton < high ? newton : (low + high) / 2
    if (Math.abs(next - shift) <= 1e-14 * (1 + Math.abs(next))) return next
    shift = next
  }
  return shift
}

/** Halving alone, from the widest ends there are, would need as many. */
const MOST_STEPS = 100

/**
 * Learns (x, y), y in [0, 1], where θ is believed to be normal with the covariance H⁻¹: θ moves to the mode of its posterior, and H grows by the
 * curvature m(1 − m) x xᵀ there, m = σ(xᵀθ). Laplace's approximation, a row at a time: Spiegelhalter, Lauritzen, "Sequential Updating of
 * Conditional Probabilities on Directed Graphical Structures", Networks 20, 1990, section 5; of a batch, and of a diagonal H, it is algorithm 3 of
 * Chapelle, Li, "An Empirical Evaluation of Thompson Sampling", NeurIPS 2011. Its arguments are those of `ridgeUpdate`.
 */
export function logisticUpdate(
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
  const z = dot(x, theta, thetaAt, d)
  // Rounding may leave it below 0.
  const v = Math.max(0, dot(x, scratch, 0, d))
  const m = sigmoid(z + logisticShift(z, v, y, 1))
  const bend = m * (1 - m)
  ridgeMove(inverse, inverseAt, theta, thetaAt, d, scratch, y - m, bend / (1 + bend * v))
}
