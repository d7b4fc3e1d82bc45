import { afterEach, describe, expect, it } from 'vitest'
import { onnxRuntime } from '../../../src/adapters/onnx/onnx.ts'
import { readOnnx } from '../../../src/models/onnx-graph.ts'
import type { Runtime, Tensor } from '../../../src/models/runtime.ts'
import { createTensor } from '../../../src/models/tensor.ts'
import { fixture, sha256, tensor } from '../../support/models.ts'

const opened: Runtime[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close()
})

async function open(name: string): Promise<Runtime> {
  const bytes = fixture(`${name}.onnx`)
  const runtime = await onnxRuntime(bytes, sha256(bytes))
  opened.push(runtime)
  return runtime
}

const never = () => new AbortController().signal

const run = (runtime: Runtime, inputs: Record<string, Tensor>, signal = never()) =>
  runtime.run(new Map(Object.entries(inputs)), signal)

const X = tensor(2, 4, [1, 2, 3, 4, 5, 6, 7, 8])

describe('ONNX Runtime', () => {
  it('says which it is and what the model takes and gives, as the file does', async () => {
    for (const name of ['mlp', 'classifier', 'two-inputs', 'fixed-batch', 'types', 'half']) {
      const runtime = await open(name)
      expect(runtime.about).toMatch(/^onnxruntime \d+\.\d+\.\d+$/)
      const graph = readOnnx(fixture(`${name}.onnx`))
      expect({ signature: await runtime.signature(never()) }).toMatchObject({
        signature: 'fault' in graph ? {} : graph.signature,
      })
      expect(await runtime.ready(never())).toBe(true)
    }
  })

  it('takes and gives numbers of every type', async () => {
    const runtime = await open('types')
    const inputs = {
      float32: createTensor('float32', 2, 2, [0.1, -2, 3, 4]),
      float64: createTensor('float64', 2, 2, [0.1, -2, 3, 4]),
      int32: createTensor('int32', 2, 2, [1, -2, 3, 2 ** 31 - 1]),
      int64: createTensor('int64', 2, 2, [1, -2, 3, 2 ** 40]),
      bool: createTensor('bool', 2, 2, [0, 1, 1, 0]),
    }
    const outputs = await run(runtime, inputs)
    for (const [name, given] of Object.entries(inputs)) expect(outputs.get(`${name}_out`)).toEqual(given)
  })

  it('takes a file that lies somewhere in a larger buffer', async () => {
    const bytes = fixture('mlp.onnx')
    const larger = new Uint8Array(bytes.length + 100).fill(7)
    larger.set(bytes, 33)
    const runtime = await onnxRuntime(larger.subarray(33, 33 + bytes.length), sha256(bytes))
    opened.push(runtime)
    expect(await run(runtime, { x: X })).toEqual(await run(await open('mlp'), { x: X }))
  })

  it('leaves out what is no number where there is one beside it', async () => {
    const outputs = await run(await open('texts'), { x: X })
    expect([...outputs.keys()]).toEqual(['probabilities'])
    expect(outputs.get('probabilities')).toMatchObject({ rows: 2, columns: 2 })
    expect(
      (await run(await open('ids'), { ids: createTensor('int64', 3, 2, [1, 2, 3, 4, 5, 6]) })).get('score'),
    ).toMatchObject({
      rows: 3,
      columns: 1,
    })
  })

  it.each([
    ['half', { x: X }, 'the model gives no numbers, only `score`, which is float16'],
    ['text', { x: X }, 'the model gives no numbers, only `class`, which is string'],
    ['mlp', { x: tensor(2, 3, [1, 2, 3, 4, 5, 6]) }, /dimensions? for input: x/],
    ['mlp', { y: X }, /input 'x' is missing/],
    ['mlp', { x: createTensor('float64', 2, 4, [1, 2, 3, 4, 5, 6, 7, 8]) }, /float/],
    ['fixed-batch', { x: X }, /dimensions? for input: x/],
    ['ids', { ids: createTensor('int64', 1, 2, [1, 99]) }, /indices element out of data bounds/],
  ])('fails with an answer that is none: %s', async (name, inputs, message) => {
    const failing = run(await open(name), inputs as unknown as Record<string, Tensor>)
    await expect(failing).rejects.toMatchObject({ reason: 'answer', message: expect.stringMatching(message) })
  })

  it('is late where nobody waits any more, and gone when it was closed', async () => {
    const runtime = await open('mlp')
    await expect(run(runtime, { x: X }, AbortSignal.abort())).rejects.toMatchObject({ reason: 'timeout' })
    const stopping = new AbortController()
    const running = run(runtime, { x: X }, stopping.signal)
    stopping.abort()
    await expect(running).rejects.toMatchObject({ reason: 'timeout' })
    await runtime.close()
    await runtime.close()
    expect(await runtime.ready(never())).toBe(false)
    await expect(run(runtime, { x: X })).rejects.toMatchObject({ reason: 'unreachable' })
  })

  it('is not opened', async () => {
    const opening = (bytes: Uint8Array, digest = sha256(bytes)) => onnxRuntime(bytes, digest)
    const mlp = fixture('mlp.onnx')
    await expect(opening(mlp, sha256(fixture('heads.onnx')))).rejects.toMatchObject({
      message: `the model is another one than the Model says: its digest is ${sha256(mlp)}`,
    })
    await expect(opening(mlp.subarray(0, 100))).rejects.toMatchObject({
      message: expect.stringMatching(/^the file is no/),
    })
    await expect(opening(fixture('external.onnx'))).rejects.toMatchObject({
      message: 'the model has weights in another file, `weights.bin`',
    })
    // A graph that is well formed and means nothing: its operator is none.
    const strange = Buffer.from(mlp)
    strange.write('Gumm', strange.indexOf('Gemm'))
    await expect(opening(strange)).rejects.toMatchObject({
      name: 'DapError',
      message: expect.stringMatching(/^ONNX Runtime [\d.]+ cannot load the model: .*Gumm/),
    })
  })
})
