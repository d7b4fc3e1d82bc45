import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import type { EvaluationResult } from '../../src/results.ts'
import { decision, reward } from '../log/support.ts'
import { onDisk, writeParquet } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { dapIn, PACKAGE_ROOT } from '../support/run-dap.ts'

/** Public reports of logs that other readers took for something else than they are: what is right of each. */

const PROJECT = resource('Project', 'case', '{}').replace('  {}', '  folders: [datasets, evaluations, policies]')
const MAPPING = 'mapping: { action: action, propensity: p, reward: r, decisionId: id }'
const ANONYMOUS = 'mapping: { action: action, propensity: p, reward: r }'
const LOGGING = '[{ name: logging, logging: true }]'
const A_AND_LOGGING = '[{ name: a, fixed: a }, { name: logging, logging: true }]'
const DROP = '\nquality: { badRows: drop }'

interface Case {
  /** The spec of the Dataset after `files` and `format`. */
  readonly dataset?: string
  readonly format?: string
  readonly file?: string
  readonly candidates?: string
  readonly evaluation?: string
  readonly policy?: string
  readonly data?: string | Buffer
}

async function repository({
  dataset = MAPPING,
  format = 'csv',
  file = `data/l.${format === 'dap' ? 'jsonl' : format}`,
  candidates = A_AND_LOGGING,
  evaluation = 'estimators: [ips]',
  policy,
  data,
}: Case) {
  return onDisk({
    'dap.yaml': PROJECT,
    'datasets/log.yaml': resource('Dataset', 'log', `files: [${file}]\nformat: ${format}\n${dataset}`),
    'evaluations/ev.yaml': resource('Evaluation', 'ev', `dataset: log\ncandidates: ${candidates}\n${evaluation}`),
    ...(policy === undefined ? {} : { 'policies/pol.yaml': resource('Policy', 'pol', policy) }),
    ...(data === undefined ? {} : { [file]: data }),
  })
}

const BETA =
  'context: {}\nactions: [{ id: a }, { id: b }]\nalgorithm: { learner: { type: beta }, exploration: { type: thompson } }\nguardrails: { minProbability: 0.02 }'

async function evaluate(folder: string) {
  const { code, stdout, stderr } = await dapIn(folder, 'evaluate', 'ev', '--json')
  if (stdout === '') throw new Error(stderr)
  const result = JSON.parse(stdout) as EvaluationResult
  const values = Object.fromEntries(
    result.candidates.map(({ name, estimates }) => [name, estimates.find(({ value }) => value !== null)?.value]),
  )
  return { code, ...result, values }
}

/** What stderr says. */
async function refusal(folder: string, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await dapIn(folder, ...(words.length === 0 ? ['evaluate'] : words))
  expect([code, stdout]).toEqual([1, ''])
  return stderr
}

const csv = (header: string, rows: readonly (readonly unknown[])[]) =>
  `${[header, ...rows.map(row => row.join(','))].join('\n')}\n`
const range = (n: number) => Array.from({ length: n }, (_, i) => i)

