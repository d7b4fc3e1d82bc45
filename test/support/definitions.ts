import { schemas as kinds } from '../../src/generated/schemas.js'
import type { AlgorithmSpec, ExplorationSpec, LearnerSpec } from '../../src/kinds.ts'
import { createExploration, PAIRS } from '../../src/policy/algorithm.ts'
import type { ConfiguredDefinition } from '../../src/policy/definition.ts'
import type { LearnerDefinition } from '../../src/policy/learner.ts'
import type { Schema } from '../../src/repo/schema.ts'
import { fillDefaults } from '../../src/repo/shape.ts'

/** What options may refer to. */
const { $defs } = kinds.Scenario as Schema

/**
 * What files may say of a definition: its defaults and the examples of what must be there, then one file for each other value that an option
 * is shown with, and for the smallest that it may have. `given` has what examples cannot know.
 */
export function samplesOf<Spec>(
  { type, options, required = [] }: ConfiguredDefinition,
  given: Readonly<Record<string, unknown>> = {},
): readonly Spec[] {
  const schemas = options as Readonly<Record<string, Schema>>
  const filled = (spec: Readonly<Record<string, unknown>>) =>
    fillDefaults({ ...spec }, { type: 'object', properties: schemas, $defs } as Schema) as Spec
  const needed = Object.fromEntries(required.map(option => [option, schemas[option].examples?.[0]]))
  const base = { type, ...needed, ...given }
  const others = Object.entries(schemas).flatMap(([option, schema]) =>
    option in given
      ? []
      : [...(schema.examples ?? []), ...(schema.enum ?? []), ...(schema.minimum === undefined ? [] : [schema.minimum])]
          .filter(value => value !== schema.default)
          .map(value => filled({ ...base, [option]: structuredClone(value) })),
  )
  return [filled(base), ...others]
}

/** The same of a learner, whose probabilities, where it is told any, are those of its actions. */
export function learnerSamples(learner: LearnerDefinition, actions: readonly string[]): readonly LearnerSpec[] {
  // Falling, and none for the last.
  const shares = actions.map((_, a) => actions.length - 1 - a)
  const total = shares.reduce((sum, share) => sum + share, 0)
  const told = Object.fromEntries(actions.map((id, a) => [id, shares[a] / total]))
  return samplesOf(learner, learner.distribution === undefined ? {} : { [learner.distribution]: told })
}

/**
 * Every pair of the table, with each sample of its learner and each of its exploration that goes with it; those that draw by each learner's own
 * way of drawing with all of its samples.
 */
export function algorithmSamples(actions: readonly string[]): readonly AlgorithmSpec[] {
  return PAIRS.flatMap(({ learner: definition, exploration: over }): AlgorithmSpec[] => {
    const [standard, ...others] = learnerSamples(definition, actions)
    if (over === undefined) return [standard, ...others].map(learner => ({ learner }))
    const explorations = samplesOf<ExplorationSpec>(over).filter(
      spec => (over.misfits?.(spec, definition) ?? []).length === 0,
    )
    const seeded = explorations.filter(
      exploration => createExploration({ learner: standard, exploration }, actions).seeded,
    )
    return [
      ...explorations.map(exploration => ({ learner: standard, exploration })),
      ...others.flatMap(learner => [explorations[0], ...seeded].map(exploration => ({ learner, exploration }))),
    ]
  })
}
