import { describe, expect, it } from 'vitest'
import type { ModelSpec, PolicySpec } from '../../src/kinds.ts'
import { readOnnx } from '../../src/models/onnx-graph.ts'
import type { Signature } from '../../src/models/runtime.ts'
import { usedModelFaults } from '../../src/repo/models/used-models.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import type { Resource } from '../../src/repo/resource.ts'
import { FOUR, modelFiles } from '../support/model-files.ts'
import { fixture } from '../support/models.ts'
import { resource } from '../support/repository.ts'

const CONTEXT = 'playerId: { type: string }, level: { type: integer }, mood: { type: number }, vip: { type: boolean }'

const POLICY = resource(
  'Policy',
  'offer',
  `unit: playerId
context: { ${CONTEXT}, tier: { type: string, enum: [a, b] } }
actions: [{ id: a, features: { price: 1, size: 2 } }, { id: b, features: { price: 2.5, size: 1 } }]
algorithm: { learner: { type: uniform } }
guardrails: { minProbability: 0.02, fallback: a }
reward: { name: click, type: binary, wait: 1h, default: 0 }`,
)

/** What is said of a policy that uses a fixture, whose Model has these inputs. */
async function said(name: string, inputs: string): Promise<string[]> {
  const { 'models/ctr.yaml': model } = modelFiles(name, `${inputs}\noutput: { type: value }`, { rows: false })
  const repository = await loadRepository(
    Object.entries({ model, policy: POLICY }).map(([path, text]) => ({ path, text })),
  )
  const policy = repository.get('Policy', 'offer') as Resource & { readonly spec: PolicySpec }
  const ctr = repository.get('Model', 'ctr') as Resource<'Model'> & { readonly spec: ModelSpec }
  const signature = (readOnnx(fixture(`${name}.onnx`)) as { readonly signature: Signature }).signature
  const known = new Map([['ctr', { model: ctr, signature }]])
  // Without its file a Model is not known, and a policy that names it would not be there.
  const algorithm: PolicySpec['algorithm'] = {
    learner: { type: 'model', model: 'ctr' },
    exploration: { type: 'epsilon-greedy', epsilon: 0.1, ties: 'random' },
  }
  return [...usedModelFaults({ ...policy.spec, algorithm }, known)].map(({ message, hint, path }) => {
    expect(path).toEqual(['spec', 'algorithm', 'learner', 'model'])
    return `${message} (${hint})`
  })
}

const ofIds = (features: string, dtype = 'int64') =>
  said('ids', `inputs: [{ name: ids, dtype: ${dtype}, features: [${features}] }]`)

describe('a policy that uses a Model', () => {
  it('gives it what it takes', async () => {
    expect(await said('mlp', FOUR)).toEqual([])
    expect(await ofIds('{ field: level }, { action: size }')).toEqual([])
    expect(await ofIds('{ field: tier }')).toEqual([])
    expect(await ofIds('{ field: vip }, { field: level }')).toEqual([])
    expect(await ofIds('{ field: mood, transform: bucketize, edges: [0] }', 'bool')).toEqual([])
  })

  it('lacks a field, makes other columns, or numbers that are not whole', async () => {
    expect(await said('mlp', FOUR.replace('mood', 'modo'))).toMatchInlineSnapshot(`
      [
        "the Model \`ctr\`: feature \`modo\`: there is no such field (what a Model is fed with are fields of the policy, and of its actions)",
      ]
    `)
    expect(await said('mlp', FOUR.replace('field: mood', 'field: tier'))).toMatchInlineSnapshot(`
      [
        "the Model \`ctr\`: the features of \`x\` make 5 columns, and the model takes 4 (the features are those that it was trained on, in that order; a one-hot has a column a value)",
      ]
    `)
    expect(await ofIds('{ field: mood }, { action: price }')).toMatchInlineSnapshot(`
      [
        "the Model \`ctr\`: \`mood\` need not be a whole number, and \`ids\` takes int64 (declare it as \`type: integer\`, or give the model another type)",
        "the Model \`ctr\`: \`action.price\` need not be a whole number, and \`ids\` takes int64 (declare it as \`type: integer\`, or give the model another type)",
      ]
    `)
    expect(await ofIds('{ field: level }, { field: vip }', 'bool')).toMatchInlineSnapshot(`
      [
        "the Model \`ctr\`: \`level\` is a number, and \`ids\` takes bool (take a boolean, or \`transform: one-hot\` or \`bucketize\`)",
      ]
    `)
  })
})
