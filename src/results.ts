/**
 * The machine-readable results of `simulate`, `evaluate` and `train`, as `--json` prints them and as CEL rules see them; published in
 * `schemas/{simulation,evaluation,training}-result.schema.json`. Types only: every folder
 * may import them.
 */

/** A quantity measured once a replication: its mean with a confidence interval of that mean, and quantiles over replications. */
export interface Measured {
  readonly mean: number
  readonly lower: number
  readonly upper: number
  readonly q05: number
  readonly q50: number
  readonly q95: number
}

export interface SimulationResult {
  readonly schema: 'dap.simulation/v1'
  readonly scenario: string
  readonly seed: number
  readonly horizon: number
  readonly replications: number
  /** Confidence level of every `lower` and `upper`. */
  readonly level: number
  readonly policies: readonly PolicyResult[]
  /** Every policy but the first, against the first, paired by replication. */
  readonly differences: readonly DifferenceResult[]
  readonly expectations: readonly RuleResult[]
  /** Every expectation holds. */
  readonly passed: boolean
  /** sha256 over the scenario, the policies and the numbers: equal digests mean equal runs. */
  readonly digest: string
}

export interface PolicyResult {
  readonly name: string
  /** Mean reward of a decision. */
  readonly reward: Measured
  /** Cumulative pseudo-regret at the horizon: Σ (expected reward of the best eligible action − that of the chosen one). */
  readonly regret: Measured
  /** Share of decisions whose action had the highest expected reward. */
  readonly bestActionShare: Measured
  /** Action → mean share of decisions. */
  readonly actionShares: Readonly<Record<string, number>>
  /** Share of decisions for which no action could be served, and which earned 0; absent where there were none. */
  readonly unservedShare?: number
  readonly checkpoints: readonly { readonly t: number; readonly reward: Measured; readonly regret: Measured }[]
}

export interface DifferenceResult {
  readonly policy: string
  readonly baseline: string
  readonly reward: Measured
  readonly regret: Measured
}

/** A gate or an expectation, judged. */
export interface RuleResult {
  readonly id: string
  readonly expr: string
  readonly passed: boolean
  /** Why it failed: the numbers that broke it, or what could not be computed. */
  readonly reason?: string
}

export type Verdict = 'ok' | 'caution' | 'refuse'

export interface EvaluationResult {
  readonly schema: 'dap.evaluation/v1'
  readonly evaluation: string
  readonly dataset: {
    readonly name: string
    /** sha256 over the files' bytes. */
    readonly digest: string
    /** Rows that were used. */
    readonly rows: number
    /** Bad rows that were dropped (`quality.badRows: drop`). */
    readonly dropped: number
    /** Mean reward of the log: the value of the logging policy. */
    readonly meanReward: number
    readonly units: UnitsResult
    /**
     * Only the rows that no candidate learnt: those of units of the hash groups [0, groups), those after a time (RFC 3339), or both; null:
     * all rows.
     */
    readonly judgedOn: {
      readonly heldOut?: { readonly groups: number; readonly by: 'unit' | 'decision' | 'row' }
      readonly after?: string
    } | null
    readonly notes: readonly string[]
  }
  readonly candidates: readonly CandidateResult[]
  /** Every candidate against every earlier one, on the same rows. */
  readonly differences: readonly DifferenceOfCandidates[]
  readonly gates: readonly RuleResult[]
  /** Every gate passed. */
  readonly passed: boolean
}

/** Whose rows depend on each other. */
export interface UnitsResult {
  /** False: rows are taken for independent, each a unit of its own. */
  readonly known: boolean
  /** How many there are; an estimate, where there are very many. */
  readonly count: number
  /** Kish's number of units, (Σn)² / Σn² over their n decisions: how many of equal activity they are worth. */
  readonly effective: number
  /** The most active unit's share of the decisions. */
  readonly largestShare: number
}

export interface DifferenceOfCandidates {
  readonly candidate: string
  readonly baseline: string
  /** In the order of the Evaluation's estimators. */
  readonly estimates: readonly DifferenceEstimate[]
}

/** The candidate's estimate less the baseline's. */
export interface DifferenceEstimate {
  readonly estimator: string
  readonly value: number | null
  readonly standardError: number | null
  readonly interval: EstimateResult['interval']
  /** Bounds that hold for all pairs at once; null below three candidates. Gates are judged by them. */
  readonly simultaneous: { readonly lower: number; readonly upper: number } | null
}

export interface CandidateResult {
  readonly name: string
  /** That of its unbiased estimates. */
  readonly verdict: Verdict
  /** Why the verdict is not `ok`, a sentence each. */
  readonly reasons: readonly string[]
  /** What it was made from: nothing that was logged, other decisions than the log's, or these; `unknown` where nothing says it. */
  readonly learntFrom: 'nothing' | 'other-decisions' | 'this-log' | 'unknown'
  /** null in a log without propensities: nothing can be said of weights. */
  readonly support: Support | null
  /** In the order of the Evaluation's estimators. Under the verdict `refuse` they are not to be quoted. */
  readonly estimates: readonly EstimateResult[]
}

export interface Support {
  /** (Σw)² / Σw², over units where they are known, else over rows. */
  readonly effectiveSampleSize: number
  readonly maxWeight: number
  /** max w / Σw, over units where they are known, else over rows. */
  readonly maxWeightShare: number
  /** Near 1 when propensities are right and the candidate stays where the log has been. */
  readonly meanWeight: number
  /** Units, or else rows, with a reward other than 0 at a positive weight. */
  readonly positiveCount: number
  /** Rows whose logged action the candidate never takes there: nothing is learnt from them. */
  readonly rowsWithoutSupport: number
  /** Mean probability that the candidate gives to actions that the log could not take: the part no estimator can see. */
  readonly unsupportedMass: number
  readonly rows: number
}

