/** Looks for the least value of a smooth convex function, which it does not call: who has it computes value and gradient where `point` is, and tells. */
export interface Minimiser {
  /** Where the next value and gradient are wanted. */
  readonly point: Float64Array
  /** The best point so far. */
  readonly best: Float64Array
  /** √(gᵀD⁻¹g) there: about how many standard deviations the least value is away, where D is about the curvature. */
  readonly distance: number
  /** Takes what the function is at `point`, and moves it; false when there is nowhere to go, or no need to. */
  tell(value: number, gradient: Float64Array): boolean
}

export interface MinimiserOptions {
  /** About the curvature by coordinate, D: the better, the fewer steps. All positive. */
  readonly curvature: Float64Array
  /** The distance that is near enough. */
  readonly tolerance: number
}

/** Steps and changes of the gradient that are remembered. */
const MEMORY = 20
/** Armijo's: the least part of what the slope promises that a step must bring. */
const ENOUGH = 1e-4
/** A step that is too long becomes at least this part of itself, and at most half. */
const SHORTEST = 0.01
/** A step that was shortened so often has met the last digits of the value. */
const MOST_SHORTENED = 20

/**
 * L-BFGS, its first guess at the curvature diagonal. Nocedal, "Updating Quasi-Newton Matrices with Limited Storage", Math. Comp. 35, 1980; the two
 * loops are algorithm 7.4 of Nocedal, Wright, "Numerical Optimization", 2006. A step that does not bring enough is shortened. Sums run from the first
 * coordinate to the last, so that the same answers make the same steps, bit for bit.
 */
export function lbfgs(start: Float64Array, { curvature, tolerance }: MinimiserOptions): Minimiser {
  const n = start.length
  const root = curvature.map(c => Math.sqrt(c))
  const point = start.slice()
  const best = start.slice()
  const gradient = new Float64Array(n)
  const direction = new Float64Array(n)
  const steps: { readonly s: Float64Array; readonly y: Float64Array; readonly rho: number }[] = []
  let value = Number.POSITIVE_INFINITY
  let slope = 0
  let length = 1
  let shortened = 0

  /** Writes −H g: what the remembered steps say that curvature is, and D where they say nothing. */
  function aim(): void {
    for (let i = 0; i < n; i++) direction[i] = -gradient[i]
    const alphas: number[] = []
    for (let k = steps.length - 1; k >= 0; k--) {
      const { s, y, rho } = steps[k]
      const alpha = rho * inner(s, direction)
      alphas[k] = alpha
      for (let i = 0; i < n; i++) direction[i] -= alpha * y[i]
    }
    const last = steps.at(-1)
    const scale = last === undefined ? 1 : 1 / (last.rho * weighted(last.y, root))
    for (let i = 0; i < n; i++) direction[i] *= scale / (last === undefined ? curvature[i] : root[i])
    for (let k = 0; k < steps.length; k++) {
      const { s, y, rho } = steps[k]
      const rest = alphas[k] - rho * inner(y, direction)
      for (let i = 0; i < n; i++) direction[i] += rest * s[i]
    }
    slope = inner(gradient, direction)
  }

  const minimiser: Minimiser & { distance: number } = {
    point,
    best,
    distance: Number.POSITIVE_INFINITY,
    tell(here, slopes) {
      if (!(here <= value + ENOUGH * length * slope)) {
        point.set(best)
        if (++shortened > MOST_SHORTENED) return false
        // The least of the parabola through the value and the slope at the best point, and the value here.
        const least = (-0.5 * slope * length * length) / (here - value - slope * length)
        length =
          least >= SHORTEST * length && least <= length / 2
            ? least
            : least < length / 2
              ? SHORTEST * length
              : length / 2
        for (let i = 0; i < n; i++) point[i] += length * direction[i]
        return true
      }
      // As small a step as the digits of the value can show.
      const still = here === value
      if (value < Number.POSITIVE_INFINITY) {
        const s = Float64Array.from(point, (x, i) => x - best[i])
        const y = Float64Array.from(slopes, (g, i) => g - gradient[i])
        const sy = inner(s, y)
        if (sy > 0) steps.push({ s, y, rho: 1 / sy })
        if (steps.length > MEMORY) steps.shift()
      }
      best.set(point)
      gradient.set(slopes)
      value = here
      minimiser.distance = Math.sqrt(weighted(gradient, curvature))
      if (still || minimiser.distance <= tolerance) return false
      aim()
      length = 1
      shortened = 0
      for (let i = 0; i < n; i++) point[i] += direction[i]
      return true
    },
  }
  return minimiser
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** Σ aᵢ²/dᵢ. */
function weighted(a: Float64Array, d: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] * a[i]) / d[i]
  return sum
}
