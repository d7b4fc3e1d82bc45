import { exp, log1p } from './elementary.ts'

/** 1 / (1 + e^−z). */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + exp(-z))
  const e = exp(z)
  return e / (1 + e)
}

/** −ln of the likelihood of y in [0, 1] at log-odds z: ln(1 + e^z) − y·z, however large z is. */
export function logisticLoss(z: number, y: number): number {
  return (z > 0 ? z : 0) + log1p(exp(-Math.abs(z))) - y * z
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
