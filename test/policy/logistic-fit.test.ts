import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LearnerSpec } from '../../src/kinds.ts'
import { sigmoid } from '../../src/math/logistic.ts'
import { packedSize } from '../../src/math/ridge.ts'
import { type Rng, stream } from '../../src/math/rng.ts'
import { createLearner, learnerOf } from '../../src/policy/algorithm.ts'
import { type Forgetting, forgettingOf } from '../../src/policy/forgetting.ts'
import type { Learner, LearnerState, Passes, PassRows } from '../../src/policy/learner.ts'
import { fitHere, MOST_PASSES, rowsAsOf } from '../../src/policy/passes.ts'

const D = 4
const ACTIONS = ['a', 'b', 'c']
const SIZE = packedSize(D)
const EACH: LearnerSpec = { type: 'logistic', l2: 0.5, intercept: false }
const SHARED: LearnerSpec = { ...EACH, shared: true }
const BOTH = [
  ['a model an action', EACH],
  ['a model that actions share', SHARED],
] as const

const modelsOf = (spec: LearnerSpec) => ('shared' in spec && spec.shared === true ? 1 : ACTIONS.length)
const passesOf = (spec: LearnerSpec): Passes => learnerOf(spec).passes?.(spec, ACTIONS.length, D) as Passes

interface Shape {
  readonly weighted?: boolean
  readonly size?: number
  readonly bias?: number
}

/** A constant, two numbers and an indicator; rewards are clicks, and now and then something between. */
function rowsOf(count: number, rng: Rng, { weighted = false, size = 1, bias = -0.5 }: Shape = {}): PassRows {
  const x = new Float64Array(count * D)
  const action = new Int32Array(count)
  const reward = new Float64Array(count)
  for (let r = 0; r < count; r++) {
    x.set([1, size * (2 * rng.uniform() - 1), 2 * rng.uniform() - 1, rng.uniform() < 0.2 ? 1 : 0], r * D)
    // The last action has no rows.
    action[r] = rng.uint32() % 2
    const z = bias + x[r * D + 1] / size + action[r] * x[r * D + 2] + x[r * D + 3]
    reward[r] = rng.uniform() < 0.1 ? rng.uniform() : rng.uniform() < sigmoid(z) ? 1 : 0
  }
  const weight = weighted ? Float64Array.from({ length: count }, () => 0.5 + 2 * rng.uniform()) : undefined
  return { rows: count, x, action, reward, weight }
}

/** The same rows in batches of such sizes. */
function split(rows: PassRows, sizes: readonly number[]): PassRows[] {
  let at = 0
  return sizes.map((count): PassRows => {
    const [from, to] = [at, at + count]
    at = to
    return {
      rows: count,
      x: rows.x.slice(from * D, to * D),
      action: rows.action.slice(from, to),
      reward: rows.reward.slice(from, to),
      weight: rows.weight?.slice(from, to),
    }
  })
}

function fitted(spec: LearnerSpec, batches: readonly PassRows[], from?: LearnerState, scale = 1) {
  const counts = Float64Array.from(ACTIONS, () => 0)
  for (const { rows, action } of batches) for (let r = 0; r < rows; r++) counts[action[r]]++
  return fitHere(passesOf(spec), batches, counts, new Float64Array(ACTIONS.length).fill(scale), from)
}

function learnerOfState(spec: LearnerSpec, state: LearnerState): Learner {
  const learner = createLearner(spec, ACTIONS, D)
  learner.restore(state)
  return learner
}

/** What a part says of a model. */
function told(part: Float64Array, model: number) {
  const at = model * (1 + D + SIZE)
  return { loss: part[at], gradient: part.subarray(at + 1, at + 1 + D), curvature: part.subarray(at + 1 + D) }
}

describe.each(BOTH)('a pass of %s', (_, spec) => {
  it.each([false, true])('has the gradient and curvature that differences of the loss have; weighted: %s', weighted => {
    const rows = rowsOf(50, stream(1), { weighted })
    const { fold } = passesOf(spec)
    const rng = stream(2)
    const models = modelsOf(spec)
    const point = Float64Array.from({ length: models * D }, () => rng.uniform() - 0.5)
    const h = 1e-4
    for (let a = 0; a < models; a++) {
      const at = (i: number, by: number) => told(fold(rows, point.with(a * D + i, point[a * D + i] + by), true), a)
      const { gradient, curvature } = told(fold(rows, point, true), a)
      for (let i = 0; i < D; i++) {
        const [up, down] = [at(i, h), at(i, -h)]
        expect(gradient[i]).toBeCloseTo((up.loss - down.loss) / (2 * h), 6)
        for (let j = 0; j <= i; j++)
          expect(curvature[packedSize(i) + j]).toBeCloseTo((up.gradient[j] - down.gradient[j]) / (2 * h), 6)
      }
      // An action without rows has nothing to say.
      expect(curvature[0] > 0).toBe(models === 1 || a < 2)
    }
  })

  it('leaves nothing behind for the next', () => {
    const [one, other] = [rowsOf(5, stream(3)), rowsOf(7, stream(4))]
    const point = new Float64Array(modelsOf(spec) * D).fill(0.1)
    const passes = passesOf(spec)
    passes.fold(one, point, true)
    expect(passes.fold(other, point, true)).toEqual(passesOf(spec).fold(other, point, true))
  })
})

