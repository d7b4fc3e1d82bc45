import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { decisionRecord } from '../../src/log/records/decision-record.ts'
import { stream } from '../../src/math/rng.ts'
import { decide } from '../../src/policy/decide.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import type { EvaluationResult, TrainingResult } from '../../src/results.ts'
import { onDisk } from '../support/disk.ts'
import { expectPublished } from '../support/published.ts'
import { resource } from '../support/repository.ts'
import { dapIn, NOW } from '../support/run-dap.ts'

const PROJECT = resource('Project', 'shop', 'defaults: { seed: 1 }')
const OFFER = resource(
  'Policy',
  'offer',
  `unit: player
context: { player: { type: string }, vip: { type: boolean } }
actions: [{ id: none }, { id: gold }]
algorithm: { learner: { type: linear }, exploration: { type: thompson } }
guardrails: { minProbability: 0.1 }
reward: { name: purchase, type: binary, wait: 72h }`,
)
const DATASET = resource('Dataset', 'log', 'files: [logs]\nformat: dap')
const HOUR = 3_600_000

const folders: string[] = []
afterAll(() => Promise.all(folders.map(folder => rm(folder, { recursive: true }))))

async function repository(files: Readonly<Record<string, string>>): Promise<string> {
  const all = { 'dap.yaml': PROJECT, 'policies/offer.yaml': OFFER, 'datasets/log.yaml': DATASET, ...files }
  const folder = await onDisk(all)
  folders.push(folder)
  return folder
}

/** A served log: players who are VIPs buy gold. The last decision is two days old, and so waits for its reward. */
async function servedLog(decisions: number): Promise<{ 'logs/1.jsonl': string; 'logs/deep/2.jsonl': string }> {
  const found = (await loadRepository([{ path: 'policies/offer.yaml', text: OFFER }])).all('Policy')[0]
  const policy = createPolicy(found.name, found.spec, found.digest)
  const rng = stream(1, 'served')
  const lines: string[] = []
  const rewards: string[] = []
  for (let i = 0; i < decisions; i++) {
    const context = { player: `p${i % 700}`, vip: rng.uniform() < 0.5 }
    const decision = decide(policy, { decisionId: `d${i}`, context })
    if ('faults' in decision) throw new Error('the context is good')
    const time = NOW - 48 * HOUR - (decisions - 1 - i) * HOUR
    const facts = { mode: 'online', snapshot: null, runtime: 'dap/0', latencyUs: 1, logProbability: 1 } as const
    lines.push(JSON.stringify(decisionRecord(policy, decision, { ...facts, ts: new Date(time).toISOString() })))
    const buys = rng.uniform() < (decision.action === 'gold' ? (context.vip ? 0.6 : 0.05) : 0.2)
    const reward = { schema: 'dap.reward/v1', rewardId: `r${i}`, decisionId: `d${i}`, name: 'purchase', value: 1 }
    if (buys) rewards.push(JSON.stringify({ ...reward, ts: new Date(time + HOUR).toISOString() }))
  }
  return { 'logs/1.jsonl': `${lines.join('\n')}\n`, 'logs/deep/2.jsonl': `${rewards.join('\n')}\n` }
}

async function json(folder: string, ...words: string[]): Promise<TrainingResult> {
  const { code, stdout, stderr } = await dapIn(folder, 'train', '--dataset', 'log', '--json', ...words)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as TrainingResult
}

