/**
 * What dap remembers of an endpoint, in the endpoint's labels: there is no state file. Values of labels are lower-case letters, digits, `_`
 * and `-`, at most 63 of them.
 */
import type { Scale, Traffic } from './cloud.ts'

/** Decoded; `encodeLabels` and `decodeLabels` are each other's inverse, and leave labels that do not begin with `dap-` alone. */
export interface EndpointLabels {
  readonly project: string
  readonly environment: string
  readonly deployment: string
  /** `Desired.digest` of what was last applied whole. */
  readonly digest?: string
  readonly commit?: string
  /** Ids of deployed models. The one that serves once no rollout is under way. */
  readonly stable?: string
  /** The one that a rollout is about; written before it is deployed. */
  readonly candidate?: string
  /** The one that a rollback goes back to. It is kept warm until `warmUntil`; then `dap gc` undeploys it. */
  readonly previous?: string
  /** `Desired.digest` and model version of `previous`. */
  readonly previousDigest?: string
  readonly previousVersion?: string
  /** Seconds since 1970. */
  readonly warmUntil?: number
  /** As dap last wrote them: what differs now was moved by somebody else. */
  readonly traffic?: Traffic
  readonly scale?: Scale
  /** The step of the rollout that traffic is at, and since when, in seconds since 1970. */
  readonly step?: { readonly index: number; readonly since: number; readonly state: 'holding' | 'passed' | 'paused' }
  /** A `Desired.digest` that was rolled back: it is not brought back unless asked for. */
  readonly hold?: string
  readonly lock?: LockLabel
}

export interface LockLabel {
  /** Who holds it: 8 hex digits of one run. */
  readonly run: string
  /** Seconds since 1970. */
  readonly expires: number
  /** A person and a machine, or a CI job. */
  readonly owner: string
}
