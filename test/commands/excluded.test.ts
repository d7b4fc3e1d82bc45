import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import type { PlayResult } from '../../src/results.ts'
import { serve } from '../serve/serving.ts'
import { onDisk } from '../support/disk.ts'
import { expectPublished } from '../support/published.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

/** A shop that has nothing for children. */
const FILES = {
  'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }'),
  'policies/lives.yaml': resource(
    'Policy',
    'lives',
    `unit: player
context: { player: { type: string }, age: { type: integer, minimum: 0 } }
actions:
  - { id: lives-1, features: { price: 0.99 }, eligible: ctx.age >= 16 }
  - { id: lives-5, features: { price: 3.99 }, eligible: ctx.age >= 18 }
algorithm: { learner: { type: beta }, exploration: { type: thompson } }
guardrails: { minProbability: 0.1, fallback: null }
reward: { name: purchase, type: binary, wait: 1h }`,
  ),
  'scenarios/week.yaml': resource(
    'Scenario',
    'week',
    `world: { type: bernoulli, means: { lives-1: 0.1, lives-5: 0.3 } }
population: { units: 1000, context: { age: { uniform: { min: 10, max: 40 } } } }
policies: [lives]
horizon: 1000
replications: 5`,
  ),
  'datasets/week.yaml': resource('Dataset', 'week', 'files: [logs]\nformat: dap\nactions: { policy: lives }'),
  'evaluations/uniform.yaml': resource(
    'Evaluation',
    'uniform',
    'dataset: week\nestimators: [ips]\ncandidates: [{ name: uniform, uniform: true }]',
  ),
}

describe('a policy that may have to serve nothing', () => {
  let folder: string
  let made: string
  let records: readonly DecisionRecord[]
  const dap = async (...words: readonly string[]) => {
    const { stdout, stderr, code } = await dapIn(folder, ...words)
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    return stdout
  }

  beforeAll(async () => {
    folder = await onDisk(FILES)
    made = await dap('simulate', 'week', '--log', 'logs/week.jsonl')
    records = readFileSync(join(folder, 'logs/week.jsonl'), 'utf8')
      .split('\n')
      .filter(line => line.includes('"dap.decision/v1"'))
      .map(line => JSON.parse(line))
  })

  it('is valid', async () => {
    expect(await dap('validate')).toContain('all valid')
  })

  it('is simulated with its share of nothing, which earns 0', async () => {
    expect(made).toContain(
      'lives serves nothing in 17.6 % of its decisions, which earn 0: its rules exclude every action\n',
    )
    expect(made).toContain('1,000 decisions of lives, with their rewards, in logs/week.jsonl\n')
    const result = JSON.parse(await dap('simulate', 'week', '--json'))
    const [{ actionShares, unservedShare }] = result.policies
    expect(actionShares['lives-1'] + actionShares['lives-5'] + unservedShare).toBeCloseTo(1, 12)
    expectPublished('simulation-result', result)
  })

  it('logs records without an action, that every reader passes over, and says so', async () => {
    const nothing = records.filter(({ served }) => served.by === 'none').length
    expect(nothing).toBe(177)
    expect(
      await dap('log', 'check', 'logs'),
    ).toBe(`1 file: 1,000 decisions (for 177 nothing could be served), 823 rewards

823 joined to their decisions

the log passes
`)
    const stats = await dap('log', 'stats', 'logs')
    expect(stats).toMatch(/learning {2}none {7}online {8}177\n/)
    expect(stats).toContain(
      '177 decisions for which nothing could be served: no reward can come, and no rate counts them',
    )
    expect(stats).toContain('rewards came for 100 % of the decisions')
    expect(stats).toContain('no alarm')
    const evaluated = await dap('evaluate')
    expect(evaluated).toContain('uniform on week: 823 rows of ')
    expect(evaluated).toContain('\n177 rows for which nothing could be served left out\n')
    const trained = await dap('train', 'lives', '--dataset', 'week', '--holdout', '0')
    expect(trained).toContain('lives learnt 823 rows of week')
    expect(trained).toContain('\n177 rows for which nothing could be served left out\n')
  })

  it('is served, and play and log check count what they got', async () => {
    const shop = await onDisk(FILES)
    const { url, stop } = await serve(shop)
    const played = await dapIn(shop, 'play', 'week', '--server', url, '--decisions', '200', '--json-file', 'play.json')
    expect(played.stdout).toMatch(/\nnothing was served to [\d.]+ %: that earns 0, and has no reward\n/)
    const [last] = readFileSync(join(shop, 'play.json'), 'utf8').trimEnd().split('\n').slice(-1)
    const { servedBy, actions, reward } = JSON.parse(last).result as PlayResult
    expect(servedBy.none).toBeGreaterThan(10)
    expect(servedBy.none + servedBy.policy).toBe(200)
    expect(actions['lives-1'] + actions['lives-5']).toBe(servedBy.policy)
    expect(reward.mean * 200).toBeLessThanOrEqual(servedBy.policy)
    await stop()
    expect((await dapIn(shop, 'log', 'check', 'logs')).stdout).toContain(
      `200 decisions (for ${servedBy.none} nothing could be served), ${servedBy.policy} rewards`,
    )
    expect((await dapIn(shop, 'decide', '--replay', 'logs')).stdout).toBe(
      '200 decisions recomputed, bit for bit: the same\n',
    )
  })

  it('is decided, explained and recomputed', async () => {
    const asked = ['decide', 'lives', '--id', 'd1', '--context', '{"player":"p","age":12}']
    const text = await dap(...asked, '--explain')
    expect(text).toMatch(/^nothing: no action is eligible; the rules let no fallback be served\n/)
    expect(text).toContain('lives-1              excluded by ctx.age >= 16\n')
    const result = JSON.parse(await dap(...asked, '--explain', '--json'))
    expect(result).toMatchObject({ action: null, propensity: null, propensities: [], servedBy: 'none', eligible: [] })
    expectPublished('decide-result', result)
    const recorded = records.map(record => ({ ...record, policy: { ...record.policy, snapshot: null } }))
    const unlearnt = recorded.filter(({ served }) => served.by === 'none')
    writeFileSync(join(folder, 'unlearnt.jsonl'), unlearnt.map(record => `${JSON.stringify(record)}\n`).join(''))
    expect(await dap('decide', '--replay', 'unlearnt.jsonl')).toBe('177 decisions recomputed, bit for bit: the same\n')
  })
})
