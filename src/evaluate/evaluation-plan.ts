import type { EvaluationSpec } from '../kinds.ts'
import type { OpenDataset } from '../log/rows/layout.ts'
import type { RowPart } from '../log/tables.ts'
import type { OpenRuntime } from '../models/score-ahead.ts'
import type { Policy } from '../policy/policy.ts'
import type { SnapshotData } from '../policy/snapshot-format.ts'

/** An Evaluation with everything it names already resolved. */
export interface EvaluationPlan {
  readonly name: string
  readonly dataset: OpenDataset & {
    /** sha256 over the files' bytes. */
    readonly digest: string
    /** Judge on these rows alone. */
    readonly part?: RowPart
  }
  readonly spec: EvaluationSpec
  /** Candidate's name → its policy, the snapshot loaded. */
  readonly policies: ReadonlyMap<string, Policy>
  /** Candidate's name → what its snapshot learnt from, null where that does not say; none of one without a snapshot. */
  readonly learntFrom?: ReadonlyMap<string, SnapshotData | null>
  /** Candidate's name → absolute path of its table. */
  readonly tables: ReadonlyMap<string, string>
  /** Opens the Models of candidates whose scores the log does not have. */
  readonly openRuntime?: OpenRuntime
  /** The Model that predicts rewards, as the policy that it scores actions of. */
  readonly rewardModel?: { readonly policy: Policy; readonly trainedOn: string | undefined }
}
