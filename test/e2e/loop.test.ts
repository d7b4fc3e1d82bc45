import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { LogCheckResult } from '../../src/log/check/check.ts'
import type { ReplayResult } from '../../src/log/records/replay.ts'
import type { EvaluationResult, PlayResult, TrainingResult } from '../../src/results.ts'
import { dapProcess, startServer } from '../support/served.ts'

/** Every reward has come by then. */
const LATER = '2100-01-01T00:00:00Z'

describe('the loop', () => {
  it('closes: served decisions and their rewards train a snapshot that earns what was estimated, and more than before', async () => {
    const folder = join(await mkdtemp(join(tmpdir(), 'dap-loop-')), 'shop')
    await dapProcess(tmpdir(), 'init', folder, '--template', 'contextual-bandit')
    // What is estimated is the policy's own decisions, so here nobody is held out.
    const path = join(folder, 'policies', 'shop-offer.yaml')
    const policy = await readFile(path, 'utf8')
    await writeFile(path, policy.replaceAll(/ *holdout:.*\n/g, ''))
    const server = await startServer(folder)
    onTestFinished(server.kill)

    async function run<Result>(...words: readonly string[]): Promise<Result> {
      const { stdout, stderr, exitCode } = await dapProcess(folder, ...words, '--json')
      if (exitCode !== 0) throw new Error(`dap ${words.join(' ')} ended with ${exitCode}: ${stderr}${stdout}`)
      return JSON.parse(stdout) as Result
    }
    const play = (seed: number) =>
      run<PlayResult>('play', 'quiet-week', '--server', server.url, '--decisions', '6000', '--seed', String(seed))

    const before = await play(1)
    expect(before.servedBy).toEqual({ policy: 6000 })
    const checked = await run<LogCheckResult>('log', 'check', 'logs')
    expect(checked).toMatchObject({ decisions: 6000, rewards: 6000, joined: 6000, faults: [], passed: true })

    const trained = await run<TrainingResult>('train', 'shop-offer', '--dataset', 'served', '--until', LATER)
    const { candidates } = trained.estimates as EvaluationResult
    const estimateOf = (name: string) =>
      candidates.find(each => each.name === name)?.estimates.find(({ estimator }) => estimator === 'dr')
    const { interval } = estimateOf('new') ?? {}
    await expect
      .poll(async () => (await fetch(`${server.url}/v1/policies/shop-offer`)).json())
      .toMatchObject({ snapshot: trained.snapshot.digest })

    const after = await play(2)
    expect(after.reward.lower).toBeGreaterThan(before.reward.upper)
    expect(interval?.lower).toBeLessThanOrEqual(after.reward.mean)
    expect(interval?.upper).toBeGreaterThanOrEqual(after.reward.mean)
    expect(interval?.lower).toBeGreaterThan(before.reward.mean)

    const replayed = await run<ReplayResult>('decide', '--replay', 'logs')
    expect(replayed).toMatchObject({ replayed: 12_000, same: 12_000, passed: true })
    await server.stop()

    // Learnt again on both rounds, and judged against the snapshot that made the second.
    const again = await run<TrainingResult>('train', 'shop-offer', '--dataset', 'served', '--until', LATER)
    expect((again.estimates as EvaluationResult).candidates.map(({ name }) => name)).toEqual(['new', 'old', 'logging'])
  })
})
