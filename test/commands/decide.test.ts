import { describe, expect, it } from 'vitest'
import { decisionRecord } from '../../src/log/records/decision-record.ts'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import { decide } from '../../src/policy/decide.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import { snapshotDigest, snapshotText, takeSnapshot } from '../../src/policy/snapshot.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { dap } from '../support/run-dap.ts'

const POLICY = `apiVersion: dap/v1
kind: Policy
metadata: { name: shop-offer }
spec:
  unit: playerId
  context:
    playerId: { type: string }
    level: { type: integer, minimum: 1, default: 1 }
  actions:
    - { id: none }
    - { id: gold-small, eligible: ctx.level >= 10 }
    - { id: gold-large, eligible: ctx.level >= 99 }
  algorithm: { learner: { type: beta }, exploration: { type: thompson } }
  guardrails: { minProbability: 0.1, holdout: { fraction: 0.05, action: none } }
`
const FILES = {
  'dap.yaml': 'apiVersion: dap/v1\nkind: Project\nmetadata: { name: shop }\nspec: {}\n',
  'policies/shop-offer.yaml': POLICY,
}

async function policy(learnt: readonly (readonly [action: number, reward: number])[] = []): Promise<Policy> {
  const [resource] = (
    await loadRepository([
      { path: 'dap.yaml', text: FILES['dap.yaml'] },
      { path: 'policies/shop-offer.yaml', text: POLICY },
    ])
  ).all('Policy')
  const made = createPolicy(resource.name, resource.spec, resource.digest)
  for (const [action, reward] of learnt) made.learner.learn(action, new Float64Array(0), reward)
  return made
}

const LEARNT = [
  [0, 0],
  [0, 0],
  [1, 1],
] as const

/** The log of decisions that the policy would make. */
function log(
  by: Policy,
  snapshot: string | null,
  changes: (record: DecisionRecord, i: number) => object = () => ({}),
): string {
  const lines = Array.from({ length: 20 }, (_, i) => {
    const decision = decide(by, { decisionId: `d${i}`, context: { playerId: `p${i}`, level: 5 * i + 1 } })
    if ('faults' in decision) throw new Error('the context should fit')
    const facts = {
      ts: '2026-11-22T18:00:00.000Z',
      mode: 'online',
      snapshot,
      runtime: 'dap/test',
      latencyUs: 1,
      logProbability: 1,
    } as const
    const record = decisionRecord(by, decision, facts)
    return JSON.stringify({ ...record, ...changes(record, i) })
  })
  return `${lines.join('\n')}\n`
}

describe('dap decide', () => {
  it('decides, and shows why', async () => {
    const session = await dap('decide --context {"playerId":"p1","level":30} --id d1 --explain', FILES)
    expect(session).toMatchObject({ code: 0, stderr: '' })
    expect(session.stdout).toMatchInlineSnapshot(`
      "gold-small  with propensity 0.5
      policy shop-offer e46d01808d9a, no snapshot, decision d1

      action      value   width  probability  propensity  drawn by u in
      none          0.5  0.2887          0.5         0.5  [0, 0.5)
      gold-small    0.5  0.2887          0.5         0.5  [0.5, 1)  ← 0.6766
      gold-large                                          excluded by ctx.level >= 99

      0 rewards learnt; values are expected rewards, widths in units of their noise
      floor 0.1: propensity = 0.1 + 0.8 × probability
      holdout: 0.4343 is not below 0.05
      draw: u = 0.6765970553108523, the first 53 bits of SHA-256("shop-offer/d1/0")
      "
    `)
  })

  it('decides with what has been learnt, and names the snapshot', async () => {
    const files = { ...FILES, 'snapshots/shop-offer.json': snapshotText(takeSnapshot(await policy(LEARNT))) }
    const { stdout } = await dap(
      'decide shop-offer --context {"playerId":"p1","level":30} --id d1 --explain --json',
      files,
    )
    const result = JSON.parse(stdout)
    expect(result).toMatchObject({
      schema: 'dap.decide/v1',
      policy: { name: 'shop-offer', snapshot: expect.stringMatching(/^sha256:/) },
      explanation: { learnt: 3 },
    })
    // Beta(1, 3) against Beta(2, 1): ∫ F₁ f₂ = ∫ (1 − (1 − x)³) 2x dx = 0.9, and the floor of 0.1 takes a fifth.
    expect(result.explanation.actions[1].probability).toBeCloseTo(0.9, 12)
    expect(result.explanation.actions[1].propensity).toBeCloseTo(0.82, 12)
  })

  it('names every fault of the context, and the fields that there are', async () => {
    const { code, stderr } = await dap('decide --context {"level":0,"lvel":3}', FILES)
    expect(code).toBe(1)
    expect(stderr).toBe(`error: the context does not fit policy \`shop-offer\`:
  \`/lvel\` is not a field of this policy
  \`/playerId\` is missing and has no default
  \`/level\` must be at least 1
hint: its fields are playerId, level
`)
  })

  it('takes null for a field that is missing', async () => {
    const decided = async (context: string) => (await dap(`decide --context ${context} --id d1 --json`, FILES)).stdout
    expect(await decided('{"playerId":"p1","level":null}')).toBe(await decided('{"playerId":"p1"}'))
    expect(await dap('decide --context {"playerId":null}', FILES)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('`/playerId` is missing and has no default'),
    })
  })

  it('reads the context from a file, and says what is wrong with what is no JSON', async () => {
    const files = { ...FILES, 'context.json': '{"playerId":"p1"}' }
    expect((await dap('decide --context @context.json --id d1', files)).stdout).toContain('none  with propensity 1')
    expect(await dap('decide --context {level:3}', FILES)).toMatchObject({ code: 3 })
    expect(await dap('decide', FILES)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('--context is missing'),
    })
  })

  it('refuses a snapshot of other actions, unless it may carry over what is sound', async () => {
    const files = {
      ...FILES,
      'policies/shop-offer.yaml': POLICY.replace('id: gold-large', 'id: gold-huge'),
      'snapshots/shop-offer.json': snapshotText(takeSnapshot(await policy(LEARNT))),
    }
    const refused = await dap('decide --context {"playerId":"p1"} --id d1', files)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('gold-huge')
    expect((await dap('decide --context {"playerId":"p1"} --id d1 --migrate', files)).code).toBe(0)
  })
})

