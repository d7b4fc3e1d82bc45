/**
 * What each file of a config repository says, after the schema's defaults have been filled in: the types are made from `schemas/`
 * (`scripts/types.ts`). Types and the list of kinds: every folder may import them.
 */
import type * as made from './generated/types.ts'
import type {
  EvaluationSpec as EvaluationFile,
  ExplorationSpec,
  PolicyDocument,
  RewardSpec,
  ScenarioSpec as ScenarioFile,
} from './generated/types.ts'

export { KINDS } from './generated/names.ts'
export type {
  ActionSetSpec,
  ActionSpec,
  AlgorithmSpec,
  CandidateSpec,
  ClickSpec,
  ContextField,
  CrossFeature,
  CsvSpec,
  DatasetSpec,
  DeploymentSpec,
  DistributionSpec,
  EnvironmentSpec,
  EvidenceSpec,
  ExplorationSpec,
  FeatureSpec,
  GateSpec,
  GuardrailsSpec,
  HashFeature,
  HashSpec,
  Kind,
  LearnerSpec,
  LearntFromSpec,
  MappingSpec,
  ModelCalibration,
  ModelCurve,
  ModelFeature,
  ModelInput,
  ModelOutput,
  ModelRuntime,
  ModelSpec,
  PolicySpec,
  ProjectSpec,
  RequestActions,
  RewardModelSpec,
  RewardSpec,
  ScoreExplorationSpec,
  Scorer,
  SetAction,
  SetActions,
  SetPool,
  TermSpec,
  WorldSpec,
} from './generated/types.ts'

export type Metadata = PolicyDocument['metadata']

/** What a Scenario leaves out it takes from the Project's `defaults`, when it is read. */
export type ScenarioSpec = ScenarioFile & Required<Pick<ScenarioFile, 'seed' | 'level'>>

export type EvaluationSpec = EvaluationFile & { readonly interval: Required<EvaluationFile['interval']> }

export interface Specs {
  Project: made.ProjectSpec
  Environment: made.EnvironmentSpec
  ActionSet: made.ActionSetSpec
  Model: made.ModelSpec
  Policy: made.PolicySpec
  Scenario: ScenarioSpec
  Dataset: made.DatasetSpec
  Evaluation: EvaluationSpec
  Deployment: made.DeploymentSpec
}

/** A named CEL rule over a result: an expectation or a gate. */
export type RuleSpec = ScenarioSpec['expect'][number]

/** How an argmax over equal indices is settled; `first` is what several peers do, and flatters lists with the best action first. */
export type Ties = Extract<ExplorationSpec, { type: 'greedy' }>['ties']

/** What several rewards of one decision come to. */
export type RewardAggregate = NonNullable<RewardSpec['aggregate']>

export type TableFormat = NonNullable<NonNullable<made.DatasetSpec['rewards']>['format']>

/** The type of an estimator, or what it takes to tell two of one type apart: weights are cut at λ. */
export type EstimatorSpec = EvaluationSpec['estimators'][number]
