import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { DecisionRecord, RewardRecord } from '../../src/log/records/records.ts'
import { creditedSlots } from '../../src/policy/credit.ts'
import type { LearnerState } from '../../src/policy/learner.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { type PackedState, unpackState } from '../../src/policy/snapshot-format.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import type { SimulationResult, TrainingResult } from '../../src/results.ts'
import { onDisk } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const CONTEXT =
  'unit: playerId\ncontext: { playerId: { type: string }, platform: { type: string, enum: [ios, android] } }'
const LINEAR =
  'algorithm: { learner: { type: linear, shared: true }, exploration: { type: softmax, temperature: 0.05 } }'
const FEATURES = { genre: '{ type: string, enum: [puzzle, card] }', price: '{ type: number }' }
const REQUEST = `${CONTEXT}
actions: { from: request, max: 8, features: { genre: ${FEATURES.genre}, price: ${FEATURES.price} } }
features: [{ action: genre }, { action: price }, { cross: [platform, action.genre] }]
${LINEAR}`
const LISTED = `${CONTEXT}
actions: [{ id: a, features: { price: 1 } }, { id: b, features: { price: 2 } }, { id: c, features: { price: 3 } }, { id: d, features: { price: 4 } }]
features: [{ action: price }, { action: id }, { cross: [platform, slot.size] }]
decision:
  type: slots
  slots:
    - { id: hero, features: { size: 2 }, exclude: [d], floor: 0.1 }
    - { id: side, features: { size: 1 } }
    - { id: end, features: { size: 0 }, actions: [a] }
guardrails: { minProbability: 0.02 }
${LINEAR}`
const RANKING = 'decision: { type: ranking, slots: 4, uniform: 0.1 }'
const EFFECTS = 'effects: [{ of: [platform, action.genre], sd: 0.8 }]'
const catalogue = (click: string) =>
  `{ type: catalogue, items: 60, offered: 8, features: { genre: { categorical: { puzzle: 0.5, card: 0.5 } }, price: { uniform: { min: 0, max: 1 } } }, logit: -0.5, ${EFFECTS}, click: ${click} }`
const bernoulli = (click: string) => `{ type: bernoulli, means: { a: 0.5, b: 0.4, c: 0.3, d: 0.2 }, click: ${click} }`

interface Case {
  readonly name: string
  readonly policy: string
  readonly world: string
  readonly reward: string
}
const CASES: readonly Case[] = [
  {
    name: 'a ranking of what requests bring, by position',
    policy: `${REQUEST}\n${RANKING}`,
    world: catalogue('{ type: pbm, examination: [1, 0.6, 0.4] }'),
    reward: '{ name: click, type: binary, wait: 1m, credit: { position: [1, 0.6, 0.4] } }',
  },
  {
    name: 'a ranking of what requests bring, as far as it was examined',
    policy: `${REQUEST}\n${RANKING}`,
    world: catalogue('{ type: cascade }'),
    reward: '{ name: click, type: binary, wait: 1m }',
  },
  {
    name: 'slots with features, some of them empty, all of them',
    policy: LISTED,
    world: bernoulli('{ type: dcm, continuation: [0.7] }'),
    reward: '{ name: click, type: binary, wait: 1m, credit: all }',
  },
]

const folders: string[] = []
afterAll(() => Promise.all(folders.map(folder => rm(folder, { recursive: true }))))

const filesOf = ({ policy, world, reward }: Case) => ({
  'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }'),
  'policies/home.yaml': resource('Policy', 'home', `${policy}\nreward: ${reward}`),
  'scenarios/week.yaml': resource(
    'Scenario',
    'week',
    `world: ${world}
population: { units: 50, context: { platform: { categorical: { ios: 0.5, android: 0.5 } } } }
policies: [home, uniform, oracle]
horizon: 400
replications: 3
seed: 5
expect:
  - { id: first, expr: "policy('home').slots[0].reward.mean > 0.0" }`,
  ),
  'datasets/log.yaml': resource('Dataset', 'log', 'files: [logs/day.jsonl]\nformat: dap\nactions: { policy: home }'),
})

