import { describe, expect, it } from 'vitest'
import type { LearnerSpec } from '../../src/kinds.ts'
import { sigmoid } from '../../src/math/logistic.ts'
import { type Rng, stream } from '../../src/math/rng.ts'
import { createLearner, learnerOf } from '../../src/policy/algorithm.ts'
import { forgettingOf } from '../../src/policy/forgetting.ts'
import { createSpread, type Hashing, hashName, mostTouches, rowLength } from '../../src/policy/hashing.ts'
import type { LearnerState, PassRows } from '../../src/policy/learner.ts'
import { fitHere, NEAR_ENOUGH, rowsAsOf } from '../../src/policy/passes.ts'

const HASHING: Hashing = { bits: 16, ends: [2, 5], pairs: [[0, 1]] }
const SPEC: LearnerSpec = { type: 'hashed', l2: 3 }
const D = rowLength(HASHING)
const SLOTS = 1 << HASHING.bits

const passesOf = (spec: LearnerSpec = SPEC, hashing = HASHING) => {
  const passes = learnerOf(spec).passes?.(spec, 2, D, hashing)
  if (passes === undefined) throw new Error('no passes')
  return passes
}

/** Rows of five features of a few values each, one of them a number, whose rewards some of them sway. */
function rowsOf(count: number, rng: Rng, weighted = false): PassRows {
  const x = new Float64Array(count * D)
  const reward = new Float64Array(count)
  for (let r = 0; r < count; r++) {
    const levels = Array.from({ length: 5 }, () => Math.floor(4 * rng.uniform()))
    for (const [i, level] of levels.entries()) {
      x[r * D + i] = hashName(`f${i}=${i === 4 ? '' : level}`, 1)
      x[r * D + 5 + i] = i === 4 ? rng.uniform() : 1
    }
    reward[r] = rng.uniform() < sigmoid(-1.5 + (levels[0] === 1 && levels[2] === 3 ? 2 : 0) + 0.5 * levels[3]) ? 1 : 0
  }
  const weight = weighted ? Float64Array.from({ length: count }, () => 0.5 + 2 * rng.uniform()) : undefined
  return { rows: count, x, action: new Int32Array(count), reward, weight }
}

const fitted = (batches: readonly PassRows[], from?: LearnerState, spec = SPEC) => {
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0)
  return fitHere(passesOf(spec), batches, Float64Array.of(rows), Float64Array.of(1), from)
}

/** Loss, gradient and curvature by slot, the intercept last. */
function sumsAt(batch: PassRows, point: Float64Array, hashing = HASHING) {
  const part = passesOf(SPEC, hashing).fold(batch, point, true)
  const n = part[1]
  const gradient = new Float64Array(point.length)
  const curvature = new Float64Array(point.length)
  for (let i = 0; i < n; i++) {
    gradient[part[2 + i]] = part[2 + n + i]
    curvature[part[2 + i]] = part[2 + 2 * n + i]
  }
  return { loss: part[0], gradient, curvature, touched: new Set(part.subarray(2, 2 + n)) }
}

