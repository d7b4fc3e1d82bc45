/** What `rollback`, `gc` and `destroy` are to do, from what there is. As with a diff, what is left after the first change is the rest. */
import { DapError } from '../../errors.ts'
import type { Change } from '../change.ts'
import { type EndpointWrite, rollbackWrite } from '../doing/writes.ts'
import type { Release, Route, Workload } from '../routes.ts'
import type { ActualDeployment } from '../wanted/actual.ts'
import { type Desired, settled, type Target } from '../wanted/desired.ts'
import { holdOf, isEverHeld, isHeldDeployed, judgedOf, judgedRelease, madeOf } from '../wanted/holds.ts'
import { keptBy, removal } from '../wanted/orphans.ts'
import { nonZero, rolesOf } from '../wanted/roles.ts'

export type Rollback =
  /** What served before is still deployed: one write moves all traffic back. Its release is to be the current one then. */
  | {
      readonly kind: 'flip'
      readonly to: Workload
      readonly change: Change
      readonly write: EndpointWrite
    }
  /** It is to be deployed again, on the machines and at the scale of now: an apply of `desired`, with `hold` in the context of its writes. */
  | { readonly kind: 'redeploy'; readonly desired: Desired; readonly hold: string | undefined }

/** The way back from what serves; a DapError where there is none. `shelf` is the deployment's. */
export function rollbackOf(deployment: string, shelf: string, { endpoint, releases }: ActualDeployment): Rollback {
  if (endpoint === undefined) throw new DapError(`\`${deployment}\` is not deployed`)
  const { memory, stable } = rolesOf(endpoint, { model: { id: shelf } })
  const judged = judgedOf(endpoint, stable?.id, releases)
  const returning =
    memory.candidate !== undefined && memory.hold !== undefined && [judged, stable?.id].includes(memory.hold)
  const write = returning ? undefined : rollbackWrite(endpoint, releases)
  if (write?.traffic) {
    const to = endpoint.workloads.find(({ id }) => id === write.memory.stable)!
    if (to.id === memory.previous && to.id !== stable?.id) refuseHeld(deployment, to, endpoint, releases)
    const from = nonZero(endpoint.traffic)
    const reason = 'it served before'
    return {
      kind: 'flip',
      to,
      write,
      change: { kind: 'shift-traffic', from, to: write.traffic, reason, fields: [] },
    }
  }
  const version = releases.find(each => each.shelf === shelf && each.id === memory.previousVersion)
  if (version === undefined || stable === undefined) {
    throw new DapError(`there is nothing to roll \`${deployment}\` back to`, {
      hint: 'revert the change in Git, then `dap deploy`',
    })
  }
  const hold = holdOf(stable.id, judged, judgedRelease(version))
  const desired = desiredOfVersion(deployment, endpoint, stable, version)
  if (desired.deployed.id === stable.id) {
    throw new DapError(
      `there is nothing to roll \`${deployment}\` back to: the version before is what serves, on other machines`,
      {
        hint: 'revert the change in Git, then `dap deploy`',
      },
    )
  }
  if (!returning) refuseHeld(deployment, { ...desired.deployed, shelf, release: version.id }, endpoint, releases)
  return { kind: 'redeploy', desired, hold }
}

/** What served before may have been rolled back itself, when it was tried again. */
function refuseHeld(
  deployment: string,
  to: Pick<Workload, 'id' | 'displayName' | 'shelf' | 'release'>,
  endpoint: Route,
  releases: readonly Release[],
): void {
  if (!isHeldDeployed(to, endpoint.memory ?? {}, releases)) return
  throw new DapError(
    `what \`${deployment}\` would go back to, ${to.displayName}, was rolled back itself and is on hold`,
    {
      hint: 'revert to something else in Git, or to this with `dap deploy --release-hold`',
    },
  )
}

/** An old version as something to apply: what cannot be read back from the cloud is not needed, since nothing is uploaded. */
function desiredOfVersion(
  deployment: string,
  endpoint: Route,
  { machineType, serviceAccount, scale }: Workload,
  version: Release,
): Desired {
  const parts = version.parts
  if (parts === undefined) throw new DapError(`the old version of \`${deployment}\` was not made by dap`)
  const { id, dedicated, requestLog, description } = endpoint
  return settled({
    deployment,
    ...madeOf(deployment, version, parts),
    endpoint: { id, displayName: endpoint.displayName, description, dedicated, requestLog },
    deployed: { machineType, serviceAccount },
    scale,
    rollout: { steps: [{ percent: 100, holdMs: 0 }], gates: [], onFailure: 'rollback', rollbackWindowMs: 0 },
  })
}

/**
 * What nothing needs any more: deployed models without traffic that are neither stable, nor of a rollout, nor warm for a rollback; then
 * releases that are not deployed, not the current one and not the one before. `releases` are all of them; `now` in ms since 1970.
 */
export function garbageOf(shelf: string, { endpoint, releases }: ActualDeployment, now: number): Change[] {
  const roles = endpoint && rolesOf(endpoint, { model: { id: shelf } })
  const expired = (roles?.memory.warmUntil ?? 0) * 1000 <= now
  const { stable, abandoned: candidate, previous } = roles ?? {}
  const cold = previous !== stable && previous !== candidate && expired ? previous : undefined
  const removed = [...(roles?.leftovers ?? []), ...(cold ? [cold] : [])].filter(({ id }) => !endpoint!.traffic[id])
  const changes = removed.map(({ id }): Change => {
    const reason = id === cold?.id ? 'its rollback window is over' : 'nothing needs it'
    return { kind: 'undeploy-model', deployedModel: id, reason, fields: [] }
  })
  const kept = new Set(
    endpoint?.workloads.filter(each => each.shelf === shelf && !removed.includes(each)).map(each => each.release),
  )
  if (roles?.memory.previousVersion !== undefined) kept.add(roles.memory.previousVersion)
  for (const release of releases) {
    // What was rolled back is remembered by its release.
    if (release.shelf !== shelf || kept.has(release.id) || release.current || isEverHeld(release)) continue
    changes.push({
      kind: 'delete-version',
      model: shelf,
      version: release.id,
      reason: 'it is older than the last rollback',
      fields: [],
    })
  }
  return changes
}

/** To delete a deployment whole; a DapError where it is protected. */
export function destructionOf(
  deployment: string,
  shelf: string,
  { endpoint, releases }: ActualDeployment,
  target: Pick<Target, 'protect'>,
  overrideProtection: readonly string[],
): Change[] {
  const shelves = releases.some(release => release.shelf === shelf) ? [shelf] : []
  const kept = keptBy(target, deployment, endpoint, shelves, overrideProtection)
  if (kept !== null) throw new DapError(`\`${deployment}\` is not destroyed: ${kept}`)
  return removal(endpoint, shelves, 'it is to be destroyed')
}
