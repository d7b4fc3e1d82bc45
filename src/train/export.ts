import type { ModelInput, PolicySpec } from '../kinds.ts'
import type { DecisionLog } from '../log/rows/decision-log.ts'
import type { TableWriter, WrittenColumn, WrittenValues } from '../log/table-writer.ts'
import type { NumberColumn, Tables, TextColumn } from '../log/tables.ts'
import { ModelFailure, type TensorData } from '../models/runtime.ts'
import { createTensor } from '../models/tensor.ts'
import { createInputs, type Features } from '../policy/features.ts'
import { listed } from '../policy/pool.ts'
import type { ExportedInput } from '../results.ts'
import { type Fold, foldHere } from './fold.ts'
import type { Said } from './kept.ts'
import { type Training, type TrainingPlan, train } from './train.ts'

/** So many numbers are handed on at once, and at most so many rows. */
const BLOCK_NUMBERS = 1_000_000
const BLOCK_ROWS = 2048

/** What a decision is, whatever a model sees of it. */
const DECISION: readonly WrittenColumn[] = [
  { name: 'decisionId', type: 'text' },
  { name: 'ts', type: 'time' },
  { name: 'action', type: 'text' },
  { name: 'propensity', type: 'number' },
  { name: 'reward', type: 'number' },
  { name: 'weight', type: 'number' },
]

/** The inputs of a model as a policy makes them, each in a column of its name, if no other is called so but for its case. */
export function exportedInputs(spec: PolicySpec, inputs: readonly ModelInput[]): readonly ExportedInput[] {
  const taken = new Set(DECISION.map(({ name }) => name.toLowerCase()))
  return createInputs(spec, { inputs }).map(({ names }, i) => {
    const { name, dtype, features } = inputs[i]
    let column = name
    for (let n = 2; taken.has(column.toLowerCase()); n++) column = `${name}_${n}`
    taken.add(column.toLowerCase())
    return { name, dtype, features: [...features], column, components: [...names] }
  })
}

/** The columns of an exported log, with those inputs. */
export const exportedColumns = (inputs: readonly ExportedInput[]): readonly WrittenColumn[] => [
  ...DECISION,
  ...inputs.map(({ column, dtype, components }) => ({
    name: column,
    type: { list: dtype, width: components.length },
  })),
]

/**
 * Writes the rows that training learns, in their order, with what goes into a model: it is training, with somebody who looks on. What training leaves out
 * or stops at, this does, too, and what a model could not be asked about is a bad row. The writer's columns are `exportedColumns(inputs)`.
 */
export async function exportRows(
  plan: Omit<TrainingPlan, 'identified' | 'contexts'>,
  tables: Tables,
  writer: TableWriter,
  inputs: readonly ExportedInput[],
  onProgress?: (rows: number) => void,
  signal?: AbortSignal,
): Promise<Training> {
  const hasPropensity = plan.dataset.spec.propensity !== 'unknown'
  const rows = inputs.length === 0 ? undefined : createInputRows(plan.policy.spec, inputs)
  return train(
    { ...plan, identified: true, contexts: rows !== undefined },
    tables,
    onLooker(writer, rows, hasPropensity),
    onProgress,
    signal,
  )
}

/** Hands on each row that is folded, where this is called. */
function onLooker(writer: TableWriter, inputs: InputRows | undefined, hasPropensity: boolean): Fold {
  const capacity = inputs?.capacity ?? BLOCK_ROWS
  const id: (string | null)[] = []
  const action: (string | null)[] = []
  const numbers = () => new Float64Array(capacity)
  const [ts, propensity, reward, weight] = [numbers(), numbers(), numbers(), numbers()]
  const columns: readonly WrittenValues[] = [id, ts, action, propensity, reward, weight, ...(inputs?.blocks ?? [])]
  let filled = 0

  function flush(): void {
    writer.add(filled, columns)
    filled = 0
  }

  return (plan, batches) => {
    const own = listed(plan.policy.spec.actions)
    const text = (batch: DecisionLog, column: number, i: number) => (batch.columns[column] as TextColumn).values[i]
    const folding = foldHere(plan, batches, (batch, i, _x, counts, said) => {
      const reason = said && inputs?.put(filled, said)
      if (reason !== undefined) return reason
      id[filled] = plan.ids === undefined ? null : text(batch, plan.ids, i)
      ts[filled] = plan.times === undefined ? Number.NaN : (batch.columns[plan.times] as NumberColumn).values[i]
      action[filled] = plan.taken === undefined ? own[batch.action[i]].id : text(batch, plan.taken, i)
      propensity[filled] = hasPropensity ? batch.propensity[i] : Number.NaN
      reward[filled] = batch.reward[i]
      weight[filled] = counts
      if (++filled === capacity) flush()
      return undefined
    })
    return {
      ...folding,
      async *[Symbol.asyncIterator]() {
        yield* folding
        flush()
      },
    }
  }
}

/** Rows of a model's inputs, one block an input. */
interface InputRows {
  /** How many rows a block has. */
  readonly capacity: number
  readonly blocks: readonly TensorData[]
  /** Fills a row of each block, or says why there is none. */
  put(row: number, said: Said): string | undefined
}

function createInputRows(spec: PolicySpec, inputs: readonly ExportedInput[]): InputRows {
  const features = createInputs(spec, { inputs })
  const numbers = features.reduce((sum, { dimension }) => sum + dimension, 0)
  const capacity = Math.max(1, Math.min(BLOCK_ROWS, Math.floor(BLOCK_NUMBERS / numbers)))
  const each = features.map(({ dimension }, i) => {
    const { dtype } = inputs[i]
    const { data } = createTensor(dtype, capacity, dimension, new Float64Array(capacity * dimension))
    return { ...inputs[i], features: features[i], data, x: new Float64Array(dimension) }
  })
  return {
    capacity,
    blocks: each.map(({ data }) => data),
    put(row, said) {
      for (const { name, dtype, features, data, x } of each) {
        try {
          const bytes = bytesOf(rowOf(features, dtype, said, x))
          bytesOf(data).set(bytes, row * bytes.length)
        } catch (error) {
          if (!(error instanceof RangeError || error instanceof ModelFailure)) throw error
          return `it is nothing for the input \`${name}\`: ${error.message}`
        }
      }
      return undefined
    },
  }
}

function rowOf(features: Features, dtype: ModelInput['dtype'], { context, at, pool }: Said, x: Float64Array) {
  features.writeRow(context, at, x, pool)
  return createTensor(dtype, 1, x.length, x).data
}

const bytesOf = ({ buffer, byteOffset, byteLength }: TensorData): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
