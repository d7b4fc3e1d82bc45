import type { AlgorithmSpec, ExplorationSpec, LearnerSpec } from '../kinds.ts'
import { inOrder, named, type Rewards, requireUnit } from './definition.ts'
import type { AlgorithmName, Exploration, ExplorationDefinition } from './exploration.ts'
import * as explorations from './explorations/all.ts'
import { proportional } from './explorations/proportional.ts'
import type { Layout } from './layout.ts'
import type { Learner, LearnerDefinition } from './learner.ts'
import * as learners from './learners/all.ts'

export const LEARNERS: readonly LearnerDefinition[] = inOrder<LearnerDefinition>(learners)
export const EXPLORATIONS: readonly ExplorationDefinition[] = inOrder<ExplorationDefinition>(explorations)

export const learnerOf = ({ type }: Pick<LearnerSpec, 'type'>): LearnerDefinition => named(LEARNERS, type, 'learner')
/** Can requests bring the actions? */
export const takesAnyActions = (learner: LearnerSpec): boolean => learnerOf(learner).anyActions?.(learner) === true

export const explorationOf = ({ type }: Pick<ExplorationSpec, 'type'>): ExplorationDefinition =>
  named(EXPLORATIONS, type, 'exploration')

/** A learner and an exploration that goes with it; alone where the learner takes none. */
export interface Pair {
  readonly learner: LearnerDefinition
  readonly exploration?: ExplorationDefinition
  readonly name?: AlgorithmName
}

/** The pairs that make sense: from this table come schemas, rules, `dap explain`, the README's table and the contract suites. */
export const PAIRS: readonly Pair[] = LEARNERS.flatMap((learner): Pair[] =>
  learner.standsAlone === true
    ? [{ learner }]
    : EXPLORATIONS.filter(exploration => goesWith(exploration, learner)).map(exploration => ({
        learner,
        exploration,
        name: Object.hasOwn(exploration.names, learner.type) ? exploration.names[learner.type] : undefined,
      })),
)

/** Does the learner give all that the exploration needs? */
export function goesWith(exploration: ExplorationDefinition, learner: LearnerDefinition): boolean {
  return learner.standsAlone !== true && exploration.needs.every(need => learner.gives.includes(need))
}

/** Explorations that use nothing of a learner but values, so that scores will do in its place. */
export const SCORE_EXPLORATIONS: readonly ExplorationDefinition[] = EXPLORATIONS.filter(
  ({ needs, rewards }) => needs.length === 0 && rewards === 'any',
)

/** What a policy's rewards must be: `unit` where its learner or its exploration can do with no others. `of` is which. */
export function rewardsOf({ learner, exploration }: AlgorithmSpec): { readonly rewards: Rewards; readonly of: string } {
  const definitions = [learnerOf(learner), ...(exploration === undefined ? [] : [explorationOf(exploration)])]
  const picky = definitions.find(({ rewards }) => rewards === 'unit')
  return picky === undefined ? { rewards: 'any', of: learner.type } : { rewards: 'unit', of: picky.type }
}

/**
 * A learner that knows nothing yet; `dimension` and `layout` are as `LearnerDefinition.create` has them. Where requests bring the actions there are
 * none to name, and at most `capacity` at a time.
 */
export function createLearner(
  spec: LearnerSpec,
  actions: readonly string[],
  dimension: number,
  capacity = actions.length,
  layout: Layout = {},
): Learner {
  return learnerOf(spec).create(spec, actions, dimension, capacity, layout)
}

/** The exploration of an algorithm, over at most so many of these actions; a RangeError for a pair that makes no sense, which validation refuses before. */
export function createExploration(
  { learner, exploration }: AlgorithmSpec,
  actions: readonly string[],
  capacity = actions.length,
): Exploration {
  const over = learnerOf(learner)
  if (over.standsAlone === true) return proportional()
  if (exploration === undefined) throw new RangeError(`the learner \`${learner.type}\` needs an exploration`)
  const definition = explorationOf(exploration)
  if (!goesWith(definition, over)) throw new RangeError(`\`${definition.type}\` does not work over \`${over.type}\``)
  for (const { message } of definition.misfits?.(exploration, over) ?? []) throw new RangeError(message)
  return definition.create(exploration, over, capacity)
}

/** A learner, what explores over it, and whether that looks at more than values, which are cheaper to predict alone. */
export function createAlgorithm(
  spec: AlgorithmSpec,
  actions: readonly string[],
  dimension: number,
  capacity = actions.length,
  layout: Layout = {},
): { readonly learner: Learner; readonly exploration: Exploration; readonly usesWidths: boolean } {
  const { rewards, of } = rewardsOf(spec)
  const learner = createLearner(spec.learner, actions, dimension, capacity, layout)
  const exploration = createExploration(spec, actions, capacity)
  // Whole models are drawn without the widths of their values.
  const drawsModels = exploration.seeded === true && learner.models !== undefined
  return {
    learner: rewards === 'unit' && of !== spec.learner.type ? refusing(learner, of) : learner,
    exploration,
    usesWidths:
      spec.exploration !== undefined &&
      !drawsModels &&
      explorationOf(spec.exploration).needs.some(need => NEED_WIDTHS.has(need)),
  }
}

const NEED_WIDTHS: ReadonlySet<string> = new Set(['widths', 'posterior'])

/** The same learner, that refuses rewards which the exploration `of` it could not do with. */
function refusing(learner: Learner, of: string): Learner {
  const { learn } = learner
  return Object.assign(learner, {
    learn(action: number, x: Float64Array, reward: number) {
      requireUnit(of, reward)
      learn(action, x, reward)
    },
  })
}
