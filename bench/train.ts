import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { openTables } from '../src/adapters/duckdb/duckdb.ts'
import { foldWorkers } from '../src/adapters/node/workers.ts'
import type { ContextField, LearnerSpec, PolicySpec } from '../src/kinds.ts'
import { train } from '../src/train/train.ts'
import { evaluateOnce, FIELDS } from './evaluate-once.ts'
import { inTurn, median, type Run } from './measure.ts'

const ROWS = 1_000_000
const ROUNDS = 5
const WORKER = new URL('../src/worker.ts', import.meta.url)

/** Learning 1 M rows of Parquet, K = 10: `mean`, and `linear` with d = 10 in one thread and in two, beside evaluating the same rows. */
export async function bench(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-bench-'))
  const path = join(folder, 'contextual.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`COPY (
      SELECT floor(10 * random())::INTEGER AS action, 0.1 AS propensity, (random() < 0.05)::INTEGER AS reward,
        ${FIELDS.map(field => `random() AS ${field}`).join(', ')}
      FROM range(${ROWS})
    ) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`)
    const timed = async (run: () => Promise<unknown>): Promise<Run> => {
      const start = performance.now()
      await run()
      return { seconds: (performance.now() - start) / 1000, megabytes: 0 }
    }
    const linear: LearnerSpec = { type: 'linear', l2: 1, intercept: true }
    const [mean, uniform, one, two, judged] = await inTurn(ROUNDS, [
      () => timed(() => trainOnce({ type: 'mean' }, path)),
      () => timed(() => evaluateOnce('uniform', path)),
      () => timed(() => trainOnce(linear, path)),
      () => timed(() => trainOnce(linear, path, 2)),
      () => timed(() => evaluateOnce('linear', path)),
    ])
    const rate = (runs: readonly Run[]) => `${(ROWS / median(runs.map(run => run.seconds)) / 1e6).toFixed(2)} M rows/s`
    const ratio = (runs: readonly Run[], others: readonly Run[]) =>
      `${median(runs.map((run, i) => run.seconds / others[i].seconds)).toFixed(2)} ×`
    console.log(`train, mean: ${rate(mean)}, ${ratio(mean, uniform)} the time of evaluating a uniform candidate`)
    console.log(`train, linear d = 10: ${rate(one)}, ${ratio(one, judged)} the time of evaluating a linear candidate`)
    console.log(`train, linear d = 10, two workers: ${rate(two)}, ${ratio(one, two)} as fast as one`)
  } finally {
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true })
  }
}

function trainOnce(learner: LearnerSpec, path: string, workers = 1): Promise<unknown> {
  const spec: PolicySpec = {
    context: Object.fromEntries(FIELDS.map((name): [string, ContextField] => [name, { type: 'number' }])),
    actions: Array.from({ length: 10 }, (_, a) => ({ id: String(a) })),
    decision: { type: 'single' },
    mode: 'online',
    algorithm: { learner, exploration: { type: 'thompson', scale: 1 } },
    guardrails: { minProbability: 0.01 },
    reward: { name: 'reward', type: 'binary', wait: '1h', default: 0 },
  }
  return train(
    {
      policy: { name: 'bench', spec, digest: '' },
      dataset: {
        name: 'bench',
        spec: {
          files: [path],
          format: 'parquet',
          actions: { range: [0, 9] },
          mapping: { action: 'action', propensity: 'propensity', reward: 'reward', context: {} },
          propensity: 'logged',
          reward: {},
          quality: { badRows: 'fail' },
        },
        paths: [path],
      },
      weights: 'none',
      heldOut: 0,
    },
    openTables(),
    workers > 1 ? foldWorkers(WORKER, workers, new AbortController().signal) : undefined,
  )
}
