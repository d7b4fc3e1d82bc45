import { describe, expect, it } from 'vitest'
import { explain } from '../../src/repo/explain.ts'

function found(path: string) {
  const result = explain(path)
  if (!('explanation' in result)) throw new Error(result.message)
  return result.explanation
}

describe('explain', () => {
  it('says what a field means, its type, default and bounds', () => {
    expect(found('policy.spec.guardrails.minProbability')).toMatchObject({
      path: 'Policy.spec.guardrails.minProbability',
      type: 'number',
      required: false,
      default: 0,
      examples: [0.02],
      bounds: ['at least 0', 'at most 0.5'],
      fields: [],
      variants: [],
    })
  })

  it('says what each item of a list, each key and each value of a map must keep to', () => {
    expect(found('Scenario.spec.checkpoints').bounds).toEqual([
      'at least 1 item',
      'at most 1000 items',
      'each at least 1',
    ])
    expect(found('Policy.metadata.description').bounds).toEqual(['at least 1 character', 'at most 4000 characters'])
    expect(found('Policy.metadata.labels').bounds).toEqual([
      'at most 64 keys',
      'each key matches ^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$',
      'each at most 256 characters',
    ])
  })

  it('lists the fields of a kind, and of the items of a list', () => {
    expect(found('Policy').fields.map(field => field.name)).toEqual(['apiVersion', 'kind', 'metadata', 'spec'])
    expect(found('Scenario.spec.expect').fields.map(field => field.name)).toEqual(['id', 'expr'])
    expect(found('Scenario.spec.expect').type).toBe('list of mappings')
    for (const field of ['id', 'from', 'max']) expect(found(`Policy.spec.actions.${field}`).path).toMatch(field)
  })

  it('lists the shapes that a field may have', () => {
    const names = (path: string) => found(path).variants.map(variant => variant.name)
    expect(names('Policy.spec.algorithm.learner')).toEqual([
      'mean',
      'beta',
      'linear',
      'logistic',
      'hybrid',
      'hashed',
      'fixed',
      'model',
      'uniform',
    ])
    expect(names('Policy.spec.context')).toEqual(['string', 'integer, number', 'boolean', 'array'])
    expect(names('Evaluation.spec.candidates')).toEqual([
      'policy',
      'logging',
      'uniform',
      'fixed',
      'table',
      'probabilities',
      'scores',
    ])
    expect(names('Scenario.spec.world.linear.means')).toContain('string')
  })

  it('walks through shapes, with or without their names, and through lists and maps', () => {
    expect(found('Policy.spec.algorithm.learner.linear.l2').default).toBe(1)
    expect(found('Policy.spec.algorithm.learner.l2').default).toBe(1)
    expect(found('Evaluation.spec.candidates.table.by').type).toBe('list of strings')
    expect(found('Scenario.spec.population.context.level.normal.sd').description).toBe('The standard deviation.')
  })

  it('lists algorithms by the names of their papers', () => {
    const { algorithms = [] } = found('Policy.spec.algorithm')
    const named = (wanted: string) => algorithms.find(({ name }) => name === wanted)
    expect(named('LinUCB')).toEqual({
      learner: 'linear',
      exploration: 'ucb',
      name: 'LinUCB',
      paper: 'Li, Chu, Langford, Schapire 2010',
    })
    expect(named('KL-UCB')).toMatchObject({ learner: 'mean', exploration: 'kl-ucb' })
    expect(algorithms).toContainEqual({ learner: 'fixed', exploration: null, name: null, paper: null })
    expect(found('Policy.spec.algorithm.learner').algorithms).toBeUndefined()
  })

  it('suggests what an unknown path may have meant', () => {
    expect(explain('Polcy')).toEqual({ message: 'there is no kind `Polcy`', hint: 'did you mean `Policy`?' })
    expect(explain('Policy.spec.algoritm')).toEqual({
      message: '`Policy.spec` has no field `algoritm`',
      hint: 'did you mean `algorithm`?',
    })
  })
})
