import { execFile } from 'node:child_process'
import { appendFileSync, copyFileSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openTables } from '../../../src/adapters/duckdb/duckdb.ts'
import { evaluate as evaluatePlan } from '../../../src/evaluate/evaluate.ts'
import type { PolicySpec } from '../../../src/kinds.ts'
import { createPolicy } from '../../../src/policy/policy.ts'
import type { EvaluationResult } from '../../../src/results.ts'
import { train as trainPlan } from '../../../src/train/train.ts'
import { plan } from '../../evaluate/support/plan.ts'
import { decision, reward } from '../../log/support.ts'
import { onDisk, writeParquet } from '../../support/disk.ts'
import { resource } from '../../support/repository.ts'
import { dapIn, PACKAGE_ROOT } from '../../support/run-dap.ts'

const PROJECT = { 'dap.yaml': resource('Project', 'shop', 'folders: [datasets, evaluations, policies]') }
const LOGGING = resource(
  'Evaluation',
  'ev',
  'dataset: log\nestimators: [ips]\ncandidates: [{ name: logging, logging: true }]',
)
const dataset = (spec: string) => resource('Dataset', 'log', spec)
const lines = (texts: readonly string[]) => `${texts.join('\n')}\n`
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

async function evaluated(folder: string): Promise<EvaluationResult> {
  const { code, stdout, stderr } = await dapIn(folder, 'evaluate', 'ev', '--json')
  if (code !== 0) throw new Error(stderr || stdout)
  return JSON.parse(stdout)
}

