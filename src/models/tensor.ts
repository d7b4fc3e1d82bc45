import { type Dtype, ModelFailure, type Tensor, type TensorData } from './runtime.ts'

/** The bounds of what an integer type holds: of `int64` those up to which a number is exact. */
const BOUNDS = {
  int32: [-2_147_483_648, 2_147_483_647],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
} as const

/**
 * `rows` × `columns` numbers, row by row, as a tensor of a type; `float32` rounds them to the nearest. A ModelFailure with `input` for one that the type
 * cannot hold: a fraction or a number out of bounds among integers, anything but 0 and 1 among `bool`.
 */
export function createTensor(dtype: Dtype, rows: number, columns: number, values: ArrayLike<number>): Tensor {
  if (dtype !== 'float32' && dtype !== 'float64') {
    for (let i = 0; i < rows * columns; i++) {
      if (!holds(dtype, values[i])) {
        throw new ModelFailure('input', `column ${i % columns} is ${values[i]}, which is no \`${dtype}\``)
      }
    }
  }
  return { rows, columns, data: dataOf(dtype, values) }
}

const holds = (dtype: 'int32' | 'int64' | 'bool', value: number): boolean =>
  dtype === 'bool'
    ? value === 0 || value === 1
    : Number.isInteger(value) && value >= BOUNDS[dtype][0] && value <= BOUNDS[dtype][1]

function dataOf(dtype: Dtype, values: ArrayLike<number>): TensorData {
  switch (dtype) {
    case 'float32':
      return new Float32Array(values)
    case 'float64':
      return new Float64Array(values)
    case 'int32':
      return new Int32Array(values)
    case 'int64':
      return BigInt64Array.from({ length: values.length }, (_, i) => BigInt(values[i]))
    case 'bool':
      return new Uint8Array(values)
  }
}
