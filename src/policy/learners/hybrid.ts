import type { LearnerSpec } from '../../kinds.ts'
import { normal } from '../../math/distributions.ts'
import { dot, packedSize, quadraticForm, ridgeSolve, ridgeStart, ridgeUpdate } from '../../math/ridge.ts'
import { FORGETTING } from '../forgetting.ts'
import type { Learner, LearnerDefinition, LearnerSums } from '../learner.ts'
import { linear } from './linear.ts'
import { stateCounts, stateNumbers, total } from './state.ts'

const { l2, intercept } = linear.options

export const hybrid: LearnerDefinition<Extract<LearnerSpec, { type: 'hybrid' }>> = {
  type: 'hybrid',
  order: 35,
  note: 'ridge shared and per action',
  description:
    'Ridge regression in two parts: one shared by all actions, on the features of actions and the products that contain one, and one per action, on the features of the context.',
  options: {
    l2,
    intercept: { ...intercept, description: 'Whether a constant 1 is added to the part of each action.' },
    ...FORGETTING,
  },
  learns: true,
  rewards: 'any',
  gives: ['counts', 'widths', 'posterior'],
  features: ({ intercept }) => ({ intercept, shared: true, own: true }),
  coefficients: true,
  numbers(_spec, actions, dimension, own = 0) {
    const k = dimension - own
    return Math.max(actions, actions * packedSize(own), actions * own * k, packedSize(k))
  },
  create: (spec, actions, dimension, _capacity, { own }) => hybridLearner(actions.length, sizes(dimension, own), spec),
  sums: (spec, actions, dimension, own) => hybridSums(spec.l2, actions, sizes(dimension, own)),
  carry: state => state,
  share: () => ['beta', 'inverse'],
}

/** How many components each action's own part has, and the shared one. */
interface Sizes {
  readonly d: number
  readonly k: number
}

function sizes(dimension: number, own = 0): Sizes {
  if (!(own >= 1 && own < dimension))
    throw new RangeError('hybrid: each action needs a part of its own, and all a shared one')
  return { d: own, k: dimension - own }
}

/**
 * A row is x, of the context alone (d numbers), then z (k numbers), in which actions differ; a value is z·β + x·θ of the action. Li, Chu,
 * Langford, Schapire, "A Contextual-Bandit Approach to Personalized News Article Recommendation", WWW 2010, algorithm 2. It is one ridge over z
 * and the x of every action, A = l2·I + Σ u uᵀ, of which the x are eliminated, a block an action; with X = Σ x xᵀ, Y = Σ x zᵀ and c = Σ r x over
 * an action's rows, Z = Σ z zᵀ and e = Σ r z over all:
 *
 *     P = (l2·I + X)⁻¹   G = P Y   t = P c        an action's, t being θ as if β were 0
 *     S = l2·I + Z − Σ Yᵀ G   β = S⁻¹(e − Σ Yᵀ t)   θ = t − G β
 *
 * and, with w = z − Gᵀx, a value is w·β + x·t and its variance, the paper's four terms in two squares, wᵀS⁻¹w + xᵀP x. An action that is
 * gone takes P, G and t along; β and S⁻¹ then are what integrating its θ out leaves.
 */
function hybridLearner(actions: number, { d, k }: Sizes, options: { readonly l2: number }): Learner {
  if (!(options.l2 > 0)) throw new RangeError('hybrid: l2 must be positive')
  const size = packedSize(d)
  const counts = new Float64Array(actions)
  /** By action: P (packed), G (d rows of k) and t. */
  const inverses = new Float64Array(actions * size)
  const lifts = new Float64Array(actions * d * k)
  const alone = new Float64Array(actions * d)
  /** β and S⁻¹ (packed). */
  const beta = new Float64Array(k)
  const inverse = new Float64Array(packedSize(k))
  const value = new Float64Array(actions)
  const width = new Float64Array(actions)
  /** θ by action, of the β of before, where `stale`. */
  const theta = new Float64Array(actions * d)
  let stale = false
  const x = new Float64Array(d)
  const w = new Float64Array(k)
  const scratch = new Float64Array(Math.max(d, k))
  for (let a = 0; a < actions; a++) ridgeStart(inverses, a * size, d, options.l2)
  ridgeStart(inverse, 0, k, options.l2)

  function refresh(): void {
    for (let i = 0; i < actions * d; i++) theta[i] = alone[i] - dot(beta, lifts, i * k, k)
    stale = false
  }

  /** w of the row at `at`. */
  function reduce(row: Float64Array, at: number, action: number): void {
    for (let j = 0; j < k; j++) w[j] = row[at + d + j]
    for (let i = 0; i < d; i++) {
      const xi = row[at + i]
      if (xi === 0) continue
      const lift = (action * d + i) * k
      for (let j = 0; j < k; j++) w[j] -= xi * lifts[lift + j]
    }
  }

  const learner: Learner & { count: number } = {
    counts,
    value,
    width,
    count: 0,
    predict(rows, widths = true) {
      if (stale) refresh()
      for (let a = 0; a < actions; a++) {
        const at = a * (d + k)
        for (let i = 0; i < d; i++) x[i] = rows[at + i]
        value[a] = dot(x, theta, a * d, d) + dot(beta, rows, at + d, k)
        if (!widths) continue
        reduce(rows, at, a)
        const variance = quadraticForm(inverse, w, 0, k) + quadraticForm(inverses, x, 0, d, a * size)
        width[a] = Math.sqrt(Math.max(0, variance))
      }
    },
    /** The action's own ridge learns the row, and the shared one what that leaves of it: w and r − x·t, less certain by 1 + x·P x. */
    learn(action, row, reward) {
      reduce(row, 0, action)
      for (let i = 0; i < d; i++) x[i] = row[i]
      const left = reward - dot(x, alone, action * d, d)
      ridgeUpdate(inverses, action * size, alone, action * d, d, x, reward, scratch)
      // `scratch` has P x of before.
      const shrink = 1 / (1 + dot(x, scratch, 0, d))
      for (let i = 0; i < d; i++) {
        const gain = shrink * scratch[i]
        const lift = (action * d + i) * k
        for (let j = 0; j < k; j++) lifts[lift + j] += gain * w[j]
      }
      const root = Math.sqrt(shrink)
      for (let j = 0; j < k; j++) w[j] *= root
      ridgeUpdate(inverse, 0, beta, 0, k, w, root * left, scratch)
      stale = true
      counts[action]++
      learner.count++
    },
    draw: (action, scale, rng) => value[action] + scale * width[action] * normal(rng),
    posterior: (action, scale) => ({ family: 'normal', mean: value[action], sd: scale * width[action] }),
    coefficient(i, action) {
      if (stale) refresh()
      return i < d ? theta[action * d + i] : beta[i - d]
    },
    state: () => ({
      counts: [...counts],
      inverses: [...inverses],
      lifts: [...lifts],
      alone: [...alone],
      beta: [...beta],
      inverse: [...inverse],
    }),
    restore(state) {
      const newCounts = stateCounts(state, 'counts', actions)
      const newInverses = stateNumbers(state, 'inverses', actions * size)
      const newLifts = stateNumbers(state, 'lifts', actions * d * k)
      const newAlone = stateNumbers(state, 'alone', actions * d)
      const newBeta = stateNumbers(state, 'beta', k)
      const newInverse = stateNumbers(state, 'inverse', packedSize(k))
      counts.set(newCounts)
      inverses.set(newInverses)
      lifts.set(newLifts)
      alone.set(newAlone)
      beta.set(newBeta)
      inverse.set(newInverse)
      stale = true
      learner.count = total(counts)
    },
  }
  return learner
}

