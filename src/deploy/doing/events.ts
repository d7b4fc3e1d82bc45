import type { DeploymentState } from '../../generated/types.ts'
import type { ChangeKind } from '../change.ts'
import type { Traffic } from '../routes.ts'

/** What a deploy says while it works: the lines of `--json-file`, the plain lines of CI and what the live view folds. */
export type DeployEvent = { readonly type: 'deploy'; readonly deployment: string } & (
  | { readonly event: 'planned'; readonly changes: readonly { readonly kind: ChangeKind; readonly title: string }[] }
  | { readonly event: 'locked'; readonly run: string; readonly until: number }
  /** `change` is its index among the planned ones; −1: it was not planned, such as the way back when a gate fails. */
  | { readonly event: 'started'; readonly change: number; readonly kind: ChangeKind; readonly title: string }
  | { readonly event: 'operation'; readonly change: number; readonly operation: string }
  | { readonly event: 'stage'; readonly change: number; readonly stage: string }
  | { readonly event: 'done'; readonly change: number }
  /** `names`: display names of the deployed models, by id; of those that are known. */
  | { readonly event: 'traffic'; readonly traffic: Traffic; readonly names?: Readonly<Record<string, string>> }
  | {
      readonly event: 'gates'
      readonly step: number
      readonly leftMs: number
      readonly gates: readonly GateReading[]
    }
  /** A call is tried again. */
  | { readonly event: 'retry'; readonly call: string; readonly attempt: number; readonly reason: string }
  | { readonly event: 'note'; readonly text: string }
  | { readonly event: 'finished'; readonly state: DeploymentState; readonly reason: string | null }
)

/** How a deployment stands when a run ends. */
export type { DeploymentState } from '../../generated/types.ts'

export interface GateReading {
  readonly metric: 'errorRate' | 'latencyP99'
  readonly outcome: GateOutcome
  /** Requests that it is judged on. */
  readonly requests: number
  /** The share of errors, or of requests slower than the limit. */
  readonly share: number | null
  /** The share that is allowed. */
  readonly allowed: number
}

export type GateOutcome = 'pass' | 'fail' | 'inconclusive'
