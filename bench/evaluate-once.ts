import { openTables } from '../src/adapters/duckdb/duckdb.ts'
import { evaluate } from '../src/evaluate/evaluate.ts'
import type { EvaluationPlan } from '../src/evaluate/evaluation-plan.ts'
import type { CandidateSpec, ContextField, PolicySpec } from '../src/kinds.ts'
import { stream } from '../src/math/rng.ts'
import { createPolicy, type Policy } from '../src/policy/policy.ts'
import type { EvaluationResult } from '../src/results.ts'

/** Context fields of the linear candidate, and columns of its log: x0 … x9. */
export const FIELDS = Array.from({ length: 10 }, (_, i) => `x${i}`)
const ACTIONS = Array.from({ length: 10 }, (_, a) => String(a))

export type Candidate = 'uniform' | 'linear' | 'uniform-by-id' | 'uniform-by-unit'

/**
 * IPS and SNIPS, on a Parquet file, of the uniform policy, which looks at no context, or of a linear one, which does; `by-id` also checks that
 * every decision counts once; `by-unit` lets the rows of a unit depend on each other.
 */
export function evaluateOnce(candidate: Candidate, path: string): Promise<EvaluationResult> {
  const spec: CandidateSpec =
    candidate === 'linear' ? { name: candidate, policy: candidate } : { name: candidate, uniform: true }
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
        mapping: {
          action: 'action',
          propensity: 'propensity',
          reward: 'reward',
          context: {},
          ...(candidate === 'uniform-by-id' ? { decisionId: 'id' } : {}),
          ...(candidate === 'uniform-by-unit' ? { unit: 'unit' } : {}),
        },
        propensity: 'logged',
        reward: { minimum: 0, maximum: 1 },
        quality: { badRows: 'fail' },
      },
    },
    spec: {
      dataset: 'bench',
      candidates: [spec],
      estimators: ['ips', 'snips'],
      interval: { method: 'cressie-read', level: 0.95 },
      gates: [],
    },
    policies: new Map(candidate === 'linear' ? [['linear', trainedPolicy()]] : []),
    tables: new Map(),
  }
  return evaluate(plan, openTables())
}

/** LinGreedy with a floor over ten numbers and an intercept, after a thousand rewards. */
function trainedPolicy(): Policy {
  const spec: PolicySpec = {
    context: Object.fromEntries(FIELDS.map((name): [string, ContextField] => [name, { type: 'number' }])),
    actions: ACTIONS.map(id => ({ id })),
    decision: { type: 'single' },
    mode: 'online',
    algorithm: {
      learner: { type: 'linear', l2: 1, intercept: true },
      exploration: { type: 'greedy', ties: 'random' },
    },
    guardrails: { minProbability: 0.01 },
    reward: { name: 'reward', type: 'binary', wait: '1h', default: 0 },
  }
  const policy = createPolicy('linear', spec, '')
  const rng = stream(1, 'bench')
  const x = new Float64Array(policy.features.dimension)
  for (let t = 0; t < 1000; t++) {
    for (let i = 0; i < x.length; i++) x[i] = rng.uniform()
    policy.learner.learn(t % ACTIONS.length, x, rng.uniform() < x[t % ACTIONS.length] ? 1 : 0)
  }
  return policy
}

// As a process of its own, to be measured as one.
if (import.meta.main) await evaluateOnce(process.argv[2] as Candidate, process.argv[3])
