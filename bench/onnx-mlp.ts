import { stream } from '../src/math/rng.ts'

/** An ONNX file of a perceptron with relu between its layers, of so many columns each, whose weights are drawn: input `x`, output `score`. */
export function onnxMlp(widths: readonly number[]): Uint8Array {
  const rng = stream(1, 'mlp')
  const drawn = (length: number) => Float32Array.from({ length }, () => (rng.uniform() - 0.5) / 8)
  const last = widths.length - 1
  const nodes: number[][] = []
  const weights: number[][] = []
  for (let i = 0; i < last; i++) {
    const [from, to] = [i === 0 ? 'x' : `h${i}`, i === last - 1 ? 'score' : `z${i + 1}`]
    weights.push(tensor(`w${i}`, [widths[i], widths[i + 1]], drawn(widths[i] * widths[i + 1])))
    weights.push(tensor(`b${i}`, [widths[i + 1]], drawn(widths[i + 1])))
    nodes.push(node('Gemm', [from, `w${i}`, `b${i}`], to))
    if (i < last - 1) nodes.push(node('Relu', [to], `h${i + 1}`))
  }
  const graph = [
    ...nodes.flatMap(each => field(1, each)),
    ...text(2, 'mlp'),
    ...weights.flatMap(each => field(5, each)),
    ...field(11, valueInfo('x', widths[0])),
    ...field(12, valueInfo('score', widths[last])),
  ]
  return Uint8Array.from([...number(1, 8), ...field(7, graph), ...field(8, [...text(1, ''), ...number(2, 17)])])
}

// Protocol buffers: https://protobuf.dev/programming-guides/encoding/, fields as in onnx.proto3.

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))]
}

const number = (tag: number, value: number): number[] => [...varint(tag << 3), ...varint(value)]

function field(tag: number, bytes: Iterable<number>): number[] {
  const content = [...bytes]
  return varint((tag << 3) | 2).concat(varint(content.length), content)
}

const text = (tag: number, value: string): number[] => field(tag, Buffer.from(value))

const node = (type: string, inputs: readonly string[], output: string): number[] => [
  ...inputs.flatMap(name => text(1, name)),
  ...text(2, output),
  ...text(4, type),
]

const tensor = (name: string, dims: readonly number[], data: Float32Array): number[] => [
  ...dims.flatMap(dim => number(1, dim)),
  ...number(2, 1),
  ...text(8, name),
  ...field(9, new Uint8Array(data.buffer)),
]

const valueInfo = (name: string, columns: number): number[] => [
  ...text(1, name),
  ...field(2, field(1, [...number(1, 1), ...field(2, [...field(1, text(2, 'N')), ...field(1, number(1, columns))])])),
]
