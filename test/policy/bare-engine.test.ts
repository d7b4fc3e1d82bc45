import { fileURLToPath } from 'node:url'
import { createContext, Script } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { kernelScript } from '../../scripts/kernel.ts'
import { vectorFiles } from '../../scripts/vectors.ts'
import type { Bundle } from '../../src/policy/bundle.ts'
import { createBundle } from '../../src/policy/bundle.ts'
import { resourceDigest } from '../../src/policy/digest.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import * as here from '../support/kernel-entry.ts'

type Kernel = typeof here

/** Engines' functions other than fdlibm's, here by a last digit in one value of eight, are not taken: digits stay. */
const OTHERS = `for (const name of ['exp', 'expm1', 'log', 'log1p', 'cbrt', 'tanh', 'hypot', 'pow', 'sin', 'cos']) {
  const own = Math[name]
  Math[name] = (...x) => {
    const y = own(...x)
    return Math.floor(Math.abs(y) * 1e6) % 8 === 0 ? y * (1 + 2.3e-16) : y
  }
}`

const script = new Script(await kernelScript(fileURLToPath(new URL('../support/kernel-entry.ts', import.meta.url))))

/** ECMAScript's, of 2025 and a little later; what a host or an engine adds is taken away. */
const LANGUAGE = new Set(
  `globalThis Infinity NaN undefined eval isFinite isNaN parseFloat parseInt decodeURI decodeURIComponent encodeURI
  encodeURIComponent escape unescape Object Function Boolean Symbol Number BigInt Math Date String RegExp Array Map Set WeakMap WeakSet
  WeakRef FinalizationRegistry ArrayBuffer SharedArrayBuffer DataView Atomics JSON Promise Reflect Proxy Iterator Error AggregateError
  EvalError RangeError ReferenceError SyntaxError TypeError URIError Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array
  Int32Array Uint32Array BigInt64Array BigUint64Array Float16Array Float32Array Float64Array`.split(/\s+/),
)

/** Nothing but the language: V8 alone brings `console`, `Intl` and `WebAssembly`. */
function bareContext() {
  const context = createContext({})
  const isTaken = (name: string) => !LANGUAGE.has(name)
  const names = (new Script('Object.getOwnPropertyNames(globalThis)').runInContext(context) as string[]).filter(isTaken)
  new Script(names.map(name => `delete globalThis.${name}`).join('; ')).runInContext(context)
  return context
}

/** A kernel in it. */
function kernelIn(before = ''): Kernel {
  const context = bareContext()
  new Script(before).runInContext(context)
  script.runInContext(context)
  return new Script('kernel').runInContext(context) as Kernel
}

const bundles = [...vectorFiles()]
  .filter(([name]) => name.startsWith('policies-'))
  .flatMap(
    ([, text]) =>
      (JSON.parse(text) as { policies: readonly { bundle: Bundle; decisions: readonly Asked[] }[] }).policies,
  )

interface Asked {
  readonly request: { readonly decisionId: string; readonly context: unknown }
}

/** What happens in a kernel: what it makes of each bundle, thousands of decisions, before and after learning. */
function* session(kernel: Kernel): Generator<string> {
  const contexts = bundles.flatMap(({ decisions }) => decisions.map(({ request }) => JSON.stringify(request.context)))
  for (const { bundle, decisions } of bundles) {
    yield kernel.load(JSON.stringify(bundle))
    for (const { request } of decisions) yield kernel.decideText(request.decisionId, JSON.stringify(request.context))
    yield kernel.learn(30)
    for (let i = 0; i < 60; i++) yield kernel.decideText(`again-${i}`, contexts[(37 * i) % contexts.length])
  }
}

const inNode = [...session(here)]

describe('the kernel in an engine without a host', () => {
  it('has no globals but those of ECMAScript', () => {
    const names = new Script('Object.getOwnPropertyNames(globalThis)').runInContext(bareContext()) as string[]
    expect(names.filter(name => !LANGUAGE.has(name))).toEqual([])
  })

  it.each([
    ['with its own functions', '', true],
    ['with functions of other digits', OTHERS, false],
  ])('decides as in Node, bit for bit, %s', (_how, before, own) => {
    const kernel = kernelIn(before)
    if (here.own.every(Boolean)) expect([...kernel.own]).toEqual([own, own, own, own])
    const there = session(kernel)
    for (const text of inNode) {
      // Compared first: a thousand texts of a kilobyte are dear to describe.
      const other = there.next().value
      if (other !== text) expect(other).toBe(text)
    }
    expect(there.next().done).toBe(true)
    expect(inNode.length).toBeGreaterThan(3000)
  })

  it('has what rules can reach of the encoders that CEL’s library asks for', () => {
    const policy = (rule: string) => {
      const { spec } = bundles[0].bundle.policy
      const changed = {
        ...spec,
        actions: [{ id: 'none' }, { id: 'small', eligible: rule }],
        guardrails: { minProbability: 0.1 },
      }
      return JSON.stringify(
        createBundle(createPolicy('p', changed, resourceDigest('Policy', 'p', changed)), null, '0.0.0'),
      )
    }
    const kernel = kernelIn()
    const rule = policy("string(b'\\xc3\\xa9\\x41') == 'éA' && ctx.level > 3")
    expect(kernel.load(rule)).toBe(here.load(rule))
    for (const level of [3, 4]) {
      const context = JSON.stringify({ playerId: 'p', platform: 'ios', level, taste: [0, 0] })
      expect(kernel.decideText('d', context)).toBe(here.decideText('d', context))
      expect(kernel.decideText('d', context).includes('"excludedBy"')).toBe(level === 3)
    }
  })
})
