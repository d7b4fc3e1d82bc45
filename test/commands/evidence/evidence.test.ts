import { readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { nodeFiles } from '../../../src/adapters/node/files.ts'
import { readEvidence } from '../../../src/commands/evidence/evidence.ts'
import { inputsOf } from '../../../src/commands/evidence/inputs.ts'
import { openRepository } from '../../../src/commands/opening/repository.ts'
import type { EvidenceState } from '../../../src/deploy/wanted/plan.ts'
import type { Host } from '../../../src/host.ts'
import { digestOf } from '../../../src/policy/digest.ts'
import { createPolicy } from '../../../src/policy/policy.ts'
import { snapshotDigest, snapshotText, takeSnapshot } from '../../../src/policy/snapshot.ts'
import { loadRepository } from '../../../src/repo/repository.ts'
import type { EvaluationResult, Evidence } from '../../../src/results.ts'
import { inputTitle } from '../../../src/titles.ts'
import { onDisk, put } from '../../support/disk.ts'
import { memoryCloud } from '../../support/memory-vertex.ts'
import { published, publishedValidator } from '../../support/published.ts'
import { resource } from '../../support/repository.ts'
import { dap, dapIn, NOW } from '../../support/run-dap.ts'

const policy = (name: string, more = '') =>
  resource(
    'Policy',
    name,
    `actions: [{ id: a }, { id: b }]\nalgorithm:\n  learner: { type: beta }\n  exploration: { type: thompson }${more}`,
  )
const POLICY = policy('offer')
const SCENARIO = resource(
  'Scenario',
  'week',
  `world: { type: bernoulli, means: { a: 0.1, b: 0.6 } }
policies: [offer, other, uniform]
horizon: 200
replications: 20
expect: [{ id: learns, expr: "policy('offer').regret.upper < policy('uniform').regret.lower" }]`,
)
const DATASET = resource(
  'Dataset',
  'log',
  `files: [data/days, data/last.csv]
format: csv
actions: { policy: logger }
mapping: { action: action, propensity: p, decisionId: id }
rewards: { files: [data/rewards.csv], mapping: { decisionId: id, reward: r } }
reward: { default: 0 }`,
)
const EVALUATION = resource(
  'Evaluation',
  'next',
  `dataset: log
estimators: [ips, dr]
rewardModel: { type: tabular, by: [action], prior: 1 }
candidates:
  - { name: new, policy: offer, snapshot: snapshots/offer.json }
  - { name: fresh, policy: fresh }
  - { name: hand, table: { file: tables/hand.csv, by: [slot] } }
  - { name: foot, table: { file: tables/foot.csv, by: [slot] } }
  - { name: column, probabilities: { columns: "q_{action}" } }
  - { name: score, scores: { columns: "q_{action}" }, exploration: { type: softmax, temperature: 1 } }
  - { name: log, logging: true }
  - { name: uniform, uniform: true }
  - { name: b, fixed: b }
gates: [{ id: no-loss, expr: "candidate('new').estimate('ips').value >= 0.0" }]`,
)
const DEPLOYMENT = resource(
  'Deployment',
  'offer',
  'environment: prod\npolicy: offer\nsnapshot: snapshots/offer.json\nevidence: [{ evaluation: next, maxAge: 7d }, { scenario: week }]',
)
const log = (day: number) =>
  `id,action,p,slot,q_a,q_b\n${Array.from({ length: 50 }, (_, i) => `${day}-${2 * i},a,0.5,0,0.3,0.7\n${day}-${2 * i + 1},b,0.5,0,0.3,0.7\n`).join('')}`
const REWARDS = `id,r\n${[1, 2, 3].flatMap(day => Array.from({ length: 25 }, (_, i) => `${day}-${4 * i + 1},1\n`)).join('')}`
const TABLE = 'slot,action,probability\n0,a,0.25\n0,b,0.75\n'

async function snapshot() {
  const { resources } = await loadRepository([{ path: 'p.yaml', text: POLICY }])
  const [{ name, spec, digest }] = resources.filter(each => each.kind === 'Policy')
  return takeSnapshot(createPolicy(name, spec as Parameters<typeof createPolicy>[1], digest))
}

/** Candidates of every kind, two tables, snapshots, policies that are played, judged, logged with and none of it; data in folders and files. */
async function files(): Promise<Record<string, string>> {
  return {
    'dap.yaml': resource('Project', 'shop', 'projectId: q7m2vx4t9kd3hs8w\ndefaults: { seed: 1 }'),
    'policies/offer.yaml': POLICY,
    'policies/fresh.yaml': policy('fresh'),
    'policies/other.yaml': policy('other'),
    'policies/logger.yaml': policy('logger'),
    'policies/unused.yaml': policy('unused'),
    'scenarios/week.yaml': SCENARIO,
    'scenarios/unused.yaml': SCENARIO.replace('week', 'unused'),
    'datasets/log.yaml': DATASET,
    'datasets/unused.yaml': DATASET.replace('name: log', 'name: unused'),
    'evaluations/next.yaml': EVALUATION,
    'evaluations/unused.yaml': EVALUATION.replace('name: next', 'name: unused'),
    'environments/prod.yaml': resource('Environment', 'prod', 'target: emulator'),
    'deployments/prod/offer.yaml': DEPLOYMENT,
    'snapshots/offer.json': snapshotText(await snapshot()),
    'snapshots/unused.json': snapshotText(await snapshot()),
    'tables/hand.csv': TABLE,
    'tables/foot.csv': TABLE,
    'tables/unused.csv': TABLE,
    'data/days/1.csv': log(1),
    'data/days/2.csv': log(2),
    'data/last.csv': log(3),
    'data/rewards.csv': REWARDS,
    'data/unused.csv': log(4),
    'README.md': 'A shop.\n',
  }
}

/** A real folder, since DuckDB reads logs, with as much of a Host as evidence touches, and an empty cloud. */
async function place(changed: Readonly<Record<string, string>> = {}) {
  const folder = await onDisk({ ...(await files()), ...changed })
  const host = { cwd: folder, files: nodeFiles(), environment: () => undefined } as unknown as Host
  const cloud = memoryCloud()
  return {
    folder,
    host,
    put: (path: string, text: string) => put(folder, path, text),
    read: (path: string) => readFile(join(folder, path), 'utf8'),
    dap: (...words: readonly string[]) => dapIn({ folder, cloud }, ...words),
    evidence: async (kind: Evidence['kind'], name: string) =>
      (await readEvidence(host, folder, { kind, name })) as Evidence | undefined,
    /** What a plan makes of the evidence of the only Deployment. */
    async states(): Promise<readonly EvidenceState[]> {
      const { stdout, stderr } = await dapIn({ folder, cloud }, 'plan', '--env', 'prod', '--json')
      if (stdout === '') throw new Error(stderr)
      return JSON.parse(stdout).deployments[0].evidence
    },
  }
}

const conforms = publishedValidator('evidence')

describe('simulate --record', () => {
  const files = {
    'dap.yaml': resource('Project', 'shop', 'projectId: q7m2vx4t9kd3hs8w\ndefaults: { seed: 1 }'),
    'policies/offer.yaml': POLICY,
    'policies/other.yaml': policy('other'),
    'scenarios/week.yaml': SCENARIO,
  }

  it('writes what held, of which scenario and which policies, in the published format', async () => {
    const session = await dap('simulate --record', files)
    expect(session.code).toBe(0)
    expect(session.stdout).toContain(
      '\n\nrecorded in evidence/scenario-week.json: passed, as evidence about offer, other\n',
    )
    const evidence = JSON.parse(session.files['evidence/scenario-week.json'])
    expect(conforms(evidence), JSON.stringify(conforms.errors)).toBe(true)
    expect(evidence).toMatchObject({
      kind: 'scenario',
      name: 'week',
      inputs: [
        { kind: 'scenario', name: 'week' },
        { kind: 'policy', name: 'offer' },
        { kind: 'policy', name: 'other' },
      ],
      policies: [
        { name: 'offer', snapshot: null, figure: { quantity: 'regret', estimator: null, verdict: null } },
        { name: 'other', snapshot: null, figure: { quantity: 'regret' } },
      ],
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
  it('records all that was read, and the lift of what was judged', async () => {
    const { dap, read, evidence } = await place()
    const session = await dap('evaluate', 'next', '--record')
    expect(session, session.stdout).toMatchObject({ code: 0, stderr: '' })
    expect(session.stdout).toContain(
      'recorded in evidence/evaluation-next.json: passed, as evidence about offer, fresh',
    )
    const json = JSON.parse(await read('evidence/evaluation-next.json'))
    expect(conforms(json), JSON.stringify(conforms.errors)).toBe(true)
    const { dataset, candidates } = JSON.parse((await dap('evaluate', 'next', '--json')).stdout) as EvaluationResult
    const recorded = (await evidence('evaluation', 'next'))!
    expect(recorded.inputs.map(inputTitle)).toEqual([
      'evaluation `next`',
      'dataset `log`',
      'the data of dataset `log`',
      'policy `logger`',
      'policy `offer`',
      'the snapshot `snapshots/offer.json` of candidate `new`',
      'policy `fresh`',
      'the table `tables/hand.csv` of candidate `hand`',
      'the table `tables/foot.csv` of candidate `foot`',
    ])
    expect(recorded.inputs.find(({ kind }) => kind === 'data')?.digest).toBe(`sha256:${dataset.digest}`)
    const { lift, verdict } = candidates[0].estimates[1]
    const { value, lower, upper } = lift!
    expect(recorded.policies).toMatchObject([
      {
        name: 'offer',
        snapshot: snapshotDigest(await snapshot()),
        figure: { quantity: 'lift', estimator: 'dr', verdict, value, lower, upper },
      },
      { name: 'fresh', snapshot: null },
    ])
  })

  it('has no number of a candidate that the log cannot answer for', async () => {
    const few = 'id,action,p,slot,q_a,q_b\n1-0,a,0.5,0,0.3,0.7\n1-1,b,0.5,0,0.3,0.7\n'
    const { dap, put, evidence } = await place({ 'data/last.csv': few, 'data/days/1.csv': few, 'data/days/2.csv': few })
    await put('evaluations/next.yaml', EVALUATION.replace(/gates: .*/, 'gates: []'))
    await dap('evaluate', 'next', '--record')
    expect((await evidence('evaluation', 'next'))?.policies[0].figure).toBeNull()
  })

  it('records a failure, too', async () => {
    const { dap, evidence } = await place({ 'evaluations/next.yaml': EVALUATION.replace('>= 0.0', '> 1.0') })
    expect((await dap('evaluate', 'next', '--record')).code).toBe(1)
    expect(await evidence('evaluation', 'next')).toMatchObject({ passed: false, failed: ['no-loss'] })
  })

  it('records nothing where a file of a candidate was written meanwhile', async () => {
    const { folder, put, evidence } = await place()
    const files = nodeFiles()
    let digests = 0
    const session = await dapIn(
      {
        folder,
        files: {
          ...files,
          async digest(path) {
            if (path.endsWith('hand.csv') && ++digests === 2)
              await put('tables/hand.csv', TABLE.replace('0.25', '0.250'))
            return files.digest(path)
          },
        },
      },
      ...['evaluate', 'next', '--record'],
    )
    expect(session).toMatchObject({ code: 1 })
    expect(session.stderr).toContain('`tables/hand.csv` changed while it was read')
    expect(await evidence('evaluation', 'next')).toBeUndefined()
  })
})

/** Kind of file → another one that says something else; of a Project what every resource without its own setting says. */
const EDITS: Readonly<Record<string, (text: string) => string>> = {
  'dap.yaml': text => text.replace('seed: 1', 'seed: 2'),
  policies: text => `${text}\n  guardrails: { minProbability: 0.01 }`,
  scenarios: text => text.replace('0.6', '0.5'),
  datasets: text => text.replace('default: 0', 'default: 0.5'),
  evaluations: text => text.replace('>= 0.0', '>= 0.001'),
  environments: text => `${text}\n  protect: [delete]`,
  deployments: text => `${text}\n  resources: { maxReplicas: 7 }`,
  snapshots: text => text.replace('{', '{ "dap": "9.9.9",'),
  tables: text => text.replace('0.25', '0.250'),
  data: text => text.replace('-0,a', '-0,b').replace('-1,1', '-1,0'),
  'README.md': text => `${text}\n`,
}

/** File → what the evaluation and the scenario say of it once it is another one; none: it is no input of theirs. */
const SAID: Readonly<Record<string, { readonly evaluation?: string; readonly scenario?: string }>> = {
  'dap.yaml': { scenario: 'the scenario' },
  'policies/offer.yaml': { evaluation: 'policy `offer`', scenario: 'policy `offer`' },
  'policies/fresh.yaml': { evaluation: 'policy `fresh`' },
  'policies/other.yaml': { scenario: 'policy `other`' },
  'policies/logger.yaml': { evaluation: 'policy `logger`' },
  'scenarios/week.yaml': { scenario: 'the scenario' },
  'datasets/log.yaml': { evaluation: 'dataset `log`' },
  'evaluations/next.yaml': { evaluation: 'the evaluation' },
  'snapshots/offer.json': { evaluation: 'the snapshot `snapshots/offer.json` of candidate `new`' },
  'tables/hand.csv': { evaluation: 'the table `tables/hand.csv` of candidate `hand`' },
  'tables/foot.csv': { evaluation: 'the table `tables/foot.csv` of candidate `foot`' },
  'data/days/1.csv': { evaluation: 'the data of dataset `log`' },
  'data/days/2.csv': { evaluation: 'the data of dataset `log`' },
  'data/last.csv': { evaluation: 'the data of dataset `log`' },
  'data/rewards.csv': { evaluation: 'the data of dataset `log`' },
}

describe('recorded evidence', () => {
  it('is stale once any of its inputs is another one, says which, and stays as it is whatever else changes', async () => {
    const { folder, put, read, dap, states } = await place()
    await dap('evaluate', 'next', '--record')
    await dap('simulate', 'week', '--record')
    expect((await states()).map(({ state, reason }) => reason ?? state)).toEqual(['passed', 'passed'])

    for (const path of Object.keys(await files())) {
      const was = await read(path)
      const edited = EDITS[path.split('/')[0]](was)
      expect(edited, path).not.toBe(was)
      await put(path, edited)
      const said = SAID[path] ?? {}
      const expected = [said.evaluation, said.scenario].map(what => (what ? `${what} has changed since` : 'passed'))
      expect([path, ...(await states()).map(({ state, reason }) => reason ?? state)]).toEqual([path, ...expected])
      await put(path, was)
    }
    for (const [path, text] of [['data/days/3.csv', log(5)]] as const) {
      await put(path, text)
      expect((await states())[0].reason).toBe('the data of dataset `log` has changed since')
      await rm(join(folder, path))
    }
    for (const path of ['tables/hand.csv', 'data/days/2.csv']) {
      const was = await read(path)
      await rm(join(folder, path))
      expect((await states())[0].reason).toMatch(
        path.startsWith('tables') ? /is gone, or cannot be read/ : /has changed/,
      )
      await put(path, was)
    }
    expect((await states()).map(({ state }) => state)).toEqual(['passed', 'passed'])
  })

  it('names every file that is read for it', async () => {
    const { folder } = await place()
    const seen = new Set<string>()
    const files = nodeFiles()
    await dapIn(
      {
        folder,
        files: {
          ...files,
          read(path, most) {
            seen.add(relative(folder, path))
            return files.read(path, most)
          },
          digest(path) {
            seen.add(relative(folder, path))
            return files.digest(path)
          },
        },
      },
      ...['evaluate', 'next', '--record'],
    )
    const others = [...seen].filter(path => !path.endsWith('.yaml') && !path.startsWith('..'))
    expect(others.filter(path => SAID[path]?.evaluation === undefined)).toEqual([])
    expect(others).toContain('tables/foot.csv')
  })

  it('knows every field that names a file, of all kinds that a result is made from', () => {
    const named = ['policy', 'scenario', 'dataset', 'evaluation'].flatMap(kind => {
      return [...fieldsOf(published(kind))]
        .filter(field => /file|path|snapshot|uri/i.test(field))
        .map(field => [kind, field])
    })
    // Another one is an input that `inputsOf` has to name.
    expect(named).toEqual([
      ['policy', 'file'],
      ['dataset', 'files'],
      ['evaluation', 'snapshot'],
      ['evaluation', 'file'],
    ])
  })

  it('has the data of a dataset hashed once, however many deployments ask', async () => {
    const { host } = await place()
    const digest = vi.spyOn(host.files, 'digest')
    const opened = await openRepository(host)
    await Promise.all([1, 2, 3].map(() => inputsOf(host, opened, 'Dataset', 'log')))
    expect(digest).toHaveBeenCalledTimes(4)
  })

  it('has the same digest whenever it is made, and a seal that covers the time', async () => {
    const { put, dap, read, evidence } = await place()
    await dap('simulate', 'week', '--record')
    const first = (await evidence('scenario', 'week'))!
    await put('evidence/scenario-week.json', JSON.stringify(resealed({ ...first, at: '2020-01-01T00:00:00Z' })))
    expect((await evidence('scenario', 'week'))?.digest).toBe(first.digest)
    await put('evidence/scenario-week.json', (await read('evidence/scenario-week.json')).replace('2020', '2099'))
    await expect(evidence('scenario', 'week')).rejects.toThrow('is not what was recorded')
  })

  it('of an older dap is stale, and comes with the command that makes it anew', async () => {
    const { put, states } = await place()
    const old = { schema: 'dap.evidence/v1', kind: 'scenario', name: 'week', resource: 'sha256:1', passed: true }
    await put('evidence/scenario-week.json', JSON.stringify(old))
    expect((await states())[1]).toEqual({
      kind: 'scenario',
      name: 'week',
      state: 'stale',
      digest: null,
      figure: null,
      reason: 'another dap recorded it, as dap.evidence/v1; this one reads dap.evidence/v2, which names all inputs',
      command: 'dap simulate week --record',
    })
  })

  it('is nothing where nothing was recorded, and an error where the file was edited or is broken', async () => {
    const { folder, put, dap, evidence } = await place()
    expect(await evidence('scenario', 'week')).toBeUndefined()
    await dap('simulate', 'week', '--record')
    const path = 'evidence/scenario-week.json'
    const good = JSON.parse(await readFile(join(folder, path), 'utf8'))
    const broken = [
      { ...good, passed: false },
      { ...good, name: 'other' },
      { ...good, policies: null },
      { ...good, inputs: [...good.inputs].reverse() },
      { ...good, inputs: good.inputs.slice(1) },
      { ...good, seal: undefined },
      { ...good, at: 'yesterday' },
      sealed({ ...good, failed: 1 }),
      sealed({ ...good, inputs: [{}] }),
      sealed({ ...good, policies: [{ ...good.policies[0], figure: { quantity: 'lift' } }] }),
      sealed({ ...good, at: 'yesterday' }),
      resealed({ ...good, digest: digestOf('another') }),
      nested(100),
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

/** As somebody would forge it who knows how seals are made. */
function sealed({ digest: _, at, seal: __, ...about }: Record<string, unknown>): object {
  return resealed({ ...about, digest: digestOf(about), at })
}

function resealed({ seal: _, ...dated }: Record<string, unknown>): object {
  return { ...dated, seal: digestOf(dated) }
}

const nested = (depth: number): object => (depth === 0 ? { schema: 'dap.evidence/v2' } : { inputs: nested(depth - 1) })

/** Names of all properties that a schema knows. */
function fieldsOf(schema: unknown, found = new Set<string>()): Set<string> {
  if (typeof schema !== 'object' || schema === null) return found
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') for (const name of Object.keys(value)) found.add(name)
    if (key !== 'examples') fieldsOf(value, found)
  }
  return found
}
