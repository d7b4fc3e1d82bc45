import type { AlgorithmSpec, ExplorationSpec, LearnerSpec, PolicySpec } from '../../kinds.ts'
import { createFeatures } from '../../policy/features.ts'
import type { Fault } from '../fault.ts'
import { list } from '../schema.ts'
import { known, semantic } from './common.ts'

const PATH = ['spec', 'algorithm']

/** Learner × exploration: what fits together, and what leaves a log that can be evaluated. */
export function* algorithmRules(spec: PolicySpec): Generator<Fault> {
  const { learner, exploration } = spec.algorithm
  const alone = learner.type === 'fixed' || learner.type === 'uniform'
  if (alone && exploration !== undefined) {
    const message = `the learner \`${learner.type}\` has probabilities already: it takes no exploration`
    yield { ...semantic([...PATH, 'exploration'], message), on: 'key' }
  }
  if (!alone && exploration === undefined) {
    const hint = 'for example `exploration: { type: thompson }`'
    yield { ...semantic(PATH, `the learner \`${learner.type}\` needs an \`exploration\``, hint), on: 'key' }
  }
  if (!alone && exploration !== undefined) yield* pairRules(learner, exploration)
  if (learner.type === 'fixed') yield* probabilityRules(learner.probabilities, spec)
  if (learner.type === 'beta' && spec.reward.type !== 'binary') {
    yield semantic(
      [...PATH, 'learner', 'type'],
      'the learner `beta` needs a binary reward',
      'set `reward.type: binary`, or use the learner `mean`',
    )
  }
  if (learner.type === 'linear') yield* linearRules(spec)
  yield* overlapRules(spec)
}

function* pairRules(learner: LearnerSpec, exploration: ExplorationSpec): Generator<Fault> {
  const path = [...PATH, 'exploration']
  if (exploration.type === 'ucb') {
    if (learner.type === 'beta') {
      yield semantic([...path, 'type'], '`ucb` does not work over `beta`', 'use `thompson`, or the learner `mean`')
    } else if (exploration.factor !== undefined && learner.type !== 'mean') {
      yield semantic(
        [...path, 'factor'],
        `\`factor\` is UCB1's, over \`mean\`; over \`${learner.type}\` it is \`alpha\``,
      )
    } else if (exploration.alpha !== undefined && learner.type !== 'linear') {
      yield semantic(
        [...path, 'alpha'],
        `\`alpha\` is LinUCB's, over \`linear\`; over \`${learner.type}\` it is \`factor\``,
      )
    }
  }
  if (exploration.type === 'thompson' && exploration.scale !== 1 && learner.type === 'beta') {
    yield semantic(
      [...path, 'scale'],
      '`scale` must be 1 over `beta`, whose posterior is exact',
      'a wider one has a smaller `learner.prior`',
    )
  }
}

function* probabilityRules(probabilities: Readonly<Record<string, number>>, { actions }: PolicySpec): Generator<Fault> {
  const path = [...PATH, 'learner', 'probabilities']
  const ids = actions.map(action => action.id)
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
    yield { ...semantic(path, `the probabilities sum to ${Number(sum.toPrecision(10))}, not to 1`), on: 'key' }
  }
}

function* linearRules({ context, features, algorithm }: PolicySpec): Generator<Fault> {
  const path = [...PATH, 'learner', 'type']
  if (
    features === undefined &&
    createFeatures({ context, features, algorithm: withoutIntercept(algorithm) }).dimension === 0
  ) {
    const hint = 'declare a number, a boolean, an enum or a vector, or use the learner `mean`'
    yield semantic(path, 'the learner `linear` needs a context to learn from, and this one has nothing usable', hint)
  }
}

function withoutIntercept(algorithm: AlgorithmSpec): AlgorithmSpec {
  return { ...algorithm, learner: { ...algorithm.learner, intercept: false } as LearnerSpec }
}

/** A log can only be evaluated where every action had a chance. */
function* overlapRules({ algorithm, guardrails, evaluation, actions }: PolicySpec): Generator<Fault> {
  if (guardrails.minProbability > 0 || evaluation === 'none' || actions.length < 2) return
  const { learner, exploration } = algorithm
  const hint = 'set `guardrails.minProbability`, or say `evaluation: none` if that is wanted'
  const consequence = 'no log of it can ever be evaluated'
  if (learner.type === 'fixed') {
    const never = actions.map(action => action.id).filter(id => learner.probabilities[id] === 0)
    if (never.length > 0)
      yield semantic(
        [...PATH, 'learner', 'probabilities', never[0]],
        `this policy never takes ${list(never)}: ${consequence} for what it leaves out`,
        hint,
      )
  } else if (learner.type !== 'uniform' && (exploration?.type === 'greedy' || exploration?.type === 'ucb')) {
    yield semantic([...PATH, 'exploration', 'type'], `\`${exploration.type}\` is deterministic: ${consequence}`, hint)
  } else if (exploration?.type === 'epsilon-greedy' && exploration.epsilon === 0) {
    yield semantic(
      [...PATH, 'exploration', 'epsilon'],
      `without exploration this policy is deterministic: ${consequence}`,
      hint,
    )
  }
}
