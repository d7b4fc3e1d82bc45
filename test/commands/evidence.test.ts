import { readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it, vi } from 'vitest'
import { nodeFiles } from '../../src/adapters/files.ts'
import { desiredDeployment, openEnvironment } from '../../src/commands/environment.ts'
import { currentInputs, readEvidence } from '../../src/commands/evidence.ts'
import { openRepository } from '../../src/commands/repository.ts'
import type { Desired } from '../../src/deploy/desired.ts'
import type { Host } from '../../src/host.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { snapshotDigest, snapshotText, takeSnapshot } from '../../src/policy/snapshot.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import type { Evidence } from '../../src/results.ts'
import { onDisk, put } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { dap, dapIn, NOW, PACKAGE_ROOT } from '../support/run-dap.ts'

const POLICY = resource(
  'Policy',
  'offer',
  'actions: [{ id: a }, { id: b }]\nalgorithm:\n  learner: { type: beta }\n  exploration: { type: thompson }',
)
const SCENARIO = resource(
  'Scenario',
  'week',
  `world: { type: bernoulli, means: { a: 0.1, b: 0.6 } }
policies: [offer, uniform]
horizon: 200
replications: 20
expect: [{ id: learns, expr: "policy('offer').regret.upper < policy('uniform').regret.lower" }]`,
)
const DATASET = resource(
  'Dataset',
  'log',
  'files: [data/log.csv]\nformat: csv\nactions: { policy: offer }\nmapping: { action: action, propensity: p, reward: r }',
)
const EVALUATION = resource(
  'Evaluation',
  'next',
  `dataset: log
estimators: [ips]
candidates: [{ name: new, policy: offer, snapshot: snapshots/offer.json }, { name: b, fixed: b }]
gates: [{ id: no-loss, expr: "candidate('new').estimate('ips').value >= 0.0" }]`,
)
const DEPLOYMENT = resource(
  'Deployment',
  'offer',
  'environment: prod\npolicy: offer\nsnapshot: snapshots/offer.json\nevidence: [{ evaluation: next }, { scenario: week }]',
)
const LOG = `action,p,r\n${'a,0.5,0\nb,0.5,1\n'.repeat(100)}`

async function snapshot() {
  const { resources } = await loadRepository([{ path: 'p.yaml', text: POLICY }])
  const [{ name, spec, digest }] = resources.filter(each => each.kind === 'Policy')
  return takeSnapshot(createPolicy(name, spec as Parameters<typeof createPolicy>[1], digest))
}

/** A real folder, since DuckDB reads logs, with as much of a Host as evidence touches. */
async function place(changed: Readonly<Record<string, string>> = {}) {
  const files = {
    'dap.yaml': resource('Project', 'shop', 'projectId: q7m2vx4t9kd3hs8w\ndefaults: { seed: 1 }'),
    'policies/offer.yaml': POLICY,
    'scenarios/week.yaml': SCENARIO,
    'datasets/log.yaml': DATASET,
    'evaluations/next.yaml': EVALUATION,
    'environments/prod.yaml': resource('Environment', 'prod', 'target: emulator'),
    'deployments/prod/offer.yaml': DEPLOYMENT,
    'snapshots/offer.json': snapshotText(await snapshot()),
    'data/log.csv': LOG,
  }
  const folder = await onDisk({ ...files, ...changed })
  const host = { cwd: folder, files: nodeFiles(), environment: () => undefined } as unknown as Host
  const evidence = (kind: Evidence['kind'], name: string) => readEvidence(host, folder, kind, name)
  const inputs = async () => {
    const opened = await openRepository(host)
    const [deployment] = opened.repository.all('Deployment')
    const { policy } = await deployedState(host)
    return Promise.all(deployment.spec.evidence.map(each => currentInputs(host, opened, each, policy)))
  }
  return { folder, host, put: (path: string, text: string) => put(folder, path, text), evidence, inputs }
}

/** What Git says of the only Deployment. */
async function deployedState(host: Host): Promise<Desired> {
  const environment = await openEnvironment(host, 'prod')
  return (await desiredDeployment(host, environment, environment.deployments[0])).desired
}

const schema = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'schemas', 'evidence.schema.json'), 'utf8'))
const conforms = new Ajv2020({ allowUnionTypes: true }).compile(schema)

describe('simulate --record', () => {
  const files = {
    'dap.yaml': resource('Project', 'shop', 'projectId: q7m2vx4t9kd3hs8w\ndefaults: { seed: 1 }'),
    'policies/offer.yaml': POLICY,
    'scenarios/week.yaml': SCENARIO,
  }

  it('writes what held, of which scenario and which policies, in the published format', async () => {
    const session = await dap('simulate --record', files)
    expect(session.code).toBe(0)
    expect(session.stdout).toContain('\n\nrecorded in evidence/scenario-week.json: passed, as evidence about offer\n')
    const evidence = JSON.parse(session.files['evidence/scenario-week.json'])
    expect(conforms(evidence), JSON.stringify(conforms.errors)).toBe(true)
    expect(evidence).toMatchObject({
      kind: 'scenario',
      name: 'week',
      policies: [{ name: 'offer', snapshot: null }],
      dataset: null,
      passed: true,
      failed: [],
      at: new Date(NOW).toISOString(),
    })
  })

  it('records a failure, too, names the rules, and still exits with 1', async () => {
    const failing = { ...files, 'scenarios/week.yaml': SCENARIO.replace('<', '>') }
    const session = await dap('simulate week --record', failing)
    expect(session.code).toBe(1)
    expect(session.stdout).toContain('recorded in evidence/scenario-week.json: 1 rule failed')
    expect(JSON.parse(session.files['evidence/scenario-week.json'])).toMatchObject({
      passed: false,
      failed: ['learns'],
    })
  })

  it.each(['--seed 1', '--horizon 10', '--replications 5'])('refuses %s, which is not the scenario', async option => {
    const session = await dap(`simulate ${option} --record`, files)
    expect(session.code).toBe(3)
    expect(session.stderr).toContain(`--record takes no ${option.split(' ')[0]}`)
    expect(session.files).not.toHaveProperty('evidence/scenario-week.json')
  })
})

