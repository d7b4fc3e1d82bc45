import type { Rng } from '../../src/math/rng.ts'

const double = new Float64Array(1)
const bits = new BigUint64Array(double.buffer)

/** 16 hex digits, the sign first: every bit of a number. */
export function hexOf(x: number): string {
  double[0] = x
  return bits[0].toString(16).padStart(16, '0')
}

export function ofHex(hex: string): number {
  bits[0] = BigInt(`0x${hex}`)
  return double[0]
}

/** The number so many representable ones further from 0. */
export function beside(x: number, steps: number): number {
  double[0] = x
  bits[0] += BigInt(steps)
  return double[0]
}

/** Any bit pattern, and numbers where functions turn into others: near 0 and 1, of the size of logarithms, subnormal, huge. */
export function anyDouble(rng: Rng): number {
  const u = 2 * rng.uniform() - 1
  switch (rng.uint32() & 7) {
    case 0:
      bits[0] = (BigInt(rng.uint32()) << 32n) | BigInt(rng.uint32())
      return double[0]
    case 1:
      return u
    case 2:
      return 50 * u
    case 3:
      return 760 * u
    case 4:
      return 1 + u / 65536
    case 5:
      return 2.2250738585072014e-308 * u
    case 6:
      // Near the places where one ln 2 more is taken off.
      return (Math.LN2 / 2) * ((rng.uint32() & 63) - 32) * (1 + u / 1e6)
    default:
      double[0] = u
      bits[0] -= BigInt(rng.uint32() % 70) << 52n
      return double[0]
  }
}
