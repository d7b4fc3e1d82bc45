import type { ModelCurve, ModelOutput, ModelSpec } from '../../kinds.ts'
import { readCurve } from '../../models/calibrate.ts'
import { checkSignature, checkWidths } from '../../models/check-signature.ts'
import type { OnnxGraph } from '../../models/onnx-graph.ts'
import { type ParityRow, readParity } from '../../models/parity.ts'
import type { Signature } from '../../models/runtime.ts'
import type { Fault, Path } from '../fault.ts'
import { list } from '../schema.ts'
import type { CellFault } from '../sets/read-set.ts'
import { WHOLE_FILE } from '../sets/table.ts'

/** A file that a Model names, as it was read, or what keeps it from being read. */
export type FileReading<T> = T | FileFault

export interface FileFault {
  readonly unread: string
  readonly hint?: string
}

/** The files of a Model; absent where it names none. */
export interface ModelFiles {
  readonly onnx?: FileReading<OnnxFile>
  readonly calibration?: FileReading<{ readonly text: string }>
  readonly parity?: FileReading<{ readonly text: string }>
}

export interface OnnxFile {
  /** `sha256:` and hex. */
  readonly digest: string
  readonly graph: OnnxGraph | { readonly fault: string }
  /** Is it the pointer that Git LFS leaves where it has not fetched the file? */
  readonly isPointer: boolean
}

/** What the files of a Model say, and what is wrong: of the resource, and in the files. */
export interface ModelReading {
  readonly faults: readonly Fault[]
  readonly cells: readonly { readonly file: string; readonly fault: CellFault }[]
  readonly curve?: ModelCurve
  readonly graph?: OnnxGraph
  /** None where the file of parity has faults, or there is none. */
  readonly rows?: readonly ParityRow[]
}

type Cells = { readonly file: string; readonly fault: CellFault }[]

/** Holds a Model against its files; every fault is found at once. */
export async function readModel(spec: ModelSpec, files: ModelFiles): Promise<ModelReading> {
  const cells: Cells = []
  const faults = [...fileFaults(files), ...onnxFaults(spec, files.onnx)]
  const graph = graphOf(files.onnx)
  const curve = await curveOf(spec, files.calibration, cells)
  const rows = rowsOf(spec, files.parity, graph?.signature, cells)
  return {
    faults,
    cells,
    ...(curve === undefined ? {} : { curve }),
    ...(graph === undefined ? {} : { graph }),
    ...(rows === undefined ? {} : { rows }),
  }
}

const PATHS = {
  onnx: ['spec', 'runtime', 'file'],
  calibration: ['spec', 'calibration', 'file'],
  parity: ['spec', 'parity', 'file'],
} as const

function* fileFaults(files: ModelFiles): Generator<Fault> {
  for (const part of ['onnx', 'calibration', 'parity'] as const) {
    const read = files[part]
    if (read !== undefined && 'unread' in read) {
      yield { code: 'file', message: read.unread, hint: read.hint, path: PATHS[part] }
    }
  }
}

const graphOf = (file: ModelFiles['onnx']): OnnxGraph | undefined =>
  file === undefined || 'unread' in file || 'fault' in file.graph ? undefined : file.graph

function* onnxFaults(spec: ModelSpec, file: ModelFiles['onnx']): Generator<Fault> {
  const { runtime } = spec
  if (file === undefined || 'unread' in file || runtime.type !== 'onnx') return
  const { digest, graph, isPointer } = file
  if (isPointer) {
    const message = `\`${runtime.file}\` is a pointer of Git LFS, and the model is elsewhere`
    yield { code: 'file', message, hint: '`git lfs pull` fetches it', path: PATHS.onnx }
    return
  }
  if ('fault' in graph) {
    const hint = 'it is what an exporter to ONNX wrote, in one file, as it is'
    yield { code: 'file', message: `\`${runtime.file}\` ${graph.fault}`, hint, path: PATHS.onnx }
    return
  }
  if (digest !== runtime.digest) {
    const message = `\`${runtime.file}\` is another file than the one that is meant`
    const hint = `if this model is to decide: \`digest: ${digest}\``
    yield { code: 'semantic', message, hint, path: ['spec', 'runtime', 'digest'] }
  }
  yield* graphFaults(graph, spec.listwise)
  for (const { path, message, hint } of checkSignature(spec, graph.signature)) {
    yield { code: 'semantic', message, hint, path: ['spec', ...path] }
  }
}

