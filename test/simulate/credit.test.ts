import { describe, expect, it } from 'vitest'
import type { ClickSpec, PolicySpec } from '../../src/kinds.ts'
import type { Named } from '../../src/simulate/players.ts'
import { simulate } from './support.ts'

const EXAMINATION = [1, 0.5, 0.25, 0.12, 0.06]
const WEIGHTS = [0.9, -0.7, 0.5, -0.4, 0.3, -0.2, 0.6]
const NAMES = WEIGHTS.map((_, i) => `x${i}`)
const each = <T>(value: T) => Object.fromEntries(NAMES.map(name => [name, value]))

/** A ridge that 400 items share, of which a request brings 20 for a list of 5: greedy but for a list by chance in 50. */
function learning(name: string, credit: PolicySpec['reward']['credit']): Named<PolicySpec> {
  const spec: PolicySpec = {
    context: {},
    actions: { from: 'request', max: 20, features: each({ type: 'number' }) },
    features: NAMES.map(action => ({ action })),
    decision: { type: 'ranking', slots: 5, uniform: 0.02 },
    mode: 'online',
    algorithm: {
      learner: { type: 'linear', shared: true, l2: 1, intercept: true },
      exploration: { type: 'greedy', ties: 'random' },
    },
    guardrails: { minProbability: 0 },
    reward: { name: 'click', type: 'binary', wait: '1h', default: 0, credit },
  }
  return { name, spec, digest: name }
}

const ALL = learning('all', 'all')
const EXAMINED = learning('examined', undefined)
const POSITION = learning('position', { position: EXAMINATION })

function regrets(click: ClickSpec, policies: readonly Named<PolicySpec>[]) {
  const logit = WEIGHTS.map((weight, i) => `${weight} * action.x${i}`)
    .join(' + ')
    .replaceAll('+ -', '- ')
  const { policies: results } = simulate(
    {
      world: {
        type: 'catalogue',
        items: 400,
        offered: 20,
        features: each({ normal: { mean: 0, sd: 1 } }),
        logit: `-2.0 + ${logit}`,
        effects: [],
        click,
      },
      horizon: 1200,
      replications: 20,
      seed: 11,
    },
    policies,
  )
  return Object.fromEntries(results.map(({ name, regret }) => [name, regret]))
}

describe('the credit of a list', () => {
  it('goes by position where people look by position: less regret than from rows that take every slot to be seen', () => {
    const { all, position } = regrets({ type: 'pbm', examination: EXAMINATION }, [ALL, POSITION])
    expect(position.upper).toBeLessThan(all.lower)
  })

  it('goes to what was examined where people look until they click', () => {
    const { all, examined } = regrets({ type: 'cascade' }, [ALL, EXAMINED])
    expect(examined.upper).toBeLessThan(all.lower)
  })
})
