import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { evaluateOnce } from './evaluate-once.ts'
import { inTurn, median, type Run, runNode, verdict } from './measure.ts'

const ROWS = 10_000_000
const ROUNDS = 5

/** A context-free candidate on 10 M rows of Parquet, beside DuckDB's own SQL for the same sums, and the peak memory. */
export async function bench(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-bench-'))
  const path = join(folder, 'log.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`COPY (
      SELECT floor(10 * random())::INTEGER AS action, 0.05 + 0.9 * random() AS propensity, (random() < 0.05)::INTEGER AS reward
      FROM range(${ROWS})
    ) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`)
    const timed = async (run: () => Promise<unknown>): Promise<Run> => {
      const start = performance.now()
      await run()
      return { seconds: (performance.now() - start) / 1000, megabytes: 0 }
    }
    const sql = `
      SELECT count(*), sum(w), sum(w * w), max(w), sum(w * r), sum(w * r * w * r), sum(w * w * r), sum(r), sum(r * r)
      FROM (SELECT 0.1 / propensity AS w, reward::DOUBLE AS r FROM read_parquet('${path.replaceAll("'", "''")}'))`
    const [ours, theirs, processes] = await inTurn(ROUNDS, [
      () => timed(() => evaluateOnce(path)),
      () => timed(() => connection.run(sql)),
      () => runNode([fileURLToPath(new URL('./evaluate-once.ts', import.meta.url)), path]),
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
  } finally {
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true })
  }
}