describe('train', () => {
  it('learns a served log, writes the snapshot, and says what it is worth', async () => {
    const folder = await repository(await servedLog(4000))
    const { code, stdout, stderr } = await dapIn(folder, 'train', 'offer', '--dataset', 'log')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.replace(/sha256:[0-9a-f]{64}/g, 'sha256:…')).toMatchInlineSnapshot(`
      "offer learnt 3,162 rows of log, 2026-06-15T09:00:00.000Z to 2026-11-28T00:00:00.000Z
      snapshots/offer.json  sha256:…

      action   rows
      none    1,602
      gold    1,560

      24 decisions whose wait for rewards is not over, left out

      on the units that it was not learnt from:

      offer on log: 814 rows of 143 units, mean reward 0.2531

      candidate  verdict  estimator   value  95 % interval         lift  95 % interval        sample size  largest weight
      new        ok       ips        0.3493  [0.3072, 0.3914]  +0.09625  [+0.07071, +0.1194]        127.9             1.8
                 ok       snips      0.3487  [0.3072, 0.3914]  +0.09558  [+0.07071, +0.1194]
                 ok       dr         0.3515  [0.3098, 0.3943]  +0.09844  [+0.07361, +0.1225]
      logging    ok       ips        0.2531  [0.2255, 0.2824]         0  [0, 0]                     142.1               1
                 ok       snips      0.2531  [0.2255, 0.2824]         0  [0, 0]
                 ok       dr         0.2531  [0.2255, 0.2824]         0  [0, 0]

      judged on 20 % of the units, which were held out
      actions were not declared: the 2 seen in the log or named by candidates are taken for all

      the new snapshot earns more than the log did
      "
    `)
    const snapshot = JSON.parse(await readFile(join(folder, 'snapshots/offer.json'), 'utf8'))
    expect(snapshot.data).toMatchObject({ dataset: 'log', until: new Date(NOW).toISOString() })
    expect((await dapIn(folder, 'decide', 'offer', '--context', '{"player":"p1","vip":true}')).code).toBe(0)
  })

  it('gives the same bytes from the same log, and compares with the snapshot that it replaces', async () => {
    const folder = await repository(await servedLog(3000))
    const first = await json(folder, '--until', '2026-11-25T00:00:00Z')
    const bytes = await readFile(join(folder, 'snapshots/offer.json'), 'utf8')
    const second = await json(folder, '--until', '2026-11-25T00:00:00Z')
    expect(await readFile(join(folder, 'snapshots/offer.json'), 'utf8')).toBe(bytes)
    expect(first.estimates?.candidates.map(({ name }) => name)).toEqual(['new', 'logging'])
    expect(second.estimates?.candidates.map(({ name }) => name)).toEqual(['new', 'old', 'logging'])
    const alone = (estimates: EvaluationResult | null | undefined, at: number) =>
      estimates?.candidates[at].estimates.map(({ lift, ...rest }) => ({
        ...rest,
        lift: lift && { ...lift, simultaneous: null },
      }))
    expect(alone(second.estimates, 1)).toEqual(alone(first.estimates, 0))
    expect(second.snapshot).toEqual(first.snapshot)

    await writeFile(join(folder, 'snapshots/offer.json'), '{}')
    const third = await json(folder, '--out', 'elsewhere/new.json')
    expect(third.snapshot.path).toBe('elsewhere/new.json')
    expect(third.estimates?.candidates.map(({ name }) => name)).toEqual(['new', 'logging'])
    const fourth = await json(folder, '--against', 'elsewhere/new.json')
    expect(fourth.estimates?.candidates.map(({ name }) => name)).toEqual(['new', 'old', 'logging'])
    await writeFile(join(folder, 'snapshots/offer.json'), '{}')
    expect((await json(folder)).dataset.notes.at(-1)).toContain('not compared with the snapshot that was there')
    const broken = await dapIn(folder, 'train', '--dataset', 'log', '--against', 'dap.yaml')
    expect(broken).toMatchObject({ code: 1, stdout: '' })
  })

  it('prints a result of the published schema', async () => {
    const folder = await repository(await servedLog(1500))
    for (const flags of [[], ['--holdout', '0'], ['--weights', 'inverse-propensity']]) {
      expectPublished('training-result', JSON.parse(JSON.stringify(await json(folder, ...flags))))
    }
  })

  it('learns everything when nothing is held out, and then says that nothing is known', async () => {
    const folder = await repository(await servedLog(500))
    const { stdout } = await dapIn(folder, 'train', '--dataset', 'log', '--holdout', '0')
    expect(stdout).toContain('no unit was held out: nothing says what it is worth')
    const { dataset, estimates } = await json(folder, '--holdout', '0')
    // One decision an hour, the last 48 hours ago: 24 are younger than the wait of 72 hours.
    expect([dataset.rows, dataset.heldOut, estimates]).toEqual([476, 0, null])
  })

  it('reads any format through its mapping', async () => {
    const rng = stream(2, 'csv')
    const rows = Array.from({ length: 3000 }, (_, i) => {
      const [vip, gold] = [rng.uniform() < 0.5, rng.uniform() < 0.5]
      const buys = rng.uniform() < (gold ? (vip ? 0.6 : 0.05) : 0.2)
      return `p${i % 600},${vip},${gold ? 'gold' : 'none'},0.5,${buys ? 1 : 0},2026-01-01 00:00:00`
    })
    const folder = await repository({
      'datasets/log.yaml': resource(
        'Dataset',
        'log',
        'files: [log.csv]\nformat: csv\nactions: { policy: offer }\nmapping: { unit: player, action: offer, propensity: p, reward: r, ts: ts }',
      ),
      'log.csv': ['player,vip,offer,p,r,ts', ...rows].join('\n'),
    })
    const { dataset, estimates } = await json(folder)
    expect(dataset).toMatchObject({ from: '2026-01-01T00:00:00.000Z', notes: [] })
    expect(dataset.rows + dataset.heldOut).toBe(3000)
    const dr = estimates?.candidates[0].estimates.find(({ estimator }) => estimator === 'dr')
    expect(dr?.lift?.lower).toBeGreaterThan(0)
    const until = await dapIn(folder, 'train', '--dataset', 'log', '--until', '2026-01-01T00:00:00Z')
    expect(until).toMatchObject({ code: 3, stderr: expect.stringContaining('and `log` has none') })
  })

  it.each([
    ['beside the decisions', 'reward: { wait: 1h }', 'reward: r, '],
    [
      'in files of their own',
      'reward: { wait: 1h, default: 0 }\nrewards: { files: [r.csv], mapping: { decisionId: id, reward: r, ts: ts } }',
      'decisionId: id, ',
    ],
  ])('looks at a mapped log as it was, with rewards %s', async (_, reward, mapped) => {
    const rows = Array.from({ length: 600 }, (_, i) => {
      const offer = i % 2 === 0 ? 'gold' : 'none'
      return `d${i},p${i % 100},true,${offer},0.5,${i % 3 === 0 ? 1 : 0},2026-01-01T0${Math.floor(i / 100)}:00:00Z`
    })
    const folder = await repository({
      'datasets/log.yaml': resource(
        'Dataset',
        'log',
        `files: [log.csv]\nformat: csv\nactions: { policy: offer }\nmapping: { ${mapped}unit: player, action: offer, propensity: p, ts: ts }\n${reward}`,
      ),
      'log.csv': ['id,player,vip,offer,p,r,ts', ...rows].join('\n'),
      'r.csv': 'id,r,ts\nd0,1,2026-01-01T00:30:00Z\nd1,1,2026-01-01T02:30:00Z\n',
    })
    const { dataset } = await json(folder, '--until', '2026-01-01T03:30:00Z')
    expect(dataset.rows + dataset.heldOut).toBe(300)
    expect(dataset.notes).toContain('300 decisions whose wait for rewards is not over, left out')
  })

  it.each([
    ['--until', 'yesterday'],
    ['--weights', 'some'],
    ['--holdout', '1'],
    ['--holdout', '-0.1'],
    ['--workers', '0'],
  ])('refuses %s %s', async (flag, value) => {
    const folder = await repository({})
    const { code, stderr } = await dapIn(folder, 'train', '--dataset', 'log', `${flag}=${value}`)
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining(flag) })
  })

  it('says that a folder has no log, and writes nothing where it fails', async () => {
    const folder = await repository({ 'logs/readme.txt': '' })
    expect(await dapIn(folder, 'train', '--dataset', 'log')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('the folder `logs` has no file of the format dap'),
    })
    await expect(readFile(join(folder, 'snapshots/offer.json'))).rejects.toThrow('ENOENT')
  })
})

describe('evaluate, on a served log', () => {
  it('joins rewards as the policy of the Dataset says, and notes what it left out', async () => {
    const log = await servedLog(1000)
    const folder = await repository({
      ...log,
      'logs/1.jsonl': `${log['logs/1.jsonl']}{"schema":"dap.decision/v1","decisionId":"torn`,
      'datasets/log.yaml': resource('Dataset', 'log', 'files: [logs]\nformat: dap\nactions: { policy: offer }'),
      'evaluations/next.yaml': resource(
        'Evaluation',
        'next',
        'dataset: log\nestimators: [snips]\ncandidates: [{ name: uniform, uniform: true }]',
      ),
    })
    const { code, stdout } = await dapIn(folder, 'evaluate')
    expect(code).toBe(0)
    expect(stdout).toContain('next on log: 976 rows')
    expect(stdout).toContain('1 last line cut off, as a killed writer leaves them, left out')
    expect(stdout).toContain('24 decisions whose wait for rewards is not over, left out')
  })
})
