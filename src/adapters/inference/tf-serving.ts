/**
 * TensorFlow Serving. REST: https://www.tensorflow.org/tfx/serving/api_rest; gRPC: `tensorflow_serving/apis` and `tensorflow/core/framework/tensor.proto`, whose
 * numbers of fields are here.
 */
import {
  type Dtype,
  ModelFailure,
  type Runtime,
  type Signature,
  type Tensor,
  type TensorType,
} from '../../models/runtime.ts'
import { bytesField, integerField, type Message, readMessage, varintsOf, writeMessage } from '../protobuf.ts'
import {
  dtypeOf,
  type Element,
  fromBytes,
  fromNumbers,
  fromVarints,
  matrix,
  quoted,
  sizeOf,
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

export interface TfServingSpec {
  readonly url: string
  readonly model: string
  /** A number, or a label such as `stable`. */
  readonly version?: string
  readonly signature: string
}

/** `outputs` are the names that are asked for: what has one output alone says no name. */
export function tfServingRest(spec: TfServingSpec, outputs: readonly string[]): Runtime {
  const site: Site = { base: spec.url.replace(/\/+$/, '') }
  const path = `/v1/models/${encodeURIComponent(spec.model)}${versionPath(spec.version)}`
  return {
    about: 'TensorFlow Serving over REST',
    async signature(signal) {
      const { metadata } = await askFor(site, `${path}/metadata`, signal)
      const all = fieldsOf(fieldsOf(fieldsOf(metadata)['signature_def'])['signature_def'])
      const { inputs, outputs } = fieldsOf(Object.hasOwn(all, spec.signature) ? all[spec.signature] : undefined)
      return signatureOf(
        Object.entries(fieldsOf(inputs)).map(typeInJson),
        Object.entries(fieldsOf(outputs)).map(typeInJson),
      )
    },
    async run(inputs, signal) {
      const tensors = [...inputs].map(([name, tensor]) => `${JSON.stringify(name)}:[${rowsInJson(name, tensor)}]`)
      const body = `{"signature_name":${JSON.stringify(spec.signature)},"inputs":{${tensors}}}`
      return columnsIn(hostOf(site.base), await askFor(site, `${path}:predict`, signal, body), outputs)
    },
    ready: signal => says(site, path, signal, isAvailable),
    close: async () => {},
  }
}

function versionPath(version: string | undefined): string {
  if (version === undefined) return ''
  return `/${/^\d+$/.test(version) ? 'versions' : 'labels'}/${encodeURIComponent(version)}`
}

/** Lists of numbers, one a row. */
export function rowsInJson(name: string, tensor: Tensor): string[] {
  const numbers = toJson(name, tensor)
  const { rows, columns } = tensor
  return Array.from({ length: rows }, (_, row) => `[${numbers.slice(row * columns, (row + 1) * columns)}]`)
}

/** The column form of an answer: `outputs` is a tensor by name, or the only one. */
function columnsIn(host: string, answer: Readonly<Record<string, unknown>>, names: readonly string[]): Outputs {
  const { outputs } = answer
  if (Array.isArray(outputs)) return onlyOutput(host, outputs, names)
  return tensorsOf(host, Object.entries(fieldsOf(outputs)))
}

/** The row form of an answer: a row has a value by the output's name, or that of the only output. */
export function rowsIn(host: string, predictions: readonly unknown[], names: readonly string[]): Outputs {
  const isNamed = (row: unknown) => typeof row === 'object' && row !== null && !Array.isArray(row)
  if (!predictions.every(isNamed)) return onlyOutput(host, predictions, names)
  const found = Object.keys(fieldsOf(predictions[0]))
  return tensorsOf(
    host,
    found.map(name => [name, predictions.map(row => fieldsOf(row)[name])]),
  )
}

/** What has no name is what was asked for; where nobody asked, TensorFlow's own name for it. */
function onlyOutput(host: string, value: readonly unknown[], names: readonly string[]): Outputs {
  if (names.length > 1)
    throw new ModelFailure('answer', `${host} answers one output, and ${names.length} are asked for`)
  return tensorsOf(host, [[names[0] ?? 'output_0', value]])
}

/** Those that are of numbers; JSON does not say of which. */
function tensorsOf(host: string, values: readonly (readonly [name: string, value: unknown])[]): Outputs {
  const found = new Map<string, Tensor>()
  for (const [name, value] of values) {
    const numbers = numbersIn(value)
    if (numbers === undefined) continue
    const rows = Array.isArray(value) ? value.length : 1
    const columns = rows === 0 ? 0 : numbers.length / rows
    if (Array.isArray(value) && value.some(row => numbersIn(row)?.length !== columns))
      throw new ModelFailure('answer', `output ${quoted(name)} has rows that are not alike`)
    found.set(name, matrix(name, [rows, columns], fromNumbers(name, 'float64', numbers)))
  }
  if (found.size === 0) throw noOutputs(host)
  return found
}

const noOutputs = (host: string) => new ModelFailure('answer', `${host} answers no outputs of numbers`)

function isAvailable(json: unknown): boolean {
  const versions = listOf(fieldsOf(json)['model_version_status'])
  return versions.some(version => fieldsOf(version)['state'] === 'AVAILABLE')
}

function signatureOf(inputs: readonly TensorType[], outputs: readonly TensorType[]): Signature | undefined {
  return inputs.length === 0 && outputs.length === 0 ? undefined : { inputs, outputs }
}

function typeInJson([name, value]: readonly [name: string, value: unknown]): TensorType {
  const { dtype, tensor_shape } = fieldsOf(value)
  const dimensions = listOf(fieldsOf(tensor_shape)['dim']).map(each => Number(fieldsOf(each)['size']))
  const type = TYPES.find(({ tf }) => `DT_${tf}` === dtype)
  return typed(name, type?.name ?? String(dtype).replace('DT_', '').toLowerCase(), dimensions)
}

/** tensorflow.DataType: its name and number there, and the field of TensorProto that has its numbers where they are not in `tensor_content`. */
const TYPES: readonly {
  readonly tf: string
  readonly code: number
  readonly name: Element | 'string'
  readonly field: number
}[] = [
  { tf: 'FLOAT', code: 1, name: 'float32', field: 5 },
  { tf: 'DOUBLE', code: 2, name: 'float64', field: 6 },
  { tf: 'INT32', code: 3, name: 'int32', field: 7 },
  { tf: 'UINT8', code: 4, name: 'uint8', field: 7 },
  { tf: 'INT16', code: 5, name: 'int16', field: 7 },
  { tf: 'INT8', code: 6, name: 'int8', field: 7 },
  { tf: 'STRING', code: 7, name: 'string', field: 8 },
  { tf: 'INT64', code: 9, name: 'int64', field: 10 },
  { tf: 'BOOL', code: 10, name: 'bool', field: 11 },
  { tf: 'BFLOAT16', code: 14, name: 'bfloat16', field: 13 },
  { tf: 'UINT16', code: 17, name: 'uint16', field: 7 },
  { tf: 'HALF', code: 19, name: 'float16', field: 13 },
  { tf: 'UINT32', code: 22, name: 'uint32', field: 16 },
  { tf: 'UINT64', code: 23, name: 'uint64', field: 17 },
]

const codeOf = (dtype: Dtype) => TYPES.find(({ name }) => name === dtype)!.code

const SERVICES = 'tensorflow.serving'

/** `outputs` are asked for by name; all of them where none is named. */
export function tfServingGrpc(spec: TfServingSpec, outputs: readonly string[]): Runtime {
  const channel = channelTo(spec.url)
  const model = bytesField(1, modelSpec(spec))
  return {
    about: 'TensorFlow Serving over gRPC',
    async signature(signal) {
      const request = writeMessage(model, bytesField(2, 'signature_def'))
      const answer = await channel.call(`${SERVICES}.PredictionService/GetModelMetadata`, request, signal)
      return decoding(channel.host, () => {
        // A map of google.protobuf.Any, of which `signature_def` is a message with a map.
        const any = entriesOf(answer.all(2)).get('signature_def')
        const all = readMessage(readMessage(any ?? new Uint8Array()).bytes(2))
        const found = readMessage(entriesOf(all.all(1)).get(spec.signature) ?? new Uint8Array())
        return signatureOf([...entriesOf(found.all(1))].map(typeOf), [...entriesOf(found.all(2))].map(typeOf))
      })
    },
    async run(inputs, signal) {
      const request = writeMessage(model, ...inputFields(inputs), ...outputs.map(name => bytesField(3, name)))
      const answer = await channel.call(`${SERVICES}.PredictionService/Predict`, request, signal)
      return decoding(channel.host, () => {
        const tensors = [...entriesOf(answer.all(1))].flatMap(([name, bytes]) => tensorOf(name, readMessage(bytes)))
        if (tensors.length === 0) throw noOutputs(channel.host)
        return new Map(tensors)
      })
    },
    async ready(signal) {
      try {
        const answer = await channel.call(`${SERVICES}.ModelService/GetModelStatus`, model, signal)
        return answer.all(1).some(version => readMessage(version).integer(2) === AVAILABLE)
      } catch {
        return false
      }
    },
    close: async () => channel.close(),
  }
}

/** Of ModelVersionStatus.State. */
const AVAILABLE = 30

function modelSpec({ model, version, signature }: TfServingSpec): Uint8Array {
  const isNumber = version !== undefined && /^\d+$/.test(version)
  return writeMessage(
    bytesField(1, model),
    isNumber ? bytesField(2, integerField(1, Number(version))) : undefined,
    bytesField(3, signature),
    version === undefined || isNumber ? undefined : bytesField(4, version),
  )
}

/** Entries of a map, which are messages of a key and a value. */
function entriesOf(entries: readonly Uint8Array[]): Map<string, Uint8Array> {
  return new Map(
    entries.map(bytes => {
      const entry = readMessage(bytes)
      return [entry.text(1), entry.bytes(2)] as const
    }),
  )
}

function inputFields(inputs: Inputs): Uint8Array[] {
  return [...inputs].map(([name, tensor]) => {
    const dimensions = [tensor.rows, tensor.columns].map(size => bytesField(2, integerField(1, size)))
    const proto = writeMessage(
      integerField(1, codeOf(dtypeOf(tensor))),
      bytesField(2, writeMessage(...dimensions)),
      bytesField(4, toBytes(tensor)),
    )
    return bytesField(2, writeMessage(bytesField(1, name), bytesField(2, proto)))
  })
}

/** Of a TensorShapeProto. */
function shapeOf(bytes: Uint8Array): number[] {
  return readMessage(bytes)
    .all(2)
    .map(dimension => Number(varintsOf(readMessage(dimension).bytes(1))[0] ?? 0n))
}

/** Of a TensorInfo. */
function typeOf([name, bytes]: readonly [name: string, bytes: Uint8Array]): TensorType {
  const info = readMessage(bytes)
  const type = TYPES.find(({ code }) => code === info.integer(2))
  return typed(name, type?.name ?? `type ${info.integer(2)}`, shapeOf(info.bytes(3)))
}

/** Of a TensorProto; none where it is not of numbers. */
function tensorOf(name: string, proto: Message): (readonly [name: string, tensor: Tensor])[] {
  const type = TYPES.find(({ code }) => code === proto.integer(1))
  if (type === undefined || type.name === 'string') return []
  const shape = shapeOf(proto.bytes(2))
  const content = proto.bytes(4)
  if (content.length > 0) return [[name, matrix(name, shape, fromBytes(name, type.name, content))]]
  const isFixed = type.name === 'float32' || type.name === 'float64'
  const data = (isFixed ? fromBytes : fromVarints)(name, type.name, proto.packed(type.field))
  const size = sizeOf(name, shape)
  if (data.length === 0 || data.length >= size) return [[name, matrix(name, shape, data)]]
  // Of numbers that end alike the last one stands for all that follow.
  const all = new (data.constructor as new (length: number) => typeof data)(size)
  for (let i = 0; i < size; i++) all[i] = data[Math.min(i, data.length - 1)] as never
  return [[name, matrix(name, shape, all)]]
}
