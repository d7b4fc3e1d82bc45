import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { AlgorithmSpec } from '../../src/kinds.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { always, policy, scenario, simulate } from './support.ts'

const greedy: AlgorithmSpec = { learner: { type: 'mean' }, exploration: { type: 'greedy', ties: 'first' } }
const three = { a: 0.9, b: 0.5, c: 0.1 }

describe('eligibility', () => {
  const young = { level: { type: 'integer', minimum: 1 } } as const
  const population = { context: { level: { uniform: { min: 1, max: 20 } } } } as const
  const actions = ['a', { id: 'b', eligible: 'ctx.level >= 10' }, { id: 'c', eligible: 'ctx.level >= 15' }]

  it('is never violated, by policies nor by the baselines beside them', () => {
    const restricted = policy('it', {
      context: young,
      actions: [{ id: 'a', eligible: 'ctx.level > 20' }, 'b', { id: 'c', eligible: 'ctx.level >= 10' }],
    })
    const { policies } = simulate(
      { world: { type: 'bernoulli', means: three }, population, policies: ['it', 'uniform', 'oracle'] },
      [restricted],
    )
    expect(policies.map(({ actionShares }) => actionShares.a)).toEqual([0, 0, 0])
    // c is eligible from level 10 (10.5 / 19 of a rounded uniform) and half of those decisions take it.
    const [, uniform, oracle] = policies
    expect(uniform.actionShares.c).toBeCloseTo(10.5 / 38, 1)
    expect(oracle.actionShares).toEqual({ a: 0, b: 1, c: 0 })
  })

  it('bounds the best action that regret is measured against', () => {
    const means = { a: 0.1, b: 0.5, c: 0.9 }
    const { policies } = simulate({ world: { type: 'bernoulli', means }, population, policies: ['it', 'oracle'] }, [
      policy('it', { context: young, actions, algorithm: always('a') }),
    ])
    // Levels below 10 (8.5 / 19) lose nothing with a, 10 to 14 (5 / 19) lose 0.4 and the rest 0.8.
    const [it, oracle] = policies
    expect(it.regret.mean / 500).toBeCloseTo((0.4 * 5 + 0.8 * 5.5) / 19, 1)
    expect(it.bestActionShare.mean).toBeCloseTo(8.5 / 19, 1)
    expect([oracle.regret.mean, oracle.bestActionShare.mean]).toEqual([0, 1])
  })

  it('serves nothing, which earns 0 and is counted, where it leaves no action', () => {
    const nothing = policy('it', {
      actions: ['a', 'b'].map(id => ({ id, eligible: 'false' })),
      algorithm: greedy,
      guardrails: { fallback: 'b' },
    })
    const { policies } = simulate({}, [nothing])
    const [{ actionShares, unservedShare, reward, regret, bestActionShare }] = policies
    expect([actionShares, unservedShare, reward.mean, regret.mean, bestActionShare.mean]).toEqual([
      { a: 0, b: 0 },
      1,
      0,
      0,
      1,
    ])
  })
})

describe('guardrails', () => {
  it('give every eligible action its floor', () => {
    const minProbability = 0.05
    const { policies } = simulate({ world: { type: 'bernoulli', means: three }, horizon: 4000 }, [
      policy('it', { actions: ['a', 'b', 'c'], algorithm: always('a'), guardrails: { minProbability } }),
    ])
    const error = Math.sqrt((minProbability * (1 - minProbability)) / (4000 * 20))
    expect(Math.abs(policies[0].actionShares.b - minProbability)).toBeLessThan(4.5 * error)
    expect(Math.abs(policies[0].actionShares.c - minProbability)).toBeLessThan(4.5 * error)
  })

  const holdout = { fraction: 0.2, action: 'b' }
  const unit = { unit: 'playerId', context: { playerId: { type: 'string' } } } as const

  it('hold out a share of the decisions when every round is a new unit', () => {
    const held = policy('it', { ...unit, algorithm: always('a'), guardrails: { holdout } })
    const { policies } = simulate({ horizon: 2000 }, [held])
    expect(Math.abs(policies[0].actionShares.b - 0.2)).toBeLessThan(4.5 * Math.sqrt(0.16 / (2000 * 20)))
  })

  it('hold out units, by their hash: the same ones always', () => {
    const population = { units: 10, context: {} }
    const held = policy('it', {
      ...unit,
      algorithm: always('a'),
      guardrails: { holdout: { ...holdout, fraction: 0.5 } },
    })
    const shares = [7, 8].map(seed => simulate({ population, seed, horizon: 5000 }, [held]).policies[0].actionShares.b)
    // A whole number of the ten units, whatever the seed.
    const units = Math.round(shares[0] * 10)
    for (const share of shares) expect(Math.abs(share - units / 10)).toBeLessThan(0.01)
  })

  it('learn nothing from the holdout, and fall back where its action is not eligible', () => {
    const never = policy('it', {
      ...unit,
      actions: ['a', { id: 'b', eligible: 'false' }],
      algorithm: always('a'),
      guardrails: { holdout: { fraction: 1, action: 'b' } },
    })
    expect(simulate({}, [never]).policies[0].actionShares).toEqual({ a: 1, b: 0 })
    // Without a fallback they get nothing, which costs what the eligible could have earned.
    const { spec } = never
    const nothing = { ...never, spec: { ...spec, guardrails: { ...spec.guardrails, fallback: null } } }
    const means = { a: 0.4, b: 0.9 }
    const [held] = simulate({ world: { type: 'bernoulli', means }, horizon: 500 }, [nothing]).policies
    expect([held.actionShares, held.unservedShare, held.reward.mean]).toEqual([{ a: 0, b: 0 }, 1, 0])
    expect(held.regret.mean / 500).toBeCloseTo(0.4, 9)
    // Everything but one action is held out at b, so a greedy learner that learnt would leave the untried.
    const all = policy('it', { ...unit, algorithm: greedy, guardrails: { holdout: { fraction: 1, action: 'b' } } })
    expect(simulate({}, [all]).policies[0].actionShares).toEqual({ a: 0, b: 1 })
  })
})

