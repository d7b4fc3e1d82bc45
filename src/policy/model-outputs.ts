import type { ModelOutput, PolicySpec, Scorer } from '../kinds.ts'

/** What a Model said of the actions of a pool, in one context, ready for use: after link and calibration, rounded to float32. */
export interface Outputs {
  /** Rows of `widthOf` numbers: one an action of the pool, NaN of those that were not asked about; or one of all, of a model that sees no action. */
  readonly numbers: Float64Array
}

/** That it said nothing, and why: a word, and a sentence. */
export interface NoOutputs {
  readonly failure: string
  readonly message: string
}

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