describe('names of columns', () => {
  const FORMATS = ['csv', 'jsonl', 'parquet'] as const
  /** Made by pyarrow: eight rows of the columns `` (d0 …), Action (a, b, …), action (x), p (0.5), r (1 0 0 0 …). */
  const PARQUET =
    'UEFSMRUAFWwVbCwVEBUAFQYVBhwAAAACAAAAEAECAAAAZDACAAAAZDECAAAAZDICAAAAZDMCAAAAZDQCAAAAZDUCAAAAZDYCAAAAZDcVABVcFVwsFRAVABUGFQYcAAAAAgAAABABAQAAAGEBAAAAYgEAAABhAQAAAGIBAAAAYQEAAABiAQAAAGEBAAAAYhUAFVwVXCwVEBUAFQYVBhwAAAACAAAAEAEBAAAAeAEAAAB4AQAAAHgBAAAAeAEAAAB4AQAAAHgBAAAAeAEAAAB4FQAVjAEVjAEsFRAVABUGFQYcAAAAAgAAABABAAAAAAAA4D8AAAAAAADgPwAAAAAAAOA/AAAAAAAA4D8AAAAAAADgPwAAAAAAAOA/AAAAAAAA4D8AAAAAAADgPxUAFYwBFYwBLBUQFQAVBhUGHAAAAAIAAAAQAQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVBBlsNQAYBnNjaGVtYRUKABUMJQIYACUATBwAAAAVDCUCGAZBY3Rpb24lAEwcAAAAFQwlAhgGYWN0aW9uJQBMHAAAABUKJQIYAXAAFQQlAhgBcgAWEBkcGVwmABwVDBklBgAZGAAVABYQFpIBFpIBJghJHBUAFQAVAgA8FiAZBhkmABAAAAAmABwVDBklBgAZGAZBY3Rpb24VABYQFoIBFoIBJpoBSRwVABUAFQIAPBYQGQYZJgAQAAAAJgAcFQwZJQYAGRgGYWN0aW9uFQAWEBaCARaCASacAkkcFQAVABUCADwWEBkGGSYAEAAAACYAHBUKGSUGABkYAXAVABYQFrYBFrYBJp4DSRwVABUAFQIAPCkGGSYAEAAAACYAHBUEGSUGABkYAXIVABYQFrYBFrYBJtQESRwVABUAFQIAPCkGGSYAEAAAABaCBhYQJggWggYAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRlcHAAAHAAAHAAAHAAAHAAAAIgBAABQQVIx'
  /** The same of two rows: action (a, b), p, r (1, 0), r (0, 1). */
  const TWICE =
    'UEFSMRUAFSAVICwVBBUAFQYVBhwAAAACAAAABAEBAAAAYQEAAABiFQAVLBUsLBUEFQAVBhUGHAAAAAIAAAAEAQAAAAAAAOA/AAAAAAAA4D8VABUsFSwsFQQVABUGFQYcAAAAAgAAAAQBAQAAAAAAAAAAAAAAAAAAABUAFSwVLCwVBBUAFQYVBhwAAAACAAAABAEAAAAAAAAAAAEAAAAAAAAAFQQZXDUAGAZzY2hlbWEVCAAVDCUCGAZhY3Rpb24lAEwcAAAAFQolAhgBcAAVBCUCGAFyABUEJQIYAXIAFgQZHBlMJgAcFQwZJQYAGRgGYWN0aW9uFQAWBBZGFkYmCEkcFQAVABUCADwWBBkGGSYABAAAACYAHBUKGSUGABkYAXAVABYEFlIWUiZOSRwVABUAFQIAPCkGGSYABAAAACYAHBUEGSUGABkYAXIVABYEFlIWUiagAUkcFQAVABUCADwpBhkmAAQAAAAmABwVBBklBgAZGAFyFQAWBBZSFlIm8gFJHBUAFQAVAgA8KQYZJgAEAAAAFrwCFgQmCBa8AgAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGUwcAAAcAAAcAAAcAAAALwEAAFBBUjE='

  const rows = range(8).map(i => ({ '': `d${i}`, Action: 'ab'[i % 2], action: 'x', p: 0.5, r: Number(i % 4 === 0) }))
  const FILES = {
    csv: lines([Object.keys(rows[0]).join(','), ...rows.map(row => Object.values(row).join(','))]),
    jsonl: lines(rows.map(row => JSON.stringify(row))),
    parquet: Buffer.from(PARQUET, 'base64'),
  }

  it.each(FORMATS)('may differ in case alone, and one may be none: %s', async format => {
    const made = (action: string, more = '') =>
      onDisk({
        ...PROJECT,
        'evaluations/ev.yaml': LOGGING.replace(
          '{ name: logging, logging: true }',
          '{ name: a, fixed: a }, { name: x, fixed: x }',
        ),
        'datasets/log.yaml': dataset(
          `files: [1.${format}, 2.${format}]\nformat: ${format}\nactions: [a, b, x]\nmapping: { decisionId: "", action: ${action}, propensity: p, reward: r${more} }`,
        ),
        [`1.${format}`]: FILES[format],
        [`2.${format}`]: FILES[format],
      })
    const upper = await evaluated(await made('Action'))
    expect(upper.dataset).toMatchObject({
      rows: 8,
      meanReward: 0.25,
      notes: expect.arrayContaining(['8 decisions logged again under the same id, counted once']),
    })
    expect(upper.candidates[0].estimates[0].value).toBe(0.5)
    const lower = await evaluated(await made('action'))
    expect(lower.candidates[1].estimates[0].value).toBe(0.5)
    const { code, stderr } = await dapIn(await made('ACTION'), 'evaluate')
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('error: the log has no column `ACTION` (mapping.action)'),
    ])
  })

  it.each(['csv', 'parquet'] as const)('that are there twice cannot be meant: %s', async format => {
    const folder = await onDisk({
      ...PROJECT,
      'evaluations/ev.yaml': LOGGING,
      'datasets/log.yaml': dataset(
        `files: [l.${format}]\nformat: ${format}\nmapping: { action: action, propensity: p, reward: r }`,
      ),
      [`l.${format}`]: format === 'csv' ? 'action,p,r,r\na,0.5,1,0\nb,0.5,0,1\n' : Buffer.from(TWICE, 'base64'),
    })
    const { code, stdout, stderr } = await dapIn(folder, 'evaluate')
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(new RegExp(`l\\.${format}\` has two columns \`r\``))
  })

  it('that a database has for itself are columns like others', async () => {
    const folder = await onDisk({
      ...PROJECT,
      'evaluations/ev.yaml': LOGGING,
      'policies/pol.yaml': resource(
        'Policy',
        'pol',
        'context: { rn: { type: number } }\nfeatures: [{ field: rn }]\nactions: [{ id: a }, { id: b }]\nalgorithm: { learner: { type: linear }, exploration: { type: greedy } }\nguardrails: { minProbability: 0.1 }',
      ),
      'datasets/log.yaml': dataset(
        'files: [l.parquet]\nformat: parquet\nmapping: { decisionId: c0, action: f0, propensity: p0, unit: json }\nrewards: { files: [r.csv], format: csv, mapping: { decisionId: id, reward: value } }\nreward: { default: 0 }',
      ),
      'r.csv': lines(['id,value', ...range(500).map(i => `d${4 * i},1`)]),
    })
    await writeParquet(
      join(folder, 'l.parquet'),
      "SELECT 7 AS rn, 'd' || i AS c0, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS f0, 0.5 AS p0, 'u' || i AS json FROM range(2000) t (i)",
    )
    expect((await evaluated(folder)).dataset).toMatchObject({ rows: 2000, meanReward: 0.25 })
    const trained = await dapIn(folder, 'train', '--json')
    expect(trained.code).toBe(0)
    const { dataset: learnt, estimates } = JSON.parse(trained.stdout)
    expect(learnt.rows + learnt.heldOut).toBe(2000)
    expect(estimates.dataset.rows).toBe(learnt.heldOut)
  })

  it('of Parquet files whose columns differ are found by name, unless case alone tells them apart', async () => {
    const made = async (more: string) => {
      const folder = await onDisk({
        ...PROJECT,
        'evaluations/ev.yaml': LOGGING,
        'datasets/log.yaml': dataset(
          'files: [1.parquet, 2.parquet]\nformat: parquet\nmapping: { action: action, propensity: p, reward: r }',
        ),
      })
      await writeParquet(join(folder, '1.parquet'), "SELECT 'a' AS action, 0.5 AS p, 1 AS r, 2 AS x")
      await writeParquet(join(folder, '2.parquet'), more)
      return folder
    }
    expect((await evaluated(await made("SELECT 0 AS r, 0.5 AS p, 'b' AS action"))).dataset).toMatchObject({
      rows: 2,
      meanReward: 0.5,
    })
    const { code, stderr } = await dapIn(await made("SELECT 0 AS r, 0.5 AS p, 'b' AS \"Action\", 'c' AS z"), 'evaluate')
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('no column `action` in `2.parquet`\nhint: did you mean `Action`?'),
    ])
  })
})

