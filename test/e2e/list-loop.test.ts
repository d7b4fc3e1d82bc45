import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { LogCheckResult } from '../../src/log/check/check.ts'
import type { ReplayResult } from '../../src/log/records/replay.ts'
import type { EvaluationResult, PlayResult, TrainingResult } from '../../src/results.ts'
import { resource } from '../support/repository.ts'
import { dapProcess, startServer } from '../support/served.ts'

/** Every reward has come by then. */
const LATER = '2100-01-01T00:00:00Z'
const DECISIONS = 4000

const CONTEXT =
  'unit: playerId\ncontext: { playerId: { type: string }, platform: { type: string, enum: [ios, android] } }'
const REWARD = 'reward: { name: click, type: binary, wait: 1m }'
const POPULATION = 'population: { units: 1500, context: { platform: { categorical: { ios: 0.5, android: 0.5 } } } }'

/** What requests bring, in five places; and what is listed, in three slots of which one takes two actions only. */
const CASES = [
  {
    name: 'a ranking of what requests bring',
    policy: `${CONTEXT}
actions: { from: request, max: 10, features: { genre: { type: string, enum: [puzzle, card, arcade] } } }
features: [{ action: genre }, { cross: [platform, action.genre] }]
decision: { type: ranking, slots: 3, uniform: 0.5 }
algorithm: { learner: { type: linear, shared: true }, exploration: { type: softmax, temperature: 0.1 } }
${REWARD}`,
    world: `{ type: catalogue, items: 40, offered: 8, features: { genre: { categorical: { puzzle: 0.4, card: 0.3, arcade: 0.3 } } }, logit: -1.5, effects: [{ of: [platform, action.genre], sd: 1.2 }], click: { type: cascade } }`,
  },
  {
    name: 'slots that are declared',
    policy: `${CONTEXT}
actions: [{ id: a }, { id: b }, { id: c }, { id: d }]
features: [{ field: platform }]
decision: { type: slots, slots: [{ id: hero, floor: 0.15 }, { id: side, floor: 0.1 }, { id: foot, actions: [a, d], floor: 0.2 }] }
algorithm: { learner: { type: linear }, exploration: { type: softmax, temperature: 0.05 } }
${REWARD}`,
    world: `{ type: logistic, logits: { a: -2.5, b: "ctx.platform == 'ios' ? -0.3 : -2.5", c: "ctx.platform == 'ios' ? -2.5 : -0.3", d: -1.2 }, click: { type: pbm, examination: [1, 0.7, 0.5] } }`,
  },
] as const

describe('the loop of lists', () => {
  it.each(CASES)('closes for $name', async ({ policy, world }) => {
    const folder = await mkdtemp(join(tmpdir(), 'dap-lists-loop-'))
    const files = {
      'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }'),
      'policies/home.yaml': resource('Policy', 'home', policy),
      'scenarios/week.yaml': resource(
        'Scenario',
        'week',
        `world: ${world}\n${POPULATION}\npolicies: [home]\nhorizon: 100\nreplications: 2\nseed: 5`,
      ),
      'datasets/log.yaml': resource('Dataset', 'log', 'files: [logs]\nformat: dap\nactions: { policy: home }'),
    }
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(folder, name, '..'), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    const server = await startServer(folder)
    onTestFinished(server.kill)
    async function run<Result>(...words: readonly string[]): Promise<Result> {
      const { stdout, stderr, exitCode } = await dapProcess(folder, ...words, '--json')
      if (exitCode !== 0) throw new Error(`dap ${words.join(' ')} ended with ${exitCode}: ${stderr}${stdout}`)
      return JSON.parse(stdout) as Result
    }
    const play = (seed: number) =>
      run<PlayResult>('play', 'week', '--server', server.url, '--decisions', String(DECISIONS), '--seed', String(seed))

    const before = await play(1)
    expect(before.servedBy).toEqual({ policy: DECISIONS })
    const checked = await run<LogCheckResult>('log', 'check', 'logs')
    expect(checked).toMatchObject({ decisions: DECISIONS, faults: [], passed: true })
    expect(checked.joined).toBe(checked.rewards)
    expect(checked.rewards / DECISIONS).toBeCloseTo(before.reward.mean, 12)

    const trained = await run<TrainingResult>('train', 'home', '--dataset', 'log', '--until', LATER, '--holdout', '0.5')
    const { candidates } = trained.estimates as EvaluationResult
    const { interval } =
      candidates.find(({ name }) => name === 'new')?.estimates.find(({ estimator }) => estimator === 'snrips') ?? {}
    await expect
      .poll(async () => (await fetch(`${server.url}/v1/policies/home`)).json())
      .toMatchObject({ snapshot: trained.snapshot.digest })

    const after = await play(2)
    expect(after.reward.lower).toBeGreaterThan(before.reward.upper)
    expect(interval?.lower).toBeLessThanOrEqual(after.reward.mean)
    expect(interval?.upper).toBeGreaterThanOrEqual(after.reward.mean)

    const replayed = await run<ReplayResult>('decide', '--replay', 'logs')
    expect(replayed).toMatchObject({ replayed: 2 * DECISIONS, same: 2 * DECISIONS, passed: true })
    await server.stop()
  })
})
