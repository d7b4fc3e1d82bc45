import { describe, expect, it } from 'vitest'
import { lbfgs, type Minimiser } from '../../src/math/lbfgs.ts'
import { stream } from '../../src/math/rng.ts'

type Function = (x: Float64Array) => { readonly value: number; readonly gradient: Float64Array }

/** Tells until there is nothing left to do; returns how often. */
function run(minimiser: Minimiser, f: Function, most = 500): number {
  for (let asked = 1; ; asked++) {
    const { value, gradient } = f(minimiser.point)
    if (!minimiser.tell(value, gradient) || asked === most) return asked
  }
}

/** Σ cosh(aᵢ(xᵢ − cᵢ)) / aᵢ² and a coupling of neighbours: convex, and as curved as a and the coupling say. */
function chain(n: number, coupling: number): { readonly f: Function; readonly curvature: Float64Array } {
  const rng = stream(7, n)
  const a = Float64Array.from({ length: n }, () => 0.2 + 3 * rng.uniform())
  const c = Float64Array.from({ length: n }, () => 4 * rng.uniform() - 2)
  const f: Function = x => {
    let value = 0
    const gradient = new Float64Array(n)
    for (let i = 0; i < n; i++) {
      value += Math.cosh(a[i] * (x[i] - c[i])) / (a[i] * a[i])
      gradient[i] += Math.sinh(a[i] * (x[i] - c[i])) / a[i]
      if (i === 0) continue
      const gap = x[i] - x[i - 1]
      value += 0.5 * coupling * gap * gap
      gradient[i] += coupling * gap
      gradient[i - 1] -= coupling * gap
    }
    return { value, gradient }
  }
  return { f, curvature: new Float64Array(n).fill(1 + 2 * coupling) }
}

describe('L-BFGS', () => {
  it('needs one step where the curvature that it is told is the curvature', () => {
    const curvature = Float64Array.of(1, 10, 1000)
    const best = Float64Array.of(3, -2, 0.5)
    const minimiser = lbfgs(new Float64Array(3), { curvature, tolerance: 1e-9 })
    const asked = run(minimiser, x => {
      const gradient = Float64Array.from(x, (v, i) => curvature[i] * (v - best[i]))
      return { value: gradient.reduce((sum, g, i) => sum + 0.5 * g * (x[i] - best[i]), 0), gradient }
    })
    expect(asked).toBe(2)
    expect([...minimiser.best]).toEqual([3, -2, 0.5].map(each => expect.closeTo(each, 12)))
  })

  it.each([
    [5, 0.1],
    [50, 10],
    [300, 1000],
  ])('finds where the gradient of %i coordinates, coupled by %f, is none', (n, coupling) => {
    const { f, curvature } = chain(n, coupling)
    const minimiser = lbfgs(new Float64Array(n), { curvature, tolerance: 1e-6 })
    const asked = run(minimiser, f)
    expect(minimiser.distance).toBeLessThanOrEqual(1e-6)
    const { gradient } = f(minimiser.best)
    expect(Math.sqrt(gradient.reduce((sum, g, i) => sum + (g * g) / curvature[i], 0))).toBe(minimiser.distance)
    expect(asked).toBeLessThan(300)
  })

  it('comes back from where the function is not finite', () => {
    const f: Function = x => ({ value: x[0] - Math.log(x[0]), gradient: Float64Array.of(1 - 1 / x[0]) })
    const minimiser = lbfgs(Float64Array.of(0.01), { curvature: Float64Array.of(0.5), tolerance: 1e-8 })
    run(minimiser, f)
    expect(minimiser.best[0]).toBeCloseTo(1, 7)
  })

  it('stops where it is when it starts at the least value, or the value cannot get less', () => {
    const { f, curvature } = chain(4, 1)
    const first = lbfgs(new Float64Array(4), { curvature, tolerance: 1e-9 })
    run(first, f)
    const second = lbfgs(first.best, { curvature, tolerance: 1e-6 })
    expect(run(second, f)).toBe(1)
    expect(second.best).toEqual(first.best)
    const never = lbfgs(first.best, { curvature, tolerance: 0 })
    expect(run(never, f)).toBeLessThan(100)
    expect(f(never.best).value).toBeLessThanOrEqual(f(first.best).value)
  })

  it('never has a best point that is worse than one before', () => {
    const { f, curvature } = chain(30, 50)
    const minimiser = lbfgs(new Float64Array(30), { curvature: curvature.map(() => 0.01), tolerance: 1e-6 })
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < 300; i++) {
      const { value, gradient } = f(minimiser.point)
      const more = minimiser.tell(value, gradient)
      const now = f(minimiser.best).value
      expect(now).toBeLessThanOrEqual(least)
      least = now
      if (!more) break
    }
    expect(minimiser.distance).toBeLessThan(1e-3)
  })
})