describe('baselines', () => {
  const bounds = JSON.parse(readFileSync(new URL('../golden/simulate/analytic_bounds.json', import.meta.url), 'utf8'))

  it.each(['E1_two', 'E2_low10'])('have the regret of the closed form in %s: uniform its own, oracle none', env => {
    const { means, T, uniform_policy_regret } = bounds[env] as {
      means: number[]
      T: number
      uniform_policy_regret: number
    }
    const world = { type: 'bernoulli', means: Object.fromEntries(means.map((mean, k) => [`a${k}`, mean])) } as const
    const { policies } = simulate({
      world,
      policies: ['uniform', 'oracle'],
      horizon: T,
      replications: 100,
      level: 0.9999,
    })
    const [uniform, oracle] = policies
    expect(uniform.regret.lower).toBeLessThan(uniform_policy_regret)
    expect(uniform.regret.upper).toBeGreaterThan(uniform_policy_regret)
    expect(oracle.regret).toEqual({ mean: 0, lower: 0, upper: 0, q05: 0, q50: 0, q95: 0 })
  })

  it('count ties as best', () => {
    const { policies } = simulate({ world: { type: 'bernoulli', means: { a: 0.3, b: 0.3 } }, policies: ['uniform'] })
    expect(policies[0].bestActionShare.mean).toBe(1)
  })
})

describe('a result', () => {
  it('has ten checkpoints by default, the last at the horizon and equal to the totals', () => {
    const { policies } = simulate({ horizon: 500 }, [policy('it')])
    const { checkpoints, reward, regret } = policies[0]
    expect(checkpoints.map(({ t }) => t)).toEqual([50, 100, 150, 200, 250, 300, 350, 400, 450, 500])
    expect(checkpoints[9]).toEqual({ t: 500, reward, regret })
    expect(simulate({ horizon: 3 }, [policy('it')]).policies[0].checkpoints.map(({ t }) => t)).toEqual([1, 2, 3])
    const asked = simulate({ horizon: 30, checkpoints: [7, 20] }, [policy('it')])
    expect(asked.policies[0].checkpoints.map(({ t }) => t)).toEqual([7, 20, 30])
  })

  it('judges what the scenario expects', () => {
    const expectation = (expr: string) => ({ id: 'learns', expr })
    const holds = expectation("policy('it').regret.upper < policy('uniform').regret.lower")
    const fails = expectation("policy('it').reward.mean > 0.9")
    const run = (expect: { id: string; expr: string }[]) =>
      simulate({ world: { type: 'bernoulli', means: { a: 0.9, b: 0.1 } }, policies: ['it', 'uniform'], expect }, [
        policy('it'),
      ])
    expect(run([holds])).toMatchObject({ passed: true, expectations: [{ id: 'learns', passed: true }] })
    expect(run([holds, fails])).toMatchObject({ passed: false, expectations: [{ passed: true }, { passed: false }] })
  })
})

describe('what only playing can show stops with a hint', () => {
  it.each([
    ['a name without a policy', { policies: ['nobody'] }, policy('it'), /plays `nobody`/],
    ['an action that the world does not know', {}, policy('it', { actions: ['a', 'z'] }), /no reward for action `z`/],
    [
      'a reward that the learner cannot learn',
      { world: { type: 'linear', means: { a: 5, b: 5 }, noise: 1 } } as const,
      policy('it', {
        algorithm: {
          learner: { type: 'beta', prior: { alpha: 1, beta: 1 } },
          exploration: { type: 'thompson', scale: 1 },
        },
      }),
      /`it` cannot play in this world/,
    ],
  ])('%s', (_, spec, played, message) => {
    const run = () => prepare({ scenario: scenario({ policies: ['it'], ...spec }), policies: [played] }).play(0, 1)
    expect(run).toThrow(
      expect.objectContaining({ name: 'DapError', message: expect.stringMatching(message), hint: expect.any(String) }),
    )
  })
})
