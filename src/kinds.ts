/**
 * What each file of a config repository says, after the schema's defaults have been filled in. `schemas/` says the same
 * as JSON Schema, with a description, a default and an example for every field. Types and the list of kinds: every folder
 * may import them.
 */

export const KINDS = ['Project', 'Environment', 'Policy', 'Scenario', 'Dataset', 'Evaluation', 'Deployment'] as const
export type Kind = (typeof KINDS)[number]

export interface Metadata {
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly description?: string
}

export interface Specs {
  Project: ProjectSpec
  Environment: EnvironmentSpec
  Policy: PolicySpec
  Scenario: ScenarioSpec
  Dataset: DatasetSpec
  Evaluation: EvaluationSpec
  Deployment: DeploymentSpec
}

// --- Project ---------------------------------------------------------------------------------------------------------

export interface ProjectSpec {
  /** Whose the deployments are; needed by what asks a cloud. */
  readonly projectId?: string
  /** Folders that are searched for resources, relative to the root. */
  readonly folders: readonly string[]
  /** Folders outside the repository (absolute, or relative to the root) that Datasets and tables may read where they are confirmed. */
  readonly dataRoots: readonly string[]
  readonly defaults: {
    /** The seed of Scenarios that name none. */
    readonly seed: number
    /** The confidence level of Scenarios and Evaluations that name none. */
    readonly level: number
  }
}

// --- Policy ----------------------------------------------------------------------------------------------------------

export interface PolicySpec {
  /** The context field that names who is decided for; needed by a holdout. */
  readonly unit?: string
  readonly context: Readonly<Record<string, ContextField>>
  /** Default: every number, boolean, enum and vector of the context, in order. */
  readonly features?: readonly FeatureSpec[]
  readonly actions: readonly ActionSpec[]
  readonly decision: { readonly type: 'single' }
  readonly algorithm: AlgorithmSpec
  readonly guardrails: GuardrailsSpec
  readonly reward: RewardSpec
  /** `none`: this policy's log is never meant to be evaluated, so it may be deterministic. */
  readonly evaluation?: 'none'
  /** First part of the draw's key; default: the policy's name. */
  readonly salt?: string
  /** What a server does with the policy's choice. */
  readonly mode: 'online' | 'shadow' | 'apprentice' | 'logging-only'
}

export type ContextField =
  | {
      readonly type: 'string'
      readonly enum?: readonly string[]
      readonly maxLength?: number
      readonly default?: string
    }
  | {
      readonly type: 'integer' | 'number'
      readonly minimum?: number
      readonly maximum?: number
      readonly default?: number
    }
  | { readonly type: 'boolean'; readonly default?: boolean }
  /** An embedding: `minItems` and `maxItems` are equal. */
  | {
      readonly type: 'array'
      readonly items: { readonly type: 'number' }
      readonly minItems: number
      readonly maxItems: number
      readonly default?: readonly number[]
    }

export type FeatureSpec =
  | { readonly field: string; readonly transform?: 'identity' | 'log1p' | 'one-hot' }
  /** n edges make n + 1 indicators: below the first, [e₁, e₂), …, at or above the last. */
  | { readonly field: string; readonly transform: 'bucketize'; readonly edges: readonly number[] }
  /** (x − mean) / sd */
  | { readonly field: string; readonly transform: 'standardize'; readonly mean: number; readonly sd: number }

export interface ActionSpec {
  readonly id: string
  /** Recorded with every decision; no learner reads them yet. */
  readonly features?: Readonly<Record<string, number | string | boolean>>
  /** CEL over `ctx`: may this action be chosen? */
  readonly eligible?: string
}

export interface AlgorithmSpec {
  readonly learner: LearnerSpec
  /** Absent exactly when the learner is `fixed` or `uniform`. */
  readonly exploration?: ExplorationSpec
}

export type LearnerSpec =
  | { readonly type: 'mean' }
  | { readonly type: 'beta'; readonly prior: { readonly alpha: number; readonly beta: number } }
  | { readonly type: 'linear'; readonly l2: number; readonly intercept: boolean }
  | { readonly type: 'fixed'; readonly probabilities: Readonly<Record<string, number>> }
  | { readonly type: 'uniform' }

