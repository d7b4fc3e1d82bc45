/**
 * What a file of ONNX says of itself: a protobuf message `ModelProto` (onnx/onnx.proto), of which numbers of weights are passed over. Nothing is run; bytes may be
 * anybody's: a length is believed as far as there are bytes, and messages within messages to a depth.
 */
import type { Signature, TensorType } from './runtime.ts'

export interface OnnxGraph {
  readonly irVersion: number
  /** The program that wrote the file: `tf2onnx 1.17.0`; empty where it does not say. */
  readonly producer: string
  /** Versions of operator sets by domain; ONNX's own is the empty one. */
  readonly opsets: ReadonlyMap<string, number>
  /** How many nodes there are of each operator, in subgraphs and functions too, in the order in which they come first: `Gemm`, `ai.onnx.ml.TreeEnsembleRegressor`. */
  readonly operators: ReadonlyMap<string, number>
  readonly signature: Signature
  /** Texts by keys, as whoever exported the model put them in. */
  readonly metadata: ReadonlyMap<string, string>
  /** Files beside this one that weights are in, as it names them. */
  readonly external: readonly string[]
  /** Nodes whose outputs are drawn by chance, by operator. */
  readonly random: readonly string[]
  /** Nodes that make a row depend on the other rows of its batch, by operator. */
  readonly batchDependent: readonly string[]
}

/** Deeper messages are of no exporter: each subgraph takes three. */
const MAX_DEPTH = 100

/** The graph, or what keeps the bytes from being one, in words that go on after "the file …". */
export function readOnnx(bytes: Uint8Array): OnnxGraph | { readonly fault: string } {
  const found = createFound()
  try {
    readModel(createMessage(bytes), found)
  } catch (error) {
    if (error instanceof WireFault) return { fault: `is no model of ONNX: ${error.message}` }
    throw error
  }
  const { hasGraph, inputs, outputs, initializers, dropouts, isFalse, ...graph } = found
  if (!hasGraph) return { fault: 'is no model of ONNX: there is no graph in it' }
  return {
    ...graph,
    // Before the IR's version 4 a weight was an input, too.
    signature: { inputs: inputs.filter(({ name }) => !initializers.has(name)), outputs },
    random: [...graph.random, ...dropouts.filter(mode => !isFalse.has(mode)).map(() => 'Dropout')],
  }
}

class WireFault extends Error {}

/** A message of protobuf's wire format. */
interface Message {
  /** Each field once for every time that it is there. */
  fields(): Iterable<Field>
}

interface Field {
  readonly number: number
  /** A varint, or its 64 bits as a number; 0 of another wire type. */
  readonly value: number
  /** What is in it, of a field with a length; empty of another wire type. */
  readonly bytes: Uint8Array
  text(): string
  message(): Message
}

const NO_BYTES = new Uint8Array(0)

const decoder = new TextDecoder()

function createMessage(bytes: Uint8Array, depth = 0): Message {
  if (depth > MAX_DEPTH) throw new WireFault(`messages are nested deeper than ${MAX_DEPTH}`)
  return {
    *fields() {
      let at = 0

      function varint(): number {
        let value = 0
        let scale = 1
        for (let i = 0; i < 10; i++) {
          if (at >= bytes.length) throw new WireFault('it ends within a number')
          const byte = bytes[at++]
          value += (byte & 0x7f) * scale
          if (byte < 0x80) return value
          scale *= 128
        }
        throw new WireFault('a number has more than 64 bits')
      }

      function take(length: number): Uint8Array {
        if (length > bytes.length - at) throw new WireFault('it ends within a field')
        at += length
        return bytes.subarray(at - length, at)
      }

      while (at < bytes.length) {
        const tag = varint()
        const [number, wire] = [Math.floor(tag / 8), tag % 8]
        if (number === 0) throw new WireFault('a field has the number 0')
        if (wire === 0) yield createField(number, varint(), NO_BYTES, depth)
        else if (wire === 1) yield createField(number, 0, take(8).subarray(8), depth)
        else if (wire === 2) yield createField(number, 0, take(varint()), depth)
        else if (wire === 5) yield createField(number, 0, take(4).subarray(4), depth)
        else throw new WireFault(`a field has the wire type ${wire}`)
      }
    },
  }
}