describe('01: one line in the middle of a log cannot be read', () => {
  const ROWS = 500_000
  const rows = (bad: number) =>
    range(ROWS).map(i => [
      `d${i}`,
      'ab'[i % 2],
      0.5,
      Number((i % 2 === 0) === i < 60_000),
      ...(i === bad ? ['oops'] : []),
    ])
  const gate =
    "estimators: [ips]\ngates: [{ id: a-is-better, expr: \"candidate('a').estimate('ips').lift.lower > 0.0\" }]"

  it('which is an error that names it, from evaluate and train', async () => {
    const folder = await repository({ data: csv('id,action,p,r', rows(60_000)), evaluation: gate, policy: BETA })
    const expected =
      'error: the log has 1 bad row (1 × 5 fields, and the header has 4)\n  data/l.csv:60002: 5 fields, and the header has 4\n'
    expect(await refusal(folder)).toContain(expected)
    expect(await refusal(folder, 'train')).toContain(expected)
    expect(existsSync(join(folder, 'snapshots'))).toBe(false)
  })

  it('or is dropped, and all others count: the gate fails', async () => {
    const folder = await repository({
      data: csv('id,action,p,r', rows(60_000)),
      dataset: MAPPING + DROP,
      evaluation: gate,
    })
    const { code, dataset, values, passed } = await evaluate(folder)
    expect([code, passed, dataset.rows, dataset.dropped]).toEqual([1, false, ROWS - 1, 1])
    expect(dataset.notes).toContain('1 bad row dropped: data/l.csv:60002: 5 fields, and the header has 4')
    // a earns 30,000 before and nothing after.
    expect(values['a']).toBeCloseTo(60_000 / (ROWS - 1), 12)
  })

  it('and the last line may be torn', async () => {
    const folder = await repository({ data: `${csv('id,action,p,r', rows(-1))}d500000,a`, policy: BETA })
    const expected = 'data/l.csv:500002: 2 fields, and the header has 4\n'
    expect(await refusal(folder)).toContain(expected)
    expect(await refusal(folder, 'train')).toContain(expected)
  })
})

describe('02: rows that begin with # are rows', () => {
  const rows = range(1000).map(i => [
    i === 0 ? '#tag "new",b,c' : i % 10 === 0 ? `#tag${i}` : `word${i}`,
    'a',
    '1.0',
    Number(i % 10 === 0),
  ])
  const data = csv('q,action,p,r', rows)

  it('of which one has commas in it, and is named', async () => {
    const folder = await repository({ data, dataset: ANONYMOUS, candidates: LOGGING })
    expect(await refusal(folder)).toContain('\n  data/l.csv:2: 6 fields, and the header has 4\n')
  })

  it('that count when it is dropped', async () => {
    const { dataset } = await evaluate(await repository({ data, dataset: ANONYMOUS + DROP, candidates: LOGGING }))
    expect(dataset).toMatchObject({ rows: 999, dropped: 1, meanReward: 99 / 999 })
  })

  it('unless a Dataset says that they are comments', async () => {
    const dataset = `${ANONYMOUS}\ncsv: { comment: "#" }`
    expect((await evaluate(await repository({ data, dataset, candidates: LOGGING }))).dataset).toMatchObject({
      rows: 900,
      dropped: 0,
      meanReward: 0,
    })
  })
})

describe('04: a decision is there again for every click', () => {
  const once = (i: number) => [`d${i}`, 'ab'[(i * 7) % 2], 0.5, Number(i % 9 === 4 || i > 3996)]
  const rows = range(4000).flatMap(i => {
    const row = once(i)
    return row[3] === 1 && i < 1269 ? [row, row] : [row]
  })
  const clicks = rows.filter((row, i) => row !== rows[i + 1] && row[3] === 1).length

  it('and counts once', async () => {
    expect([rows.length, clicks]).toEqual([4141, 447])
    const { dataset } = await evaluate(await repository({ data: csv('id,action,p,r', rows) }))
    expect(dataset).toMatchObject({ rows: 4000, dropped: 0, meanReward: 0.11175 })
    expect(dataset.notes).toContain('141 decisions logged again under the same id, counted once')
  })

  it('but not with another reward, unless it is said what several come to', async () => {
    const differing = [...rows, ['d0', 'a', 0.5, 1]]
    const data = csv('id,action,p,r', differing)
    expect(await refusal(await repository({ data }))).toContain(
      [
        'the log has 2 bad rows (2 × rows of one `id` that differ in `r`)',
        '  data/l.csv:2: rows of one `id` that differ in `r`',
        '  data/l.csv:4143: rows of one `id` that differ in `r`',
      ].join('\n'),
    )
    const dropping = await evaluate(await repository({ data, dataset: MAPPING + DROP }))
    expect(dropping.dataset).toMatchObject({ rows: 3999, dropped: 2 })
    const adding = await evaluate(await repository({ data, dataset: `${MAPPING}\nreward: { aggregate: sum }` }))
    expect(adding.dataset).toMatchObject({ rows: 4000, dropped: 0, meanReward: 448 / 4000 })
  })
})

