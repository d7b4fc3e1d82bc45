import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { valueChanges } from '../../../src/deploy/wanted/value-diff.ts'
import type { ValueChange } from '../../../src/generated/types.ts'
import { canonicalJson } from '../../../src/policy/digest.ts'

const printed = (changes: Iterable<ValueChange>) =>
  [...changes].map(({ field, before, after }) => `${field} ${before ?? 'none'} → ${after ?? 'none'}`)
const diff = (before: unknown, after: unknown) => printed(valueChanges(before, after))

const POLICY = {
  unit: 'playerId',
  context: { level: { type: 'integer', default: 1 }, platform: { type: 'string', enum: ['ios', 'android'] } },
  features: [{ field: 'level', transform: 'log1p' }, { field: 'platform' }],
  actions: [{ id: 'none' }, { id: 'gold', eligible: 'ctx.level >= 10' }, { id: 'gems' }],
  algorithm: { learner: { type: 'beta', prior: { alpha: 1, beta: 1 } }, exploration: { type: 'thompson', scale: 1 } },
  guardrails: { minProbability: 0.02 },
}

describe('what differs between two values', () => {
  it('is said in the words of the file, items of lists by their names', () => {
    const { unit: _, ...after } = {
      ...POLICY,
      context: { ...POLICY.context, platform: { type: 'string', enum: ['ios', 'android', 'web'] } },
      features: [{ field: 'platform' }, { field: 'level', transform: 'log1p' }],
      actions: [{ id: 'none' }, { id: 'gold', eligible: 'ctx.level >= 20' }, { id: 'coins', features: { price: 1.5 } }],
      algorithm: { ...POLICY.algorithm, learner: { type: 'mean' } },
      guardrails: { minProbability: 0.05, fallback: null, holdout: { fraction: 0.1, action: 'true' } },
    }
    expect(diff(POLICY, after)).toEqual([
      'context.platform.enum [ios, android] → [ios, android, web]',
      'features.order [level, platform] → [platform, level]',
      'actions.gold.eligible "ctx.level >= 10" → "ctx.level >= 20"',
      'actions.coins none → { id: coins, features: { price: 1.5…',
      'actions.gems { id: gems } → none',
      'algorithm.learner.type beta → mean',
      'algorithm.learner.prior { alpha: 1, beta: 1 } → none',
      'guardrails.minProbability 0.02 → 0.05',
      'guardrails.fallback none → null',
      'guardrails.holdout none → { fraction: 0.1, action: "true" }',
      'unit playerId → none',
    ])
  })

  it('is shown where two long texts begin to differ, and never longer than a line has room for', () => {
    const rule = 'ctx.level >= 10 && ctx.platform == "ios" && ctx.spend30d >'
    expect(diff({ a: `${rule} 5.0` }, { a: `${rule} 20.0` })).toEqual(['a ….spend30d > 5.0" → ….spend30d > 20.0"'])
    expect(diff({ a: 'x'.repeat(100) }, { a: 1 })).toEqual([`a ${'x'.repeat(35)}… → 1`])
    expect(diff({ a: '😀'.repeat(40) }, {})[0]).toMatch(/^a "(😀)+�?… → none$/)
    expect(diff({ ['k'.repeat(100)]: 1 }, {})[0]).toBe(`${'k'.repeat(59)}… 1 → none`)
  })

  it('quotes what might be taken for something else', () => {
    expect(diff({ 'a.b': '1', 'c d': 'true', e: '' }, { 'a.b': 1, 'c d': true, e: 'f' })).toEqual([
      '"a.b" "1" → 1',
      '"c d" "true" → true',
      'e "" → f',
    ])
  })

  it('is found in lists without names, too, and in what has other keys than anybody expects', () => {
    expect(diff({ a: [1, 2] }, { a: [1, 3] })).toEqual(['a [1, 2] → [1, 3]'])
    expect(diff({ a: [{ id: 'x' }, { id: 'x' }] }, { a: [{ id: 'x' }] })).toEqual([
      'a [{ id: x }, { id: x }] → [{ id: x }]',
    ])
    expect(diff(JSON.parse('{ "__proto__": 1 }'), { constructor: 2 })).toEqual([
      'constructor none → 2',
      '__proto__ 1 → none',
    ])
    expect(diff({ a: [] }, { a: {} })).toEqual(['a [] → {}'])
  })

  it('is nothing between equals, and something short between any two others', () => {
    const value = fc.jsonValue({ maxDepth: 4 })
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(diff(a, structuredClone(a))).toEqual([])
        for (const { field, before, after } of valueChanges({ a }, { a: b })) {
          expect(field.length).toBeLessThanOrEqual(60)
          expect(Math.max(before?.length ?? 0, after?.length ?? 0)).toBeLessThanOrEqual(36)
          expect(before ?? after).not.toBeNull()
        }
        expect(diff({ a }, { a: b }).length === 0).toBe(canonicalJson(a) === canonicalJson(b))
      }),
    )
  })

  it('names the one field that was edited, whichever it is', () => {
    const leaves = [...leavesOf(POLICY)]
    fc.assert(
      fc.property(fc.constantFrom(...leaves), fc.integer({ min: 1000, max: 9999 }), (path, value) => {
        const edited = structuredClone(POLICY) as unknown as Record<string, unknown>
        const last = path.slice(0, -1).reduce<Record<string, unknown>>((at, key) => at[key] as typeof at, edited)
        last[path.at(-1)!] = value
        const found = diff(POLICY, edited)
        expect(found).toHaveLength(1)
        expect(found[0]).toMatch(new RegExp(` → .*${value}`))
      }),
    )
  })
})

/** Paths of all values but the names of items, an edit of which is another item, and items of plain lists. */
function* leavesOf(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (typeof value !== 'object' || value === null) yield path
  else {
    for (const [key, each] of Object.entries(value)) {
      if (!Array.isArray(value) && ['id', 'field'].includes(key)) continue
      yield* leavesOf(each, [...path, key])
    }
  }
}
