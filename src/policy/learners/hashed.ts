import type { LearnerSpec } from '../../kinds.ts'
import { normal } from '../../math/distributions.ts'
import { lbfgs, type Minimiser } from '../../math/lbfgs.ts'
import { logisticLoss, logisticShift, sigmoid } from '../../math/logistic.ts'
import { requireUnit } from '../definition.ts'
import { FORGETTING } from '../forgetting.ts'
import {
  createScatter,
  createScore,
  createTouches,
  type Hashing,
  MOST_BITS,
  mostTouches,
  rowLength,
} from '../hashing.ts'
import type { Fit, FitReport, Learner, LearnerDefinition, LearnerState, Passes, SlotWeight } from '../learner.ts'
import { MOST_PASSES, NEAR_ENOUGH } from '../passes.ts'
import { countOnly } from './fixed.ts'
import { stateNumber, stateNumbers, total } from './state.ts'

type HashedSpec = Extract<LearnerSpec, { type: 'hashed' }>

export const hashed: LearnerDefinition<HashedSpec> = {
  type: 'hashed',
  order: 36,
  note: 'sparse logistic ridge',
  description:
    'Logistic ridge regression on `hash` features, shared by all actions, for 0/1 rewards. It is not scale-free: give numbers that are large a transform.',
  options: {
    l2: {
      type: 'number',
      description: 'The ridge penalty λ of every weight but the intercept, whose penalty is 1 at most.',
      exclusiveMinimum: 0,
      maximum: 1000000000,
      default: 20,
      examples: [20],
    },
    ...FORGETTING,
  },
  learns: true,
  rewards: 'unit',
  gives: ['widths', 'posterior'],
  link: 'logit',
  features: () => ({ intercept: true, shared: true, hashed: true }),
  anyActions: () => true,
  create: (spec, _actions, _dimension, capacity, { hashing }) => hashedLearner(capacity, spec, hashing),
  slots: state => weightsOf(state as unknown as HashedState),
  sums: () => ({ ...countOnly, shared: 0 }),
  passes: ({ l2 }, _actions, _dimension, hashing = NOTHING) => hashedPasses(l2, hashing),
}

/** Without features: the intercept alone. */
const NOTHING: Hashing = { bits: 0, ends: [], pairs: [] }

/**
 * One weight a slot, and the intercept: z = Σ x w, value σ(z). The posterior of a weight is normal, by itself: N(w, 1/q), q = λ + Σ m(1 − m)x², m being
 * what was predicted of a row (Laplace's approximation, of which the diagonal is kept). So z is N(z, Σ x²/q), and that is what is drawn: σ is
 * monotone, and the best by z is the best by σ(z). Chapelle, Li, "An Empirical Evaluation of Thompson Sampling", NeurIPS 2011, algorithm 3, which
 * `learn` does for one row: the mode moves along x/q, as far as the row moves z.
 */
function hashedLearner(capacity: number, { l2 }: { readonly l2: number }, hashing: Hashing = NOTHING): Learner {
  if (!(l2 > 0)) throw new RangeError('hashed: l2 must be positive')
  const touches = createTouches(hashing)
  const score = createScore(hashing)
  const row = rowLength(hashing)
  const slots = new Int32Array(mostTouches(hashing))
  const numbers = new Float64Array(slots.length)
  const value = new Float64Array(capacity)
  const width = new Float64Array(capacity)
  const logit = new Float64Array(capacity)
  const spreads = new Float64Array(capacity)
  let model = emptyModel(hashing.bits, l2)

  const learner: Learner & { count: number } = {
    value,
    width,
    count: 0,
    predict(x, widths = true) {
      const { weights, precisions, mask } = model
      const rows = row === 0 ? capacity : x.length / row
      for (let a = 0; a < rows; a++) {
        logit[a] = weights[mask + 1] + score(x, a * row, weights)
        value[a] = sigmoid(logit[a])
        if (!widths) continue
        const n = touches(x, a * row, slots, numbers)
        let v = 1 / precisions[mask + 1]
        for (let i = 0; i < n; i++) v += (numbers[i] * numbers[i]) / precisions[slots[i]]
        spreads[a] = Math.sqrt(v)
        width[a] = value[a] * (1 - value[a]) * spreads[a]
      }
    },
    learn(_action, x, reward) {
      requireUnit('hashed', reward)
      const { weights, precisions, mask } = model
      const n = touches(x, 0, slots, numbers)
      slots[n] = mask + 1
      numbers[n] = 1
      let z = 0
      let v = 0
      for (let i = 0; i <= n; i++) {
        z += weights[slots[i]] * numbers[i]
        v += (numbers[i] * numbers[i]) / precisions[slots[i]]
      }
      const shift = logisticShift(z, v, reward, 1)
      const m = sigmoid(z + shift)
      for (let i = 0; i <= n; i++) {
        weights[slots[i]] += ((shift / v) * numbers[i]) / precisions[slots[i]]
        precisions[slots[i]] += m * (1 - m) * numbers[i] * numbers[i]
      }
      learner.count++
    },
    draw: (action, scale, rng) => logit[action] + scale * spreads[action] * normal(rng),
    posterior: (action, scale) => ({ family: 'normal', mean: logit[action], sd: scale * spreads[action] }),
    coefficient: slot => model.weights[slot],
    state: () => stateOf(model, l2, learner.count),
    restore(state) {
      const restored = modelOf(state, l2)
      if (hashing !== NOTHING && restored.mask !== model.mask)
        throw new RangeError('`state.bits` is not how many bits the hashes of these features have')
      learner.count = stateNumber(state, 'count')
      model = restored
    },
  }
  return learner
}