describe('files, folders, globs and partitions', () => {
  const HEADER = 'id,action,p,r'
  const row = (i: number) => ({ id: `d${i}`, action: 'ab'[i % 2], p: 0.5, r: Number(i % 4 === 0) })

  /** Files of a format: path → rows. */
  async function made(format: string, paths: readonly string[], spec: string): Promise<string> {
    const text = (part: number) => {
      const rows = range(100).map(i => row(100 * part + i))
      if (format === 'dap')
        return lines(
          rows.flatMap(({ id, r }) => [
            JSON.stringify(decision(id, [0.5, 0.5])),
            ...(r === 0 ? [] : [JSON.stringify(reward(id))]),
          ]),
        )
      return format === 'jsonl'
        ? lines(rows.map(each => JSON.stringify(each)))
        : lines([HEADER, ...rows.map(each => Object.values(each).join(','))])
    }
    const folder = await onDisk({
      ...PROJECT,
      'evaluations/ev.yaml': LOGGING,
      'datasets/log.yaml': dataset(spec),
      ...(format === 'parquet'
        ? {}
        : Object.fromEntries(
            paths.map((path, i) => [
              path,
              /\.gz$/.test(path)
                ? zlib.gzipSync(text(i))
                : /\.zst$/.test(path)
                  ? zlib.zstdCompressSync(text(i))
                  : text(i),
            ]),
          )),
    })
    if (format === 'parquet') {
      for (const [part, path] of paths.entries()) {
        await writeParquet(
          join(folder, path),
          `SELECT 'd' || i AS id, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS action, 0.5 AS p, (i % 4 = 0)::INT AS r FROM range(${100 * part}, ${100 * part + 100}) t (i)`,
        )
      }
    }
    return folder
  }
  const MAPPING = '\nmapping: { decisionId: id, action: action, propensity: p, reward: r }'
  const mapping = (format: string) => (format === 'dap' ? '' : MAPPING)
  const name = (format: string, path: string) => `${path}.${format === 'dap' ? 'jsonl' : format}`

  it.each(['csv', 'jsonl', 'parquet', 'dap'])('are read in their order, each once: %s', async format => {
    const paths = ['logs/b', 'logs/a', 'logs/deep/er/c', 'more/1', 'more/2', 'else'].map(path => name(format, path))
    const packed =
      format === 'parquet'
        ? []
        : [`logs/z.${format === 'dap' ? 'jsonl' : format}.gz`, `more/3.${format === 'dap' ? 'jsonl' : format}.zst`]
    const folder = await made(
      format,
      [...paths, ...packed],
      `files: [logs, "more/*", ${name(format, 'else')}, "**/${name(format, '1')}"]\nformat: ${format}${mapping(format)}`,
    )
    const { dataset: found } = await evaluated(folder)
    expect(found).toMatchObject({ rows: 600 + 100 * packed.length, dropped: 0, meanReward: 0.25 })
  })

  it.each(['csv', 'jsonl', 'parquet'])('have a column for each folder called key=value: %s', async format => {
    const days = ['2026-11-21', '2026-11-22', '2026-11-23']
    const paths = days.map(day => name(format, `logs/day=${day}/shop=x%2Fy/part`))
    const candidates = 'candidates: [{ name: t, table: { file: t.csv, by: [day, shop] } }]'
    const table = lines([
      'day,shop,action,probability',
      ...days.flatMap((day, i) => [`${day},x/y,a,${i / 2}`, `${day},x/y,b,${1 - i / 2}`]),
    ])
    const folder = await made(
      format,
      paths,
      `files: [logs]\nformat: ${format}\nactions: [a, b]${MAPPING.replace(' }', ', context: { day: day } }')}`,
    )
    writeFileSync(join(folder, 't.csv'), table)
    writeFileSync(join(folder, 'evaluations/ev.yaml'), LOGGING.replace(/candidates: .*/, candidates))
    const { dataset: found, candidates: results } = await evaluated(folder)
    expect(found.rows).toBe(300)
    // Rewards are all of a: of the three days 0, 1/2 and 1 are on it, with propensity 1/2.
    expect(results[0].estimates[0].value).toBeCloseTo((25 * (0 + 1 + 2)) / 300, 12)
  })

  it('name the file of a bad row, whichever it is', async () => {
    for (const format of ['csv', 'jsonl', 'parquet', 'dap']) {
      const paths = ['logs/day=1/a', 'logs/day=2/a', 'logs/day=3/a'].map(path => name(format, path))
      const folder = await made(format, paths, `files: [logs]\nformat: ${format}${mapping(format)}`)
      const bad = join(folder, paths[1])
      if (format === 'parquet')
        await writeParquet(
          bad,
          "SELECT 'x' || i AS id, 'a' AS action, 0.5 AS p, CASE WHEN i <> 5 THEN 1 END AS r FROM range(10) t (i)",
        )
      else if (format === 'csv')
        writeFileSync(bad, readFileSync(bad, 'utf8').replace('d105,b,0.5,0', 'd105,b,0.5,much'))
      else
        writeFileSync(
          bad,
          readFileSync(bad, 'utf8').replace(/("id":"d105",.*"r":|"d105".*"propensity":)\d(\.5)?/, '$1"much"'),
        )
      const { code, stdout, stderr } = await dapIn(folder, 'evaluate')
      expect([code, stdout]).toEqual([1, ''])
      const place = { csv: ':7: ', jsonl: ':6: ', parquet: ': row 6: ', dap: ':8: ' }[format]
      expect(stderr).toContain(`  ${paths[1]}${place}`)
    }
  })
})

