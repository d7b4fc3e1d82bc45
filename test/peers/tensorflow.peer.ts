/** SavedModels of TensorFlow behind a server that speaks as TensorFlow Serving does, by its own stubs, which cannot be had as a program; and the same models as ONNX. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest'
import { createRemoteRuntime, type RemoteRuntime } from '../../src/adapters/inference/inference.ts'
import type { Runtime, Tensor } from '../../src/models/runtime.ts'
import { distance, type ModelProcess, matrixOf, modelProcess, readyOf } from './model-process.ts'
import { needs } from './needs.ts'
import { pythonWith } from './python.ts'

type Rows = readonly (readonly number[])[]

interface Said {
  readonly rest: number
  readonly grpc: number
  readonly rows: { readonly x: Rows; readonly price: Rows }
  /** Of each Keras model, as TensorFlow gives it itself. */
  readonly expected: { readonly clicks: Rows; readonly offers: Rows }
}

/** TensorFlow's kernels are others for other sizes of a batch. */
const TOLERANCE = 1e-6
/** Whichever test is the first one installs Python's packages, and waits for a server. */
const LIMIT_MS = 600_000
const never = () => new AbortController().signal

let starting: Promise<ModelProcess<Said>> | undefined
afterAll(async () => (await starting)?.end())

const python = (context: TestContext) =>
  needs(context, () => pythonWith(new URL('python/tensorflow.txt', import.meta.url).pathname))

async function tensorflow(context: TestContext): Promise<ModelProcess<Said>> {
  const program = await python(context)
  starting ??= modelProcess<Said>(program, 'tensorflow_model.py')
  return starting
}

function runtimeOf(spec: RemoteRuntime, outputs: readonly string[] = []): Runtime {
  const runtime = createRemoteRuntime(spec, outputs)
  onTestFinished(() => runtime.close())
  return runtime
}

const SEVERAL: ReadonlyMap<string, Tensor> = new Map([
  [
    'x',
    matrixOf([
      [1, 3],
      [-1, -3],
      [0, 0],
    ]),
  ],
  ['id', { rows: 3, columns: 1, data: BigInt64Array.of(1n, -(2n ** 53n), 3n) }],
])

const WAYS = {
  rest: (model, { rest }) => ({
    type: 'tf-serving',
    url: `http://127.0.0.1:${rest}`,
    model,
    protocol: 'rest',
    signature: 'serving_default',
  }),
  grpc: (model, { grpc }) => ({
    type: 'tf-serving',
    url: `http://127.0.0.1:${grpc}`,
    model,
    protocol: 'grpc',
    signature: 'serving_default',
  }),
  'predict of Vertex AI': (model, { rest }) => ({
    type: 'vertex',
    url: `http://127.0.0.1:${rest}`,
    endpoint: `projects/shop/locations/europe-west1/endpoints/${model}`,
    method: 'predict',
  }),
} as const satisfies Record<string, (model: string, said: Said) => RemoteRuntime>

