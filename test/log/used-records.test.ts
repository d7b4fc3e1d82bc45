import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../src/adapters/duckdb/duckdb.ts'
import { createLogCheck, type LogCheckResult } from '../../src/log/check/check.ts'
import { decisionRecord } from '../../src/log/records/decision-record.ts'
import { type DecisionRecord, REWARD_SCHEMA, type RewardRecord } from '../../src/log/records/records.ts'
import { decisionJoin } from '../../src/log/rows/reward-join.ts'
import type { JoinCounts, NumberColumn, TableSource, TextColumn } from '../../src/log/tables.ts'
import { decide } from '../../src/policy/decide.ts'
import { shopOffer } from '../policy/support.ts'

/**
 * Which records of a log are used, said a third time and as plainly as can be: what the check and the join say must be this, in whatever order
 * and files the records are.
 */

const START = Date.UTC(2026, 0, 1)
const WAIT = 3_600_000
const AT = (ms: number) => new Date(START + ms).toISOString()
const policy = shopOffer({
  guardrails: { minProbability: 0.1 },
  reward: { name: 'purchase', type: 'binary', wait: '1h', default: 0, aggregate: 'sum' },
})
const known = new Map([[policy.digest, { policy, wait: WAIT }]])

interface Decided {
  readonly id: number
  readonly level: number
  readonly at: number
  readonly deferred: boolean
}

interface Rewarded {
  readonly id: number
  readonly of: number
  readonly kind: 'metric' | 'activation'
  readonly name: 'purchase' | 'click' | undefined
  readonly value: number
  readonly at: number
}

type Logged = { readonly decided: Decided } | { readonly rewarded: Rewarded }

/** Mostly all of one kind, so that most ids agree with themselves. */
const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) })

const decided: fc.Arbitrary<Decided> = fc.record({
  id: fc.nat(9),
  level: mostly(30, 5),
  at: fc.constantFrom(0, 0, 0, 1000, 7000),
  deferred: mostly(false, true),
})

/** The last two decisions are never logged. Half of all rewards say all that they say by their id. */
const rewarded: fc.Arbitrary<Rewarded> = fc
  .record({
    id: fc.nat(30),
    by: fc.boolean(),
    of: fc.nat(11),
    kind: mostly<Rewarded['kind']>('metric', 'activation'),
    name: fc.constantFrom('purchase', undefined, 'click'),
    value: mostly(1, 0, 1000, -3, 0.5),
    at: fc.constantFrom(10, 10, 10, 0, -1, -4999, -5000, -5001, -60_000, 2000, 1999, WAIT, WAIT + 1, WAIT + 1000),
  })
  .map(({ by, ...each }) => (by ? { ...each, of: each.id % 12, kind: 'metric', name: undefined, value: 1 } : each))

const logged: fc.Arbitrary<readonly Logged[]> = fc.array(
  fc.oneof(
    decided.map(each => ({ decided: each })),
    rewarded.map(each => ({ rewarded: each })),
  ),
  { minLength: 20, maxLength: 70 },
)

function recordOf(each: Logged): DecisionRecord | RewardRecord {
  if ('rewarded' in each) {
    const { id, of, kind, name, value, at } = each.rewarded
    const what = kind === 'metric' ? { name, value } : { kind }
    return {
      schema: REWARD_SCHEMA,
      rewardId: `r${id}`,
      decisionId: `d${of}`,
      ...what,
      ts: AT(at),
      receivedTs: AT(at + 5),
    }
  }
  const { id, level, at, deferred } = each.decided
  const context = { playerId: `p${id}`, level, platform: 'ios' }
  const made = decide(policy, { decisionId: `d${id}`, context })
  if ('faults' in made) throw new Error('the context is right')
  const facts = { mode: 'online', snapshot: null, runtime: 'dap/0.0.0-test', latencyUs: at, logProbability: 1 } as const
  return decisionRecord(policy, made, { ...facts, ts: AT(at), deferred })
}

