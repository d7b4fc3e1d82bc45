import type { ActualDeployment } from './actual.ts'
import type { Change, FieldChange } from './change.ts'
import type { Desired } from './desired.ts'
import type { DeploymentPlan, Drift } from './plan.ts'

export interface DiffContext {
  /** ms since 1970 */
  readonly now: number
  /** Bring back what was rolled back. */
  readonly releaseHold: boolean
}

/** What stands between one deployment as it runs and as Git says it. */
export interface Difference {
  readonly action: DeploymentPlan['action']
  readonly fields: readonly FieldChange[]
  readonly changes: readonly Change[]
  readonly drift: readonly Drift[]
  readonly notes: readonly string[]
  /** The desired state was rolled back: there are no changes. */
  readonly held: boolean
}

export function diffDeployment(_desired: Desired, _actual: ActualDeployment, _context: DiffContext): Difference {
  throw new Error('to be written')
}