describe('a pass', () => {
  it.each([
    [false, 16, 40],
    [true, 16, 40],
    // Of the eleven values of a row some meet in one of so few slots.
    [true, 3, 8],
  ])(
    'has the gradient and the curvature that differences of the loss have; weighted: %s, of 2^%i slots',
    (weighted, bits, least) => {
      const hashing = { ...HASHING, bits }
      const batch = rowsOf(60, stream(1), weighted)
      const rng = stream(2)
      const point = Float64Array.from({ length: (1 << bits) + 1 }, () => rng.uniform() - 0.5)
      const { loss, gradient, curvature, touched } = sumsAt(batch, point, hashing)
      const h = 1e-4
      let checked = 0
      for (const slot of touched) {
        const moved = (by: number) => sumsAt(batch, point.with(slot, point[slot] + by), hashing).loss
        const [up, down] = [moved(h), moved(-h)]
        expect(gradient[slot]).toBeCloseTo((up - down) / (2 * h), 5)
        expect(curvature[slot]).toBeCloseTo((up - 2 * loss + down) / (h * h), 3)
        checked++
      }
      expect(checked).toBeGreaterThan(least)
    },
  )

  it('says nothing of slots that its rows do not touch, and leaves nothing behind for the next', () => {
    const passes = passesOf()
    const [one, other] = [rowsOf(5, stream(3)), rowsOf(7, stream(4))]
    const point = new Float64Array(SLOTS + 1).fill(0.1)
    const alone = passesOf().fold(other, point, true)
    passes.fold(one, point, true)
    expect(passes.fold(other, point, true)).toEqual(alone)
    const plain = passes.fold(other, point, false)
    expect(plain).toEqual(alone.subarray(0, 2 + 2 * alone[1]))
  })
})

describe('a fit', () => {
  const batch = rowsOf(3000, stream(5))

  it('ends where the gradient with its penalties is as small as it says', () => {
    const fit = fitted([batch])
    const { slots, weights, precisions } = fit.state() as Record<'slots' | 'weights' | 'precisions', number[]>
    const point = new Float64Array(SLOTS + 1)
    for (const [i, slot] of slots.entries()) point[slot] = weights[i]
    const { gradient, curvature } = sumsAt(batch, point)
    let squares = 0
    for (const [i, slot] of slots.entries()) {
      const penalty = slot === SLOTS ? 1 : 3
      expect(precisions[i]).toBeCloseTo(curvature[slot] + penalty, 9)
      squares += (gradient[slot] + penalty * weights[i]) ** 2 / precisions[i]
    }
    expect(fit.report.converged).toBe(true)
    expect(Math.sqrt(squares)).toBeLessThan(1.2 * NEAR_ENOUGH)
  })

  it('predicts what the ridge regression that Newton finds predicts', () => {
    const small = rowsOf(400, stream(6))
    const fit = fitted([small]).state() as Record<'slots' | 'weights', number[]>
    const newton = denseNewton(small, fit.slots)
    const of = (weights: readonly number[]) => {
      const learner = createLearner(SPEC, ['a'], D, undefined, { hashing: HASHING })
      learner.restore({ ...fit, weights, precisions: weights.map(() => 3) })
      return Array.from({ length: small.rows }, (_, r) => {
        learner.predict(small.x.subarray(r * D, (r + 1) * D))
        return learner.value[0]
      })
    }
    const expected = of(newton)
    for (const [r, value] of of(fit.weights).entries()) expect(Math.abs(value - expected[r])).toBeLessThan(0.02)
    expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(0.2)
  })

  it('is the same, bit for bit, from the same batches, and nearly so from others of the same rows', () => {
    const split = (sizes: readonly number[]) => {
      let at = 0
      return sizes.map((rows): PassRows => {
        const from = at
        at += rows
        return { ...batch, rows, x: batch.x.slice(from * D, at * D), reward: batch.reward.slice(from, at) }
      })
    }
    const [once, again] = [fitted(split([1000, 1500, 500])), fitted(split([1000, 1500, 500]))]
    expect(JSON.stringify(once.state())).toBe(JSON.stringify(again.state()))
    const whole = fitted([batch]).state()
    expect(whole['slots']).toEqual(once.state()['slots'])
    const [a, b] = [whole, once.state()].map(({ weights }) => weights as readonly number[])
    for (const [i, w] of a.entries()) expect(b[i]).toBeCloseTo(w, 3)
  })

  it('starts where it is told to, and then needs fewer passes', () => {
    const more = rowsOf(200, stream(7))
    const before = fitted([batch])
    const cold = fitted([batch, more])
    const warm = fitted([batch, more], before.state())
    expect(warm.report.passes).toBeLessThan(cold.report.passes)
    const [a, b] = [cold.state(), warm.state()].map(({ weights }) => weights as readonly number[])
    expect(JSON.stringify(a)).not.toBe(JSON.stringify(b))
    for (const [i, w] of a.entries()) expect(Math.abs(b[i] - w)).toBeLessThan(0.15)
  })

  it('forgets what it started from of slots that no row touches', () => {
    const start = fitted([batch]).state()
    const [slots, weights] = [start['slots'], start['weights']] as readonly (readonly number[])[]
    const stray = [...Array(SLOTS).keys()].find(slot => !slots.includes(slot)) as number
    const at = slots.findIndex(slot => slot > stray)
    const state = {
      ...start,
      slots: slots.toSpliced(at, 0, stray),
      weights: weights.toSpliced(at, 0, 5),
      precisions: (start['precisions'] as readonly number[]).toSpliced(at, 0, 9),
    }
    expect(fitted([batch], state).state()['slots']).toEqual(slots)
  })

  it('takes a row of weight 2 for two rows, and scales weights as it is told', () => {
    const one = rowsOf(300, stream(8))
    const twice: PassRows = { ...one, weight: new Float64Array(300).fill(2) }
    const passes = passesOf()
    const doubled = fitHere(passes, [twice], Float64Array.of(600), Float64Array.of(1)).state()
    const repeated = fitHere(passes, [one, one], Float64Array.of(600), Float64Array.of(1)).state()
    const halved = fitHere(passes, [twice], Float64Array.of(300), Float64Array.of(0.5)).state()
    const plain = fitHere(passes, [one], Float64Array.of(300), Float64Array.of(1)).state()
    expect(halved).toEqual(plain)
    const [a, b] = [doubled, repeated].map(({ weights }) => weights as readonly number[])
    for (const [i, w] of a.entries()) expect(b[i]).toBeCloseTo(w, 6)
    expect(doubled['count']).toBe(600)
  })

  it('is a state that the learner goes on from', () => {
    const learner = createLearner(SPEC, ['a', 'b'], D, undefined, { hashing: HASHING })
    learner.restore(fitted([batch]).state())
    expect(learner.count).toBe(3000)
    const x = new Float64Array(2 * D)
    x.set(batch.x.subarray(0, 2 * D))
    learner.predict(x)
    const before = learner.value[0]
    learner.learn(0, x.subarray(0, D), 1)
    learner.predict(x)
    expect(learner.value[0]).toBeGreaterThan(before)
  })
})

