import type { Change, FieldChange } from './change.ts'
import type { Place } from './cloud.ts'
import type { Desired } from './desired.ts'

export const PLAN_SCHEMA = 'dap.plan/v1'

/** What a deploy would do, approved as a file; `schemas/plan.schema.json`. Everything but `header` is the same for the same inputs. */
export interface Plan {
  readonly schema: typeof PLAN_SCHEMA
  readonly header: PlanHeader
  /** sha256 over everything but header and digest. */
  readonly digest: string
  readonly environment: { readonly name: string; readonly project: string; readonly place: Place }
  /** `--only`: the deployments that were looked at; null: all of them. */
  readonly only: readonly string[] | null
  readonly acceptDrift: boolean
  readonly prune: boolean
  /** By name. */
  readonly deployments: readonly DeploymentPlan[]
  readonly orphans: readonly Orphan[]
}

export interface PlanHeader {
  readonly dap: string
  /** RFC 3339 */
  readonly created: string
  readonly expires: string
  readonly commit: Commit | null
}

export interface Commit {
  /** 40 hex digits */
  readonly id: string
  /** Files of the repository differ from it. */
  readonly dirty: boolean
}

export interface DeploymentPlan {
  readonly deployment: string
  readonly endpoint: string
  /** The endpoint's etag when the plan was made; null: it does not exist. */
  readonly etag: string | null
  readonly action: 'none' | 'create' | 'update' | 'replace' | 'continue'
  /** All that will be written. */
  readonly desired: Desired
  /** What differs between what runs and what Git says. */
  readonly fields: readonly FieldChange[]
  readonly changes: readonly Change[]
  readonly drift: readonly Drift[]
  readonly evidence: readonly EvidenceState[]
  /** Why it cannot be applied, with what to do about it; empty: it can. */
  readonly blocked: readonly { readonly reason: string; readonly hint: string }[]
  /** True things that change nothing: an old version is warm until …, a hold, a lock. */
  readonly notes: readonly string[]
  readonly overlap: Overlap | null
}

/** A field that somebody else has moved: three columns. */
export interface Drift {
  readonly field: string
  readonly git: string | null
  readonly applied: string | null
  readonly live: string | null
}

export interface EvidenceState {
  readonly kind: 'evaluation' | 'scenario'
  readonly name: string
  readonly state: 'passed' | 'failed' | 'missing' | 'stale'
  /** Digest of the result; null where there is none. */
  readonly digest: string | null
  /** Why it is not `passed`. */
  readonly reason: string | null
  /** What would produce it. */
  readonly command: string
}

/** While two versions are up: what the second one adds. Quota is charged on the most replicas, also at zero traffic. */
export interface Overlap {
  readonly machineType: string
  readonly minReplicas: number
  readonly maxReplicas: number
  /** vCPUs of quota that are added; null where the machine type's name does not say how many it has. */
  readonly vcpus: number | null
  /** From the first step to the end of the rollback window. */
  readonly ms: number
  /** At the fewest and the most replicas, in the unit of the Environment's prices; null where none is declared. */
  readonly cost: { readonly least: number; readonly most: number } | null
}

/** Something of this project and environment that no Deployment declares. */
export interface Orphan {
  readonly kind: 'endpoint' | 'model'
  readonly id: string
  readonly deployment: string | null
  /** Empty without `--prune`, and where it is protected. */
  readonly changes: readonly Change[]
  /** Why it stays, where it does. */
  readonly kept: string | null
  readonly etag: string | null
}