/** What no exporter does for serving. */
function* graphFaults({ external, random, batchDependent }: OnnxGraph, listwise: boolean): Generator<Fault> {
  const fault = (message: string, hint: string): Fault => ({ code: 'semantic', message, hint, path: PATHS.onnx })
  if (external.length > 0) {
    const message = `its weights are in another file, \`${external[0]}\`, of which the digest says nothing`
    yield fault(message, 'save it as one file: `onnx.save(model, path, save_as_external_data=False)`')
  }
  if (random.length > 0) {
    const message = `the model draws by chance (${named(random)}): the same actions have other scores each time`
    yield fault(message, 'export it for inference, without dropout and sampling: dap explores, and logs how')
  }
  if (batchDependent.length > 0 && !listwise) yield fault(BATCH(named(batchDependent)), BATCH_HINT)
}

const BATCH = (operators: string) => `the score of an action depends on the actions beside it (${operators})`

/** Of a model whose rows depend on each other. */
export const BATCH_HINT =
  'quantise it statically, or its weights alone, and export it for inference; or say `listwise: true`, if scores are meant to depend on the whole list'

const named = (operators: readonly string[]) => list([...new Set(operators)])

async function curveOf(
  { calibration, output }: ModelSpec,
  read: ModelFiles['calibration'],
  cells: Cells,
): Promise<ModelCurve | undefined> {
  if (calibration === undefined || read === undefined || 'unread' in read) return undefined
  const { file, type } = calibration
  const { text } = read
  const parsed = parse(text)
  if ('fault' in parsed) {
    cells.push({ file, fault: await noJson(text, parsed.fault) })
    return undefined
  }
  const reading = readCurve(type, parsed.value)
  const faults = 'faults' in reading ? reading.faults : outOfRange(reading.curve, output)
  if (faults.length === 0 && 'curve' in reading) return reading.curve
  // JSON is YAML, so places are found as those of resources.
  const { createLocator } = await import('../locate.ts')
  const locator = createLocator(text)
  for (const { path, message, hint } of faults) {
    const { line, column, length } = locator.fault(0, { code: 'semantic', message, path })
    cells.push({ file, fault: { code: 'semantic', message, hint, place: { line, column, length } } })
  }
  return undefined
}

function parse(text: string): { readonly value: unknown } | { readonly fault: Error } {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return { fault: error as Error }
  }
}

/** Engines tell the place in their words, if at all. */
async function noJson(text: string, { message }: Error): Promise<CellFault> {
  const [, position] = /position (\d+)/.exec(message) ?? []
  const hint = 'it is what `json.dump` of Python writes'
  const fault = { code: 'file', message: 'the file is no JSON, from here on', hint } as const
  if (position === undefined) return { ...fault, message: 'the file is no JSON', place: WHOLE_FILE }
  const { createLocator } = await import('../locate.ts')
  const { line, column } = createLocator(text).span({ from: Number(position), to: Number(position) + 1 })
  return { ...fault, place: { line, column, length: 1 } }
}

/** What a probability cannot become. */
function outOfRange({ y = [] }: ModelCurve, { type }: ModelOutput): { path: Path; message: string; hint: string }[] {
  if (type !== 'probability' && type !== 'logit') return []
  const wrong = y.findIndex(each => each < 0 || each > 1)
  if (wrong < 0) return []
  const message = `\`y[${wrong}]\` is ${y[wrong]}, and a probability becomes a probability`
  return [{ path: ['y', wrong], message, hint: 'write a number from 0 to 1' }]
}

function rowsOf(
  spec: ModelSpec,
  read: ModelFiles['parity'],
  signature: Signature | undefined,
  cells: Cells,
): readonly ParityRow[] | undefined {
  const { parity } = spec
  if (parity === undefined || read === undefined || 'unread' in read) return undefined
  const at = (line: number, message: string, hint: string) => {
    cells.push({ file: parity.file, fault: { code: 'semantic', message, hint, place: { line, column: 1, length: 1 } } })
  }
  const reading = readParity(spec, read.text)
  if ('faults' in reading) {
    for (const { line, message, hint } of reading.faults) at(line, message, hint)
    return undefined
  }
  const [{ line, inputs }] = reading.rows
  const widths =
    signature &&
    checkWidths(
      spec,
      inputs.map(({ length }) => length),
      signature,
    )
  const [wrong] = widths ?? []
  if (wrong === undefined) return reading.rows
  at(line, wrong.message, 'a row has the columns that go into the model, in their order')
  return undefined
}
