import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { askFor } from '../../../src/adapters/inference/http.ts'
import { createRemoteRuntime, type RemoteRuntime } from '../../../src/adapters/inference/inference.ts'
import { guarded } from '../../../src/models/guard.ts'
import { ModelFailure, type Runtime, type Tensor, type TensorData } from '../../../src/models/runtime.ts'
import { fakeTimers } from '../../models/fake-timers.ts'
import { faultProxy } from './fault-proxy.ts'
import { type Contents, grpcServer, type HttpAnswer, type ModelServer, restServer } from './model-server.ts'
import { encode, type Json } from './protos.ts'

const ENDPOINT = 'projects/shop/locations/europe-west1/endpoints/7'

/** Every way to ask, by a name; where it is and what it is asked for are added. */
const WAYS = {
  'open-inference rest': url => ({ type: 'open-inference', model: 'm', protocol: 'rest', url }),
  'open-inference grpc': url => ({ type: 'open-inference', model: 'm', protocol: 'grpc', url }),
  'tf-serving rest': url => ({ type: 'tf-serving', model: 'm', protocol: 'rest', signature: 'serving_default', url }),
  'tf-serving grpc': url => ({ type: 'tf-serving', model: 'm', protocol: 'grpc', signature: 'serving_default', url }),
  'vertex predict': url => ({ type: 'vertex', endpoint: ENDPOINT, method: 'predict', url }),
  'vertex rawPredict': url => ({ type: 'vertex', endpoint: ENDPOINT, method: 'rawPredict', url }),
} as const satisfies Record<string, (url: string) => RemoteRuntime>

type Way = keyof typeof WAYS

const ALL = Object.keys(WAYS) as Way[]
const REST = ALL.filter(way => !way.endsWith('grpc'))
const GRPC = ALL.filter(way => way.endsWith('grpc'))

const toEnd: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of toEnd.splice(0)) await end()
})
function ending<T extends { close(): Promise<void> }>(what: T): T {
  toEnd.push(() => what.close())
  return what
}

const serverOf = async (way: Way, contents?: Contents): Promise<ModelServer> =>
  ending(await (way.endsWith('grpc') ? grpcServer(contents) : restServer()))

const runtimeOf = (way: Way, url: string, outputs: readonly string[] = []) =>
  ending(createRemoteRuntime(WAYS[way](url), outputs))

const never = () => new AbortController().signal

const tensor = (rows: number, data: TensorData): Tensor => ({ rows, columns: data.length / rows, data })
const X: ReadonlyMap<string, Tensor> = new Map([['x', tensor(2, Float32Array.of(0.1, 2, -3, 4.5))]])

/** The numbers of an output, whatever their type. */
const numbersOf = (output: Tensor | undefined) => output && { ...output, data: Array.from(output.data, Number) }

const failureOf = (answer: Promise<unknown>): Promise<ModelFailure> =>
  answer.then(
    () => expect.fail('it has answered'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ModelFailure)
      return error as ModelFailure
    },
  )

const run = (runtime: Runtime) => runtime.run(X, never())

