import { broken } from '../rules.ts'
import type { DeployedModelDoc, Resources } from '../state.ts'
import { vcpus } from './resources.ts'
import type { World } from './world.ts'

const MINUTE = 60_000

/** Counts requests by the minute of the clock; a start of the emulator forgets them. */
export function openQuotas(world: World): (location: string, kind: 'request' | 'operation') => void {
  const counts = new Map<string, { minute: number; requests: number; operations: number }>()
  return (location, kind) => {
    const minute = Math.floor(world.clock.now() / MINUTE)
    let count = counts.get(location)
    if (count?.minute !== minute) {
      count = { minute, requests: 0, operations: 0 }
      counts.set(location, count)
    }
    const { crudPerMinute, operationsPerMinute } = world.quotas
    if (count.requests >= crudPerMinute)
      throw broken('quota-crud', exceeded('resource management requests', crudPerMinute, location))
    if (kind === 'operation' && count.operations >= operationsPerMinute)
      throw broken('quota-operations', exceeded('long running operations', operationsPerMinute, location))
    count.requests++
    if (kind === 'operation') count.operations++
  }
}

const exceeded = (metric: string, limit: number, location: string) =>
  `Quota exceeded for quota metric '${metric}' and limit '${limit} per minute' of service 'aiplatform.googleapis.com' in ${location}.`

/** `besides`: the deployed model of that endpoint that gets these resources instead of its own. */
export function checkCpus(world: World, endpoint: string, resources: Resources, besides?: string): void {
  const location = endpoint.slice(0, endpoint.indexOf('/endpoints/') + 1)
  let used = cpus(resources)
  for (const { name, deployedModels } of world.state.endpoints.values())
    if (name.startsWith(location))
      for (const { id, dedicatedResources } of deployedModels)
        if (name !== endpoint || id !== besides) used += cpus(dedicatedResources)
  for (const { done, method, target, work } of world.state.operations.values())
    if (!done && method === 'DeployModel' && target.startsWith(location))
      used += cpus((work.deployedModel as DeployedModelDoc).dedicatedResources)
  if (used > world.quotas.cpus)
    throw broken(
      'quota-cpus',
      `The following quotas are exceeded: CustomModelServingCPUsPerProjectPerRegion (${used} of ${world.quotas.cpus}).`,
    )
}

const cpus = ({ machineSpec, maxReplicaCount }: Resources) => maxReplicaCount * vcpus(machineSpec.machineType)