describe('evaluate --record', () => {
  it('records the data and the snapshot that were judged', async () => {
    const { folder, evidence } = await place()
    const session = await dapIn(folder, 'evaluate', '--record')
    expect(session).toMatchObject({ code: 0, stderr: '' })
    expect(session.stdout).toContain('recorded in evidence/evaluation-next.json: passed, as evidence about offer')
    const text = await readFile(join(folder, 'evidence/evaluation-next.json'), 'utf8')
    expect(conforms(JSON.parse(text)), JSON.stringify(conforms.errors)).toBe(true)
    const { dataset } = JSON.parse((await dapIn(folder, 'evaluate', '--json')).stdout)
    expect(await evidence('evaluation', 'next')).toMatchObject({
      dataset: dataset.digest,
      policies: [{ name: 'offer', snapshot: snapshotDigest(await snapshot()) }],
    })
  })

  it('records a failure, too', async () => {
    const { folder, evidence } = await place({ 'evaluations/next.yaml': EVALUATION.replace('>= 0.0', '> 1.0') })
    expect((await dapIn(folder, 'evaluate', '--record')).code).toBe(1)
    expect(await evidence('evaluation', 'next')).toMatchObject({ passed: false, failed: ['no-loss'] })
  })
})

describe('recorded evidence', () => {
  it('is about the inputs as they are, until one of them changes', async () => {
    const { folder, put, evidence, inputs } = await place()
    await dapIn(folder, 'evaluate', '--record')
    await dapIn(folder, 'simulate', '--record')
    const recorded = async (kind: Evidence['kind'], name: string) => {
      const { resource, policies, dataset } = (await evidence(kind, name))!
      return { resource, policy: policies[0].digest, snapshot: policies[0].snapshot, dataset }
    }
    const before = await inputs()
    expect(before).toEqual([await recorded('evaluation', 'next'), await recorded('scenario', 'week')])

    const changed = async (path: string, text: string) => {
      const was = await readFile(join(folder, path), 'utf8')
      await put(path, text)
      const after = await inputs()
      await put(path, was)
      return after.map((now, i) =>
        Object.keys(now).filter(key => now[key as keyof typeof now] !== before[i][key as keyof typeof now]),
      )
    }
    expect(await changed('data/log.csv', `${LOG}a,0.5,1\n`)).toEqual([['dataset'], []])
    expect(await changed('datasets/log.yaml', DATASET.replace('p,', 'q,'))).toEqual([['resource'], []])
    expect(await changed('evaluations/next.yaml', EVALUATION.replace('>= 0.0', '> 0.0'))).toEqual([['resource'], []])
    expect(await changed('scenarios/week.yaml', SCENARIO.replace('200', '300'))).toEqual([[], ['resource']])
    const floored = POLICY.replace('  algorithm', '  guardrails: { minProbability: 0.01 }\n  algorithm')
    expect(await changed('policies/offer.yaml', floored)).toEqual([['policy'], ['policy']])
    const other = snapshotText({ ...(await snapshot()), dap: '9.9.9' })
    expect(await changed('snapshots/offer.json', other)).toEqual([['snapshot'], []])
  })

  it('has the data of a dataset hashed once, however many deployments ask', async () => {
    const { host } = await place()
    const digest = vi.spyOn(host.files, 'digest')
    const opened = await openRepository(host)
    const { policy } = await deployedState(host)
    const inputs = await Promise.all([1, 2, 3].map(() => currentInputs(host, opened, { evaluation: 'next' }, policy)))
    expect(new Set(inputs.map(({ dataset }) => dataset)).size).toBe(1)
    expect(digest).toHaveBeenCalledTimes(1)
  })

  it('has the same digest whenever it is made', async () => {
    const { folder, put, evidence } = await place()
    await dapIn(folder, 'simulate', '--record')
    const first = (await evidence('scenario', 'week'))!
    await put('evidence/scenario-week.json', JSON.stringify({ ...first, at: '2020-01-01T00:00:00Z' }))
    expect((await evidence('scenario', 'week'))?.digest).toBe(first.digest)
  })

  it('is nothing where nothing was recorded, and an error where the file was edited or is broken', async () => {
    const { folder, put, evidence } = await place()
    expect(await evidence('scenario', 'week')).toBeUndefined()
    await dapIn(folder, 'simulate', '--record')
    const path = 'evidence/scenario-week.json'
    const good = JSON.parse(await readFile(join(folder, path), 'utf8'))
    const broken = [
      { ...good, passed: false },
      { ...good, name: 'other' },
      { ...good, policies: null },
      { ...good, at: 'yesterday' },
      [],
      null,
    ]
    for (const json of broken) {
      await put(path, JSON.stringify(json))
      await expect(evidence('scenario', 'week')).rejects.toThrow(
        '`evidence/scenario-week.json` is not what was recorded',
      )
    }
    await put(path, '{')
    await expect(evidence('scenario', 'week')).rejects.toThrow('`evidence/scenario-week.json` is not JSON')
    await put('evidence/evaluation-week.json', JSON.stringify(good))
    await expect(evidence('evaluation', 'week')).rejects.toThrow('is not what was recorded')
    await rm(join(folder, path))
    expect(await evidence('scenario', 'week')).toBeUndefined()
  })
})
