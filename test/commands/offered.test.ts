import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { onDisk } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { dapIn, repository } from '../support/run-dap.ts'

const POLICY = (actions: string, changes = '') => `unit: player
context:
  player: { type: string }
  platform: { type: string, enum: [ios, android] }
actions: ${actions}
features: [{ action: genre }, { action: price, transform: log1p }, { cross: [platform, action.genre] }]
algorithm:
  learner: { type: linear, shared: true }
  exploration: { type: squarecb }
guardrails: { minProbability: 0.02 }${changes}`

const OFFERED = `
  from: request
  max: 20
  features:
    genre: { type: string, enum: [puzzle, card, arcade] }
    price: { type: number, minimum: 0, default: 0 }
  eligible: action.price <= 6.0 || ctx.platform == 'ios'`

const WORLD = (world: string) => `policies: [shelf]
horizon: 2500
replications: 2
population: { units: 400, context: { platform: { categorical: { ios: 0.5, android: 0.5 } } } }
world: ${world}`

const CATALOGUE = `
  type: catalogue
  items: 60
  offered: 8
  features: { genre: { categorical: { puzzle: 0.4, card: 0.3, arcade: 0.3 } }, price: { exponential: { mean: 2 } } }
  logit: -1.5
  effects: [{ of: [platform, action.genre], sd: 1 }]
  renewal: { every: 500, share: 0.2 }`

const FILES = {
  'dap.yaml': resource('Project', 'shelf', 'projectId: abcdefgh23456789'),
  'policies/shelf.yaml': resource('Policy', 'shelf', POLICY(OFFERED)),
  'scenarios/launch.yaml': resource('Scenario', 'launch', WORLD(CATALOGUE)),
  'datasets/log.yaml': resource('Dataset', 'log', 'files: [logs/*.jsonl]\nformat: dap\nactions: { policy: shelf }'),
  'evaluations/next.yaml': resource(
    'Evaluation',
    'next',
    `dataset: log
estimators: [ips, snips, dr]
rewardModel: { type: tabular, by: [platform] }
candidates: [{ name: next, policy: shelf }, { name: alike, uniform: true }, { name: logging, logging: true }]`,
  ),
}

