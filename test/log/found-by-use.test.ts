import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../src/adapters/duckdb/duckdb.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import type { DatasetSpec, MappingSpec, PolicySpec } from '../../src/kinds.ts'
import { CSV } from '../../src/log/csv.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import type { EvaluationResult } from '../../src/results.ts'
import { type PlanParts, plan } from '../evaluate/support/plan.ts'
import { decision, reward } from './support.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dap-found-'))
})
afterAll(() => rm(folder, { recursive: true }))

let files = 0
async function file(text: string | Buffer, ending = 'csv'): Promise<string> {
  const path = join(folder, `${files++}.${ending}`)
  await writeFile(path, text)
  return path
}

const HEAD = 'action,propensity,reward\n'

interface Log extends PlanParts {
  readonly paths: readonly string[]
  /** Paths of the files of `dataset.rewards`. */
  readonly rewards?: readonly string[]
}

function judged({ rewards, ...parts }: Log): Promise<EvaluationResult> {
  const { dataset, ...rest } = plan({ spec: { candidates: [{ name: 'log', logging: true }] }, ...parts })
  const own = rewards === undefined ? {} : { rewards: { paths: rewards } }
  const join = parts.dataset?.reward
  return evaluate({ ...rest, dataset: { ...dataset, ...own, ...(join ? { join: join as never } : {}) } }, openTables())
}

/** A mapped log whose rewards are in a second file. */
function joined(log: string, rewards: string, mapping: Partial<MappingSpec> = {}, theirs: object = {}): Promise<Log> {
  const dataset: Partial<DatasetSpec> = {
    rewards: { files: ['r'], mapping: { decisionId: 'id', reward: 'v', ...theirs } },
    reward: { default: 0 },
  }
  return Promise.all([file(log), file(rewards)]).then(([path, other]) => ({
    paths: [path],
    rewards: [other],
    dataset,
    mapping: { decisionId: 'id', reward: undefined, ...mapping },
  }))
}