/** A weight and the precision of its posterior for each of 2^bits slots, and for the intercept, which comes last. */
interface Model {
  readonly weights: Float64Array
  readonly precisions: Float64Array
  /** Of the bits of a hash that are its slot. */
  readonly mask: number
  readonly bits: number
}

function emptyModel(bits: number, l2: number): Model {
  const slots = 1 << bits
  const precisions = new Float64Array(slots + 1).fill(l2)
  precisions[slots] = penaltyOfIntercept(l2)
  return { weights: new Float64Array(slots + 1), precisions, mask: slots - 1, bits }
}

/** The base rate is no effect that should be small: of rare rewards a large penalty would make them frequent. */
const penaltyOfIntercept = (l2: number): number => Math.min(l2, 1)

/** What a state is, once a learner has taken it. */
interface HashedState {
  readonly bits: number
  readonly count: number
  readonly slots: readonly number[]
  readonly weights: readonly number[]
  readonly precisions: readonly number[]
}

/** Slots that were touched, ascending, with their weights and precisions; all others are as they were at first. */
function stateOf({ weights, precisions, mask, bits }: Model, l2: number, count: number): LearnerState {
  const slots: number[] = []
  for (let slot = 0; slot < weights.length; slot++) {
    const penalty = slot > mask ? penaltyOfIntercept(l2) : l2
    if (weights[slot] !== 0 || precisions[slot] !== penalty) slots.push(slot)
  }
  const of = (numbers: Float64Array) => slots.map(slot => numbers[slot])
  return { bits, count, slots, weights: of(weights), precisions: of(precisions) }
}

function weightsOf({ bits, slots, weights, precisions }: HashedState): readonly SlotWeight[] {
  return slots.map((slot, i) => ({
    slot: slot < 1 << bits ? slot : undefined,
    value: weights[i],
    width: 1 / Math.sqrt(precisions[i]),
  }))
}

/** A RangeError unless the state is one of a model of such slots. */
function modelOf(state: LearnerState, l2: number): Model {
  const bits = stateNumber(state, 'bits', MOST_BITS)
  if (!Number.isInteger(bits)) throw new RangeError('`state.bits` is not a whole number')
  const listed = Object.hasOwn(state, 'slots') ? state['slots'] : undefined
  const length = Array.isArray(listed) ? listed.length : 0
  const slots = stateNumbers(state, 'slots', length, 0)
  const model = emptyModel(bits, l2)
  const weights = stateNumbers(state, 'weights', length)
  const precisions = stateNumbers(state, 'precisions', length, penaltyOfIntercept(l2))
  let last = -1
  for (let i = 0; i < length; i++) {
    const slot = slots[i]
    if (!Number.isInteger(slot) || slot <= last || slot > model.mask + 1)
      throw new RangeError(`\`state.slots\` is not a list of ascending numbers up to ${model.mask + 1}`)
    model.weights[slot] = weights[i]
    model.precisions[slot] = precisions[i]
    last = slot
  }
  return model
}

/**
 * Least is Σ w (ln(1 + e^z) − y z) + ½ Σ λ w², over the rows and over the slots. A part is [loss, n, slots, gradient, curvature], n numbers each: those of
 * the slots that its rows touch, ascending, or without a curvature those whose gradient is not 0. Slots that no row touches have no weight.
 */
function hashedPasses(l2: number, hashing: Hashing): Passes {
  const slots = 1 << hashing.bits
  return {
    fold: createFold(hashing, slots),
    start(counts, [scale], from) {
      const point = from === undefined ? new Float64Array(slots + 1) : modelOf(from, l2).weights
      return hashedFit(l2, hashing.bits, total(counts), scale, point)
    },
  }
}

