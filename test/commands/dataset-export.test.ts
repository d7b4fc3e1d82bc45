import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeFiles } from '../../src/adapters/node/files.ts'
import { packedSize, ridgeSolve } from '../../src/math/ridge.ts'
import { stream } from '../../src/math/rng.ts'
import { createInputs } from '../../src/policy/features.ts'
import { featuresDigest } from '../../src/policy/features-digest.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { readSnapshot } from '../../src/policy/snapshot.ts'
import { describeSnapshot } from '../../src/policy/snapshot-describe.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import type { Resource } from '../../src/repo/resource.ts'
import type { DatasetExportResult } from '../../src/results.ts'
import { onDisk, put } from '../support/disk.ts'
import { expectPublished } from '../support/published.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const POLICY = (algorithm: string, features = '') => `unit: player
context: { player: { type: string }, level: { type: integer }, platform: { type: string, enum: [ios, android] } }
actions:
  - { id: rummy, features: { genre: card, price: 3 } }
  - { id: blocks, features: { genre: puzzle, price: 1 } }
  - { id: mosaic, features: { genre: puzzle, price: 2 } }
${features}
algorithm: ${algorithm}
guardrails: { minProbability: 0.1 }
reward: { name: liked, type: binary, wait: 1h }`

const FILES = {
  'dap.yaml': resource('Project', 'shelf', 'defaults: { seed: 1 }'),
  'policies/shelf.yaml': resource(
    'Policy',
    'shelf',
    POLICY(
      '{ learner: { type: linear, shared: true, l2: 2 }, exploration: { type: thompson } }',
      'features: [{ field: level, transform: log1p }, { action: price }, { cross: [platform, action.genre] }]',
    ),
  ),
  'policies/plain.yaml': resource(
    'Policy',
    'plain',
    POLICY('{ learner: { type: beta }, exploration: { type: thompson } }'),
  ),
  'datasets/log.yaml': resource(
    'Dataset',
    'log',
    `files: [log.csv]
