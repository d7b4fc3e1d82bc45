import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import { decide } from '../../src/policy/decide.ts'
import { hashUniform } from '../../src/policy/draw.ts'
import { explain } from '../../src/policy/explanation.ts'
import { shopOffer } from './support.ts'

const context = { playerId: 'p1', level: 12, platform: 'ios' }

function explained(changes: Partial<PolicySpec> = {}) {
  const policy = shopOffer(changes)
  const decision = decide(policy, { decisionId: 'd1', context })
  if ('faults' in decision) throw new Error(JSON.stringify(decision.faults))
  return { decision, ...explain(policy, decision) }
}

describe('the explanation of a decision', () => {
  it('shows what the learner saw, what it made of every action, and which part of [0, 1) each got', () => {
    const { decision, features, learnt, actions, holdout, draw } = explained()
    expect(Object.fromEntries(features.map(({ name, value }) => [name, value]))).toEqual({
      intercept: 1,
      level: 12,
      'platform=ios': 1,
      'platform=android': 0,
      spend30d: 0,
    })
    expect({ learnt, holdout }).toEqual({ learnt: 0, holdout: undefined })
    const known = { value: 0, width: Math.sqrt(1 + 144 + 1), probability: 0.5, propensity: 0.5 }
    expect(actions).toEqual([
      { id: 'none', ...known, from: 0, to: 0.5 },
      { id: 'gold-small', ...known, from: 0.5, to: 1 },
      { id: 'bundle-mid', excludedBy: "ctx.level >= 20 && ctx.platform == 'ios'" },
    ])
    expect(draw).toEqual({ key: 'shop-offer/d1/0', u: decision.randomness.u })
  })

  it('shows no estimate where a unit is held out, and the u of the unit', () => {
    const guardrails = { minProbability: 0, holdout: { fraction: 0.999, action: 'gold-small' } }
    const { features, actions, holdout } = explained({ guardrails })
    expect(features).toEqual([])
    expect(actions.slice(0, 2)).toEqual([
      { id: 'none', propensity: 0, from: 0, to: 0 },
      { id: 'gold-small', propensity: 1, from: 0, to: 1 },
    ])
    expect(holdout).toEqual({ fraction: 0.999, u: hashUniform('shop-offer', 'unit', 'p1', 'holdout') })
  })
})
