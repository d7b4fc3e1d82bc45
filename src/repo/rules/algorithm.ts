import type { ExplorationSpec, LearnerSpec, PolicySpec } from '../../kinds.ts'
import { EXPLORATIONS, explorationOf, goesWith, LEARNERS, learnerOf, takesAnyActions } from '../../policy/algorithm.ts'
import { DURATION_UNITS } from '../../policy/duration.ts'
import type { ExplorationDefinition } from '../../policy/exploration.ts'
import { HALF_LIVES, WINDOWS } from '../../policy/forgetting.ts'
import type { LearnerDefinition } from '../../policy/learner.ts'
import { capacityOf, isOffered, listed } from '../../policy/pool.ts'
import type { Fault } from '../fault.ts'
import { list } from '../schema.ts'
import { known, milliseconds, semantic, sumHint } from './common.ts'
import { otherLearner } from './other-learner.ts'

const PATH = ['spec', 'algorithm']

/** Learner × exploration: what fits together, and what leaves a log that can be evaluated. */
export function* algorithmRules(spec: PolicySpec): Generator<Fault> {
  const { learner, exploration } = spec.algorithm
  const definition = learnerOf(learner)
  if (definition.standsAlone === true) {
    if (exploration !== undefined) {
      const message = `the learner \`${learner.type}\` has probabilities already: it takes no exploration`
      yield { ...semantic([...PATH, 'exploration'], message, 'take out `exploration`'), on: 'key' }
    }
  } else if (exploration === undefined) {
    // The last one makes the most of what the learner gives.
    const example = EXPLORATIONS.findLast(each => goesWith(each, definition))
    const hint = `for example \`exploration: { type: ${example?.type ?? EXPLORATIONS[0].type} }\``
    yield { ...semantic(PATH, `the learner \`${learner.type}\` needs an \`exploration\``, hint), on: 'key' }
  } else {
    yield* pairRules(spec, definition, exploration)
  }
  const probabilities = probabilitiesOf(learner)
  if (probabilities !== undefined) yield* probabilityRules(probabilities, spec)
  yield* offeredRules(spec)
  yield* forgettingRules(learner)
  yield* rewardRules(spec)
  yield* overlapRules(spec)
}

/** Of actions that requests bring none is known before: a learner must tell them apart by their features. */
function* offeredRules({ actions, algorithm: { learner } }: PolicySpec): Generator<Fault> {
  if (!isOffered(actions) || takesAnyActions(learner)) return
  const message = `requests bring the actions, and \`${learner.type}\` has a model for each of those that it knows`
  const shared = LEARNERS.find(each => each.options?.['shared'] !== undefined)
  const hint = `\`learner: { type: ${shared?.type}, shared: true }\` tells actions apart by their features`
  yield semantic([...PATH, 'learner', 'type'], message, hint)
}

function* pairRules(policy: PolicySpec, learner: LearnerDefinition, spec: ExplorationSpec): Generator<Fault> {
  const path = [...PATH, 'exploration']
  const exploration = explorationOf(spec)
  if (!goesWith(exploration, learner)) {
    const message = `\`${exploration.type}\` does not work over \`${learner.type}\``
    yield semantic([...path, 'type'], message, instead(policy, exploration, learner))
    return
  }
  for (const { option, message, hint } of exploration.misfits?.(spec, learner) ?? []) {
    yield semantic([...path, option], message, hint)
  }
}

/** What else can be done where an exploration needs what a learner does not give. */
function instead(policy: PolicySpec, exploration: ExplorationDefinition, learner: LearnerDefinition): string {
  const others = EXPLORATIONS.filter(each => goesWith(each, learner))
  const demanding = others.filter(({ needs }) => needs.length > 0)
  const explorations = (demanding.length > 0 ? demanding : others).map(({ type }) => `\`${type}\``)
  const other = otherLearner(policy, each => goesWith(exploration, each))
  return [
    ...(explorations.length > 0 ? [`use ${explorations.join(' or ')}`] : []),
    ...(other === undefined ? [] : [`${explorations.length > 0 ? 'or' : 'use'} ${other}`]),
  ].join(', ')
}

/** The probabilities that a learner is told. */
function probabilitiesOf(
  learner: LearnerSpec,
): { readonly option: string; readonly of: Readonly<Record<string, number>> } | undefined {
  const { distribution: option } = learnerOf(learner)
  if (option === undefined) return undefined
  return { option, of: (learner as Readonly<Record<string, unknown>>)[option] as Readonly<Record<string, number>> }
}

type Probabilities = NonNullable<ReturnType<typeof probabilitiesOf>>

