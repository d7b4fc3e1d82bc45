import { describe, expect, it } from 'vitest'
import type { ModelOutput } from '../../src/kinds.ts'
import type { Tensor } from '../../src/models/runtime.ts'
import { selectOutput } from '../../src/models/select.ts'
import { createTensor } from '../../src/models/tensor.ts'
import { GAUSSIAN, tensor, VALUE } from '../support/models.ts'

const select = (output: ModelOutput, outputs: Record<string, Tensor>, rows = 2) => [
  ...selectOutput(output, new Map(Object.entries(outputs)), rows),
]

describe('what is taken of outputs', () => {
  const one = { y: tensor(2, 1, [0.5, 2]) }
  const two = { y: tensor(2, 2, [1, 2, 3, 4]) }
  it.each([
    ['the only column of the only output', VALUE, one, [0.5, 2]],
    ['a column', { type: 'probability', column: 1 }, two, [2, 4]],
    ['an output by name', { type: 'logit', name: 'b' }, { a: two.y, b: one.y }, [0.5, 2]],
    ['two columns of one output', GAUSSIAN({}, {}), two, [1, 2, 3, 4]],
    ['two columns, turned round', GAUSSIAN({ column: 1 }, { column: 0 }), two, [2, 1, 4, 3]],
    ['two outputs', GAUSSIAN({ name: 'm' }, { name: 's', column: 0 }), { m: one.y, s: one.y }, [0.5, 0.5, 2, 2]],
    ['all columns, as heads', { type: 'heads', count: 2, link: 'identity' }, two, [1, 2, 3, 4]],
    ['all columns, as an embedding', { type: 'embedding', width: 2, name: 'y' }, two, [1, 2, 3, 4]],
    ['integers of 64 bits', VALUE, { y: tensor(2, 1, BigInt64Array.of(3n, -4n)) }, [3, -4]],
    ['what is no number', VALUE, { y: tensor(2, 1, [Number.NaN, Number.POSITIVE_INFINITY]) }, [NaN, Infinity]],
  ] as const)('is %s', (_, output, outputs, expected) => {
    expect(select(output, outputs)).toEqual(expected)
  })

  it.each([
    ['no output', VALUE, {}, 'the model gave no output'],
    ['an unknown name', { type: 'value', name: 'z' }, one, 'the model gave no output `z`, only `y`'],
    ['several', VALUE, { a: one.y, b: one.y }, 'the model gave several outputs, and none is named: `a`, `b`'],
    ['other rows', VALUE, { y: tensor(1, 1, [1]) }, 'the output `y` has 1 rows, not 2'],
    ['several columns', VALUE, two, 'the output `y` has 2 columns, not 1'],
    ['no such column', { type: 'value', column: 2 }, two, 'the output `y` has 2 columns, so none is 2'],
    ['other heads', { type: 'heads', count: 3, link: 'identity' }, two, 'the output `y` has 2 columns, not 3'],
    ['no deviation', GAUSSIAN({}, {}), one, 'the output `y` has 1 columns, so none is 1'],
  ] as const)('is nothing of %s', (_, output, outputs, message) => {
    expect(() => select(output, outputs)).toThrow(expect.objectContaining({ reason: 'answer', message }))
  })
})

describe('a tensor of numbers', () => {
  it('has them in its type', () => {
    expect(createTensor('float32', 1, 2, [0.1, 2]).data).toEqual(Float32Array.of(0.1, 2))
    expect(createTensor('float64', 1, 2, [0.1, 2]).data).toEqual(Float64Array.of(0.1, 2))
    expect(createTensor('int32', 2, 1, [-3, 2]).data).toEqual(Int32Array.of(-3, 2))
    expect(createTensor('int64', 2, 1, [-3, 2 ** 40]).data).toEqual(BigInt64Array.of(-3n, 2n ** 40n))
    expect(createTensor('bool', 2, 1, [0, 1]).data).toEqual(Uint8Array.of(0, 1))
  })

  it.each([
    ['int32', 0.5],
    ['int32', 2 ** 31],
    ['int32', -(2 ** 31) - 1],
    ['int32', Number.NaN],
    ['int64', 1e17],
    ['bool', 2],
  ] as const)('is none of %s with %s in it', (dtype, value) => {
    const message = `column 1 is ${value}, which is no \`${dtype}\``
    expect(() => createTensor(dtype, 1, 2, [1, value])).toThrow(expect.objectContaining({ reason: 'input', message }))
  })
})
