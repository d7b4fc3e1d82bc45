import { describe, expect, it } from 'vitest'
import * as functions from '../../src/math/elementary.ts'
import * as defined from '../../src/math/fdlibm.ts'
import { stream } from '../../src/math/rng.ts'
import { goldenJson } from '../golden/read.ts'
import { anyDouble, beside, hexOf, ofHex } from '../support/doubles.ts'

const elementary = { ...functions }
const fdlibm = { ...defined }
const NAMES = ['exp', 'expm1', 'log', 'log1p', 'cbrt', 'tanh'] as const

/** Where one way to compute ends and another begins, and where results do. */
const BORDERS = [
  0,
  5e-324,
  2.2250738585072014e-308,
  5.551115123125783e-17,
  1.862645149230957e-9,
  3.725290298461914e-9,
  9.5367431640625e-7,
  0.292893648147583,
  0.3465735912322998,
  0.4142136573791504,
  0.5,
  1,
  1.0397205352783203,
  2,
  22,
  38.81622314453125,
  56,
  708.3964185322641,
  709.782712893384,
  745.1332191019411,
  9007199254740992,
  1.7976931348623157e308,
  Infinity,
  Number.NaN,
].flatMap(x => [x, -x])

/** The first argument at which the two have other bits. */
function difference(f: (x: number) => number, g: (x: number) => number, count: number): string | undefined {
  const differs = (x: number) => (Object.is(f(x), g(x)) ? undefined : `${x}: ${hexOf(f(x))} and ${hexOf(g(x))}`)
  for (const border of BORDERS) {
    for (let steps = -40; steps <= 40; steps++) {
      const at = differs(beside(border, steps))
      if (at !== undefined) return at
    }
  }
  const rng = stream(15, 'elementary')
  for (let i = 0; i < count; i++) {
    const at = differs(anyDouble(rng))
    if (at !== undefined) return at
  }
  return undefined
}

describe('fdlibm', () => {
  const golden = goldenJson<Record<string, readonly (readonly [string, string])[]>>('fdlibm.json')

  it.each(Object.keys(golden) as (keyof typeof fdlibm)[])('has the %s of Java’s StrictMath', name => {
    expect(golden[name]).toHaveLength(200)
    expect(golden[name].map(([x]) => [x, hexOf(fdlibm[name](ofHex(x)))])).toEqual(golden[name])
  })

  it('has V8’s exp(1), which is e', () => {
    expect(fdlibm.exp(1)).toBe(Math.E)
  })

  it('has a cube root that is the nearest but one, and exact for cubes', () => {
    const rng = stream(15, 'cbrt')
    for (let i = 0; i < 20_000; i++) {
      const x = Math.abs(anyDouble(rng))
      if (!(x > 0 && x < Infinity)) continue
      const root = fdlibm.cbrt(x)
      const exact = whole(x) << 2148n
      expect(cube(beside(root, -1)) < exact && exact < cube(beside(root, 1)), String(x)).toBe(true)
      expect(fdlibm.cbrt(-x)).toBe(-root)
    }
    for (let n = 1; n < 200_000; n += 7) expect(fdlibm.cbrt(n * n * n)).toBe(n)
  })
})

/** A number above 0 as a multiple of 2⁻¹⁰⁷⁴. */
function whole(x: number): bigint {
  const bits = BigInt(`0x${hexOf(x)}`)
  const exponent = bits >> 52n
  const digits = bits & 0xfffffffffffffn
  return exponent === 0n ? digits : (digits | 0x10000000000000n) << (exponent - 1n)
}

/** Of 2⁻³²²². */
const cube = (x: number) => whole(x) * whole(x) * whole(x)

describe('the functions of kernels', () => {
  it.each(NAMES)('have fdlibm’s bits, whoever computes them: %s', name => {
    expect(difference(elementary[name], fdlibm[name], 500_000)).toBeUndefined()
  })

  /** Newer ones may have others, LLVM's: there fdlibm.ts computes. */
  it.runIf(Number.parseInt(process.versions.v8, 10) < 14)('are the engine’s own where they can be, for speed', () => {
    const { exp, expm1, log, log1p } = elementary
    expect([exp, expm1, log, log1p]).toEqual([Math.exp, Math.expm1, Math.log, Math.log1p])
    for (const name of ['cbrt', 'tanh'] as const) {
      expect(difference(Math[name], fdlibm[name], 200_000), name).toBeUndefined()
    }
    const rng = stream(15, 'hypot')
    const pairs = Array.from({ length: 200_000 }, () => [anyDouble(rng), anyDouble(rng)])
    expect(pairs.filter(([a, b]) => !Object.is(elementary.hypot(a, b), Math.hypot(a, b)))).toEqual([])
  })

  it('overflow only where the result does', () => {
    expect(elementary.hypot(3, -4)).toBe(5)
    expect(elementary.hypot(3e300, 4e300)).toBe(5e300)
    expect(elementary.hypot(Number.NaN, -Infinity)).toBe(Infinity)
    expect(elementary.hypot(-0, 0)).toBe(0)
  })
})
