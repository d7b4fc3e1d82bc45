import type { DeployedModel, Endpoint, ModelVersion, Traffic } from './cloud.ts'
import type { Desired } from './desired.ts'
import { decodeLabels, type EndpointLabels } from './labels.ts'

/** Who is who among the models that are deployed to an endpoint. */
export interface Roles {
  /** What the endpoint's labels remember; empty where it is nobody's. */
  readonly labels: Partial<EndpointLabels>
  /** What Git asks for, where it is deployed. */
  readonly desired: DeployedModel | undefined
  /** What serves while there is no rollout, and what traffic goes back to while there is one. */
  readonly stable: DeployedModel | undefined
  /** The one of a rollout that Git no longer asks for. */
  readonly abandoned: DeployedModel | undefined
  /** Kept warm for a rollback. */
  readonly previous: DeployedModel | undefined
  /** Of dap, and nothing of the above. */
  readonly leftovers: readonly DeployedModel[]
  /** Deployed by somebody else. dap takes traffic from them, and does nothing else to them. */
  readonly foreign: readonly DeployedModel[]
}

export function rolesOf(
  endpoint: Endpoint,
  wanted: { readonly model: Pick<Desired['model'], 'id'>; readonly deployed?: Pick<Desired['deployed'], 'id'> },
): Roles {
  const labels: Partial<EndpointLabels> = decodeLabels(endpoint.labels).ours ?? {}
  const find = (id: string | undefined) => endpoint.deployedModels.find(model => model.id === id)
  const named = [labels.stable, labels.candidate, labels.previous]
  const managed = endpoint.deployedModels.filter(({ id, model }) => model === wanted.model.id || named.includes(id))
  const desired = find(wanted.deployed?.id)
  const stable = find(labels.stable) ?? busiest(managed, endpoint.traffic, wanted.deployed?.id)
  const candidate = find(labels.candidate)
  const abandoned = candidate === desired || candidate === stable ? undefined : candidate
  const previous = find(labels.previous)
  const known = [desired, stable, abandoned, previous]
  return {
    labels,
    desired,
    stable,
    abandoned,
    previous,
    leftovers: managed.filter(model => !known.includes(model)),
    foreign: endpoint.deployedModels.filter(model => !managed.includes(model)),
  }
}

/** The version that a deployed model is made from, where it is known. */
export function versionOf(
  versions: readonly ModelVersion[],
  deployed: Pick<DeployedModel, 'model' | 'version'> | undefined,
): ModelVersion | undefined {
  return versions.find(({ model, version }) => model === deployed?.model && version === deployed.version)
}

/** The one with the most traffic, if any has some. */
function busiest(
  models: readonly DeployedModel[],
  traffic: Traffic,
  but: string | undefined,
): DeployedModel | undefined {
  const serving = models.filter(({ id }) => id !== but && (traffic[id] ?? 0) > 0)
  return serving.sort((a, b) => traffic[b.id] - traffic[a.id] || Number(a.id) - Number(b.id))[0]
}

/** Whether two splits are the same, whatever they say of models without traffic. */
export function sameTraffic(a: Traffic, b: Traffic): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every(id => (a[id] ?? 0) === (b[id] ?? 0))
}

/** Without those that have none. */
export function nonZero(traffic: Traffic): Traffic {
  return Object.fromEntries(Object.entries(traffic).filter(([, percent]) => percent > 0))
}

/** `percent` to one, the rest to the other. */
export function split(to: string, percent: number, rest: string | undefined): Traffic {
  if (percent >= 100 || rest === undefined) return { [to]: 100 }
  return percent <= 0 ? { [rest]: 100 } : { [rest]: 100 - percent, [to]: percent }
}

/** Of an endpoint's deployed models, by id. */
export function displayNames(endpoint: Endpoint | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(endpoint?.deployedModels.map(({ id, displayName }) => [id, displayName]) ?? [])
}