function createFold(hashing: Hashing, slots: number): Passes['fold'] {
  const score = createScore(hashing)
  const scatter = createScatter(hashing)
  const touches = createTouches(hashing)
  const row = rowLength(hashing)
  const own = new Int32Array(mostTouches(hashing))
  const numbers = new Float64Array(own.length)
  const gradient = new Float64Array(slots + 1)
  const curvature = new Float64Array(slots + 1)
  const seen = new Uint8Array(slots + 1)
  const list = new Int32Array(slots + 1)
  return ({ rows, x, reward, weight }, weights, curved) => {
    let loss = 0
    for (let r = 0; r < rows; r++) {
      const z = weights[slots] + score(x, r * row, weights)
      const h = weight === undefined ? 1 : weight[r]
      const m = sigmoid(z)
      loss += h * logisticLoss(z, reward[r])
      const slope = h * (m - reward[r])
      scatter(x, r * row, slope, gradient)
      gradient[slots] += slope
      if (!curved) continue
      const bend = h * m * (1 - m)
      const n = touches(x, r * row, own, numbers)
      own[n] = slots
      numbers[n] = 1
      for (let i = 0; i <= n; i++) {
        seen[own[i]] = 1
        curvature[own[i]] += bend * numbers[i] * numbers[i]
      }
    }
    // Where there is no gradient there is nothing to say, once it is known which slots there are.
    const count = places(curved ? seen : gradient, list)
    const part = new Float64Array(2 + count * (curved ? 3 : 2))
    part[0] = loss
    part[1] = count
    for (let i = 0; i < count; i++) {
      const slot = list[i]
      part[2 + i] = slot
      part[2 + count + i] = gradient[slot]
      if (curved) part[2 + 2 * count + i] = curvature[slot]
      gradient[slot] = 0
      curvature[slot] = 0
      seen[slot] = 0
    }
    return part
  }
}

/** Where something else than 0 is; returns in how many places. */
function places(table: Float64Array | Uint8Array, out: Int32Array): number {
  let count = 0
  for (let i = 0; i < table.length; i++) if (table[i] !== 0) out[count++] = i
  return count
}

function hashedFit(l2: number, bits: number, count: number, scale: number, point: Float64Array): Fit {
  const gradient = new Float64Array(point.length)
  const curvature = new Float64Array(point.length)
  const seen = new Uint8Array(point.length)
  const penaltyOf = (slot: number) => (slot === point.length - 1 ? penaltyOfIntercept(l2) : l2)
  let loss = 0
  let slots = new Int32Array(0)
  let minimiser: Minimiser | undefined
  let ending = false

  /** What the parts say at the point, with the penalties: value and gradient of what is to be least. */
  function told(): { readonly value: number; readonly slopes: Float64Array } {
    let value = scale * loss
    const slopes = new Float64Array(slots.length)
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]
      const w = point[slot]
      const penalty = penaltyOf(slot)
      value += 0.5 * penalty * w * w
      slopes[i] = scale * gradient[slot] + penalty * w
    }
    return { value, slopes }
  }

  const precisions = () => Float64Array.from(slots, slot => scale * curvature[slot] + penaltyOf(slot))

  /** The first pass shows which slots are touched, and about how curved it is. */
  function begin(): Minimiser {
    let count = 0
    const touched = new Int32Array(point.length)
    for (let slot = 0; slot < point.length; slot++) {
      if (seen[slot] === 1) touched[count++] = slot
      else point[slot] = 0
    }
    slots = touched.slice(0, count)
    const start = Float64Array.from(slots, slot => point[slot])
    return lbfgs(start, { curvature: precisions(), tolerance: NEAR_ENOUGH })
  }

  const fit: Fit & { curved: boolean; report: FitReport } = {
    point,
    curved: true,
    report: { passes: 0, converged: false, distance: Number.POSITIVE_INFINITY },
    add(part) {
      const n = part[1]
      loss += part[0]
      for (let i = 0; i < n; i++) {
        const slot = part[2 + i]
        seen[slot] = 1
        gradient[slot] += part[2 + n + i]
        if (fit.curved) curvature[slot] += part[2 + 2 * n + i]
      }
    },
    step() {
      const passes = fit.report.passes + 1
      minimiser ??= begin()
      if (ending) {
        fit.report = { ...fit.report, passes }
        return false
      }
      const { value, slopes } = told()
      const more = minimiser.tell(value, slopes) && passes < MOST_PASSES
      const { distance } = minimiser
      fit.report = { passes, converged: distance <= NEAR_ENOUGH, distance }
      const next = more ? minimiser.point : minimiser.best
      for (let i = 0; i < slots.length; i++) point[slots[i]] = next[i]
      // The last pass is where the precisions of the posterior are from.
      ending = !more
      fit.curved = ending
      loss = 0
      gradient.fill(0)
      curvature.fill(0)
      return true
    },
    state: () => ({
      bits,
      count,
      slots: [...slots],
      weights: Array.from(slots, slot => point[slot]),
      precisions: [...precisions()],
    }),
  }
  return fit
}
