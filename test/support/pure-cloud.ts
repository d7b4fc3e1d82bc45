import type { Change } from '../../src/deploy/change.ts'
import { type EndpointWrite, endpointWrite, type WriteContext } from '../../src/deploy/doing/writes.ts'
import { identityOf } from '../../src/deploy/memory.ts'
import { partsOf } from '../../src/deploy/parts.ts'
import type { Held, Release, ReleaseNote, Route } from '../../src/deploy/routes.ts'
import type { ActualDeployment } from '../../src/deploy/wanted/actual.ts'
import { currentRelease, toRemember } from '../../src/deploy/wanted/copies.ts'
import type { Desired } from '../../src/deploy/wanted/desired.ts'
import { judgedRelease, withHold } from '../../src/deploy/wanted/holds.ts'

const NOT_HELD: Held = { whole: false, workloads: [] }

/** A release that says nothing but what is given. */
export const release = (shelf: string, id: string, more: Partial<Release> = {}): Release => ({
  ...{ shelf, id, current: false, displayName: shelf, created: 0, version: '1', raw: {} },
  ...{ whose: undefined, digest: undefined, parts: undefined, copy: undefined, intact: false, held: NOT_HELD },
  ...more,
})

/** After one `noteRelease`. */
export const noted = (before: Release, { copy, ...note }: ReleaseNote): Release => ({
  ...before,
  ...(note.whose && { whose: { ...before.whose, ...note.whose } }),
  ...(note.parts && { parts: note.parts, digest: note.parts.digest }),
  ...(note.held && { held: note.held }),
  ...(copy && { copy, intact: true }),
})

/** What a cloud is after one change, as a value: no operations, no faults, no time. It refuses what Vertex AI refuses. */
export function perform(
  change: Change,
  desired: Desired,
  actual: ActualDeployment,
  context: WriteContext,
): ActualDeployment {
  const wrote = endpointWrite(change, desired, actual.endpoint, context) !== undefined
  // Whatever is written to the endpoint has all that is remembered with it.
  const after = { ...done(change, desired, actual, context), ...(wrote && { lost: false }) }
  const { endpoint, releases } = after
  const current = currentRelease(releases, desired.model.id)
  const memory = endpoint?.memory
  if ((!wrote && change.kind !== 'label-model') || !memory || !current) return after
  const note = toRemember(current, endpoint, memory, desired) ?? {}
  return { ...after, releases: releases.map(each => (each === current ? noted(current, note) : each)) }
}