describe.each(Object.keys(WAYS) as (keyof typeof WAYS)[])('a SavedModel over %s', { timeout: LIMIT_MS }, way => {
  it.for(['clicks', 'offers'] as const)(
    'has the numbers that TensorFlow has, in batches of 1, 7 and all: %s',
    async (model, context) => {
      const server = await tensorflow(context)
      const { rows, expected } = server.said
      const runtime = runtimeOf(WAYS[way](model, server.said))
      await readyOf(server, runtime)
      const all = expected[model]
      for (const size of [1, 7, all.length]) {
        for (let at = 0; at < all.length; at += size) {
          const some = (of: Rows) => matrixOf(of.slice(at, at + size))
          const inputs = new Map([['x', some(rows.x)]])
          if (model === 'offers') inputs.set('price', some(rows.price))
          const outputs = await runtime.run(inputs, never())
          expect([...outputs.keys()]).toEqual(['output_0'])
          expect(distance(outputs.get('output_0'), all.slice(at, at + size))).toBeLessThan(TOLERANCE)
        }
      }
    },
  )

  it('gives outputs of every type of numbers, among them what is none', async context => {
    const server = await tensorflow(context)
    const runtime = runtimeOf(WAYS[way]('several', server.said))
    await readyOf(server, runtime)
    const outputs = await runtime.run(SEVERAL, never())
    const numbers = Object.fromEntries([...outputs].map(([name, { data }]) => [name, Array.from(data, Number)]))
    expect(numbers).toEqual({
      mean: [2, -2, 0],
      deviation: [1, 1, 0],
      logarithm: [expect.closeTo(Math.log(2), 6), Number.NaN, Number.NEGATIVE_INFINITY],
      twice: [2, -(2 ** 54), 6],
      positive: [1, 0, 0],
    })
    for (const { rows, columns } of outputs.values()) expect({ rows, columns }).toEqual({ rows: 3, columns: 1 })
  })

  it('refuses what its signature does not have', async context => {
    const server = await tensorflow(context)
    const { said } = server
    await readyOf(server, runtimeOf(WAYS[way]('clicks', said)))
    const refused = { reason: 'answer', transient: false }
    const row = new Map([['x', matrixOf([[1, 2]])]])
    await expect(runtimeOf(WAYS[way]('clicks', said)).run(row, never())).rejects.toMatchObject(refused)
    const other = new Map([
      ['y', matrixOf([[1]])],
      ['z', matrixOf([[1]])],
    ])
    await expect(runtimeOf(WAYS[way]('clicks', said)).run(other, never())).rejects.toMatchObject(refused)
    const unknown = runtimeOf(WAYS[way]('nothing', said))
    expect(await unknown.ready(never())).toBe(false)
    await expect(unknown.run(row, never())).rejects.toMatchObject(refused)
  })
})

describe.each(['rest', 'grpc'] as const)('a SavedModel over %s', { timeout: LIMIT_MS }, way => {
  it('says its signature', async context => {
    const server = await tensorflow(context)
    const signatureOf = (model: string) => runtimeOf(WAYS[way](model, server.said)).signature(never())
    await readyOf(server, runtimeOf(WAYS[way]('clicks', server.said)))
    expect(await signatureOf('clicks')).toEqual({
      inputs: [{ name: 'x', dtype: 'float32', shape: [null, 6] }],
      outputs: [{ name: 'output_0', dtype: 'float32', shape: [null, 1] }],
    })
    const { inputs, outputs } = (await signatureOf('several'))!
    const types = Object.fromEntries([...inputs, ...outputs].map(({ name, dtype }) => [name, dtype]))
    expect(types).toEqual({
      x: 'float32',
      id: 'int64',
      mean: 'float32',
      deviation: 'float64',
      logarithm: 'float32',
      twice: 'int64',
      positive: 'bool',
      word: 'string',
    })
  })

  it('takes the version and the outputs that are asked for', async context => {
    const server = await tensorflow(context)
    const spec = { ...WAYS[way]('several', server.said), version: '1' }
    await readyOf(server, runtimeOf(spec))
    const outputs = await runtimeOf(spec, ['mean', 'deviation']).run(SEVERAL, never())
    expect(outputs.get('deviation')).toMatchObject({ rows: 3, columns: 1 })
    if (way === 'grpc') expect([...outputs.keys()].sort()).toEqual(['deviation', 'mean'])
    expect(await runtimeOf({ ...spec, version: '2' }).ready(never())).toBe(false)
  })
})

const RUN_ONNX = `
import json, sys
import numpy, onnxruntime
model, parity = sys.argv[1:]
rows = [json.loads(line) for line in open(parity)]
inputs = {name: numpy.array([row["inputs"][name] for row in rows], numpy.float32) for name in rows[0]["inputs"]}
[outputs] = onnxruntime.InferenceSession(model).run(None, inputs)
print(len(rows), numpy.abs(outputs - [row["output"] for row in rows]).max())
`

it.for(['clicks', 'offers'])(
  'the same model as ONNX has the same numbers: %s',
  { timeout: LIMIT_MS },
  async (model, context) => {
    const { folder } = await tensorflow(context)
    const files = [`${model}.onnx`, `${model}.parity.jsonl`].map(name => join(folder, name))
    const { stdout } = await execa(await python(context), ['-c', RUN_ONNX, ...files])
    const [rows, most] = stdout.split(' ').map(Number)
    expect(rows).toBe((await readFile(files[1], 'utf8')).trim().split('\n').length)
    expect(most).toBeLessThan(TOLERANCE)
  },
)
