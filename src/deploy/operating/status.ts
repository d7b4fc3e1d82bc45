import type { DeploymentStatus, LiveModel } from '../../results.ts'
import type { Owner } from '../memory.ts'
import type { Route, Workload } from '../routes.ts'
import { type Actual, type ActualDeployment, actualOf, located } from '../wanted/actual.ts'
import type { Desired } from '../wanted/desired.ts'
import { type Difference, diffDeployment } from '../wanted/diff.ts'
import { type Roles, rolesOf } from '../wanted/roles.ts'

/** How the deployments of an environment stand, by name; `now` in ms since 1970. */
export function statusOf(wanted: readonly Desired[], actual: Actual, target: Owner, now: number): DeploymentStatus[] {
  return wanted
    .map(each => {
      const desired = located(each, actual)
      return deploymentStatus(desired, actualOf(actual, desired), target, now)
    })
    .sort((a, b) => (a.deployment < b.deployment ? -1 : 1))
}

export function deploymentStatus(
  desired: Desired,
  actual: ActualDeployment,
  target: Owner,
  now: number,
): DeploymentStatus {
  const { endpoint } = actual
  const difference = diffDeployment(desired, actual, { now, releaseHold: false, target })
  const base = { deployment: desired.deployment, endpoint: desired.endpoint.id, git: desired.digest }
  if (endpoint === undefined) {
    const reason = 'it has never been deployed'
    return { ...base, state: 'absent', reason, applied: null, live: [], drift: [], lock: null }
  }
  const roles = rolesOf(endpoint, desired)
  const { memory } = roles
  const { lock } = memory
  return {
    ...base,
    ...stateOf(desired, endpoint, roles, difference),
    applied: memory.digest === undefined ? null : { digest: memory.digest, commit: memory.commit ?? null },
    live: endpoint.workloads.map(model => liveModel(model, endpoint, roles, difference.held)),
    drift: difference.drift,
    lock: lock
      ? { run: lock.run, owner: lock.owner, expires: time(lock.expires), expired: lock.expires * 1000 <= now }
      : null,
  }
}

function stateOf(
  desired: Desired,
  { traffic }: Route,
  { memory, stable, desired: deployed }: Roles,
  { held, drift, changes, fields, blocked }: Difference,
): Pick<DeploymentStatus, 'state' | 'reason'> {
  if (stable === undefined && deployed === undefined) {
    return { state: 'absent', reason: 'nothing of it is deployed to its endpoint' }
  }
  if (held) return { state: 'held', reason: 'what Git says was rolled back' }
  if (drift.every(({ field }) => field === 'labels') && drift.length > 0) {
    return { state: 'drifted', reason: "somebody has taken away dap's labels; what they said is known all the same" }
  }
  if (drift.length > 0) {
    const moved = [...new Set(drift.map(({ field }) => field))].join(', ')
    return { state: 'drifted', reason: `somebody else has changed ${moved}` }
  }
  if (memory.candidate === desired.deployed.id && memory.stable !== desired.deployed.id) {
    const at = `${traffic[desired.deployed.id] ?? 0} % of traffic`
    return memory.step?.state === 'paused'
      ? { state: 'paused', reason: `its rollout is paused at ${at}` }
      : { state: 'rolling', reason: `its rollout is at ${at}` }
  }
  if (changes.length === 0 && blocked.length === 0) return { state: 'synced', reason: null }
  const differ = [...new Set(fields.map(({ field }) => field))].join(', ')
  return { state: 'behind', reason: differ ? `Git has another ${differ}` : leftText(changes.length) }
}

function liveModel(model: Workload, { traffic }: Route, roles: Roles, held: boolean): LiveModel {
  const { id, displayName, release: version, machineType, scale, available } = model
  const role = roleOf(model, roles, held)
  const { warmUntil } = roles.memory
  const share = traffic[id] ?? 0
  return {
    id,
    displayName,
    version,
    role,
    traffic: share,
    machineType,
    minReplicas: scale.minReplicas,
    maxReplicas: scale.maxReplicas,
    available,
    warmUntil: role === 'previous' && warmUntil !== undefined ? time(warmUntil) : null,
    idle: share === 0,
  }
}

function roleOf(model: Workload, roles: Roles, held: boolean): LiveModel['role'] {
  if (model === roles.stable) return 'stable'
  if (model.id === roles.memory.candidate) return 'candidate'
  if (model === roles.previous) return 'previous'
  if (roles.foreign.includes(model)) return 'foreign'
  return model === roles.desired && !held ? 'candidate' : 'leftover'
}

const time = (seconds: number) => new Date(seconds * 1000).toISOString()

const leftText = (changes: number) => (changes === 1 ? 'a change is left to do' : `${changes} changes are left to do`)
