import type { EvaluationPlan } from '../../../src/evaluate/evaluation-plan.ts'
import type { DatasetSpec, EvaluationSpec, MappingSpec } from '../../../src/kinds.ts'

export interface PlanParts {
  readonly paths?: readonly string[]
  readonly dataset?: Partial<DatasetSpec>
  readonly mapping?: Partial<MappingSpec>
  readonly spec?: Partial<EvaluationSpec>
  readonly policies?: EvaluationPlan['policies']
  readonly tables?: EvaluationPlan['tables']
  readonly policyActions?: EvaluationPlan['dataset']['policyActions']
}

/** A plan with everything filled in: a log with columns action, propensity and reward; IPS; a Gaussian interval. */
export function plan(parts: PlanParts = {}): EvaluationPlan {
  const { paths = ['memory'], dataset, mapping, spec, policies, tables, policyActions } = parts
  return {
    name: 'test',
    dataset: {
      name: 'log',
      digest: 'sha256:0',
      paths,
      policyActions,
      spec: {
        files: ['log.csv'],
        format: 'csv',
        mapping: { action: 'action', propensity: 'propensity', reward: 'reward', context: {}, ...mapping },
        propensity: 'logged',
        reward: {},
        quality: { badRows: 'fail' },
        ...dataset,
      },
    },
    spec: {
      dataset: 'log',
      candidates: [{ name: 'uniform', uniform: true }],
      estimators: ['ips'],
      interval: { method: 'gaussian', level: 0.95 },
      gates: [],
      ...spec,
    },
    policies: policies ?? new Map(),
    tables: tables ?? new Map(),
  }
}
