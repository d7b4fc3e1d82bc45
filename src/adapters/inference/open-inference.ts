/**
 * The Open Inference Protocol, version 2, as KServe, Triton and MLServer speak it. REST:
 * https://github.com/kserve/open-inference-protocol; gRPC: `docs/predict-api/v2/grpc_predict_v2.proto` of KServe, whose numbers of fields are here.
 */
import { type Dtype, ModelFailure, type Runtime, type Signature, type Tensor } from '../../models/runtime.ts'
import { bytesField, integersField, type Message, readMessage, varintsOf, writeMessage } from '../protobuf.ts'
import {
  dtypeOf,
  type Element,
  fromBytes,
  fromNumbers,
  fromVarints,
  matrix,
  quoted,
  toBytes,
  toJson,
  typed,
} from './elements.ts'
import { decoding } from './failures.ts'
import { channelTo } from './grpc.ts'
import { askFor, hostOf, type Site, says } from './http.ts'
import { fieldsOf, listOf, numbersIn } from './json.ts'

type Inputs = ReadonlyMap<string, Tensor>
type Outputs = ReadonlyMap<string, Tensor>

export interface OpenInferenceSpec {
  readonly url: string
  readonly model: string
  readonly version?: string
}

/** `BYTES`, which are texts, is none of these. */
const ELEMENTS: Readonly<Record<string, Element>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  BF16: 'bfloat16',
  FP32: 'float32',
  FP64: 'float64',
}

const DATATYPES: Readonly<Record<Dtype, string>> = {
  bool: 'BOOL',
  int32: 'INT32',
  int64: 'INT64',
  float32: 'FP32',
  float64: 'FP64',
}

const elementOf = (datatype: string): Element | undefined =>
  Object.hasOwn(ELEMENTS, datatype) ? ELEMENTS[datatype] : undefined

const dtypeNamed = (datatype: string) =>
  elementOf(datatype) ?? (datatype === 'BYTES' ? 'string' : datatype.toLowerCase())

/** `outputs` are asked for by name; all of them where none is named. */
export function openInferenceRest(spec: OpenInferenceSpec, outputs: readonly string[]): Runtime {
  const site: Site = { base: spec.url.replace(/\/+$/, '') }
  const version = spec.version === undefined ? '' : `/versions/${encodeURIComponent(spec.version)}`
  const path = `/v2/models/${encodeURIComponent(spec.model)}${version}`
  return {
    about: 'Open Inference Protocol over REST',
    async signature(signal) {
      const { inputs, outputs } = await askFor(site, path, signal)
      return signatureOf(listOf(inputs).map(describedInJson), listOf(outputs).map(describedInJson))
    },
    async run(inputs, signal) {
      return outputsIn(hostOf(site.base), await askFor(site, `${path}/infer`, signal, requestOf(inputs, outputs)))
    },
    ready: async signal =>
      (await says(site, '/v2/health/ready', signal)) && (await says(site, `${path}/ready`, signal)),
    close: async () => {},
  }
}

/** The body of a request. */
export function requestOf(inputs: Inputs, outputs: readonly string[]): string {
  const tensors = [...inputs].map(([name, tensor]) => {
    const { rows, columns } = tensor
    const head = JSON.stringify({ name, shape: [rows, columns], datatype: DATATYPES[dtypeOf(tensor)] })
    return `${head.slice(0, -1)},"data":[${toJson(name, tensor)}]}`
  })
  const wanted = outputs.length === 0 ? '' : `,"outputs":${JSON.stringify(outputs.map(name => ({ name })))}`
  return `{"inputs":[${tensors}]${wanted}}`
}

/** Those of an answer that are of numbers. */
export function outputsIn(host: string, answer: Readonly<Record<string, unknown>>): Outputs {
  const found = new Map<string, Tensor>()
  for (const output of listOf(answer['outputs'])) {
    const { name, datatype, shape, data } = fieldsOf(output)
    if (typeof name !== 'string' || typeof datatype !== 'string') throw noOutputs(host)
    const element = elementOf(datatype)
    if (element === undefined) continue
    const values = numbersIn(data)
    if (!Array.isArray(data) || values === undefined)
      throw new ModelFailure('answer', `output ${quoted(name)} is of ${datatype}, and has something else`)
    found.set(name, matrix(name, listOf(shape).map(Number), fromNumbers(name, element, values)))
  }
  if (found.size === 0) throw noOutputs(host)
  return found
}