describe('rows as of a bucket of time', () => {
  const forgetting = (options: object) => {
    const how = forgettingOf({ ...SPEC, ...options } as LearnerSpec)
    if (how === undefined) throw new Error('it forgets nothing')
    return how
  }
  const HALVING = forgetting({ discount: { halfLife: '14d' } })
  const WINDOW = forgetting({ window: '14h' })

  it.each([false, true])('count half a half-life later, whatever they counted; weighted: %s', weighted => {
    const rows = rowsOf(5, stream(9), weighted)
    const aged = rowsAsOf(rows, Float64Array.of(100, 86, 100, 72, 93), HALVING, 100)
    const ages = [1, 0.5, 1, 0.25, Math.SQRT1_2]
    expect([aged.rows, aged.x, aged.reward]).toEqual([5, rows.x, rows.reward])
    for (const [r, age] of ages.entries()) expect(aged.weight?.[r]).toBeCloseTo(age * (rows.weight?.[r] ?? 1), 14)
  })

  it('are gone once they no longer count, and leave no trace in the fit', () => {
    const [old, fresh] = [rowsOf(300, stream(10)), rowsOf(300, stream(11))]
    const both: PassRows = {
      rows: 600,
      x: Float64Array.from(
        { length: 600 * D },
        (_, i) => (Math.floor(i / D) % 2 === 0 ? old : fresh).x[(i % D) + Math.floor(i / D / 2) * D],
      ),
      action: new Int32Array(600),
      reward: Float64Array.from({ length: 600 }, (_, r) => (r % 2 === 0 ? old : fresh).reward[r >> 1]),
      weight: undefined,
    }
    const buckets = Float64Array.from({ length: 600 }, (_, r) => (r % 2 === 0 ? 86 : 87))
    const aged = rowsAsOf(both, buckets, WINDOW, 100)
    expect([aged.rows, aged.x, aged.reward]).toEqual([300, fresh.x, fresh.reward])
    expect(fitted([aged]).state()).toEqual(fitted([fresh]).state())
    expect(rowsAsOf(both, buckets, WINDOW, 101)).toMatchObject({ rows: 0, x: new Float64Array(0) })
  })

  it('are nothing that the prior is forgotten with: where all are old, weights are near 0 and precisions the penalty', () => {
    const rows = rowsOf(300, stream(12))
    const aged = rowsAsOf(rows, new Float64Array(300), HALVING, 89)
    const worth = Float64Array.of((aged.weight as Float64Array).reduce((sum, each) => sum + each, 0))
    const state = fitHere(
      passesOf(),
      [{ ...aged, weight: aged.weight?.map(each => each * 1e-6) }],
      worth,
      Float64Array.of(1),
    ).state()
    const { slots, weights, precisions } = state as Record<'slots' | 'weights' | 'precisions', number[]>
    expect(slots.length).toBeGreaterThan(40)
    for (const [i, slot] of slots.entries()) {
      expect(weights[i]).toBeCloseTo(0, 3)
      expect(precisions[i]).toBeCloseTo(slot === SLOTS ? 1 : 3, 3)
    }
  })
})