format: csv
actions: { policy: shelf }
mapping: { decisionId: id, ts: at, unit: player, action: game, propensity: p, reward: liked, context: { level: lvl } }`,
  ),
}
const ROWS = 5000
/** Of what a model would see; the learner has an intercept before them. */
const NAMES = [
  'log1p(level)',
  'action.price',
  'platform=ios × action.genre=card',
  'platform=ios × action.genre=puzzle',
  'platform=android × action.genre=card',
  'platform=android × action.genre=puzzle',
]

/** Cards are liked on ios; `bad` rows at the end have no probability. */
function log(bad = 0): string {
  const rng = stream(17, 'export')
  const lines = ['id,at,player,game,p,liked,lvl,platform']
  for (let i = 0; i < ROWS + bad; i++) {
    const platform = rng.uniform() < 0.5 ? 'ios' : 'android'
    const game = ['rummy', 'blocks', 'mosaic'][rng.uint32() % 3]
    const liked = rng.uniform() < ((game === 'rummy') === (platform === 'ios') ? 0.7 : 0.2) ? 1 : 0
    const at = new Date(Date.UTC(2026, 9, 1) + i * 60_000).toISOString()
    lines.push(`d${i},${at},u${i % 600},${game},${i < ROWS ? 0.25 : 2},${liked},${rng.uint32() % 40},${platform}`)
  }
  return `${lines.join('\n')}\n`
}

const folders: string[] = []
afterAll(() => Promise.all(folders.map(folder => rm(folder, { recursive: true }))))

async function repository(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await onDisk({ ...FILES, 'log.csv': log(), ...files })
  folders.push(folder)
  return folder
}

async function exported(folder: string, ...words: string[]): Promise<DatasetExportResult> {
  const { code, stdout, stderr } = await dapIn(folder, 'dataset', 'export', '--policy', 'shelf', '--json', ...words)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as DatasetExportResult
}

/** Rows of a query; `FILE` is the Parquet file. */
async function query(file: string, sql: string): Promise<readonly (readonly unknown[])[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const rows = (await connection.runAndReadAll(sql.replace('FILE', `'${file}'`))).getRowsJson()
  connection.closeSync()
  instance.closeSync()
  return rows as readonly (readonly unknown[])[]
}

/** The ridge regression on the rows of a file, by no more than sums. */
async function ridgeOf(file: string, l2: number): Promise<Float64Array> {
  const d = NAMES.length + 1
  const a = new Float64Array(packedSize(d))
  const theta = new Float64Array(d)
  for (let i = 0; i < d; i++) a[packedSize(i) + i] = l2
  for (const [x, reward, weight] of await query(file, 'SELECT x, reward, weight FROM FILE')) {
    const z = [1, ...(x as number[])]
    for (let i = 0; i < d; i++) {
      theta[i] += Number(weight) * Number(reward) * z[i]
      for (let j = 0; j <= i; j++) a[packedSize(i) + j] += Number(weight) * z[i] * z[j]
    }
  }
  ridgeSolve(a, theta, 0, new Float64Array(packedSize(d)), 0, d)
  return theta
}

/** The coefficients of the snapshot that `dap train` makes, by name. */
async function trained(folder: string, ...words: string[]) {
  const line = ['train', 'shelf', '--dataset', 'log', '--json', ...words]
  const { code, stdout, stderr } = await dapIn(folder, ...line)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const read = readSnapshot(JSON.parse(await readFile(join(folder, 'snapshots/shelf.json'), 'utf8')))
  if (!('snapshot' in read)) throw new Error('no snapshot')
  const { coefficients = [] } = describeSnapshot(read.snapshot)
  return {
    rows: JSON.parse(stdout).dataset.rows as number,
    coefficients: ['intercept', ...NAMES].map(name => coefficients.find(({ feature }) => feature === name)?.value),
  }
}

describe('dataset export', () => {
  it('writes the rows that are learnt as they are learnt: a ridge by hand is that of the snapshot', async () => {
    const folder = await repository()
    for (const holdout of ['0', '0.3']) {
      const result = await exported(folder, 'log', '--features', '--out', 'rows.parquet', '--holdout', holdout)
      const { rows, coefficients } = await trained(folder, '--holdout', holdout)
      expect(result.features?.inputs.map(({ components }) => components)).toEqual([NAMES])
      expect(result.dataset).toMatchObject({ name: 'log', rows, heldOut: ROWS - rows, dropped: 0 })
      const theta = await ridgeOf(join(folder, 'rows.parquet'), 2)
      for (const [i, value] of coefficients.entries())
        expect(Math.abs(theta[i] - (value ?? Number.NaN))).toBeLessThan(1e-5)
    }
  })

  it('does so where requests brought the actions, and probabilities were drawn, whose first decision is replayed', async () => {
    const shelf = POLICY(
      '{ learner: { type: linear, shared: true, l2: 2 }, exploration: { type: thompson, draws: 16 } }',
      'features: [{ field: level, transform: log1p }, { action: price }, { cross: [platform, action.genre] }]',
    )
    const brought = `actions:
  from: request
  max: 8
  features: { genre: { type: string, enum: [card, puzzle] }, price: { type: number } }`
    const folder = await repository({
      'policies/shelf.yaml': resource('Policy', 'shelf', shelf.replace(/actions:\n( {2}- .*\n)+/, `${brought}\n`)),
      'datasets/log.yaml': resource('Dataset', 'log', 'files: [logs]\nformat: dap\nactions: { policy: shelf }'),
      'evaluations/next.yaml': resource(
        'Evaluation',
        'next',
        'dataset: log\ncandidates: [{ name: next, policy: shelf }]\nestimators: [ips]',
      ),
      'scenarios/launch.yaml': resource(
        'Scenario',
        'launch',
        `policies: [shelf]