describe.each(ALL)('%s', way => {
  it('takes rows of every type there, and outputs back, bit for bit', async () => {
    const server = await serverOf(way)
    const runtime = runtimeOf(way, server.url)
    const row = fc.tuple(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.maxSafeInteger(),
      fc.boolean(),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 5 }), async rows => {
        const of = (make: (row: (typeof rows)[number]) => Tensor['data'][number][]) => rows.flatMap(make) as never
        const inputs = new Map<string, Tensor>([
          ['x', tensor(rows.length, Float32Array.from(of(([a]) => [a, 1])))],
          ['double', tensor(rows.length, Float64Array.from(of(([, b]) => [b])))],
          ['whole', tensor(rows.length, Int32Array.from(of(([, , c]) => [c, 0, -c | 0])))],
          ['id', tensor(rows.length, BigInt64Array.from(of(([, , , d]) => [BigInt(d)])))],
          ['flag', tensor(rows.length, Uint8Array.from(of(([, , , , e]) => [e ? 1 : 0])))],
        ])
        const outputs = await runtime.run(inputs, never())
        for (const [name, input] of inputs) {
          const output = outputs.get(`${name}_again`)
          expect(numbersOf(output)).toEqual(numbersOf(input))
          // JSON of TensorFlow's does not say what its numbers are.
          if (!/^tf-serving rest|predict$/.test(way)) expect(output).toEqual(input)
        }
        expect(outputs.get('sum')).toEqual(
          tensor(
            rows.length,
            Float64Array.from(rows, ([a]) => Math.fround(a) + 1),
          ),
        )
      }),
      { numRuns: 30 },
    )
  })

  it('takes one input alone, and asks for outputs by name', async () => {
    const server = await serverOf(way)
    const outputs = await run(runtimeOf(way, server.url, ['sum']))
    expect(numbersOf(outputs.get('sum'))).toEqual({
      rows: 2,
      columns: 1,
      data: [Math.fround(0.1) + 2, 1.5],
    })
    // TensorFlow's JSON cannot be asked for less.
    if (!/^tf-serving rest|predict$/.test(way)) expect([...outputs.keys()]).toEqual(['sum'])
    expect(outputs.has('label')).toBe(false)
  })

  it('says what the model says of itself', async () => {
    const signature = await runtimeOf(way, (await serverOf(way)).url).signature(never())
    if (way.startsWith('vertex')) return expect(signature).toBeUndefined()
    expect(signature).toEqual({
      inputs: [{ name: 'x', dtype: 'float32', shape: [null, 2] }],
      outputs: [
        { name: 'sum', dtype: 'float64', shape: [null] },
        { name: 'label', dtype: 'string', shape: way.startsWith('tf') ? [] : [null] },
      ],
    })
  })

  it.runIf(way.startsWith('tf'))('says nothing of a signature that the model does not have', async () => {
    const spec = { ...WAYS['tf-serving rest'](''), ...WAYS[way]((await serverOf(way)).url), signature: 'other' }
    expect(await ending(createRemoteRuntime(spec as RemoteRuntime, [])).signature(never())).toBeUndefined()
  })

  it('is ready while the model answers, and not when nobody does', async () => {
    const server = await serverOf(way)
    const runtime = runtimeOf(way, server.url)
    expect(await runtime.ready(never())).toBe(true)
    await server.close()
    expect(await runtime.ready(never())).toBe(false)
    expect(await runtime.ready(AbortSignal.abort())).toBe(false)
  })

  it('is not ready where the server does not know the model', async () => {
    const { url } = await serverOf(way)
    const spec = WAYS[way](url)
    const unknown = 'model' in spec ? { ...spec, model: 'n' } : { ...spec, endpoint: ENDPOINT.replace('7', '8') }
    expect(await ending(createRemoteRuntime(unknown, [])).ready(never())).toBe(false)
  })

  it('is unreachable where nobody listens', async () => {
    const server = await serverOf(way)
    await server.close()
    const failure = await failureOf(run(runtimeOf(way, server.url)))
    expect(failure).toMatchObject({ reason: 'unreachable', transient: true })
    expect(failure.message).toContain(`127.0.0.1:${server.port}`)
  })

  it('ends with its signal, at once, when the answer does not come', async () => {
    const server = await serverOf(way)
    const proxy = ending(await faultProxy(server.port))
    const runtime = runtimeOf(way, proxy.url)
    const lasting = never()
    await runtime.run(X, lasting)
    expect(getEventListeners(lasting, 'abort')).toEqual([])
    proxy.hold()
    const caller = new AbortController()
    const failure = failureOf(runtime.run(X, caller.signal))
    caller.abort()
    expect(await failure).toMatchObject({ reason: 'timeout', transient: false })
    expect(await failureOf(runtime.run(X, AbortSignal.abort()))).toMatchObject({ reason: 'timeout' })
  })

  it('is unreachable when the connection breaks, wherever in the answer', async () => {
    const server = await serverOf(way)
    const proxy = ending(await faultProxy(server.port))
    const runtime = runtimeOf(way, proxy.url)
    for (const bytes of [1, 10, 30, 50]) {
      await expect
        .poll(() =>
          run(runtime).then(
            () => 'done',
            error => error.reason,
          ),
        )
        .toBe('done')
      proxy.cut(bytes)
      const failure = await failureOf(run(runtime))
      expect(failure, `${bytes} bytes: ${failure.message}`).toMatchObject({ reason: 'unreachable', transient: true })
    }
  })

  it('comes back when its server does: the breaker opens meanwhile, and closes', async () => {
    const server = await serverOf(way)
    const proxy = ending(await faultProxy(server.port))
    const timers = fakeTimers()
    const guard = guarded(runtimeOf(way, proxy.url), 1000, timers)
    await run(guard)
    await proxy.refuse()
    for (let i = 0; i < 5; i++) expect((await failureOf(run(guard))).reason).toBe('unreachable')
    expect(guard.state()).toBe('open')
    expect((await failureOf(run(guard))).reason).toBe('open')
    await proxy.accept()
    await expect
      .poll(async () => {
        timers.pass(1000)
        await run(guard).catch(() => {})
        return guard.state()
      })
      .toBe('closed')
    expect((await run(guard)).get('sum')?.rows).toBe(2)
  })

  it('has a second try on another connection', async () => {
    const server = await serverOf(way)
    const proxy = ending(await faultProxy(server.port))
    const guard = guarded(runtimeOf(way, proxy.url), 1000, fakeTimers())
    await run(guard)
    proxy.cut(10)
    expect((await run(guard)).get('sum')?.rows).toBe(2)
    expect(guard.counts.retries).toBe(1)
    expect(proxy.connections).toBe(2)
  })
})

