import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decisionRecord } from '../../../src/log/records/decision-record.ts'
import { recordText } from '../../../src/log/records/record-text.ts'
import { decide } from '../../../src/policy/decide.ts'
import { createPolicy } from '../../../src/policy/policy.ts'
import { policySpec } from '../../policy/support.ts'

describe('recordText', () => {
  const spec = policySpec({
    actions: [
      { id: 'none', features: { price: 0 } },
      { id: 'gold "small"\u2028', eligible: 'ctx.level >= 10' },
      { id: 'bundle-mid', eligible: "ctx.level >= 20 && ctx.platform == 'ios'" },
    ],
    guardrails: { minProbability: 0.02, holdout: { fraction: 0.2, action: 'none' }, fallback: 'none' },
  })
  const policies = [spec, { ...spec, unit: undefined, guardrails: { minProbability: 0 } }].map(each =>
    createPolicy('a "shop"', each, 'sha256:test'),
  )

  it('is what JSON.stringify gives, for whatever is decided', () => {
    const context = fc.record(
      {
        playerId: fc.string({ unit: 'binary' }),
        level: fc.integer({ min: 1, max: 40 }),
        platform: fc.constantFrom('ios', 'android'),
        spend30d: fc.double({ min: 0, max: 1e30, noNaN: true }),
      },
      { requiredKeys: ['playerId', 'platform'] },
    )
    const facts = fc.record({
      ts: fc.constant('2026-11-22T18:00:00.000Z'),
      mode: fc.constantFrom('online' as const, 'shadow' as const, 'logging-only' as const),
      snapshot: fc.constantFrom(null, 'sha256:a', 'sha256:b'),
      runtime: fc.constant('dap/test'),
      latencyUs: fc.nat(),
      logProbability: fc.double({ min: 1e-9, max: 1, noNaN: true }),
      baseline: fc.constantFrom(undefined, 'none', 'nobody'),
      deferred: fc.boolean(),
      traceparent: fc.constantFrom(undefined, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
    })
    const imposed = fc.constantFrom(undefined, { reason: 'killed' }, { reason: 'killed', actions: ['gold-small'] })
    fc.assert(
      fc.property(
        fc.constantFrom(...policies),
        context,
        facts,
        imposed,
        fc.string(),
        (policy, input, known, why, id) => {
          const decision = decide(policy, { decisionId: id, context: input, imposed: why })
          if ('faults' in decision) throw new Error(JSON.stringify(decision.faults))
          const record = decisionRecord(policy, decision, known)
          expect(recordText(record)).toBe(JSON.stringify(record))
        },
      ),
      { numRuns: 1000 },
    )
  })
})
