import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cached } from '../../src/models/cache.ts'
import { ModelFailure, type Runtime, type Tensor } from '../../src/models/runtime.ts'

type Inputs = ReadonlyMap<string, Tensor>

const TTL = 30_000
const SIGNAL = new AbortController().signal

/** Two outputs of different types, each a function of the row alone; what it was asked for is in `asked`. */
function model() {
  const asked: number[] = []
  const runtime: Runtime = {
    about: 'sums',
    signature: async () => undefined,
    async run(inputs) {
      const { rows, columns, data } = inputs.get('x')!
      const ids = inputs.get('id')!.data as BigInt64Array
      const x = Array.from({ length: rows }, (_, row) =>
        [...(data as Float32Array).subarray(row * columns, (row + 1) * columns)].reduce((sum, each) => sum + each, 0),
      )
      asked.push(rows)
      return new Map<string, Tensor>([
        ['score', { rows, columns: 2, data: Float64Array.from(x.flatMap((sum, i) => [sum, Number(ids[i])])) }],
        ['twice', { rows, columns: 1, data: BigInt64Array.from(ids, id => 2n * id) }],
      ])
    },
    ready: async () => true,
    close: async () => {},
  }
  return { runtime, asked }
}

function inputsOf(rows: readonly (readonly [number, number, number])[]): Inputs {
  return new Map<string, Tensor>([
    ['x', { rows: rows.length, columns: 2, data: Float32Array.from(rows.flatMap(row => row.slice(0, 2))) }],
    ['id', { rows: rows.length, columns: 1, data: BigInt64Array.from(rows, ([, , id]) => BigInt(id)) }],
  ])
}

const A = [1, 2, 3] as const
const B = [4, 5, 6] as const
const C = [7, 8, 9] as const

function setUp({ size = 10, listwise = false } = {}) {
  const { runtime, asked } = model()
  const clock = { now: 1_000_000 }
  const cache = cached(runtime, { cache: { ttl: '30s', size }, listwise }, () => clock.now)
  return {
    cache,
    asked,
    clock,
    ask: (...rows: (readonly [number, number, number])[]) => cache.run(inputsOf(rows), SIGNAL),
  }
}

describe('a cache of scores', () => {
  it('gives what the runtime would, whatever was asked before, for however large a cache', async () => {
    const small = fc.tuple(fc.nat(2), fc.constantFrom(0, -0, 0.5), fc.nat(2))
    const calls = fc.array(
      fc.record({ rows: fc.array(small, { maxLength: 8 }), wait: fc.constantFrom(0, 1, TTL - 1, TTL) }),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(calls, fc.integer({ min: 1, max: 12 }), async (calls, size) => {
        const { cache, clock } = setUp({ size })
        for (const { rows, wait } of calls) {
          clock.now += wait
          const inputs = inputsOf(rows)
          expect(await cache.run(inputs, SIGNAL)).toEqual(await model().runtime.run(inputs, SIGNAL))
        }
      }),
    )
  })

  it('asks for rows that it does not know, and for each of them once', async () => {
    const { ask, asked } = setUp()
    await ask(A, B)
    await ask(B, A)
    await ask(C, A, C, B)
    expect(asked).toEqual([2, 1])
  })

  it('tells rows apart by the bits of every input', async () => {
    const { ask, asked } = setUp()
    await ask([0, 1, 1])
    await ask([-0, 1, 1])
    await ask([0, 1, 2])
    expect(asked).toEqual([1, 1, 1])
  })

  it('tells rows apart that are as long as a model may want them, by their last number', async () => {
    const asked: number[] = []
    const long: Runtime = {
      ...model().runtime,
      async run(inputs) {
        const { rows } = inputs.get('x')!
        asked.push(rows)
        return new Map([['y', { rows, columns: 1, data: new Float32Array(rows) }]])
      },
    }
    const cache = cached(long, { cache: { ttl: '30s', size: 10 }, listwise: false }, () => 0)
    const data = new Float32Array(200_000)
    data[199_999] = 1
    await cache.run(new Map([['x', { rows: 2, columns: 100_000, data }]]), SIGNAL)
    await cache.run(new Map([['x', { rows: 1, columns: 100_000, data: data.slice(100_000) }]]), SIGNAL)
    expect(asked).toEqual([2])
  })

  it.each([
    [TTL - 1, [1]],
    [TTL, [1, 1]],
  ])('remembers for as long as it says: after %s ms', async (ms, expected) => {
    const { ask, asked, clock } = setUp()
    await ask(A)
    clock.now += ms
    await ask(A)
    expect(asked).toEqual(expected)
  })

  it('does not remember longer what is asked for again', async () => {
    const { ask, asked, clock } = setUp()
    await ask(A)
    clock.now += TTL - 1
    await ask(A)
    clock.now += 1
    await ask(A)
    expect(asked).toEqual([1, 1])
  })

  it('lets go of what was not asked for longest', async () => {
    const { ask, asked } = setUp({ size: 2 })
    await ask(A)
    await ask(B)
    await ask(A)
    await ask(C)
    await ask(A)
    expect(asked).toEqual([1, 1, 1])
    await ask(B)
    expect(asked).toEqual([1, 1, 1, 1])
  })

  it('is none for a list-wise model, and where the Model says nothing of one', () => {
    const { runtime } = model()
    const cache = { ttl: '30s', size: 10 }
    expect(cached(runtime, { cache, listwise: true }, () => 0)).toBe(runtime)
    expect(cached(runtime, { listwise: false }, () => 0)).toBe(runtime)
    expect(cached(runtime, { cache, listwise: false }, () => 0)).not.toBe(runtime)
  })

  it('does not remember a call that failed, nor a row without a finite number', async () => {
    const asked: number[] = []
    const failing: Runtime = {
      ...model().runtime,
      async run(inputs) {
        const { rows, data } = inputs.get('x')!
        asked.push(rows)
        if (asked.length === 1) throw new ModelFailure('unreachable', 'nobody there')
        const scores = Float32Array.from({ length: rows }, (_, row) => (data[2 * row] === A[0] ? NaN : 1))
        return new Map([['y', { rows, columns: 1, data: scores }]])
      },
    }
    const cache = cached(failing, { cache: { ttl: '30s', size: 10 }, listwise: false }, () => 0)
    await expect(cache.run(inputsOf([A, B]), SIGNAL)).rejects.toThrow('nobody there')
    await cache.run(inputsOf([A, B]), SIGNAL)
    expect((await cache.run(inputsOf([A, B]), SIGNAL)).get('y')!.data).toEqual(Float32Array.of(NaN, 1))
    expect(asked).toEqual([2, 2, 1])
  })

  it('forgets all when the model gives other outputs, and never mixes the two', async () => {
    let columns = 1
    const { runtime } = model()
    const changing = cached(
      {
        ...runtime,
        run: async inputs => {
          const { rows } = inputs.get('x')!
          return new Map([['y', { rows, columns, data: new Float32Array(rows * columns).fill(columns) }]])
        },
      },
      { cache: { ttl: '30s', size: 10 }, listwise: false },
      () => 0,
    )
    const ask = (...rows: (readonly [number, number, number])[]) => changing.run(inputsOf(rows), SIGNAL)
    await ask(A)
    columns = 2
    await expect(ask(A, B)).rejects.toMatchObject({ reason: 'answer' })
    expect((await ask(A, B)).get('y')).toMatchObject({ rows: 2, columns: 2 })
    columns = 3
    // What a call found that knew nothing before replaces what others have found meanwhile.
    await ask(C)
    expect((await ask(A, C)).get('y')).toMatchObject({ rows: 2, columns: 3 })
  })
})
