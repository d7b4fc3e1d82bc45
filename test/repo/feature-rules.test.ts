import { describe, expect, it } from 'vitest'
import { diagnose, resource } from '../support/repository.ts'

const policy = (features: string, { shared = true, actions = ACTIONS } = {}) =>
  diagnose({
    'p.yaml': resource(
      'Policy',
      'p',
      `context:
  level: { type: integer, minimum: 0, default: 1 }
  platform: { type: string, enum: [ios, android] }
  name: { type: string }
actions:
${actions}
${features}
algorithm:
  learner: { type: linear${shared ? ', shared: true' : ''} }
  exploration: { type: thompson }
guardrails: { minProbability: 0.01 }`,
    ),
  })

const ACTIONS = `  - { id: a, features: { price: 1, genre: card } }
  - { id: b, features: { price: 2, genre: puzzle } }`

describe('the features of actions', () => {
  it('are advised by their ids only where those are listed', async () => {
    const hints = async (actions: string) =>
      (await Promise.all(['features: [{ field: level }]', ''].map(features => policy(features, { actions })))).join()
    expect(await hints(ACTIONS)).toContain('{ action: id }')
    expect(await hints('  from: request\n  max: 5\n  features: { price: { type: number } }')).not.toContain(
      'action: id',
    )
  })

  it('are fine where a model that actions share sees them', async () => {
    expect(
      await policy(
        'features: [{ field: level }, { action: price, transform: log1p }, { cross: [platform, action.genre] }]',
      ),
    ).toEqual([])
  })

  it.each([
    ['features: [{ action: prize }]', {}],
    ['features: [{ action: genre, transform: log1p }]', {}],
    ['features: [{ cross: [platform, action.gerne] }]', {}],
    ['features: [{ cross: [platfrom, action.genre] }]', {}],
    ['features: [{ cross: [name, action.genre] }]', {}],
    ['features: [{ cross: [action.genre, action.genre] }]', {}],
    ['features: [{ field: level }, { field: level, transform: log1p }, { cross: [level, action.id] }]', {}],
    ['features: [{ field: level }]', {}],
    ['', {}],
    ['features: [{ action: price }]', { shared: false }],
    ['features: [{ cross: [level, platform] }, { cross: [level, action.genre] }]', { shared: false }],
    ['features: [{ action: price }]', { actions: '  - { id: a, features: { price: 1 } }\n  - { id: b }' }],
    [
      'features: [{ action: price, transform: log1p }]',
      { actions: '  - { id: a, features: { price: -1 } }\n  - { id: b, features: { price: 0 } }' },
    ],
    [
      'features: [{ action: id }]',
      { actions: '  - { id: a, features: { id: x } }\n  - { id: b, features: { id: y } }' },
    ],
    [
      'features: [{ action: fresh }]',
      { actions: '  - { id: a, features: { fresh: true } }\n  - { id: b, features: { fresh: 1 } }' },
    ],
    ['features: [{ transform: log1p }]', {}],
    ['features: [{ fild: level }, { action: price, transfrom: log1p }]', {}],
    ['features: [{ field: level, action: price }]', {}],
    ['features: [{ cross: [platform] }]', {}],
  ])('%s', async (features, options) => {
    expect(await policy(features, options)).toMatchSnapshot()
  })

  it('have no more components than a dense model can do with', async () => {
    const ids = (count: number) => Array.from({ length: count }, (_, i) => `  - { id: a${i} }`).join('\n')
    const at = (count: number) =>
      policy('features: [{ action: id }, { cross: [platform, action.id] }]', { actions: ids(count) })
    // 333 · (1 + 2) = 999.
    expect((await at(333)).filter(text => text.includes('components'))).toEqual([])
    expect((await at(334)).filter(text => text.includes('components'))).toHaveLength(1)
  })
})

describe('hashed features', () => {
  const hashing = (features: string, more = '') =>
    diagnose({
      'p.yaml': resource(
        'Policy',
        'p',
        `unit: user
context:
  user: { type: string }
  level: { type: integer, minimum: 0, maximum: 10, default: 1 }
  city: { type: string }
${more}
actions:
${ACTIONS}
${features}
algorithm:
  learner: { type: hashed }
  exploration: { type: squarecb }
reward: { type: binary }`,
      ),
    })

  it.each([
    [''],
    ['features: [{ hash: {} }]'],
    ['features: [{ field: level, transform: log1p }, { field: user }, { action: price }]'],
    ['features: [{ hash: { bits: 20, pairs: [] } }]'],
  ])('are all that there is, as the file has it: %s', async features => {
    expect(await hashing(features)).toEqual([])
  })

  it.each([
    ['features: [{ hash: {} }, { hash: { bits: 20 } }]'],
    ['features: [{ hash: {} }, { cross: [level, action.id] }]'],
    ['features: [{ hash: { namespaces: [context, action, context] } }]'],
    ['features: [{ hash: { namespaces: [context, acton] } }]'],
    ['features: [{ hash: { namespaces: [action], pairs: [[context, action]] } }]'],
    ['features: [{ hash: { namespaces: [context], pairs: [] } }]'],
    ['features: [{ hash: { pairs: [[context, action], [action, context]] } }]'],
    ['features: [{ hash: { pairs: [[context]] } }]'],
    ['features: [{ hash: { bits: 40 } }]'],
    ['features: [{ field: city }, { hash: { namespaces: [action], pairs: [] } }]'],
    ['features: [{ field: city, transform: log1p }]'],
    ['features: [{ field: town }]'],
    ['features: [{ hash: { bits: 8 } }]', '  size: { type: array, items: { type: number }, minItems: 9, maxItems: 9 }'],
    ['', '  spend: { type: number, minimum: 0, default: 0 }'],
  ])('%s', async (features, more = '') => {
    expect(await hashing(features, more)).toMatchSnapshot()
  })

  it('are for the learner hashed alone', async () => {
    expect(await policy('features: [{ hash: {} }]')).toMatchSnapshot()
  })
})