describe('lists go round', () => {
  it.each(CASES)('$name: simulate, log check, train', async each => {
    const folder = await onDisk(filesOf(each))
    folders.push(folder)
    const good = async (...words: string[]) => {
      const { code, stdout, stderr } = await dapIn(folder, ...words)
      expect({ code, stderr, words }).toEqual({ code: 0, stderr: '', words })
      return stdout
    }
    await good('validate')
    const simulated = JSON.parse(
      await good('simulate', 'week', '--log', 'logs/day.jsonl', '--json'),
    ) as SimulationResult
    expect(simulated.policies[2].regret.mean).toBeCloseTo(0, 9)
    await good('log', 'check', 'logs/day.jsonl')

    const trained = JSON.parse(
      await good('train', 'home', '--dataset', 'log', '--holdout', '0', '--json'),
    ) as TrainingResult
    const snapshot = JSON.parse(await readFile(join(folder, 'snapshots/home.json'), 'utf8')) as { state: PackedState }

    const found = (await loadRepository([{ path: 'p.yaml', text: filesOf(each)['policies/home.yaml'] }])).all(
      'Policy',
    )[0]
    const policy = createPolicy(found.name, found.spec, found.digest)
    const lines = (await readFile(join(folder, 'logs/day.jsonl'), 'utf8')).trim().split('\n')
    const records = lines.map(line => JSON.parse(line) as DecisionRecord | RewardRecord)
    const rewards = new Map(
      records.flatMap(record =>
        'slots' in record ? [] : [[`${record.decisionId}/${record.slot}`, record.value ?? 0]],
      ),
    )
    const x = new Float64Array(policy.features.dimension)
    let rows = 0
    for (const record of records) {
      if (!('slots' in record)) continue
      const pool = policy.offer(policy.pool === undefined ? { actions: record.eligible } : {})
      if ('faults' in pool) throw new Error('the log fits the policy')
      const brought = record.slots.map(({ slot }) => rewards.get(`${record.decisionId}/${slot}`) ?? 0)
      for (const { slot, reward, factor } of creditedSlots(found.spec.reward, brought)) {
        const { action } = record.slots[slot]
        if (action === null) continue
        const place = pool.ids.indexOf(action)
        policy.features.writeRow(record.context as never, place, x, pool, slot)
        policy.learner.learn(
          place,
          x.map(value => value * factor),
          reward,
        )
        rows++
      }
    }
    expect(trained.dataset.rows).toBe(rows)
    expect(rows).toBeGreaterThan(400)
    const thetaOf = (state: LearnerState) => state['theta'] as readonly number[]
    const theta = thetaOf(policy.learner.state())
    expect(thetaOf(unpackState(snapshot.state))).toEqual(theta.map(value => expect.closeTo(value, 9)))
  })

  it('over a set, whose features are learnt as they were when the list was shown', async () => {
    const policy = `${CONTEXT}
actions: { set: games }
features: [{ action: genre }, { action: price }]
${RANKING}
${LINEAR}`
    const table = (price: number) =>
      `id,genre,price\n${Array.from({ length: 9 }, (_, i) => `g${i},${i % 2 === 0 ? 'puzzle' : 'card'},${(i * price) / 10}\n`).join('')}`
    const world = `{ type: catalogue, logit: 'action.price - 1.5', effects: [], click: { type: cascade } }`
    const folder = await onDisk({
      ...filesOf({ name: '', policy, world, reward: '{ name: click, type: binary, wait: 1m }' }),
      'action-sets/games.yaml': resource(
        'ActionSet',
        'games',
        `file: data/games.csv\nformat: csv\nid: id\nfeatures: { genre: ${FEATURES.genre}, price: ${FEATURES.price} }`,
      ),
      'data/games.csv': table(1),
    })
    folders.push(folder)
    const good = async (...words: string[]) => {
      const { code, stdout, stderr } = await dapIn(folder, ...words)
      expect({ code, stderr, words }).toEqual({ code: 0, stderr: '', words })
      return stdout
    }
    await good('simulate', 'week', '--log', 'logs/day.jsonl')
    await good('log', 'check', 'logs/day.jsonl')
    const learnt = async () => {
      await good('train', 'home', '--dataset', 'log', '--holdout', '0', '--json')
      return (JSON.parse(await readFile(join(folder, 'snapshots/home.json'), 'utf8')) as { state: unknown }).state
    }
    const before = await learnt()
    await writeFile(join(folder, 'data/games.csv'), table(5))
    expect(await learnt()).toEqual(before)
  })

  it('but teach no policy that has fewer slots', async () => {
    const [each] = CASES
    const files = filesOf(each)
    const folder = await onDisk(files)
    folders.push(folder)
    expect((await dapIn(folder, 'simulate', 'week', '--log', 'logs/day.jsonl')).code).toBe(0)
    for (const [from, to, told] of [
      ['slots: 4', 'slots: 3', 'this is a list of 4 slots, and the policy has 3'],
      [RANKING, 'decision: { type: single }', 'this is a list, and the policy decides one action'],
    ]) {
      const shorter = files['policies/home.yaml'].replace(from, to).replace(/, credit: \{.*?\}/, '')
      await writeFile(join(folder, 'policies/home.yaml'), shorter)
      const { code, stderr } = await dapIn(folder, 'train', 'home', '--dataset', 'log', '--holdout', '0')
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `error: logs/day.jsonl:1: ${told}\nhint: learn it with the \`decision\` that the log was made by\n`,
      })
    }
  })
})