describe.each(BOTH)('a fit of %s', (_, spec) => {
  const rows = rowsOf(2000, stream(5))

  it('ends where the gradient with its penalties is next to nothing, and has the inverse of the whole curvature there', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          count: fc.integer({ min: 1, max: 300 }),
          l2: fc.constantFrom(1e-4, 0.5, 1000),
          size: fc.constantFrom(0.01, 1, 1000),
          bias: fc.constantFrom(-6, 0, 3),
          weighted: fc.boolean(),
        }),
        ({ seed, count, l2, ...shape }) => {
          const own = { ...spec, l2 } as LearnerSpec
          const batch = rowsOf(count, stream(seed), shape)
          const { report, state } = fitted(own, [batch])
          expect(report.converged).toBe(true)
          expect(report.passes).toBeLessThan(MOST_PASSES / 2)
          const { theta, inverse } = state() as Record<'theta' | 'inverse', number[]>
          const part = passesOf(own).fold(batch, Float64Array.from(theta), true)
          for (let a = 0; a < modelsOf(own); a++) {
            const { gradient, curvature } = told(part, a)
            const entry = (m: ArrayLike<number>, at: number, i: number, j: number) =>
              m[at + (i > j ? packedSize(i) + j : packedSize(j) + i)]
            let squares = 0
            for (let i = 0; i < D; i++) {
              for (let j = 0; j < D; j++) {
                const slope = (k: number) => gradient[k] + l2 * theta[a * D + k]
                squares += slope(i) * entry(inverse, a * SIZE, i, j) * slope(j)
                // Row i of H⁻¹ times column j of H, each in units of its feature.
                let product = 0
                let size = 0
                for (let k = 0; k < D; k++) {
                  const [g, h] = [entry(inverse, a * SIZE, i, k), entry(curvature, 0, k, j) + (k === j ? l2 : 0)]
                  product += g * h
                  size += Math.abs(g * h)
                }
                expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-7 * Math.max(1, size))
              }
            }
            expect(Math.sqrt(Math.max(0, squares))).toBeLessThan(1e-7)
          }
        },
      ),
    )
  })

  it('is the same, bit for bit, from the same batches, and next to it from others, in any order', () => {
    const [once, again] = [1, 2].map(() => fitted(spec, split(rows, [700, 1100, 200])).state())
    expect(JSON.stringify(once)).toBe(JSON.stringify(again))
    for (const batches of [[rows], split(rows, [1, 999, 1000]), split(rows, [700, 1100, 200]).reverse()]) {
      const other = fitted(spec, batches).state()
      for (const key of ['counts', 'theta', 'inverse'] as const) {
        const [a, b] = [once, other].map(state => state[key] as readonly number[])
        for (const [i, number] of a.entries()) expect(Math.abs(b[i] - number)).toBeLessThan(1e-10)
      }
    }
  })

  it('starts where it is told to, comes to the same, and needs fewer passes', () => {
    const more = rowsOf(100, stream(7))
    const before = fitted(spec, [rows]).state()
    const [cold, warm] = [undefined, before].map(from => fitted(spec, [rows, more], from))
    expect(warm.report.passes).toBeLessThan(cold.report.passes)
    const [a, b] = [cold, warm].map(fit => fit.state()['theta'] as readonly number[])
    for (const [i, number] of a.entries()) expect(Math.abs(b[i] - number)).toBeLessThan(1e-9)
    // Already there.
    expect(fitted(spec, [rows], before).report.passes).toBeLessThanOrEqual(2)
  })

  it('takes a row of weight 2 for two rows, and scales weights as it is told', () => {
    const one = rowsOf(300, stream(8))
    const twice: PassRows = { ...one, weight: new Float64Array(300).fill(2) }
    const close = (x: LearnerState, y: LearnerState) => {
      for (const key of ['theta', 'inverse'] as const) {
        const [a, b] = [x, y].map(state => state[key] as readonly number[])
        for (const [i, number] of a.entries()) expect(Math.abs(b[i] - number)).toBeLessThan(1e-10)
      }
    }
    close(fitted(spec, [twice]).state(), fitted(spec, [one, one]).state())
    close(fitted(spec, [twice], undefined, 0.5).state(), fitted(spec, [one]).state())
  })

  it('knows nothing of an action without rows, where none is shared', () => {
    const learner = learnerOfState(spec, fitted(spec, [rows]).state())
    const fresh = createLearner(spec, ACTIONS, D)
    const x = Float64Array.from(ACTIONS.flatMap(() => [1, 0.5, -0.5, 1]))
    for (const each of [learner, fresh]) each.predict(x)
    const same = learner.value[2] === fresh.value[2] && Math.abs(learner.width[2] - fresh.width[2]) < 1e-15
    expect(same).toBe(modelsOf(spec) > 1)
    expect(learner.counts?.[2]).toBe(0)
    expect(learner.count).toBe(2000)
  })

  it('says how far it is while it is on its way, and that of the furthest model', () => {
    const { fold, start } = passesOf(spec)
    const fit = start(Float64Array.of(900, 1100, 0), new Float64Array(3).fill(1))
    fit.add(fold(rows, fit.point, fit.curved))
    expect(fit.step()).toBe(true)
    expect(fit.report).toMatchObject({ passes: 1, converged: false })
    expect(fit.report.distance).toBeGreaterThan(1)
  })

  it('stays at the best point that it knows when it runs out of passes', () => {
    const fit = passesOf(spec).start(Float64Array.of(1, 1, 1), new Float64Array(3).fill(1))
    const models = modelsOf(spec)
    let last = fit.point.slice()
    let passes = 0
    do {
      last = fit.point.slice()
      // Each point better than the one before, and as far away.
      const part = new Float64Array(models * (1 + D + SIZE))
      for (let a = 0; a < models; a++) {
        const at = a * (1 + D + SIZE)
        part[at] = -100 * passes * passes
        part[at + 1] = -10 - fit.point[a * D] * 0.5
      }
      fit.add(part)
      passes++
    } while (fit.step())
    expect(fit.report).toMatchObject({ passes: MOST_PASSES, converged: false })
    expect(passes).toBe(MOST_PASSES)
    expect(fit.state()['theta']).toEqual([...last])
    expect(fit.point).toEqual(last)
  })

  it('ends where numbers are too large, in a state that is refused', () => {
    const x = rows.x.map(v => v * 1e200)
    const fit = fitted(spec, [{ ...rows, x }])
    expect(fit.report.converged).toBe(false)
    expect(() => learnerOfState(spec, fit.state())).toThrow(RangeError)
  })

  it('is what learning row by row comes near to, and does not come to', () => {
    const fit = learnerOfState(spec, fitted(spec, [rows]).state())
    const online = createLearner(spec, ACTIONS, D)
    for (let r = 0; r < rows.rows; r++)
      online.learn(rows.action[r], rows.x.subarray(r * D, (r + 1) * D), rows.reward[r])
    const rng = stream(9)
    const distances: number[] = []
    const ratios: number[] = []
    for (let i = 0; i < 50; i++) {
      const context = rowsOf(1, rng).x
      const x = Float64Array.from(ACTIONS.flatMap(() => [...context]))
      const [one, all] = [online, fit].map(learner => {
        learner.predict(x)
        const posterior = learner.posterior(i % 2, 1)
        if (posterior?.family !== 'normal') throw new Error('log-odds are normal')
        return posterior
      })
      distances.push(Math.abs(one.mean - all.mean) / all.sd)
      ratios.push(one.sd / all.sd)
    }
    // A quarter of a standard deviation of the posterior, and a tenth of it.
    expect(Math.max(...distances)).toBeLessThan(0.25)
    expect(Math.max(...distances)).toBeGreaterThan(0.01)
    for (const ratio of ratios) expect(Math.abs(ratio - 1)).toBeLessThan(0.1)
    expect(Math.max(...ratios.map(ratio => Math.abs(ratio - 1)))).toBeGreaterThan(0.001)
  })
})

