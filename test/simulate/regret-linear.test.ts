import { describe, it } from 'vitest'
import { expectRegret, type Reference, readGolden } from './regret.ts'

const golden = JSON.parse(readGolden('linear_regret_goldens.json'))

describe('the regret of LinUCB is that of the reference in C', () => {
  const rows = readGolden('theta_d10_K10.txt').trim().split('\n')
  const theta = rows.map(row => row.trim().split(/\s+/).map(Number))
  const d = theta[0].length
  const actions = theta.map((_, k) => `a${k}`)
  const means = Object.fromEntries(actions.map((action, k) => [action, { intercept: 0, weights: { x: theta[k] } }]))

  it.each(golden.reference as Reference[])('alpha $alpha', reference => {
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
