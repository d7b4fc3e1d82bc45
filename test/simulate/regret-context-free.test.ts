import { describe, it } from 'vitest'
import type { AlgorithmSpec, Ties } from '../../src/kinds.ts'
import { expectRegret, type Reference, readGolden } from './regret.ts'
import { betaThompson } from './support.ts'

const golden = JSON.parse(readGolden('regret_goldens.json'))

describe('the regret of context-free policies is that of the reference in C', () => {
  const algorithms: Readonly<Record<string, (ties: Ties) => AlgorithmSpec>> = {
    ucb1: ties => ({ learner: { type: 'mean' }, exploration: { type: 'ucb', factor: 2, ties } }),
    klucb: ties => ({ learner: { type: 'mean' }, exploration: { type: 'kl-ucb', ties } }),
    eg: ties => ({ learner: { type: 'mean' }, exploration: { type: 'epsilon-greedy', epsilon: 0.1, ties } }),
    ts: () => betaThompson,
  }
  const references = (golden.reference as Reference[]).filter(({ alg }) => alg in algorithms)

  it.each(references)('$alg, ties $tie, in $env', reference => {
    const probabilities: readonly number[] = golden.definitions.environments[reference.env]
    const actions = probabilities.map((_, k) => `a${k}`)
    const means = Object.fromEntries(actions.map((action, k) => [action, probabilities[k]]))
    const algorithm = algorithms[reference.alg](reference.tie === 'random' ? 'random' : 'first')
    expectRegret(reference, { world: { type: 'bernoulli', means } }, { algorithm, actions }, 1000)
  })
})
