import { describe, expect, it } from 'vitest'
import { diagnose, resource } from '../support/repository.ts'

const POLICY = `actions: [{ id: a, features: { genre: x } }, { id: b, features: { genre: y, price: 1 } }, { id: c, features: { genre: x } }]
decision: { type: ranking, slots: 2 }
algorithm: { learner: { type: mean }, exploration: { type: softmax } }`

const scenario = (click: string, { policies = '[lists]', policy = POLICY, world = 'bernoulli, means' } = {}) =>
  diagnose({
    'p.yaml': resource('Policy', 'lists', policy),
    's.yaml': resource(
      'Scenario',
      'week',
      `world: { type: ${world}: { a: 0.1, b: 0.2, c: 0.3 }${click} }
policies: ${policies}
horizon: 100
seed: 1`,
    ),
  })

describe('a world of lists', () => {
  it.each([
    ', click: { type: pbm, examination: [1, 0.5] }',
    ', click: { type: cascade }',
    ', click: { type: dcm, continuation: [0.9, 0.9, 0.1] }',
    ', click: { type: list-wise, same: genre, factor: 0.5 }',
  ])('may have %s, for lists and single decisions', async click => {
    expect(await scenario(click)).toEqual([])
    expect(await scenario(click, { policy: POLICY.replace('{ type: ranking, slots: 2 }', '{}') })).toEqual([])
  })

  it('says what it cannot do with, and what to write in its place', async () => {
    const found = await Promise.all([
      scenario(''),
      scenario('', { world: 'linear, means' }),
      scenario(', click: { type: cascade }', { policies: '[uniform, oracle]' }),
      scenario(', click: { type: dcm, continuation: [0.5, 0.6] }'),
      scenario(', click: { type: list-wise, same: price, factor: 0.5 }'),
      scenario(', click: { type: pbm, examination: [1.5] }'),
      scenario(', click: { type: cascade }', { world: 'linear, means' }),
    ])
    expect(found).toMatchInlineSnapshot(`
      [
        [
          "s.yaml:6:14 semantic \`lists\` decides lists, and the world does not say how people click in them | add a click model to the world, such as \`click: { type: pbm, examination: [1, 0.6, 0.4] }\`",
        ],
        [
          "s.yaml:6:14 semantic \`lists\` decides lists, and the world does not say how people click in them | play it in a bernoulli or logistic or catalogue world, with a click model",
        ],
        [
          "s.yaml:5:71 semantic nobody says how many slots a list has | name a policy in \`policies\`: baselines make lists of as many slots as the first one",
        ],
        [
          "s.yaml:5:98 semantic the probability of looking on rises from 0.5 to 0.6, where the best list is not by what its actions are worth | write none that is higher than the one before",
        ],
        [
          "s.yaml:5:96 semantic nothing says what \`price\` is of the action \`a\` of \`lists\` | name a feature that all actions have, or add \`price\` to them",
        ],
        [
          "s.yaml:5:98 schema \`examination[0]\` must be at most 1, got 1.5 | write a number",
        ],
        [
          "s.yaml:5:61 unknown-key unknown key \`click\` | known are \`type\`, \`means\`, \`noise\`; \`click\` is of \`type: bernoulli\` and \`type: logistic\` and \`type: catalogue\`",
          "s.yaml:6:14 semantic \`lists\` decides lists, and the world does not say how people click in them | play it in a bernoulli or logistic or catalogue world, with a click model",
        ],
      ]
    `)
  })
})

describe('credit by position', () => {
  const crediting = (learner: string, features = 'features: [{ action: genre }]') =>
    diagnose({
      'p.yaml': resource(
        'Policy',
        'lists',
        `${POLICY.replace('{ type: mean }', learner)}\n${features}\nreward: { credit: { position: [1, 0.5] } }`,
      ),
    })

  it('is of learners that are linear in features', async () => {
    expect(await crediting('{ type: linear, shared: true }')).toEqual([])
    expect(
      await crediting(
        '{ type: hybrid }',
        'context: { level: { type: number } }\nfeatures: [{ field: level }, { action: genre }]',
      ),
    ).toEqual([])
    const found = await Promise.all([
      crediting('{ type: mean }', ''),
      crediting('{ type: logistic, shared: true }'),
      crediting('{ type: hashed }', ''),
    ])
    expect(found).toMatchInlineSnapshot(`
      [
        [
          "p.yaml:9:33 semantic \`credit.position\` multiplies features, and \`mean\` is not linear in them | \`credit: examined\`, or a learner that is: \`linear\` or \`hybrid\`",
        ],
        [
          "p.yaml:9:33 semantic \`credit.position\` multiplies features, and \`logistic\` is not linear in them | \`credit: examined\`, or a learner that is: \`linear\` or \`hybrid\`",
        ],
        [
          "p.yaml:9:33 semantic \`credit.position\` multiplies features, and \`hashed\` is not linear in them | \`credit: examined\`, or a learner that is: \`linear\` or \`hybrid\`",
        ],
      ]
    `)
  })
})
