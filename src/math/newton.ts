import { factor, invertFactored, packedSize, solveFactored } from './ridge.ts'

/** Looks for the least value of a smooth, strictly convex function, which it does not call, as `lbfgs` does, but by its whole curvature. */
export interface Newton {
  /** Where the next value, gradient and curvature are wanted. */
  readonly point: Float64Array
  /** The best point so far. */
  readonly best: Float64Array
  /** √(gᵀH⁻¹g) there: how many standard deviations the least value is away, where H is the curvature. */
  readonly distance: number
  /** Takes what the function is at `point`, its curvature packed, and moves it; false when there is nowhere to go, or no need to. */
  tell(value: number, gradient: Float64Array, curvature: Float64Array): boolean
  /** Writes H⁻¹ of the best point into the packed block at `at`. */
  invert(out: Float64Array, at: number): void
}

/** Armijo's: the least part of what the slope promises that a step must bring. */
const ENOUGH = 1e-4
/** Values of which the difference is a smaller part are the same, but for rounding. */
const DIGITS = 1e-12
/** A step that was halved so often leads nowhere. */
const MOST_HALVED = 40

/**
 * Newton's method. A step that does not bring enough is halved: Boyd, Vandenberghe, "Convex Optimization", 2004, algorithms 9.2 and 9.5. Once the digits
 * of the value cannot show what a step brings, steps go on as long as they halve the distance, which they square as long as there are digits.
 */
export function newton(start: Float64Array, tolerance: number): Newton {
  const n = start.length
  const point = start.slice()
  const best = start.slice()
  const direction = new Float64Array(n)
  /** L of the curvature at the best point, LLᵀ. */
  const root = new Float64Array(packedSize(n))
  let value = Number.POSITIVE_INFINITY
  let length = 1
  let halved = 0

  function step(): boolean {
    for (let i = 0; i < n; i++) point[i] = best[i] + length * direction[i]
    return true
  }

  const minimiser: Newton & { distance: number } = {
    point,
    best,
    distance: Number.POSITIVE_INFINITY,
    tell(here, gradient, curvature) {
      const { distance } = minimiser
      const same = DIGITS * Math.abs(here)
      const promised = value < Number.POSITIVE_INFINITY ? ENOUGH * length * distance * distance : 0
      if (!(here <= value - promised + same)) {
        if (++halved > MOST_HALVED) return false
        length /= 2
        return step()
      }
      best.set(point)
      root.set(curvature)
      factor(root, n, Number.NaN)
      for (let i = 0; i < n; i++) direction[i] = -gradient[i]
      solveFactored(root, direction, 0, n)
      let squares = 0
      for (let i = 0; i < n; i++) squares -= gradient[i] * direction[i]
      const next = Math.sqrt(squares)
      const still = length === 1 && squares <= same && next > distance / 2
      value = here
      minimiser.distance = next
      if (still || !(next > tolerance)) return false
      // Where steps are much too long the next one is, too.
      length = Math.min(1, 4 * length)
      halved = 0
      return step()
    },
    invert(out, at) {
      invertFactored(root, out, at, n)
    },
  }
  return minimiser
}
