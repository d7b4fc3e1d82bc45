import { describe, expect, it } from 'vitest'
import type { ModelInput, ModelOutput } from '../../src/kinds.ts'
import { checkSignature, checkWidths } from '../../src/models/check-signature.ts'
import type { Signature, TensorType } from '../../src/models/runtime.ts'
import { GAUSSIAN, VALUE } from '../support/models.ts'

const type = (name: string, shape: TensorType['shape'], dtype = 'float32'): TensorType => ({ name, dtype, shape })

const input = (name: string, dtype: ModelInput['dtype'] = 'float32'): ModelInput => ({ name, dtype, features: [] })

const X = type('x', ['N', 4])
const SCORE = type('score', ['N', 1])

const said = (
  inputs: readonly ModelInput[],
  output: ModelOutput,
  given: readonly TensorType[],
  outputs: readonly TensorType[],
) =>
  [...checkSignature({ inputs, output }, { inputs: given, outputs })].map(
    ({ path, message, hint }) => `${path.join('.')}: ${message} (${hint})`,
  )

const ofInputs = (inputs: readonly ModelInput[], ...given: readonly TensorType[]) => said(inputs, VALUE, given, [SCORE])
const ofOutputs = (output: ModelOutput, ...outputs: readonly TensorType[]) => said([input('x')], output, [X], outputs)

describe('inputs', () => {
  it('are those of the model, in any order', () => {
    expect(ofInputs([input('b', 'bool'), input('x')], X, type('b', [null, 1], 'bool'))).toEqual([])
  })

  it('are not', () => {
    expect(ofInputs([input('X_')], type('x_1', ['N', 4]))).toMatchInlineSnapshot(`
      [
        "inputs.0.name: the model has no input \`X_\` (did you mean \`x_1\`?)",
        "inputs: the model also has the input \`x_1\` (add it: \`{ name: x_1, dtype: float32, features: [...] }\`)",
      ]
    `)
    expect(ofInputs([input('x', 'int64')], X)).toMatchInlineSnapshot(`
      [
        "inputs.0.dtype: \`x\` is float32 in the model, not int64 (say \`dtype: float32\`)",
      ]
    `)
    expect(ofInputs([input('x')], type('x', ['N', 4], 'float16'))).toMatchInlineSnapshot(`
      [
        "inputs.0.dtype: \`x\` is float16 in the model, not float32 (dap fills float32, float64, int32, int64 and bool: let the model cast it, or export it again)",
      ]
    `)
    expect(ofInputs([input('x')], type('x', [1, 4]))).toMatchInlineSnapshot(`
      [
        "inputs.0.name: the model takes 1 row of \`x\` and no other number, [1, 4] (export it with a first dimension that is not fixed, such as \`dynamic_axes\` or \`dynamic_shapes\` of its exporter)",
      ]
    `)
    expect(ofInputs([input('x')], type('x', ['N', 2, 2]))).toMatchInlineSnapshot(`
      [
        "inputs.0.name: \`x\` has 3 dimensions in the model, [N, 2, 2], and dap gives it two (a row an action, and its columns: reshape it in the model)",
      ]
    `)
    expect(ofInputs([input('x')], X, type('mask', ['N', 4], 'bool'))).toMatchInlineSnapshot(`
      [
        "inputs: the model also has the input \`mask\` (add it: \`{ name: mask, dtype: bool, features: [...] }\`)",
      ]
    `)
  })

  it('are as wide as what fills them, where the model says how wide', () => {
    const signature: Signature = { inputs: [X, type('any', ['N', 'width'])], outputs: [] }
    const inputs = [input('x'), input('any')]
    expect([...checkWidths({ inputs }, [4, 9], signature)]).toEqual([])
    expect([...checkWidths({ inputs }, [5, 9], signature)]).toMatchInlineSnapshot(`
      [
        {
          "hint": "the features are those that it was trained on, in that order; a one-hot has a column a value",
          "message": "the features of \`x\` make 5 columns, and the model takes 4",
          "path": [
            "inputs",
            0,
            "features",
          ],
        },
      ]
    `)
  })
})

describe('outputs', () => {
  it.each([
    ['one number', VALUE, SCORE],
    ['a vector', VALUE, type('v', ['N'])],
    ['a column', { type: 'probability', column: 1 } as const, type('p', ['N', 2])],
    ['what is not said', VALUE, type('p', [null, null])],
    ['heads', { type: 'heads', count: 3, link: 'identity' } as const, type('h', ['N', 3])],
    ['an embedding of several dimensions', { type: 'embedding', width: 6 } as const, type('e', ['N', 2, 3])],
    ['mean and deviation', GAUSSIAN({}, {}), type('g', ['N', 2])],
  ])('are those of the model: %s', (_, output, given) => {
    expect(ofOutputs(output, given)).toEqual([])
  })

  it('are not', () => {
    const label = type('label', ['N'], 'string')
    const two = type('p', ['N', 2])
    expect(ofOutputs(VALUE, label, two)).toMatchInlineSnapshot(`
      [
        "output: the model has several outputs, and none is named (say its \`name\`: \`label\`, \`p\`)",
      ]
    `)
    expect(ofOutputs({ type: 'value', name: 'label' }, label, two)).toMatchInlineSnapshot(`
      [
        "output: the output \`label\` is string in the model (dap reads float32, float64, int32, int64 and bool: name another output, or export it again)",
      ]
    `)
    expect(ofOutputs({ type: 'value', name: 'q' }, two)).toMatchInlineSnapshot(`
      [
        "output.name: the model has no output \`q\` (it has \`p\`)",
      ]
    `)
    expect(ofOutputs(VALUE, two)).toMatchInlineSnapshot(`
      [
        "output: the output \`p\` has 2 columns in the model, [N, 2], not 1 (say which \`column\` is meant: of class probabilities it is 1)",
      ]
    `)
    expect(ofOutputs({ type: 'value', column: 2 }, two)).toMatchInlineSnapshot(`
      [
        "output.column: the output \`p\` has 2 columns in the model, [N, 2], so none is 2 (from 0 to 1)",
      ]
    `)
    expect(ofOutputs({ type: 'heads', count: 5, link: 'identity' }, two)).toMatchInlineSnapshot(`
      [
        "output: the output \`p\` has 2 columns in the model, [N, 2], not 5 (say \`count: 2\`, if it is this output)",
      ]
    `)
    expect(ofOutputs({ type: 'embedding', width: 3 }, two)).toMatchInlineSnapshot(`
      [
        "output: the output \`p\` has 2 columns in the model, [N, 2], not 3 (say \`width: 2\`, if it is this output)",
      ]
    `)
    expect(ofOutputs(GAUSSIAN({}, {}), SCORE)).toMatchInlineSnapshot(`
      [
        "output.standardDeviation.column: the output \`score\` has 1 column in the model, [N, 1], so none is 1 (say \`column: 0\`)",
      ]
    `)
    expect(ofOutputs(GAUSSIAN({ column: 1 }, {}), two)).toMatchInlineSnapshot(`
      [
        "output.standardDeviation: the mean and the standard deviation are the same column (say which \`column\` each of them is, or which output)",
      ]
    `)
    expect(ofOutputs(VALUE)).toMatchInlineSnapshot(`
      [
        "output: the model has no output (it has none)",
      ]
    `)
  })
})
