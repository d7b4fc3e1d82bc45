import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { evaluateOnce, FIELDS } from './evaluate-once.ts'
import { benchLists } from './lists.ts'
import { inTurn, median, type Run, runNode, verdict } from './measure.ts'

const ROWS = 10_000_000
const LINEAR_ROWS = 1_000_000
const ROUNDS = 5
const UNITS = 250_000

/**
 * A context-free candidate on 10 M rows of Parquet, beside DuckDB's own SQL for the same sums, and the peak memory; the same where
 * decisions have ids, and where they are of units; then a linear candidate, d = 10, K = 10, on 1 M rows; then
 * lists.
 */
export async function bench(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-bench-'))
  const path = join(folder, 'log.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const contextual = join(folder, 'contextual.parquet')
    const identified = join(folder, 'identified.parquet')
    const players = join(folder, 'players.parquet')
    const quoted = (file: string) => `'${file.replaceAll("'", "''")}'`
    await connection.run(`COPY (
      SELECT floor(10 * random())::INTEGER AS action, 0.05 + 0.9 * random() AS propensity, (random() < 0.05)::INTEGER AS reward
      FROM range(${ROWS})
    ) TO ${quoted(path)} (FORMAT parquet)`)
    await connection.run(`COPY (
      SELECT floor(10 * random())::INTEGER AS action, 0.1 AS propensity, (random() < 0.05)::INTEGER AS reward,
        ${FIELDS.map(field => `random() AS ${field}`).join(', ')}
      FROM range(${LINEAR_ROWS})
    ) TO ${quoted(contextual)} (FORMAT parquet)`)
    await connection.run(`COPY (
      SELECT md5(range::VARCHAR) AS id, floor(10 * random())::INTEGER AS action, 0.05 + 0.9 * random() AS propensity,
        (random() < 0.05)::INTEGER AS reward
      FROM range(${ROWS})
    ) TO ${quoted(identified)} (FORMAT parquet)`)
    await connection.run(`COPY (
      SELECT 'player-' || floor(${UNITS} * random())::INTEGER AS unit, floor(10 * random())::INTEGER AS action,
        0.05 + 0.9 * random() AS propensity, (random() < 0.05)::INTEGER AS reward
      FROM range(${ROWS})
    ) TO ${quoted(players)} (FORMAT parquet)`)
    const timed = async (run: () => Promise<unknown>): Promise<Run> => {
      const start = performance.now()
      await run()
      return { seconds: (performance.now() - start) / 1000, megabytes: 0 }
    }
    const sql = `
      SELECT count(*), sum(w), sum(w * w), max(w), sum(w * r), sum(w * r * w * r), sum(w * w * r), sum(r), sum(r * r)
      FROM (SELECT 0.1 / propensity AS w, reward::DOUBLE AS r FROM read_parquet(${quoted(path)}))`
    const [ours, theirs, processes, linear, byId, byUnit, unitProcesses] = await inTurn(ROUNDS, [
      () => timed(() => evaluateOnce('uniform', path)),
      () => timed(() => connection.run(sql)),
      () => runNode([fileURLToPath(new URL('./evaluate-once.ts', import.meta.url)), 'uniform', path]),
      () => timed(() => evaluateOnce('linear', contextual)),
      () => runNode([fileURLToPath(new URL('./evaluate-once.ts', import.meta.url)), 'uniform-by-id', identified]),
      () => timed(() => evaluateOnce('uniform-by-unit', players)),
      () => runNode([fileURLToPath(new URL('./evaluate-once.ts', import.meta.url)), 'uniform-by-unit', players]),
    ])
    const seconds = median(ours.map(run => run.seconds))
    const ratio = median(ours.map((run, i) => run.seconds / theirs[i].seconds))
    const megabytes = median(processes.map(run => run.megabytes))
    const rate = ROWS / seconds / 1e6
    console.log(
      `evaluate, 10 M rows: ${seconds.toFixed(2)} s, ${rate.toFixed(1)} M rows/s (budget 10: ${verdict(rate >= 10)})`,
    )
    console.log(`against DuckDB's SQL: ${ratio.toFixed(1)} × (budget 10 ×: ${verdict(ratio <= 10)})`)
    console.log(`peak memory of the process: ${megabytes.toFixed(0)} MB (budget 300: ${verdict(megabytes <= 300)})`)
    const idRate = ROWS / median(byId.map(run => run.seconds)) / 1e6
    const idMegabytes = median(byId.map(run => run.megabytes)).toFixed(0)
    console.log(
      `evaluate, 10 M rows with ids, a whole process: ${idRate.toFixed(1)} M rows/s (budget 2: ${verdict(idRate >= 2)}), ${idMegabytes} MB`,
    )
    const unitRate = ROWS / median(byUnit.map(run => run.seconds)) / 1e6
    const unitMegabytes = median(unitProcesses.map(run => run.megabytes))
    console.log(
      `evaluate, 10 M rows of ${UNITS / 1000} k units: ${unitRate.toFixed(1)} M rows/s (budget 5: ${verdict(unitRate >= 5)}), ` +
        `${unitMegabytes.toFixed(0)} MB (budget 300: ${verdict(unitMegabytes <= 300)})`,
    )
    const linearRate = LINEAR_ROWS / median(linear.map(run => run.seconds)) / 1e6
    console.log(`evaluate, linear candidate: ${linearRate.toFixed(2)} M rows/s (budget 1: ${verdict(linearRate >= 1)})`)
    await benchLists()
  } finally {
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true })
  }
}
