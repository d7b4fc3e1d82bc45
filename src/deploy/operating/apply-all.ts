import type { DeploymentPlan, Plan } from '../../generated/types.ts'
import type { DeploymentOutcome } from '../../results.ts'
import { type ApplyOptions, applyDeployment } from '../doing/apply.ts'
import type { Engine } from '../doing/run.ts'
import type { Cloud, Place } from '../routes.ts'
import { pruneOrphan } from './remove.ts'

export interface AllOptions extends ApplyOptions {
  /** Deployments that are worked on at the same time. */
  readonly concurrency: number
  bundleText(deployment: string): Promise<string>
  /** The cloud of a place that the environment was in before. */
  cloudAt(place: Place): Cloud
}

/**
 * All of a plan, orphans last, and last of all what stays behind in another place, once what replaces it serves. One deployment that fails does
 * not keep the others from being done.
 */
export async function applyAll(plan: Plan, engine: Engine, options: AllOptions): Promise<readonly DeploymentOutcome[]> {
  const acceptDrift = options.acceptDrift || plan.acceptDrift
  const apply = ({ deployment, endpoint, desired, changes: approved, blocked }: DeploymentPlan) =>
    blocked.length > 0
      ? refused(deployment, endpoint, blocked[0])
      : applyDeployment({ desired, approved, bundleText: () => options.bundleText(deployment) }, engine, {
          ...options,
          acceptDrift,
        })
  const doomed = plan.orphans.filter(({ changes }) => changes.length > 0)
  const outcomes = await sideBySide(options.concurrency, [
    ...plan.deployments.map(each => () => apply(each)),
    ...doomed.filter(({ place }) => place === null).map(each => () => pruneOrphan(each, engine)),
  ])
  const behind = doomed.flatMap(orphan => (orphan.place === null ? [] : [{ ...orphan, place: orphan.place }]))
  const unfinished = new Set(outcomes.filter(({ state }) => !DONE.includes(state)).map(({ deployment }) => deployment))
  const left = await sideBySide(
    options.concurrency,
    behind.map(orphan => async () => {
      const cloud = options.cloudAt(orphan.place)
      return unfinished.has(orphan.deployment)
        ? refused(orphan.deployment, orphan.id, NOT_YET)
        : pruneOrphan(orphan, { ...engine, cloud, target: { ...engine.target, place: orphan.place } })
    }),
  )
  return [...outcomes, ...left]
}

const DONE: readonly DeploymentOutcome['state'][] = ['applied', 'unchanged']

const NOT_YET = {
  reason: 'what stays behind in the other place is not deleted before what replaces it serves',
  hint: '`dap deploy --prune` once it does',
}

async function sideBySide<T>(concurrency: number, jobs: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = []
  const entries = jobs.entries()
  const workers = Array.from({ length: Math.max(1, concurrency) }, async () => {
    for (const [index, job] of entries) results[index] = await job()
  })
  // All of them end before a bug in one is thrown: none is left working.
  for (const worker of await Promise.allSettled(workers)) if (worker.status === 'rejected') throw worker.reason
  return results
}

async function refused(
  deployment: string,
  endpoint: string,
  { reason, hint }: DeploymentPlan['blocked'][number],
): Promise<DeploymentOutcome> {
  return { deployment, endpoint, state: 'failed', reason, hint, changes: [], traffic: {} }
}
