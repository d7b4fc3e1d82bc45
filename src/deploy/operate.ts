/** What `rollback`, `gc` and `destroy` are to do, from what there is. As with a diff, what is left after the first change is the rest. */
import { DapError } from '../errors.ts'
import type { ActualDeployment } from './actual.ts'
import type { Change } from './change.ts'
import type { DeployedModel, Endpoint, ModelVersion } from './cloud.ts'
import { type Desired, settled, type Target } from './desired.ts'
import { holdOf, isHeldDeployed, judgedOf, madeOf } from './holds.ts'
import { decodeLabels, judgedVersion, readVersionLabels, remembersHold } from './labels.ts'
import { keptBy, removal } from './orphans.ts'
import { nonZero, rolesOf } from './roles.ts'
import { type EndpointWrite, rollbackWrite } from './writes.ts'

export type Rollback =
  /** What served before is still deployed: one write moves all traffic back. Its version is to be the model's default then. */
  | {
      readonly kind: 'flip'
      readonly to: DeployedModel
      readonly change: Change
      readonly write: EndpointWrite
    }
  /** It is to be deployed again, on the machines and at the scale of now: an apply of `desired`, with `hold` in the context of its writes. */
  | { readonly kind: 'redeploy'; readonly desired: Desired; readonly hold: string | undefined }

/** The way back from what serves; a DapError where there is none. `model` is the id of the deployment's model. */
export function rollbackOf(deployment: string, model: string, { endpoint, versions }: ActualDeployment): Rollback {
  if (endpoint === undefined) throw new DapError(`\`${deployment}\` is not deployed`)
  const { labels, stable } = rolesOf(endpoint, { model: { id: model } })
  const judged = judgedOf(endpoint, stable?.id, versions)
  const returning =
    labels.candidate !== undefined && labels.hold !== undefined && [judged, stable?.id].includes(labels.hold)
  const write = returning ? undefined : rollbackWrite(endpoint, versions)
  if (write?.traffic) {
    const to = endpoint.deployedModels.find(({ id }) => id === write.labels.stable)!
    if (to.id === labels.previous && to.id !== stable?.id) refuseHeld(deployment, to, endpoint, versions)
    const from = nonZero(endpoint.traffic)
    const reason = 'it served before'
    return {
      kind: 'flip',
      to,
      write,
      change: { kind: 'shift-traffic', from, to: write.traffic, reason, fields: [] },
    }
  }
  const version = versions.find(each => each.model === model && each.version === labels.previousVersion)
  if (version === undefined || stable === undefined) {
    throw new DapError(`there is nothing to roll \`${deployment}\` back to`, {
      hint: 'revert the change in Git, then `dap deploy`',
    })
  }
  const hold = holdOf(stable.id, judged, judgedVersion(version.labels))
  const desired = desiredOfVersion(deployment, endpoint, stable, version)
  if (desired.deployed.id === stable.id) {
    throw new DapError(
      `there is nothing to roll \`${deployment}\` back to: the version before is what serves, on other machines`,
      {
        hint: 'revert the change in Git, then `dap deploy`',
      },
    )
  }
  if (!returning) refuseHeld(deployment, { ...desired.deployed, model, version: version.version }, endpoint, versions)
  return { kind: 'redeploy', desired, hold }
}

/** What served before may have been rolled back itself, when it was tried again. */
function refuseHeld(
  deployment: string,
  to: Pick<DeployedModel, 'id' | 'displayName' | 'model' | 'version'>,
  endpoint: Endpoint,
  versions: readonly ModelVersion[],
): void {
  if (!isHeldDeployed(to, decodeLabels(endpoint.labels).ours ?? {}, versions)) return
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
  endpoint: Endpoint,
  { machineType, serviceAccount, scale }: DeployedModel,
  version: ModelVersion,
): Desired {
  const parts = readVersionLabels(version.labels)
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
 * versions that are not deployed, not the default and not the one before. `versions` are all of them; `now` in ms since 1970.
 */
export function garbageOf(model: string, { endpoint, versions }: ActualDeployment, now: number): Change[] {
  const roles = endpoint && rolesOf(endpoint, { model: { id: model } })
  const expired = (roles?.labels.warmUntil ?? 0) * 1000 <= now
  const { stable, abandoned: candidate, previous } = roles ?? {}
  const cold = previous !== stable && previous !== candidate && expired ? previous : undefined
  const removed = [...(roles?.leftovers ?? []), ...(cold ? [cold] : [])].filter(({ id }) => !endpoint!.traffic[id])
  const changes = removed.map(({ id }): Change => {
    const reason = id === cold?.id ? 'its rollback window is over' : 'nothing needs it'
    return { kind: 'undeploy-model', deployedModel: id, reason, fields: [] }
  })
  const kept = new Set(
    endpoint?.deployedModels.filter(each => each.model === model && !removed.includes(each)).map(each => each.version),
  )
  if (roles?.labels.previousVersion !== undefined) kept.add(roles.labels.previousVersion)
  for (const { version, aliases, ...each } of versions) {
    // What was rolled back is remembered by its version.
    if (each.model !== model || kept.has(version) || aliases.includes('default') || remembersHold(each.labels)) continue
    changes.push({ kind: 'delete-version', model, version, reason: 'it is older than the last rollback', fields: [] })
  }
  return changes
}

/** To delete a deployment whole; a DapError where it is protected. */
export function destructionOf(
  deployment: string,
  model: string,
  { endpoint, versions }: ActualDeployment,
  target: Pick<Target, 'protect'>,
  overrideProtection: readonly string[],
): Change[] {
  const models = versions.some(version => version.model === model) ? [model] : []
  const kept = keptBy(target, deployment, endpoint, models, overrideProtection)
  if (kept !== null) throw new DapError(`\`${deployment}\` is not destroyed: ${kept}`)
  return removal(endpoint, models, 'it is to be destroyed')
}
