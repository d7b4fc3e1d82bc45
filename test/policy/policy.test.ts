import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AlgorithmSpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import type { Context, Policy } from '../../src/policy/policy.ts'
import { policySpec, shopOffer } from './support.ts'

const player: Context = { playerId: 'p1', level: 30, platform: 'ios', spend30d: 2 }

/** Teaches `policy` that the last action is the best. */
function teach(policy: Policy, rounds = 300): Policy {
  const rng = stream(1)
  const x = new Float64Array(policy.features.dimension)
  for (let t = 0; t < rounds; t++) {
    const action = t % policy.actions.length
    policy.features.write({ ...player, level: 20 + (t % 17), spend30d: rng.uniform() }, x)
    policy.learner.learn(action, x, rng.uniform() < 0.2 + 0.1 * action ? 1 : 0)
  }
  return policy
}

function eligibleNames(policy: Policy, context: Context): string[] {
  const out = new Int32Array(policy.actions.length)
  return [...out.subarray(0, policy.eligibility.write(context, out))].map(a => policy.actions[a])
}

describe('eligibility', () => {
  it('follows the rules of the actions that have one', () => {
    const policy = shopOffer()
    expect(eligibleNames(policy, player)).toEqual(['none', 'gold-small', 'bundle-mid'])
    expect(eligibleNames(policy, { ...player, platform: 'android' })).toEqual(['none', 'gold-small'])
    expect(eligibleNames(policy, { ...player, level: 3 })).toEqual(['none'])
  })

  it('is nobody when every rule says so, whatever the fallback', () => {
    const policy = shopOffer({
      actions: [
        { id: 'a', eligible: 'ctx.level > 50' },
        { id: 'b', eligible: 'ctx.level > 60' },
      ],
      guardrails: { minProbability: 0, fallback: 'b' },
    })
    expect(eligibleNames(policy, player)).toEqual([])
  })

  it('is certain only of what a rule says, not of what it cannot say', () => {
    const actions = [{ id: 'a' }, { id: 'b', eligible: '10 / (ctx.level - 30) > 1' }, { id: 'c', eligible: 'true' }]
    const { eligibility } = shopOffer({ actions })
    const out = new Int32Array(3)
    expect(() => eligibility.write(player, out)).toThrow('10 / (ctx.level - 30) > 1')
    expect([...out.subarray(0, eligibility.writeCertain(player, out))]).toEqual([0, 2])
    const other = { ...player, level: 31 }
    expect([...out.subarray(0, eligibility.write(other, out))]).toEqual([0, 1, 2])
    expect([...out.subarray(0, eligibility.writeCertain(other, out))]).toEqual([0, 1, 2])
  })
})

describe('the floor', () => {
  const algorithms: AlgorithmSpec[] = [
    { learner: { type: 'mean' }, exploration: { type: 'greedy', ties: 'first' } },
    { learner: { type: 'mean' }, exploration: { type: 'thompson', scale: 1 } },
    { learner: { type: 'fixed', probabilities: { a0: 1 } } },
  ]

  it('leaves every eligible action at least f, and the sum at 1', () => {
    const cases = fc.record({
      algorithm: fc.constantFrom(...algorithms),
      k: fc.integer({ min: 1, max: 12 }),
      f: fc.double({ min: 0, max: 1, noNaN: true }),
      rewards: fc.array(fc.tuple(fc.nat(11), fc.integer({ min: -3, max: 3 })), { maxLength: 40 }),
      excluded: fc.nat(11),
    })
    fc.assert(
      fc.property(cases, ({ algorithm, k, f, rewards, excluded }) => {
        const actions = Array.from({ length: k }, (_, i) => ({ id: `a${i}` }))
        const policy = shopOffer({ algorithm, actions, guardrails: { minProbability: f } })
        for (const [action, reward] of rewards) policy.learner.learn(action % k, new Float64Array(0), reward)
        const eligible = Int32Array.from(actions.keys()).filter(a => k === 1 || a !== excluded)
        const p = new Float64Array(k)
        policy.probabilities(player, eligible, eligible.length, p)
        expect(Math.abs(p.reduce((sum, v) => sum + v, 0) - 1)).toBeLessThan(1e-12)
        for (const a of eligible) expect(p[a]).toBeGreaterThanOrEqual(policy.slots.floor(0, eligible.length))
        expect(policy.slots.floor(0, eligible.length)).toBe(Math.min(f, 1 / eligible.length))
      }),
    )
  })

  it('is mixed in additively, by hand', () => {
    const policy = shopOffer({
      algorithm: { learner: { type: 'fixed', probabilities: { none: 0.5, 'gold-small': 0.5 } } },
      guardrails: { minProbability: 0.1 },
    })
    const p = new Float64Array(3)
    policy.probabilities(player, Int32Array.of(0, 1, 2), 3, p)
    expect(p[0]).toBeCloseTo(0.1 + 0.7 * 0.5, 15)
    expect(p[2]).toBeCloseTo(0.1, 15)
  })
})

