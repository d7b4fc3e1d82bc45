import { describe, expect, it } from 'vitest'
import type { EvaluationResult } from '../../src/results.ts'
import { LEVELS } from '../support/action-sets.ts'
import { onDisk } from '../support/disk.ts'
import { diagnose, resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const POLICY = (actions: string) => `unit: player
context: { player: { type: string }, platform: { type: string, enum: [ios, android] } }
actions: ${actions}
algorithm: { learner: { type: linear, shared: true }, exploration: { type: softmax, temperature: 0.3 } }
features: [{ action: genre }, { action: price }]
guardrails: { minProbability: 0.01 }
reward: { name: click, type: binary, default: 0 }`

const OFFERED = `
  from: request
  max: 20
  features:
    genre: { type: string, enum: [puzzle, card, arcade] }
    price: { type: number, minimum: 0, default: 0 }`

const LISTED = `
  - { id: a, features: { genre: puzzle, price: 1.5, level: 1 } }
  - { id: b, features: { genre: puzzle, price: 2.5, level: 2 } }
  - { id: c, features: { genre: card, price: 3, level: 2, rating: 5 } }`

const DATASET = 'files: [logs/*.jsonl]\nformat: dap\nactions: { policy: shelf }'
const EVALUATION = (estimators: string, candidates = '{ name: alike, uniform: true }') =>
  `dataset: log\nestimators: ${estimators}\ncandidates: [${candidates}]`

const FILES = (actions: string, evaluation: string, dataset = DATASET) => ({
  'dap.yaml': resource('Project', 'shelf', 'projectId: abcdefgh23456789'),
  'policies/shelf.yaml': resource('Policy', 'shelf', POLICY(actions)),
  'datasets/log.yaml': resource('Dataset', 'log', dataset),
  'evaluations/next.yaml': resource('Evaluation', 'next', evaluation),
})

const resultOf = async (folder: string): Promise<EvaluationResult> =>
  JSON.parse((await dapIn(folder, 'evaluate', 'next', '--json')).stdout)

describe('evaluate by what actions have in common', () => {
  it('finds it in the records, where requests bring the actions', async () => {
    const folder = await onDisk({
      ...FILES(OFFERED, EVALUATION('[ips, { type: mips, by: [genre] }]')),
      'scenarios/launch.yaml': resource(
        'Scenario',
        'launch',
        `policies: [shelf]
horizon: 1500
replications: 2
population: { units: 1500, context: { platform: { categorical: { ios: 0.5, android: 0.5 } } } }
world:
  type: catalogue
  items: 60
  offered: 12
  features: { genre: { categorical: { puzzle: 0.4, card: 0.3, arcade: 0.3 } }, price: { exponential: { mean: 2 } } }
  logit: -1
  effects: [{ of: [platform, action.genre], sd: 1 }]`,
      ),
    })
    expect(await dapIn(folder, 'simulate', 'launch', '--log', 'logs/day.jsonl')).toMatchObject({ code: 0, stderr: '' })
    const { candidates } = await resultOf(folder)
    const [{ support, estimates }] = candidates
    const own = estimates[1].support
    expect(own?.maxWeight).toBeLessThan(support?.maxWeight as number)
    expect(own?.meanWeight).toBeCloseTo(1, 1)
    const shown = (await dapIn(folder, 'evaluate', 'next')).stdout
    expect(shown).toContain(
      'alike: caution, `mips` is off by what actions do beyond `genre`, which its interval does not count: only beside `dr` can it be trusted',
    )
  })

  it('finds it in the policy that the Dataset names, of a log of any format that has every propensity', async () => {
    const dataset = `files: [data/log.csv]
format: csv
actions: { policy: shelf }
mapping: { action: action, propensity: p, reward: r, propensities: all }`
    const rows = [
      ['a', 0.5, 1],
      ['b', 0.3, 0],
      ['c', 0.2, 1],
    ].map(([action, p, r]) => `${action},${p},${r},"[0.5,0.3,0.2]"`)
    const folder = await onDisk({
      ...FILES(LISTED, EVALUATION('[{ type: mips, by: [genre] }]'), dataset),
      'data/log.csv': ['action,p,r,all', ...rows].join('\n'),
    })
    const { candidates } = await resultOf(folder)
    // Puzzles weigh (2/3) / 0.8, cards (1/3) / 0.2.
    expect(candidates[0].estimates[0].value).toBeCloseTo((2 / 3 / 0.8 + 1 / 3 / 0.2) / 3, 12)
  })
})

describe('validate', () => {
  const faults = (estimators: string, actions = LISTED, dataset = DATASET) =>
    diagnose(FILES(actions, EVALUATION(estimators), dataset))

  it('takes text, truth and whole numbers that every action has', async () => {
    expect(await faults('[{ type: mips, by: [genre, level] }]')).toEqual([])
    expect(await faults('[{ type: mips, by: [genre] }]', OFFERED)).toEqual([])
    expect(await faults('[{ type: mips, by: [price] }]', OFFERED)).toEqual([
      expect.stringContaining('the feature `price` is a number'),
    ])
  })

  it('refuses what nobody says, what is no class, and logs that have one propensity a row', async () => {
    expect(await faults('[mips]')).toMatchInlineSnapshot(`
      [
        "evaluations/next.yaml:6:16 semantic the estimator \`mips\` needs the features of actions that it goes \`by\` | for example \`{ type: mips, by: [genre] }\`",
      ]
    `)
    expect(await faults('[{ type: mips, by: [] }]')).toMatchInlineSnapshot(`
      [
        "evaluations/next.yaml:6:34 schema \`by\` must not be empty | Of \`mips\`: the features of actions by whose values they are alike, such as \`genre\`: text, truth or whole numbers",
      ]
    `)
    expect(await faults('[{ type: ips, by: [genre] }]')).toMatchInlineSnapshot(`
      [
        "evaluations/next.yaml:6:33 semantic the estimator \`ips\` has no \`by\` | \`mips\` has one",
      ]
    `)
    expect(await faults('[{ type: mips, by: [gerne, price, rating] }]')).toMatchInlineSnapshot(`
      [
        "evaluations/next.yaml:6:35 reference there is no feature of every action \`gerne\` | did you mean \`genre\`?",
        "evaluations/next.yaml:6:42 semantic the feature \`price\` is a number: its values are not shared by several actions | go by text, true and false, or whole numbers: bring numbers into classes",
        "evaluations/next.yaml:6:49 reference there is no feature of every action \`rating\` | known are \`genre\`, \`price\`, \`level\`",
      ]
    `)
    const mapped = 'files: [a.csv]\nformat: csv\nmapping: { action: action, propensity: p, reward: r }'
    expect(await faults('[{ type: mips, by: [genre] }]', LISTED, mapped)).toMatchInlineSnapshot(`
      [
        "evaluations/next.yaml:6:16 semantic the estimator \`mips\` needs the propensity of every action, and the log has that of the action taken | name the column of all propensities at \`mapping.propensities\` of the Dataset",
        "evaluations/next.yaml:6:34 semantic nobody says what the features of the actions are | name the policy whose actions have these features: \`actions: { policy: NAME }\` in the Dataset, or one as a candidate",
      ]
    `)
    expect(await faults('[rips, { type: mips, by: [genre] }]')).toMatchInlineSnapshot(`
      [
        "evaluations/next.yaml:6:22 semantic \`mips\` is of decisions for one action, and others here are of lists | lists have estimators of their own: sips, snsips, rips, snrips, iips, sniips, cascade-dr, pi",
      ]
    `)
  })

  it('reads the features of a set', async () => {
    const files = (by: string) => ({
      ...LEVELS,
      'datasets/log.yaml': resource('Dataset', 'log', DATASET.replace('shelf', 'next-level')),
      'evaluations/next.yaml': resource('Evaluation', 'next', EVALUATION(`[{ type: mips, by: [${by}] }]`)),
    })
    const of = async (by: string) => (await dapIn(await onDisk(files(by)), 'validate')).stdout
    expect(await of('genre')).not.toContain('error')
    expect(await of('difficulty')).toContain('the feature `difficulty` is a number')
  })
})