describe('05: records that were kept by chance', () => {
  const record = (i: number, logProbability: number, value: number) => [
    decision(`d${i}`, [0.5, 0.5], { unit: `u${i}`, logProbability }),
    ...(value === 0 ? [] : [reward(`d${i}`, { value })]),
  ]
  const records = range(2220).flatMap(i =>
    i < 220 ? record(i, 0.1, Number(i < 115)) : record(i, 1, Number(i < 220 + 186)),
  )
  const data = records.map(each => `${JSON.stringify(each)}\n`).join('')

  it('weigh what they stand for', async () => {
    const dataset = 'actions: { policy: pol }\nreward: { wait: 1h }'
    const folder = await repository({
      format: 'dap',
      dataset,
      data,
      policy: BETA,
      candidates: '[{ name: logging, logging: true }, { name: uniform, uniform: true }]',
    })
    const { dataset: found, values } = await evaluate(folder)
    expect(found).toMatchObject({ rows: 2220, meanReward: (10 * 115 + 186) / 4200 })
    expect(found.meanReward).toBeCloseTo(0.3181, 4)
    expect(values['logging']).toBeCloseTo(1336 / 4200, 12)
    expect(values['uniform']).toBeCloseTo(1336 / 4200, 12)
    const { code, stdout } = await dapIn(folder, 'train', '--holdout', '0', '--json')
    expect(code).toBe(0)
    const learnt: { rows: number; effectiveRows: number }[] = JSON.parse(stdout).learnt
    expect(learnt.reduce((sum, { rows }) => sum + rows, 0)).toBe(2220)
    for (const { rows, effectiveRows } of learnt) expect(effectiveRows).toBeLessThan(rows)
  })
})

describe('07: a context that the policy of a candidate cannot take', () => {
  const rows = range(400).map(i => [
    `d${i}`,
    'ab'[i % 2],
    0.5,
    Number(i % 4 === 0),
    (i % 30) + 1,
    i === 200 ? 'web' : i % 3 === 0 ? 'android' : 'ios',
  ])
  const policy = `context: { level: { type: number, minimum: 1 }, platform: { type: string, enum: [ios, android] } }
features: [{ field: level }, { field: platform }]
actions: [{ id: a }, { id: b }]
algorithm: { learner: { type: linear }, exploration: { type: epsilon-greedy } }
guardrails: { minProbability: 0.02 }`
  const made = (data: readonly (readonly unknown[])[], more = '') =>
    repository({
      data: csv('id,action,p,r,level,platform', data),
      dataset: MAPPING + more,
      candidates: '[{ name: pol, policy: pol }]',
      policy,
    })

  it('is a bad row that can be dropped', async () => {
    const folder = await made(rows, DROP)
    const { dataset } = await evaluate(folder)
    expect(dataset).toMatchObject({ rows: 399, dropped: 1, meanReward: 99 / 399 })
    expect(dataset.notes).toContain(
      '1 bad row dropped: data/l.csv:202: the context does not fit policy `pol`: `platform` must be one of ios, android',
    )
    const { code, stdout } = await dapIn(folder, 'train', '--json')
    expect([code, JSON.parse(stdout).dataset.dropped]).toEqual([0, 1])
  })

  it('is counted with all others, and named', async () => {
    const bad = rows.map((row, i) =>
      i === 10
        ? [...row.slice(0, 4), 0.5, 'ios']
        : i === 20
          ? [...row.slice(0, 4), '', 'ios']
          : i === 30
            ? [...row.slice(0, 4), 5, '']
            : row,
    )
    for (const words of [['evaluate'], ['train', '--holdout', '0']]) {
      const said = await refusal(await made(bad), ...words)
      expect(said).toContain('error: the log has 4 bad rows')
      expect([...said.matchAll(/^ {2}data\/l\.csv:(\d+)/gm)].map(([, line]) => line)).toEqual(['12', '22', '32', '202'])
    }
  })
})