const createField = (number: number, value: number, bytes: Uint8Array, depth: number): Field => ({
  number,
  value,
  bytes,
  text: () => decoder.decode(bytes),
  message: () => createMessage(bytes, depth + 1),
})

/** What has been read so far. */
type Found = ReturnType<typeof createFound>

const createFound = () => ({
  irVersion: 0,
  producer: '',
  opsets: new Map<string, number>(),
  operators: new Map<string, number>(),
  metadata: new Map<string, string>(),
  external: [] as string[],
  random: [] as string[],
  batchDependent: [] as string[],
  hasGraph: false,
  inputs: [] as TensorType[],
  outputs: [] as TensorType[],
  initializers: new Set<string>(),
  /** Of nodes of Dropout, the input that says whether the model is being trained. */
  dropouts: [] as string[],
  /** Weights that are one `false`. */
  isFalse: new Set<string>(),
})

/** ModelProto. */
function readModel(model: Message, found: Found): void {
  let version = ''
  for (const field of model.fields()) {
    switch (field.number) {
      case 1:
        found.irVersion = field.value
        break
      case 2:
        found.producer = field.text()
        break
      case 3:
        version = field.text()
        break
      case 7:
        found.hasGraph = true
        readGraph(field.message(), found, true)
        break
      case 8:
        readOpset(field.message(), found)
        break
      case 14:
        readEntry(field.message(), found.metadata)
        break
      case 25:
        readFunction(field.message(), found)
        break
    }
  }
  found.producer = `${found.producer} ${version}`.trim()
}

/** OperatorSetIdProto. `ai.onnx` is another name of ONNX's own. */
function readOpset(opset: Message, { opsets }: Found): void {
  let domain = ''
  let version = 0
  for (const field of opset.fields()) {
    if (field.number === 1) domain = field.text()
    else if (field.number === 2) version = field.value
  }
  opsets.set(domain === 'ai.onnx' ? '' : domain, version)
}

/** StringStringEntryProto. */
function readEntry(entry: Message, entries: Map<string, string>): void {
  let [key, value] = ['', '']
  for (const field of entry.fields()) {
    if (field.number === 1) key = field.text()
    else if (field.number === 2) value = field.text()
  }
  entries.set(key, value)
}

/** FunctionProto: operators that are made of others. */
function readFunction(function_: Message, found: Found): void {
  for (const field of function_.fields()) if (field.number === 7) readNode(field.message(), found)
}

/** GraphProto: the model's own, or one within a node. */
function readGraph(graph: Message, found: Found, own: boolean): void {
  for (const field of graph.fields()) {
    switch (field.number) {
      case 1:
        readNode(field.message(), found)
        break
      case 5: {
        const { name, isFalse } = readTensor(field.message(), found)
        found.initializers.add(name)
        if (isFalse) found.isFalse.add(name)
        break
      }
      case 11:
        if (own) found.inputs.push(readValue(field.message()))
        break
      case 12:
        if (own) found.outputs.push(readValue(field.message()))
        break
      case 15:
        readSparse(field.message(), found)
        break
    }
  }
}

/** SparseTensorProto: values, and where they are. */
function readSparse(sparse: Message, found: Found): void {
  for (const { number, message } of sparse.fields()) {
    if (number === 1 || number === 2) found.initializers.add(readTensor(message(), found).name)
  }
}

/** What draws by chance wherever it stands, with a seed too: the next call draws on. */
const RANDOM = /^(RandomNormal|RandomUniform|Multinomial|Bernoulli)/

/** One scale and one zero point of all rows; `DynamicQuantizeLinear`, `-MatMul`, `-LSTM`. */
const DYNAMIC_QUANTISATION = /^DynamicQuantize/

/** NodeProto. */
function readNode(node: Message, found: Found): void {
  const inputs: string[] = []
  let output = ''
  let type = ''
  let domain = ''
  let training = false
  let isFalse = false
  for (const field of node.fields()) {
    switch (field.number) {
      case 1:
        inputs.push(field.text())
        break
      case 2:
        output ||= field.text()
        break
      case 4:
        type = field.text()
        break
      case 5: {
        const attribute = readAttribute(field.message(), found)
        training ||= attribute.name === 'training_mode' && attribute.integer !== 0
        isFalse ||= attribute.isFalse
        break
      }
      case 7:
        domain = field.text()
        break
    }
  }
  const name = domain === '' || domain === 'ai.onnx' ? type : `${domain}.${type}`
  found.operators.set(name, (found.operators.get(name) ?? 0) + 1)
  if (type === 'Constant' && isFalse) found.isFalse.add(output)
  if (RANDOM.test(type)) found.random.push(name)
  if (type === 'Dropout' && (inputs[2] ?? '') !== '') found.dropouts.push(inputs[2])
  if (DYNAMIC_QUANTISATION.test(type) || (type === 'BatchNormalization' && training)) found.batchDependent.push(name)
}

