import type { Policy } from '../policy/policy.ts'

/** A policy that is ready to decide. Its learner does not change: another snapshot makes another ServedPolicy. */
export interface ServedPolicy {
  readonly policy: Policy
  /** Digest of the snapshot that the learner was loaded from. */
  readonly snapshot: string | null
}

/** What is served now. */
export interface PolicySource {
  /** By name; replaced as a whole, so whoever holds the map sees one consistent set. */
  readonly policies: ReadonlyMap<string, ServedPolicy>
  /** Has somebody thrown the kill switch of this policy? Its fallback is then served. */
  killed(name: string): boolean
}