describe.each(['open-inference rest', 'open-inference grpc', 'tf-serving rest', 'tf-serving grpc'] as const)(
  '%s',
  way => {
    it('asks for the version that the Model says', async () => {
      const server = await serverOf(way)
      const version = (version: string) =>
        run(ending(createRemoteRuntime({ ...WAYS[way](server.url), version }, ['sum'])))
      await version('3')
      if (way.startsWith('tf')) await version('stable')
      const said = 'requests' in server ? (server.requests as { message: Json }[]).map(({ message }) => message) : []
      expect(said.length > 0 ? said : server.asked.map(({ path }) => path)).toMatchObject(
        {
          'open-inference rest': ['/v2/models/m/versions/3/infer'],
          'open-inference grpc': [{ modelName: 'm', modelVersion: '3' }],
          'tf-serving rest': ['/v1/models/m/versions/3:predict', '/v1/models/m/labels/stable:predict'],
          'tf-serving grpc': [
            { modelSpec: { name: 'm', version: { value: '3' }, signatureName: 'serving_default', versionLabel: '' } },
            { modelSpec: { name: 'm', version: null, signatureName: 'serving_default', versionLabel: 'stable' } },
          ],
        }[way],
      )
    })
  },
)

describe.each(GRPC)('%s', way => {
  it('reads numbers that are not raw as well', async () => {
    const raw = await run(runtimeOf(way, (await serverOf(way, 'raw')).url))
    const inputs = new Map<string, Tensor>([
      ...X,
      ['double', tensor(2, Float64Array.of(0.1, -1e300))],
      ['whole', tensor(2, Int32Array.of(-1, 2 ** 31 - 1))],
      ['id', tensor(2, BigInt64Array.of(-1n, 2n ** 62n))],
      ['flag', tensor(2, Uint8Array.of(0, 1))],
    ])
    const outputs = await runtimeOf(way, (await serverOf(way, 'typed')).url).run(inputs, never())
    for (const [name, input] of inputs) expect(outputs.get(`${name}_again`)).toEqual(input)
    expect(outputs.get('sum')).toEqual(raw.get('sum'))
    expect(outputs.has('label')).toBe(false)
  })

  it('makes another connection when five calls went without a word', async () => {
    const server = await serverOf(way)
    const proxy = ending(await faultProxy(server.port))
    const runtime = runtimeOf(way, proxy.url)
    await run(runtime)
    proxy.silence()
    for (let i = 0; i < 5; i++) {
      expect(proxy.connections).toBe(1)
      const caller = new AbortController()
      const failure = failureOf(runtime.run(X, caller.signal))
      caller.abort()
      expect((await failure).reason).toBe('timeout')
    }
    expect((await run(runtime)).get('sum')?.rows).toBe(2)
    expect(proxy.connections).toBe(2)
  })

  it.each([
    [
      { code: 14, details: 'loading' },
      { reason: 'unreachable', transient: true, message: /cannot be reached: loading$/ },
    ],
    [
      { code: 4, details: 'too slow' },
      { reason: 'timeout', transient: false, message: /in time/ },
    ],
    [
      { code: 5, details: 'no model m\nat line 3' },
      { reason: 'answer', transient: false, message: /status 5: no model m$/ },
    ],
    [
      { code: 13, details: 'x'.repeat(999) },
      { reason: 'answer', transient: false, message: /status 13: x{160}…$/ },
    ],
  ])('takes a status %o for what it says', async (fault, { message, ...expected }) => {
    const { url } = ending(await grpcServer('raw', () => fault))
    const failure = await failureOf(run(runtimeOf(way, url)))
    expect(failure).toMatchObject(expected)
    expect(failure.message).toMatch(message)
  })

  it.each([
    ['bytes that are no message', Buffer.from('no message')],
    ['a number without an end', Buffer.alloc(12, 0xff)],
    ['a field without an end', Buffer.of(0x2a, 0x20, 1)],
    ['nothing', Buffer.alloc(0)],
    ['more than is read', Buffer.alloc(17 * 1024 * 1024)],
  ])('takes %s for no answer', async (_, bytes) => {
    const { url } = ending(await grpcServer('raw', () => bytes))
    expect(await failureOf(run(runtimeOf(way, url)))).toMatchObject({ reason: 'answer', transient: false })
  })

  it('gives outputs or a ModelFailure, whatever comes back', async () => {
    const type = way.startsWith('tf') ? 'tensorflow.PredictResponse' : 'inference.ModelInferResponse'
    const shape = [2, 2]
    const valid = way.startsWith('tf')
      ? { outputs: { y: { dtype: 1, tensorShape: { dim: shape.map(size => ({ size })) }, floatVal: [1, 2, 3, 4] } } }
      : { outputs: [{ name: 'y', datatype: 'FP32', shape, contents: { fp32Contents: [1, 2, 3, 4] } }] }
    const bytes = encode(type, valid)
    let answer = bytes
    const { url } = ending(await grpcServer('raw', () => answer))
    const runtime = runtimeOf(way, url)
    expect((await run(runtime)).get('y')).toEqual(tensor(2, Float32Array.of(1, 2, 3, 4)))
    const change = fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) })
    const changed = fc
      .tuple(fc.array(change, { minLength: 1, maxLength: 3 }), fc.nat(bytes.length))
      .map(([changes, length]) => {
        const copy = Buffer.from(bytes)
        for (const { at, to } of changes) copy[at] = to
        return copy.subarray(0, length)
      })
    await fc.assert(
      fc.asyncProperty(fc.oneof(changed, fc.uint8Array().map(Buffer.from)), async hostile => {
        answer = hostile
        await run(runtime).catch(error => expect(error).toBeInstanceOf(ModelFailure))
      }),
      { numRuns: 300 },
    )
  })
})

