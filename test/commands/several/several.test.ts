import { describe, expect, it } from 'vitest'
import { expectPublished } from '../../support/published.ts'
import { sarifFaults } from '../../support/reports.ts'
import { resource } from '../../support/repository.ts'
import { repository } from '../../support/run-dap.ts'

const POLICY =
  'context: {}\nactions: [{ id: none }, { id: gold }]\nalgorithm: { learner: { type: beta }, exploration: { type: thompson } }\nreward: { wait: 1d }'
const scenario = (name: string, floor: number, team: string) =>
  resource(
    'Scenario',
    name,
    `world: { type: bernoulli, means: { none: 0.1, gold: 0.6 } }\npolicies: [offer]\nhorizon: 50\nreplications: 2\nexpect:\n  - { id: earns, expr: policy('offer').reward.mean > ${floor.toFixed(2)} }`,
  ).replace(`{ name: ${name} }`, `{ name: ${name}, labels: { team: ${team} } }`)

const FILES = {
  'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }'),
  'policies/offer.yaml': resource('Policy', 'offer', POLICY),
  'scenarios/b.yaml': scenario('b', 0, 'shop'),
  'scenarios/a.yaml': scenario('a', 0.99, 'play'),
  'scenarios/c.yaml': resource('Scenario', 'c', 'world: {}'),
}

const summary = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .slice(
      stdout
        .trimEnd()
        .split('\n')
        .findIndex(line => line.startsWith('scenario ')),
    )
    .join('\n')

describe('simulate without a name', () => {
  it('runs all by name, those that follow a fault, too, says what came of each, and ends with the worst code', async () => {
    const { code, stdout, stderr } = await repository(FILES).dap('simulate')
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(summary(stdout)).toMatchInlineSnapshot(`
      "scenario  outcome  expectations
      a         failed   0 of 1 passed
      b         passed   1 of 1 passed
      c         error    \`scenarios/c.yaml\` has errors

      3 scenarios: 1 passed, 1 failed, 1 could not be run"
    `)
    expect(stdout).toContain('error: c: `scenarios/c.yaml` has errors')
    expect(stdout).toContain('scenarios/c.yaml:5:')
    expect(stdout).toContain('hint: dap validate scenarios/c.yaml')
  })

  it('prints JSON of one shape for one and for many; with a name that of the one', async () => {
    const made = repository(FILES)
    const all = JSON.parse((await made.dap('simulate --json')).stdout)
    expectPublished('simulations-result', all)
    const one = JSON.parse((await made.dap('simulate b --json')).stdout)
    expectPublished('simulation-result', one)
    expect(all).toMatchObject({
      results: [{ scenario: 'a' }, one],
      errors: [{ name: 'c', error: { exitCode: 1 } }],
      passed: false,
    })
    const single = JSON.parse((await made.dap('simulate --only b --json')).stdout)
    expect(single).toEqual({ schema: all.schema, results: [one], errors: [], skipped: [], passed: true })
    expect((await made.dap('simulate --only b')).stdout).toBe((await made.dap('simulate b')).stdout)
  })

  it('gives each expectation to CI, with its line where it fails, and the faults of what cannot be run', async () => {
    const { files, stdout } = await repository(FILES).dap(
      'simulate --format junit --format sarif=out.sarif --format github=out.txt',
    )
    expect([...stdout.matchAll(/<testcase name="([^"]*)" classname="([^"]*)"/g)].map(found => found.slice(1))).toEqual([
      ['earns', 'a'],
      ['earns', 'b'],
      ['scenarios/c.yaml', 'c'],
    ])
    const sarif = JSON.parse(files['out.sarif'])
    expect(sarifFaults(sarif)).toEqual([])
    expect(files['out.txt'].split('\n')[0]).toMatchInlineSnapshot(
      `"::error file=scenarios/a.yaml,line=10,endLine=10,col=26,endColumn=60,title=dap%3A expectation::expectation \`earns\` of a failed: policy('offer').reward.mean is 0.52%0Ahint: it asks that policy('offer').reward.mean > 0.99"`,
    )
  })

  it.each([
    ['-l team=shop', ['b', 'c']],
    ['--selector team!=shop', ['a', 'c']],
    ['-l team -l team=play', ['a', 'c']],
    ['--only b --only a', ['a', 'b']],
    ['--only b -l team=shop', ['b']],
  ])('%s selects; what has faults is never passed over for its labels', async (words, names) => {
    const { results, errors } = JSON.parse((await repository(FILES).dap(`simulate ${words} --json`)).stdout)
    const ran = [
      ...results.map(({ scenario }: { scenario: string }) => scenario),
      ...errors.map(({ name }: { name: string }) => name),
    ]
    expect(ran.sort()).toEqual(names)
  })

  it.each([
    ['--only d', 'no scenario `d`', 'one of `a`, `b`, `c`'],
    ['--only a -l team=shop', 'no scenario is selected by `team=shop`', 'labels are team=play, team=shop'],
    ['b --only a', '`b` and --only both say what to run', 'leave one of them out'],
    ['b -l team=shop', '`b` and --selector both say what to run', 'leave one of them out'],
    ['b --changed-since main', '`b` and --changed-since both say what to run', 'leave one of them out'],
    ['--log x.jsonl', '--log is of one scenario, and there are 3', 'name the scenario'],
  ])('refuses %s', async (words, message, hint) => {
    const { code, stderr } = await repository(FILES).dap(`simulate ${words}`)
    expect({ code, stderr }).toEqual({ code: 3, stderr: `error: ${message}\nhint: ${hint}\n` })
  })

  it('where there is none says so, and is content; where a file does not tell what it holds it is not', async () => {
    const { 'dap.yaml': project } = FILES
    const none = repository({ 'dap.yaml': project })
    expect(await none.dap('simulate')).toMatchObject({
      code: 0,
      stdout: 'no scenario here, so nothing was run\n`dap new scenario NAME` adds one\n',
    })
    expectPublished('evaluations-result', JSON.parse((await none.dap('evaluate --json')).stdout))
    for (const text of [
      'x: [',
      'apiVersion: dap/v1\nkind: Scenaro\n',
      'kind: Scenario\nmetadata: { name: d }\nspec: [',
    ]) {
      const hidden = await repository({ ...FILES, 'scenarios/d.yaml': text }).dap('simulate --json')
      expect(JSON.parse(hidden.stdout).errors).toMatchObject([
        { name: 'c' },
        { error: { message: '`scenarios/d.yaml` has errors' } },
      ])
      expect(
        await repository({ 'dap.yaml': project, 'd.yaml': text, 'scenarios/d.yaml': text }).dap('simulate'),
      ).toMatchObject({ code: 1 })
    }
    // Of another kind it is none.
    const other = { ...FILES, 'policies/d.yaml': 'kind: Policy\nspec: [' }
    expect(JSON.parse((await repository(other).dap('simulate --json')).stdout).errors).toMatchObject([{ name: 'c' }])
  })

  it('records what could be run, as evidence', async () => {
    const { files } = await repository(FILES).dap('simulate --record')
    expect(Object.keys(files).filter(path => path.startsWith('evidence/'))).toEqual([
      'evidence/scenario-a.json',
      'evidence/scenario-b.json',
    ])
  })
})

