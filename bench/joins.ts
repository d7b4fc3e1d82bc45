import fs from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { DECISION_SCHEMAS, REWARD_SCHEMA } from '../src/log/records/records.ts'
import { DRAW_SCHEME, drawIndex, drawUniform } from '../src/policy/draw.ts'
import { runNode, verdict } from './measure.ts'

const DECISIONS = 30_000_000
const LINES = 3_000_000
const ONCE = fileURLToPath(new URL('./joins-once.ts', import.meta.url))

/**
 * 30 M mapped decisions in Parquet whose 15 M rewards are in a second file, and 3 M JSON lines of a `dap` log: each joined and evaluated in
 * a process of its own, once, since a run takes minutes.
 */
export async function bench(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-bench-'))
  try {
    await writeParquet(folder)
    const mapped = await runNode([ONCE, 'parquet', folder])
    console.log(
      `join, 30 M decisions with 15 M rewards: ${mapped.seconds.toFixed(0)} s, ${(DECISIONS / mapped.seconds / 1e6).toFixed(2)} M rows/s, ` +
        `peak memory of the process ${mapped.megabytes.toFixed(0)} MB (budget 2000: ${verdict(mapped.megabytes <= 2000)})`,
    )
    writeLines(join(folder, 'log.jsonl'))
    for (const memory of [200e6, 1e9]) {
      const lines = await runNode([ONCE, 'dap', folder, String(memory)])
      console.log(
        `dap log, 3 M lines, ${memory / 1e6} MB of state: ${lines.seconds.toFixed(0)} s, ${(LINES / lines.seconds / 1000).toFixed(0)} k lines/s, ` +
          `peak memory of the process ${lines.megabytes.toFixed(0)} MB`,
      )
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function writeParquet(folder: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const at = (i: string) => `make_timestamp(1700000000000000 + ${i} * 1000)`
  const write = (query: string, name: string) =>
    connection.run(`COPY (${query}) TO '${join(folder, name).replaceAll("'", "''")}' (FORMAT parquet)`)
  await write(
    `SELECT md5(range::VARCHAR) AS id, ${at('range')} AS at, floor(10 * random())::INTEGER AS action,
      0.05 + 0.9 * random() AS propensity FROM range(${DECISIONS})`,
    'decisions.parquet',
  )
  await write(
    `SELECT md5(i::VARCHAR) AS id, ${at('i')} + INTERVAL 1 MINUTE AS at, 1.0 AS value
      FROM (SELECT (range * 7919) % ${DECISIONS} AS i FROM range(${DECISIONS / 2}))`,
    'rewards.parquet',
  )
  connection.closeSync()
  instance.closeSync()
}

/** Two decisions a reward. */
function writeLines(path: string): void {
  const file = fs.openSync(path, 'w')
  const actions = ['none', 'gold-small', 'bundle-mid', 'bundle-large']
  const propensities = [0.2, 0.3, 0.1, 0.4]
  let text = ''
  for (let line = 0, i = 0; line < LINES; i++) {
    const decisionId = `${i}-8a1f5e0c-2f4d-4a7e-9d55-1b0f4c0a6d3e`
    const ts = new Date(1.7e12 + i * 10).toISOString()
    const u = drawUniform('shop-offer', decisionId)
    const at = drawIndex(propensities, u)
    const decision = {
      schema: DECISION_SCHEMAS[0],
      decisionId,
      ts,
      mode: 'online',
      policy: { name: 'shop-offer', digest: 'sha256:0', snapshot: null, runtime: 'dap/0.1.0' },
      unit: `player-${i % 200_000}`,
      context: { level: i % 100, platform: i % 2 === 0 ? 'ios' : 'android', spend30d: i / 7 },
      eligible: actions.map(id => ({ id })),
      excluded: [],
      slots: [{ slot: 0, action: actions[at], propensity: propensities[at], propensities, floor: 0.02 }],
      randomness: { scheme: DRAW_SCHEME, salt: 'shop-offer', u },
      served: { by: 'policy' },
      logProbability: 1,
      latencyUs: 120,
    }
    text += `${JSON.stringify(decision)}\n`
    line++
    if (i % 2 === 0) {
      const reward = { schema: REWARD_SCHEMA, rewardId: `r${i}`, decisionId, value: 1, ts }
      text += `${JSON.stringify(reward)}\n`
      line++
    }
    if (text.length > 1 << 20) {
      fs.writeSync(file, text)
      text = ''
    }
  }
  fs.writeSync(file, text)
  fs.closeSync(file)
}
