import { describe, expect, it } from 'vitest'
import { diagnose, resource } from '../support/repository.ts'

interface Changes {
  readonly learner?: string
  readonly features?: string
  readonly exploration?: string
  readonly reward?: string
  readonly context?: string
  readonly actions?: string
}

const policy = ({
  learner = '',
  features = '',
  exploration = 'type: thompson',
  reward = 'name: click, type: binary, wait: 1h',
  context = '',
  actions = ACTIONS,
}: Changes) =>
  diagnose({
    'p.yaml': resource(
      'Policy',
      'p',
      `context:
  level: { type: integer, minimum: 0, default: 1 }
${context}
actions:
${actions}
${features}
algorithm:
  learner: { type: logistic${learner} }
  exploration: { ${exploration} }
guardrails: { minProbability: 0.001 }
reward: { ${reward} }`,
    ),
  })

const ACTIONS = `  - { id: a, features: { price: 1 } }
  - { id: b, features: { price: 2 } }`

describe('the learner logistic', () => {
  it('is fine an action, and shared on features of actions, with every exploration', async () => {
    for (const exploration of ['thompson, scale: 0.5', 'thompson, draws: 64', 'squarecb', 'ucb, alpha: 1', 'greedy'])
      for (const shape of [
        {},
        { features: 'features: [{ field: level }]' },
        { learner: ', shared: true, l2: 5', features: 'features: [{ action: price }, { cross: [level, action.id] }]' },
      ])
        expect(await policy({ ...shape, exploration: `type: ${exploration}` })).toEqual([])
  })

  it('says what it cannot do with, and what to write in its place', async () => {
    const found = await Promise.all([
      policy({ reward: 'name: revenue, type: number, wait: 1h' }),
      policy({ features: 'features: [{ action: price }]' }),
      policy({ learner: ', shared: true' }),
      policy({ learner: ', shared: true', features: 'features: [{ field: level }]' }),
      policy({ learner: ', l2: 0' }),
      policy({ exploration: 'type: ucb, factor: 2' }),
      policy({ features: 'features: [{ hash: { bits: 12 } }]' }),
    ])
    expect(found.flat()).toMatchInlineSnapshot(`
      [
        "p.yaml:13:22 semantic the learner \`logistic\` needs a binary reward | set \`reward.type: binary\`, or use the learner \`linear\`",
        "p.yaml:11:16 semantic \`logistic\` has a model an action, to which what is said of the action is always the same | set \`shared: true\` on the learner",
        "p.yaml:13:40 semantic a model that actions share needs \`features\` | for example \`features: [{ action: id }, { field: level }, { cross: [level, action.id] }]\`",
        "p.yaml:11:13 semantic no feature differs between actions: all would be worth the same | add \`{ action: id }\`, or a feature of the actions, and products with what should matter to each differently",
        "p.yaml:13:36 schema \`l2\` must be more than 0, got 0 | The ridge penalty λ of every coefficient",
        "p.yaml:14:39 semantic \`factor\` is UCB1's, over \`mean\`; over \`logistic\` it is \`alpha\` | write \`alpha\`",
        "p.yaml:11:16 semantic the learner \`logistic\` does not see hashes | use the learner \`hashed\`, or name fields instead",
      ]
    `)
  })

  it('has no more numbers than a snapshot can have', async () => {
    const actions = Array.from({ length: 100 }, (_, a) => `  - { id: a${a} }`).join('\n')
    const at = (length: number) =>
      policy({
        actions,
        context: `  x: { type: array, items: { type: number }, minItems: ${length}, maxItems: ${length} }`,
        features: 'features: [{ field: x }]',
      })
    // An intercept and x: 100 · 409 · 410 / 2 = 8,384,500, and one more is beyond 8,388,608.
    expect(await at(408)).toEqual([])
    expect(await at(409)).toMatchInlineSnapshot(`
      [
        "p.yaml:109:13 semantic with these features and 100 actions \`logistic\` has 8425500 numbers, more than 8388608 | cross fields of fewer values, or \`bucketize\` them",
      ]
    `)
  })
})
