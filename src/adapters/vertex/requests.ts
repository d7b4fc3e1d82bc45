/**
 * Vertex AI and one bucket through Google's own clients. Every method is one request (a list is one a page), with a deadline, and without the
 * clients' retries and polling: they hide from the caller what happened, and give up on an operation at the first poll that fails.
 */
import type { CallOptions } from 'google-gax'
import type { Place } from '../../deploy/routes.ts'
import type { Endpoint, ModelVersion, Operation, VertexApi } from './api.ts'
import { vertexBucket } from './bucket.ts'
import { type Clients, lazyClients } from './clients.ts'
import { attempting, DEADLINE_MS, isStatus } from './errors.ts'
import * as messages from './messages.ts'
import { requestMetrics } from './monitoring.ts'
import { emulatorUrl, reach } from './site.ts'

/** A list of 500 is five requests. */
const PAGE_SIZE = 100

type GetOperation = Parameters<Clients['endpoints']['getOperation']>[0]
type ListOperations = Parameters<Clients['endpoints']['listOperationsAsync']>[0]

/** Of a place. Google's packages are loaded, and credentials looked for, by the first call that needs them. */
export async function vertexApi(place: Place, environment: (name: string) => string | undefined): Promise<VertexApi> {
  const emulator = emulatorUrl(place, environment)
  if (emulator !== null) await reach(emulator)
  const clients = lazyClients(place, emulator)
  const names = messages.resourceNames(place)
  const attempt = attempting('vertex', place)
  const authorise = async (url: string) => (await clients()).auth.getRequestHeaders(url)

  const ask = <T>(call: (clients: Clients) => Promise<T>) => attempt(async () => call(await clients()))
  const start = (call: (clients: Clients) => Promise<readonly [messages.Started, ...unknown[]]>) =>
    ask(async open => messages.operationOf((await call(open))[0].latestResponse, open.decoders))

  const bucket = vertexBucket(place, emulator, authorise)

  return {
    place,

    listEndpoints: () =>
      ask(async ({ endpoints }) => {
        const request = { parent: names.parent, pageSize: PAGE_SIZE }
        return collect(endpoints.listEndpointsAsync(request, once()), messages.endpointOf)
      }),
    getEndpoint: id =>
      ask(async ({ endpoints }) => {
        const request = { name: names.endpoint(id) }
        return messages.endpointOf(await answered(done => endpoints.getEndpoint(request, once(), done)))
      }).catch(absent<Endpoint | undefined>(undefined)),
    createEndpoint: (endpointId, created) =>
      start(({ endpoints }) => {
        const endpoint = messages.newEndpoint(created)
        return endpoints.createEndpoint({ parent: names.parent, endpointId, endpoint }, once())
      }),
    updateEndpoint: (id, update) =>
      ask(async ({ endpoints }) => {
        const request = messages.endpointUpdate(names.endpoint(id), update)
        return messages.endpointOf(await answered(done => endpoints.updateEndpoint(request, once(), done)))
      }),
    deleteEndpoint: id => start(({ endpoints }) => endpoints.deleteEndpoint({ name: names.endpoint(id) }, once())),

    deployModel: (id, model) =>
      start(({ endpoints }) => {
        const deployedModel = messages.newDeployedModel(model, names.version(model.model, model.version))
        return endpoints.deployModel({ endpoint: names.endpoint(id), deployedModel }, once())
      }),
    undeployModel: (id, deployedModelId) =>
      start(({ endpoints }) => endpoints.undeployModel({ endpoint: names.endpoint(id), deployedModelId }, once())),
    mutateDeployedModel: (id, deployedModel, scale) =>
      start(({ endpoints }) => {
        const update = messages.scaleUpdate(deployedModel, scale)
        return endpoints.mutateDeployedModel({ endpoint: names.endpoint(id), ...update }, once())
      }),

    listModels: () =>
      ask(async ({ models }) => {
        const request = { parent: names.parent, pageSize: PAGE_SIZE }
        return collect(models.listModelsAsync(request, once()), messages.versionOf)
      }),
    listVersions: model =>
      ask(async ({ models }) => {
        const request = { name: names.model(model), pageSize: PAGE_SIZE }
        const versions = await collect(models.listModelVersionsAsync(request, once()), messages.versionOf)
        return versions.sort((a, b) => Number(a.version) - Number(b.version))
      }).catch(absent<readonly ModelVersion[]>([])),
    async uploadModel(modelId, version) {
      const upload = (where: { readonly parentModel: string } | { readonly modelId: string }) =>
        start(({ models }) => {
          const request = { parent: names.parent, model: messages.newModelVersion(version), ...where }
          return models.uploadModel(request, once())
        })
      // A version is uploaded to a model, and refused where there is none yet: so a model's first version is two requests.
      try {
        return await upload({ parentModel: names.model(modelId) })
      } catch (error) {
        if (!isStatus(error, 'NOT_FOUND')) throw error
        return upload({ modelId })
      }
    },
    updateVersion: (model, version, update) =>
      ask(async ({ models }) => {
        const request = messages.versionUpdate(names.version(model, version), update)
        await answered(done => models.updateModel(request, once(), done))
      }),
    setDefaultVersion: (model, version) =>
      ask(async ({ models }) => {
        const request = { name: names.version(model, version), versionAliases: ['default'] }
        await answered(done => models.mergeVersionAliases(request, once(), done))
      }),
    deleteVersion: (model, version) =>
      start(({ models }) => models.deleteModelVersion({ name: names.version(model, version) }, once())),
    deleteModel: model => start(({ models }) => models.deleteModel({ name: names.model(model) }, once())),

    getOperation: name =>
      ask(async ({ endpoints, decoders }) => {
        const [operation] = await endpoints.getOperation({ name } as GetOperation, once())
        return messages.operationOf(operation, decoders)
      }),
    runningOperations: resource =>
      ask(async ({ endpoints, decoders }) => {
        const name = 'endpoint' in resource ? names.endpoint(resource.endpoint) : names.model(resource.model)
        const request = { name, pageSize: PAGE_SIZE } as ListOperations
        const listed = endpoints.listOperationsAsync(request, once())
        return (await collect(listed, each => messages.operationOf(each, decoders))).filter(({ done }) => !done)
      }).catch(absent<readonly Operation[]>([])),

    putObject: bucket.putArtefact,
    listObjects: bucket.listArtefacts,
    getObject: bucket.getArtefact,
    deleteObject: bucket.deleteArtefact,
    requests: requestMetrics(place, emulator, authorise),
  }
}

/** A call's options; anew for every call, because the clients write headers into them. */
function once(): CallOptions {
  return { timeout: DEADLINE_MS, retry: null, autoPaginate: false }
}

/**
 * The answer to a call that takes a callback. Where such a call is refused and its promise is asked for, the client digests all definitions of
 * its package once more for the error's details, which nobody here reads: 0.1 s each time.
 */
function answered<T>(call: (done: (error: Error | null | undefined, answer?: T | null) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, answer) => (error ? reject(error) : resolve(answer as T)))
  })
}

/** Every page of a list. */
async function collect<M, T>(messages: AsyncIterable<M>, of: (message: M) => T): Promise<T[]> {
  const all: T[] = []
  for await (const message of messages) all.push(of(message))
  return all
}

/** Takes NOT_FOUND for an answer. */
function absent<T>(answer: T): (error: unknown) => T {
  return error => {
    if (isStatus(error, 'NOT_FOUND')) return answer
    throw error
  }
}