/** How an argmax over equal indices is settled; `first` is what several peers do, and flatters lists with the best action first. */
export type Ties = 'random' | 'first'

export type ExplorationSpec =
  | { readonly type: 'greedy'; readonly ties: Ties }
  | { readonly type: 'epsilon-greedy'; readonly epsilon: number; readonly ties: Ties }
  | { readonly type: 'softmax'; readonly temperature: number }
  /** Over `mean`: S/n + √(factor · ln t / n), UCB1. Over `linear`: x·θ + alpha · √(x·A⁻¹x), LinUCB. */
  | { readonly type: 'ucb'; readonly factor?: number; readonly alpha?: number; readonly ties: Ties }
  /** Over `mean`, of 0/1 rewards: max {q : n · kl(S/n, q) ≤ ln t}, KL-UCB. */
  | { readonly type: 'kl-ucb'; readonly ties: Ties }
  /** `scale` multiplies the posterior's standard deviation of `mean` and `linear`; it must be 1 for `beta`. */
  | { readonly type: 'thompson'; readonly scale: number }

export interface GuardrailsSpec {
  /** The floor f of every eligible action: p ← f + (1 − K·f)·p. */
  readonly minProbability: number
  readonly holdout?: { readonly fraction: number; readonly action: string }
  /** Answered where the policy cannot choose; default: the first action. null: there is none, and nothing is served then. */
  readonly fallback?: string | null
}

export interface RewardSpec {
  readonly name: string
  readonly type: 'binary' | 'number'
  /** A duration: rewards that come later than this do not count. */
  readonly wait: string
  /** The reward of a decision that nothing came back for. */
  readonly default: number
  /** What several rewards of one decision come to; default: `max` of binary rewards, `sum` of numbers. */
  readonly aggregate?: RewardAggregate
}

export type RewardAggregate = 'first' | 'sum' | 'mean' | 'max'

// --- Scenario --------------------------------------------------------------------------------------------------------

export interface ScenarioSpec {
  readonly world: WorldSpec
  readonly population?: {
    /** How many units there are; each keeps its context. Default: every round meets a new one. */
    readonly units?: number
    readonly context: Readonly<Record<string, DistributionSpec>>
  }
  /** Names of Policies, or `uniform` or `oracle`. Differences are taken against the first. */
  readonly policies: readonly string[]
  readonly horizon: number
  readonly replications: number
  readonly seed: number
  /** Rounds at which the curves are recorded; default: ten, evenly spaced, the last being the horizon. */
  readonly checkpoints?: readonly number[]
  readonly level: number
  readonly expect: readonly RuleSpec[]
}

/** A named CEL rule over a result: an expectation or a gate. */
export interface RuleSpec {
  readonly id: string
  readonly expr: string
}

export type WorldSpec =
  | { readonly type: 'bernoulli'; readonly means: Readonly<Record<string, number>> }
  /** Reward = mean + N(0, noise²). */
  | { readonly type: 'linear'; readonly means: Readonly<Record<string, TermSpec>>; readonly noise: number }
  /** Reward = 1 with probability 1 / (1 + e^−logit), else 0. */
  | { readonly type: 'logistic'; readonly logits: Readonly<Record<string, TermSpec>> }

/** A number, a CEL expression over `ctx` that gives a double, or an intercept and weights of context fields. */
export type TermSpec =
  | number
  | string
  | {
      readonly intercept: number
      /** A number for a number or boolean, a list for a vector, a map from value to number for an enum. */
      readonly weights: Readonly<Record<string, number | readonly number[] | Readonly<Record<string, number>>>>
    }

/** What a context field is drawn from; exactly one key. Draws are rounded for integers and kept within the field's bounds. */
export type DistributionSpec =
  | { readonly constant: number | string | boolean | readonly number[] }
  | { readonly uniform: { readonly min: number; readonly max: number } }
  | { readonly normal: { readonly mean: number; readonly sd: number } }
  /** exp of a normal: `mean` and `sd` are those of the logarithm. */
  | { readonly logNormal: { readonly mean: number; readonly sd: number } }
  | { readonly exponential: { readonly mean: number } }
  | { readonly poisson: { readonly mean: number } }
  /** Mean m, variance m + m²/dispersion. */
  | { readonly negativeBinomial: { readonly mean: number; readonly dispersion: number } }
  | { readonly bernoulli: { readonly p: number } }
  /** Value → weight; the weights sum to 1. */
  | { readonly categorical: Readonly<Record<string, number>> }

