import { didYouMean } from '../diagnostics.ts'
import type { ModelInput, ModelOutput, ModelSpec } from '../kinds.ts'
import { widthOf } from '../policy/model-outputs.ts'
import type { Signature, TensorType } from './runtime.ts'

/** Where a Model says something else than the model itself: at a path of the spec. */
export interface SignatureFault {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint: string
}

/** All that a Model says of inputs and outputs and the model does not. How wide its features are is of the policy that uses it: `checkWidths`. */
export function* checkSignature(
  { inputs, output }: Pick<ModelSpec, 'inputs' | 'output'>,
  signature: Signature,
): Generator<SignatureFault> {
  for (const [i, input] of inputs.entries()) yield* inputFaults(input, ['inputs', i], signature.inputs)
  for (const { name, dtype } of signature.inputs) {
    if (inputs.some(each => each.name === name)) continue
    const hint = `add it: \`{ name: ${name}, dtype: ${dtype}, features: [...] }\``
    yield { path: ['inputs'], message: `the model also has the input \`${name}\``, hint }
  }
  yield* outputFaults(output, signature.outputs)
}

/** An input that is to be filled with another number of columns than the model takes; `widths` are how many each of the Model's inputs gets. */
export function* checkWidths(
  { inputs }: Pick<ModelSpec, 'inputs'>,
  widths: readonly number[],
  signature: Signature,
): Generator<SignatureFault> {
  for (const [i, { name }] of inputs.entries()) {
    const columns = signature.inputs.find(each => each.name === name)?.shape[1]
    if (typeof columns !== 'number' || columns === widths[i]) continue
    const message = `the features of \`${name}\` make ${counted(widths[i], 'column')}, and the model takes ${columns}`
    const hint = 'the features are those that it was trained on, in that order; a one-hot has a column a value'
    yield { path: ['inputs', i, 'features'], message, hint }
  }
}

const counted = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`

type Path = SignatureFault['path']

function* inputFaults(
  { name, dtype }: ModelInput,
  path: Path,
  types: readonly TensorType[],
): Generator<SignatureFault> {
  const type = types.find(each => each.name === name)
  if (type === undefined) {
    const message = `the model has no input \`${name}\``
    yield { path: [...path, 'name'], message, hint: nearest(name, types) }
    return
  }
  const { shape } = type
  if (type.dtype !== dtype) {
    const hint = isDtype(type.dtype)
      ? `say \`dtype: ${type.dtype}\``
      : 'dap fills float32, float64, int32, int64 and bool: let the model cast it, or export it again'
    yield { path: [...path, 'dtype'], message: `\`${name}\` is ${type.dtype} in the model, not ${dtype}`, hint }
  }
  if (shape.length !== 2) {
    const message = `\`${name}\` has ${counted(shape.length, 'dimension')} in the model, ${shapeText(shape)}, and dap gives it two`
    yield { path: [...path, 'name'], message, hint: 'a row an action, and its columns: reshape it in the model' }
  } else if (typeof shape[0] === 'number') {
    const message = `the model takes ${counted(shape[0], 'row')} of \`${name}\` and no other number, ${shapeText(shape)}`
    const hint =
      'export it with a first dimension that is not fixed, such as `dynamic_axes` or `dynamic_shapes` of its exporter'
    yield { path: [...path, 'name'], message, hint }
  }
}

const DTYPES: ReadonlySet<string> = new Set<ModelInput['dtype']>(['float32', 'float64', 'int32', 'int64', 'bool'])

const isDtype = (dtype: string) => DTYPES.has(dtype)

/** As exporters write shapes: `[N, 64]`. */
const shapeText = (shape: TensorType['shape']): string => `[${shape.map(each => each ?? '?').join(', ')}]`

const nearest = (name: string, types: readonly TensorType[]): string =>
  didYouMean(
    name,
    types.map(type => type.name),
  ) ?? (types.length === 0 ? 'it has none' : `it has ${types.map(type => `\`${type.name}\``).join(', ')}`)

function* outputFaults(output: ModelOutput, types: readonly TensorType[]): Generator<SignatureFault> {
  if (output.type !== 'gaussian') {
    const size = output.type === 'heads' ? 'count' : output.type === 'embedding' ? 'width' : undefined
    yield* partFaults(output, ['output'], types, widthOf(output), size)
    return
  }
  const { mean, standardDeviation } = output
  const faults = [
    ...partFaults(mean, ['output', 'mean'], types, 1),
    ...partFaults(standardDeviation, ['output', 'standardDeviation'], types, 1),
  ]
  yield* faults
  if (faults.length > 0 || mean.name !== standardDeviation.name || mean.column !== standardDeviation.column) return
  const message = 'the mean and the standard deviation are the same column'
  yield { path: ['output', 'standardDeviation'], message, hint: 'say which `column` each of them is, or which output' }
}

/** What is wrong with one place where columns of an output are named; `size` is the key that says how many, where one does. */
function* partFaults(
  part: { readonly name?: string; readonly column?: number },
  path: Path,
  types: readonly TensorType[],
  width: number,
  size?: 'count' | 'width',
): Generator<SignatureFault> {
  const { name } = part
  const type = name === undefined ? types[0] : types.find(each => each.name === name)
  if (name === undefined && types.length > 1) {
    const message = 'the model has several outputs, and none is named'
    yield { path, message, hint: `say its \`name\`: ${types.map(each => `\`${each.name}\``).join(', ')}` }
    return
  }
  if (type === undefined) {
    const message = name === undefined ? 'the model has no output' : `the model has no output \`${name}\``
    yield { path: name === undefined ? path : [...path, 'name'], message, hint: nearest(name ?? '', types) }
    return
  }
  if (!isDtype(type.dtype)) {
    const message = `the output \`${type.name}\` is ${type.dtype} in the model`
    yield {
      path,
      message,
      hint: 'dap reads float32, float64, int32, int64 and bool: name another output, or export it again',
    }
    return
  }
  yield* columnFaults(part, path, type, width, size)
}

function* columnFaults(
  part: { readonly column?: number },
  path: Path,
  { name, shape }: TensorType,
  width: number,
  size: 'count' | 'width' | undefined,
): Generator<SignatureFault> {
  // A vector is a column. What is not fixed is seen when it has run.
  const columns = shape.slice(1).reduce<number | undefined>((product, each) => {
    return product === undefined || typeof each !== 'number' ? undefined : product * each
  }, 1)
  if (columns === undefined) return
  const { column } = part
  if (column !== undefined) {
    if (column < columns) return
    const message = `the output \`${name}\` has ${counted(columns, 'column')} in the model, ${shapeText(shape)}, so none is ${column}`
    yield {
      path: 'column' in part ? [...path, 'column'] : path,
      message,
      hint: columns === 1 ? 'say `column: 0`' : `from 0 to ${columns - 1}`,
    }
  } else if (columns !== width) {
    const message = `the output \`${name}\` has ${counted(columns, 'column')} in the model, ${shapeText(shape)}, not ${width}`
    const hint =
      size === undefined
        ? 'say which `column` is meant: of class probabilities it is 1'
        : `say \`${size}: ${columns}\`, if it is this output`
    yield { path, message, hint }
  }
}
