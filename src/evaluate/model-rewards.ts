import { DapError } from '../errors.ts'
import type { LogColumns } from '../log/rows/layout.ts'
import type { RowReader } from '../log/rows/row-reader.ts'
import type { Column, ValueColumn } from '../log/tables.ts'
import type { OpenRuntime } from '../models/score-ahead.ts'
import { failed, widthOf } from '../policy/model-outputs.ts'
import { type AskedRow, createAskedRows } from './candidates/asked.ts'
import type { ActionSpace, AskedModel } from './candidates/candidate.ts'
import type { EvaluationPlan } from './evaluation-plan.ts'
import { type Judgement, OK } from './verdicts/verdict.ts'

/** A Model as a reward model: what it says of every action is q. It has learnt from other rows, so that there is nothing to cross-fit. */
export interface ModelRewards {
  readonly reader: RowReader<AskedRow>
  readonly model: AskedModel
  /** Of a chunk whose rows have been asked about: q of every action of the log, a number a row; 0 of what could not be taken. */
  predictions(column: Column): readonly Float64Array[]
  /** May it be trusted not to have seen the rows that it judges? */
  readonly judgement: Judgement
}

/** @throws DapError where it has learnt from the very rows, and where it does not know an action of the log. */
export function createModelRewards(
  { policy, trainedOn }: NonNullable<EvaluationPlan['rewardModel']>,
  dataset: EvaluationPlan['dataset'],
  space: ActionSpace,
  columns: LogColumns,
  open: OpenRuntime | undefined,
): ModelRewards {
  const { scorer } = policy.spec
  if (scorer === undefined) throw new RangeError('a reward model needs a Model')
  if (trainedOn === digestOf(dataset.digest)) {
    throw new DapError(`the reward model \`${scorer.name}\` was trained on the very rows that it is to judge`, {
      hint: `they are those of its \`provenance.trainedOn\`: judge on a log of other days than Dataset \`${dataset.name}\`, or train it on one`,
    })
  }
  const { reader, actionOf, ...model } = createAskedRows(policy, space, columns, open, { ruled: false })
  if (actionOf !== undefined) {
    const known = new Set(actionOf)
    const stranger = space.ids.find((_, a) => !known.has(a))
    if (stranger !== undefined) {
      throw new DapError(
        `the reward model \`${scorer.name}\` knows of the actions of policy \`${policy.name}\`, and \`${stranger}\` of the log is none`,
        { hint: 'a `tabular` reward model knows all actions of the log' },
      )
    }
  }
  const width = scorer.output.type === 'heads' ? widthOf(scorer.output) : 1
  const stride = widthOf(scorer.output)
  return {
    reader,
    model,
    judgement: trainedOn === undefined ? unknownOrigin(scorer.name) : OK,
    predictions(column) {
      const rows = (column as ValueColumn).values as readonly AskedRow[]
      const q = space.ids.map(() => new Float64Array(rows.length))
      for (const [i, { pool, eligible }] of rows.entries()) {
        const { outputs } = pool
        if (outputs === undefined || failed(outputs)) throw new RangeError('the reward model has not been asked')
        for (const a of eligible) {
          let sum = 0
          for (let j = 0; j < width; j++) sum += outputs.numbers[a * stride + j]
          q[actionOf === undefined ? a : actionOf[a]][i] = sum / width
        }
      }
      return q
    },
  }
}

const digestOf = (hex: string): string => (hex.startsWith('sha256:') ? hex : `sha256:${hex}`)

const unknownOrigin = (name: string): Judgement => ({
  verdict: 'caution',
  reasons: [
    `nothing says what the reward model \`${name}\` was trained on: if it was these rows, it agrees with them for that alone (\`provenance.trainedOn\`)`,
  ],
})