describe('--changed-since', () => {
  const { 'scenarios/c.yaml': _, ...VALID } = FILES
  const skipped = async (now: Record<string, string>, then: Record<string, string> = VALID) => {
    const { stdout, stderr } = await repository(now, { history: { main: then } }).dap(
      'simulate --changed-since main --json',
    )
    expect(stderr).toBe('')
    return JSON.parse(stdout).skipped
  }
  const edited = (path: keyof typeof VALID, before: string, after: string) => {
    expect(VALID[path]).toContain(before)
    return { ...VALID, [path]: VALID[path].replace(before, after) }
  }

  it('runs what depends on something that has changed, and says what it skips', async () => {
    expect(await skipped(VALID)).toEqual(['a', 'b'])
    expect(await skipped(edited('scenarios/b.yaml', 'horizon: 50', 'horizon: 60'))).toEqual(['a'])
    expect(await skipped(edited('policies/offer.yaml', 'thompson', 'greedy'))).toEqual([])
    expect(await skipped(edited('dap.yaml', 'seed: 1', 'seed: 2'))).toEqual([])
    expect(await skipped({ ...VALID, 'scenarios/n.yaml': scenario('n', 0, 'shop') })).toEqual(['a', 'b'])
    const text = await repository(edited('scenarios/b.yaml', 'horizon: 50', 'horizon: 60'), {
      history: { main: VALID },
    }).dap('simulate --changed-since main --format junit --format text=out.txt')
    expect(text.stdout).toContain('<skipped message="unchanged since main"/>')
    expect(summary(text.files['out.txt'])).toMatchInlineSnapshot(`
      "scenario  outcome  expectations
      a         skipped  unchanged since main
      b         passed   1 of 1 passed

      2 scenarios: 1 passed, 1 skipped"
    `)
  })

  it('runs nothing for what no result depends on', async () => {
    expect(await skipped(edited('scenarios/b.yaml', 'team: shop', 'team: play'))).toEqual(['a', 'b'])
    expect(await skipped(edited('policies/offer.yaml', 'spec:', '# why\nspec:'))).toEqual(['a', 'b'])
    expect(await skipped({ ...VALID, 'README.md': 'new' })).toEqual(['a', 'b'])
  })

  it('runs what was not there, or not valid, at the time', async () => {
    const { 'dap.yaml': _, ...before } = VALID
    expect(await skipped(VALID, before)).toEqual([])
    expect(await skipped(VALID, edited('scenarios/b.yaml', 'horizon: 50', 'horizon: x'))).toEqual(['a'])
    const { 'policies/offer.yaml': __, ...without } = VALID
    expect(await skipped(VALID, without)).toEqual([])
  })
})
