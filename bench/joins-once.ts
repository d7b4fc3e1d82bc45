import { join } from 'node:path'
import { openTables } from '../src/adapters/duckdb/duckdb.ts'
import { evaluate } from '../src/evaluate/evaluate.ts'
import type { DatasetSpec } from '../src/kinds.ts'

// As a process of its own, to be measured as one: `joins-once.ts parquet|dap FOLDER [MEMORY]`.
const [format, folder, memory] = process.argv.slice(2)
const parquet: DatasetSpec = {
  files: ['decisions.parquet'],
  format: 'parquet',
  actions: { range: [0, 9] },
  mapping: { decisionId: 'id', ts: 'at', action: 'action', propensity: 'propensity', context: {} },
  rewards: { files: ['rewards.parquet'], mapping: { decisionId: 'id', reward: 'value', ts: 'at' } },
  propensity: 'logged',
  reward: { default: 0, wait: '1h' },
  quality: { badRows: 'fail' },
}
const dap: DatasetSpec = {
  files: ['log.jsonl'],
  format: 'dap',
  propensity: 'logged',
  reward: {},
  quality: { badRows: 'fail' },
}
const result = await evaluate(
  {
    name: 'bench',
    dataset: {
      name: 'bench',
      digest: 'sha256:0',
      spec: format === 'dap' ? dap : parquet,
      paths: [join(folder, format === 'dap' ? 'log.jsonl' : 'decisions.parquet')],
      ...(format === 'dap'
        ? { join: { aggregate: 'max', default: 0 } }
        : {
            rewards: { paths: [join(folder, 'rewards.parquet')] },
            join: { wait: 3_600_000, until: 2e12, default: 0 },
          }),
    },
    spec: {
      dataset: 'bench',
      candidates: [{ name: 'uniform', uniform: true }],
      estimators: ['ips', 'snips', 'dr'],
      rewardModel: { type: 'tabular', by: ['action'], prior: 10, crossFit: { folds: 2 } },
      interval: { method: 'cressie-read', level: 0.95 },
      gates: [],
    },
    policies: new Map(),
    tables: new Map(),
  },
  openTables(memory === undefined ? {} : { memory: Number(memory) }),
)
console.log(`${result.dataset.rows} rows, mean reward ${result.dataset.meanReward}`)
