/** Numbers of tensors as the protocols carry them, and as the port has them: of what it has no type for, in the smallest of its types that holds it. */
import { type Dtype, ModelFailure, type Tensor, type TensorData, type TensorType } from '../../models/runtime.ts'
import { varintsOf } from '../protobuf.ts'

/** What a tensor may be of. Texts and complex numbers are no numbers here. */
export type Element = Dtype | 'float16' | 'bfloat16' | 'int8' | 'int16' | 'uint8' | 'uint16' | 'uint32' | 'uint64'

interface Layout {
  readonly bytes: number
  readonly read: (view: DataView, at: number) => number | bigint
  readonly make: (length: number) => TensorData
}

const float32 = (length: number) => new Float32Array(length)
const float64 = (length: number) => new Float64Array(length)
const int32 = (length: number) => new Int32Array(length)

/** Little-endian, as both protocols say. */
const LAYOUTS: Readonly<Record<Element, Layout>> = {
  bool: { bytes: 1, read: (view, at) => Math.min(1, view.getUint8(at)), make: length => new Uint8Array(length) },
  int8: { bytes: 1, read: (view, at) => view.getInt8(at), make: int32 },
  int16: { bytes: 2, read: (view, at) => view.getInt16(at, true), make: int32 },
  int32: { bytes: 4, read: (view, at) => view.getInt32(at, true), make: int32 },
  int64: { bytes: 8, read: (view, at) => view.getBigInt64(at, true), make: length => new BigInt64Array(length) },
  uint8: { bytes: 1, read: (view, at) => view.getUint8(at), make: int32 },
  uint16: { bytes: 2, read: (view, at) => view.getUint16(at, true), make: int32 },
  uint32: { bytes: 4, read: (view, at) => view.getUint32(at, true), make: float64 },
  uint64: { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)), make: float64 },
  float16: { bytes: 2, read: (view, at) => halfOf(view.getUint16(at, true)), make: float32 },
  bfloat16: { bytes: 2, read: (view, at) => brainOf(view.getUint16(at, true)), make: float32 },
  float32: { bytes: 4, read: (view, at) => view.getFloat32(at, true), make: float32 },
  float64: { bytes: 8, read: (view, at) => view.getFloat64(at, true), make: float64 },
}

/** Of IEEE 754's binary16. */
function halfOf(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1
  const exponent = (bits >> 10) & 31
  const fraction = (bits & 1023) / 1024
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15))
}

/** The upper half of a float32. */
function brainOf(bits: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint16(0, bits)
  return view.getFloat32(0)
}

/** More numbers than the largest answer has, for a shape that says so. */
const MOST_NUMBERS = 4 * 1024 * 1024

/** A matrix of the numbers that an answer has, in its shape: rows are its first dimension, columns all others. A ModelFailure where they are not as many. */
export function matrix(name: string, shape: readonly number[], data: TensorData): Tensor {
  if (sizeOf(name, shape) !== data.length)
    throw new ModelFailure('answer', `output ${quoted(name)} has ${data.length} numbers, in the shape [${shape}]`)
  const rows = shape[0] ?? 1
  return { rows, columns: rows === 0 ? 0 : data.length / rows, data }
}

/** How many numbers a shape has. */
export function sizeOf(name: string, shape: readonly number[]): number {
  const size = shape.reduce((product, each) => product * each, 1)
  if (shape.every(each => Number.isInteger(each) && each >= 0) && size <= MOST_NUMBERS) return size
  throw new ModelFailure('answer', `output ${quoted(name)} has the shape [${shape.slice(0, 8)}]`)
}

/** Names of a stranger's, in messages. */
export const quoted = (name: string) => JSON.stringify(name.slice(0, 64))

/** From bytes, one number after the other. */
export function fromBytes(name: string, element: Element, bytes: Uint8Array): TensorData {
  const { bytes: size, read } = LAYOUTS[element]
  if (bytes.length % size !== 0)
    throw new ModelFailure('answer', `output ${quoted(name)} has ${bytes.length} bytes of ${element}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return filled(name, element, bytes.length / size, i => read(view, i * size))
}

/** From varints, as both protocols have whole numbers where they are not raw; of 16 bits, their halves of numbers. */
export function fromVarints(name: string, element: Element, bytes: Uint8Array): TensorData {
  const values = varintsOf(bytes)
  if (element !== 'float16' && element !== 'bfloat16')
    return filled(name, element, values.length, i =>
      element === 'uint64'
        ? Number(BigInt.asUintN(64, values[i]))
        : element === 'int64'
          ? values[i]
          : Number(values[i]),
    )
  return filled(name, element, values.length, i =>
    (element === 'float16' ? halfOf : brainOf)(Number(values[i]) & 0xffff),
  )
}

/** From numbers of JSON. */
export function fromNumbers(name: string, element: Element, values: readonly number[]): TensorData {
  return filled(name, element, values.length, i =>
    element === 'int64' && Number.isInteger(values[i]) ? BigInt(values[i]) : values[i],
  )
}

/** A ModelFailure where a number is none of those that the element can be. */
function filled(name: string, element: Element, length: number, at: (i: number) => number | bigint): TensorData {
  const data = LAYOUTS[element].make(length)
  const isWhole = !(data instanceof Float32Array || data instanceof Float64Array)
  for (let i = 0; i < length; i++) {
    const value = at(i)
    if (data instanceof BigInt64Array !== (typeof value === 'bigint')) throw foreign(name, element, value)
    data[i] = value as never
    if ((isWhole && data[i] !== value) || (element === 'bool' && value > 1)) throw foreign(name, element, value)
  }
  return data
}

function foreign(name: string, element: Element, value: number | bigint): ModelFailure {
  return new ModelFailure('answer', `output ${quoted(name)} is of ${element}, and has ${value}`)
}

export function dtypeOf({ data }: Tensor): Dtype {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Int32Array) return 'int32'
  return data instanceof BigInt64Array ? 'int64' : 'bool'
}

/** The numbers of an input, one after the other, little-endian whatever this machine is. */
export function toBytes({ data }: Tensor): Uint8Array {
  const bytes = new Uint8Array(data.byteLength)
  const view = new DataView(bytes.buffer)
  const size = data.BYTES_PER_ELEMENT
  for (let i = 0; i < data.length; i++) {
    if (data instanceof Float32Array) view.setFloat32(i * size, data[i], true)
    else if (data instanceof Float64Array) view.setFloat64(i * size, data[i], true)
    else if (data instanceof Int32Array) view.setInt32(i * size, data[i], true)
    else if (data instanceof BigInt64Array) view.setBigInt64(i * size, data[i], true)
    else view.setUint8(i, data[i])
  }
  return bytes
}

/** The numbers of an input as JSON has them. A ModelFailure of the reason `input` for one that it has not. */
export function toJson(name: string, { data }: Tensor): string[] {
  return Array.from(data as ArrayLike<number | bigint>, value => {
    if (data instanceof Uint8Array) return value === 0 ? 'false' : 'true'
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new ModelFailure('input', `input ${quoted(name)} has ${value}, which JSON cannot say`)
    return Object.is(value, -0) ? '-0' : String(value)
  })
}

/** A dimension that is not fixed is -1 in both protocols. */
export function typed(name: string, dtype: string, shape: readonly number[]): TensorType {
  return { name, dtype, shape: shape.map(each => (each < 0 ? null : each)) }
}