/** AttributeProto. */
function readAttribute(attribute: Message, found: Found): { name: string; integer: number; isFalse: boolean } {
  let name = ''
  let integer = 0
  let isFalse = false
  for (const field of attribute.fields()) {
    switch (field.number) {
      case 1:
        name = field.text()
        break
      case 3:
        integer = field.value
        break
      case 5:
      case 10:
        isFalse = readTensor(field.message(), found).isFalse
        break
      case 6:
      case 11:
        readGraph(field.message(), found, false)
        break
      case 22:
      case 23:
        readSparse(field.message(), found)
        break
    }
  }
  return { name, integer, isFalse }
}

/** TensorProto's constants. */
const BOOL = 9
const EXTERNAL = 1

/** TensorProto: its name, and whether it is a single `false`. Other numbers are not looked at. */
function readTensor(tensor: Message, found: Found): { readonly name: string; readonly isFalse: boolean } {
  let name = ''
  let dtype = 0
  let isOutside = false
  let isZero = false
  const entries = new Map<string, string>()
  for (const field of tensor.fields()) {
    switch (field.number) {
      case 2:
        dtype = field.value
        break
      // A list of integers, packed or not, or all numbers as bytes: of one that is 0 they look alike.
      case 5:
      case 9:
        isZero = field.bytes.length === 0 ? field.value === 0 : field.bytes.length === 1 && field.bytes[0] === 0
        break
      case 8:
        name = field.text()
        break
      case 13:
        readEntry(field.message(), entries)
        break
      case 14:
        isOutside = field.value === EXTERNAL
        break
    }
  }
  if (isOutside || entries.size > 0) found.external.push(entries.get('location') ?? '')
  return { name, isFalse: dtype === BOOL && isZero }
}

/** Names of TensorProto.DataType. */
const DTYPES = [
  ...['undefined', 'float32', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', 'string', 'bool', 'float16'],
  ...['float64', 'uint32', 'uint64', 'complex64', 'complex128', 'bfloat16'],
]

/** ValueInfoProto. */
function readValue(value: Message): TensorType {
  let name = ''
  let type: Omit<TensorType, 'name'> = { dtype: 'undefined', shape: [] }
  for (const field of value.fields()) {
    if (field.number === 1) name = field.text()
    else if (field.number === 2) type = readType(field.message())
  }
  return { name, ...type }
}

/** TypeProto. */
function readType(type: Message): Omit<TensorType, 'name'> {
  const words: Readonly<Record<number, string>> = { 4: 'a sequence', 5: 'a map', 8: 'sparse', 9: 'optional' }
  let read: Omit<TensorType, 'name'> = { dtype: 'undefined', shape: [] }
  for (const field of type.fields()) {
    if (field.number === 1) read = readTensorType(field.message())
    else if (field.number in words) read = { dtype: words[field.number], shape: [] }
  }
  return read
}

/** TypeProto.Tensor. */
function readTensorType(type: Message): Omit<TensorType, 'name'> {
  let dtype = 'undefined'
  let shape: TensorType['shape'] = []
  for (const field of type.fields()) {
    if (field.number === 1) dtype = DTYPES[field.value] ?? `type ${field.value}`
    else if (field.number === 2) shape = [...field.message().fields()].flatMap(dimensionOf)
  }
  return { dtype, shape }
}

/** TensorShapeProto.Dimension: a size, a name, or neither. */
function dimensionOf({ number, message }: Field): TensorType['shape'] {
  if (number !== 1) return []
  let dimension: number | string | null = null
  for (const field of message().fields()) {
    // Some exporters write −1, 64 ones, where they do not know.
    if (field.number === 1) dimension = field.value > Number.MAX_SAFE_INTEGER ? null : field.value
    else if (field.number === 2) dimension = field.text() || null
  }
  return [dimension]
}
