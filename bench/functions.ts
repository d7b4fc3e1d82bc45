import * as functions from '../src/math/elementary.ts'
import * as defined from '../src/math/fdlibm.ts'
import { stream } from '../src/math/rng.ts'
import { anyDouble } from '../test/support/doubles.ts'

const ARGUMENTS = 20_000_000
const TIMED = 4096

/**
 * Where the functions of kernels and fdlibm's have other bits, of many more arguments than a test takes; and what one costs by the engine and by
 * `fdlibm.ts`, beside each other.
 */
export async function bench(): Promise<void> {
  console.log('            differ  engine ns  fdlibm ns')
  const [chosen, meant] = [{ ...functions }, { ...defined }]
  for (const name of ['exp', 'expm1', 'log', 'log1p', 'cbrt', 'tanh'] as const) {
    const rng = stream(1, 'functions', name)
    let differ = 0
    for (let i = 0; i < ARGUMENTS; i++) {
      const x = anyDouble(rng)
      if (!Object.is(chosen[name](x), meant[name](x))) differ++
    }
    const x = Float64Array.from({ length: TIMED }, () => 4 * rng.uniform() - 0.9)
    const [own, plain] = nanoseconds([Math[name], meant[name]], x)
    console.log(`${name.padEnd(12)}${String(differ).padEnd(8)}${own.toFixed(1).padEnd(11)}${plain.toFixed(1)}`)
  }
}

/** The least of many rounds, by function. */
function nanoseconds(functions: readonly ((x: number) => number)[], x: Float64Array): number[] {
  const least = functions.map(() => Infinity)
  const loops = functions.map(loopOver)
  for (let round = 0; round < 200; round++) {
    for (const [i, loop] of loops.entries()) {
      const start = performance.now()
      loop(x)
      least[i] = Math.min(least[i], ((performance.now() - start) / x.length) * 1e6)
    }
  }
  return least
}

/** A loop of its own for each, so that the engine sees one function called in it. */
function loopOver(f: (x: number) => number): (x: Float64Array) => number {
  const make = new Function(
    'f',
    'return x => { let sum = 0; for (let i = 0; i < x.length; i++) sum += f(x[i]); return sum }',
  )
  return make(f) as (x: Float64Array) => number
}
