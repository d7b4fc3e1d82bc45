/** To take away what is not needed any more: `gc`, `destroy` and the orphans of a plan. */

import type { Orphan } from '../../generated/types.ts'
import type { DeploymentOutcome } from '../../results.ts'
import type { Change } from '../change.ts'
import { refuseOthers } from '../doing/approval.ts'
import { remove, writeEndpoint } from '../doing/perform.ts'
import { carryOut, type Engine } from '../doing/run.ts'
import type { ActualDeployment } from '../wanted/actual.ts'
import { removal } from '../wanted/orphans.ts'
import { destructionOf, garbageOf } from './operate.ts'

/** A deployment by its ids, whether Git still has it or not. */
export interface Whose {
  readonly deployment: string
  readonly endpoint: string
  readonly shelf: string
}

/** Undeploys and deletes what nothing needs: old versions, those whose rollback window is over, what killed runs have left. */
export function collectGarbage(whose: Whose, approved: readonly Change[] | undefined, engine: Engine) {
  return takeAway(whose, approved, engine, actual => garbageOf(whose.shelf, actual, engine.clock.now()))
}

/** Deletes a deployment whole, unless it is protected. */
export function destroyDeployment(
  whose: Whose,
  approved: readonly Change[] | undefined,
  engine: Engine,
  overrideProtection: readonly string[] = [],
) {
  return takeAway(whose, approved, engine, actual =>
    destructionOf(whose.deployment, whose.shelf, actual, engine.target, overrideProtection),
  )
}

/** Deletes what a plan with `--prune` has listed. */
export function pruneOrphan({ id, deployment, changes }: Orphan, engine: Engine): Promise<DeploymentOutcome> {
  const shelves = changes.flatMap(change => (change.kind === 'delete-model' ? change.model : []))
  const whose = { deployment: deployment ?? id, endpoint: id, shelf: shelves[0] ?? id }
  return takeAway(whose, changes, engine, ({ endpoint, releases }) =>
    removal(endpoint, releases.length > 0 ? [whose.shelf] : []),
  )
}

function takeAway(
  whose: Whose,
  approved: readonly Change[] | undefined,
  engine: Engine,
  garbage: (actual: ActualDeployment) => readonly Change[],
): Promise<DeploymentOutcome> {
  return carryOut(
    {
      ...whose,
      left(actual) {
        const changes = garbage(actual)
        if (approved !== undefined) refuseOthers(whose.deployment, changes, approved)
        return changes
      },
      async perform(change, step) {
        if (change.kind !== 'shift-traffic') await remove(change, step)
        else await writeEndpoint({ ...step.lock.memory, traffic: change.to }, { traffic: change.to }, step)
        return undefined
      },
    },
    engine,
  )
}
