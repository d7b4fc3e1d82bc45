import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { EXPLORATIONS, LEARNERS, PAIRS } from '../../src/policy/algorithm.ts'
import { FIELD_NAMES } from '../../src/policy/field-names.ts'
import { explain } from '../../src/repo/explain.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { algorithmYaml, listTopics, topicNames, topicOf } from '../../src/repo/topics.ts'
import { expectPublished } from '../support/published.ts'
import { resource } from '../support/repository.ts'

describe('topics', () => {
  it('name each algorithm that there is, and no other', () => {
    const key = (learner: string, exploration?: string) => `${learner} × ${exploration ?? 'alone'}`
    const named = new Set(FIELD_NAMES.map(({ learner, exploration }) => key(learner, exploration)))
    const pairs = PAIRS.map(({ learner, exploration }) => key(learner.type, exploration?.type))
    expect([...named].filter(each => !pairs.includes(each))).toEqual([])
    const famous = PAIRS.filter(({ name }) => name?.paper !== undefined)
    expect(famous.filter(({ learner, exploration }) => !named.has(key(learner.type, exploration?.type)))).toEqual([])
  })

  it.each(FIELD_NAMES.map(each => [each.name, each] as const))('show YAML that is valid: %s', async (_, found) => {
    const written = load(algorithmYaml(found)) as Record<string, unknown>
    const spec = {
      actions: [{ id: 'none' }, { id: 'gold' }],
      context: { level: { type: 'integer', default: 1 } },
      ...written,
      guardrails: { minProbability: 0.02 },
      reward: { name: 'bought', type: 'binary', wait: '1h' },
    }
    const { diagnostics } = await loadRepository([
      { path: 'policies/offer.yaml', text: resource('Policy', 'offer', JSON.stringify(spec)) },
    ])
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  })

  it('are the learners and the explorations, each by its own name', () => {
    for (const { type } of [...LEARNERS, ...EXPLORATIONS]) {
      const found = topicOf(type) ?? explain(type)
      expect([type, 'topic' in found || 'explanation' in found]).toEqual([type, true])
      expect(topicNames()).toContain(type)
    }
    const paths = ['catalogue', 'bernoulli', 'discount', 'window', 'hash'].map(word => topicOf(word))
    expect(paths.map(found => found && 'explanation' in found && found.explanation.path)).toEqual([
      'Scenario.spec.world.catalogue',
      'Scenario.spec.world.bernoulli',
      'Policy.spec.algorithm.learner.linear.discount',
      'Policy.spec.algorithm.learner.linear.window',
      'Policy.spec.features.hash',
    ])
    expect(topicOf('Logistic')).toMatchObject({ explanation: { path: 'Policy.spec.algorithm.learner.logistic' } })
  })

  it('can all be asked for, and lead to what can be asked for', () => {
    for (const name of topicNames()) {
      const found = topicOf(name) ?? explain(name)
      expect([name, 'message' in found ? found.message : '']).toEqual([name, ''])
      if (!('topic' in found)) continue
      expectPublished('topic-result', { schema: 'dap.topic/v1', ...found.topic })
      for (const path of found.topic.see) {
        const next = topicOf(path) ?? explain(path)
        expect([name, path, 'message' in next ? next.message : '']).toEqual([name, path, ''])
      }
    }
  })

  it('are one line each, none twice', () => {
    const { kinds, topics } = listTopics()
    const names = [...kinds, ...topics].map(({ name }) => name.toLowerCase())
    expect(new Set(names).size).toBe(names.length)
    for (const { description } of [...kinds, ...topics]) expect(description).toMatch(/^[^\n]{8,160}$/)
  })
})