describe('the time zone of the machine', () => {
  const policy = resource(
    'Policy',
    'pol',
    'context: { day: { type: string } }\nactions: [{ id: a }, { id: b }]\nalgorithm: { learner: { type: beta }, exploration: { type: thompson } }\nguardrails: { minProbability: 0.02 }\nreward: { wait: 1h }',
  )

  async function run(folder: string, zone: string): Promise<string> {
    const support = JSON.stringify(join(PACKAGE_ROOT, 'test/support/run-dap.ts'))
    const script = `
      import { readFileSync } from 'node:fs'
      import { dapIn } from ${support}
      const [folder] = process.argv.slice(1)
      for (const words of [['evaluate', 'ev', '--json'], ['train', '--json', '--until', '2026-11-22T18:00:00Z'], ['evaluate']]) {
        const { code, stdout, stderr } = await dapIn(folder, ...words)
        console.log(code, stdout, stderr)
      }
      console.log(readFileSync(folder + '/snapshots/pol.json', 'utf8'))`
    const env = { ...process.env, TZ: zone }
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, folder], {
      env,
    })
    return stdout.replaceAll(folder, '')
  }

  it.each(['csv', 'jsonl', 'parquet'])('changes no byte of any result: %s', async format => {
    // Decisions a minute apart, without a zone; rewards 59 or 61 minutes after them, with one.
    const start = Date.UTC(2026, 2, 29, 0, 30)
    const at = (i: number, minutes = 0) => new Date(start + (i + minutes) * 60_000).toISOString()
    const bare = (i: number) => at(i).replace('T', ' ').slice(0, 19)
    const rows = range(300).map(i => ({
      id: `d${i}`,
      ts: bare(i),
      day: bare(i).slice(0, 13),
      action: 'ab'[i % 2],
      p: 0.5,
    }))
    const spec = (zone: string) =>
      `files: [l.${format}]\nformat: ${format}\nactions: [a, b]\nmapping: { decisionId: id, ts: ts, unit: ts, action: action, propensity: p, context: { day: day } }\nrewards: { files: [r.csv], format: csv, mapping: { decisionId: id, reward: v, ts: ts } }\nreward: { wait: 1h, default: 0 }${format === 'csv' ? `\ncsv: { timeZone: ${zone} }` : ''}`
    const folder = async (zone: string) => {
      const made = await onDisk({
        ...PROJECT,
        'policies/pol.yaml': policy,
        'evaluations/ev.yaml': LOGGING.replace('{ name: logging, logging: true }', '{ name: pol, policy: pol }'),
        'datasets/log.yaml': dataset(spec(zone)),
        'r.csv': lines(['id,v,ts', ...range(300).map(i => `d${i},1,${at(i, i % 3 === 0 ? 59 : 61)}`)]),
        ...(format === 'csv'
          ? { 'l.csv': lines(['id,ts,day,action,p', ...rows.map(each => Object.values(each).join(','))]) }
          : {}),
        ...(format === 'jsonl' ? { 'l.jsonl': lines(rows.map(each => JSON.stringify(each))) } : {}),
      })
      if (format === 'parquet') {
        const ts = `(TIMESTAMP '2026-03-29 00:30:00' + to_minutes(i))`
        await writeParquet(
          join(made, 'l.parquet'),
          `SELECT 'd' || i AS id, ${ts} AS ts, date_trunc('hour', ${ts}) AS day, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS action, 0.5 AS p FROM range(300) t (i)`,
        )
      }
      return made
    }
    const utc = await run(await folder('UTC'), 'UTC')
    for (const zone of ['Asia/Kolkata', 'America/St_Johns']) expect(await run(await folder('UTC'), zone)).toBe(utc)
    const [code, json] = [utc[0], JSON.parse(utc.slice(2, utc.indexOf('\n0 ')))]
    expect([code, json.dataset.meanReward]).toEqual(['0', 100 / 300])
    expect(json.dataset.notes).toContain('200 rewards later than the wait, left out')
    if (format !== 'csv') return
    const berlin = await run(await folder('Europe/Berlin'), 'UTC')
    expect(await run(await folder('Europe/Berlin'), 'Asia/Kolkata')).toBe(berlin)
    expect(berlin).not.toBe(utc)
  })
})