/** Newton's method with the whole matrix of second derivatives, by slot. */
function denseNewton(batch: PassRows, slots: readonly number[]): number[] {
  const spread = createSpread(HASHING)
  const hashes = new Int32Array(mostTouches(HASHING))
  const values = new Float64Array(hashes.length)
  const n = slots.length
  const place = new Map(slots.map((slot, i) => [slot, i]))
  const weights = new Array<number>(n).fill(0)
  for (let iteration = 0; iteration < 30; iteration++) {
    const matrix = slots.map((slot, i) => slots.map((_, j) => (i === j ? (slot === SLOTS ? 1 : 3) : 0)))
    const slope = slots.map((slot, i) => (slot === SLOTS ? 1 : 3) * weights[i])
    for (let r = 0; r < batch.rows; r++) {
      const count = spread(batch.x, r * D, hashes, values)
      const row = new Map<number, number>([[place.get(SLOTS) as number, 1]])
      for (let i = 0; i < count; i++) {
        const at = place.get(hashes[i] & (SLOTS - 1)) as number
        row.set(at, (row.get(at) ?? 0) + values[i])
      }
      let z = 0
      for (const [i, v] of row) z += weights[i] * v
      const m = sigmoid(z)
      for (const [i, v] of row) {
        slope[i] += (m - batch.reward[r]) * v
        for (const [j, u] of row) matrix[i][j] += m * (1 - m) * v * u
      }
    }
    const step = solved(matrix, slope)
    for (let i = 0; i < n; i++) weights[i] -= step[i]
  }
  return weights
}

/** By elimination: the matrix is positive definite. */
function solved(matrix: readonly number[][], right: readonly number[]): number[] {
  const a = matrix.map((row, i) => [...row, right[i]])
  const n = a.length
  for (let k = 0; k < n; k++) {
    for (let i = k + 1; i < n; i++) {
      const factor = a[i][k] / a[k][k]
      for (let j = k; j <= n; j++) a[i][j] -= factor * a[k][j]
    }
  }
  const x = new Array<number>(n).fill(0)
  for (let i = n - 1; i >= 0; i--) {
    let sum = a[i][n]
    for (let j = i + 1; j < n; j++) sum -= a[i][j] * x[j]
    x[i] = sum / a[i][i]
  }
  return x
}
