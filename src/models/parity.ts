/** Rows whose outputs are known: is a model, with its runtime, what it was when they were written? */
import type { ModelSpec } from '../kinds.ts'
import { widthOf } from '../policy/model-outputs.ts'
import type { Runtime, Tensor } from './runtime.ts'
import { selectOutput } from './select.ts'
import { createTensor } from './tensor.ts'

/** A line of a parity file. */
export interface ParityRow {
  /** From 1. */
  readonly line: number
  /** Of each of the Model's inputs, in its order: the columns. */
  readonly inputs: readonly (readonly number[])[]
  /** `widthOf(output)` numbers. */
  readonly output: readonly number[]
}

export interface LineFault {
  readonly line: number
  readonly message: string
  readonly hint: string
}

type Asked = Pick<ModelSpec, 'inputs' | 'output' | 'listwise'>

/** How far a number is from what it should be: as a share of that where it is above 1, else as it is. Infinite where one is no number. */
export interface ParityDifference {
  /** Of the row. */
  readonly line: number
  /** Of the output, from 0. */
  readonly column: number
  readonly expected: number
  readonly got: number
  readonly difference: number
}

export interface ParityReport {
  readonly rows: number
  /** A run of all rows in batches of one size each: the largest difference from what is expected. */
  readonly batches: readonly { readonly size: number; readonly largest: ParityDifference }[]
  /** The largest difference of a row between the first run, row by row, and another one; of a listwise model, which has one run, none. */
  readonly between?: ParityDifference & { readonly size: number }
}

/** Rows are run one by one, by so many, and all at once. */
const SOME = 7

/** More rows tell no more, and take time whenever the repository is checked. */
const MOST_ROWS = 10_000

/** The rows of a parity file, in JSON lines, or what is wrong with the first lines that are none. */
export function readParity(
  { inputs, output }: Pick<ModelSpec, 'inputs' | 'output'>,
  text: string,
): { readonly rows: readonly ParityRow[] } | { readonly faults: readonly LineFault[] } {
  const rows: ParityRow[] = []
  const faults: LineFault[] = []
  const names = inputs.map(({ name }) => name)
  const widths: (number | undefined)[] = names.map(() => undefined)
  for (const [i, given] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    if (given.trim() === '') continue
    const line = i + 1
    const row = rowOf(given, names, widths, widthOf(output))
    if ('message' in row) faults.push({ line, ...row })
    else rows.push({ line, ...row })
    if (faults.length === MOST_FAULTS) break
    if (rows.length > MOST_ROWS) {
      return { faults: [{ line, message: `there are more than ${MOST_ROWS} rows`, hint: 'a hundred tell as much' }] }
    }
  }
  if (faults.length > 0) return { faults }
  if (rows.length > 0) return { rows }
  return { faults: [{ line: 1, message: 'there is no row in the file', hint: `a line a row: ${example(names)}` }] }
}

/** Of a file that is wrong in one way there are as many as rows. */
const MOST_FAULTS = 5

const example = ([name]: readonly string[]) => `\`{"inputs": {"${name}": [0.5, 1]}, "output": [0.25]}\``

