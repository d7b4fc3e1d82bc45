import { createHash } from 'node:crypto'
import type { InferenceSession, OnnxValue, Tensor as OrtTensor } from 'onnxruntime-node'
import { DapError, InstallationError, messageOf } from '../../errors.ts'
import { readOnnx } from '../../models/onnx-graph.ts'
import { type Dtype, ModelFailure, type Runtime, type Tensor, type TensorType } from '../../models/runtime.ts'

type Ort = typeof import('onnxruntime-node')

/**
 * A model of ONNX in this process, on one thread: more of them gain nothing at the size of a decision, and wait for each other by spinning. A DapError where
 * the bytes are not those of the digest, or none that the runtime can load; an InstallationError where it is not installed.
 */
export async function onnxRuntime(bytes: Uint8Array, digest: string): Promise<Runtime> {
  const found = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  if (found !== digest) {
    throw new DapError(`the model is another one than the Model says: its digest is ${found}`, {
      hint: `it was to be ${digest}`,
    })
  }
  const graph = readOnnx(bytes)
  if ('fault' in graph) throw new DapError(`the file ${graph.fault}`)
  // ONNX Runtime would look for them from the working folder on.
  if (graph.external.length > 0) {
    throw new DapError(`the model has weights in another file, \`${graph.external[0]}\``, { hint: ONE_FILE })
  }
  const ort = await load()
  const session = await open(ort, bytes)
  return runtimeOf(ort, session)
}

const ONE_FILE = 'save it as one file: `onnx.save(model, path, save_as_external_data=False)`'

/** Of the package, which dap is tested with; another one of the same major version is no less welcome. */
const INSTALL =
  '`ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30` beside dap installs it; the variable spares what graphics cards need'

async function load(): Promise<Ort> {
  try {
    const module = await import('onnxruntime-node')
    return (module as Ort & { readonly default?: Ort }).default ?? module
  } catch (cause) {
    throw new InstallationError(['onnxruntime-node'], cause, INSTALL)
  }
}

async function open(ort: Ort, bytes: Uint8Array): Promise<InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // What it has to say of a model it says in errors, too.
      logSeverityLevel: 4,
    })
  } catch (error) {
    throw new DapError(`ONNX Runtime ${ort.env.versions.node} cannot load the model: ${messageOf(error)}`, {
      hint: 'an operator set or an operator may be too new for it: `dap model show` says which there are',
    })
  }
}

function runtimeOf(ort: Ort, session: InferenceSession): Runtime {
  let closed = false
  // Texts, halves and maps are none that anybody could use; labels beside probabilities are not asked for either.
  const wanted = session.outputMetadata.flatMap(each => (each.isTensor && isDtype(each.type) ? each.name : []))

  async function call(inputs: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>> {
    if (wanted.length === 0) throw new ModelFailure('answer', `the model gives no numbers, only ${given(session)}`)
    const feeds = Object.fromEntries([...inputs].map(([name, tensor]) => [name, fed(ort, tensor)]))
    const outputs = await session.run(feeds, wanted)
    return new Map(Object.entries(outputs).map(([name, output]) => [name, taken(output)]))
  }

  return {
    about: `onnxruntime ${ort.env.versions.node}`,
    signature: async () => ({
      inputs: session.inputMetadata.map(typeOf),
      outputs: session.outputMetadata.map(typeOf),
    }),
    async run(inputs, signal) {
      if (closed) throw new ModelFailure('unreachable', 'the model was closed')
      try {
        return await beforeAbort(call(inputs), signal)
      } catch (error) {
        throw error instanceof ModelFailure ? error : new ModelFailure('answer', messageOf(error))
      }
    },
    ready: async () => !closed,
    async close() {
      if (closed) return
      closed = true
      await session.release()
    },
  }
}

/**
 * Rejects with `timeout` as soon as the signal is aborted. A call that has begun holds up this thread and with it whoever would abort: that signal is heard when the
 * call is over.
 */
async function beforeAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = () => new ModelFailure('timeout', 'the model did not answer in time')
  promise.catch(() => {}) // of a call that nobody waits for any more
  if (signal.aborted) throw late()
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(late())
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

const DTYPES: ReadonlySet<string> = new Set<Dtype>(['float32', 'float64', 'int32', 'int64', 'bool'])

const isDtype = (dtype: string): dtype is Dtype => DTYPES.has(dtype)

function fed(ort: Ort, { rows, columns, data }: Tensor): OrtTensor {
  const shape = [rows, columns]
  if (data instanceof Float32Array) return new ort.Tensor('float32', data, shape)
  if (data instanceof Float64Array) return new ort.Tensor('float64', data, shape)
  if (data instanceof Int32Array) return new ort.Tensor('int32', data, shape)
  if (data instanceof BigInt64Array) return new ort.Tensor('int64', data, shape)
  return new ort.Tensor('bool', data, shape)
}

/** A vector has a column; of what has more than two dimensions all but the first are columns, the last running fastest. */
function taken({ data, dims }: OnnxValue): Tensor {
  const rows = dims[0] ?? 1
  const columns = dims.slice(1).reduce((product, each) => product * each, 1)
  return { rows, columns, data: data as Tensor['data'] }
}

function typeOf(metadata: InferenceSession.ValueMetadata): TensorType {
  const { name } = metadata
  if (!metadata.isTensor) return { name, dtype: 'no tensor', shape: [] }
  return { name, dtype: metadata.type, shape: metadata.shape.map(each => (each === '' ? null : each)) }
}

const given = ({ outputMetadata }: InferenceSession) =>
  outputMetadata.map(each => `\`${each.name}\`, which is ${typeOf(each).dtype}`).join(' and ')