function groups<T extends { readonly id: number }>(all: readonly T[]): (readonly [number, readonly T[]])[] {
  const ids = [...new Set(all.map(({ id }) => id))]
  return ids.map(id => [id, all.filter(each => each.id === id)])
}

const agree = <T>(all: readonly T[], said: (each: T) => unknown) =>
  new Set(all.map(each => JSON.stringify(said(each)))).size === 1

function model(log: readonly Logged[], until = Number.POSITIVE_INFINITY) {
  const decisions = new Map(
    groups(log.flatMap(each => ('decided' in each ? [each.decided] : []))).map(([id, all]) => {
      const same = agree(all, ({ level, deferred }) => [level, deferred])
      return [id, { same, records: all.length, at: Math.min(...all.map(({ at }) => at)), pending: all[0].deferred }]
    }),
  )
  const counts = {
    joined: 0,
    late: 0,
    unused: 0,
    orphans: 0,
    early: 0,
    tooEarly: 0,
    range: 0,
    rewardConflict: 0,
    rewards: 0,
  }
  const lost = new Set<number>()
  const shown = new Set<number>()
  const sums = new Map<number, number>()
  const ofRewards = groups(log.flatMap(each => ('rewarded' in each ? [each.rewarded] : [])))
  for (const [, all] of ofRewards) {
    const usual = ({ of, kind, name, value }: Rewarded) =>
      kind === 'metric' ? [of, kind, name ?? null, value] : [of, kind]
    const isOther = ({ kind, name }: Rewarded) => kind === 'metric' && name === 'click'
    if (!agree(all, usual)) {
      counts.rewardConflict += all.length
      for (const each of all) if (!isOther(each)) lost.add(each.of)
      continue
    }
    const [{ of, kind, name, value }] = all
    const came = Math.min(...all.map(({ at }) => at))
    const isMetric = kind === 'metric'
    const decision = decisions.get(of)
    if (decision === undefined) counts.orphans++
    else if (!decision.same) counts.unused++
    else if (isMetric && name !== 'click' && ![0, 1].includes(value)) {
      counts.unused++
      counts.range++
      lost.add(of)
    } else if (decision.at - came > 5000) {
      counts.unused++
      counts.tooEarly++
      if (!isOther(all[0])) lost.add(of)
    } else {
      counts.joined++
      if (decision.at > came) counts.early++
      const late = isMetric && came - decision.at > WAIT
      if (late) counts.late++
      if (!isMetric) shown.add(of)
      else if (name !== 'click') {
        counts.rewards++
        if (!late) sums.set(of, (sums.get(of) ?? 0) + value)
      }
    }
  }
  const used = [...decisions].filter(
    ([id, { same, pending, at }]) => same && at + WAIT <= until && !lost.has(id) && !(pending && !shown.has(id)),
  )
  const conflicts = [...decisions.values()].reduce((sum, { same, records }) => sum + (same ? 0 : records), 0)
  return {
    decisions: [...decisions.values()].filter(({ same }) => same).length,
    conflicts,
    ...counts,
    /** Decision → reward. */
    used: used.map(([id]) => `d${id} ${sums.get(id) ?? 'nothing'}`).sort(),
  }
}

/** The records in another order and in several files. */
const dealt = (log: readonly Logged[]) =>
  fc.tuple(
    fc.shuffledSubarray([...log], { minLength: log.length }),
    fc.array(fc.nat(2), { minLength: log.length, maxLength: log.length }),
  )

type Dealt = readonly [records: readonly Logged[], files: readonly number[]]

const filesOf = ([records, files]: Dealt): readonly string[][] =>
  [0, 1, 2].map(file => records.filter((_, i) => files[i] === file).map(each => JSON.stringify(recordOf(each))))

function checked(files: readonly (readonly string[])[]): LogCheckResult {
  const check = createLogCheck(known)
  for (const [i, lines] of files.entries()) {
    for (const [row, text] of lines.entries()) check.line(`${i}.jsonl`, row + 1, text)
    check.endOfFile()
  }
  return check.finish()
}

