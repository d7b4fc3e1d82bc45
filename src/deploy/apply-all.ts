import { type ApplyOptions, applyDeployment } from './apply.ts'
import type { DeploymentOutcome } from './outcomes.ts'
import type { DeploymentPlan, Orphan, Plan } from './plan.ts'
import { pruneOrphan } from './remove.ts'
import type { Engine } from './run.ts'

export interface AllOptions extends ApplyOptions {
  /** Deployments that are worked on at the same time. */
  readonly concurrency: number
  bundleText(deployment: string): Promise<string>
}

/** All of a plan, orphans last. One deployment that fails does not keep the others from being done. */
export async function applyAll(plan: Plan, engine: Engine, options: AllOptions): Promise<readonly DeploymentOutcome[]> {
  const acceptDrift = options.acceptDrift || plan.acceptDrift
  const apply = ({ deployment, endpoint, desired, changes: approved, blocked }: DeploymentPlan) =>
    blocked.length > 0
      ? refused(deployment, endpoint, blocked[0])
      : applyDeployment({ desired, approved, bundleText: () => options.bundleText(deployment) }, engine, {
          ...options,
          acceptDrift,
        })
  const prune = (orphan: Orphan) => pruneOrphan(orphan, engine)
  const jobs = [
    ...plan.deployments.map(each => () => apply(each)),
    ...plan.orphans.filter(({ changes }) => changes.length > 0).map(each => () => prune(each)),
  ]
  const outcomes: DeploymentOutcome[] = []
  const entries = jobs.entries()
  const workers = Array.from({ length: Math.max(1, options.concurrency) }, async () => {
    for (const [index, job] of entries) outcomes[index] = await job()
  })
  // All of them end before a bug in one is thrown: none is left working.
  for (const worker of await Promise.allSettled(workers)) if (worker.status === 'rejected') throw worker.reason
  return outcomes
}

async function refused(
  deployment: string,
  endpoint: string,
  { reason, hint }: DeploymentPlan['blocked'][number],
): Promise<DeploymentOutcome> {
  return { deployment, endpoint, state: 'failed', reason, hint, changes: [], traffic: {} }
}
