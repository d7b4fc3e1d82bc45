import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const FILES = {
  'dap.yaml': resource('Project', 'shop', 'projectId: abcdefgh23456789'),
  'policies/clicks.yaml': resource(
    'Policy',
    'clicks',
    `context: { city: { type: string }, platform: { type: string, enum: [ios, android] } }
features: [{ hash: { bits: 16 } }]
actions:
  - { id: none }
  - { id: a, features: { genre: card } }
  - { id: b, features: { genre: dice } }
algorithm:
  learner: { type: hashed, l2: 5 }
  exploration: { type: squarecb }
guardrails: { minProbability: 0.05 }
reward: { type: binary }`,
  ),
  'policies/plain.yaml': resource(
    'Policy',
    'plain',
    `context: { city: { type: string }, platform: { type: string, enum: [ios, android] } }
actions: [{ id: none }, { id: a }, { id: b }]
algorithm: { learner: { type: mean }, exploration: { type: epsilon-greedy } }`,
  ),
  'scenarios/week.yaml': resource(
    'Scenario',
    'week',
    `world:
  type: logistic
  logits: { none: -2.5, a: "ctx.platform == 'ios' ? 0.0 : -2.0", b: "ctx.city == 'Rome' ? 0.0 : -2.0" }
population:
  context:
    city: { categorical: { Rome: 0.3, Oslo: 0.3, Lima: 0.4 } }
    platform: { categorical: { ios: 0.5, android: 0.5 } }
policies: [clicks, uniform, oracle]
horizon: 4000
replications: 2
seed: 3`,
  ),
  'datasets/logs.yaml': resource('Dataset', 'logs', 'format: dap\nfiles: [logs/week.jsonl]'),
}

describe('a policy of hashed features', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dap-hashed-'))
    for (const [path, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('is played, trained, shown and explained by the names of its features', async () => {
    const dap = (...args: string[]) => dapIn(folder, ...args)
    expect(await dap('validate')).toMatchObject({ code: 0, stderr: '' })
    expect(await dap('simulate', 'week', '--log', 'logs/week.jsonl')).toMatchObject({ code: 0 })

    const { stdout, code } = await dap('train', 'clicks', '--dataset', 'logs')
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^fitted in \d+ passes; 35 of 65,536 slots are taken by about 35 names, of which 0\.0534 % share one$/m,
    )
    expect(stdout).toMatch(/^action\.id=a × platform=ios +\+0\.\d+ +±0\.\d+$/m)

    const trained = await dap('train', 'clicks', '--dataset', 'logs', '--out', 'again.json', '--json', '--workers', '2')
    const result = JSON.parse(trained.stdout)
    await writeFile(join(folder, 'training.json'), trained.stdout)
    expect(result.fit).toMatchObject({ converged: true, start: null })
    expect(result.hashing.strongest[0].name).toBe('action.id=none')

    const started = await dap(
      'train',
      'clicks',
      '--dataset',
      'logs',
      '--out',
      'third.json',
      '--json',
      '--start',
      'again.json',
    )
    const { fit } = JSON.parse(started.stdout)
    expect(fit.start).toBe(result.snapshot.digest)
    expect(fit.passes).toBeLessThan(result.fit.passes)

    const shown = await dap('snapshot', 'show', 'snapshots/clicks.json')
    expect(shown.stdout).toContain('intercept')
    expect(shown.stdout).toContain(`slot ${result.hashing.strongest[0].slot} `)
    const named = await dap('snapshot', 'show', 'snapshots/clicks.json', '--names', 'training.json')
    expect(named.stdout).toContain('action.genre=card × platform=ios')
    expect(named.stdout).not.toContain('slot ')

    const decided = await dap('decide', 'clicks', '--context', '{"city":"Rome","platform":"ios"}', '--explain')
    expect(decided.stdout).toMatch(/^log-odds of b = .*action\.id=b × city=Rome/m)
    expect(decided.stdout).toContain('widths their standard errors')
  })

  it('says what does not fit', async () => {
    const dap = (...args: string[]) => dapIn(folder, ...args)
    const sums = await dap('train', 'plain', '--dataset', 'logs', '--start', 'snapshots/clicks.json')
    expect({ code: sums.code, stderr: sums.stderr }).toMatchInlineSnapshot(`
      {
        "code": 3,
        "stderr": "error: --start is where a fit in passes starts, and \`mean\` is made of sums
      hint: take it out; it is for \`logistic\` and \`hashed\`
      ",
      }
    `)
    const missing = await dap('train', 'clicks', '--dataset', 'logs', '--start', 'nowhere.json')
    expect({ code: missing.code, stdout: missing.stdout }).toEqual({ code: 1, stdout: '' })
    expect(missing.stderr).toContain('nowhere.json`: it does not exist')
    const names = await dap('snapshot', 'show', 'snapshots/clicks.json', '--names', 'snapshots/clicks.json')
    expect(names.code).toBe(1)
    expect(names.stderr).toContain('is not the result of the training that wrote this snapshot')
  })
})
