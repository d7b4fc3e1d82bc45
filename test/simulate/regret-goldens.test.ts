import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { AlgorithmSpec, ScenarioSpec, Ties } from '../../src/kinds.ts'
import type { Named } from '../../src/simulate/players.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { betaThompson, type PolicyOptions, policy, scenario } from './support.ts'

interface Reference {
  readonly alg: string
  readonly env: 'E1_two' | 'E2_low10'
  readonly tie: 'random' | 'lowest'
  readonly alpha: number
  readonly horizon: number
  readonly checkpoints: readonly number[]
  readonly mean_pseudo_regret: readonly number[]
  readonly ci95_half: readonly number[]
}

const read = (file: string) => readFileSync(new URL(`../golden/simulate/${file}`, import.meta.url), 'utf8')
const bernoulli = JSON.parse(read('regret_goldens.json'))
const linear = JSON.parse(read('linear_regret_goldens.json'))

/** Every checkpoint: |m − ref| ≤ 4 √(s²/n + (ref_ci/1.96)²), the goldens' rule of acceptance. */
function expectRegret(reference: Reference, spec: Partial<ScenarioSpec>, options: PolicyOptions, replications: number) {
  const played = policy('played', options)
  const { horizon, checkpoints } = reference
  const plan = scenario({
    ...spec,
    policies: ['played'],
    horizon,
    checkpoints,
    replications,
    seed: 2026,
  }) as Named<ScenarioSpec>
  const { regret } = prepare({ scenario: plan, policies: [played] }).play(0, replications)
  const columns = checkpoints.map((_, c) => regret.filter((_, i) => i % checkpoints.length === c))
  const misses = columns.flatMap((values, c) => {
    const mean = values.reduce((a, b) => a + b, 0) / replications
    const variance = values.reduce((a, b) => a + (b - mean) * (b - mean), 0) / (replications - 1)
    const reached = reference.ci95_half[c] / 1.96
    const allowed = 4 * Math.sqrt(variance / replications + reached * reached)
    const miss = { t: checkpoints[c], mean, reference: reference.mean_pseudo_regret[c], allowed }
    return Math.abs(mean - miss.reference) <= allowed ? [] : [miss]
  })
  expect(misses).toEqual([])
}

describe('the regret of context-free policies is that of the reference in C', () => {
  const algorithms: Readonly<Record<string, (ties: Ties) => AlgorithmSpec>> = {
    ucb1: ties => ({ learner: { type: 'mean' }, exploration: { type: 'ucb', factor: 2, ties } }),
    eg: ties => ({ learner: { type: 'mean' }, exploration: { type: 'epsilon-greedy', epsilon: 0.1, ties } }),
    ts: () => betaThompson,
  }
  const references = (bernoulli.reference as Reference[]).filter(({ alg }) => alg in algorithms)

  it.each(references)('$alg, ties $tie, in $env', reference => {
    const probabilities: readonly number[] = bernoulli.definitions.environments[reference.env]
    const actions = probabilities.map((_, k) => `a${k}`)
    const means = Object.fromEntries(actions.map((action, k) => [action, probabilities[k]]))
    const algorithm = algorithms[reference.alg](reference.tie === 'random' ? 'random' : 'first')
    expectRegret(reference, { world: { type: 'bernoulli', means } }, { algorithm, actions }, 1000)
  })
})

describe('the regret of LinUCB is that of the reference in C', () => {
  const rows = read('theta_d10_K10.txt').trim().split('\n')
  const theta = rows.map(row => row.trim().split(/\s+/).map(Number))
  const d = theta[0].length
  const actions = theta.map((_, k) => `a${k}`)
  const means = Object.fromEntries(actions.map((action, k) => [action, { intercept: 0, weights: { x: theta[k] } }]))

  it.each(linear.reference as Reference[])('alpha $alpha', reference => {
    expectRegret(
      reference,
      {
        world: { type: 'linear', means, noise: 0.5 },
        population: { context: { x: { normal: { mean: 0, sd: Math.sqrt(1 / d) } } } },
      },
      {
        actions,
        context: { x: { type: 'array', items: { type: 'number' }, minItems: d, maxItems: d } },
        algorithm: {
          learner: { type: 'linear', l2: 1, intercept: false },
          exploration: { type: 'ucb', alpha: reference.alpha, ties: 'random' },
        },
      },
      200,
    )
  })
})