export interface EstimateResult {
  readonly estimator: string
  readonly verdict: Verdict
  /** What is wrong with this estimate alone, beside what is wrong with its candidate. */
  readonly reasons: readonly string[]
  /** null when nothing can be estimated (no row has a positive weight). */
  readonly value: number | null
  readonly standardError: number | null
  readonly interval: {
    readonly method: string
    readonly level: number
    readonly lower: number
    readonly upper: number
  } | null
  /** Against the logging policy's mean reward, on the same rows. */
  readonly lift: {
    readonly value: number
    readonly lower: number
    readonly upper: number
    /** Bounds that hold for the lifts of all candidates at once; null below three candidates. Gates are judged by them. */
    readonly simultaneous: { readonly lower: number; readonly upper: number } | null
    /** value / mean reward of the log; null when that is 0. */
    readonly relative: number | null
  } | null
}

// --- dap serve -------------------------------------------------------------------------------------------------------

/** What a server leaves when it stops; `schemas/serve-result.schema.json`. */
export interface ServeResult {
  readonly schema: 'dap.serve/v1'
  readonly url: string
  readonly workers: number
  /** Answered and, but for what `lost` says, logged. */
  readonly decisions: number
  readonly rewards: number
  /** Why records of the log are lost; empty where none is. */
  readonly lost: readonly string[]
  /** So many at most. */
  readonly lostRecords: number
}

export interface TrainingResult {
  readonly schema: 'dap.training/v1'
  readonly policy: string
  /** Where it was written, relative to the working folder. */
  readonly snapshot: { readonly path: string; readonly digest: string }
  readonly weights: 'none' | 'inverse-propensity'
  readonly dataset: {
    readonly name: string
    /** sha256 over the files' digests. */
    readonly digest: string
    /** Rows that were learnt, and rows of held out units. */
    readonly rows: number
    readonly heldOut: number
    /** Bad rows, left out. */
    readonly dropped: number
    /** The first and the last decision that was learnt, where the log has times. */
    readonly from?: string
    readonly to?: string
    readonly notes: readonly string[]
  }
  /** By action of the policy: its rows, and how many rows of equal weight they are worth. */
  readonly learnt: readonly { readonly action: string; readonly rows: number; readonly effectiveRows: number }[]
  /** Candidates `new`, `old` (if there was one that fits) and `logging` on the held out units; null where there are none. */
  readonly estimates: EvaluationResult | null
}

/** What units of a simulated world met at a real server: `dap play`. */
export interface PlayResult {
  readonly schema: 'dap.play/v1'
  readonly scenario: string
  readonly server: string
  readonly policy: string
  readonly seed: number
  readonly decisions: number
  readonly level: number
  /** A decision. The interval takes decisions for independent. */
  readonly reward: Measured
  /** Decisions by who served them. */
  readonly servedBy: Readonly<Record<string, number>>
  readonly actions: Readonly<Record<string, number>>
  /** As the client saw it. */
  readonly latencyMs: { readonly p50: number; readonly p99: number }
}

/** What any command gives in place of a result when it cannot have one: `schemas/error-result.schema.json`. */
export interface ErrorResult {
  readonly schema: 'dap.error/v1'
  readonly exitCode: number
  /** One sentence without a full stop. */
  readonly message: string
  /** What to do about it. */
  readonly hint?: string | undefined
  /** What is wrong with files, where that is the reason; as `dap validate` has them. */
  readonly diagnostics: readonly object[]
}

/** Something that a result depends on: two runs whose inputs have the same digests find the same. */
export interface Input {
  /** A resource, the data that a Dataset comes to, or a file of a candidate. */
  readonly kind: 'evaluation' | 'scenario' | 'dataset' | 'policy' | 'data' | 'snapshot' | 'table'
  /** Of the resource (of `data` the Dataset), or the path of the file as the resource has it. */
  readonly name: string
  /** Whose file it is. */
  readonly candidate?: string
  readonly digest: string
}

/** An input as it is now; its digest is null where it is gone, or cannot be read. */
export type CurrentInput = Omit<Input, 'digest'> & { readonly digest: string | null }

/** What a result says of one policy, in one number with its interval. */
export interface Figure {
  /** The lift of an Evaluation's candidate, the regret of a Scenario's policy. */
  readonly quantity: 'lift' | 'regret'
  /** The estimator of a lift, and its verdict; null for a regret, which is measured. */
  readonly estimator: string | null
  readonly verdict: Exclude<Verdict, 'refuse'> | null
  readonly value: number
  readonly lower: number
  readonly upper: number
}

/** A policy that evidence is about. */
export interface JudgedPolicy {
  readonly name: string
  readonly digest: string
  /** Digest of the snapshot that it decided with; null: it knew nothing at first. */
  readonly snapshot: string | null
  /** null: there is no number to quote. */
  readonly figure: Figure | null
}

/**
 * A result that a plan can carry: written by `dap simulate --record` and `dap evaluate --record` to `evidence/<kind>-<name>.json`, and published
 * in `schemas/evidence.schema.json`.
 */
export interface Evidence {
  readonly schema: 'dap.evidence/v2'
  readonly kind: 'evaluation' | 'scenario'
  readonly name: string
  /** All that it depends on, as it was then. */
  readonly inputs: readonly Input[]
  readonly policies: readonly JudgedPolicy[]
  readonly passed: boolean
  /** Ids of gates or expectations that did not hold. */
  readonly failed: readonly string[]
  readonly dap: string
  /** sha256 over everything else but `at` and `seal`: the same whenever and wherever the same is found. */
  readonly digest: string
  /** When it was made, RFC 3339. */
  readonly at: string
  /** sha256 over everything else, `at` as well. */
  readonly seal: string
}