const noOutputs = (host: string) => new ModelFailure('answer', `${host} answers no outputs of numbers`)

interface Described {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
}

function describedInJson(value: unknown): Described {
  const { name, datatype, shape } = fieldsOf(value)
  return { name: String(name), datatype: String(datatype), shape: listOf(shape).map(Number) }
}

/** MLServer's lists are empty, where nobody wrote them down for it. */
function signatureOf(inputs: readonly Described[], outputs: readonly Described[]): Signature | undefined {
  if (inputs.length === 0 && outputs.length === 0) return undefined
  const types = (all: readonly Described[]) =>
    all.map(({ name, datatype, shape }) => typed(name, dtypeNamed(datatype), shape))
  return { inputs: types(inputs), outputs: types(outputs) }
}

const SERVICE = 'inference.GRPCInferenceService'

/** `outputs` are asked for by name; all of them where none is named. */
export function openInferenceGrpc(spec: OpenInferenceSpec, outputs: readonly string[]): Runtime {
  const channel = channelTo(spec.url)
  const named = writeMessage(bytesField(1, spec.model), optional(2, spec.version))
  const isReady = async (method: string, request: Uint8Array, signal: AbortSignal) =>
    (await channel.call(`${SERVICE}/${method}`, request, signal)).integer(1) === 1
  return {
    about: 'Open Inference Protocol over gRPC',
    async signature(signal) {
      const answer = await channel.call(`${SERVICE}/ModelMetadata`, named, signal)
      return decoding(channel.host, () => signatureOf(answer.all(4).map(described), answer.all(5).map(described)))
    },
    async run(inputs, signal) {
      const request = writeMessage(
        named,
        ...[...inputs].map(([name, tensor]) => bytesField(5, inputMessage(name, tensor))),
        ...outputs.map(name => bytesField(6, bytesField(1, name))),
        ...[...inputs.values()].map(tensor => bytesField(7, toBytes(tensor))),
      )
      const answer = await channel.call(`${SERVICE}/ModelInfer`, request, signal)
      return decoding(channel.host, () => outputsOf(channel.host, answer))
    },
    async ready(signal) {
      try {
        return (await isReady('ServerReady', new Uint8Array(), signal)) && (await isReady('ModelReady', named, signal))
      } catch {
        return false
      }
    },
    close: async () => channel.close(),
  }
}

const optional = (field: number, value: string | undefined) =>
  value === undefined ? undefined : bytesField(field, value)

function inputMessage(name: string, tensor: Tensor): Uint8Array {
  const datatype = DATATYPES[dtypeOf(tensor)]
  return writeMessage(bytesField(1, name), bytesField(2, datatype), integersField(3, [tensor.rows, tensor.columns]))
}

/** Of a tensor in an answer, or in a model's metadata. */
function described(bytes: Uint8Array): Described {
  const message = readMessage(bytes)
  return { name: message.text(1), datatype: message.text(2), shape: varintsOf(message.packed(3)).map(Number) }
}

/** Fields of InferTensorContents. */
const CONTENTS: Readonly<Record<Element, number>> = {
  bool: 1,
  int8: 2,
  int16: 2,
  int32: 2,
  int64: 3,
  uint8: 4,
  uint16: 4,
  uint32: 4,
  uint64: 5,
  // Raw, or not at all: an empty field.
  float16: 9,
  bfloat16: 9,
  float32: 6,
  float64: 7,
}

function outputsOf(host: string, answer: Message): Outputs {
  const found = new Map<string, Tensor>()
  const raw = answer.all(6)
  answer.all(5).forEach((bytes, i) => {
    const { name, datatype, shape } = described(bytes)
    const element = elementOf(datatype)
    if (element === undefined) return
    const contents = () => readMessage(readMessage(bytes).bytes(5)).packed(CONTENTS[element])
    const isFixed = element === 'float32' || element === 'float64'
    const data =
      raw.length > 0
        ? fromBytes(name, element, raw[i] ?? new Uint8Array())
        : (isFixed ? fromBytes : fromVarints)(name, element, contents())
    found.set(name, matrix(name, shape, data))
  })
  if (found.size === 0) throw noOutputs(host)
  return found
}
