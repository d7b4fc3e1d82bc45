import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { vectorFiles } from '../../scripts/vectors.ts'
import { PAIRS } from '../../src/policy/algorithm.ts'
import type { Bundle } from '../../src/policy/bundle.ts'

const FOLDER = new URL('../../clients/vectors/', import.meta.url)
const made = vectorFiles()

interface Case {
  readonly bundle: Bundle
  readonly decisions: readonly {
    readonly faults?: readonly string[]
    readonly decision?: { readonly servedBy: string; readonly excluded: readonly unknown[]; readonly reason?: string }
  }[]
}

const cases = [...made]
  .filter(([name]) => name.startsWith('policies-'))
  .flatMap(([, text]) => (JSON.parse(text) as { policies: readonly Case[] }).policies)

describe('clients/vectors', () => {
  it('has what `node scripts/vectors.ts` makes, to the byte', () => {
    expect(readdirSync(FOLDER).sort()).toEqual([...made.keys(), 'README.md'].sort())
    for (const [name, text] of made) expect(readFileSync(new URL(name, FOLDER), 'utf8') === text, name).toBe(true)
  })

  it('has every pair of a learner and an exploration, before and after learning', () => {
    const pairs = (isNew: boolean) => {
      const names = cases
        .filter(({ bundle }) => (bundle.snapshot === null) === isNew)
        .map(({ bundle: { policy } }) => policy.spec.algorithm)
        .map(({ learner, exploration }) => `${learner.type} ${exploration?.type}`)
      return [...new Set(names)].sort()
    }
    // What a Model says is an input that no vector has.
    const all = PAIRS.filter(({ learner }) => learner.type !== 'model')
      .map(({ learner, exploration }) => `${learner.type} ${exploration?.type}`)
      .sort()
    expect(pairs(false)).toEqual(all)
    expect(pairs(true)).toEqual(all.filter(name => !name.startsWith('uniform')))
  })

  it('has every way in which an action is served, exclusions and faults', () => {
    const decisions = cases.flatMap(each => each.decisions)
    const ways = new Set(decisions.flatMap(({ decision }) => decision?.servedBy ?? []))
    expect([...ways].sort()).toEqual(['fallback', 'holdout', 'none', 'override', 'policy'])
    expect(decisions.filter(({ decision }) => (decision?.excluded.length ?? 0) > 0).length).toBeGreaterThan(100)
    expect(decisions.filter(({ faults }) => faults !== undefined).length).toBeGreaterThan(3)
  })

  it('has rules and features without a value, each beside some that have one', () => {
    for (const [name, reason] of [
      ['a-rule-without-a-value', 'division by zero'],
      ['a-feature-without-a-value', 'is not above -1'],
    ]) {
      const decisions = cases.find(({ bundle }) => bundle.policy.name === name)!.decisions
      const reasons = decisions.flatMap(({ decision }) => decision!.reason ?? [])
      expect(reasons.length).toBeLessThan(decisions.length)
      expect(reasons.join()).toContain(reason)
    }
  })

  it('names every file that its README explains', () => {
    const readme = readFileSync(new URL('README.md', FOLDER), 'utf8')
    for (const name of made.keys()) {
      expect(readme, name).toContain(name.startsWith('policies-') ? 'policies-*.json' : `\`${name}\``)
    }
  })
})
