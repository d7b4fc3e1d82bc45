/** What each change writes to an endpoint in one write: what is remembered and traffic move together, or not at all. */

import type { Commit } from '../../generated/types.ts'
import type { Change } from '../change.ts'
import { commitText, identityOf, type Memory, type Owner } from '../memory.ts'
import { judgedDigest, partsOf } from '../parts.ts'
import type { Release, Route, RouteUpdate } from '../routes.ts'
import type { Desired } from '../wanted/desired.ts'
import { holdOf, judgedOf } from '../wanted/holds.ts'
import { rolesOf } from '../wanted/roles.ts'

export interface WriteContext {
  /** ms since 1970 */
  readonly now: number
  readonly commit: Commit | null
  /** `originDigest` of this clone; null where it has none. */
  readonly origin: string | null
  readonly target: Owner
  /** Of a rollback that deploys anew: what must not come back, as it is judged. */
  readonly hold?: string
}

/** The lock in `memory` is the one that the endpoint has. What is absent stays as it is. */
export interface EndpointWrite extends Omit<RouteUpdate, 'memory' | 'unlock'> {
  readonly memory: Memory
}

/**
 * When to write it: `create-endpoint` with the creation itself (`endpoint` is undefined), `deploy-model` and `mutate-model` before the
 * work begins, `hold` when it has passed, `promote` after the release is the current one; `update-endpoint` and `shift-traffic` are
 * the write.
 * undefined for a change that writes nothing to the endpoint.
 */
export function endpointWrite(
  change: Change,
  desired: Desired,
  endpoint: Route | undefined,
  context: WriteContext,
): EndpointWrite | undefined {
  const memory = ownMemory(desired, endpoint, context)
  const hold = context.hold ?? memory.hold
  const { id } = desired.deployed
  switch (change.kind) {
    case 'create-endpoint':
      return { memory: { ...memory, ...candidate(desired), traffic: {} } }
    case 'label-endpoint':
      return { memory: { ...memory, ...identityOf(desired, context.target) } }
    case 'release-hold':
      return { memory: { ...memory, hold: undefined } }
    case 'update-endpoint': {
      const { displayName, description, requestLog } = desired.endpoint
      // Until it is promoted, neither the old settings nor the new ones are somebody else's doing.
      return { memory: { ...memory, digest: undefined }, displayName, description, requestLog }
    }
    case 'deploy-model': {
      const stable = endpoint && rolesOf(endpoint, desired).stable?.id
      const traffic = endpoint?.traffic
      return {
        memory: { ...memory, hold, ...candidate(desired), stable, traffic, step: undefined },
      }
    }
    case 'mutate-model':
      // Until it is promoted, neither the old scale nor the new one is somebody else's doing.
      return { memory: { ...memory, hold, scale: undefined } }
    case 'shift-traffic': {
      const { to: traffic, step: index } = change
      if (index === undefined) return { memory: { ...memory, hold, traffic, step: undefined }, traffic }
      const step = { index, since: seconds(context.now), state: 'holding' } as const
      const stable = endpoint && rolesOf(endpoint, desired).stable?.id
      return { memory: { ...memory, hold, ...candidate(desired), stable, traffic, step }, traffic }
    }
    case 'hold':
      return { memory: atStep(memory, 'passed') }
    case 'promote': {
      const { stable } = memory
      const old = endpoint?.workloads.find(model => model.id === stable && model.id !== id)
      const previous =
        stable === id
          ? {}
          : { previous: undefined, previousDigest: undefined, previousVersion: undefined, warmUntil: undefined }
      return {
        memory: {
          ...memory,
          ...previous,
          ...(old && {
            previous: old.id,
            previousDigest: memory.digest,
            previousVersion: old.release,
            warmUntil: seconds(context.now + desired.rollout.rollbackWindowMs),
          }),
          stable: id,
          digest: desired.digest,
          commit: context.commit ? commitText(context.commit) : undefined,
          origin: context.origin ?? memory.origin,
          traffic: endpoint?.traffic,
          scale: desired.scale,
          candidate: undefined,
          candidateDigest: undefined,
          step: undefined,
          hold,
        },
      }
    }
    default:
      return undefined
  }
}

/** Of a rollout that nobody remembers: what Git asks for is the candidate, and the other one that has traffic serves. */
export function begunRollout(desired: Desired, endpoint: Route): Partial<Memory> {
  return { ...candidate(desired), stable: rolesOf(endpoint, desired).stable?.id }
}

/** A gate could not tell, or failed under `onFailure: pause`: the rollout stays where it is. */
export function pauseWrite(memory: Memory): EndpointWrite {
  return { memory: atStep(memory, 'paused') }
}

/** A candidate that was never fit to serve is forgotten. */
export function forgetCandidate(memory: Memory): EndpointWrite {
  return { memory: { ...memory, candidate: undefined, candidateDigest: undefined, step: undefined } }
}

/**
 * Back to what served before, in one write: from a rollout to the stable version, else to the previous one while it is warm. What is left
 * is on hold, so that the next deploy of the same state does not bring it back. undefined: there is nothing to go back to.
 */
export function rollbackWrite(endpoint: Route, releases: readonly Release[]): EndpointWrite | undefined {
  const memory = endpoint.memory
  if (memory === undefined) return undefined
  const { stable, candidate: under } = sharesOf(endpoint, memory)
  const rolling = under !== undefined && under !== stable
  const [back, digest, left, judged] = rolling
    ? [stable, memory.digest, under, memory.candidateDigest ?? judgedOf(endpoint, under, releases)]
    : [memory.previous, memory.previousDigest, memory.stable, judgedOf(endpoint, memory.stable, releases)]
  const hold = holdOf(left, judged, judgedOf(endpoint, back, releases))
  const model = endpoint.workloads.find(({ id }) => id === back)
  if (model === undefined) return undefined
  const traffic = { [model.id]: 100 }
  const settled = {
    stable: model.id,
    digest,
    traffic,
    scale: model.scale,
    hold,
    candidate: undefined,
    candidateDigest: undefined,
    step: undefined,
  }
  const forgotten = {
    commit: undefined,
    previous: undefined,
    previousDigest: undefined,
    previousVersion: undefined,
    warmUntil: undefined,
  }
  return { memory: { ...memory, ...(rolling ? {} : forgotten), ...settled }, traffic }
}

/** Who rolls out over whom: where nobody remembers, the one with less traffic over the one with more. */
function sharesOf({ traffic, workloads }: Route, memory: Memory): Pick<Memory, 'stable' | 'candidate'> {
  if (memory.candidate !== undefined) return memory
  const serving = workloads.filter(({ id }) => (traffic[id] ?? 0) > 0).map(({ id }) => id)
  if (serving.length !== 2) return memory
  const [most, least] = serving.sort((a, b) => traffic[b] - traffic[a])
  return memory.stable === least ? { stable: least, candidate: most } : { stable: most, candidate: least }
}

function ownMemory(desired: Desired, endpoint: Route | undefined, { target }: WriteContext): Memory {
  return endpoint?.memory ?? identityOf(desired, target)
}

const candidate = (desired: Desired) => ({
  candidate: desired.deployed.id,
  candidateDigest: judgedDigest(partsOf(desired)),
})

function atStep(memory: Memory, state: 'passed' | 'paused'): Memory {
  return { ...memory, step: memory.step && { ...memory.step, state } }
}

const seconds = (ms: number) => Math.round(ms / 1000)