horizon: 1500
replications: 2
population: { units: 300, context: { level: { poisson: { mean: 9 } }, platform: { categorical: { ios: 0.5, android: 0.5 } } } }
world:
  type: catalogue
  items: 60
  offered: 8
  features: { genre: { categorical: { card: 0.5, puzzle: 0.5 } }, price: { exponential: { mean: 2 } } }
  logit: -1
  effects: [{ of: [platform, action.genre], sd: 1 }]`,
      ),
    })
    const said = async (...words: string[]) => {
      const { code, stdout, stderr } = await dapIn(folder, ...words)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return stdout
    }
    await said('simulate', 'launch', '--log', 'logs/day.jsonl')
    expect(await said('log', 'check', 'logs')).toContain('the log passes')
    const until = ['--until', '2030-01-01T00:00:00Z']
    const { features, dataset } = await exported(folder, 'log', '--features', '--out', 'rows.parquet', ...until)
    const { rows, coefficients } = await trained(folder, '--holdout', '0', ...until)
    expect([dataset.rows, features?.inputs[0].components]).toEqual([rows, NAMES])
    const theta = await ridgeOf(join(folder, 'rows.parquet'), 2)
    for (const [i, value] of coefficients.entries())
      expect(Math.abs(theta[i] - (value ?? Number.NaN))).toBeLessThan(1e-5)

    const log = await readFile(join(folder, 'logs/day.jsonl'), 'utf8')
    const [first] = log.split('\n').map(line => JSON.parse(line || '{}'))
    expect(await query(join(folder, 'rows.parquet'), 'SELECT action, propensity FROM FILE LIMIT 1')).toEqual([
      [first.slots[0].action, first.slots[0].propensity],
    ])
    // What it decides before it has learnt: of that log it is judged by the very draws, and every weight is 1.
    await rm(join(folder, 'snapshots'), { recursive: true })
    const lines = log.split('\n').filter(line => line.includes('"slots"'))
    const records = lines.slice(0, 30).map(line => JSON.parse(line))
    const decided = await Promise.all(
      records.map(async ({ eligible, context, ...record }, i) => {
        const request = ['--context', JSON.stringify(context), '--actions', JSON.stringify(eligible), '--id', `h${i}`]
        const answer = JSON.parse(await said('decide', 'shelf', '--json', ...request))
        const { decisionId, action, propensity, propensities, floor, randomness } = answer
        const slots = [{ ...record.slots[0], action, propensity, propensities, floor }]
        return JSON.stringify({ ...record, eligible, context, decisionId, slots, randomness })
      }),
    )
    await put(folder, 'logs/day.jsonl', `${decided.join('\n')}\n`)
    const judged = JSON.parse(await said('evaluate', 'next', '--json'))
    expect(judged.dataset).toMatchObject({ rows: 30 })
    expect(judged.candidates[0].support).toMatchObject({ meanWeight: 1, maxWeight: 1 })

    // Nothing had been learnt then, as of a server without a snapshot.
    await put(folder, 'one/a.jsonl', `${JSON.stringify({ ...first, policy: { ...first.policy, snapshot: null } })}\n`)
    expect(await said('decide', '--replay', 'one')).toContain('bit for bit: the same')
    const other = { ...first, decisionId: 'other', policy: { ...first.policy, snapshot: null } }
    await put(folder, 'one/a.jsonl', `${JSON.stringify(other)}\n`)
    expect(await dapIn(folder, 'decide', '--replay', 'one')).toMatchObject({ code: 1 })
  })

  it('says what it wrote, in its metadata, too, and writes the same bytes again', async () => {
    const folder = await repository()
    const result = await exported(folder, 'log', '--features', '--out', 'deep/rows.parquet')
    expectPublished('dataset-export-result', result)
    const file = join(folder, 'deep/rows.parquet')
    const bytes = await readFile(file)
    expect(result.file).toEqual({
      path: 'deep/rows.parquet',
      digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
      bytes: bytes.length,
    })
    const again = await exported(folder, 'log', '--features', '--out', 'again.parquet')
    expect(again.file.digest).toBe(result.file.digest)
    const [[about]] = await query(file, "SELECT decode(value) FROM parquet_kv_metadata(FILE) WHERE decode(key) = 'dap'")
    const written = JSON.parse(await readFile(join(folder, 'deep/rows.features.json'), 'utf8'))
    expectPublished('exported-features', written)
    expect(written).toEqual({
      schema: 'dap.exported-features/v1',
      digest: result.features?.digest,
      inputs: [
        {
          name: 'x',
          dtype: 'float32',
          features: [
            { field: 'level', transform: 'log1p' },
            { action: 'price' },
            { cross: ['platform', 'action.genre'] },
          ],
          column: 'x',
          components: NAMES,
        },
      ],
      dataset: { name: 'log', digest: `sha256:${result.dataset.digest}` },
      policy: { name: 'shelf', digest: expect.stringMatching(/^sha256:/) },
      rows: ROWS,
    })
    const { rows: _, ...known } = written
    expect(JSON.parse(String(about))).toEqual(known)
    expect(await query(file, 'SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM FILE)')).toEqual([
      ['decisionId', 'VARCHAR'],
      ['ts', 'TIMESTAMP WITH TIME ZONE'],
      ['action', 'VARCHAR'],
      ['propensity', 'DOUBLE'],
      ['reward', 'DOUBLE'],
      ['weight', 'DOUBLE'],
      ['x', 'FLOAT[]'],
    ])
    const columns = 'decisionId, epoch_ms(ts)::VARCHAR, action, propensity, reward, weight'
    const decisions = await query(file, `SELECT ${columns} FROM FILE`)
    const expected = log()
      .trim()
      .split('\n')
      .slice(1)
      .map(line => {
        const [id, at, , game, p, liked] = line.split(',')
        return [id, String(Date.parse(at)), game, Number(p), Number(liked), 1]
      })
    expect(decisions).toEqual(expected)
  })

  it('writes decisions alone, where no features are asked for, and what is missing as missing', async () => {
    const bare =
      'files: [log.csv]\nformat: csv\npropensity: unknown\nactions: { policy: plain }\nmapping: { action: game, reward: liked }'
    const folder = await repository({ 'datasets/bare.yaml': resource('Dataset', 'bare', bare) })
    const line = ['dataset', 'export', 'bare', '--policy', 'plain', '--out', 'rows.parquet']
    const { code, stdout, stderr } = await dapIn(folder, ...line)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.replace(/sha256:[0-9a-f]{64}/, 'sha256:…')).toMatchInlineSnapshot(`
      "bare: 5,000 rows
      rows.parquet  sha256:…
      columns: decisionId, ts, action, propensity, reward, weight
      "
    `)
    expect(
      await query(join(folder, 'rows.parquet'), 'SELECT DISTINCT decisionId, ts, propensity, weight FROM FILE'),
    ).toEqual([[null, null, null, 1]])
  })

  it.each([
    ['a log with bad rows', ['log', '--policy', 'shelf', '--out', 'out/rows.parquet'], 1, '3 bad rows'],
    ['no file', ['log', '--policy', 'shelf'], 3, 'nothing says which file is to be written'],
    [
      'another format',
      ['log', '--policy', 'shelf', '--out', 'out/rows.csv'],
      3,
      'what is written is Parquet, and `out/rows.csv` ends in `.csv`',
    ],
    ['a folder', ['log', '--policy', 'shelf', '--out', 'out'], 3, '`out` is a folder'],
    ['its own log', ['log', '--policy', 'shelf', '--out', './log.csv'], 3, '`./log.csv` is a file of Dataset `log`'],
    ['two policies', ['log', '--out', 'out/rows.parquet'], 3, 'shelf'],
    ['no features', ['log', '--policy', 'plain', '--features', '--out', 'out/rows.parquet'], 1, 'looks at none'],
    [
      'no wait',
      ['log', '--policy', 'shelf', '--until', '2026-10-02T00:00:00Z', '--out', 'out/rows.parquet'],
      3,
      '--until',
    ],
    ['a file as a folder', ['log', '--policy', 'shelf', '--out', 'log.csv/rows.parquet'], 1, 'cannot write'],
    [
      'a share of all',
      ['log', '--policy', 'shelf', '--out', 'o.parquet', '--holdout', '1'],
      3,
      '--holdout takes a share',
    ],
  ])('refuses %s, and leaves nothing behind', async (_, words, exit, said) => {
    const folder = await repository({ 'log.csv': log(3) })
    await mkdir(join(folder, 'out'))
    const before = await readdir(folder)
    const { code, stdout, stderr } = await dapIn(folder, 'dataset', 'export', ...words)
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' })
    expect(stderr).toContain(said)
    expect(await readdir(join(folder, 'out'))).toEqual([])
    expect(await readdir(folder)).toEqual(before)
    expect(await readFile(join(folder, 'log.csv'), 'utf8')).toBe(log(3))
  })

  it.each([
    ['before a row is read', 0],
    ['when all are read', 1],
  ])('is stopped without a trace %s: the file that was there stays', async (_, reading) => {
    const folder = await repository()
    await put(folder, 'rows.parquet', 'before')
    const before = await readdir(folder)
    const abort = new AbortController()
    const files = nodeFiles()
    let stamped = 0
    const stopping = {
      ...files,
      stamp(path: string) {
        // The log's: before it is digested, and after it was read.
        if (stamped++ === reading) abort.abort()
        return files.stamp(path)
      },
    }
    const line = ['dataset', 'export', 'log', '--policy', 'shelf', '--features', '--out', 'rows.parquet']
    expect(await dapIn({ folder, files: stopping, signal: abort.signal }, ...line)).toMatchObject({
      code: 130,
      stdout: '',
    })
    expect(stamped).toBe(reading + 1)
    expect(await readdir(folder)).toEqual(before)
    expect(await readFile(join(folder, 'rows.parquet'), 'utf8')).toBe('before')
  })
})

describe('dataset export of what goes into a Model', () => {
  const MODEL = `runtime: { type: tf-serving, url: 'http://models.test:8501', model: liked }
