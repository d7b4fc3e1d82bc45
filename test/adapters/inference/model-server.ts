/** A model, and the servers that have it: what it answers are its inputs, each by the name `NAME_again`, and the sum of each row's float32 as `sum`. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { Server } from 'node:net'
import { grpc } from 'google-gax'
import { listen } from './ports.ts'
import { decode, encode, type Json } from './protos.ts'

export interface HttpAnswer {
  readonly status?: number
  readonly type?: string
  /** Also on a connection that stays open: it has no end before somebody gives it one. */
  readonly body: string | Buffer
  readonly location?: string
}

export interface ModelServer {
  readonly url: string
  readonly port: number
  /** Bodies and headers of what was asked, last of all the newest. */
  readonly asked: { readonly path: string; readonly body: string; readonly headers: IncomingMessage['headers'] }[]
  close(): Promise<void>
}

/** `answer` says what comes back, where that is not what the model says. */
export async function restServer(
  answer: (path: string) => HttpAnswer | undefined = () => undefined,
): Promise<ModelServer> {
  const asked: ModelServer['asked'] = []
  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const path = decodeURIComponent(request.url ?? '')
    const body = Buffer.concat(chunks).toString()
    asked.push({ path, body, headers: request.headers })
    const said = answer(path) ?? modelAnswer(`${request.method} ${path}`, body)
    response.statusCode = said.status ?? 200
    response.setHeader('content-type', said.type ?? 'application/json')
    if (said.location !== undefined) response.setHeader('location', said.location)
    response.end(said.body)
  }
  const server = createServer(listener)
  const port = await listen(server)
  return { url: `http://127.0.0.1:${port}`, port, asked, close: () => closed(server) }
}

function closed(server: Server & { closeAllConnections(): void }): Promise<void> {
  return new Promise(done => {
    server.close(() => done())
    server.closeAllConnections()
  })
}

interface JsonTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly datatype: string
  readonly data: readonly number[]
}

/** JSON has a negative zero, which JSON.stringify does not write. */
const stringify = (value: unknown) =>
  JSON.stringify(value, (_, each) => (Object.is(each, -0) ? '-0' : each)).replaceAll('"-0"', '-0')

const VERTEX = 'POST /v1/projects/shop/locations/europe-west1/endpoints/7'

function modelAnswer(asked: string, body: string): HttpAnswer {
  const json = (value: unknown): HttpAnswer => ({ body: stringify(value) })
  switch (asked) {
    case 'GET /v2/health/ready':
    case 'GET /v2/models/m/ready':
    case 'GET /v2/models/m/versions/3/ready':
      return { body: '' }
    case 'GET /v2/models/m':
      return json({
        name: 'm',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
        outputs: [
          { name: 'sum', datatype: 'FP64', shape: [-1] },
          { name: 'label', datatype: 'BYTES', shape: [-1] },
        ],
      })
    case 'POST /v2/models/m/infer':
    case 'POST /v2/models/m/versions/3/infer':
    case `${VERTEX}:rawPredict`:
      return json(inferred(JSON.parse(body)))
    case 'GET /v1/models/m':
      return json({ model_version_status: [{ version: '3', state: 'AVAILABLE', status: { error_code: 'OK' } }] })
    case 'GET /v1/models/m/metadata':
      return json({ metadata: { signature_def: { signature_def: { serving_default: JSON_SIGNATURE } } } })
    case 'POST /v1/models/m:predict':
    case 'POST /v1/models/m/versions/3:predict':
    case 'POST /v1/models/m/labels/stable:predict':
      return json({ outputs: again((JSON.parse(body) as { inputs: Json }).inputs) })
    case `${VERTEX}:predict`:
      return json({ predictions: predicted((JSON.parse(body) as { instances: unknown[] }).instances) })
    default:
      return { ...json({ error: `there is no ${asked}` }), status: 404 }
  }
}

const JSON_SIGNATURE = {
  inputs: { x: { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: '-1', name: '' }, { size: '2' }] }, name: 'x:0' } },
  outputs: { sum: { dtype: 'DT_DOUBLE', tensor_shape: { dim: [{ size: '-1' }] } }, label: { dtype: 'DT_STRING' } },
  method_name: 'tensorflow/serving/predict',
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)

