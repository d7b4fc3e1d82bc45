import type { Desired } from '../../generated/types.ts'
import type { Memory } from '../memory.ts'
import type { Release, Route, Traffic, Workload } from '../routes.ts'

/** Who is who among the models that are deployed to an endpoint. */
export interface Roles {
  /** What is remembered of the endpoint; empty where it is nobody's. */
  readonly memory: Partial<Memory>
  /** What Git asks for, where it is deployed. */
  readonly desired: Workload | undefined
  /** What serves while there is no rollout, and what traffic goes back to while there is one. */
  readonly stable: Workload | undefined
  /** The one of a rollout that Git no longer asks for. */
  readonly abandoned: Workload | undefined
  /** Kept warm for a rollback. */
  readonly previous: Workload | undefined
  /** Of dap, and nothing of the above. */
  readonly leftovers: readonly Workload[]
  /** Deployed by somebody else. dap takes traffic from them, and does nothing else to them. */
  readonly foreign: readonly Workload[]
}

export function rolesOf(
  endpoint: Route,
  wanted: { readonly model: Pick<Desired['model'], 'id'>; readonly deployed?: Pick<Desired['deployed'], 'id'> },
): Roles {
  const memory: Partial<Memory> = endpoint.memory ?? {}
  const find = (id: string | undefined) => endpoint.workloads.find(model => model.id === id)
  const named = [memory.stable, memory.candidate, memory.previous]
  const managed = endpoint.workloads.filter(({ id, shelf }) => shelf === wanted.model.id || named.includes(id))
  const desired = find(wanted.deployed?.id)
  const stable = find(memory.stable) ?? busiest(managed, endpoint.traffic, wanted.deployed?.id)
  const candidate = find(memory.candidate)
  const abandoned = candidate === desired || candidate === stable ? undefined : candidate
  const previous = find(memory.previous)
  const known = [desired, stable, abandoned, previous]
  return {
    memory,
    desired,
    stable,
    abandoned,
    previous,
    leftovers: managed.filter(model => !known.includes(model)),
    foreign: endpoint.workloads.filter(model => !managed.includes(model)),
  }
}

/** What a workload is started from, where it is known. */
export function releaseOf(
  releases: readonly Release[],
  deployed: Pick<Workload, 'shelf' | 'release'> | undefined,
): Release | undefined {
  return releases.find(({ shelf, id }) => shelf === deployed?.shelf && id === deployed.release)
}

/** The one with the most traffic, if any has some. */
function busiest(models: readonly Workload[], traffic: Traffic, but: string | undefined): Workload | undefined {
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
export function displayNames(endpoint: Route | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(endpoint?.workloads.map(({ id, displayName }) => [id, displayName]) ?? [])
}