describe.each(BOTH)('what %s forgets', (_, spec) => {
  const forgetting = (options: object) => forgettingOf({ ...spec, ...options } as LearnerSpec) as Forgetting

  it.each([false, true])('is as if each row had the weight of its age; weighted: %s', weighted => {
    const rows = rowsOf(400, stream(20), { weighted })
    // Days; a half-life is 14 of them, and of 90 days ago nothing counts.
    const ages = Float64Array.from(rows.reward, (_, r) => (r % 5) * 25)
    const buckets = ages.map(age => 200 - age)
    const aged = rowsAsOf(rows, buckets, forgetting({ discount: { halfLife: '14d' } }), 200)
    const weight = ages.map((age, r) => (age < 90 ? (rows.weight?.[r] ?? 1) * 0.5 ** (age / 14) : 0))
    expect(aged.rows).toBe(320)
    const [is, wanted] = [[aged], [{ ...rows, weight }]].map(batches => fitted(spec, batches).state())
    for (const name of ['theta', 'inverse'] as const) {
      const numbers = is[name] as readonly number[]
      for (const [i, number] of (wanted[name] as readonly number[]).entries()) expect(numbers[i]).toBeCloseTo(number, 9)
    }
    const whole = fitted(spec, [rows]).state()['theta'] as readonly number[]
    expect(Math.abs(whole[1] - (is['theta'] as readonly number[])[1])).toBeGreaterThan(1e-3)
  })

  it('leaves no trace of what is older than its window', () => {
    const rows = rowsOf(600, stream(21))
    const buckets = Float64Array.from(rows.reward, (_, r) => (r < 300 ? 86 : 87))
    const aged = rowsAsOf(rows, buckets, forgetting({ window: '14h' }), 100)
    expect(fitted(spec, [aged]).state()).toEqual(fitted(spec, [split(rows, [300, 300])[1]]).state())
  })
})