/** What is asked for, or all of it, and a text that is no number. */
function inferred({ inputs, outputs }: { inputs: readonly JsonTensor[]; outputs?: readonly { name: string }[] }): Json {
  if (inputs.length === 0) return { outputs: [] }
  const [{ data, shape }] = inputs
  const rows = Array.from({ length: shape[0] }, (_, row) => data.slice(row * shape[1], (row + 1) * shape[1]))
  const all: Json[] = [
    ...inputs.map(input => ({ ...input, name: `${input.name}_again` })),
    { name: 'sum', datatype: 'FP64', shape: [rows.length], data: rows.map(sum) },
    { name: 'label', datatype: 'BYTES', shape: [rows.length], data: rows.map(() => 'yes') },
  ]
  const wanted = outputs?.map(({ name }) => name)
  return { model_name: 'm', outputs: all.filter(({ name }) => wanted === undefined || wanted.includes(name as string)) }
}

/** Of the column form. */
function again(inputs: Json): Json {
  const rows = Object.values(inputs)[0] as readonly (readonly number[])[]
  const copies = Object.entries(inputs).map(([name, value]) => [`${name}_again`, value] as const)
  return { ...Object.fromEntries(copies), sum: rows.map(sum), label: rows.map(() => 'yes') }
}

/** Of the row form. */
function predicted(instances: readonly unknown[]): unknown[] {
  return instances.map(instance => {
    if (Array.isArray(instance)) return { x_again: instance, sum: sum(instance), label: 'yes' }
    const inputs = Object.entries(instance as Readonly<Record<string, readonly number[]>>)
    return { ...Object.fromEntries(inputs.map(([name, value]) => [`${name}_again`, value])), sum: sum(inputs[0][1]) }
  })
}

export interface GrpcFault {
  readonly code: number
  readonly details: string
}

/** How an answer's numbers are written: `raw` bytes, or as a list of their type. */
export type Contents = 'raw' | 'typed'

/** gRPC's own server; `answer` gives bytes, or a status, where that is not what the model says. */
export async function grpcServer(
  contents: Contents = 'raw',
  answer: (method: string) => Buffer | GrpcFault | undefined = () => undefined,
): Promise<ModelServer & { readonly requests: { readonly method: string; readonly message: Json }[] }> {
  const requests: { readonly method: string; readonly message: Json }[] = []
  const server = new grpc.Server()
  const same = (bytes: Buffer) => bytes
  for (const [method, [request, response, reply]] of Object.entries(METHODS)) {
    const handle = (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      const message = decode(request, call.request)
      requests.push({ method, message })
      const said = answer(method)
      if (said !== undefined && 'code' in said) done(Object.assign(new Error(said.details), said))
      else done(null, said ?? encode(response, reply(message, contents)))
    }
    server.register(`/${method}`, handle, same, same, 'unary')
  }
  const bind = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
  const port = await listen(bind)
  return { url: `http://127.0.0.1:${port}`, port, asked: [], requests, close: async () => server.forceShutdown() }
}

type Reply = (message: Json, contents: Contents) => Json

const METHODS: Readonly<Record<string, readonly [request: string, response: string, reply: Reply]>> = {
  'inference.GRPCInferenceService/ServerReady': [
    'inference.ServerReadyRequest',
    'inference.ServerReadyResponse',
    () => ({ ready: true }),
  ],
  'inference.GRPCInferenceService/ModelReady': [
    'inference.ModelReadyRequest',
    'inference.ModelReadyResponse',
    ({ name }) => ({ ready: name === 'm' }),
  ],
  'inference.GRPCInferenceService/ModelMetadata': [
    'inference.ModelMetadataRequest',
    'inference.ModelMetadataResponse',
    () => ({
      name: 'm',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [
        { name: 'sum', datatype: 'FP64', shape: [-1] },
        { name: 'label', datatype: 'BYTES', shape: [-1] },
      ],
    }),
  ],
  'inference.GRPCInferenceService/ModelInfer': ['inference.ModelInferRequest', 'inference.ModelInferResponse', infer],
  'tensorflow.serving.PredictionService/Predict': ['tensorflow.PredictRequest', 'tensorflow.PredictResponse', predict],
  'tensorflow.serving.PredictionService/GetModelMetadata': [
    'tensorflow.GetModelMetadataRequest',
    'tensorflow.GetModelMetadataResponse',
    () => ({
      metadata: {
        signature_def: {
          typeUrl: 'type.googleapis.com/tensorflow.serving.SignatureDefMap',
          value: encode('tensorflow.SignatureDefMap', { signatureDef: { serving_default: SIGNATURE } }),
        },
      },
    }),
  ],
  'tensorflow.serving.ModelService/GetModelStatus': [
    'tensorflow.GetModelStatusRequest',
    'tensorflow.GetModelStatusResponse',
    ({ modelSpec }) => ({
      modelVersionStatus: [{ version: 3, state: (modelSpec as Json)['name'] === 'm' ? 30 : 50 }],
    }),
  ],
}

