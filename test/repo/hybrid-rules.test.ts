import { describe, expect, it } from 'vitest'
import { diagnose, resource } from '../support/repository.ts'

const policy = (features: string, { learner = 'type: hybrid', actions = ACTIONS, context = '' } = {}) =>
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
  learner: { ${learner} }
  exploration: { type: ucb, alpha: 0.5 }
guardrails: { minProbability: 0.001 }`,
    ),
  })

const ACTIONS = `  - { id: a, features: { price: 1 } }
  - { id: b, features: { price: 2 } }`

describe('the features of a hybrid learner', () => {
  it('are fine where there are some of actions and something for each', async () => {
    expect(await policy('features: [{ field: level }, { action: price }, { cross: [level, action.id] }]')).toEqual([])
    expect(await policy('features: [{ action: price }]')).toEqual([])
    expect(
      await policy('features: [{ action: id }]', { learner: 'type: hybrid, l2: 0.5, intercept: false' }),
    ).not.toEqual([])
  })

  it('are refused where actions share none, or nothing is left for each', async () => {
    const none = { learner: 'type: hybrid, intercept: false' }
    const faults = await Promise.all([
      policy(''),
      policy('features: [{ field: level }]'),
      policy('features: [{ action: price }]', none),
    ])
    expect(faults.flat()).toMatchInlineSnapshot(`
      [
        "p.yaml:13:22 semantic no feature is of the actions, so that \`hybrid\` has nothing that they share | add a feature of the actions, such as \`{ action: id }\`, or use the learner \`linear\`, which has a model an action",
        "p.yaml:11:3 semantic no feature is of the actions, so that \`hybrid\` has nothing that they share | add a feature of the actions, such as \`{ action: id }\`, or use the learner \`linear\`, which has a model an action",
        "p.yaml:11:3 semantic every feature is of the actions, so that \`hybrid\` has nothing for a model of each | set \`intercept: true\`, add a feature of the context, or use \`linear\` with \`shared: true\`",
      ]
    `)
  })

  it('have no more numbers than a snapshot can have', async () => {
    const vectors = (length: number) =>
      ['x', 'y'].map(
        name => `  ${name}: { type: array, items: { type: number }, minItems: ${length}, maxItems: ${length} }`,
      )
    const actions = Array.from({ length: 100 }, (_, a) => `  - { id: a${a}, features: { price: ${a} } }`).join('\n')
    const at = (length: number) =>
      policy('features: [{ field: x }, { cross: [y, action.price] }]', { actions, context: vectors(length).join('\n') })
    // An intercept and x, by y: 100 · (1 + 289) · 289 = 8,381,000, and one more is beyond 8,388,608.
    expect(await at(289)).toEqual([])
    expect(await at(290)).toMatchInlineSnapshot(`
      [
        "p.yaml:110:13 semantic with these features and 100 actions \`hybrid\` has 8439000 numbers, more than 8388608 | cross fields of fewer values, or \`bucketize\` them",
      ]
    `)
  })

  it('say so of `linear`, too, of which no snapshot could be loaded', async () => {
    const actions = Array.from({ length: 100 }, (_, a) => `  - { id: a${a} }`).join('\n')
    const at = (length: number) =>
      policy('features: [{ field: x }]', {
        actions,
        learner: 'type: linear',
        context: `  x: { type: array, items: { type: number }, minItems: ${length}, maxItems: ${length} }`,
      })
    // 100 · 409 · 410 / 2 = 8,384,500
    expect(await at(408)).toEqual([])
    expect(await at(409)).toHaveLength(1)
  })
})