function done(change: Change, desired: Desired, actual: ActualDeployment, context: WriteContext): ActualDeployment {
  const { releases } = actual
  const write = endpointWrite(change, desired, actual.endpoint, context)
  if (change.kind === 'create-endpoint') {
    if (actual.endpoint) throw new Error('ALREADY_EXISTS')
    const { id, ...settings } = desired.endpoint
    const memory = told(write!.memory)
    const made = {
      id,
      ...settings,
      memory,
      intact: true,
      version: '1',
      traffic: {},
      workloads: [],
      host: null,
      raw: {},
    }
    return { ...actual, endpoint: made }
  }
  if (change.kind === 'delete-model') {
    if (actual.endpoint) throw new Error('FAILED_PRECONDITION: it is deployed')
    return { ...actual, releases: [] }
  }
  const endpoint = write ? written(actual.endpoint!, write) : actual.endpoint!
  const { workloads, traffic } = endpoint
  switch (change.kind) {
    case 'upload-bundle':
      return { ...actual, bundle: true }
    case 'upload-model': {
      if (!actual.bundle) throw new Error('NOT_FOUND: the bundle')
      const id = String(1 + Math.max(0, ...releases.map(({ id }) => Number(id))))
      const parts = partsOf(desired)
      const made = release(desired.model.id, id, {
        current: releases.length === 0,
        displayName: desired.model.displayName,
        whose: identityOf(desired, context.target),
        created: context.now,
        digest: parts.digest,
        parts,
      })
      return { ...actual, releases: [...releases, made] }
    }
    case 'deploy-model': {
      if (workloads.some(({ id }) => id === change.deployedModel)) throw new Error('ALREADY_EXISTS')
      const { shelf, id: release } = releases.find(({ digest }) => digest === desired.model.digest)!
      const deployed = { ...desired.deployed, scale: desired.scale, shelf, release, created: context.now, available: 1 }
      return { ...actual, endpoint: { ...endpoint, workloads: [...workloads, deployed] } }
    }
    case 'mutate-model': {
      const models = workloads.map(model =>
        model.id === change.deployedModel ? { ...model, scale: desired.scale } : model,
      )
      return { ...actual, endpoint: { ...endpoint, workloads: models } }
    }
    case 'undeploy-model': {
      if (traffic[change.deployedModel] > 0) throw new Error('FAILED_PRECONDITION: it has traffic')
      if (!workloads.some(({ id }) => id === change.deployedModel)) throw new Error('NOT_FOUND')
      return { ...actual, endpoint: undeployed(endpoint, change.deployedModel) }
    }
    case 'promote': {
      const { release } = workloads.find(({ id }) => id === change.deployedModel)!
      const moved = releases.map(each => ({ ...each, current: each.id === release }))
      return { ...actual, endpoint, releases: moved }
    }
    case 'release-hold':
      return {
        ...actual,
        endpoint,
        releases: releases.map(each => ({ ...each, held: withHold(each.held, false) })),
      }
    case 'delete-version': {
      const { current } = releases.find(({ id }) => id === change.version)!
      const deployed = workloads.some(({ release }) => release === change.version)
      if (deployed || current) throw new Error('FAILED_PRECONDITION: it is in use')
      return { ...actual, releases: releases.filter(({ id }) => id !== change.version) }
    }
    case 'delete-endpoint':
      if (workloads.length > 0) throw new Error('FAILED_PRECONDITION: models are deployed')
      return { ...actual, endpoint: undefined }
    default:
      return { ...actual, endpoint }
  }
}

/** After a rollback in one write: the version that serves is the default again, what was left is held, and what is remembered is as written. */
export function flippedBack(actual: ActualDeployment, write: EndpointWrite): ActualDeployment {
  const endpoint = written(actual.endpoint!, write)
  const { memory } = endpoint
  const { shelf, release } = endpoint.workloads.find(({ id }) => id === memory!.stable)!
  const releases = actual.releases.map(each => {
    if (each.shelf !== shelf) return each
    const held = each.parts !== undefined && judgedRelease(each) === memory!.hold
    const moved = {
      ...each,
      held: held ? withHold(each.held, true) : each.held,
      current: each.id === release,
    }
    return each.id === release ? noted(moved, toRemember(moved, endpoint, memory!, undefined) ?? {}) : moved
  })
  return { ...actual, endpoint, releases }
}

/** After one write to an endpoint. */
export function written(endpoint: Route, { memory, ...update }: EndpointWrite): Route {
  const traffic = update.traffic ?? endpoint.traffic
  const ids = endpoint.workloads.map(({ id }) => id)
  const total = Object.values(traffic).reduce((sum, percent) => sum + percent, 0)
  if (Object.keys(traffic).some(id => !ids.includes(id)) || (total !== 100 && total !== 0)) {
    throw new Error('INVALID_ARGUMENT: traffic')
  }
  const version = String(Number(endpoint.version) + 1)
  return { ...endpoint, ...update, version, memory: told(memory), intact: true }
}

/** What is told of it and nothing else. */
const told = <T extends object>(memory: T): T =>
  Object.fromEntries(Object.entries(memory).filter(([, value]) => value !== undefined)) as T

export function undeployed(endpoint: Route, model: string): Route {
  const { [model]: _, ...traffic } = endpoint.traffic
  return { ...endpoint, traffic, workloads: endpoint.workloads.filter(({ id }) => id !== model) }
}