describe('an answer of gRPC', () => {
  const openInference = (...outputs: Json[]) => encode('inference.ModelInferResponse', { outputs })
  const tensorFlow = (tensor: Json) => encode('tensorflow.PredictResponse', { outputs: { y: tensor } })
  const shaped = (...sizes: number[]) => ({ tensorShape: { dim: sizes.map(size => ({ size })) } })

  it.each<[string, Way, Buffer]>([
    [
      'fewer numbers than its shape',
      'open-inference grpc',
      openInference({ name: 'y', datatype: 'FP32', shape: [2, 2], contents: { fp32Contents: [1, 2, 3] } }),
    ],
    ['no numbers', 'open-inference grpc', openInference({ name: 'y', datatype: 'FP32', shape: [2] })],
    [
      'a negative size',
      'open-inference grpc',
      openInference({ name: 'y', datatype: 'FP32', shape: [-1], contents: { fp32Contents: [1] } }),
    ],
    [
      'texts alone',
      'open-inference grpc',
      openInference({ name: 'y', datatype: 'BYTES', shape: [1], contents: { bytesContents: [Buffer.from('a')] } }),
    ],
    ['more numbers than its shape', 'tf-serving grpc', tensorFlow({ dtype: 1, ...shaped(1), floatVal: [1, 2] })],
    ['half a number', 'tf-serving grpc', tensorFlow({ dtype: 1, ...shaped(1), tensorContent: Buffer.alloc(3) })],
    [
      'a shape of more numbers than there can be',
      'tf-serving grpc',
      tensorFlow({ dtype: 1, ...shaped(1e9, 1e9), floatVal: [1] }),
    ],
    ['texts', 'tf-serving grpc', tensorFlow({ dtype: 7, ...shaped(1), stringVal: [Buffer.from('a')] })],
    ['complex numbers', 'tf-serving grpc', tensorFlow({ dtype: 8, ...shaped(1) })],
  ])('that has %s is none', async (_, way, bytes) => {
    const { url } = ending(await grpcServer('raw', () => bytes))
    expect(await failureOf(run(runtimeOf(way, url)))).toMatchObject({ reason: 'answer', transient: false })
  })

  it('may leave out numbers that end alike, as TensorFlow does', async () => {
    const { url } = ending(await grpcServer('raw', () => tensorFlow({ dtype: 1, ...shaped(2, 2), floatVal: [1, 2] })))
    expect((await run(runtimeOf('tf-serving grpc', url))).get('y')).toEqual(tensor(2, Float32Array.of(1, 2, 2, 2)))
  })

  it('may have no rows, and four million numbers', async () => {
    let answer = tensorFlow({ dtype: 1, ...shaped(0, 2) })
    const runtime = runtimeOf('tf-serving grpc', ending(await grpcServer('raw', () => answer)).url)
    expect((await run(runtime)).get('y')).toMatchObject({ rows: 0, columns: 0 })
    const most = 4 * 1024 * 1024
    answer = tensorFlow({ dtype: 1, ...shaped(most), floatVal: [1] })
    expect((await run(runtime)).get('y')?.rows).toBe(most)
    answer = tensorFlow({ dtype: 1, ...shaped(most + 1), floatVal: [1] })
    expect(await failureOf(run(runtime))).toMatchObject({ reason: 'answer' })
  })

  it.each<[string, number, Json, TensorData]>([
    ['HALF', 19, { halfVal: [0x3c00, 0xc000, 0x7c00, 0x0001] }, Float32Array.of(1, -2, Infinity, 2 ** -24)],
    ['BFLOAT16', 14, { halfVal: [0x3f80, 0xc000] }, Float32Array.of(1, -2)],
    ['UINT8', 4, { intVal: [0, 255] }, Int32Array.of(0, 255)],
    ['INT8', 6, { intVal: [-128, 127] }, Int32Array.of(-128, 127)],
    ['UINT32', 22, { uint32Val: [0, 4294967295] }, Float64Array.of(0, 4294967295)],
    ['UINT64', 23, { uint64Val: [1, '18446744073709551615'] }, Float64Array.of(1, 2 ** 64)],
    ['raw HALF', 19, { tensorContent: Buffer.of(0, 0x3c, 0, 0xc0) }, Float32Array.of(1, -2)],
    ['raw UINT16', 17, { tensorContent: Buffer.of(1, 0, 255, 255) }, Int32Array.of(1, 65535)],
    ['raw INT16', 5, { tensorContent: Buffer.of(1, 0, 255, 255) }, Int32Array.of(1, -1)],
    ['raw UINT64', 23, { tensorContent: Buffer.alloc(8, 255) }, Float64Array.of(2 ** 64)],
  ])('may be of %s', async (_, dtype, values, expected) => {
    const { url } = ending(
      await grpcServer('raw', () => tensorFlow({ dtype, ...shaped(expected.length, 1), ...values })),
    )
    expect((await run(runtimeOf('tf-serving grpc', url))).get('y')).toEqual(tensor(expected.length, expected))
  })
})

