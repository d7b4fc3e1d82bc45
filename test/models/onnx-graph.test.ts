import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type OnnxGraph, readOnnx } from '../../src/models/onnx-graph.ts'
import { fixture } from '../support/models.ts'

function read(name: string): OnnxGraph {
  const graph = readOnnx(fixture(`${name}.onnx`))
  if ('fault' in graph) return expect.fail(graph.fault)
  return graph
}

describe('a file of ONNX', () => {
  it('says what goes in, what comes out, what it is made of and by what', () => {
    const { opsets, operators, metadata, ...graph } = read('classifier')
    expect([...opsets]).toEqual([['', 17]])
    expect(Object.fromEntries(operators)).toEqual({ Gemm: 2, Relu: 1, Softmax: 1, ArgMax: 1 })
    expect([...metadata]).toEqual([['dap.made', 'classifier']])
    expect(graph).toEqual({
      irVersion: 8,
      producer: 'dap-fixtures 1',
      signature: {
        inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 4] }],
        outputs: [
          { name: 'label', dtype: 'int64', shape: ['N'] },
          { name: 'probabilities', dtype: 'float32', shape: ['N', 2] },
        ],
      },
      external: [],
      random: [],
      batchDependent: [],
    })
  })

  it('has types, fixed sizes and what is no tensor', () => {
    expect(read('types').signature.inputs.map(({ dtype }) => dtype)).toEqual([
      'float32',
      'float64',
      'int32',
      'int64',
      'bool',
    ])
    expect(read('fixed-batch').signature.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: [1, 4] }])
    expect(read('texts').signature.outputs.map(({ dtype }) => dtype)).toEqual(['string', 'a sequence', 'float32'])
    expect([...read('texts').operators.keys()]).toContain('ai.onnx.ml.ZipMap')
  })

  it.each([
    ['random', ['RandomNormalLike']],
    ['branch', ['RandomUniformLike']],
    ['function', ['Bernoulli']],
    ['dropout', ['Dropout']],
    ['no-dropout', []],
    ['mlp', []],
  ])('draws by chance, or does not: %s', (name, expected) => {
    expect(read(name).random).toEqual(expected)
  })

  it.each([
    ['dynamic-quantised', ['DynamicQuantizeLinear']],
    ['batch-normalised', ['BatchNormalization']],
    ['mlp', []],
  ])('scores a row by the others, or does not: %s', (name, expected) => {
    expect(read(name).batchDependent).toEqual(expected)
  })

  it('names the files that its weights are in', () => {
    expect(read('external').external).toEqual(['weights.bin'])
    expect(read('mlp').external).toEqual([])
  })
})

describe('bytes that are no model', () => {
  const NAMES = ['mlp', 'classifier', 'texts', 'branch', 'function', 'external', 'types']

  it('are refused', () => {
    const fault = (bytes: Uint8Array) => {
      const graph = readOnnx(bytes)
      return 'fault' in graph ? graph.fault : undefined
    }
    expect(fault(new Uint8Array(0))).toBe('is no model of ONNX: there is no graph in it')
    expect(fault(Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0'))).toMatch(/^is no model/)
    expect(fault(Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f))).toBe('is no model of ONNX: it ends within a field')
    expect(fault(Uint8Array.of(0x08, ...Array(11).fill(0xff)))).toBe(
      'is no model of ONNX: a number has more than 64 bits',
    )
  })

  /** A node in a branch of a node in a branch … */
  it('may be nested as deep as they like', () => {
    const wrap = (tag: number, bytes: readonly number[]) => {
      const length = bytes.length
      return [tag, 0x80 | (length & 0x7f), 0x80 | ((length >> 7) & 0x7f), length >> 14, ...bytes]
    }
    let graph: readonly number[] = []
    for (let depth = 0; depth < 200; depth++) graph = wrap(0x0a, wrap(0x2a, wrap(0x32, graph)))
    expect(readOnnx(Uint8Array.from(wrap(0x3a, graph)))).toEqual({
      fault: 'is no model of ONNX: messages are nested deeper than 100',
    })
  })

  it('are told from a model wherever they were cut off, and in whatever byte they were changed, without an end that never comes', () => {
    const cut = fc.constantFrom(...NAMES).chain(name => {
      const bytes = fixture(`${name}.onnx`)
      return fc.record({
        bytes: fc.constant(bytes),
        end: fc.nat(bytes.length),
        changes: fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 }),
      })
    })
    fc.assert(
      fc.property(cut, ({ bytes, end, changes }) => {
        const changed = Uint8Array.from(bytes)
        for (const [at, value] of changes) changed[at] = value
        const graph = readOnnx(changed.subarray(0, end))
        expect('fault' in graph ? graph.fault : graph.signature).toBeDefined()
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => void readOnnx(bytes)),
      { numRuns: 2000 },
    )
  })
})
