import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { openTables } from '../src/adapters/duckdb/duckdb.ts'
import { onnxRuntime } from '../src/adapters/onnx/onnx.ts'
import { InstallationError } from '../src/errors.ts'
import { evaluate } from '../src/evaluate/evaluate.ts'
import type { ContextField, FeatureSpec, PolicySpec, Scorer } from '../src/kinds.ts'
import type { ScoringRuntime } from '../src/models/score-ahead.ts'
import { createPolicy } from '../src/policy/policy.ts'
import { inTurn, median, type Run, verdict } from './measure.ts'
import { onnxMlp } from './onnx-mlp.ts'

const ROWS = 50_000
const ACTIONS = 20
const ROUNDS = 3
const CALL = 1000
const FIELDS = Array.from({ length: 4 }, (_, i) => `x${i}`)
const IDS = Array.from({ length: ACTIONS }, (_, a) => String(a))

/** 64 columns: four numbers of the context, which action it is, and two products of these. */
const FEATURES: readonly FeatureSpec[] = [
  ...FIELDS.map(field => ({ field })),
  { action: 'id' },
  { cross: ['x0', 'action.id'] },
  { cross: ['x1', 'action.id'] },
]
const COLUMNS = 64

/** Evaluation of a candidate whose Model is asked about every row: what a score costs beside the Model itself, and with an MLP of ONNX in this process. */
export async function bench(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-bench-models-'))
  const path = join(folder, 'log.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`COPY (
      SELECT floor(${ACTIONS} * random())::INTEGER AS action, ${1 / ACTIONS} AS propensity, (random() < 0.05)::INTEGER AS reward,
        ${FIELDS.map(field => `random() AS ${field}`).join(', ')}
      FROM range(${ROWS})
    ) TO '${path}' (FORMAT parquet)`)
    const bytes = onnxMlp([COLUMNS, 128, 128, 1])
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    const timed = (runtime: ScoringRuntime) => async (): Promise<Run> => {
      const before = process.cpuUsage()
      await evaluateWith(path, digest, runtime)
      const { user, system } = process.cpuUsage(before)
      return { seconds: (user + system) / 1e6, megabytes: 0 }
    }
    const measured = await mlp(bytes, digest)
    const runtimes: readonly (readonly [string, ScoringRuntime])[] = [['that costs nothing', FIRST_COLUMN], ...measured]
    const results = await inTurn(ROUNDS, [
      ...runtimes.map(([, runtime]) => timed(runtime)),
      ...measured.map(
        ([, runtime]) =>
          () =>
            alone(runtime),
      ),
    ])
    for (const alone of results.slice(runtimes.length)) {
      const rate = (ROWS * ACTIONS) / median(alone.map(({ seconds }) => seconds)) / 1000
      console.log(`the MLP alone, in calls of ${CALL} rows: ${rate.toFixed(0)} k scores/s of CPU time`)
    }
    for (const [i, [name]] of runtimes.entries()) {
      const rate = (ROWS * ACTIONS) / median(results[i].map(({ seconds }) => seconds)) / 1000
      console.log(
        `evaluate with a Model ${name}: ${rate.toFixed(0)} k action scores/s of CPU time (budget 500: ${verdict(rate >= 500)})`,
      )
    }
  } finally {
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true })
  }
}

/** As many scores without whatever asks for them. */
async function alone(runtime: ScoringRuntime): Promise<Run> {
  const x = new Map([['x', { rows: CALL, columns: COLUMNS, data: new Float32Array(CALL * COLUMNS).fill(0.3) }]])
  const { signal } = new AbortController()
  const before = process.cpuUsage()
  for (let i = 0; i < (ROWS * ACTIONS) / CALL; i++) await runtime.run(x, signal)
  const { user, system } = process.cpuUsage(before)
  return { seconds: (user + system) / 1e6, megabytes: 0 }
}

async function mlp(bytes: Uint8Array, digest: string): Promise<readonly (readonly [string, ScoringRuntime])[]> {
  try {
    return [['of 64-128-128-1 in this process', await onnxRuntime(bytes, digest)]]
  } catch (error) {
    if (!(error instanceof InstallationError)) throw error
    console.log('onnxruntime-node is not installed: no MLP is measured')
    return []
  }
}

const FIRST_COLUMN: ScoringRuntime = {
  about: 'the first column',
  async run(inputs) {
    const [{ rows, columns, data }] = [...inputs.values()]
    const y = new Float32Array(rows)
    for (let i = 0; i < rows; i++) y[i] = Number(data[i * columns])
    return new Map([['score', { rows, columns: 1, data: y }]])
  },
}

function evaluateWith(path: string, digest: string, runtime: ScoringRuntime) {
  const scorer: Scorer = {
    name: 'mlp',
    digest,
    runtime: { type: 'onnx', file: 'mlp.onnx', digest },
    inputs: [{ name: 'x', dtype: 'float32', features: FEATURES }],
    output: { type: 'value' },
    listwise: false,
    timeout: '50ms',
    onError: 'fallback',
    log: true,
  }
  const spec: PolicySpec = {
    context: Object.fromEntries(FIELDS.map((name): [string, ContextField] => [name, { type: 'number' }])),
    actions: IDS.map(id => ({ id })),
    decision: { type: 'single' },
    mode: 'online',
    algorithm: {
      learner: { type: 'model', model: 'mlp' },
      exploration: { type: 'squarecb', gamma: { scale: 50, exponent: 0 }, ties: 'random' },
    },
    guardrails: { minProbability: 0.01 },
    reward: { name: 'reward', type: 'binary', wait: '1h', default: 0 },
    scorer,
  }
  return evaluate(
    {
      name: 'bench',
      dataset: {
        name: 'bench',
        digest: 'sha256:0',
        paths: [path],
        spec: {
          files: [path],
          format: 'parquet',
          actions: { range: [0, ACTIONS - 1] },
          mapping: { action: 'action', propensity: 'propensity', reward: 'reward', context: {} },
          propensity: 'logged',
          reward: { minimum: 0, maximum: 1 },
          quality: { badRows: 'fail' },
        },
      },
      spec: {
        dataset: 'bench',
        candidates: [{ name: 'mlp', policy: 'mlp' }],
        estimators: ['ips', 'snips'],
        interval: { method: 'cressie-read', level: 0.95 },
        gates: [],
      },
      policies: new Map([['mlp', createPolicy('mlp', spec, digest)]]),
      tables: new Map(),
      openRuntime: async () => runtime,
    },
    openTables(),
  )
}