describe('what a user met', () => {
  it('a slot on one side of a join alone is refused, on both sides it is part of the key', async () => {
    const log = 'id,s,action,propensity\nd1,0,a,.5\nd1,1,a,.5\nd2,0,a,.5\n'
    const rewards = 'id,s,v\nd1,1,1\nd2,0,1\n'
    await expect(judged(await joined(log, rewards, { slot: 's' }))).rejects.toThrow('must both have a `slot`')
    await expect(judged(await joined(log, rewards, {}, { slot: 's' }))).rejects.toThrow('must both have a `slot`')
    const both = await judged(await joined(log, rewards, { slot: 's' }, { slot: 's' }))
    expect(both.dataset).toMatchObject({ rows: 3, meanReward: 2 / 3 })
  })

  it('a file that lacks a named column is named, and one that is empty', async () => {
    const good = await file(`${HEAD}a,.5,1\n`)
    const other = await file('action,propensity,rewards\na,.5,1\n')
    const dataset = { reward: { default: 0 } }
    await expect(judged({ paths: [good, other], dataset })).rejects.toMatchObject({
      message: `no column \`reward\` in \`${other}\``,
      hint: 'did you mean `rewards`?',
    })
    const empty = await file('')
    await expect(judged({ paths: [good, empty], dataset })).rejects.toThrow(`\`${empty}\` is empty: it has no header`)
    await expect(judged({ paths: [empty] })).rejects.toMatchObject({ hint: expect.stringContaining('empty') })
  })

  it('equal rewards are equal numbers, however they are written', async () => {
    const path = await file('id,action,propensity,reward\nd1,a,.5,1\nd1,a,.5,1.0\nd1,a,.5,true\nd2,a,.5,0\n')
    const log = { paths: [path], mapping: { decisionId: 'id' } }
    expect((await judged(log)).dataset).toMatchObject({ rows: 2, meanReward: 0.5 })
    expect((await judged({ ...log, dataset: { reward: { aggregate: 'sum' } } })).dataset.meanReward).toBe(0.5)
  })

  it('a row without an id is a bad one', async () => {
    const path = await file('id,action,propensity,reward\nd1,a,.5,1\n,a,.5,1\n')
    await expect(judged({ paths: [path], mapping: { decisionId: 'id' } })).rejects.toThrow(
      `${path}:3: \`id\` is missing`,
    )
  })

  it('ids that pandas wrote as floats are those of the whole numbers', async () => {
    const result = await judged(await joined('id,action,propensity\n1,a,.5\n2,a,.5\n', 'id,v\n1.0,1\n3.5,1\n'))
    expect(result.dataset.meanReward).toBe(0.5)
  })

  it('rewards that find no decision make every verdict a caution', async () => {
    const { candidates } = await judged(await joined('id,action,propensity\n1,a,.5\n', 'id,v\nx,1\ny,1\n'))
    const reason = '2 of 2 rewards are for no decision of this log: do the ids fit?'
    expect(candidates[0].verdict).not.toBe('ok')
    expect(candidates[0].reasons).toContain(reason)
    const half = await judged(await joined('id,action,propensity\n1,a,.5\n', 'id,v\nx,1\n1,1\n'))
    expect(half.candidates[0].reasons.join()).not.toContain('do the ids fit')
  })

  it('a context that is read by its own name is compared, too', async () => {
    const spec: PolicySpec = {
      context: { level: { type: 'integer' } },
      actions: [{ id: 'a' }, { id: 'b' }],
      decision: { type: 'single' },
      mode: 'online',
      algorithm: {
        learner: { type: 'linear', l2: 1, intercept: true },
        exploration: { type: 'greedy', ties: 'random' },
      },
      guardrails: { minProbability: 0.1 },
      reward: { name: 'r', type: 'binary', wait: '1h', default: 0 },
    }
    const path = await file('id,level,action,propensity,reward\nd1,0,a,.5,1\nd1,5,a,.5,1\n')
    const log = {
      paths: [path],
      mapping: { decisionId: 'id' },
      spec: { candidates: [{ name: 'pol', policy: 'pol' }] },
      policies: new Map([['pol', createPolicy('pol', spec, '')]]),
    }
    await expect(judged(log)).rejects.toThrow('2 × rows of one `id` that differ in `level`')
  })

  it('records of one decision that were kept with another probability contradict each other', async () => {
    const twice = [decision('d1', [1]), decision('d1', [1], { logProbability: 0.1 }), decision('d2', [1])]
    const path = await file(twice.map(record => `${JSON.stringify(record)}\n`).join(''), 'jsonl')
    const dataset = { format: 'dap', mapping: undefined } as const
    const { rows, notes } = (await judged({ paths: [path], dataset })).dataset
    expect(rows).toBe(1)
    expect(notes).toContain('2 records of decisions in conflict with another one of the same id, left out')
  })

  it('rewards of another name are told', async () => {
    const records = [decision('d1', [1]), reward('d1', { name: 'Purchase' })]
    const path = await file(records.map(record => `${JSON.stringify(record)}\n`).join(''), 'jsonl')
    const dataset = {
      format: 'dap',
      mapping: undefined,
      reward: { name: 'purchase', aggregate: 'max', default: 0 },
    } as const
    expect((await judged({ paths: [path], dataset })).dataset.notes).toContain('1 reward of another name, left out')
  })

  it('blank lines before a header, and lines of form feeds, are none', async () => {
    expect((await judged({ paths: [await file(`\n\n${HEAD}a,.5,1\n`)] })).dataset.rows).toBe(1)
    const lines = await file(
      '{"action":"a","propensity":1,"reward":1}\n\f\v\n{"action":"a","propensity":1,"reward":1}\n',
      'jsonl',
    )
    expect((await judged({ paths: [lines], dataset: { format: 'jsonl' } })).dataset.rows).toBe(2)
  })

  it('JSON in UTF-16 is told as such', async () => {
    const path = await file(Buffer.from('\ufeff{"action":"a"}\n', 'utf16le'), 'jsonl')
    await expect(judged({ paths: [path], dataset: { format: 'jsonl' } })).rejects.toThrow(
      `${path}:1: the file is no UTF-8`,
    )
  })

  it('a probability of having been kept whose inverse is no number is none', async () => {
    const path = await file('action,propensity,reward,kept\na,.5,1,1e-320\n')
    await expect(judged({ paths: [path], mapping: { logProbability: 'kept' } })).rejects.toThrow(
      '`kept` is outside (0, 1]',
    )
  })

  it('times are RFC 3339, in the zone of the Dataset where they do not say theirs', async () => {
    const times = [
      '2026-11-20',
      '2026-11-20 00:00:00',
      '2026-11-19T23:00:00Z',
      '2026-11-19 23:00:00 UTC',
      '2026-11-20T01:00:00+02:00',
    ]
    const wait = 3_600_000
    const until = Date.parse('2026-11-20T00:00:00Z')
    const read = async (at: readonly string[], later: number) => {
      const path = await file(`at,action,propensity,reward\n${at.map(time => `${time},a,.5,1\n`).join('')}`)
      const { dataset, ...rest } = plan({
        paths: [path],
        mapping: { ts: 'at' },
        dataset: {
          csv: { ...CSV, timeZone: 'Europe/Berlin' },
        },
      })
      return evaluate({ ...rest, dataset: { ...dataset, join: { wait, until: until + later } } }, openTables())
    }
    // All of them are 23:00 in UTC, an hour before.
    expect((await read(times, 0)).dataset.rows).toBe(5)
    await expect(read(times, -1)).rejects.toThrow('5 decisions whose wait for rewards is not over')
    for (const none of ['epoch', '44-3-15 (BC)', '2026-2-3', '2026-11-20 00:00:00 America/New_York']) {
      await expect(read([none], 0)).rejects.toThrow('`at` is missing or no time')
    }
  })

  it('a key of JSON with a dot in it goes before a path, in whatever line it comes', async () => {
    const row = { action: 'a', propensity: 1 }
    const lines = [...Array.from({ length: 21_000 }, () => row), { ...row, 'r.v': 1 }]
    const path = await file(lines.map(line => `${JSON.stringify(line)}\n`).join(''), 'jsonl')
    const dataset = { format: 'jsonl', reward: { default: 0 } } as const
    expect((await judged({ paths: [path], dataset, mapping: { reward: 'r.v' } })).dataset.meanReward).toBe(1 / 21_001)
  })

  it('Parquet decimals of more digits than DuckDB holds are refused, not misread', async () => {
    const path = join(folder, 'decimal.parquet')
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    await connection.run(
      `COPY (SELECT 'a' AS action, 0.5 AS propensity, 1.25::DECIMAL(38, 2) AS reward) TO '${path}' (FORMAT parquet)`,
    )
    expect((await judged({ paths: [path], dataset: { format: 'parquet' } })).dataset.meanReward).toBe(1.25)
  })
})