/** A row, or what is wrong with it. `widths` are those of the first row; once they are known the others have the same. */
function rowOf(
  text: string,
  names: readonly string[],
  widths: (number | undefined)[],
  width: number,
): Omit<ParityRow, 'line'> | Omit<LineFault, 'line'> {
  const hint = `for example ${example(names)}`
  const value = objectOf(text)
  if (value === undefined) return { message: 'the line is no JSON object', hint }
  const { inputs, output, ...others } = value
  const [other] = Object.keys(others)
  if (other !== undefined) return { message: `unknown key \`${other}\``, hint: 'a row has `inputs` and `output`' }
  if (typeof inputs !== 'object' || inputs === null) return { message: '`inputs` is missing', hint }
  const given = inputs as Readonly<Record<string, unknown>>
  const strange = Object.keys(given).find(name => !names.includes(name))
  const called = names.map(name => `\`${name}\``).join(', ')
  if (strange !== undefined) return { message: `the Model has no input \`${strange}\``, hint: `it has ${called}` }
  const columns: (readonly number[])[] = []
  for (const [i, name] of names.entries()) {
    const numbers = Object.hasOwn(given, name) ? numbersOf(given[name]) : undefined
    if (numbers === undefined) {
      return {
        message: `\`inputs.${name}\` is no list of numbers`,
        hint: 'a number a column, true and false as 1 and 0',
      }
    }
    widths[i] ??= numbers.length
    if (numbers.length !== widths[i]) {
      const message = `\`inputs.${name}\` has ${numbers.length} numbers, and ${widths[i]} in the first row`
      return { message, hint: 'every row has as many' }
    }
    columns.push(numbers)
  }
  const expected = numbersOf(output)
  if (expected === undefined || expected.length !== width) {
    const count = width === 1 ? 'one number' : `${width} numbers`
    const message = `\`output\` is no list of ${count}`
    return { message, hint: 'what the model gives of what the Model takes, before link and calibration' }
  }
  return { inputs: columns, output: expected }
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return value as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

const numbersOf = (value: unknown): readonly number[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every(each => Number.isFinite(each)) ? value : undefined

/** Runs all rows in batches of 1, of 7 and of all; of a listwise model all at once, as one decision. Rejects with a ModelFailure where one of the runs failed. */
export async function runParity(
  spec: Asked,
  rows: readonly ParityRow[],
  runtime: Runtime,
  signal: AbortSignal,
): Promise<ParityReport> {
  const sizes = spec.listwise ? [rows.length] : [1, SOME, rows.length].filter((n, i) => i === 0 || n <= rows.length)
  const runs: { readonly size: number; readonly numbers: Float64Array }[] = []
  for (const size of new Set(sizes)) runs.push({ size, numbers: await inBatches(spec, rows, size, runtime, signal) })
  const expected = Float64Array.from(rows.flatMap(({ output }) => output))
  const [first, ...others] = runs
  const between = others
    .map(({ size, numbers }) => ({ size, ...largest(rows, first.numbers, numbers) }))
    .reduce<ParityReport['between']>(
      (most, each) => (most && most.difference >= each.difference ? most : each),
      undefined,
    )
  return {
    rows: rows.length,
    batches: runs.map(({ size, numbers }) => ({ size, largest: largest(rows, expected, numbers) })),
    ...(between === undefined ? {} : { between }),
  }
}

/** What a report says is wrong: `expected` of a row, at its line; `between` batches of different sizes. */
export interface ParityFault {
  readonly kind: 'expected' | 'between'
  readonly line: number
  readonly message: string
}

/** What is further off than `tolerance`: the worst of the first run that is, and the worst between runs. */
export function* parityFaults({ batches, between }: ParityReport, tolerance: number): Generator<ParityFault> {
  const off = batches.find(({ largest }) => largest.difference > tolerance)
  if (off !== undefined) {
    const { line, column, expected, got } = off.largest
    const message = `the model gives ${digits(got)}, not ${digits(expected)}, in column ${column}, ${batchText(off.size)}`
    yield { kind: 'expected', line, message }
  }
  if (between === undefined || between.difference <= tolerance) return
  const { line, size, expected, got } = between
  yield {
    kind: 'between',
    line,
    message: `the score of a row depends on the rows beside it: ${digits(expected)} alone, ${digits(got)} ${batchText(size)}, in line ${line}`,
  }
}

/** More of them are not the same on every machine. */
const digits = (value: number) => Number(value.toPrecision(6))

const batchText = (size: number) => (size === 1 ? 'alone' : `in a batch of ${size}`)

async function inBatches(
  { inputs, output }: Asked,
  rows: readonly ParityRow[],
  size: number,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Float64Array> {
  const width = widthOf(output)
  const numbers = new Float64Array(rows.length * width)
  for (let from = 0; from < rows.length; from += size) {
    const batch = rows.slice(from, from + size)
    const tensors = inputs.map(({ name, dtype }, i): [string, Tensor] => {
      const values = batch.flatMap(row => row.inputs[i])
      return [name, createTensor(dtype, batch.length, values.length / batch.length, values)]
    })
    const outputs = await runtime.run(new Map(tensors), signal)
    numbers.set(selectOutput(output, outputs, batch.length), from * width)
  }
  return numbers
}

function largest(rows: readonly ParityRow[], expected: Float64Array, got: Float64Array): ParityDifference {
  const width = expected.length / rows.length
  let at = 0
  let most = -1
  for (let i = 0; i < expected.length; i++) {
    const difference = differenceOf(expected[i], got[i])
    if (difference > most) [at, most] = [i, difference]
  }
  const { line } = rows[Math.floor(at / width)]
  return { line, column: at % width, expected: expected[at], got: got[at], difference: most }
}

/** How far a number is from what it was to be: of its size where that is above 1. */
export function differenceOf(expected: number, got: number): number {
  const difference = Math.abs(got - expected) / Math.max(1, Math.abs(expected))
  return Number.isFinite(difference) ? difference : Number.POSITIVE_INFINITY
}