describe('08: a reward that is not there', () => {
  const data = csv(
    'id,action,p,r',
    range(400).map(i => [`d${i}`, 'ab'[i % 2], 0.5, i % 4 === 0 ? 1 : '']),
  )

  it('is what the Dataset says', async () => {
    const { dataset, values } = await evaluate(
      await repository({ data, dataset: `${MAPPING}\nreward: { default: 0 }` }),
    )
    expect(dataset).toMatchObject({ rows: 400, dropped: 0, meanReward: 0.25 })
    expect(values['a']).toBe(0.5)
  })

  it('is a fault where it does not, and no advice is to drop it', async () => {
    const said = await refusal(await repository({ data }))
    expect(said).toContain('the log has 300 bad rows (300 × `r` is missing)')
    expect(said).toContain('hint: an absent reward is a choice: `spec.reward.default` says what it counts as')
  })
})

describe('09: every request has its own actions', () => {
  const rng = stream(9, 'case')
  const rows = range(3000).map(i => {
    const size = [2, 3, 5][Math.floor(3 * rng.uniform())]
    const set = [...'abcdef']
      .map(id => [rng.uniform(), id] as const)
      .sort(([x], [y]) => x - y)
      .slice(0, size)
      .map(([, id]) => id)
    return [
      `d${i}`,
      set[Math.floor(size * rng.uniform())],
      1 / size,
      Number(i % 5 === 0 || i > 2988),
      `"${JSON.stringify(set).replaceAll('"', '""')}"`,
    ]
  })

  it('which are what uniform is uniform over', async () => {
    const dataset = 'mapping: { action: action, propensity: p, reward: r, decisionId: id, eligible: eligible }'
    const candidates = '[{ name: logging, logging: true }, { name: uniform, uniform: true }]'
    const {
      dataset: found,
      candidates: results,
      values,
    } = await evaluate(await repository({ data: csv('id,action,p,r,eligible', rows), dataset, candidates }))
    expect(found.meanReward).toBe(0.203)
    expect(results[1].support?.meanWeight).toBeCloseTo(1, 12)
    expect(results[1].verdict).toBe('ok')
    expect(values['uniform']).toBeCloseTo(0.203, 12)
  })
})

describe('10: nearly every decision has another set of actions', () => {
  it('and their number does not change what they are', async () => {
    const rng = stream(10, 'case')
    const [n, all, k] = [3000, 500, 20]
    const policy = `context: {}\nactions: [${range(all)
      .map(i => `{ id: a${i} }`)
      .join(', ')}]\nalgorithm: { learner: { type: uniform } }\nreward: { type: number }`
    const records = range(n).flatMap(i => {
      const ids = new Set<string>()
      while (ids.size < k) ids.add(`a${Math.floor(all * rng.uniform())}`)
      const action = [...ids][Math.floor(k * rng.uniform())]
      const propensities = Array(k).fill(1 / k)
      const slots = [{ slot: 0, action, propensity: 1 / k, propensities, floor: 0 }] as const
      return [
        decision(`d${i}`, propensities, { eligible: [...ids].map(id => ({ id })), slots, unit: `u${i}` }),
        ...(i % 10 === 0 ? [reward(`d${i}`)] : []),
      ]
    })
    const candidates = '[{ name: uniform, uniform: true }, { name: fix, fixed: a1 }, { name: pol, policy: pol }]'
    const data = records.map(record => `${JSON.stringify(record)}\n`).join('')
    const found = await evaluate(
      await repository({
        format: 'dap',
        dataset: 'actions: { policy: pol }\nreward: { wait: 1h }',
        policy,
        candidates,
        data,
      }),
    )
    expect(found.dataset).toMatchObject({ rows: n, meanReward: 0.1 })
    expect(found.values['uniform']).toBeCloseTo(0.1, 12)
    expect(found.values['pol']).toBeCloseTo(0.1, 12)
    expect(found.candidates.map(({ verdict }) => verdict)).toEqual(['ok', 'refuse', 'ok'])
    expect(found.candidates[0].support?.meanWeight).toBeCloseTo(1, 12)
  })
})

