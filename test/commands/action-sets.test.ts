import { describe, expect, it } from 'vitest'
import { LEVELS } from '../support/action-sets.ts'
import { resource } from '../support/repository.ts'
import { type Repository, repository } from '../support/run-dap.ts'

const CONTEXT = '{"playerId":"p1","level":9,"platform":"ios"}'

/** What `dap validate` says, without its code frames. */
async function faults({ dap }: Repository): Promise<string> {
  const { stdout } = await dap('validate')
  return stdout.replaceAll(/^ +(\d+ )?│.*\n/gm, '')
}

/** What it says of the levels once a piece of text in a file is another. */
async function faultsWith(
  file: keyof typeof LEVELS,
  ...edits: readonly (readonly [string, string])[]
): Promise<string> {
  const here = repository(LEVELS)
  for (const [before, after] of edits) here.edit(file, before, after)
  return faults(here)
}

describe('a set of which nothing can be taken today', () => {
  const dates = (...each: readonly (readonly [string, string])[]) =>
    `levelId,genre,difficulty,validFrom,validUntil\n${each.map(([from, until], i) => `l${i},card,1,${from},${until}\n`).join('')}`
  const said = async (...each: readonly (readonly [string, string])[]) => {
    const { stdout, code } = await repository({ ...LEVELS, 'data/levels.csv': dates(...each) }).dap('validate')
    return [code, /warning: (.*) \[/.exec(stdout)?.[1]]
  }

  it('is a warning with the dates about now, which is the first of December 2026', async () => {
    const next = 'the next begins at 2026-12-02T00:00:00.000Z'
    const last = 'the last ended at 2026-12-01T00:00:00.000Z'
    expect(await said(['2027-01-01', ''], ['2026-12-02', '2027-01-07'])).toEqual([
      0,
      `no action can be taken now: ${next}`,
    ])
    expect(await said(['', '2026-11-01'], ['2026-10-01', '2026-12-01'])).toEqual([
      0,
      `no action can be taken now: ${last}`,
    ])
    expect(await said(['2026-12-02', ''], ['', '2026-12-01'])).toEqual([
      0,
      `no action can be taken now: ${next}, ${last}`,
    ])
    expect(await said(['2026-12-02', ''], ['2026-12-01', ''])).toEqual([0, undefined])
    expect(await said(['', '2026-12-01'], ['', ''])).toEqual([0, undefined])
  })

  it('is an error where an action ends when it begins, or before', async () => {
    const data = dates(['2026-12-01', '2026-12-01T00:00:00Z'], ['2026-12-02', '2026-12-01'], ['', ''])
    const { stdout } = await repository({ ...LEVELS, 'data/levels.csv': data }).dap('validate')
    expect([...stdout.matchAll(/error: .*: (it ends .*) \[/g)].map(([, why]) => why)).toEqual([
      'it ends when it begins',
      'it ends before it begins',
    ])
  })
})

describe('a policy whose actions are those of a set', () => {
  it('chooses among those that rules and dates let be taken', async () => {
    const { dap } = repository(LEVELS)
    expect(await dap('validate')).toMatchObject({ code: 0, stdout: '4 files checked: all valid\n' })
    expect((await dap(`decide --context ${CONTEXT} --id d1 --explain`)).stdout).toMatchInlineSnapshot(`
      "level-1  with propensity 0.5
      policy next-level 9d473b0409c8, no snapshot, decision d1

      action   value  width  probability  propensity  drawn by u in
      level-1      0      2          0.5         0.5  [0, 0.5)  ← 0.1265
      level-2      0  3.041          0.5         0.5  [0.5, 1)
      level-3                                         excluded by dates: from 2026-12-24T00:00:00.000Z
      level-4                                         excluded by dates: until 2026-11-01T10:00:00.000Z

      level-1 = 0 intercept + 0 action.genre=puzzle + 0 action.difficulty + 0 platform=ios × action.genre=puzzle
      level-2 = 0 intercept + 0 action.genre=card + 0 action.difficulty + 0 platform=ios × action.genre=card

      0 rewards learnt; values are expected rewards, widths in units of their noise
      floor 0.0001: propensity = 0.0001 + 0.9998 × probability
      draw: u = 0.12646960012647568, the first 53 bits of SHA-256("next-level/d1/0")
      "
    `)
    const decided = async (at: string) => {
      const { stdout } = await dap(`decide --context ${CONTEXT} --id d1 --at ${at} --json`)
      const { eligible, excluded } = JSON.parse(stdout)
      return { eligible, excluded }
    }
    expect(await decided('2026-12-24T00:00:00Z')).toEqual({
      eligible: ['level-1', 'level-2', 'level-3'],
      excluded: [{ id: 'level-4', by: 'dates: until 2026-11-01T10:00:00.000Z' }],
    })
    expect((await decided('2026-12-24')).eligible).toEqual(['level-1', 'level-2', 'level-3'])
    expect((await decided('2026-12-23T23:59:59.999Z')).eligible).toEqual(['level-1', 'level-2'])
    expect((await decided('2027-01-06T23:59:59.999Z')).eligible).toEqual(['level-1', 'level-2', 'level-3'])
    expect((await decided('2027-01-07T00:00:00Z')).eligible).toEqual(['level-1', 'level-2'])
    expect((await decided('2026-11-01T09:59:59.999Z')).eligible).toEqual(['level-1', 'level-2', 'level-4'])
    expect((await decided('2026-11-01T10:00:00Z')).eligible).toEqual(['level-1', 'level-2'])
  })

  it('does not take a time where nothing is about one, nor actions of a request', async () => {
    const { dap, write } = repository(LEVELS)
    const given = await dap(`decide --context ${CONTEXT} --actions [{"id":"x"}]`)
    expect(given).toMatchObject({ code: 1, stderr: expect.stringContaining('this policy lists its own') })
    const listed = resource(
      'Policy',
      'listed',
      'actions: [{ id: a }, { id: b }]\nalgorithm: { learner: { type: beta }, exploration: { type: thompson } }',
    )
    write('policies/listed.yaml', listed)
    expect((await dap('decide listed --context {} --at 2026-12-01T00:00:00Z')).stderr).toMatchInlineSnapshot(`
      "error: --at is a time that the dates of an ActionSet are about, and policy \`listed\` has no set
      hint: take out --at
      "
    `)
    expect((await dap(`decide next-level --context ${CONTEXT} --at tomorrow`)).stderr).toMatchInlineSnapshot(`
      "error: --at takes a day or a time, such as 2026-11-22 or 2026-11-22T18:00:00Z, got \`tomorrow\`
      "
    `)
    expect((await dap('decide --replay logs --at 2026-12-01T00:00:00Z')).stderr).toContain('makes no sense')
  })

  it('is listed, drawn, explained, and bundled with all that the set says', async () => {
    const here = repository(LEVELS)
    const { dap } = here
    expect((await dap('list')).stdout).toMatchInlineSnapshot(`
      "Project  file
      levels   dap.yaml

      ActionSet  actions    file
      levels     4 actions  action-sets/levels.yaml

      Policy      file
      next-level  policies/next-level.yaml
      "
    `)
    expect((await dap('graph')).stdout).toMatchInlineSnapshot(`
      "policy next-level
      └─ action-set levels
      "
    `)
    expect((await dap('explain ActionSet.spec.until')).stdout).toMatchInlineSnapshot(`
      "ActionSet.spec.until  string, at least 1 character, at most 256 characters

      The column of when an action may no longer be taken, from that moment on; as in \`from\`. Empty:
      never.

      example: validUntil
      "
    `)
    const bundled = async () => {
      const { stdout, files } = await dap('bundle next-level --json')
      return JSON.parse(files[JSON.parse(stdout).path])
    }
    const bundle = await bundled()
    expect(bundle.policy.spec.actions.pool.list[2]).toEqual({
      id: 'level-3',
      features: { genre: 'puzzle', difficulty: 4 },
      from: '2026-12-24T00:00:00.000Z',
      until: '2027-01-07T00:00:00.000Z',
    })
    // What no column of the set is about changes nothing; what one is about, the policy.
    here.edit('data/levels.csv', 'Two', 'The second')
    expect(await bundled()).toEqual(bundle)
    here.edit('data/levels.csv', '2.5', '2.6')
    expect((await bundled()).policy.digest).not.toBe(bundle.policy.digest)
  })

  it('is made by dap new, valid as it stands', async () => {
    const here = repository({ 'dap.yaml': LEVELS['dap.yaml'] })
    const made = await here.dap('new action-set cards')
    expect(made.stdout).toMatchInlineSnapshot(`
      "data/cards.csv: its first actions, in whose place others go
      action-sets/cards.yaml: a new action-set, valid as it stands
      next: edit it, then dap validate
      "
    `)
    expect(await here.dap('validate')).toMatchObject({ code: 0 })
    expect((await here.dap('list ActionSet')).stdout).toContain('5 actions')
    expect((await here.dap('new action-set cards')).stderr).toContain('there is an action-set `cards` already')
    here.write('data/others.csv', 'mine')
    expect((await here.dap('new action-set others')).files['data/others.csv']).toBe('mine')
  })
})

describe('dap validate says of a set', () => {
  it('what is wrong with values, where they are, and how to mend it', async () => {
    const here = repository(LEVELS)
    here.write(
      'data/levels.csv',
      `levelId,genre,difficulty,validFrom,validUntil,title
level-1,puzle,1,,,"One,
the first"
level-2,card,-2.5,2026-02-30,,Two
level-1,puzzle,4x,2026-12-24,2026-01-07,Snow
level-4,card,8,,2026-11-01T00:00:00Z
le/vel,card,,,,"""x"
,card,1e999,,,
`,
    )
    expect(await faults(here)).toMatchInlineSnapshot(`
      "data/levels.csv:2:9: error: \`genre\` must be one of puzzle, card [semantic]
        hint: did you mean \`puzzle\`?

      data/levels.csv:4:14: error: \`difficulty\` must be at least 0 [semantic]
        hint: write another value, or change \`spec.features.difficulty\`

      data/levels.csv:4:19: error: \`validFrom\` is no day and no time [semantic]
        hint: for example \`2026-12-01\`, or \`2026-12-01T08:00:00Z\`

      data/levels.csv:5:1: error: the action \`level-1\` is there twice [duplicate]
        hint: the first is in line 2

      data/levels.csv:5:16: error: \`difficulty\` must be a number, got \`4x\` [semantic]
        hint: write it in digits, for example \`2.5\`; \`spec.csv.decimal: ","\` lets CSV say \`2,5\`

      data/levels.csv:5:30: error: the action could never be taken: it ends before it begins [semantic]
        hint: mend one of the dates

      data/levels.csv:6:1: error: the line has 5 fields, and the header 6 [file]
        hint: quote a field that has a \`,\` in it, or say which \`delimiter\` the file has in \`spec.csv\`

      data/levels.csv:7:1: error: \`levelId\` cannot be an id [semantic]
        hint: an id is a text of 1 to 128 characters, without \`/\` and control characters

      data/levels.csv:7:13: error: \`difficulty\` is missing and has no default [semantic]
        hint: write a value, or give \`spec.features.difficulty\` a \`default\`

      data/levels.csv:8:1: error: \`levelId\` is missing [semantic]
        hint: an id is a text of 1 to 128 characters, without \`/\` and control characters

      data/levels.csv:8:7: error: \`difficulty\` must be a finite number, not Infinity [semantic]
        hint: write another value, or change \`spec.features.difficulty\`

      4 files checked: 11 errors
      "
    `)
    const decided = await here.dap(`decide --context ${CONTEXT}`)
    expect(decided.code).toBe(1)
    expect(decided.stderr).toContain('error: `data/levels.csv` has errors\nhint: dap validate data/levels.csv')
    expect((await here.dap('validate data/levels.csv')).stdout).toContain('1 file checked: 11 errors')
    expect((await here.dap('graph')).stdout).toContain('next-level  has errors')
    expect((await here.dap('list')).stdout).toContain('no data')
  })

  it('what is wrong with JSON lines', async () => {
    const here = repository(LEVELS)
    here.edit('action-sets/levels.yaml', 'data/levels.csv\n  format: csv', 'data/levels.jsonl\n  format: jsonl')
    here.write(
      'data/levels.jsonl',
      `{"levelId": "level-1", "genre": "card", "difficulty": "2.5", "validFrom": null, "validUntil": ""}
{"levelId": 7, "genre": 7, "difficulty": 1}
{"levelId": "level-3", "genre": "card",  "difficulty": -1}
[]
{"levelId": "7", "genre": "card", "difficulty": [1]}
`,
    )
    expect(await faults(here)).toMatchInlineSnapshot(`
      "data/levels.jsonl:2:25: error: \`genre\` must be a text, got \`7\` [semantic]
        hint: quote it, as JSON has texts

      data/levels.jsonl:3:56: error: \`difficulty\` must be at least 0 [semantic]
        hint: write another value, or change \`spec.features.difficulty\`

      data/levels.jsonl:4:1: error: the line is no JSON object [file]
        hint: each line is one object, for example {"id": "level-7", "difficulty": 2.5}

      data/levels.jsonl:5:13: error: the action \`7\` is there twice [duplicate]
        hint: the first is in line 2

      data/levels.jsonl:5:49: error: \`difficulty\` must be a number, got \`[1]\` [semantic]
        hint: write it in digits, for example \`2.5\`

      4 files checked: 5 errors
      "
    `)
  })

  it('that its file, a column or the set is not there, and what may have been meant', async () => {
    const gone = repository(LEVELS)
    gone.remove('data/levels.csv')
    expect(await faults(gone)).toMatchInlineSnapshot(`
      "action-sets/levels.yaml:5:9: error: data file \`data/levels.csv\` does not exist [file]
        hint: paths are relative to the folder of dap.yaml

      3 files checked: 1 error
      "
    `)
    const decided = await gone.dap(`decide --context ${CONTEXT}`)
    expect(decided.stderr).toContain('`action-sets/levels.yaml` has errors')
    expect(
      await faultsWith('action-sets/levels.yaml', ['difficulty:', 'dificulty:'], ['validUntil', 'validTo']),
    ).toMatchInlineSnapshot(`
      "action-sets/levels.yaml:10:5: error: \`data/levels.csv\` has no column \`dificulty\` [reference]
        hint: did you mean \`difficulty\`?

      action-sets/levels.yaml:12:10: error: \`data/levels.csv\` has no column \`validTo\` [reference]
        hint: it has \`levelId\`, \`genre\`, \`difficulty\`, \`validFrom\`, \`validUntil\`, \`title\`

      4 files checked: 2 errors
      "
    `)
    expect(await faultsWith('policies/next-level.yaml', ['set: levels', 'set: level'])).toMatchInlineSnapshot(`
      "policies/next-level.yaml:15:10: error: there is no ActionSet \`level\` [reference]
        hint: did you mean \`levels\`?

      4 files checked: 1 error
      "
    `)
    expect(await faultsWith('action-sets/levels.yaml', ['data/levels.csv', '../levels.csv'])).toMatchInlineSnapshot(`
      "action-sets/levels.yaml:5:9: error: \`../levels.csv\` is outside the repository [reference]
        hint: declare its folder in \`spec.dataRoots\` of dap.yaml, or move it inside

      3 files checked: 1 error
      "
    `)
    expect(await faultsWith('action-sets/levels.yaml', ['data/levels.csv', 'data'])).toMatchInlineSnapshot(`
      "action-sets/levels.yaml:5:9: error: \`data\` is a folder [file]
        hint: name the file in it

      3 files checked: 1 error
      "
    `)
  })

  it('what the policy names and it does not have', async () => {
    expect(
      await faultsWith(
        'policies/next-level.yaml',
        ['action: genre', 'action: genr'],
        ['action.difficulty <=', 'action.dificulty <='],
      ),
    ).toMatchInlineSnapshot(`
      "policies/next-level.yaml:11:17: error: there is no feature of all actions \`genr\` [reference]
        hint: did you mean \`genre\`?

      policies/next-level.yaml:16:22: error: \`action\` has no field \`dificulty\` [cel]
        hint: did you mean \`difficulty\`?

      4 files checked: 2 errors
      "
    `)
    expect(
      await faultsWith('policies/next-level.yaml', ['{ action: genre }', '{ action: id }']),
    ).toMatchInlineSnapshot(`
      "policies/next-level.yaml:11:17: error: actions of a set and of requests come and go, and their ids can be any text: no model can have a number for each [semantic]
        hint: tell them apart by their features

      4 files checked: 1 error
      "
    `)
    expect(
      await faultsWith('policies/next-level.yaml', [
        'set: levels',
        'set: levels\n    pool: { features: {}, list: [{ id: a, features: {} }] }',
      ]),
    ).toMatchInlineSnapshot(`
      "policies/next-level.yaml:16:5: error: \`pool\` is what dap writes into bundles: in a repository the file of the set says it [unknown-key]
        hint: take it out

      4 files checked: 1 error
      "
    `)
  })

  it('what cannot be served whatever the context and the time', async () => {
    const guardrails = (text: string) => ['{ minProbability: 0.0001 }', text] as const
    const free = ['    eligible: action.difficulty <= double(ctx.level)\n', ''] as const
    const file = 'policies/next-level.yaml'
    expect(await faultsWith(file, guardrails('{ fallback: level-1 }'))).toMatchInlineSnapshot(`
      "policies/next-level.yaml:20:27: error: the fallback \`level-1\` has a rule or dates, and is served whatever the context and the time [eligibility]
        hint: \`first-eligible\`: the first of the set that may be served

      4 files checked: 1 error
      "
    `)
    expect(await faultsWith(file, free, guardrails('{ fallback: level-3 }'))).toMatchInlineSnapshot(`
      "policies/next-level.yaml:19:27: error: the fallback \`level-3\` has a rule or dates, and is served whatever the context and the time [eligibility]
        hint: \`first-eligible\`: the first of the set that may be served

      4 files checked: 1 error
      "
    `)
    expect(await faultsWith(file, free, guardrails('{ fallback: level-1 }'))).toContain('all valid')
    expect(
      await faultsWith(file, guardrails('{ holdout: { fraction: 0.1, action: level-2 }, fallback: level-9 }')),
    ).toMatchInlineSnapshot(`
      "policies/next-level.yaml:20:51: error: the holdout's action \`level-2\` has a rule, and a unit is held out whatever its context [eligibility]
        hint: an action without \`eligible\`, such as one that offers nothing, can be held out to everybody

      policies/next-level.yaml:20:72: error: there is no action \`level-9\` [reference]
        hint: did you mean \`level-1\`?

      4 files checked: 2 errors
      "
    `)
  })

  it('that it is too large, or empty, and no more than a reader takes in', async () => {
    const rows = (count: number, genre = 'card') =>
      `levelId,genre,difficulty,validFrom,validUntil\n${Array.from({ length: count }, (_, i) => `level-${i},${genre},1,,\n`).join('')}`
    const here = repository(LEVELS)
    here.write('data/levels.csv', rows(5000))
    expect(await faults(here)).toContain('all valid')
    here.write('data/levels.csv', rows(5003))
    expect(await faults(here)).toMatchInlineSnapshot(`
      "data/levels.csv:5002:1: error: a set has at most 5,000 actions, and this is the first of 3 more [semantic]
        hint: find those that a request can be about before dap is asked, and let it bring them: \`actions: { from: request }\`

      4 files checked: 1 error
      "
    `)
    here.write('data/levels.csv', rows(0))
    expect(await faults(here)).toMatchInlineSnapshot(`
      "data/levels.csv: error: there is no action in the file [semantic]
        hint: a row an action, after the header of CSV

      4 files checked: 1 error
      "
    `)
    here.write('data/levels.csv', '')
    expect(await faults(here)).toMatchInlineSnapshot(`
      "data/levels.csv: error: there is no action in the file [semantic]
        hint: a row an action, after the header of CSV

      4 files checked: 1 error
      "
    `)
    here.write('data/levels.csv', rows(300, 'cards'))
    const told = await faults(here)
    expect(told.split('\n').length).toBeLessThan(70)
    expect(told).toContain('data/levels.csv:22:10: error: 280 more faults, the first of them here')
  })

  it('what its options cannot mean together', async () => {
    expect(
      await faultsWith(
        'action-sets/levels.yaml',
        ['format: csv', 'format: csv\n  csv: { decimal: "," }'],
        ['validUntil', 'validFrom'],
        ['minimum: 0', 'minimum: 0, maximum: -1'],
      ),
    ).toMatchInlineSnapshot(`
      "action-sets/levels.yaml:7:19: error: \`decimal\` and \`delimiter\` cannot both be \`,\` [semantic]
        hint: where the decimal sign is a comma, fields are mostly set apart by \`delimiter: ";"\`

      action-sets/levels.yaml:11:42: error: \`minimum\` 0 is more than \`maximum\` -1 [semantic]
        hint: swap them, or correct one of them

      action-sets/levels.yaml:13:10: error: \`validFrom\` is the column of \`from\` already [semantic]
        hint: name the column of its dates

      3 files checked: 3 errors
      "
    `)
    expect(
      await faultsWith('action-sets/levels.yaml', ['format: csv', 'format: jsonl\n  csv: { delimiter: ";" }']),
    ).toMatchInlineSnapshot(`
      "action-sets/levels.yaml:7:3: error: \`csv\` says how CSV is written, but the format is \`jsonl\` [semantic]
        hint: take out \`csv\`, or write \`format: csv\`

      3 files checked: 1 error
      "
    `)
  })
})

it('touches the scenarios of the policies that name it, once its file is another', async () => {
  const scenario = `apiVersion: dap/v1
kind: Scenario
metadata: { name: week }
spec:
  horizon: 100
  replications: 2
  expect: [{ id: any, expr: 'true' }]
  population: { context: { level: { constant: 9 }, platform: { constant: ios } } }
  world: { type: bernoulli, means: { level-1: 0.1, level-2: 0.2, level-3: 0.3, level-4: 0.4 } }
  policies: [next-level, uniform]
`
  const files = { ...LEVELS, 'scenarios/week.yaml': scenario }
  const changed = files['data/levels.csv'].replace('2.5', '2.6')
  const run = (history: Readonly<Record<string, string>>) =>
    repository(files, { history: { main: history } }).dap('simulate --changed-since main --replications 2')
  expect((await run(files)).stdout).toMatchInlineSnapshot(`
    "scenario  outcome  expectations
    week      skipped  unchanged since main

    1 scenario: 1 skipped
    "
  `)
  const { stdout } = await run({ ...files, 'data/levels.csv': changed })
  expect(stdout).toContain('next-level')

  const here = repository(files)
  expect(await here.dap('simulate week --record')).toMatchObject({ code: 0 })
  expect((await here.dap('list scenarios')).stdout).not.toContain('stale')
  here.write('data/levels.csv', changed)
  expect((await here.dap('list scenarios')).stdout).toContain('stale')
})

it('is played over its own items, as their dates come and go', async () => {
  const scenario = (world: string, policies = 'next-level, uniform, oracle') =>
    resource(
      'Scenario',
      'week',
      `horizon: 400
replications: 2
every: 1d
population: { context: { level: { constant: 9 }, platform: { constant: ios } } }
world: ${world}
policies: [${policies}]`,
    )
  const catalogue = '{ type: catalogue, logit: "action.id == \'level-3\' ? 5.0 : -5.0" }'
  const here = repository({ ...LEVELS, 'scenarios/week.yaml': scenario(catalogue) })
  const { stdout } = await here.dap('simulate week --json')
  const oracle = JSON.parse(stdout).policies.find(({ name }: { name: string }) => name === 'oracle')
  // From 24 December on, which is day 357 of 2026, for two weeks: 14 of the 400 days.
  expect(oracle.actionShares['level-3']).toBe(14 / 400)

  const said = async (world: string, policies?: string) => {
    here.write('scenarios/week.yaml', scenario(world, policies))
    return faults(here)
  }
  expect(await said('{ type: catalogue, offered: 3, renewal: { every: 9, share: 0.5 } }')).toMatchInlineSnapshot(`
    "scenarios/week.yaml:9:29: error: the items are those of the set of \`next-level\`: \`offered\` says nothing of them [semantic]
      hint: take out \`offered\`

    scenarios/week.yaml:9:41: error: the items are those of the set of \`next-level\`: \`renewal\` says nothing of them [semantic]
      hint: take out \`renewal\`

    5 files checked: 2 errors
    "
  `)
  here.write(
    'policies/brings.yaml',
    resource(
      'Policy',
      'brings',
      `context: {}
actions: { from: request, features: { genre: { type: string, enum: [card] } } }
features: [{ action: genre }]
algorithm: { learner: { type: linear, shared: true }, exploration: { type: squarecb } }
guardrails: { minProbability: 0.001 }`,
    ),
  )
  expect(await said('{ type: catalogue }', 'next-level, brings')).toMatchInlineSnapshot(`
    "scenarios/week.yaml:10:26: error: the items are those of the set \`levels\` of \`next-level\`, and \`brings\` does not choose from it [semantic]
      hint: play it in a scenario of its own

    6 files checked: 1 error
    "
  `)
  here.remove('policies/brings.yaml')
  here.remove('scenarios/week.yaml')
  const made = await here.dap('new scenario day')
  expect(made.files['scenarios/day.yaml']).toContain('type: catalogue')
  expect(await faults(here)).toContain('all valid')
})
