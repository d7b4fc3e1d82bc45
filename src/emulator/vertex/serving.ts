import { resourceName } from '../names.ts'
import type { Json, JsonObject, Routed } from '../ports.ts'
import { broken } from '../rules.ts'
import { type DeployedModelDoc, uniform } from '../state.ts'
import { findVersion } from './models.ts'
import { drawn } from './traffic.ts'
import { endpointOf, type World } from './world.ts'

const DEFAULT_PORT = 8080

const key = (endpoint: string, id: string) => `${endpoint}/${id}`

export async function startServer(world: World, endpoint: string, deployed: DeployedModelDoc): Promise<void> {
  const { version } = findVersion(world, {
    ...resourceName(world.state, 'models', deployed.model, 'model'),
    version: deployed.modelVersionId,
  })
  const { containerSpec: container, artifactUri } = version
  const endpointId = endpoint.split('/').at(-1) as string
  // rule: container-route-default
  const route = `/v1/endpoints/${endpointId}/deployedModels/${deployed.id}:predict`
  const [port] = (container.ports ?? []) as readonly JsonObject[]
  const server = await world.servers.start({
    endpointId,
    deployedModelId: deployed.id,
    artifactUri,
    imageUri: String(container.imageUri),
    args: (container.args ?? []) as readonly string[],
    env: Object.fromEntries(
      ((container.env ?? []) as readonly JsonObject[]).map(({ name, value }): [string, string] => [
        text(name),
        text(value),
      ]),
    ),
    predictRoute: text(container.predictRoute) || route,
    healthRoute: text(container.healthRoute) || route,
    port: Number(port?.containerPort ?? DEFAULT_PORT),
  })
  world.serving.set(key(endpoint, deployed.id), server)
}

const text = (value: Json | undefined) => String(value ?? '')

export async function stopServer(world: World, endpoint: string, id: string): Promise<void> {
  const server = world.serving.get(key(endpoint, id))
  world.serving.delete(key(endpoint, id))
  await server?.stop().catch(() => {}) // It is gone, one way or another.
}

/** Starts what was deployed when the emulator stopped. One that does not start again stays UNAVAILABLE. */
export function restartServers(world: World, closed: () => boolean): void {
  for (const { name, deployedModels } of world.state.endpoints.values())
    for (const deployed of deployedModels) {
      const wanted = () =>
        !closed() && world.state.endpoints.get(name)?.deployedModels.some(({ id }) => id === deployed.id)
      startServer(world, name, deployed)
        .then(() => (wanted() ? undefined : stopServer(world, name, deployed.id)))
        .catch(() => {})
    }
}

/** Draws for requests to endpoints, each endpoint from a stream of its own. */
export function openRouter(world: World): (endpoint: string) => Routed {
  const requests = new Map<string, number>()
  return text => {
    const { name } = resourceName(world.state, 'endpoints', text, 'endpoint')
    const endpoint = endpointOf(world, name)
    const request = requests.get(name) ?? 0
    requests.set(name, request + 1)
    const id = drawn(endpoint.trafficSplit, uniform(world.seed, 'route', name, request))
    const deployed = endpoint.deployedModels.find(model => model.id === id)
    if (!deployed) throw broken('route-no-traffic', `The Endpoint "${name}" has no deployed model with traffic.`)
    const server = world.serving.get(key(name, deployed.id))
    if (!server) throw broken('route-starting', `The server of the DeployedModel ${deployed.id} is being started.`)
    const { model, modelVersionId } = deployed // rule: predict-answer
    const modelDisplayName = world.state.models.get(model)?.displayName ?? ''
    return { endpoint, server, deployedModelId: deployed.id, model, modelVersionId, modelDisplayName }
  }
}