const SIGNATURE = {
  inputs: { x: { name: 'x:0', dtype: 1, tensorShape: { dim: [{ size: -1 }, { size: 2 }] } } },
  outputs: { sum: { dtype: 2, tensorShape: { dim: [{ size: -1 }] } }, label: { dtype: 7 } },
}

/** Field of InferTensorContents, field of TensorProto, and how to read and write one number of so many bytes. */
const NUMBERS = {
  FP32: {
    contents: 'fp32Contents',
    dtype: 1,
    value: 'floatVal',
    bytes: 4,
    read: (b: Buffer, at: number) => b.readFloatLE(at),
  },
  FP64: {
    contents: 'fp64Contents',
    dtype: 2,
    value: 'doubleVal',
    bytes: 8,
    read: (b: Buffer, at: number) => b.readDoubleLE(at),
  },
  INT32: {
    contents: 'intContents',
    dtype: 3,
    value: 'intVal',
    bytes: 4,
    read: (b: Buffer, at: number) => b.readInt32LE(at),
  },
  INT64: {
    contents: 'int64Contents',
    dtype: 9,
    value: 'int64Val',
    bytes: 8,
    read: (b: Buffer, at: number) => String(b.readBigInt64LE(at)),
  },
  BOOL: {
    contents: 'boolContents',
    dtype: 10,
    value: 'boolVal',
    bytes: 1,
    read: (b: Buffer, at: number) => b[at] !== 0,
  },
} as const

const numbersOf = ({ bytes, read }: (typeof NUMBERS)[keyof typeof NUMBERS], raw: Buffer) =>
  Array.from({ length: raw.length / bytes }, (_, i) => read(raw, i * bytes))

const sumsOf = (raw: Buffer, rows: number): Buffer => {
  const sums = Buffer.alloc(8 * rows)
  const columns = raw.length / 4 / rows
  for (let row = 0; row < rows; row++)
    sums.writeDoubleLE(
      sum(Array.from({ length: columns }, (_, i) => raw.readFloatLE(4 * (row * columns + i)))),
      8 * row,
    )
  return sums
}

function infer(message: Json, contents: Contents): Json {
  const inputs = message['inputs'] as readonly {
    name: string
    datatype: keyof typeof NUMBERS
    shape: readonly string[]
  }[]
  const raw = message['rawInputContents'] as readonly Buffer[]
  const rows = Number(inputs[0].shape[0])
  const wanted = (message['outputs'] as readonly Json[]).map(({ name }) => name)
  const all = [
    ...inputs.map(({ name, datatype, shape }, i) => ({ name: `${name}_again`, datatype, shape, raw: raw[i] })),
    { name: 'sum', datatype: 'FP64' as const, shape: [rows], raw: sumsOf(raw[0], rows) },
  ].filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  if (contents === 'raw') return { outputs: all, rawOutputContents: all.map(each => each.raw) }
  return {
    outputs: [
      ...all.map(each => {
        const numbers = NUMBERS[each.datatype]
        return { ...each, contents: { [numbers.contents]: numbersOf(numbers, each.raw) } }
      }),
      { name: 'label', datatype: 'BYTES', shape: [1], contents: { bytesContents: [Buffer.from('yes')] } },
    ],
  }
}

function predict(message: Json, contents: Contents): Json {
  const inputs = Object.entries(
    message['inputs'] as Readonly<Record<string, { dtype: number; tensorShape: Json; tensorContent: Buffer }>>,
  )
  const [[, first]] = inputs
  const rows = Number((first.tensorShape['dim'] as readonly Json[])[0]['size'])
  const all = [
    ...inputs.map(([name, tensor]) => [`${name}_again`, tensor] as const),
    [
      'sum',
      { dtype: 2, tensorShape: { dim: [{ size: rows }] }, tensorContent: sumsOf(first.tensorContent, rows) },
    ] as const,
  ]
  const wanted = message['outputFilter'] as readonly string[]
  const outputs = all
    .filter(([name]) => wanted.length === 0 || wanted.includes(name))
    .map(([name, tensor]) => {
      const { dtype, tensorShape, tensorContent } = tensor
      if (contents === 'raw') return [name, { dtype, tensorShape, tensorContent }]
      const numbers = Object.values(NUMBERS).find(each => each.dtype === dtype)!
      return [name, { dtype, tensorShape, [numbers.value]: numbersOf(numbers, tensorContent) }]
    })
  return { outputs: Object.fromEntries(outputs) }
}
