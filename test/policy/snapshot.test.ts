import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LearnerSpec, PolicySpec } from '../../src/kinds.ts'
import { loadSnapshot, takeSnapshot } from '../../src/policy/snapshot.ts'
import { policySpec, shopOffer } from './support.ts'

const learners: LearnerSpec[] = [
  { type: 'mean' },
  { type: 'beta', prior: { alpha: 1, beta: 1 } },
  { type: 'linear', l2: 1, intercept: true },
]

function withLearner(learner: LearnerSpec): Partial<PolicySpec> {
  return { algorithm: { learner, exploration: { type: 'thompson', scale: 1 } } }
}

const lessons = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 1 })), {
  maxLength: 60,
})

function teach(policy: ReturnType<typeof shopOffer>, list: readonly (readonly [number, number, number])[]): void {
  const x = new Float64Array(policy.features.dimension)
  for (const [action, level, reward] of list) {
    policy.features.write({ playerId: 'p', level, platform: 'ios', spend30d: 1 / level }, x)
    policy.learner.learn(action, x, reward)
  }
}

describe('a snapshot', () => {
  it.each(learners)('goes through JSON and continues as if nothing had happened: %o', learner => {
    fc.assert(
      fc.property(lessons, lessons, (before, after) => {
        const [whole, resumed] = [shopOffer(withLearner(learner)), shopOffer(withLearner(learner))]
        teach(whole, before)
        expect(loadSnapshot(resumed, JSON.parse(JSON.stringify(takeSnapshot(whole))))).toEqual({ ok: true })
        teach(whole, after)
        teach(resumed, after)
        expect(JSON.stringify(takeSnapshot(resumed))).toBe(JSON.stringify(takeSnapshot(whole)))
      }),
    )
  })

  it('says what it is', () => {
    const policy = shopOffer(withLearner({ type: 'mean' }))
    teach(policy, [[1, 5, 1]])
    expect(takeSnapshot(policy)).toMatchInlineSnapshot(`
      {
        "actions": [
          "none",
          "gold-small",
          "bundle-mid",
        ],
        "count": 1,
        "features": [],
        "learner": {
          "type": "mean",
        },
        "policy": {
          "digest": "sha256:test",
          "name": "shop-offer",
        },
        "schema": "dap.snapshot/v1",
        "state": {
          "counts": [
            0,
            1,
            0,
          ],
          "sums": [
            0,
            1,
            0,
          ],
        },
      }
    `)
  })

  it('is refused, saying what changed, by a policy with other actions, features or another learner', () => {
    const snapshot = takeSnapshot(shopOffer())
    const faultsOf = (changes: Partial<PolicySpec>) => {
      const policy = shopOffer(changes)
      const before = JSON.stringify(policy.learner.state())
      const result = loadSnapshot(policy, snapshot)
      expect(JSON.stringify(policy.learner.state())).toBe(before)
      return 'faults' in result ? result.faults : []
    }
    expect(faultsOf({ actions: [{ id: 'none' }, { id: 'gold-large' }] })).toMatchInlineSnapshot(`
      [
        "actions that the snapshot does not know: gold-large",
        "actions that the policy no longer has: gold-small, bundle-mid",
      ]
    `)
    expect(faultsOf({ actions: policySpec().actions.toReversed() })).toMatchInlineSnapshot(`
      [
        "the order of the actions has changed: none, gold-small, bundle-mid",
      ]
    `)
    expect(faultsOf({ features: [{ field: 'level', transform: 'log1p' }] })).toMatchInlineSnapshot(`
      [
        "features that the snapshot does not know: log1p(level)",
        "features that the policy no longer has: level, platform=ios, platform=android, spend30d",
      ]
    `)
    expect(faultsOf(withLearner({ type: 'linear', l2: 3, intercept: true }))).toMatchInlineSnapshot(`
      [
        "the learner was {"type":"linear","l2":1,"intercept":true} and is now {"type":"linear","l2":3,"intercept":true}",
      ]
    `)
  })

  it('loads into another version of the policy that learns the same things', () => {
    const changed = shopOffer({ guardrails: { minProbability: 0.3 }, salt: 'new' })
    expect(loadSnapshot(changed, takeSnapshot(shopOffer()))).toEqual({ ok: true })
  })

  it('is refused, and nothing is thrown, when it is junk', () => {
    const policy = shopOffer()
    const good = takeSnapshot(policy)
    const before = JSON.stringify(policy.learner.state())
    const junk = fc.oneof(
      fc.jsonValue(),
      fc
        .tuple(fc.constantFrom(...Object.keys(good)), fc.jsonValue())
        .map(([key, value]) => ({ ...good, [key]: value })),
      fc
        .tuple(fc.constantFrom(...Object.keys(good.state)), fc.jsonValue())
        .map(([key, value]) => ({ ...good, state: { ...good.state, [key]: value } })),
    )
    fc.assert(
      fc.property(junk, json => {
        const result = loadSnapshot(policy, json)
        if ('faults' in result) expect(result.faults.length).toBeGreaterThan(0)
        expect(JSON.stringify(policy.learner.state())).toBe(before)
      }),
      { numRuns: 500 },
    )
  })
})
