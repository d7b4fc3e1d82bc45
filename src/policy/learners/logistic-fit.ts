import { logisticLoss, sigmoid } from '../../math/logistic.ts'
import { newton } from '../../math/newton.ts'
import { dot, packedSize } from '../../math/ridge.ts'
import type { Fit, FitReport, Passes } from '../learner.ts'
import { MOST_PASSES } from '../passes.ts'
import { stateNumbers } from './state.ts'

/** Standard deviations of the posterior: steps end that near the optimum, or where rounding ends them, which must be as near as `CLOSE`. */
const EXACT = 1e-10
const CLOSE = 1e-4

/** Where a model's numbers stand in a part: [loss, gradient (d), curvature (packed)]. */
const blockOf = (d: number) => 1 + d + packedSize(d)

/**
 * Least is, by model, Σ w (ln(1 + e^z) − y z) + ½ λ|θ|², z = x·θ over its rows. A part is a block a model; of every pass, as Newton's method wants the
 * curvature each time.
 */
export function logisticPasses(l2: number, models: number, d: number): Passes {
  return {
    fold({ rows, x, action, reward, weight }, point) {
      const part = new Float64Array(models * blockOf(d))
      const row = new Float64Array(d)
      for (let r = 0; r < rows; r++) {
        for (let i = 0; i < d; i++) row[i] = x[r * d + i]
        const model = models === 1 ? 0 : action[r]
        const h = weight === undefined ? 1 : weight[r]
        addRow(part, model * blockOf(d), row, dot(row, point, model * d, d), reward[r], h)
      }
      return part
    },
    start: (counts, scale, from) =>
      logisticFit(
        { l2, models, d },
        { counts, scale },
        from === undefined ? new Float64Array(models * d) : stateNumbers(from, 'theta', models * d),
      ),
  }
}

/** Adds a row that counts h, and whose log-odds are z, to the block at `at`. Zeros of it cost next to nothing. */
function addRow(part: Float64Array, at: number, row: Float64Array, z: number, y: number, h: number): void {
  const d = row.length
  const m = sigmoid(z)
  // 1 − m, and m − y, to their last digits, however near m is to 1.
  const rest = sigmoid(-z)
  const slope = h * (m * (1 - y) - rest * y)
  const bend = h * m * rest
  part[at] += h * logisticLoss(z, y)
  for (let i = 0; i < d; i++) {
    if (row[i] === 0) continue
    part[at + 1 + i] += slope * row[i]
    const bent = bend * row[i]
    const square = at + 1 + d + packedSize(i)
    for (let j = 0; j <= i; j++) part[square + j] += bent * row[j]
  }
}

function logisticFit(
  { l2, models, d }: { readonly l2: number; readonly models: number; readonly d: number },
  { counts, scale }: { readonly counts: Float64Array; readonly scale: Float64Array },
  point: Float64Array,
): Fit {
  const size = packedSize(d)
  const sums = new Float64Array(models * blockOf(d))
  const minimisers = Array.from({ length: models }, (_, a) => newton(point.slice(a * d, (a + 1) * d), EXACT))
  /** Models that are not there yet. */
  let moving = [...minimisers.keys()]

  /** What the parts say of a model at its point, with the penalty; is there somewhere to go from there? */
  function tell(a: number): boolean {
    const at = a * blockOf(d)
    const { point: theta, tell } = minimisers[a]
    const scaled = sums.subarray(at, at + blockOf(d)).map(sum => scale[a] * sum)
    const gradient = scaled.subarray(1, 1 + d)
    const curvature = scaled.subarray(1 + d)
    for (let i = 0; i < d; i++) {
      gradient[i] += l2 * theta[i]
      curvature[packedSize(i) + i] += l2
    }
    return tell(scaled[0] + 0.5 * l2 * dot(theta, theta, 0, d), gradient, curvature)
  }

  const fit: Fit & { report: FitReport } = {
    point,
    curved: true,
    report: { passes: 0, converged: false, distance: Number.POSITIVE_INFINITY },
    add(part) {
      for (let i = 0; i < part.length; i++) sums[i] += part[i]
    },
    step() {
      const passes = fit.report.passes + 1
      moving = moving.filter(tell)
      sums.fill(0)
      const distance = minimisers.reduce((most, each) => Math.max(most, each.distance), 0)
      fit.report = { passes, converged: distance <= CLOSE, distance }
      const more = moving.length > 0 && passes < MOST_PASSES
      for (const [a, each] of minimisers.entries())
        point.set(more && moving.includes(a) ? each.point : each.best, a * d)
      return more
    },
    state() {
      const inverse = new Float64Array(models * size)
      for (const [a, each] of minimisers.entries()) each.invert(inverse, a * size)
      return { counts: [...counts], theta: [...point], inverse: [...inverse] }
    },
  }
  return fit
}
