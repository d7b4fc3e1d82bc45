import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import { decide } from '../../src/policy/decide.ts'
import { explain } from '../../src/policy/explanation.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { shopOffer } from './support.ts'

const ACTIONS = Array.from({ length: 7 }, (_, i) => ({ id: `a${i}`, features: { kind: i % 3, paid: i === 4 } }))
const context = { playerId: 'p1', level: 3, platform: 'ios' }

const RANKING: PolicySpec['decision'] = {
  type: 'ranking',
  slots: 4,
  uniform: 0.1,
  pins: [{ slot: 1, eligible: 'action.paid' }],
  quotas: [
    { eligible: 'action.kind == 0', max: 1 },
    { eligible: 'action.kind == 1', max: 1 },
  ],
}
const PAGE: PolicySpec['decision'] = {
  type: 'slots',
  slots: [
    { id: 'hero', features: { size: 3 }, exclude: ['a0'] },
    { id: 'side', features: { size: 1 }, actions: ['a1', 'a2'], floor: 0.2 },
    { id: 'foot', features: { size: 2 }, actions: ['a1', 'a2'], exclude: ['a1'] },
  ],
}

function policyOf(decision: PolicySpec['decision'], shared: boolean, seeded: boolean): Policy {
  const policy = shopOffer({
    actions: ACTIONS,
    decision,
    features: [
      { action: 'kind' },
      { field: 'platform', transform: 'one-hot' },
      ...(decision.type === 'slots' ? [{ slot: 'size' as const }] : []),
    ],
    algorithm: shared
      ? {
          learner: { type: 'linear', shared: true, l2: 1, intercept: true },
          exploration: seeded ? { type: 'thompson', scale: 1, draws: 16 } : { type: 'softmax', temperature: 0.3 },
        }
      : { learner: { type: 'mean' }, exploration: { type: 'epsilon-greedy', epsilon: 0.2, ties: 'random' } },
    guardrails: { minProbability: decision.type === 'slots' ? 0.02 : 0 },
  })
  const x = new Float64Array(policy.features.dimension)
  for (let i = 0; i < 30; i++) {
    policy.features.writeRow(context, i % 7, x)
    policy.learner.learn(i % 7, x, Number(i % 4 === 0))
  }
  return policy
}

function explained(policy: Policy, decisionId: string, imposed?: { reason: string; actions?: string[] }) {
  const decision = decide(policy, { decisionId, context, imposed })
  if ('faults' in decision) throw new Error(JSON.stringify(decision.faults))
  const { slots = [], ...rest } = explain(policy, decision)
  return { decision, decided: decision.slots ?? [], slots, ...rest }
}

describe('the explanation of a list', () => {
  it('has for each slot who could stand there, drawn from what it says, and everybody else with a reason', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(RANKING, PAGE),
        fc.boolean(),
        fc.boolean(),
        fc.string({ minLength: 1, maxLength: 8 }),
        (decision, shared, seeded, id) => {
          const { decided, slots, actions } = explained(policyOf(decision, shared, seeded), id)
          expect(slots.map(({ slot, action }) => [slot, action])).toEqual(
            decided.map(({ slot, action }) => [slot, action]),
          )
          for (const [k, { above, candidates, keptOut, draw, action, deliberate = 0 }] of slots.entries()) {
            const { u, propensity, propensities } = decided[k]
            expect(above).toEqual(decided.slice(0, k).flatMap(each => each.action ?? []))
            const everybody = [...above, ...candidates.map(each => each.id), ...keptOut.map(each => each.id)]
            expect(everybody.toSorted()).toEqual(ACTIONS.map(each => each.id))
            expect(draw.u).toBe(u)
            if (action === null) {
              expect(candidates).toEqual([])
              continue
            }
            const chosen = candidates.find(({ from = 0, to = 0 }) => from <= u && u < to)
            expect(chosen).toMatchObject({ id: action, propensity })
            expect(candidates.at(-1)?.to).toBeCloseTo(1, 9)
            for (const { id, propensity: p = 0, probability = Number.NaN } of candidates) {
              expect(p).toBe(propensities[ACTIONS.findIndex(each => each.id === id)])
              if (deliberate === 0) expect(probability).toBeNaN()
              else expect((1 - deliberate) / candidates.length + deliberate * probability).toBeCloseTo(p, 12)
            }
            const sum = candidates.reduce((total, { probability = 0 }) => total + probability, 0)
            expect(sum).toBeCloseTo(deliberate === 0 ? 0 : 1, 9)
          }
          const first = slots[0].candidates.map(({ features: _, ...each }) => each)
          const above = actions.filter(({ value }) => value !== undefined).map(({ features: _, ...each }) => each)
          expect(above).toEqual(first)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('says which rule keeps whom out: a pin, a quota, the lists of the slot', () => {
    const ranked = explained(policyOf(RANKING, true, false), 'd').slots
    expect(ranked[0].keptOut).toEqual([])
    if (ranked[0].action !== 'a4') expect(ranked[1].candidates.map(({ id }) => id)).toEqual(['a4'])
    for (const { above, keptOut } of ranked) {
      const spent = [0, 1].filter(kind => above.some(id => Number(id[1]) % 3 === kind))
      const byQuota = keptOut.filter(({ by }) => by === 'quota')
      expect(byQuota.map(({ id, rule }) => [Number(id[1]) % 3, rule])).toEqual(
        byQuota.map(({ id }) => [Number(id[1]) % 3, `action.kind == ${Number(id[1]) % 3}`]),
      )
      expect([...new Set(byQuota.map(({ id }) => Number(id[1]) % 3))].toSorted()).toEqual(
        spent.filter(kind => ACTIONS.some(({ id }) => Number(id[1]) % 3 === kind && !above.includes(id))),
      )
    }
    const page = explained(policyOf(PAGE, true, false), 'd').slots
    expect(page.map(({ id }) => id)).toEqual(['hero', 'side', 'foot'])
    expect(page[0].keptOut).toEqual([{ id: 'a0', by: 'slot' }])
    expect(new Set(page.flatMap(({ keptOut }) => keptOut.map(({ by }) => by)))).toEqual(new Set(['slot']))
    const size = page.map(
      ({ candidates }) => candidates.at(0)?.features?.find(({ name }) => name === 'slot.size')?.value,
    )
    expect(size.slice(0, 2)).toEqual([3, 1])
  })

  it('has no thoughts about what was not asked of the policy', () => {
    const { slots, actions } = explained(policyOf(RANKING, true, false), 'd', {
      reason: 'killed',
      actions: ['a2', 'a4'],
    })
    expect(slots.map(({ action }) => action)).toEqual(['a2', 'a4'])
    for (const { candidates, deliberate } of slots) {
      expect(deliberate).toBeUndefined()
      for (const each of candidates) expect(each).not.toHaveProperty('value')
    }
    expect(actions.find(({ id }) => id === 'a2')).toEqual({ id: 'a2', propensity: 1, from: 0, to: 1 })
  })
})
