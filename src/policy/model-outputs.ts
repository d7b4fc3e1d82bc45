import type { DecisionRecord } from '../generated/types.ts'
import type { ModelOutput, PolicySpec, Scorer } from '../kinds.ts'

/** What a Model said of the actions of a pool, in one context, ready for use: after link and calibration, rounded to float32. */
export interface Outputs {
  /** Rows of `widthOf` numbers: one an action of the pool, NaN of those that were not asked about; or one of all, of a model that sees no action. */
  readonly numbers: Float64Array
}

/** That it said nothing, and why, in a word. */
export interface NoOutputs {
  readonly failure: FailureReason
}

/** As records say it: see there. */
export type FailureReason = NonNullable<NonNullable<DecisionRecord['model']>['failure']>

/** The reason that a decision without scores has in its record. */
export const failureReason = (name: string, { failure }: NoOutputs): string =>
  `no scores of the model \`${name}\`: ${failure}`

export const failed = (outputs: Outputs | NoOutputs): outputs is NoOutputs => 'failure' in outputs

/** How many numbers a row of what a Model gives has. */
export function widthOf(output: ModelOutput): number {
  switch (output.type) {
    case 'gaussian':
      return 2
    case 'heads':
      return output.count
    case 'embedding':
      return output.width
    default:
      return 1
  }
}

/** Does the model see the actions, so that it has a row for each? Else what it gives is of the context alone. */
export const seesActions = ({ inputs }: Pick<Scorer, 'inputs'>): boolean =>
  inputs.some(({ features }) =>
    features.some(feature =>
      'cross' in feature ? feature.cross.some(name => name.startsWith('action.')) : 'action' in feature,
    ),
  )

/** The Model of a policy that has one, which whoever opens a repository takes in. A RangeError where that has not been done. */
export function requireScorer(spec: Pick<PolicySpec, 'scorer'>, name: string): Scorer {
  if (spec.scorer === undefined) throw new RangeError(`the Model \`${name}\` has not been read`)
  return spec.scorer
}

/** The Models that a policy names, and where: as its learner, or among its features. */
export function modelsOf({
  algorithm: { learner },
  features = [],
}: Pick<PolicySpec, 'algorithm' | 'features'>): readonly {
  readonly name: string
  readonly path: readonly (string | number)[]
}[] {
  return [
    ...(learner.type === 'model' ? [{ name: learner.model, path: ['algorithm', 'learner', 'model'] }] : []),
    ...features.flatMap((feature, i) =>
      'model' in feature ? [{ name: feature.model, path: ['features', i, 'model'] }] : [],
    ),
  ]
}

/** A float32 as the decimal number of the fewest digits that `Math.fround` makes it of again. */
export function shortFloat(x: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits))
    if (Math.fround(short) === x) return short
  }
  return Number(x.toPrecision(9))
}

/** The rows of those that were asked about, or the one of all, as records have them. */
export function loggedOutputs(scorer: Scorer, { numbers }: Outputs, indices: ArrayLike<number>): readonly number[] {
  if (!seesActions(scorer)) return Array.from(numbers, shortFloat)
  const width = widthOf(scorer.output)
  return Array.from(indices).flatMap(a => Array.from(numbers.subarray(a * width, (a + 1) * width), shortFloat))
}

/**
 * What a record says, by action of a pool of so many: the other way round; an index below 0 is of an action that the pool does not have. Undefined where
 * there are not as many numbers as the actions that could be taken need.
 */
export function outputsOf(
  scorer: Scorer,
  logged: readonly number[],
  indices: ArrayLike<number>,
  actions: number,
): Outputs | undefined {
  const width = widthOf(scorer.output)
  if (!seesActions(scorer)) {
    return logged.length === width ? { numbers: Float64Array.from(logged, Math.fround) } : undefined
  }
  if (logged.length !== indices.length * width) return undefined
  const numbers = new Float64Array(actions * width).fill(Number.NaN)
  for (let i = 0; i < indices.length; i++) {
    if (indices[i] < 0) continue
    for (let j = 0; j < width; j++) numbers[indices[i] * width + j] = Math.fround(logged[i * width + j])
  }
  return { numbers }
}

/**
 * What a record says of one of its eligible actions, the `at`-th, which is number `action` of a pool of so many: all that it takes to learn from the
 * reward of that one. Undefined of another Model's record, and of one without numbers.
 */
export function outputsOfOne(
  scorer: Scorer,
  said: DecisionRecord['model'],
  at: number,
  { action = 0, actions = 1 }: { readonly action?: number; readonly actions?: number } = {},
): Outputs | undefined {
  if (said?.outputs === undefined || said.digest !== scorer.digest) return undefined
  if (!seesActions(scorer)) return outputsOf(scorer, said.outputs, [], actions)
  const width = widthOf(scorer.output)
  return outputsOf(scorer, said.outputs.slice(at * width, (at + 1) * width), [action], actions)
}