describe('12: the last line of a CSV is not whole', () => {
  const data = `${csv(
    'id,action,p,r',
    range(1000).map(i => [`d${i}`, 'ab'[i % 2], 0.5, Number(i % 4 === 0)]),
  )}d400,a`

  it('and is named by its line', async () => {
    expect(await refusal(await repository({ data }))).toContain('  data/l.csv:1002: 2 fields, and the header has 4\n')
  })

  it('or is dropped', async () => {
    expect((await evaluate(await repository({ data, dataset: MAPPING + DROP }))).dataset).toMatchObject({
      rows: 1000,
      dropped: 1,
      meanReward: 0.25,
    })
  })
})

describe("13: Vowpal Wabbit's dsjson", () => {
  const lines = range(400).map(i =>
    JSON.stringify({
      _label_cost: i % 4 === 0 ? -1 : -0,
      _label_probability: 0.5,
      _label_Action: (i % 2) + 1,
      EventId: `e${i}`,
      a: i % 2 === 0 ? [1, 2] : [2, 1],
      c: { User: { name: i % 3 === 0 ? 'Anna' : 'Tom' }, _multi: [{ A: { article: 'x' } }, { A: { article: 'y' } }] },
      p: [0.5, 0.5],
      pdrop: 0,
    }).replace('"_label_cost":0', '"_label_cost":-0.0'),
  )
  const policy = `context: { user: { type: string, enum: [Tom, Anna] } }
features: [{ field: user }]
actions: [{ id: "1" }, { id: "2" }]
algorithm: { learner: { type: linear }, exploration: { type: greedy } }
guardrails: { minProbability: 0.05 }
reward: { type: number }`
  const mapping = (more: string) =>
    `mapping: { decisionId: EventId, action: _label_Action, propensity: ${more}, cost: _label_cost, context: { user: c.User.name } }`

  it.each(['_label_probability', '_label_probability, eligible: a, propensities: p', '"p[0]", dropProbability: pdrop'])(
    'is read as it is: propensity: %s',
    async more => {
      const folder = await repository({
        format: 'jsonl',
        dataset: mapping(more),
        data: `${lines.join('\n')}\n`,
        policy,
        candidates: '[{ name: one, fixed: "1" }, { name: pol, policy: pol }]',
      })
      const { dataset, values, candidates } = await evaluate(folder)
      expect(dataset).toMatchObject({ rows: 400, dropped: 0, meanReward: 0.25 })
      expect(values['one']).toBe(0.5)
      expect(candidates[1].verdict).toBe('ok')
      expect((await dapIn(folder, 'train')).code).toBe(0)
    },
  )

  it('and a user who is no one is named', async () => {
    const data = lines.map((line, i) => (i === 7 ? line.replace('"name":"Tom"', '"name":"Eve"') : line)).join('\n')
    const folder = await repository({
      format: 'jsonl',
      dataset: mapping('_label_probability'),
      data,
      policy,
      candidates: '[{ name: pol, policy: pol }]',
    })
    expect(await refusal(folder)).toContain(
      '  data/l.jsonl:8: the context does not fit policy `pol`: `user` must be one of Tom, Anna',
    )
  })
})