function* probabilityRules({ option, of: probabilities }: Probabilities, { actions }: PolicySpec): Generator<Fault> {
  if (isOffered(actions)) return
  const path = [...PATH, 'learner', option]
  const ids = listed(actions).map(action => action.id)
  let unknown = false
  for (const name of Object.keys(probabilities)) {
    for (const fault of known(name, ids, 'action', [...path, name], 'key')) {
      unknown = true
      yield fault
    }
  }
  const missing = ids.filter(id => !Object.hasOwn(probabilities, id))
  if (missing.length > 0 && !unknown) {
    yield {
      ...semantic(path, `no probability for ${list(missing)}`, 'write 0 for an action that is never taken'),
      on: 'key',
    }
  }
  const sum = Object.values(probabilities).reduce((a, b) => a + b, 0)
  if (!unknown && Math.abs(sum - 1) > 1e-9) {
    yield {
      ...semantic(path, `the probabilities sum to ${Number(sum.toPrecision(10))}, not to 1`, sumHint(probabilities)),
      on: 'key',
    }
  }
}

/** Options that are absent forget nothing. */
function* forgettingRules(learner: LearnerSpec): Generator<Fault> {
  const { discount, window } = learner as {
    readonly discount?: { readonly halfLife: string }
    readonly window?: string
  }
  const path = [...PATH, 'learner']
  if (discount !== undefined && window !== undefined) {
    const message = '`discount` and `window` are two ways to forget'
    yield { ...semantic([...path, 'window'], message, 'take one of them out'), on: 'key' }
    return
  }
  const [duration, at, { least, most }] =
    discount === undefined ? [window, ['window'], WINDOWS] : [discount.halfLife, ['discount', 'halfLife'], HALF_LIVES]
  if (duration === undefined) return
  const length = milliseconds(duration)
  if (length >= least && length <= most) return
  const [shortest, longest] = [`${least / DURATION_UNITS.h}h`, `${most / DURATION_UNITS.d}d`]
  const message =
    length < least
      ? `${duration} is too short a time to forget by`
      : `${duration} is longer than buckets of time are kept`
  yield semantic(
    [...path, ...at],
    message,
    `from ${shortest} to ${longest}${length > most ? ', or take it out: then nothing is forgotten' : ''}`,
  )
}

/** Rewards of any number are not for every learner, nor for every exploration. */
function* rewardRules(spec: PolicySpec): Generator<Fault> {
  const {
    algorithm: { learner, exploration },
    reward,
  } = spec
  if (reward.type === 'binary') return
  const over = learnerOf(learner)
  if (over.rewards === 'unit') {
    const other = otherLearner(
      spec,
      each => each.rewards === 'any' && each.learns && (each.features === undefined) === (over.features === undefined),
    )
    const hint = `set \`reward.type: binary\`${other === undefined ? '' : `, or use ${other}`}`
    yield semantic([...PATH, 'learner', 'type'], `the learner \`${over.type}\` needs a binary reward`, hint)
  }
  if (exploration === undefined || explorationOf(exploration).rewards !== 'unit') return
  const others = EXPLORATIONS.filter(each => each.rewards === 'any' && goesWith(each, over))
  yield semantic(
    [...PATH, 'exploration', 'type'],
    `the exploration \`${exploration.type}\` needs a binary reward`,
    `set \`reward.type: binary\`, or use ${others.map(({ type }) => `\`${type}\``).join(' or ')}`,
  )
}

/** A log can only be evaluated where every action had a chance. */
function* overlapRules(spec: PolicySpec): Generator<Fault> {
  const { algorithm, evaluation, actions } = spec
  const floor = floorOf(spec)
  if (floor.kept || evaluation === 'none' || capacityOf(actions) < 2) return
  const { learner, exploration } = algorithm
  const hint = `set \`${floor.option}\`, or say \`evaluation: none\` if that is wanted`
  const consequence = 'no log of it can ever be evaluated'
  const probabilities = probabilitiesOf(learner)
  if (probabilities !== undefined) {
    const { option, of } = probabilities
    const never = listed(actions)
      .map(action => action.id)
      .filter(id => of[id] === 0)
    if (never.length > 0)
      yield semantic(
        [...PATH, 'learner', option, never[0]],
        `this policy never takes ${list(never)}: ${consequence} for what it leaves out`,
        hint,
      )
  }
  if (exploration === undefined || learnerOf(learner).standsAlone === true) return
  const leavesOut = explorationOf(exploration).leavesOut?.(exploration)
  if (leavesOut !== undefined) {
    const message = `\`${leavesOut}\` may leave an action without any probability: ${consequence} for what it leaves out`
    yield semantic([...PATH, 'exploration', leavesOut], message, hint)
  }
  const option = explorationOf(exploration).deterministic?.(exploration)
  if (option === undefined) return
  const message =
    option === 'type'
      ? `\`${exploration.type}\` is deterministic: ${consequence}`
      : `without exploration this policy is deterministic: ${consequence}`
  yield semantic([...PATH, 'exploration', option], message, hint)
}

/** What keeps a probability for every action, and whether it does. */
function floorOf({ decision, guardrails }: PolicySpec): { readonly option: string; readonly kept: boolean } {
  if (decision.type === 'ranking') return { option: 'decision.uniform', kept: decision.uniform > 0 }
  const { minProbability } = guardrails
  const kept =
    decision.type === 'slots' ? decision.slots.every(({ floor = minProbability }) => floor > 0) : minProbability > 0
  return { option: 'guardrails.minProbability', kept }
}
