/** The machine-readable results of the commands that operate, as `--json` prints them; each has a schema in `schemas/`. */
import type { Traffic } from './cloud.ts'
import type { DeploymentState } from './events.ts'
import type { Foreign } from './ownership.ts'
import type { Commit, Drift, Orphan } from './plan.ts'

/** `deploy`, `rollback`, `gc`, `destroy`: what happened to each deployment. */
export interface DeployResult {
  readonly schema: 'dap.deploy/v1'
  readonly command: 'deploy' | 'rollback' | 'gc' | 'destroy'
  readonly environment: string
  /** 8 hex digits: the name of this run in locks and in the journal. */
  readonly run: string
  /** Digest of the plan that was applied, where there was one. */
  readonly plan: string | null
  readonly deployments: readonly DeploymentOutcome[]
  /** Everything that was asked for is done. */
  readonly passed: boolean
}

export interface DeploymentOutcome {
  readonly deployment: string
  readonly endpoint: string
  readonly state: DeploymentState
  readonly reason: string | null
  /** What to do about it, where it is not done. */
  readonly hint: string | null
  /** What was done, in order. */
  readonly changes: readonly { readonly title: string; readonly operation: string | null; readonly ms: number }[]
  readonly traffic: Traffic
  /** Display names of the deployed models in `traffic`, by id; of those that are known. */
  readonly names?: Readonly<Record<string, string>>
}

export interface StatusResult {
  readonly schema: 'dap.status/v1'
  readonly environment: string
  readonly commit: Commit | null
  readonly deployments: readonly DeploymentStatus[]
  readonly orphans: readonly Orphan[]
  /** Endpoints of others that bear the names of Deployments of the environment. */
  readonly foreign: readonly Foreign[]
  /** True things about the whole: a place that could not be looked into. */
  readonly notes: readonly string[]
  /** Everything runs as Git says, and nothing else does. */
  readonly synced: boolean
}

export interface DeploymentStatus {
  readonly deployment: string
  readonly endpoint: string
  readonly state: 'synced' | 'behind' | 'drifted' | 'rolling' | 'paused' | 'held' | 'absent'
  /** In a sentence, where it is not `synced`. */
  readonly reason: string | null
  /** Digests of 32 hex digits: what Git says, what was applied last. */
  readonly git: string
  readonly applied: { readonly digest: string; readonly commit: string | null } | null
  readonly live: readonly LiveModel[]
  readonly drift: readonly Drift[]
  readonly lock: {
    readonly run: string
    readonly owner: string
    readonly expires: string
    readonly expired: boolean
  } | null
}

export interface LiveModel {
  readonly id: string
  readonly displayName: string
  readonly version: string
  readonly role: 'stable' | 'candidate' | 'previous' | 'foreign' | 'leftover'
  /** Percent. */
  readonly traffic: number
  readonly machineType: string
  readonly minReplicas: number
  readonly maxReplicas: number
  readonly available: number | null
  /** RFC 3339; of `previous`. */
  readonly warmUntil: string | null
  /** It has no traffic and costs money all the same. */
  readonly idle: boolean
}

/** `lock ls`: the locks of an environment. `lock break`: the one that was broken. */
export interface LockResult {
  readonly schema: 'dap.lock/v1'
  readonly command: 'ls' | 'break'
  readonly environment: string
  /** By deployment. */
  readonly locks: readonly LockState[]
}

export interface LockState {
  readonly deployment: string
  readonly endpoint: string
  readonly run: string
  readonly owner: string
  /** RFC 3339 */
  readonly expires: string
  readonly expired: boolean
}
