import type { Drift } from '../../generated/types.ts'
import { trafficText } from '../../titles.ts'
import type { RequestLog, Route, Scale, Traffic } from '../routes.ts'
import type { Desired } from './desired.ts'
import { displayNames, type Roles, sameTraffic } from './roles.ts'

/**
 * What somebody else has moved: what runs is neither what dap applied last nor what Git says. Where nothing says what was applied,
 * and it was not what Git says now, there is nothing to compare with, and no drift is claimed.
 */
export function driftOf(desired: Desired, endpoint: Route, roles: Roles, lost: boolean): Drift[] {
  const { memory } = roles
  const applied = memory.digest === desired.digest
  const drift: Drift[] = []
  if (lost) drift.push({ field: 'labels', git: null, applied: "dap's", live: null, overwrites: false })
  const compare = (field: string, git: string | null, last: string | null | undefined, live: string | null) => {
    if (last !== undefined && live !== last && live !== git)
      drift.push({ field, git, applied: last, live, overwrites: true })
  }

  for (const field of ['displayName', 'description'] as const) {
    const git = desired.endpoint[field]
    compare(field, git, applied ? git : undefined, endpoint[field])
  }
  const requestLog = requestLogText(desired.endpoint.requestLog)
  compare('requestLog', requestLog, applied ? requestLog : undefined, requestLogText(endpoint.requestLog))

  if (trafficHasDrifted(desired, endpoint, roles)) {
    const names = { ...displayNames(endpoint), [desired.deployed.id]: desired.deployed.displayName }
    const text = (traffic: Traffic) => trafficText(traffic, names)
    drift.push({
      field: 'traffic',
      git: text({ [desired.deployed.id]: 100 }),
      applied: text(trafficApplied(desired, roles)!),
      live: text(endpoint.traffic),
      overwrites: true,
    })
  }

  const serving = roles.stable ?? roles.desired
  if (serving !== undefined) {
    // Absent while it is being changed.
    const last = memory.scale
    for (const field of SCALE_FIELDS) {
      const [git, applied, live] = [desired.scale, last, serving.scale].map(scale => scaleText(scale, field))
      compare(`resources.${field}`, git, last && applied, live)
    }
  }

  if (memory.stable !== undefined && !endpoint.workloads.some(({ id }) => id === memory.stable)) {
    const git = memory.stable === desired.deployed.id ? desired.deployed.displayName : null
    drift.push({ field: 'deployedModels', git, applied: memory.stable, live: null, overwrites: true })
  }
  if (memory.project !== undefined) {
    for (const { id, displayName } of roles.foreign) {
      drift.push({ field: 'deployedModels', git: null, applied: null, live: displayName || id, overwrites: true })
    }
  }
  return drift
}

/** As the file says it: `targetCpu` is a share there. */
export function scaleText(scale: Scale | undefined, field: keyof Scale): string | null {
  if (scale === undefined) return null
  return String(field === 'targetCpu' ? scale[field] / 100 : scale[field])
}

export const SCALE_FIELDS = ['minReplicas', 'maxReplicas', 'targetCpu'] as const satisfies readonly (keyof Scale)[]

/** As dap wrote it last; undefined where nothing says so. */
export function trafficApplied(desired: Desired, { memory }: Roles): Traffic | undefined {
  const settled = memory.digest === desired.digest && memory.candidate === undefined
  return memory.traffic ?? (settled ? { [desired.deployed.id]: 100 } : undefined)
}

export function trafficHasDrifted(desired: Desired, endpoint: Route, roles: Roles): boolean {
  const applied = trafficApplied(desired, roles)
  return (
    applied !== undefined &&
    !sameTraffic(endpoint.traffic, applied) &&
    !sameTraffic(endpoint.traffic, { [desired.deployed.id]: 100 })
  )
}

/** `0.1 to bq://project.dataset.table` */
export function requestLogText(log: RequestLog | null): string | null {
  return log && `${log.sample} to ${log.table}`
}