describe('15: NaN is missing, and so is null', () => {
  const policy = `context: { level: { type: number, default: 1 }, platform: { type: string, enum: [ios, android] } }
features: [{ field: level }, { field: platform }]
actions: [{ id: a }, { id: b }]
algorithm: { learner: { type: linear }, exploration: { type: epsilon-greedy } }
guardrails: { minProbability: 0.02 }`
  const candidates = '[{ name: pol, policy: pol }]'
  const row = (i: number, level: unknown) => ({
    id: `d${i}`,
    action: 'ab'[i % 2],
    p: 0.5,
    r: Number(i % 4 === 0),
    level,
    platform: 'ios',
  })

  it.each(['', 'NaN', 'nan', '1'])('in CSV: %s', async level => {
    const rows = range(400).map(i => Object.values(row(i, i === 7 ? level : i + 1)))
    const found = await evaluate(
      await repository({ data: csv('id,action,p,r,level,platform', rows), policy, candidates }),
    )
    expect(found.dataset).toMatchObject({ rows: 400, dropped: 0 })
    expect(found.values['pol']).toBe(0.25)
  })

  it.each([null, undefined, 'NaN', 1])('in JSON lines: %s', async level => {
    const data = range(400)
      .map(i => JSON.stringify(row(i, i === 7 ? level : i + 1)))
      .join('\n')
    const found = await evaluate(await repository({ format: 'jsonl', data, policy, candidates }))
    expect(found.dataset).toMatchObject({ rows: 400, dropped: 0 })
  })

  it.each(['NULL', "'nan'::DOUBLE", '1'])('in Parquet: %s', async level => {
    const folder = await repository({ format: 'parquet', policy, candidates })
    await writeParquet(
      join(folder, 'data/l.parquet'),
      `SELECT 'd' || i AS id, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS action, 0.5 AS p, (i % 4 = 0)::INT AS r, CASE WHEN i = 7 THEN ${level} ELSE i END AS level, 'ios' AS platform FROM range(400) t (i)`,
    )
    expect((await evaluate(folder)).dataset).toMatchObject({ rows: 400, dropped: 0 })
  })

  it('in what is asked, too', async () => {
    const folder = await repository({ policy, candidates })
    const decide = async (context: string) => dapIn(folder, 'decide', 'pol', '--context', context, '--json')
    const [none, absent] = [await decide('{"level":null,"platform":"ios"}'), await decide('{"platform":"ios"}')]
    expect([none.code, absent.code]).toEqual([0, 0])
    expect(JSON.parse(none.stdout).context).toEqual(JSON.parse(absent.stdout).context)
  })
})

describe('16: booleans are rewards and context', () => {
  const policy = `context: { member: { type: boolean } }
features: [{ field: member }]
actions: [{ id: a }, { id: b }]
algorithm: { learner: { type: linear }, exploration: { type: epsilon-greedy } }
guardrails: { minProbability: 0.02 }`
  const candidates = '[{ name: a, fixed: a }, { name: pol, policy: pol }]'

  it.each(['csv', 'jsonl', 'parquet'])('in %s', async format => {
    const python = (value: boolean) => (value ? 'True' : 'False')
    const rows = range(400).map(i => ({
      id: `d${i}`,
      action: 'ab'[i % 2],
      p: 0.5,
      r: i % 4 === 0,
      member: i % 3 === 0,
    }))
    const data = {
      csv: csv(
        'id,action,p,r,member',
        rows.map(({ id, action, p, r, member }, i) => [
          id,
          action,
          p,
          python(r),
          i % 2 === 0 ? python(member) : Number(member).toFixed(1),
        ]),
      ),
      jsonl: rows.map(row => JSON.stringify(row)).join('\n'),
    }[format]
    const folder = await repository({ format, data, policy, candidates })
    if (format === 'parquet') {
      await writeParquet(
        join(folder, 'data/l.parquet'),
        "SELECT 'd' || i AS id, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END AS action, 0.5 AS p, i % 4 = 0 AS r, i % 3 = 0 AS member FROM range(400) t (i)",
      )
    }
    const { dataset, values } = await evaluate(folder)
    expect(dataset).toMatchObject({ rows: 400, dropped: 0, meanReward: 0.25 })
    expect(values['a']).toBe(0.5)
    expect((await dapIn(folder, 'train')).code).toBe(0)
  })
})