describe('sample', () => {
  it.each([0, 0.05, 0.4])('draws what probabilities says, with a floor of %d', minProbability => {
    const policy = teach(shopOffer({ guardrails: { minProbability } }))
    const eligible = Int32Array.of(0, 2, 1)
    const x = new Float64Array(policy.features.dimension)
    policy.features.write(player, x)
    for (const count of [2, 3]) {
      const p = new Float64Array(3)
      policy.probabilities(player, eligible, count, p)
      const seen = new Float64Array(3)
      const rng = stream(2, minProbability, count)
      for (let i = 0; i < 60_000; i++) seen[policy.sample(x, eligible, count, rng)]++
      for (let a = 0; a < 3; a++) {
        expect(Math.abs(seen[a] - 60_000 * p[a])).toBeLessThanOrEqual(4.5 * Math.sqrt(60_000 * p[a] * (1 - p[a])))
      }
    }
  })
})

describe('the holdout', () => {
  const guardrails = { minProbability: 0, holdout: { fraction: 0.2, action: 'none' } }

  it('is a fixed share of the units, the same whatever else the context says', () => {
    const policy = shopOffer({ guardrails })
    let held = 0
    for (let i = 0; i < 20_000; i++) {
      const heldOut = policy.heldOut({ ...player, playerId: `p${i}` })
      expect(policy.heldOut({ ...player, playerId: `p${i}`, level: 1 })).toBe(heldOut)
      if (heldOut) held++
    }
    // Four standard deviations.
    expect(Math.abs(held - 4000)).toBeLessThan(227)
  })

  it('grows with the fraction without letting anyone go, and follows the salt', () => {
    const units = Array.from({ length: 300 }, (_, i) => ({ ...player, playerId: `p${i}` }))
    const heldBy = (fraction: number, salt?: string) => {
      const policy = shopOffer({ guardrails: { minProbability: 0, holdout: { fraction, action: 'none' } }, salt })
      return units.map(unit => policy.heldOut(unit))
    }
    const [small, large] = [heldBy(0.1), heldBy(0.3)]
    expect(small.every((held, i) => !held || large[i])).toBe(true)
    expect(heldBy(0.3, 'another')).not.toEqual(large)
    expect(heldBy(0)).not.toContain(true)
    expect(heldBy(1)).not.toContain(false)
  })
})

describe('createPolicy', () => {
  it.each([
    { guardrails: { minProbability: 0, fallback: 'nothing' } },
    { guardrails: { minProbability: 0, holdout: { fraction: 0.1, action: 'nothing' } } },
    { guardrails: { minProbability: 0, holdout: { fraction: 0.1, action: 'none' } }, unit: undefined },
    { actions: [{ id: 'none', eligible: 'ctx.levle > 1' }] },
  ])('refuses a spec that cannot work: %o', changes => {
    expect(() => shopOffer(changes)).toThrow(RangeError)
    expect(() => shopOffer({ ...policySpec() })).not.toThrow()
  })
})
