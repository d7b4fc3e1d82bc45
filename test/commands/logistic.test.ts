import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const policy = (name: string, learner: string, features: string, actions = ACTIONS) =>
  resource(
    'Policy',
    name,
    `context: { city: { type: string, enum: [Rome, Oslo, Lima] }, platform: { type: string, enum: [ios, android] } }
features: ${features}
actions:
${actions}
algorithm:
  learner: { ${learner} }
  exploration: { type: thompson }
guardrails: { minProbability: 0.05 }
reward: { type: binary }`,
  )

const ACTIONS = `  - { id: none, features: { genre: none } }
  - { id: a, features: { genre: card } }
  - { id: b, features: { genre: dice } }`
const SHARED = '[{ action: genre }, { cross: [platform, action.genre] }, { cross: [city, action.genre] }]'

const FILES = {
  'dap.yaml': resource('Project', 'shop', 'projectId: abcdefgh23456789'),
  'policies/each.yaml': policy('each', 'type: logistic', '[{ field: city }, { field: platform }]'),
  'policies/shared.yaml': policy('shared', 'type: logistic, shared: true, l2: 2', SHARED),
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
policies: [each, shared, uniform, oracle]
horizon: 3000
replications: 2
seed: 3`,
  ),
  'datasets/logs.yaml': resource('Dataset', 'logs', 'format: dap\nfiles: [logs/week.jsonl]'),
}

describe('policies of logistic regression', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dap-logistic-'))
    for (const [path, text] of Object.entries(FILES)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('are played, trained, shown, compared, explained and carried over', async () => {
    const dap = (...args: string[]) => dapIn(folder, ...args)
    const json = async (...args: string[]) => JSON.parse((await dap(...args, '--json')).stdout)
    expect(await dap('validate')).toMatchObject({ code: 0, stderr: '' })
    expect(await dap('simulate', 'week', '--log', 'logs/week.jsonl')).toMatchObject({ code: 0 })

    for (const name of ['each', 'shared']) {
      const trained = await dap('train', name, '--dataset', 'logs')
      expect(trained).toMatchObject({ code: 0 })
      expect(trained.stdout).toMatch(/^fitted in \d passes$/m)
      const results = []
      for (const workers of ['1', '2'])
        results.push(
          await json('train', name, '--dataset', 'logs', '--out', `${name}${workers}.json`, '--workers', workers),
        )
      const [one, two] = results
      expect(two.snapshot.digest).toBe(one.snapshot.digest)
      expect(one.fit).toMatchObject({ converged: true, start: null })
      expect(one.hashing).toBeUndefined()
      const started = await json('train', name, '--dataset', 'logs', '--out', 'third.json', '--start', `${name}1.json`)
      expect(started.fit.start).toBe(one.snapshot.digest)
      expect(started.fit.passes).toBeLessThan(one.fit.passes)
    }

    const each = await json('snapshot', 'show', 'snapshots/each.json')
    const ios = (id: string) =>
      each.actions
        .find((action: { id: string }) => action.id === id)
        .coefficients.find(({ feature }: { feature: string }) => feature === 'platform=ios').value
    // Two in log-odds, of which the penalty and the other platform take some.
    expect(ios('a')).toBeGreaterThan(0.5)
    expect(Math.abs(ios('b'))).toBeLessThan(0.4)
    const shared = await dap('snapshot', 'show', 'snapshots/shared.json')
    expect(shared.stdout).toMatch(/^platform=ios × action\.genre=card +\d\.\d+ +± 0\.\d+$/m)
    const before = await json('snapshot', 'diff', 'each1.json', 'third.json')
    expect(before.same).toBe(false)

    const decided = await dap('decide', 'shared', '--context', '{"city":"Rome","platform":"ios"}', '--explain')
    expect(decided.stdout).toMatch(/^log-odds of b = .*city=Rome × action\.genre=dice/m)
    expect(decided.stdout).toContain('widths their standard errors')

    // A new action of a genre that is known.
    const next = policy(
      'shared',
      'type: logistic, shared: true, l2: 2',
      SHARED,
      `${ACTIONS}\n  - { id: c, features: { genre: dice } }`,
    )
    await writeFile(join(folder, 'policies/shared.yaml'), next)
    const stale = await dap('bundle', 'shared', '--out', 'b.json')
    expect(stale.code).not.toBe(0)
    expect(await dap('bundle', 'shared', '--out', 'b.json', '--migrate')).toMatchObject({ code: 0 })
  })
})