output: { type: logit }
inputs:
  - { name: x, features: [{ cross: [platform, action.genre] }, { field: level, transform: log1p }, { action: price }] }
  - { name: Reward, dtype: float64, features: [{ field: level, transform: standardize, mean: 7, sd: 3 }] }
  - { name: level, dtype: int64, features: [{ field: level }] }
  - { name: kind, dtype: bool, features: [{ action: genre }] }`
  const asking = (learner: string, features = '') =>
    resource(
      'Policy',
      'asking',
      POLICY(`{ learner: ${learner}, exploration: { type: epsilon-greedy, epsilon: 0.4 } }`, features).replace(
        'level: { type: integer }',
        'level: { type: integer, minimum: 0 }',
      ),
    )
  const WITH_MODEL = {
    'models/liked.yaml': resource('Model', 'liked', MODEL),
    'policies/asking.yaml': asking('{ type: model, model: liked }'),
    'policies/shelf.yaml': FILES['policies/shelf.yaml'].replace('{ type: integer }', '{ type: integer, minimum: 0 }'),
  }
  const INPUTS = [
    ['x', 'x', 'float32'],
    ['Reward', 'Reward_2', 'float64'],
    ['level', 'level', 'int64'],
    ['kind', 'kind', 'bool'],
  ]

  /** The matrix by the policy's own code, from the text of the log. */
  async function expectedRows(folder: string) {
    const opened = await loadRepository(
      await Promise.all(
        Object.keys({ ...FILES, ...WITH_MODEL })
          .filter(path => !path.startsWith('datasets'))
          .map(async path => ({ path, text: await readFile(join(folder, path), 'utf8') })),
      ),
    )
    const { spec } = opened.get('Policy', 'shelf') as Resource<'Policy'>
    const inputs = opened.get('Model', 'liked')?.spec.inputs ?? []
    const features = createInputs(spec, { inputs })
    const known = createPolicy('shelf', spec, 'sha256:')
    const rows = log()
      .trim()
      .split('\n')
      .slice(1)
      .map(line => {
        const [, , player, game, , , level, platform] = line.split(',')
        const read = known.context({ player, level: Number(level), platform })
        if ('faults' in read) throw new Error('no context')
        return features.map(({ dimension, writeRow }, i) => {
          const x = new Float64Array(dimension)
          writeRow(read.context, known.actions.indexOf(game), x)
          return i === 0 ? Array.from(x, Math.fround) : [...x]
        })
      })
    return { rows, digest: featuresDigest(inputs, features), components: features.map(({ names }) => names) }
  }

  it('has in every row, of every type, what a decision would ask the Model; and says the digest that the Model is held to', async () => {
    const folder = await repository(WITH_MODEL)
    const line = ['dataset', 'export', 'log', '--json', '--policy', 'asking', '--features', '--out', 'rows.parquet']
    const { code, stdout, stderr } = await dapIn(folder, ...line)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { features, dataset } = JSON.parse(stdout) as DatasetExportResult
    expect(dataset).toMatchObject({ rows: ROWS, dropped: 0 })
    const { rows, digest, components } = await expectedRows(folder)
    expect(features).toMatchObject({ digest, model: 'liked', path: 'rows.features.json' })
    expect(features?.inputs.map(input => [input.name, input.column, input.dtype])).toEqual(INPUTS)
    expect(features?.inputs.map(input => input.components)).toEqual(components)
    const columns = INPUTS.map(([, column]) => `"${column}"`).join(', ')
    const written = await query(join(folder, 'rows.parquet'), `SELECT ${columns} FROM FILE`)
    const plain = written.map(row => (row as unknown[][]).map(list => list.map(Number)))
    expect(plain).toEqual(rows)
    const types = await query(join(folder, 'rows.parquet'), 'SELECT column_type FROM (DESCRIBE SELECT * FROM FILE)')
    expect(types.flat().slice(6)).toEqual(['FLOAT[]', 'DOUBLE[]', 'BIGINT[]', 'BOOLEAN[]'])

    // It is found by the Model, and any policy with the same fields can have its rows exported.
    const byModel = await dapIn(
      folder,
      'dataset',
      'export',
      'log',
      '--json',
      '--model',
      'liked',
      '--out',
      'again.parquet',
    )
    const again = JSON.parse(byModel.stdout) as DatasetExportResult
    expect([again.policy, again.file.digest]).toEqual(['asking', JSON.parse(stdout).file.digest])
    const other = await exported(folder, 'log', '--model', 'liked', '--out', 'shelf.parquet')
    expect(other.features?.digest).toBe(digest)

    // What was exported is what the Model is to say; other features are refused.
    const { stdout: said } = await dapIn(folder, ...line.filter(word => word !== '--json'))
    const provenance = said.slice(said.indexOf('provenance:'))
    for (const [text, exit] of [
      [provenance, 0],
      [provenance.replace(digest, `sha256:${'0'.repeat(64)}`), 1],
    ] as const) {
      await put(folder, 'models/liked.yaml', resource('Model', 'liked', `${MODEL}\n${text.replace(/^ {2}/gm, '')}`))
      const validated = await dapIn(folder, 'validate')
      expect(validated).toMatchObject({ code: exit })
      expect(validated.stdout.includes('was trained on other features')).toBe(exit === 1)
    }
  })

  it('does not need the records of what the Model gave, which a policy over its embedding learns from', async () => {
    const embedding = MODEL.replace('{ type: logit }', '{ type: embedding, width: 4 }')
    const folder = await repository({
      ...WITH_MODEL,
      'models/liked.yaml': resource('Model', 'liked', embedding),
      'policies/asking.yaml': asking('{ type: linear, shared: true }', 'features: [{ model: liked }]'),
    })
    const line = ['dataset', 'export', 'log', '--json', '--policy', 'asking', '--features', '--out', 'rows.parquet']
    const { code, stdout, stderr } = await dapIn(folder, ...line)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout).dataset.rows).toBe(ROWS)
    expect(JSON.parse(stdout).features.digest).toBe((await expectedRows(folder)).digest)
  })

  it('makes the first of the features of a policy, which says in the end that it was trained on them', async () => {
    const folder = await repository(WITH_MODEL)
    const line = ['dataset', 'export', 'log', '--policy', 'shelf', '--features', '--out', 'rows.parquet']
    const { stdout } = await dapIn(folder, ...line)
    const inputs = stdout.slice(stdout.indexOf('  inputs:')).replace(/^ {2}/gm, '')
    await put(
      folder,
      'models/liked.yaml',
      resource('Model', 'liked', `${MODEL.slice(0, MODEL.indexOf('inputs:'))}${inputs}`),
    )
    expect(await dapIn(folder, 'validate')).toMatchObject({ code: 0 })
    const { stdout: json } = await dapIn(
      folder,
      'dataset',
      'export',
      'log',
      '--json',
      '--model',
      'liked',
      '--out',
      'm.parquet',
    )
    const [{ components }] = (JSON.parse(json) as DatasetExportResult).features?.inputs ?? []
    expect(components).toEqual(NAMES)
  })

  it.each([
    [
      'a policy without the fields',
      { 'policies/plain.yaml': FILES['policies/plain.yaml'].replace('level:', 'stage:') },
      ['--policy', 'plain', '--model', 'liked'],
      'input `x` of the Model `liked` cannot be made by policy `plain`',
    ],
    ['a Model that is not there', {}, ['--policy', 'shelf', '--model', 'likes'], 'no model `likes`'],
    [
      'lists',
      {
        'policies/shelf.yaml': FILES['policies/shelf.yaml']
          .replace('unit:', 'decision: { type: ranking, slots: 2 }\n  unit:')
          .replace(/guardrails: .*/, ''),
      },
      ['--policy', 'shelf', '--features'],
      'decides lists',
    ],
    [
      'what there is no feature of',
      {
        'policies/shelf.yaml': FILES['policies/shelf.yaml'],
        'log.csv': log().replace(/^(d7,.*),\d+,(\w+)$/m, '$1,-1,$2'),
      },
      ['--policy', 'shelf', '--model', 'liked'],
      'it is nothing for the input `x`',
    ],
  ])('refuses %s', async (_, files, words, said) => {
    const folder = await repository({ ...WITH_MODEL, ...files })
    const before = await readdir(folder)
    const { code, stdout, stderr } = await dapIn(folder, 'dataset', 'export', 'log', ...words, '--out', 'rows.parquet')
    expect([code === 0, stdout]).toEqual([false, ''])
    expect(stderr).toContain(said)
    expect(await readdir(folder)).toEqual(before)
  })
})
