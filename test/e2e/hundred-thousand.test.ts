import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { LogCheckResult } from '../../src/log/check/check.ts'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import type { ReplayResult } from '../../src/log/records/replay.ts'
import type { LogStatsResult } from '../../src/log/stats/stats.ts'
import { stream } from '../../src/math/rng.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { snapshotText, takeSnapshot } from '../../src/policy/snapshot.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { waitFor } from '../serve/serving.ts'
import { dapProcess, startServer, wholeLines } from '../support/served.ts'

const PROJECT = 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: shop }\nspec: {}\n'
const POLICY = `apiVersion: dap/v1
kind: Policy
metadata: { name: shop-offer }
spec:
  unit: playerId
  context:
    playerId: { type: string }
    level: { type: integer, minimum: 1, default: 1 }
    platform: { type: string, enum: [ios, android] }
  features:
    - { field: level, transform: log1p }
    - { field: platform }
  actions:
    - { id: none }
    - { id: gold-small, eligible: ctx.level >= 10 }
    - { id: gold-large, eligible: ctx.level >= 20 }
    - { id: bundle, eligible: "ctx.level >= 20 && ctx.platform == 'ios'" }
  algorithm: { learner: { type: linear }, exploration: { type: thompson, scale: 0.3 } }
  guardrails: { minProbability: 0.02, holdout: { fraction: 0.05, action: none } }
`

/** A repository whose policy has learnt something. */
async function repository(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-serve-'))
  await mkdir(join(folder, 'policies'))
  await mkdir(join(folder, 'snapshots'))
  await writeFile(join(folder, 'dap.yaml'), PROJECT)
  await writeFile(join(folder, 'policies', 'shop-offer.yaml'), POLICY)
  const [{ name, spec, digest }] = (
    await loadRepository([
      { path: 'dap.yaml', text: PROJECT },
      { path: 'policies/shop-offer.yaml', text: POLICY },
    ])
  ).all('Policy')
  const policy = createPolicy(name, spec, digest)
  const rng = stream(1, 'snapshot')
  const x = new Float64Array(policy.features.dimension)
  for (let i = 0; i < 300; i++) {
    const platform = i % 2 === 0 ? 'ios' : 'android'
    policy.features.write({ level: 1 + (i % 60), platform }, x)
    policy.learner.learn(i % 4, x, rng.uniform() < 0.1 + 0.05 * (i % 4) ? 1 : 0)
  }
  await writeFile(join(folder, 'snapshots', 'shop-offer.json'), snapshotText(takeSnapshot(policy)))
  return folder
}

const requestOf = (i: number) => ({
  decisionId: `d${i}`,
  context: { playerId: `p${i % 7919}`, level: 1 + ((i * 7) % 60), platform: i % 3 === 0 ? 'android' : 'ios' },
})

async function post(url: string, body: unknown): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
  return response.json()
}

async function json<Result>(folder: string, ...words: readonly string[]): Promise<Result> {
  const { stdout, stderr } = await dapProcess(folder, ...words, '--json')
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as Result
}

describe('100,000 served decisions', () => {
  it('calibrate, recompute bit for bit, and none is lost', async () => {
    const folder = await repository()
    const server = await startServer(folder)
    onTestFinished(server.kill)
    const count = 100_000
    const batch = 250
    let next = 0
    async function ask(): Promise<void> {
      while (next < count) {
        const from = next
        next += batch
        await post(`${server.url}/v1/decide:batch`, {
          requests: Array.from({ length: batch }, (_, k) => requestOf(from + k)),
        })
      }
    }
    await Promise.all([ask(), ask(), ask(), ask()])
    await server.stop()

    const check = await json<LogCheckResult>(folder, 'log', 'check', 'logs')
    expect(check).toMatchObject({ decisions: count, faults: [], passed: true })
    const stats = await json<LogStatsResult>(folder, 'log', 'stats', 'logs')
    expect(stats.alarms).toEqual([])
    expect(await json<ReplayResult>(folder, 'decide', '--replay', 'logs')).toMatchObject({
      replayed: count,
      same: count,
      passed: true,
    })
  })
})

describe('kill -9', () => {
  it('loses nothing but what was answered since the last flush, and leaves a log that checks and recomputes', async () => {
    const folder = await repository()
    const logs = join(folder, 'logs')
    const missingOf = async (answered: readonly string[]) => {
      const lines = (await wholeLines(logs, 'decisions')).map(line => JSON.parse(line) as DecisionRecord)
      const logged = new Set(lines.map(({ decisionId }) => decisionId))
      return answered.filter(id => !logged.has(id))
    }
    let next = 0
    let lost = 0
    for (let round = 0; round < 5; round++) {
      // So long that some answers come between a flush and the kill, however slow the machine.
      const server = await startServer(folder, '--flush-ms', '1000')
      const answered: string[] = []
      async function ask(): Promise<void> {
        for (;;) {
          const request = requestOf(next++)
          try {
            await post(`${server.url}/v1/decide`, request)
          } catch {
            return
          }
          answered.push(request.decisionId)
        }
      }
      const comeTo = (count: number) => waitFor(() => (answered.length >= count ? true : undefined))
      const asking = Array.from({ length: 8 }, ask)
      await comeTo(200 + 137 * round)
      const early = [...answered]
      await expect.poll(() => missingOf(early), { interval: 100 }).toEqual([])
      await comeTo(answered.length + 50)
      await server.kill()
      await Promise.all(asking)
      expect(await missingOf(early)).toEqual([])
      lost += (await missingOf(answered)).length
    }
    // Or the test would not see what it is about.
    expect(lost).toBeGreaterThan(0)

    const check = await json<LogCheckResult>(folder, 'log', 'check', 'logs')
    expect(check.faults.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(check.passed).toBe(true)
    expect(await json<ReplayResult>(folder, 'decide', '--replay', 'logs')).toMatchObject({ passed: true })
  })
})
