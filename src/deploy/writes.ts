/** What each change writes to an endpoint in its one UpdateEndpoint call: labels and traffic move together, or not at all. */
import type { Change } from './change.ts'
import type { Endpoint, EndpointUpdate, ModelVersion } from './cloud.ts'
import type { Desired, Owner } from './desired.ts'
import { holdOf, judgedOf } from './holds.ts'
import { commitLabel, decodeLabels, type EndpointLabels, identityOf, judgedDigest, versionParts } from './labels.ts'
import type { Commit } from './plan.ts'
import { rolesOf } from './roles.ts'

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

/** For `encodeLabels(write.labels, foreign)`; the lock in `labels` is the one that the endpoint has. What is absent stays as it is. */
export interface EndpointWrite extends Omit<EndpointUpdate, 'etag' | 'labels'> {
  readonly labels: EndpointLabels
}

/**
 * When to write it: `create-endpoint` with the creation itself (`endpoint` is undefined), `deploy-model` and `mutate-model` before the
 * operation starts, `hold` when it has passed, `promote` after the default version has been set; `update-endpoint` and `shift-traffic` are
 * the write.
 * undefined for a change that writes nothing to the endpoint.
 */
export function endpointWrite(
  change: Change,
  desired: Desired,
  endpoint: Endpoint | undefined,
  context: WriteContext,
): EndpointWrite | undefined {
  const labels = ownLabels(desired, endpoint, context)
  const hold = context.hold ?? labels.hold
  const { id } = desired.deployed
  switch (change.kind) {
    case 'create-endpoint':
      return { labels: { ...labels, ...candidate(desired), traffic: {} } }
    case 'label-endpoint':
      return { labels: { ...labels, ...identityOf(desired, context.target) } }
    case 'release-hold':
      return { labels: { ...labels, hold: undefined } }
    case 'update-endpoint': {
      const { displayName, description, requestLog } = desired.endpoint
      // Until it is promoted, neither the old settings nor the new ones are somebody else's doing.
      return { labels: { ...labels, digest: undefined }, displayName, description, requestLog }
    }
    case 'deploy-model': {
      const stable = endpoint && rolesOf(endpoint, desired).stable?.id
      const traffic = endpoint?.traffic
      return {
        labels: { ...labels, hold, ...candidate(desired), stable, traffic, step: undefined },
      }
    }
    case 'mutate-model':
      // Until it is promoted, neither the old scale nor the new one is somebody else's doing.
      return { labels: { ...labels, hold, scale: undefined } }
    case 'shift-traffic': {
      const { to: traffic, step: index } = change
      if (index === undefined) return { labels: { ...labels, hold, traffic, step: undefined }, traffic }
      const step = { index, since: seconds(context.now), state: 'holding' } as const
      const stable = endpoint && rolesOf(endpoint, desired).stable?.id
      return { labels: { ...labels, hold, ...candidate(desired), stable, traffic, step }, traffic }
    }
    case 'hold':
      return { labels: stepLabels(labels, 'passed') }
    case 'promote': {
      const { stable } = labels
      const old = endpoint?.deployedModels.find(model => model.id === stable && model.id !== id)
      const previous =
        stable === id
          ? {}
          : { previous: undefined, previousDigest: undefined, previousVersion: undefined, warmUntil: undefined }
      return {
        labels: {
          ...labels,
          ...previous,
          ...(old && {
            previous: old.id,
            previousDigest: labels.digest,
            previousVersion: old.version,
            warmUntil: seconds(context.now + desired.rollout.rollbackWindowMs),
          }),
          stable: id,
          digest: desired.digest,
          commit: context.commit ? commitLabel(context.commit) : undefined,
          origin: context.origin ?? labels.origin,
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
export function begunRollout(desired: Desired, endpoint: Endpoint): Partial<EndpointLabels> {
  return { ...candidate(desired), stable: rolesOf(endpoint, desired).stable?.id }
}

/** A gate could not tell, or failed under `onFailure: pause`: the rollout stays where it is. */
export function pauseWrite(labels: EndpointLabels): EndpointWrite {
  return { labels: stepLabels(labels, 'paused') }
}

/** A candidate that was never fit to serve is forgotten. */
export function forgetCandidate(labels: EndpointLabels): EndpointWrite {
  return { labels: { ...labels, candidate: undefined, candidateDigest: undefined, step: undefined } }
}

/**
 * Back to what served before, in one write: from a rollout to the stable version, else to the previous one while it is warm. What is left
 * is on hold, so that the next deploy of the same state does not bring it back. undefined: there is nothing to go back to.
 */
export function rollbackWrite(endpoint: Endpoint, versions: readonly ModelVersion[]): EndpointWrite | undefined {
  const labels = decodeLabels(endpoint.labels).ours
  if (labels === undefined) return undefined
  const { stable, candidate: under } = sharesOf(endpoint, labels)
  const rolling = under !== undefined && under !== stable
  const [back, digest, left, judged] = rolling
    ? [stable, labels.digest, under, labels.candidateDigest ?? judgedOf(endpoint, under, versions)]
    : [labels.previous, labels.previousDigest, labels.stable, judgedOf(endpoint, labels.stable, versions)]
  const hold = holdOf(left, judged, judgedOf(endpoint, back, versions))
  const model = endpoint.deployedModels.find(({ id }) => id === back)
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
  return { labels: { ...labels, ...(rolling ? {} : forgotten), ...settled }, traffic }
}

/** Who rolls out over whom: where nobody remembers, the one with less traffic over the one with more. */
function sharesOf(
  { traffic, deployedModels }: Endpoint,
  labels: EndpointLabels,
): Pick<EndpointLabels, 'stable' | 'candidate'> {
  if (labels.candidate !== undefined) return labels
  const serving = deployedModels.filter(({ id }) => (traffic[id] ?? 0) > 0).map(({ id }) => id)
  if (serving.length !== 2) return labels
  const [most, least] = serving.sort((a, b) => traffic[b] - traffic[a])
  return labels.stable === least ? { stable: least, candidate: most } : { stable: most, candidate: least }
}

function ownLabels(desired: Desired, endpoint: Endpoint | undefined, { target }: WriteContext): EndpointLabels {
  return (endpoint && decodeLabels(endpoint.labels).ours) ?? identityOf(desired, target)
}

const candidate = (desired: Desired) => ({
  candidate: desired.deployed.id,
  candidateDigest: judgedDigest(versionParts(desired)),
})

function stepLabels(labels: EndpointLabels, state: 'passed' | 'paused'): EndpointLabels {
  return { ...labels, step: labels.step && { ...labels.step, state } }
}

const seconds = (ms: number) => Math.round(ms / 1000)