/** By action [Σwrx (d), Σw x xᵀ (packed), Σw x zᵀ (d rows of k)], and of all [Σwrz (k), Σw z zᵀ (packed)]. */
function hybridSums(l2: number, actions: number, { d, k }: Sizes): LearnerSums {
  const [size, all] = [packedSize(d), packedSize(k)]
  const outer = d + size
  return {
    width: outer + d * k,
    shared: k + all,
    add(sums, at, row, reward, weight, shared) {
      for (let i = 0; i < d; i++) {
        const wx = weight * row[i]
        if (wx === 0) continue
        sums[at + i] += wx * reward
        const square = at + d + packedSize(i)
        for (let j = 0; j <= i; j++) sums[square + j] += wx * row[j]
        const product = at + outer + i * k
        for (let j = 0; j < k; j++) sums[product + j] += wx * row[d + j]
      }
      for (let i = 0; i < k; i++) {
        const wz = weight * row[d + i]
        if (wz === 0) continue
        sums[shared + i] += wz * reward
        const square = shared + k + packedSize(i)
        for (let j = 0; j <= i; j++) sums[square + j] += wz * row[d + j]
      }
    },
    state(counts, sum, shared) {
      const inverses = new Float64Array(actions * size)
      const lifts = new Float64Array(actions * d * k)
      const alone = new Float64Array(actions * d)
      const beta = Float64Array.from({ length: k }, (_, i) => shared(i))
      const inverse = new Float64Array(all)
      // S, and what is subtracted from it.
      const matrix = Float64Array.from({ length: all }, (_, i) => shared(k + i))
      const own = new Float64Array(size)
      const row = new Float64Array(d)
      for (let a = 0; a < actions; a++) {
        for (let i = 0; i < size; i++) own[i] = sum(a, d + i)
        for (let i = 0; i < d; i++) {
          own[packedSize(i) + i] += l2
          alone[a * d + i] = sum(a, i)
        }
        ridgeSolve(own, alone, a * d, inverses, a * size, d)
        const crossed = Float64Array.from({ length: d * k }, (_, i) => sum(a, outer + i))
        for (let i = 0; i < d; i++) {
          packedRow(inverses, a * size, i, d, row)
          const lift = (a * d + i) * k
          for (let h = 0; h < d; h++) {
            for (let j = 0; j < k; j++) lifts[lift + j] += row[h] * crossed[h * k + j]
          }
          for (let j = 0; j < k; j++) {
            const y = crossed[i * k + j]
            beta[j] -= y * alone[a * d + i]
            for (let m = 0; m <= j; m++) matrix[packedSize(j) + m] -= y * lifts[lift + m]
          }
        }
      }
      for (let i = 0; i < k; i++) matrix[packedSize(i) + i] += l2
      ridgeSolve(matrix, beta, 0, inverse, 0, k)
      const state = { counts, inverses, lifts, alone, beta, inverse }
      return Object.fromEntries(Object.entries(state).map(([key, numbers]) => [key, [...numbers]]))
    },
  }
}

/** Row i of a packed symmetric matrix of d rows, at `at`. */
function packedRow(m: Float64Array, at: number, i: number, d: number, out: Float64Array): void {
  for (let j = 0; j < d; j++) out[j] = m[at + (j <= i ? packedSize(i) + j : packedSize(j) + i)]
}