describe('dap decide --replay', () => {
  it('recomputes every decision of a log, bit for bit', async () => {
    const snapshot = takeSnapshot(await policy(LEARNT))
    const files = { ...FILES, 'snapshots/shop-offer.json': snapshotText(snapshot) }
    const digest = snapshotDigest(snapshot)
    const logged = { ...files, 'logs/decisions.jsonl': log(await policy(LEARNT), digest) }
    expect(await dap('decide --replay logs', logged)).toMatchObject({
      code: 0,
      stdout: '20 decisions recomputed, bit for bit: the same\n',
    })
    const one = JSON.parse((await dap('decide --replay logs --id d7 --json', logged)).stdout)
    expect(one).toMatchObject({ schema: 'dap.replay/v1', replayed: 1, same: 1, passed: true })
  })

  it('shows what does not come out the same', async () => {
    const changed = log(await policy(), null, ({ slots: [slot] }, i) =>
      i === 3 ? { slots: [{ ...slot, propensity: (slot.propensity as number) - 2e-16 * 4 }] } : {},
    )
    const { code, stdout } = await dap('decide --replay logs/a.jsonl', { ...FILES, 'logs/a.jsonl': changed })
    expect(code).toBe(1)
    expect(stdout).toContain('20 decisions recomputed, bit for bit: 1 differ')
    expect(stdout).toContain('logs/a.jsonl:4 d3\n  slots[0].propensity: logged 0.')
  })

  it('says which policy or snapshot is missing', async () => {
    const lost = log(await policy(), 'sha256:gone')
    const { code, stdout } = await dap('decide --replay logs', { ...FILES, 'logs/a.jsonl': lost })
    expect(code).toBe(1)
    expect(stdout).toContain(
      'cannot recompute 20 decisions: snapshot sha256:gone of policy `shop-offer` is not in snapshots/',
    )
    const older = log(await policy(), null, ({ policy: p }) => ({ policy: { ...p, digest: 'sha256:older' } }))
    expect((await dap('decide --replay logs', { ...FILES, 'logs/a.jsonl': older })).stdout).toContain(
      'was sha256:older',
    )
  })

  it('does not pass a log with a record that is none, whatever is wrong with it', async () => {
    for (const broken of [{ slots: [] }, { served: null }, { eligible: 'all' }, { context: 3 }]) {
      const text = log(await policy(), null, (_, i) => (i === 3 ? broken : {}))
      const { code, stdout, stderr } = await dap('decide --replay logs', { ...FILES, 'logs/a.jsonl': text })
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
      expect(stdout).toContain('19 decisions recomputed, bit for bit: the same')
      expect(stdout).toContain(
        'cannot recompute 1 decision: it is not of the published shape; `dap log check` says why',
      )
    }
  })

  it('passes over lines that are no decisions, and says when there are none', async () => {
    const torn = `${log(await policy(), null)}{"schema":"dap.reward/v1"}\n{"schema":"dap.dec`
    expect((await dap('decide --replay logs', { ...FILES, 'logs/a.jsonl': torn })).code).toBe(0)
    expect(await dap('decide --replay logs --id nobody', { ...FILES, 'logs/a.jsonl': torn })).toMatchObject({ code: 3 })
    expect(await dap('decide --replay nowhere', FILES)).toMatchObject({ code: 3 })
    expect(await dap('decide --replay logs', { ...FILES, 'logs/a.jsonl': '{"schema":"other"}\n' })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no valid decision in the log'),
    })
    expect(await dap('decide --replay logs --explain', FILES)).toMatchObject({ code: 3 })
  })
})
