import { normal } from '../../math/distributions.ts'
import { covarianceRoot, dot, packedSize, quadraticForm, ridgeStart, ridgeUpdate } from '../../math/ridge.ts'
import type { Rng } from '../../math/rng.ts'
import type { Learner } from '../learner.ts'
import { stateCounts, stateNumbers, total } from './state.ts'

export interface DenseOptions {
  readonly l2: number
  /** How a model learns a row; without it, as ridge regression does. */
  readonly update?: typeof ridgeUpdate
}

/**
 * One ridge regression for all actions, which sees a row z an action: value z·θ, width √(z·A⁻¹z), posterior N(z·θ, scale² · z·A⁻¹z), with
 * A = l2·I + Σ z zᵀ. Abbasi-Yadkori, Pál, Szepesvári, "Improved Algorithms for Linear Stochastic Bandits", NeurIPS 2011, section 3 (OFUL);
 * Agrawal, Goyal, "Thompson Sampling for Contextual Bandits with Linear Payoffs", ICML 2013, where all values come of one θ: `models`
 * draws such, from N(θ, scale² · A⁻¹). `draw` and `posterior` have each action's value by itself, whose maxima can be integrated.
 */
export function sharedLinearLearner(
  actions: number,
  dimension: number,
  options: DenseOptions & { readonly capacity?: number },
): Learner {
  const { l2, update = ridgeUpdate, capacity = actions } = options
  if (!(l2 > 0)) throw new RangeError('l2 must be positive')
  const d = dimension
  const inverse = new Float64Array(packedSize(d))
  const theta = new Float64Array(d)
  const known = Math.max(1, actions)
  const counts = new Float64Array(known)
  const value = new Float64Array(capacity)
  const width = new Float64Array(capacity)
  const scratch = new Float64Array(d)
  /** The rows last predicted. */
  let rows: Float64Array = new Float64Array(0)
  /** L of A⁻¹ = LLᵀ, until something is learnt. */
  let root: Float64Array | undefined
  const nonzero: Scratch = { values: new Float64Array(d), places: new Int32Array(d) }
  ridgeStart(inverse, 0, d, l2)

  const learner: Learner & { count: number } = {
    counts,
    value,
    width,
    count: 0,
    predict(x, widths = true) {
      rows = x
      const count = x.length / d
      for (let a = 0; a < count; a++) value[a] = dot(theta, x, a * d, d)
      if (!widths) return
      for (let a = 0; a < count; a++) width[a] = Math.sqrt(Math.max(0, quadraticForm(inverse, x, a * d, d)))
    },
    learn(action, x, reward) {
      update(inverse, 0, theta, 0, d, x, reward, scratch)
      counts[actions === 0 ? 0 : action]++
      learner.count++
      root = undefined
    },
    draw: (action, scale, rng) => value[action] + scale * width[action] * normal(rng),
    posterior: (action, scale) => ({ family: 'normal', mean: value[action], sd: scale * width[action] }),
    models(scale, draws, rng) {
      root ??= covarianceRoot(inverse, d)
      const models = drawModels(theta, root, scale, draws, rng)
      const out = new Float64Array(Math.ceil(draws / BLOCK) * BLOCK)
      return action => {
        multiplyModels(models, rows, action * d, nonzero, out)
        return out
      }
    },
    coefficient: i => theta[i],
    state: () => ({ counts: [...counts], theta: [...theta], inverse: [...inverse] }),
    restore(state) {
      const newCounts = stateCounts(state, 'counts', known)
      const newTheta = stateNumbers(state, 'theta', d)
      const newInverse = stateNumbers(state, 'inverse', packedSize(d))
      counts.set(newCounts)
      theta.set(newTheta)
      inverse.set(newInverse)
      learner.count = total(counts)
      root = undefined
    },
  }
  return learner
}

/** So many models are multiplied at once: their sums stay in registers. */
const BLOCK = 8

/**
 * θ + scale · L z for that many standard normal z, in blocks: component i of the models of a block one after the other, from i · BLOCK on. The
 * last block is filled up with zeros.
 */
function drawModels(theta: Float64Array, root: Float64Array, scale: number, draws: number, rng: Rng): Float64Array {
  const d = theta.length
  const models = new Float64Array(Math.ceil(draws / BLOCK) * BLOCK * d)
  const z = new Float64Array(d)
  for (let m = 0; m < draws; m++) {
    for (let i = 0; i < d; i++) z[i] = normal(rng)
    const at = (m - (m % BLOCK)) * d + (m % BLOCK)
    for (let i = 0; i < d; i++) models[at + i * BLOCK] = theta[i] + scale * dot(z, root, packedSize(i), i + 1)
  }
  return models
}

/**
 * Multiplies a row x, the d numbers at `from`, with such models into `out`, each sum in the order of the components. Zeros of x cost next to
 * nothing. Apart, and told everything, so that the engine keeps it all in registers.
 */
function multiplyModels(
  models: Float64Array,
  x: Float64Array,
  from: number,
  scratch: Scratch,
  out: Float64Array,
): void {
  const { values, places } = scratch
  const d = values.length
  let count = 0
  for (let i = 0; i < d; i++) {
    if (x[from + i] === 0) continue
    values[count] = x[from + i]
    places[count++] = i * BLOCK
  }
  for (let m = 0; m < out.length; m += BLOCK) {
    const block = m * d
    let s0 = 0
    let s1 = 0
    let s2 = 0
    let s3 = 0
    let s4 = 0
    let s5 = 0
    let s6 = 0
    let s7 = 0
    for (let c = 0; c < count; c++) {
      const value = values[c]
      const at = block + places[c]
      s0 += value * models[at]
      s1 += value * models[at + 1]
      s2 += value * models[at + 2]
      s3 += value * models[at + 3]
      s4 += value * models[at + 4]
      s5 += value * models[at + 5]
      s6 += value * models[at + 6]
      s7 += value * models[at + 7]
    }
    out[m] = s0
    out[m + 1] = s1
    out[m + 2] = s2
    out[m + 3] = s3
    out[m + 4] = s4
    out[m + 5] = s5
    out[m + 6] = s6
    out[m + 7] = s7
  }
}

/** The components of a row that are not 0: their values, and where they begin in a block. */
interface Scratch {
  readonly values: Float64Array
  readonly places: Int32Array
}