describe('what is used of a log', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dap-used-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  let logs = 0
  async function joined(
    files: readonly (readonly string[])[],
    until: number,
  ): Promise<{ used: string[]; counts: JoinCounts; faults: number }> {
    const name = logs++
    const paths = files.map((_, i) => join(folder, `${name}-${i}.jsonl`))
    for (const [i, lines] of files.entries()) await writeFile(paths[i], lines.map(line => `${line}\n`).join(''))
    const { default: _, ...how } = decisionJoin({}, policy.spec.reward, START + until)
    const source: TableSource = { format: 'dap', paths, root: folder, join: how }
    const tables = openTables()
    const used: string[] = []
    let faults = 0
    const requests = [
      { column: 'decisionId', type: 'text' },
      { column: '', type: 'reward' },
    ] as const
    for await (const { rows, columns } of tables.read(source, requests, { onFault: () => faults++ })) {
      const [{ values: ids }, { values }] = columns as [TextColumn, NumberColumn]
      for (let i = 0; i < rows; i++) used.push(`${ids[i]} ${Number.isNaN(values[i]) ? 'nothing' : values[i]}`)
    }
    const counts = (await tables.joinCounts(source)) as JoinCounts
    await tables.close()
    return { used: used.sort(), counts, faults }
  }

  const cases = logged.chain(log => fc.tuple(fc.constant(log), dealt(log), dealt(log)))

  it('is the same to the check, whatever the order and the files', () => {
    const met = new Set<string>()
    fc.assert(
      fc.property(cases, ([log, one, other]) => {
        const expected = model(log)
        const results = [one, other].map(filesOf).map(checked)
        const numbers = results.map(({ faults, ...rest }) => ({
          ...rest,
          faults: faults.map(({ code, severity, count }) => ({ code, severity, count })),
        }))
        expect(numbers[1]).toEqual(numbers[0])
        const [{ faults, passed, ...found }] = numbers
        const countOf = (code: string) => faults.find(fault => fault.code === code)?.count ?? 0
        const { decisions, joined, late, unused, orphans } = expected
        expect(found).toMatchObject({ decisions, joined, late, unused, orphans })
        expect(found.rewards + found.activations).toBe(joined + unused + orphans)
        expect({
          conflicts: countOf('conflict'),
          rewardConflict: countOf('reward-conflict'),
          range: countOf('range'),
          early: countOf('early'),
          tooEarly: countOf('too-early'),
          orphans: countOf('orphan'),
        }).toEqual({
          conflicts: expected.conflicts,
          rewardConflict: expected.rewardConflict,
          range: expected.range,
          early: expected.early,
          tooEarly: expected.tooEarly,
          orphans,
        })
        expect(passed).toBe(decisions > 0)
        for (const { code, severity } of faults) {
          met.add(code)
          expect(severity).toBe('warning')
        }
      }),
      { numRuns: 500 },
    )
    expect([...met].sort()).toEqual(
      ['conflict', 'early', 'orphan', 'range', 'repeated', 'reward-conflict', 'reward-repeated', 'too-early'].sort(),
    )
  })

  it('is the same to evaluate and train', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.constantFrom(100 * WAIT, WAIT + 500), async ([log, one, other], until) => {
        const expected = model(log, until)
        const [first, second] = [await joined(filesOf(one), until), await joined(filesOf(other), until)]
        expect(second).toEqual(first)
        const { used, counts, faults } = first
        expect(faults).toBe(0)
        expect(used).toEqual(expected.used)
        expect(counts.conflicts).toBe(expected.conflicts)
        expect(counts.outside).toBe(expected.range)
        expect(counts.rewards + counts.late).toBe(expected.rewards)
        const left = counts.lost + counts.inactive + counts.waiting + counts.conflicts + counts.repeated
        expect(used.length + left).toBe(counts.decisions)
      }),
      { numRuns: 40 },
    )
  })
})