describe.each(REST)('%s', way => {
  const answering = async (answer: HttpAnswer) => runtimeOf(way, ending(await restServer(() => answer)).url)
  /** An answer of one output `y` as this protocol has it. */
  const column = way === 'vertex predict' ? 'predictions' : 'outputs'
  const said = (data: string, shape = '[2,1]') =>
    /open|raw/.test(way)
      ? `{"outputs":[{"name":"y","datatype":"FP64","shape":${shape},"data":${data}}]}`
      : `{"${column}":${data}}`

  it('reads numbers in lists of lists, or not', async () => {
    for (const data of ['[[1],[2]]', '[1,2]'])
      expect((await run(await answering({ body: said(data) }))).values().next().value).toEqual(
        tensor(2, Float64Array.of(1, 2)),
      )
  })

  it.each([
    ['NaN', NaN],
    ['null', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
  ])('reads %s, which is no JSON or no number, for a score that is not finite', async (text, number) => {
    const body = said(`[1,${text}]`).replace(/^\{/, '{"note":"NaN, \\" Infinity",')
    expect((await run(await answering({ body }))).values().next().value).toEqual(tensor(2, Float64Array.of(1, number)))
  })

  const html = '<html><h1>502 Bad Gateway</h1></html>'
  it.each<[string, HttpAnswer, Partial<ModelFailure> & { says: RegExp }]>([
    [
      'a plain text, 500',
      { status: 500, type: 'text/plain', body: 'Internal Server Error' },
      { transient: true, says: /answers HTTP 500$/ },
    ],
    ['a page, 502', { status: 502, type: 'text/html', body: html }, { transient: true, says: /answers HTTP 502$/ }],
    ['a page, 200', { type: 'text/html', body: html }, { transient: false, says: /answers no JSON$/ }],
    [
      'an error, 404',
      { status: 404, body: '{"error":"no model m\\nTraceback"}' },
      { transient: false, says: /HTTP 404: no model m$/ },
    ],
    [
      'an error of Google’s, 400',
      { status: 400, body: '{"error":{"code":400,"message":"bad"}}' },
      { transient: false, says: /HTTP 400: bad$/ },
    ],
    [
      'a long error',
      { status: 400, body: JSON.stringify({ error: 'x'.repeat(1e5) }) },
      { transient: false, says: /HTTP 400: x{160}…$/ },
    ],
    ['nothing', { body: '' }, { transient: false, says: /no JSON$/ }],
    ['a number', { body: '7' }, { transient: false, says: /no JSON$/ }],
    ['null', { body: 'null' }, { transient: false, says: /no JSON$/ }],
    ['half of an answer', { body: said('[1,2]').slice(0, -3) }, { transient: false, says: /no JSON$/ }],
    ['an object of nothing', { body: '{}' }, { transient: false, says: /answers no/ }],
    ['a list', { body: '[]' }, { transient: false, says: /answers no/ }],
    ['texts', { body: said('["a","b"]') }, { transient: false, says: /answers no|something else/ }],
    ['rows that are not alike', { body: said('[[1],[2,3]]') }, { transient: false, says: /not alike|3 numbers/ }],
    [
      'lists without end',
      { body: said(`${'['.repeat(1e5)}${']'.repeat(1e5)}`) },
      { transient: false, says: /dimensions/ },
    ],
    [
      'another place',
      { status: 302, location: 'http://127.0.0.1:1/', body: '' },
      { transient: false, says: /HTTP 302$/ },
    ],
    [
      'more than is read',
      { body: Buffer.alloc(17 * 1024 * 1024, ' ') },
      { transient: false, says: /more than 16777216 bytes$/ },
    ],
  ])('takes %s for no answer', async (_, answer, { says, transient }) => {
    const failure = await failureOf(run(await answering(answer)))
    expect(failure).toMatchObject({ reason: 'answer', transient })
    expect(failure.message).toMatch(says)
    expect(failure.message.length).toBeLessThan(300)
  })

  it('gives outputs or a ModelFailure, whatever JSON comes back', async () => {
    let body = ''
    const { url } = ending(await restServer(() => ({ body })))
    const runtime = runtimeOf(way, url)
    const key = fc.constantFrom('name', 'datatype', 'shape', 'data', 'outputs', 'predictions', 'y', '__proto__')
    const value = fc.letrec<{ any: unknown }>(tie => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(0, 1, 2, -1, 1.5, null, true, 'FP32', 'INT64', 'BOOL', 'y', '', 1e300),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(key, tie('any'), { maxKeys: 4 }),
      ),
    })).any
    const output = fc.record({
      name: fc.constant('y'),
      datatype: fc.constantFrom('FP32', 'INT64', 'INT32', 'BOOL', 'BYTES', 'toString'),
      shape: fc.oneof(fc.array(fc.integer({ min: -1, max: 3 }), { maxLength: 3 }), value),
      data: fc.oneof(fc.array(fc.oneof(fc.integer(), fc.double()), { maxLength: 9 }), value),
    })
    const answer = fc.oneof(value, fc.record({ outputs: fc.oneof(value, fc.array(output)), predictions: value }))
    await fc.assert(
      fc.asyncProperty(answer, async json => {
        body = JSON.stringify(json)
        await run(runtime).then(
          outputs => {
            for (const { rows, columns, data } of outputs.values()) expect(data.length).toBe(rows * columns)
          },
          error => expect(error).toBeInstanceOf(ModelFailure),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('does not send what JSON cannot say', async () => {
    const { url } = await serverOf(way)
    const inputs = new Map([['x', tensor(1, Float32Array.of(1, NaN))]])
    expect(await failureOf(runtimeOf(way, url).run(inputs, never()))).toMatchObject({ reason: 'input' })
  })

  it('says nothing of a password in its address', async () => {
    const { url, port } = await serverOf(way)
    const failure = await failureOf(run(runtimeOf(way, url.replace('//', '//me:secret@'))))
    expect(failure.message).toContain(String(port))
    expect(failure.message).not.toMatch(/me|secret/)
  })

  it('asks below the path of its address, with or without a slash at the end', async () => {
    const server = ending(await restServer(() => ({ body: said('[1,2]') })))
    await run(runtimeOf(way, `${server.url}/models/a`))
    await run(runtimeOf(way, `${server.url}/models/a//`))
    const [first, second] = server.asked.map(({ path }) => path)
    expect(first).toMatch(/^\/models\/a\/v[12]\//)
    expect(second).toBe(first)
  })
})

describe('an answer of REST', () => {
  const answering = async (way: Way, json: unknown, outputs: readonly string[] = []) =>
    run(runtimeOf(way, ending(await restServer(() => ({ body: JSON.stringify(json) }))).url, outputs))

  it.each([
    ['INT64', 1.5],
    ['INT32', 2 ** 31],
    ['INT32', null],
    ['BOOL', 2],
    ['FP32', 'a'],
    ['FP32', { b64: 'AA==' }],
  ])('that has in %s the value %o is none', async (datatype, value) => {
    const json = { outputs: [{ name: 'y', datatype, shape: [1], data: [value] }] }
    expect(await failureOf(answering('open-inference rest', json))).toMatchObject({
      reason: 'answer',
      transient: false,
    })
  })

  it('has sixteen dimensions at most', async () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
    const answer = (depth: number) => answering('tf-serving rest', { outputs: nested(depth) })
    expect((await answer(16)).get('output_0')).toMatchObject({ rows: 1, columns: 1 })
    expect(await failureOf(answer(17))).toMatchObject({ reason: 'answer' })
  })

  it('has a first dimension of rows, and columns of all others', async () => {
    const json = { outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 3, 2], data: Array(12).fill(1) }] }
    expect((await answering('open-inference rest', json)).get('y')).toMatchObject({ rows: 2, columns: 6 })
  })

  it.each(['tf-serving rest', 'vertex predict'] as const)(
    'of %s that has no name has the one that was asked for',
    async way => {
      const json = { outputs: [[1], [2]], predictions: [[1], [2]] }
      expect([...(await answering(way, json)).keys()]).toEqual(['output_0'])
      expect([...(await answering(way, json, ['score'])).keys()]).toEqual(['score'])
      expect(await failureOf(answering(way, json, ['mean', 'deviation']))).toMatchObject({ reason: 'answer' })
    },
  )

  it('of Vertex AI whose rows do not have the same outputs is none', async () => {
    const json = { predictions: [{ y: 1 }, { z: 2 }] }
    expect(await failureOf(answering('vertex predict', json))).toMatchObject({ reason: 'answer' })
  })

  it('says nothing of a signature where its lists are empty', async () => {
    const body = '{"name":"m","versions":[],"platform":"","inputs":[],"outputs":[]}'
    const { url } = ending(await restServer(() => ({ body })))
    expect(await runtimeOf('open-inference rest', url).signature(never())).toBeUndefined()
  })

  it.each(['START', 'LOADING', 'END'])('says of a model whose only version is %s that it is not ready', async state => {
    const body = JSON.stringify({ model_version_status: [{ version: '1', state }] })
    const { url } = ending(await restServer(() => ({ body })))
    expect(await runtimeOf('tf-serving rest', url).ready(never())).toBe(false)
  })

  it.each([
    [200, true],
    [400, true],
    [500, true],
    [401, false],
    [403, false],
    [404, false],
    [429, false],
    [503, false],
  ])('of Vertex AI to a request of no rows that is %i means ready: %s', async (status, ready) => {
    const { url } = ending(await restServer(() => ({ status, body: '{}' })))
    expect(await runtimeOf('vertex predict', url).ready(never())).toBe(ready)
  })
})

describe('credentials of Google', () => {
  const shownTo = async (url: string | undefined) => {
    const shown: string[] = []
    const spec = {
      type: 'vertex',
      endpoint: ENDPOINT,
      method: 'predict',
      ...(url === undefined ? {} : { url }),
    } as const
    const runtime = createRemoteRuntime(spec, [], async to => {
      shown.push(to)
      return new Promise(() => {})
    })
    const caller = new AbortController()
    const failure = failureOf(runtime.run(X, caller.signal))
    caller.abort()
    expect((await failure).reason).toBe('timeout')
    return shown
  }

  it.each([
    [undefined, 'https://europe-west1-aiplatform.googleapis.com'],
    ['https://7.europe-west1-1.prediction.vertexai.goog', 'https://7.europe-west1-1.prediction.vertexai.goog'],
  ])('are shown at %s', async (url, base) => {
    expect(await shownTo(url)).toEqual([`${base}/v1/${ENDPOINT}:predict`])
  })

  it.each([
    'http://europe-west1-aiplatform.googleapis.com',
    'https://aiplatform.googleapis.com.example.invalid',
    'https://examplegoogleapis.com',
    'http://127.0.0.1:1',
  ])('are not shown at %s', async url => {
    expect(await shownTo(url)).toEqual([])
  })

  it('go with the request', async () => {
    const server = ending(await restServer())
    const site = { base: server.url, headers: async () => new Headers({ authorization: 'Bearer token' }) }
    await askFor(site, '/v1/models/m', never())
    expect(server.asked[0].headers).toMatchObject({ authorization: 'Bearer token', accept: 'application/json' })
  })

  it('are nothing without which an emulator would not answer', async () => {
    const server = await serverOf('vertex predict')
    await run(createRemoteRuntime(WAYS['vertex predict'](server.url), []))
    expect(server.asked[0].headers.authorization).toBeUndefined()
  })
})
