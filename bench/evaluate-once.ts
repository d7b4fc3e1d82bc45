import { pathToFileURL } from 'node:url'
import { openTables } from '../src/adapters/duckdb.ts'
import { type EvaluationPlan, evaluate } from '../src/evaluate/evaluate.ts'
import type { EvaluationResult } from '../src/results.ts'

/** IPS and SNIPS of the uniform policy, which looks at no context, on a Parquet file. */
export function evaluateOnce(path: string): Promise<EvaluationResult> {
  const plan: EvaluationPlan = {
    name: 'bench',
    dataset: {
      name: 'bench',
      digest: 'sha256:0',
      paths: [path],
      spec: {
        files: [path],
        format: 'parquet',
        actions: { range: [0, 9] },
        mapping: { action: 'action', propensity: 'propensity', reward: 'reward', context: {} },
        reward: { minimum: 0, maximum: 1 },
        quality: { badRows: 'fail' },
      },
    },
    spec: {
      dataset: 'bench',
      candidates: [{ name: 'uniform', uniform: true }],
      estimators: ['ips', 'snips'],
      interval: { method: 'cressie-read', level: 0.95 },
      gates: [],
    },
    policies: new Map(),
    tables: new Map(),
  }
  return evaluate(plan, openTables())
}

// As a process of its own, to be measured as one.
if (import.meta.url === pathToFileURL(process.argv[1]).href) await evaluateOnce(process.argv[2])