// --- Dataset ---------------------------------------------------------------------------------------------------------

export interface DatasetSpec {
  /** Files, folders and globs, read in this order, as one log; a glob or a folder in the order of its paths. */
  readonly files: readonly string[]
  readonly format: 'dap' | TableFormat
  /** How CSV is written; absent of other formats. */
  readonly csv?: CsvSpec
  /** Default: those observed. */
  readonly actions?: readonly string[] | { readonly range: readonly [number, number] } | { readonly policy: string }
  /** Needed by every format but `dap`. */
  readonly mapping?: MappingSpec
  /** Rewards of a mapped log that are in files of their own. */
  readonly rewards?: {
    readonly files: readonly string[]
    /** Default: that of the decisions. */
    readonly format?: TableFormat
    readonly csv?: CsvSpec
    readonly mapping: {
      readonly decisionId: string
      readonly slot?: string
      readonly reward: string
      readonly ts?: string
      readonly rewardId?: string
    }
  }
  /** `unknown`: the log has no propensities, and only `dm` can be had. */
  readonly propensity: 'logged' | 'unknown'
  /** The range that rewards can have; default: [0, 1] if every reward is 0 or 1, else the one observed. */
  readonly reward: {
    readonly minimum?: number
    readonly maximum?: number
    /** Rewards above it count as it. */
    readonly cap?: number
    /** Of a `dap` log; what it does not say of the join is taken from the policy that `actions` names. */
    readonly name?: string
    readonly wait?: string
    readonly aggregate?: RewardAggregate
    /** The reward of a decision without one; a mapped log that does not say takes such a row for a bad one. */
    readonly default?: number
  }
  readonly quality: {
    /** What one bad row does: `fail` the command, or be dropped and counted. */
    readonly badRows: 'fail' | 'drop'
  }
}

export type TableFormat = 'csv' | 'jsonl' | 'parquet'

/** How CSV is written: nothing is guessed. */
export interface CsvSpec {
  readonly delimiter: string
  /** The empty text: there is none. */
  readonly quote: string
  /** What a quote within quotes is written after. */
  readonly escape: string
  /** Without one, columns are called `column1`, `column2`, … */
  readonly header: boolean
  /** Lines that begin with it are passed over; default: there are none. */
  readonly comment?: string
  /** Texts that stand for a missing value. */
  readonly nulls: readonly string[]
  readonly decimal: '.' | ','
  readonly encoding: 'utf-8' | 'utf-16' | 'latin-1'
  /** Of times that do not say theirs. */
  readonly timeZone: string
}

/** Names of columns, or paths into them: `c.User.name`, `o[0].v`. */
export interface MappingSpec {
  /** Rows of one id (and slot) are one decision; default: every row is one. */
  readonly decisionId?: string
  readonly ts?: string
  readonly unit?: string
  readonly action: string
  readonly slot?: string
  /** Absent exactly where `propensity` of the Dataset is `unknown`. */
  readonly propensity?: string
  /** The probability with which the row was kept, or not kept; at most one of them. */
  readonly logProbability?: string
  readonly dropProbability?: string
  /** Exactly one of them, unless the rewards are in files of their own; a cost is the negative of a reward. */
  readonly reward?: string
  readonly cost?: string
  /** Tells two rewards of one decision apart that are otherwise equal. */
  readonly rewardId?: string
  /** Lists: the ids that could be chosen, and the propensity of each. */
  readonly eligible?: string
  readonly propensities?: string
  /** Context field → column; default: the column of the same name. */
  readonly context: Readonly<Record<string, string>>
}

// --- Evaluation ------------------------------------------------------------------------------------------------------

export interface EvaluationSpec {
  readonly dataset: string
  readonly candidates: readonly CandidateSpec[]
  readonly estimators: readonly EstimatorSpec[]
  /** Needed by every estimator that says so. */
  readonly rewardModel?: RewardModelSpec
  readonly interval: { readonly method: 'cressie-read' | 'gaussian'; readonly level: number }
  readonly gates: readonly RuleSpec[]
}

