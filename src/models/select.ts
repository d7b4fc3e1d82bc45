import type { ModelOutput } from '../kinds.ts'
import { widthOf } from '../policy/model-outputs.ts'
import { ModelFailure, type Tensor } from './runtime.ts'

/** One or more columns of an output that are used, in order: all of the output where `column` is undefined. */
interface Part {
  /** Undefined: the model's only output. */
  readonly name?: string
  readonly column?: number
  /** How many columns there must be where none is named. */
  readonly width: number
}

/** What is taken of a model's outputs, to be put side by side. */
export function partsOf(output: ModelOutput): readonly Part[] {
  if (output.type === 'gaussian') {
    return [output.mean, output.standardDeviation].map(part => ({ ...part, width: 1 }))
  }
  const { name } = output
  return [{ name, ...('column' in output ? { column: output.column } : {}), width: widthOf(output) }]
}

/**
 * `rows` × `widthOf(output)` numbers, row by row, of what a model gave: before link and calibration, and finite or not. A ModelFailure with `answer` where
 * an output is missing or does not have those rows and columns, and where there are several and none is named.
 */
export function selectOutput(output: ModelOutput, outputs: ReadonlyMap<string, Tensor>, rows: number): Float64Array {
  const parts = partsOf(output)
  const width = widthOf(output)
  const selected = new Float64Array(rows * width)
  for (const [p, { name, column, width: needed }] of parts.entries()) {
    const { called, tensor } = chosen(name, outputs)
    if (tensor.rows !== rows) wrong(`${called} has ${tensor.rows} rows, not ${rows}`)
    if (column === undefined && tensor.columns !== needed) {
      wrong(`${called} has ${tensor.columns} columns, not ${needed}`)
    }
    if (column !== undefined && column >= tensor.columns) {
      wrong(`${called} has ${tensor.columns} columns, so none is ${column}`)
    }
    const from = column ?? 0
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < needed; j++) {
        selected[row * width + p + j] = Number(tensor.data[row * tensor.columns + from + j])
      }
    }
  }
  return selected
}

function chosen(name: string | undefined, outputs: ReadonlyMap<string, Tensor>): { called: string; tensor: Tensor } {
  const [only, ...others] = outputs
  const names = [...outputs.keys()].map(each => `\`${each}\``).join(', ')
  if (name === undefined) {
    if (only === undefined) wrong('the model gave no output')
    if (others.length > 0) wrong(`the model gave several outputs, and none is named: ${names}`)
    return { called: `the output \`${only[0]}\``, tensor: only[1] }
  }
  const tensor = outputs.get(name)
  if (tensor === undefined) wrong(`the model gave no output \`${name}\`${names === '' ? '' : `, only ${names}`}`)
  return { called: `the output \`${name}\``, tensor }
}

function wrong(message: string): never {
  throw new ModelFailure('answer', message)
}
