import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logisticLoss, sigmoid } from '../../src/math/logistic.ts'
import { newton } from '../../src/math/newton.ts'
import { packedSize } from '../../src/math/ridge.ts'
import { stream } from '../../src/math/rng.ts'
import { MOST_PASSES } from '../../src/policy/passes.ts'

interface Told {
  readonly value: number
  readonly gradient: Float64Array
  readonly curvature: Float64Array
}

/** A ridge of logistic losses: as convex as it is penalised, and nearly straight where every row is told apart. */
function problem(seed: number, rows: number, n: number, l2: number, size: number): (at: Float64Array) => Told {
  const rng = stream(seed, 'newton')
  const x = Array.from({ length: rows }, () => Float64Array.from({ length: n }, () => size * (2 * rng.uniform() - 1)))
  const y = x.map(row => (row[0] + rng.uniform() - 0.5 > 0 ? 1 : 0))
  return at => {
    const gradient = at.map(w => l2 * w)
    const curvature = new Float64Array(packedSize(n))
    for (let i = 0; i < n; i++) curvature[packedSize(i) + i] = l2
    let value = at.reduce((sum, w) => sum + 0.5 * l2 * w * w, 0)
    for (const [r, row] of x.entries()) {
      const z = row.reduce((sum, v, i) => sum + v * at[i], 0)
      const [m, rest] = [sigmoid(z), sigmoid(-z)]
      value += logisticLoss(z, y[r])
      for (let i = 0; i < n; i++) {
        gradient[i] += (y[r] === 1 ? -rest : m) * row[i]
        for (let j = 0; j <= i; j++) curvature[packedSize(i) + j] += m * rest * row[i] * row[j]
      }
    }
    return { value, gradient, curvature }
  }
}

function minimised(tell: (at: Float64Array) => Told, start: Float64Array) {
  const minimiser = newton(start, 1e-10)
  const values: number[] = []
  for (;;) {
    const { value, gradient, curvature } = tell(minimiser.point)
    values.push(value)
    if (!minimiser.tell(value, gradient, curvature)) return { minimiser, values }
    if (values.length > 1000) throw new Error('it does not end')
  }
}

describe("Newton's method", () => {
  it('ends near the least value of what is smooth and convex, however it is scaled, and wherever it starts', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          rows: fc.integer({ min: 0, max: 60 }),
          n: fc.integer({ min: 1, max: 5 }),
          l2: fc.constantFrom(1e-4, 0.01, 1, 1000),
          size: fc.constantFrom(0.01, 1, 100, 1000),
          far: fc.constantFrom(0, 1, 30),
        }),
        ({ seed, rows, n, l2, size, far }) => {
          const tell = problem(seed, rows, n, l2, size)
          const { minimiser, values } = minimised(tell, new Float64Array(n).fill(far / size))
          const { value, gradient } = tell(minimiser.best)
          expect(minimiser.distance).toBeLessThan(1e-4)
          expect(values.length).toBeLessThan(MOST_PASSES)
          // How far it is by the gradient there.
          const inverse = new Float64Array(packedSize(n))
          minimiser.invert(inverse, 0)
          let squares = 0
          for (let i = 0; i < n; i++) {
            for (let j = 0; j < n; j++) {
              const [a, b] = i > j ? [i, j] : [j, i]
              squares += gradient[i] * inverse[packedSize(a) + b] * gradient[j]
            }
          }
          expect(Math.sqrt(Math.max(0, squares))).toBeLessThan(1e-4)
          expect(value).toBeLessThanOrEqual(values[0] * (1 + 1e-12))
        },
      ),
    )
  })

  it('needs one step for a parabola, and says how many standard deviations it was away', () => {
    const parabola = ([x]: Float64Array): Told => ({
      value: 2 * (x - 3) * (x - 3),
      gradient: Float64Array.of(4 * (x - 3)),
      curvature: Float64Array.of(4),
    })
    const minimiser = newton(Float64Array.of(1), 1e-10)
    const told = parabola(minimiser.point)
    expect(minimiser.tell(told.value, told.gradient, told.curvature)).toBe(true)
    // 2 away, the curvature being 4.
    expect(minimiser.distance).toBe(4)
    expect([...minimiser.point]).toEqual([3])
    const end = parabola(minimiser.point)
    expect(minimiser.tell(end.value, end.gradient, end.curvature)).toBe(false)
    expect([...minimiser.best]).toEqual([3])
    const inverse = new Float64Array(1)
    minimiser.invert(inverse, 0)
    expect(inverse[0]).toBe(0.25)
  })

  it('halves a step that is too long, and never ends at a worse point than it was at', () => {
    // √(1 + x²): from beyond 1 the steps of Newton's method grow without end.
    const bowl = ([x]: Float64Array): Told => {
      const root = Math.sqrt(1 + x * x)
      return {
        value: root,
        gradient: Float64Array.of(x / root),
        curvature: Float64Array.of(1 / (root * root * root)),
      }
    }
    const { minimiser, values } = minimised(bowl, Float64Array.of(5))
    expect(Math.abs(minimiser.best[0])).toBeLessThan(1e-9)
    expect(Math.max(...values)).toBeGreaterThan(values[0])
  })

  it('remembers how much too long steps are, from a start that is thousands of log-odds away', () => {
    const { minimiser, values } = minimised(problem(0, 17, 5, 1e-4, 1000), new Float64Array(5).fill(1))
    expect(minimiser.distance).toBeLessThan(1e-10)
    // 384 if each step began whole.
    expect(values.length).toBeLessThan(MOST_PASSES)
  })

  it('ends where the digits end', () => {
    let sign = 1
    const noise = (): Told => {
      sign = -sign
      return { value: 1e6, gradient: Float64Array.of(1e-8 * sign), curvature: Float64Array.of(1) }
    }
    const { minimiser, values } = minimised(noise, Float64Array.of(1))
    expect(values).toHaveLength(2)
    expect(minimiser.distance).toBeCloseTo(1e-8, 12)
  })

  it('ends where there are no numbers', () => {
    const none = (): Told => ({ value: NaN, gradient: Float64Array.of(NaN), curvature: Float64Array.of(NaN) })
    const { minimiser } = minimised(none, Float64Array.of(1))
    expect([...minimiser.best]).toEqual([1])
    expect(minimiser.distance < 1).toBe(false)
  })
})