/** The type of an estimator, or what it takes to tell two of one type apart: weights are cut at λ. */
export type EstimatorSpec = string | { readonly type: string; readonly lambda?: number; readonly name?: string }

export type CandidateSpec = { readonly name: string } & (
  | { readonly policy: string; readonly snapshot?: string; readonly learntFrom?: LearntFromSpec }
  /** The policy that made the log. */
  | { readonly logging: true }
  | { readonly uniform: true }
  /** One action, always. */
  | { readonly fixed: string }
  /** A CSV file with the `by` columns, `action` and `probability`. */
  | { readonly table: { readonly file: string; readonly by: readonly string[] }; readonly learntFrom?: LearntFromSpec }
  /** One column an action; `{action}` stands for its id. */
  | { readonly probabilities: { readonly columns: string }; readonly learntFrom?: LearntFromSpec }
  /** One column with a list: a probability for each eligible action (without eligible sets: for each action), in their order. */
  | { readonly probabilities: { readonly list: string }; readonly learntFrom?: LearntFromSpec }
  | {
      readonly scores: { readonly columns: string }
      readonly exploration: ScoreExplorationSpec
      readonly learntFrom?: LearntFromSpec
    }
)

/** What a candidate was made from: nothing that was logged, the log itself, or decisions of some time. */
export type LearntFromSpec =
  | 'nothing'
  | 'log'
  | {
      /** RFC 3339, of the first and the last decision. */
      readonly from?: string
      readonly until?: string
      /** Share of the units that were left out: those of the first hash groups. */
      readonly heldOut?: number
    }

/** Explorations that need nothing but values. */
export type ScoreExplorationSpec = Extract<ExplorationSpec, { type: 'greedy' | 'epsilon-greedy' | 'softmax' }>

export type RewardModelSpec =
  | {
      readonly type: 'tabular'
      /** `action`, `slot`, or columns of the log. */
      readonly by: readonly string[]
      /** q = (Σr + prior · r̄) / (n + prior) */
      readonly prior: number
      /**
       * Default: 2 folds, by unit where units are known and else by a hash of the row's number; `row`: by the number itself. With 1
       * fold a row meets a table that its own reward is in.
       */
      readonly crossFit?: { readonly folds: number; readonly by?: 'row' | 'unit' }
    }
  | { readonly type: 'columns'; readonly columns: string }

// --- Environment and Deployment --------------------------------------------------------------------------------------

export interface EnvironmentSpec {
  readonly target: 'emulator' | 'vertex'
  /** Needed when the target is `vertex`. */
  readonly gcp?: {
    readonly project: string
    readonly region: string
    readonly bucket: string
    readonly image: string
    readonly serviceAccount?: string
    readonly endpointIds: 'named' | 'numeric'
  }
  /** What it was before. */
  readonly moved?: { readonly environment?: string; readonly project?: string; readonly region?: string }
  readonly protect: readonly ('delete' | 'undeploy')[]
  /** Machine type → price of an hour of one replica, in any currency: what a plan reckons its cost with. */
  readonly prices: Readonly<Record<string, number>>
}

export interface DeploymentSpec {
  readonly environment: string
  readonly policy: string
  readonly snapshot?: string
  /** What it was called before. */
  readonly moved?: { readonly deployment?: string; readonly environment?: string }
  readonly resources: {
    readonly machineType: string
    readonly minReplicas: number
    readonly maxReplicas: number
    readonly targetCpu: number
  }
  readonly endpoint: { readonly type: 'shared' | 'dedicated' }
  /** The cloud's own log of requests and responses; dap's decision log goes to stdout in any case. */
  readonly requestLog?: { readonly sample: number; readonly table: string }
  readonly rollout: {
    readonly steps: readonly { readonly traffic: number; readonly hold?: string }[]
    readonly gates: readonly (
      | { readonly metric: 'errorRate'; readonly max: number }
      | { readonly metric: 'latencyP99'; readonly max: string }
    )[]
    readonly onFailure: 'rollback' | 'pause'
    readonly rollbackWindow: string
  }
  readonly evidence: readonly (
    | { readonly evaluation: string; readonly maxAge?: string }
    | { readonly scenario: string; readonly maxAge?: string }
  )[]
}
