import { load } from 'js-yaml'
import { expect, it } from 'vitest'
import { EXPLORATIONS, LEARNERS } from '../../src/policy/algorithm.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { resource } from '../support/repository.ts'

const ACTIONS = {
  listed: [
    { id: 'a', features: { price: 1 } },
    { id: 'b', features: { price: 2 } },
  ],
  offered: { from: 'request', max: 10, features: { price: { type: 'number', minimum: 0 } } },
}
const FEATURES = { context: [{ field: 'level' }], action: [{ action: 'price' }], none: undefined }

async function faultsOf(spec: object): Promise<readonly { readonly message: string; readonly hint?: string }[]> {
  const file = { path: 'policies/p.yaml', text: resource('Policy', 'p', JSON.stringify(spec)) }
  return (await loadRepository([file])).diagnostics
}

it('another learner that a hint names is one with which the fault is gone, and none of the learner is left', async () => {
  const seen = new Set<string>()
  for (const { type } of LEARNERS) {
    for (const exploration of EXPLORATIONS) {
      for (const [of, actions] of Object.entries(ACTIONS)) {
        for (const features of Object.values(FEATURES)) {
          const spec = {
            context: { level: { type: 'integer', default: 1 } },
            actions,
            features,
            algorithm: { learner: { type } as object, exploration: { type: exploration.type } },
            guardrails: { minProbability: 0.01 },
            reward: { name: 'r', type: 'number', wait: '1h', default: 0 },
          }
          for (const { message, hint = '' } of await faultsOf(spec)) {
            const [, named] = /use the learner `(.*?)`/.exec(hint) ?? []
            if (named === undefined) continue
            seen.add(`${of} ${named}`)
            const learner = named.startsWith('{') ? (load(named) as object) : { type: named }
            const binary = message.includes('needs a binary reward')
              ? spec
              : { ...spec, reward: { ...spec.reward, type: 'binary' } }
            const left = await faultsOf({ ...binary, algorithm: { ...spec.algorithm, learner } })
            const about = left.filter(
              each =>
                each.message === message || /requests bring the actions, and|has a model an action/.test(each.message),
            )
            expect([named, message, about]).toEqual([named, message, []])
          }
        }
      }
    }
  }
  expect([...seen]).toContain('offered { type: linear, shared: true }')
  expect([...seen]).toContain('listed linear')
})
