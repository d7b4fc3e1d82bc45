/**
 * The functions whose digits ECMAScript leaves to the engine, for all of dap's arithmetic: an engine's own where they are fdlibm's, bit for
 * bit, and `fdlibm.ts` where not. V8's are in Node 20 and 24; its newest sources take LLVM's `log`, and other engines the C library's.
 */
import * as fdlibm from './fdlibm.ts'

export { cbrt, tanh } from './fdlibm.ts'

type OfOne = (x: number) => number

/**
 * Own functions take a third to three quarters of the time. Others are rounded better than fdlibm's, so an engine shows that it has
 * fdlibm's by its mistakes: at all of these arguments but exp's 1 fdlibm is off in the last bit, and off otherwise where a compiler has
 * fused × and +. Of 2.4 million arguments glibc 2.36 has another `log1p` at 993, and at 11 of these 12.
 */
function own(function_: OfOne, meant: OfOne, mistakes: readonly number[]): OfOne {
  return mistakes.every(x => function_(x) === meant(x)) ? function_ : meant
}

export const exp = own(
  Math.exp,
  fdlibm.exp,
  [1, 0.3947, 0.38105, 0.34657, 1.0584, -1.0307, 12.786, -5.203, -18.296, -656, 588.88, 207.71, -701.735],
)
export const expm1 = own(
  Math.expm1,
  fdlibm.expm1,
  [0.1888, 0.2914, 0.2405, 0.3676, 0.5537, 0.3449, 1.0817, 1.026, 9.3635, 55.04, 166.06, 330.92],
)
export const log = own(
  Math.log,
  fdlibm.log,
  [0.3732, 0.68015, 0.758463, 0.725363, 1.4, 1.09, 41.5, 53.9, 78.5, 97458, 27197, 3.20023e-311],
)
export const log1p = own(
  Math.log1p,
  fdlibm.log1p,
  [0.27816, -0.1537, 0.21448, -0.80195, -0.31882, -0.326429, 1.6926, 1.6275, 4.7865, 2888.64, 1.59698, 1486.85],
)

/** √(a² + b²), which overflows no sooner than it must, in V8's steps. */
export function hypot(a: number, b: number): number {
  const x = Math.abs(a)
  const y = Math.abs(b)
  if (x === Infinity || y === Infinity) return Infinity
  const most = Math.max(x, y)
  if (most === 0) return 0
  return Math.sqrt((x / most) * (x / most) + (y / most) * (y / most)) * most
}
