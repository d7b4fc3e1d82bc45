import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compose } from '../../scripts/compose.ts'
import { ESTIMATORS } from '../../src/evaluate/estimators/estimators.ts'
import { EXPLORATIONS, LEARNERS } from '../../src/policy/algorithm.ts'
import { WORLDS } from '../../src/simulate/worlds/worlds.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

describe('what is made from the definitions', () => {
  it('is what the files say', () => {
    for (const [path, text] of compose(read)) expect(text, `${path}: run \`node scripts/build.ts\``).toBe(read(path))
  })

  it('is made whatever stands in its place', () => {
    const spoilt = (path: string) =>
      read(path)
        .replaceAll('Always the action of the highest value.', '?')
        .replaceAll('"bernoulli"', '"?"')
        .replaceAll('"ips"', '"?"')
        .replaceAll('| `mean` |', '| ? |')
    const made = compose(spoilt)
    for (const path of ['policy', 'scenario', 'evaluation'].map(kind => `schemas/${kind}.schema.json`)) {
      expect(spoilt(path)).not.toBe(read(path))
    }
    expect(made.get('README.md')).toBe(read('README.md'))
    expect(made.get('schemas/policy.schema.json')).toBe(read('schemas/policy.schema.json'))
  })

  it.each([
    ['learner', LEARNERS],
    ['exploration', EXPLORATIONS],
    ['world', WORLDS],
    ['estimator', ESTIMATORS],
  ])('has every %s once, each in a place of its own', (_, definitions) => {
    expect(new Set(definitions.map(({ type }) => type)).size).toBe(definitions.length)
    expect(new Set(definitions.map(({ order }) => order)).size).toBe(definitions.length)
  })

  it('names pairs that there are', () => {
    const named = EXPLORATIONS.flatMap(({ type, names }) => Object.keys(names).map(learner => [type, learner]))
    const strangers = named.filter(([, learner]) => !LEARNERS.some(({ type }) => type === learner))
    expect(strangers).toEqual([])
  })
})
