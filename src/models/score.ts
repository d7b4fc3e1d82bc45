/** From decisions to what a Model says of their actions: the one way there is, when serving, simulating, evaluating and exporting alike. */

import type { Scorer } from '../kinds.ts'
import { sigmoid } from '../math/logistic.ts'
import type { Context } from '../policy/context.ts'
import { createInputs, type Features } from '../policy/features.ts'
import { type NoOutputs, type Outputs, seesActions, widthOf } from '../policy/model-outputs.ts'
import type { Policy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import { calibrate } from './calibrate.ts'
import { ModelFailure, type Runtime, type Tensor } from './runtime.ts'
import { selectOutput } from './select.ts'
import { createTensor } from './tensor.ts'

/** A decision whose actions are to be scored. */
export interface Unscored {
  /** After defaults. */
  readonly context: Context
  readonly pool: Pool
}

/** A decision as it is made. */
export interface Scored {
  /** With what the Model says of the actions that the rules let be taken, or why it says nothing; as it was where the Model is not asked. */
  readonly pool: Pool
  /** How many rows it was asked about: 0 where the unit is held out, or nothing is eligible. */
  readonly rows: number
}

/** A decision, and the actions of its pool that may be taken, ascending. */
export interface Asked extends Unscored {
  readonly indices: Int32Array
}

/**
 * Asks a policy's Model about so many decisions in one call: its numbers for each, those of the actions that may be taken. Of a listwise model it is to be
 * asked about one decision at a time. Rejects with a ModelFailure where there are no scores.
 */
export type Ask = (asked: readonly Asked[], signal: AbortSignal) => Promise<readonly Outputs[]>

/** @param runtime Runs the Model of this policy, which must have one. */
export function createAsk(policy: Policy, runtime: Pick<Runtime, 'run'>): Ask {
  const { scorer } = policy.spec
  if (scorer === undefined) throw new RangeError(`the policy \`${policy.name}\` has no Model`)
  const each = seesActions(scorer)
  const gather = createGather(policy, scorer)
  return async (asked, signal) => {
    const rows = asked.reduce((sum, { indices }) => sum + (each ? indices.length : 1), 0)
    if (rows === 0) return asked.map(() => ({ numbers: new Float64Array(0) }))
    return spread(scorer, asked, finished(scorer, await runtime.run(inputsOf(asked, rows), signal), rows))
  }

  /** What a transform has no value for cannot go into the model. */
  function inputsOf(asked: readonly Asked[], rows: number): ReadonlyMap<string, Tensor> {
    try {
      return gather(asked, rows)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new ModelFailure('input', error.message)
    }
  }
}

/**
 * Asks about one decision. Never rejects.
 * @param runtime Runs the Model of this policy, which must have one.
 */
export function createScoring(
  policy: Policy,
  runtime: Pick<Runtime, 'run'>,
): (decision: Unscored, signal: AbortSignal) => Promise<Scored> {
  const ask = createAsk(policy, runtime)

  async function outputsOf(asked: Asked, signal: AbortSignal): Promise<Outputs | NoOutputs> {
    try {
      return (await ask([asked], signal))[0]
    } catch (error) {
      if (!(error instanceof ModelFailure)) throw error
      return { failure: error.reason }
    }
  }

  /** Those that may be taken: none where nobody is asked, be it that a rule fails, which the decision then says. */
  function eligibleOf({ context, pool }: Unscored): Int32Array {
    const indices = new Int32Array(pool.ids.length)
    try {
      const count = policy.eligibility.write(context, indices, pool)
      return policy.heldOut(context) ? NONE : indices.subarray(0, count)
    } catch {
      return NONE
    }
  }

  return async ({ context, pool }, signal) => {
    const indices = eligibleOf({ context, pool })
    if (indices.length === 0) return { pool, rows: 0 }
    const outputs = await outputsOf({ context, pool, indices }, signal)
    return { pool: { ...pool, outputs }, rows: seesActions(policy.spec.scorer!) ? indices.length : 1 }
  }
}

const NONE = new Int32Array(0)

/** Makes the rows of the Model's inputs. */
function createGather(policy: Policy, scorer: Scorer) {
  const features = createInputs(policy.spec, scorer)
  const scratch = features.map(({ rows, dimension }) => new Float64Array(rows * dimension))
  /** Rows of an input, which its tensor is a copy of: used again, as there are many. */
  const buffers = features.map(() => new Float64Array(0))
  return (asked: readonly Asked[], rows: number): ReadonlyMap<string, Tensor> =>
    new Map(
      scorer.inputs.map(({ name, dtype }, i) => {
        const { dimension } = features[i]
        if (buffers[i].length < rows * dimension) buffers[i] = new Float64Array(rows * dimension)
        const x = buffers[i].subarray(0, rows * dimension)
        writeRows(features[i], scratch[i], asked, x)
        return [name, createTensor(dtype, rows, dimension, x)] as const
      }),
    )
}

function writeRows(features: Features, scratch: Float64Array, asked: readonly Asked[], x: Float64Array): void {
  const { dimension } = features
  let at = 0
  for (const { context, pool, indices } of asked) {
    if (features.rows > 1 && indices.length === pool.ids.length) {
      features.write(context, x.subarray(at, at + indices.length * dimension), pool)
      at += indices.length * dimension
      continue
    }
    const own = features.write(context, scratch, pool) === 1 && features.rows === 1
    const count = own ? 1 : indices.length
    for (let i = 0; i < count; i++) {
      const from = own ? 0 : indices[i] * dimension
      for (let j = 0; j < dimension; j++) x[at++] = scratch[from + j]
    }
  }
}

/** What is used of what the model gave: selected, linked, calibrated, in float32. A ModelFailure where there is no such, or a number is none. */
function finished(scorer: Scorer, outputs: ReadonlyMap<string, Tensor>, rows: number): Float64Array {
  const { output, name, calibration, curve } = scorer
  const numbers = selectOutput(output, outputs, rows)
  const logits = output.type === 'logit' || (output.type === 'heads' && output.link === 'logit')
  for (let i = 0; i < numbers.length; i++) {
    const linked = logits ? sigmoid(numbers[i]) : numbers[i]
    const calibrated =
      calibration === undefined || curve === undefined ? linked : calibrate(curve, calibration.type, linked)
    // No record tells −0 from 0.
    const score = Math.fround(calibrated) + 0
    if (!Number.isFinite(score)) throw new ModelFailure('not-finite', `the model \`${name}\` gave ${numbers[i]}`)
    numbers[i] = score
  }
  checkRange(scorer, numbers)
  return numbers
}

/** Probabilities are in [0, 1], and deviations are not negative. */
function checkRange({ name, output }: Scorer, numbers: Float64Array): void {
  const bad =
    output.type === 'probability'
      ? numbers.find(p => p < 0 || p > 1)
      : output.type === 'gaussian'
        ? numbers.find((sd, i) => i % 2 === 1 && sd < 0)
        : undefined
  if (bad === undefined) return
  const what = output.type === 'gaussian' ? 'a standard deviation' : 'a probability'
  throw new ModelFailure('answer', `the model \`${name}\` gave ${bad}, which is not ${what}`)
}

/** To each decision its own rows. */
function spread(scorer: Scorer, asked: readonly Asked[], numbers: Float64Array): readonly Outputs[] {
  const width = widthOf(scorer.output)
  const each = seesActions(scorer)
  let from = 0
  return asked.map(({ pool, indices }) => {
    if (!each) {
      from += width
      return { numbers: numbers.slice(from - width, from) }
    }
    const first = from
    from += indices.length * width
    if (indices.length === pool.ids.length) return { numbers: numbers.slice(first, from) }
    const own = new Float64Array(pool.ids.length * width).fill(Number.NaN)
    for (let i = 0; i < indices.length; i++) {
      for (let j = 0; j < width; j++) own[indices[i] * width + j] = numbers[first + i * width + j]
    }
    return { numbers: own }
  })
}