describe('18: a log without one valid record', () => {
  const data = range(300).map(i => {
    const { slots, ...rest } = decision(`d${i}`, [0.5, 0.5], { unit: `u${i}` })
    const [{ slot, ...without }] = slots
    return `${JSON.stringify({ ...rest, slots: [without] })}\n`
  })
  const folder = () =>
    repository({
      format: 'dap',
      dataset: 'actions: { policy: pol }\nreward: { wait: 1h }',
      data: data.join(''),
      policy: BETA,
      candidates: LOGGING,
    })

  it.each([['log', 'check', 'data/l.jsonl'], ['log', 'stats', 'data/l.jsonl'], ['evaluate'], ['train']])(
    'ends every command with 1, and it says so: %s %s',
    async (...words) => {
      const { code, stdout, stderr } = await dapIn(await folder(), ...words)
      expect(code).toBe(1)
      expect(stdout + stderr).toMatch(
        words[0] === 'log' ? /no valid decision in the log/ : /300 × `slots\[0\]\.slot` is missing/,
      )
    },
  )

  it('also where bad rows are dropped', async () => {
    const dataset = `actions: { policy: pol }\nreward: { wait: 1h }${DROP}`
    const dropping = await repository({
      format: 'dap',
      dataset,
      data: data.join(''),
      policy: BETA,
      candidates: LOGGING,
    })
    for (const words of [['evaluate'], ['train']]) {
      expect(await refusal(dropping, ...words)).toMatch(
        /^error: the log of Dataset `log` has no row (that can be used|to learn from)\n {2}300 bad rows dropped: data\/l\.jsonl:1: /,
      )
    }
  })
})

describe('19: nobody knows the propensities', () => {
  const rows = (p: readonly unknown[]) => range(400).map(i => ['ab'[i % 2], ...p, Number(i % 4 === 0)])
  const evaluation = 'estimators: [dm]\nrewardModel: { type: tabular, by: [action], prior: 0 }'
  const candidates = '[{ name: a, fixed: a }]'

  it('which leaves the model, under a verdict that says so', async () => {
    const dataset = 'propensity: unknown\nmapping: { action: action, reward: r }'
    const folder = await repository({ data: csv('action,r', rows([])), dataset, evaluation, candidates })
    const { values, candidates: results } = await evaluate(folder)
    // Cross-fitted: each half of the log is predicted by the other.
    expect(values['a']).toBeCloseTo(0.5, 1)
    expect(results[0].verdict).not.toBe('ok')
    expect(JSON.stringify(results[0])).toMatch(/propensit/)
    const ips = await repository({
      data: csv('action,r', rows([])),
      dataset,
      evaluation: `${evaluation.replace('[dm]', '[ips, dm]')}`,
      candidates,
    })
    expect(await refusal(ips)).toContain('`evaluations/ev.yaml` has errors')
    const { code, stdout } = await dapIn(ips, 'validate')
    expect(code).toBe(1)
    expect(stdout).toMatch(/`ips`.*propensit/)
  })

  it('and 1 for all of them is refused for what needs them', async () => {
    const folder = await repository({
      data: csv('action,p,r', rows([1])),
      dataset: ANONYMOUS,
      evaluation: evaluation.replace('[dm]', '[ips, dm]'),
      candidates,
    })
    const { candidates: results } = await evaluate(folder)
    expect(results[0].verdict).toBe('refuse')
    expect(results[0].estimates.find(({ estimator }) => estimator === 'dm')?.value).toBeCloseTo(0.5, 1)
  })
})

