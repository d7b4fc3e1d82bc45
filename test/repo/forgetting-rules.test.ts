import { describe, expect, it } from 'vitest'
import { diagnose, resource } from '../support/repository.ts'

const policy = (learner: string, actions = 2) =>
  resource(
    'Policy',
    'p',
    `context:
  x: { type: array, items: { type: number }, minItems: 100, maxItems: 100 }
actions:
${Array.from({ length: actions }, (_, a) => `  - { id: a${a} }`).join('\n')}
algorithm:
  learner: { ${learner} }
  exploration: { type: thompson }
guardrails: { minProbability: 0.01 }`,
  )
const scenario = (rest: string) =>
  resource(
    'Scenario',
    's',
    `world: { type: bernoulli, means: { a0: 0.5, a1: 0.4 } }
policies: [p, uniform]
horizon: 100
replications: 2
seed: 1
${rest}`,
  )

describe('what a learner forgets by', () => {
  it.each(['discount: { halfLife: 14d }', 'discount: { halfLife: 1h }', 'window: 2520d', 'window: 3600000ms'])(
    'may be %s',
    async way => {
      for (const learner of ['type: mean', 'type: beta', 'type: linear']) {
        expect(await diagnose({ 'p.yaml': policy(`${learner}, ${way}`) })).toEqual([])
      }
    },
  )

  it('is one way, within what buckets of time can hold', async () => {
    const wrong = [
      'type: mean, discount: { halfLife: 14d }, window: 28d',
      'type: mean, discount: { halfLife: 59m }',
      'type: mean, discount: { halfLife: 421d }',
      'type: mean, window: 0d',
      'type: beta, window: 9999d',
      'type: mean, discount: 14d',
      'type: mean, discount: {}',
      'type: mean, window: 2 weeks',
      'type: uniform, window: 28d',
    ]
    const faults = await Promise.all(wrong.map(learner => diagnose({ 'p.yaml': policy(learner) })))
    expect(faults.map(each => each.join('\n'))).toMatchInlineSnapshot(`
      [
        "p.yaml:11:57 semantic \`discount\` and \`window\` are two ways to forget | take one of them out",
        "p.yaml:11:50 semantic 59m is too short a time to forget by | from 1h to 420d",
        "p.yaml:11:50 semantic 421d is longer than buckets of time are kept | from 1h to 420d, or take it out: then nothing is forgotten",
        "p.yaml:11:36 semantic 0d is too short a time to forget by | from 1h to 2520d",
        "p.yaml:11:36 semantic 9999d is longer than buckets of time are kept | from 1h to 2520d, or take it out: then nothing is forgotten",
        "p.yaml:11:38 schema \`discount\` must be a mapping, got the string \`14d\` | Older rewards count less: half as much for every half-life before the end of the data, or \`--until\`",
        "p.yaml:11:28 schema \`halfLife\` is missing | for example \`halfLife: 14d\`",
        "p.yaml:11:36 schema \`window\` must look like \`28d\`, got the string \`2 weeks\` | write \`14d\`",
        "p.yaml:11:31 unknown-key unknown key \`window\` | known are \`type\`; \`window\` is of \`type: mean\` and \`type: beta\` and \`type: linear\` and \`type: logistic\` and \`type: hybrid\` and \`type: hashed\`
      p.yaml:12:5 semantic the learner \`uniform\` has probabilities already: it takes no exploration | take out \`exploration\`",
      ]
    `)
  })

  it('needs no more sums than memory has', async () => {
    // 90 · 35 · (101 + 5151) = 16,543,800, and 16,777,216 is the most.
    expect(await diagnose({ 'p.yaml': policy('type: linear, window: 90d', 35) })).toEqual([])
    expect(await diagnose({ 'p.yaml': policy('type: linear, window: 88d', 36) })).toEqual([])
    expect(await diagnose({ 'p.yaml': policy('type: linear, window: 90d', 36) })).toMatchInlineSnapshot(`
      [
        "p.yaml:45:30 semantic with these features and 36 actions \`linear\` has 17016480 sums in 90 buckets of time, more than 16777216 | cross fields of fewer values, or take \`window\` out",
      ]
    `)
    expect(await diagnose({ 'p.yaml': policy('type: linear', 36) })).toEqual([])
  })

  it('needs a clock in a scenario', async () => {
    const faults = (learner: string, rest = '') =>
      diagnose({
        'p.yaml': policy(learner)
          .replace(/ *x: .*\n/, '')
          .replace('context:', 'context: {}'),
        's.yaml': scenario(rest),
      })
    expect(await faults('type: mean')).toEqual([])
    expect(await faults('type: mean, window: 7d', 'every: 10m')).toEqual([])
    expect(await faults('type: mean, window: 7d')).toMatchInlineSnapshot(`
      [
        "s.yaml:6:14 semantic \`p\` forgets by time (\`window\`), and this scenario has none | say how much passes between two decisions, such as \`every: 10m\`",
      ]
    `)
    expect(await faults('type: mean', 'every: 0s')).toMatchInlineSnapshot(`
      [
        "s.yaml:10:10 semantic no time passes between decisions | for example \`every: 10m\`",
      ]
    `)
  })
})
