import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import { type Decision, decide } from '../../src/policy/decide.ts'
import { drawUniform } from '../../src/policy/draw.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { shopOffer } from './support.ts'

const context = { playerId: 'p1', level: 12, platform: 'ios' }
const algorithm: PolicySpec['algorithm'] = {
  learner: { type: 'fixed', probabilities: { none: 0.5, 'gold-small': 0.25, 'bundle-mid': 0.25 } },
}

function decision(changes: Partial<PolicySpec>, given: unknown = context, decisionId = 'd1'): Decision {
  const result = decide(shopOffer({ algorithm, guardrails: { minProbability: 0 }, ...changes }), {
    decisionId,
    context: given,
  })
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return result
}

describe('decide', () => {
  it('records all that it takes to recompute the decision', () => {
    expect(decision({ guardrails: { minProbability: 0.1 } })).toMatchInlineSnapshot(`
      {
        "action": "gold-small",
        "context": {
          "level": 12,
          "platform": "ios",
          "playerId": "p1",
          "spend30d": 0,
        },
        "decisionId": "d1",
        "defaulted": [
          "spend30d",
        ],
        "eligible": [
          "none",
          "gold-small",
        ],
        "excluded": [
          {
            "by": "ctx.level >= 20 && ctx.platform == 'ios'",
            "id": "bundle-mid",
          },
        ],
        "floor": 0.1,
        "model": undefined,
        "policy": {
          "digest": "sha256:test",
          "name": "shop-offer",
        },
        "propensities": [
          0.6333333333333333,
          0.3666666666666667,
        ],
        "propensity": 0.3666666666666667,
        "randomness": {
          "salt": "shop-offer",
          "scheme": "sha256-53/v1",
          "u": 0.6765970553108523,
        },
        "reason": undefined,
        "scores": undefined,
        "servedBy": "policy",
        "slots": undefined,
        "unit": "p1",
      }
    `)
  })

  it('draws from the vector that it records, by the hash of salt and decision id', () => {
    const counts: Record<string, number> = {}
    for (let i = 0; i < 9000; i++) {
      const { action, eligible, propensity, propensities, randomness } = decision({ salt: 's' }, context, `d${i}`)
      expect(randomness.u).toBe(drawUniform('s', `d${i}`))
      expect(action).toBe(randomness.u < propensities[0] ? eligible[0] : eligible[1])
      expect(propensity).toBe(propensities[eligible.indexOf(action as string)])
      counts[action as string] = (counts[action as string] ?? 0) + 1
    }
    // Four standard deviations of a binomial (9,000, 2/3).
    expect(Math.abs(counts.none - 6000)).toBeLessThan(179)
  })

  it('is the same when asked again', () => {
    expect(decision({})).toEqual(decision({}))
  })

  it('gives a unit that is held out the holdout action, with certainty', () => {
    const guardrails = { minProbability: 0.1, holdout: { fraction: 1, action: 'gold-small' } }
    expect(decision({ guardrails })).toMatchObject({
      action: 'gold-small',
      propensity: 1,
      propensities: [0, 1],
      floor: 0,
      servedBy: 'holdout',
      reason: 'the unit is held out',
    })
  })

  const ruled = [
    { id: 'a', eligible: 'ctx.level > 50' },
    { id: 'b', eligible: 'ctx.level > 60' },
  ]

  it.each([null, 'a', 'b', undefined])(
    'answers with nothing when nothing is eligible, be the fallback %s',
    fallback => {
      const guardrails = fallback === undefined ? { minProbability: 0 } : { minProbability: 0, fallback }
      expect(decision({ actions: ruled, guardrails })).toMatchObject({
        eligible: [],
        excluded: [
          { id: 'a', by: 'ctx.level > 50' },
          { id: 'b', by: 'ctx.level > 60' },
        ],
        action: null,
        propensity: null,
        propensities: [],
        floor: 0,
        servedBy: 'none',
        reason: 'no action is eligible',
      })
    },
  )

  it('answers what the caller imposes only if the rules let it be taken, else with the fallback, else with nothing', () => {
    const imposed = (changes: Partial<PolicySpec>, level: number, action?: string) => {
      const policy = shopOffer({ algorithm, guardrails: { minProbability: 0 }, ...changes })
      const request = {
        decisionId: 'd1',
        context: { ...context, level },
        imposed: { reason: 'because', actions: action === undefined ? [] : [action] },
      }
      const result = decide(policy, request)
      if ('faults' in result) throw new Error(JSON.stringify(result.faults))
      const { action: served, propensity, propensities, servedBy, reason } = result
      return [served, propensity, propensities, servedBy, reason]
    }
    expect(imposed({}, 12, 'gold-small')).toEqual(['gold-small', 1, [0, 1], 'override', 'because'])
    expect(imposed({}, 5, 'gold-small')).toEqual(['none', 1, [1], 'fallback', 'because'])
    expect(imposed({}, 12, 'stranger')).toEqual(['none', 1, [1, 0], 'fallback', 'because'])
    expect(imposed({}, 12)).toEqual(['none', 1, [1, 0], 'fallback', 'because'])
    const without = { guardrails: { minProbability: 0, fallback: null } }
    expect(imposed(without, 12)).toEqual([null, null, [], 'none', 'because'])
    expect(imposed(without, 5, 'gold-small')).toEqual([null, null, [], 'none', 'because'])
    const excluded = { actions: ruled, guardrails: { minProbability: 0, fallback: 'b' } }
    expect(imposed(excluded, 55, 'a')).toEqual(['a', 1, [1], 'override', 'because'])
    expect(imposed(excluded, 55, 'b')).toEqual([null, null, [], 'none', 'because'])
    expect(imposed(excluded, 65)).toEqual(['b', 1, [0, 1], 'fallback', 'because'])
  })

  it('answers with the fallback when a rule has no value, and says why', () => {
    const actions = [{ id: 'a' }, { id: 'b', eligible: '10 / (ctx.level - 12) > 1' }]
    const { action, propensity, servedBy, reason } = decision({ actions })
    expect({ action, propensity, servedBy }).toEqual({ action: 'a', propensity: 1, servedBy: 'fallback' })
    expect(reason).toContain('10 / (ctx.level - 12) > 1')
  })

  it('never serves the action whose rule has no value', () => {
    const actions = [{ id: 'b', eligible: '10 / (ctx.level - 12) > 1' }, { id: 'a' }]
    expect(decision({ actions })).toMatchObject({
      eligible: ['a'],
      excluded: [{ id: 'b', by: '10 / (ctx.level - 12) > 1' }],
      action: null,
      servedBy: 'none',
    })
  })

  it('answers with the fallback when the holdout action is not eligible', () => {
    const guardrails = { minProbability: 0, holdout: { fraction: 1, action: 'bundle-mid' }, fallback: 'none' }
    expect(decision({ guardrails })).toMatchObject({ action: 'none', servedBy: 'fallback' })
    expect(decision({ guardrails: { ...guardrails, fallback: null } })).toMatchObject({
      eligible: ['none', 'gold-small'],
      excluded: [{ id: 'bundle-mid' }],
      action: null,
      servedBy: 'none',
      reason: 'the holdout action is not eligible',
    })
  })

  it('answers with the fallback when probabilities are negative, no numbers, or do not sum to 1 within 1e-9', () => {
    const servedBy = (...given: readonly number[]) => {
      const policy = shopOffer({ actions: [{ id: 'a' }, { id: 'b' }], guardrails: { minProbability: 0 } })
      const probabilities: Policy['probabilities'] = (_context, _eligible, _count, out) => out.set(given)
      const result = decide({ ...policy, probabilities }, { decisionId: 'd1', context })
      return 'faults' in result ? result.faults : result.servedBy
    }
    expect(servedBy(0, 1)).toBe('policy')
    expect(servedBy(0.5, 0.5 + 0.9e-9)).toBe('policy')
    expect(servedBy(0.5, 0.5 + 1.1e-9)).toBe('fallback')
    expect(servedBy(0.5, 0.5 - 1.1e-9)).toBe('fallback')
    expect(servedBy(-0.5, 1.5)).toBe('fallback')
    expect(servedBy(Number.NaN, 1)).toBe('fallback')
  })

  it('refuses a context with faults, and decides nothing', () => {
    const result = decide(shopOffer(), { decisionId: 'd1', context: { level: 'x' } })
    expect('faults' in result && result.faults.map(({ pointer }) => pointer)).toEqual([
      '/playerId',
      '/level',
      '/platform',
    ])
  })

  it('refuses a unit that is too long for a record of the log', () => {
    const actions: PolicySpec['actions'] = [{ id: 'none' }, { id: 'gold' }]
    const policy = shopOffer({ context: { playerId: { type: 'string' } }, features: [], actions })
    const asked = (length: number) => decide(policy, { decisionId: 'd1', context: { playerId: 'u'.repeat(length) } })
    expect(asked(65_536)).toMatchObject({ servedBy: expect.any(String) })
    expect(asked(65_537)).toEqual({ faults: [{ pointer: '/playerId', message: 'must have at most 65536 characters' }] })
  })
})