describe('a policy whose actions are the request’s', () => {
  it('goes round: simulate, log check, train, evaluate, replay', async () => {
    const { 'evaluations/next.yaml': evaluation, 'scenarios/launch.yaml': scenario, ...others } = FILES
    const folder = await onDisk({
      ...others,
      'scenarios/launch.yaml': scenario.replace('horizon: 2500', 'horizon: 6000').replace('sd: 1 ', 'sd: 2 '),
      'evaluations/next.yaml': evaluation.replace('policy: shelf', 'policy: shelf, snapshot: snapshots/shelf.json'),
    })
    const dap = (line: string) => dapIn(folder, ...line.split(' '))
    const write = async (path: string, text: string) => {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    expect(await dap('validate')).toMatchObject({ code: 0 })
    expect(await dap('simulate launch --log logs/day.jsonl')).toMatchObject({ code: 0 })
    expect((await dap('log check logs')).stdout).toContain('the log passes')
    expect((await dap('log stats logs')).stdout).toMatch(/^#1 .*[\s\S]*^#8 .*[\s\S]*no alarm/m)
    const trained = await dap('train shelf --dataset log --until 2026-03-01T00:00:00Z')
    expect(trained.stdout).toContain("the requests' own")
    const judged = await dap('evaluate next --json')
    const after = JSON.parse(judged.stdout)
    const estimate = (result: typeof after, name: string) =>
      result.candidates
        .find((each: { name: string }) => each.name === name)
        .estimates.find((each: { estimator: string }) => each.estimator === 'ips')
    // Drawing by what was learnt is worth more than drawing alike.
    expect(estimate(after, 'next').value).toBeGreaterThan(1.1 * estimate(after, 'alike').value)
    expect(estimate(after, 'logging').value).toBeCloseTo(after.dataset.meanReward, 12)
    expect(after.dataset.notes.join()).toContain('requests brought the actions')

    // What a server would write, decided by hand: it is replayed to the bit, and a changed feature is seen.
    const log = await readFile(join(folder, 'logs/day.jsonl'), 'utf8')
    const record = JSON.parse(log.split('\n')[0])
    expect(record).toMatchObject({ schema: 'dap.decision/v2', eligible: expect.arrayContaining([expect.anything()]) })
    const decision = { ...record, policy: { ...record.policy, snapshot: null } }
    await write('one/a.jsonl', `${JSON.stringify(decision)}\n`)
    expect((await dap('decide --replay one')).stdout).toContain('bit for bit: the same')
    const excluded = { ...decision.eligible[0], by: 'request' }
    await write('one/a.jsonl', `${JSON.stringify({ ...decision, excluded: [...decision.excluded, excluded] })}\n`)
    expect((await dap('log check one')).stdout).toContain('listed twice')
    decision.eligible[0].features.genre = 'chess'
    await write('one/a.jsonl', `${JSON.stringify(decision)}\n`)
    expect((await dap('log check one')).stdout).toContain('`actions/0/features/genre` must be one of')
    expect(await dap('decide --replay one')).toMatchObject({ code: 1 })
  })

  it('decides from the command line, and says what does not fit', async () => {
    const { dap } = repository(FILES)
    const context = '--context {"player":"p","platform":"android"}'
    const actions = '[{"id":"a","features":{"genre":"card"}},{"id":"b","features":{"genre":"puzzle","price":7}}]'
    const explained = await dap(`decide shelf ${context} --actions ${actions} --id d --explain`)
    expect(explained.stdout).toContain('b                                              excluded by action.price <= 6.0')
    expect((await dap(`decide shelf ${context} --actions ${actions} --exclude a --id d --json`)).stdout).toContain(
      '"servedBy": "none"',
    )
    const piped = await dap(`decide shelf ${context} --actions @- --id d --explain`, { input: actions })
    expect(piped).toMatchObject({ code: 0, stdout: explained.stdout })
    expect((await dap('decide shelf --context @- --actions @-')).stderr).toContain('cannot both be read from stdin')
    expect((await dap(`decide shelf ${context}`)).stderr).toMatchInlineSnapshot(`
      "error: the actions do not fit policy \`shelf\`:
        \`/actions\` are needed: a list of ids and features, for example [{"id": "level-7"}]
      hint: --actions takes a list of {"id": …, "features": {…}}; the features are genre, price
      "
    `)
    expect((await dap(`decide shelf ${context} --actions [{"id":1}]`)).stderr).toMatchInlineSnapshot(`
      "error: the actions do not fit policy \`shelf\`:
        \`/actions/0/id\` must be a text of 1 to 256 characters
        \`/actions/0/features/genre\` is missing and has no default
      hint: --actions takes a list of {"id": …, "features": {…}}; the features are genre, price
      "
    `)
    expect((await dap(`decide shelf ${context} --actions [`)).stderr).toContain('--actions is not JSON')
  })
})

describe('validate', () => {
  const faults = async (files: Readonly<Record<string, string>>) =>
    (await repository({ ...FILES, ...files }).dap('validate')).stdout
      .split('\n')
      .filter(line => /error|warning|hint/.test(line))
      .map(line => line.trim())

  it('refuses learners that must know the actions, and names that nobody knows', async () => {
    const policy = (text: string) => faults({ 'policies/shelf.yaml': resource('Policy', 'shelf', text) })
    expect(
      await policy(POLICY(OFFERED).replace('{ type: linear, shared: true }', '{ type: linear }')),
    ).toMatchInlineSnapshot(`
      [
        "policies/shelf.yaml:18:22: error: requests bring the actions, and \`linear\` has a model for each of those that it knows [semantic]",
        "hint: \`learner: { type: linear, shared: true }\` tells actions apart by their features",
        "5 files checked: 1 error",
      ]
    `)
    expect(
      await policy(
        POLICY(OFFERED.replace('action.price', 'action.prize'), '\nmode: online').replace(
          'minProbability: 0.02',
          'minProbability: 0.02, fallback: gold, holdout: { fraction: 0.1, action: gold }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      [
        "policies/shelf.yaml:15:22: error: \`action\` has no field \`prize\` [cel]",
        "hint: did you mean \`price\`?",
        "policies/shelf.yaml:20:49: error: requests bring the actions, and nothing says that \`gold\` is among them [semantic]",
        "hint: \`first-eligible\`: the first of the request's that may be served",
        "policies/shelf.yaml:20:89: error: requests bring the actions, and nothing says that \`gold\` is among them [semantic]",
        "hint: \`first-eligible\`: the first of the request's that may be served",
        "5 files checked: 3 errors",
      ]
    `)
    expect(
      await policy(POLICY(OFFERED).replace('{ action: genre }', '{ action: id }, { action: rating }')),
    ).toMatchInlineSnapshot(`
      [
        "policies/shelf.yaml:16:24: error: actions of a set and of requests come and go, and their ids can be any text: no model can have a number for each [semantic]",
        "hint: tell them apart by their features",
        "policies/shelf.yaml:16:40: error: there is no feature of all actions \`rating\` [reference]",
        "hint: known are \`id\`, \`genre\`, \`price\`",
        "5 files checked: 2 errors",
      ]
    `)
    expect(await policy(POLICY(OFFERED).replace('max: 20', 'max: 60'))).toMatchInlineSnapshot(`
      [
        "policies/shelf.yaml:20:33: error: a floor of 0.02 for each of 60 actions does not fit: they sum to 1.2 [semantic]",
        "hint: at most 0.016666",
        "5 files checked: 1 error",
      ]
    `)
    expect(await policy(POLICY(OFFERED).replace('default: 0', 'default: -1'))).toMatchInlineSnapshot(`
      [
        "policies/shelf.yaml:14:51: error: the default of \`price\` must be at least 0 [semantic]",
        "hint: give another default, or take it out",
        "5 files checked: 1 error",
      ]
    `)
    expect(await policy(POLICY(OFFERED).replace('genre: { type: string', 'id: { type: string'))).toMatchInlineSnapshot(`
      [
        "policies/shelf.yaml:13:7: error: \`id\` is no name that \`features\` can have [schema]",
        "hint: letters, digits and underscores, at most 64, the first no digit",
        "policies/shelf.yaml:16:24: error: there is no feature of all actions \`genre\` [reference]",
        "hint: known are \`id\`, \`price\`",
        "policies/shelf.yaml:16:90: error: there is no feature of all actions \`action.genre\` [reference]",
        "hint: did you mean \`action.price\`?",
        "5 files checked: 3 errors",
      ]
    `)
  })

  it('warns of numbers of actions that nothing bounds, where they are hashed', async () => {
    const text = POLICY(OFFERED)
      .replace('{ type: linear, shared: true }', '{ type: hashed }')
      .replace(/\nfeatures: .*/, '')
    const files = (policy: string) => faults({ 'policies/shelf.yaml': resource('Policy', 'shelf', policy) })
    expect(await files(text)).toEqual([
      expect.stringMatching(/^policies\/shelf.yaml:14:14: warning: `action.price` is hashed as it is/),
      expect.stringMatching(/^hint: list it among the features .*`{ action: price, transform: bucketize/),
      expect.stringContaining('1 warning'),
    ])
    expect(await files(text.replace('minimum: 0,', 'minimum: 0, maximum: 10,'))).toEqual([])
  })

  it('refuses worlds that do not offer what policies take', async () => {
    const scenario = (world: string) =>
      faults({ 'scenarios/launch.yaml': resource('Scenario', 'launch', WORLD(world)) })
    expect(await scenario('{ type: bernoulli, means: { a: 0.1 } }')).toMatchInlineSnapshot(`
      [
        "scenarios/launch.yaml:5:14: error: the actions of \`shelf\` are the request's, and this world does not say what requests bring [semantic]",
        "hint: play it in a world of type catalogue",
        "5 files checked: 1 error",
      ]
    `)
    expect(
      await scenario(
        CATALOGUE.replace('items: 60', 'items: 7')
          .replace('platform, action.genre', 'plattform, action.price')
          .replace('logit: -1.5', 'logit: action.prize'),
      ),
    ).toMatchInlineSnapshot(`
      [
        "scenarios/launch.yaml:12:14: error: of 7 items no request brings 8 [semantic]",
        "hint: raise \`items\`",
        "scenarios/launch.yaml:14:19: error: \`action\` has no field \`prize\` [cel]",
        "hint: did you mean \`price\`?",
        "scenarios/launch.yaml:15:22: error: there is no field \`plattform\` [reference]",
        "hint: did you mean \`platform\`?",
        "scenarios/launch.yaml:15:33: error: \`action.price\` has too many values for a table [semantic]",
        "hint: a term of \`logit\` can be a number times the field",
        "5 files checked: 4 errors",
      ]
    `)
    expect(await scenario(CATALOGUE.replace('offered: 8', 'offered: 30'))).toMatchInlineSnapshot(`
      [
        "scenarios/launch.yaml:12:14: error: a request brings 30 items, and \`shelf\` takes at most 20 [semantic]",
        "hint: raise its \`actions.max\`, or offer fewer",
        "5 files checked: 1 error",
      ]
    `)
    expect(
      await scenario(CATALOGUE.replace('genre: { categorical: { puzzle: 0.4, card: 0.3, arcade: 0.3 } }, ', '')),
    ).toMatchInlineSnapshot(`
      [
        "scenarios/launch.yaml:13:15: error: nothing says what the feature \`genre\` of the items is [semantic]",
        "hint: add \`genre\` to \`world.features\`",
        "5 files checked: 1 error",
      ]
    `)
  })
})