describe('a log that changes while it is read', () => {
  const HEADER = 'action,propensity,reward'
  const ROWS = lines([HEADER, ...range(30_000).map(i => `${'ab'[i % 2]},0.5,${i % 4 === 0 ? 1 : 0}`)])
  const modelled = {
    estimators: ['dm'],
    rewardModel: { type: 'tabular', by: ['action'], prior: 0, crossFit: { folds: 2 } },
  } as const

  /** Another file of the same size and time in its place. */
  function replace(path: string): void {
    const { atime, mtime } = statSync(path)
    copyFileSync(path, `${path}.new`)
    const text = readFileSync(path, 'utf8')
    writeFileSync(`${path}.new`, text.replace('a,0.5,0', 'b,0.5,0'))
    utimesSync(`${path}.new`, atime, mtime)
    renameSync(`${path}.new`, path)
  }

  it.each([
    ['appended to', (path: string) => appendFileSync(path, 'a,0.5,1\n')],
    ['written over', (path: string) => writeFileSync(path, ROWS.replace('a,0.5,0', 'b,0.5,0'))],
    ['replaced', replace],
  ])('is an error where it is %s between two passes', async (_, change) => {
    const folder = await onDisk({ 'log.csv': ROWS })
    const path = join(folder, 'log.csv')
    for (const when of [1, 30_000, 30_001]) {
      writeFileSync(path, ROWS)
      let changed = false
      const evaluation = plan({ paths: [path], dataset: { actions: ['a', 'b'] }, spec: modelled })
      const result = evaluatePlan(evaluation, openTables(), rows => {
        if (rows < when || changed) return
        changed = true
        change(path)
      })
      await expect(result).rejects.toThrow('changed while it was read')
    }
  })

  it('is an error in training, in rewards, and after the actions were seen', async () => {
    const folder = await onDisk({ 'log.csv': ROWS, 'r.csv': 'id,v\nx,1\n' })
    const path = join(folder, 'log.csv')
    const tables = openTables()
    const undeclared = plan({ paths: [path], spec: modelled })
    await expect(
      evaluatePlan(undeclared, {
        ...tables,
        read(...args) {
          appendFileSync(path, 'a,0.5,1\n')
          return tables.read(...args)
        },
      }),
    ).rejects.toThrow('changed while it was read')

    writeFileSync(path, ROWS)
    const spec = {
      context: {},
      actions: [{ id: 'a' }, { id: 'b' }],
      decision: { type: 'single' },
      algorithm: { learner: { type: 'mean' }, exploration: { type: 'greedy', ties: 'random' } },
      guardrails: { minProbability: 0 },
      reward: {},
      mode: 'online',
    } as unknown as PolicySpec
    const { name, digest } = createPolicy('pol', spec, 'sha256:0')
    const training = trainPlan(
      {
        policy: { name, spec, digest },
        dataset: plan({ paths: [path], dataset: { actions: ['a', 'b'] } }).dataset,
        weights: 'none',
        heldOut: 0,
      },
      openTables(),
      undefined,
      () => appendFileSync(path, 'a,0.5,1\n'),
    )
    await expect(training).rejects.toThrow('changed while it was read')

    writeFileSync(path, lines(['id,action,propensity', ...range(30_000).map(i => `d${i},${'ab'[i % 2]},0.5`)]))
    const rewards = { files: ['r.csv'], mapping: { decisionId: 'id', reward: 'v' } }
    const joined = plan({
      paths: [path],
      dataset: { actions: ['a', 'b'], rewards, reward: { default: 0 } },
      mapping: { decisionId: 'id', reward: undefined },
      spec: modelled,
    })
    const withRewards = { ...joined, dataset: { ...joined.dataset, rewards: { paths: [join(folder, 'r.csv')] } } }
    const result = evaluatePlan(withRewards, openTables(), () => appendFileSync(join(folder, 'r.csv'), 'd1,1\n'))
    await expect(result).rejects.toThrow('r.csv` changed while it was read')
  })

  it('is read where nothing changes', async () => {
    const folder = await onDisk({ 'log.csv': ROWS })
    const result = await evaluatePlan(plan({ paths: [join(folder, 'log.csv')], spec: modelled }), openTables())
    expect(result.dataset).toMatchObject({ rows: 30_000, meanReward: 0.25 })
  })
})