/** The same cases as they were filed, where they are beside the repository. */
const SHARED = join(PACKAGE_ROOT, '../shared/cases/data')

describe.skipIf(!existsSync(SHARED))('the cases as they were filed (skipped without ../shared/cases/data)', () => {
  type Spec = Readonly<Record<string, unknown>>
  type Edit = (spec: Spec & { readonly mapping: Spec }) => Spec
  const asItIs: Edit = spec => spec
  const dropping: Edit = spec => ({ ...spec, quality: { badRows: 'drop' } })
  const failing: Edit = ({ quality, ...spec }) => spec

  function copied(name: string, edit: Edit = asItIs): string {
    const folder = mkdtempSync(join(tmpdir(), 'dap-case-'))
    cpSync(join(SHARED, name), folder, { recursive: true, mode: 0 })
    const path = join(folder, 'datasets/log.yaml')
    const dataset = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(path, JSON.stringify({ ...dataset, spec: edit(dataset.spec) }))
    return folder
  }

  it.each<[string, Edit, object, Record<string, number>]>([
    ['02-hash-rows-taken-for-comments', dropping, { rows: 999, dropped: 1 }, { logging: 99 / 999 }],
    ['04-duplicated-decision-ids', asItIs, { rows: 4000, dropped: 0 }, { logging: 0.11175 }],
    ['05-shed-records-not-weighted', asItIs, { rows: 2220 }, { logging: 0.318095, uniform: 0.318095 }],
    ['07-context-fault-cannot-be-dropped', asItIs, { rows: 399, dropped: 1 }, {}],
    [
      '08-no-reward-is-null',
      spec => ({ ...spec, reward: { default: 0 } }),
      { rows: 400, dropped: 0, meanReward: 0.25 },
      { a: 0.5 },
    ],
    [
      '09-per-request-action-sets',
      spec => ({ ...spec, mapping: { ...spec.mapping, eligible: 'eligible' } }),
      { rows: 3000 },
      { logging: 0.203, uniform: 0.203 },
    ],
    ['12-csv-fault-without-line', asItIs, { rows: 1000, dropped: 1 }, {}],
    [
      '13-vw-dsjson-nested-context',
      ({ mapping: { reward: cost, ...mapping }, ...spec }) => ({ ...spec, mapping: { ...mapping, cost } }),
      { dropped: 0 },
      { one: 0.5 },
    ],
    ['15-nan-is-not-missing', asItIs, { rows: 400, dropped: 0 }, { pol: 0.25 }],
    ['16-booleans-as-rewards-and-context', asItIs, { rows: 400, dropped: 0, meanReward: 0.25 }, { a: 0.5 }],
  ])('%s', async (name, edit, dataset, values) => {
    const found = await evaluate(copied(name, edit))
    expect(found.dataset).toMatchObject(dataset)
    for (const [candidate, value] of Object.entries(values)) expect(found.values[candidate]).toBeCloseTo(value, 5)
  })

  it.each<[string, Edit, RegExp]>([
    ['02-hash-rows-taken-for-comments', asItIs, /data\/l\.csv:2: /],
    ['07-context-fault-cannot-be-dropped', failing, /data\/l\.csv:202: /],
    ['12-csv-fault-without-line', failing, /data\/l\.csv:1002: 2 fields, and the header has 4/],
    ['18-log-stats-of-nothing', asItIs, /the log has 300 bad rows/],
  ])('%s is refused', async (name, edit, message) => {
    expect(await refusal(copied(name, edit))).toMatch(message)
  })

  it('19-no-propensities', async () => {
    const folder = copied('19-no-propensities', ({ mapping: { propensity, ...mapping }, ...spec }) => ({
      ...spec,
      propensity: 'unknown',
      mapping,
    }))
    const path = join(folder, 'evaluations/ev.yaml')
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"ips",\s+"snips",/, ''))
    expect((await evaluate(folder)).values['a']).toBeCloseTo(0.5, 1)
  })
})
