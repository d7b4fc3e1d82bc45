/**
 * Vertex AI as routes, workloads and releases: an endpoint, its deployed models, versions of a model in its registry. What is remembered
 * is in labels; what takes its time is a long-running operation, which is awaited here, or found again.
 */
import { CloudError, WorkFailed } from '../../deploy/cloud-error.ts'
import type { Patience, Waiting } from '../../deploy/patience.ts'
import { readPatiently } from '../../deploy/reads.ts'
import type { Cloud, NewWorkload, Place, Release, Route, Workload } from '../../deploy/routes.ts'
import {
  type DeployedModel,
  type Endpoint,
  type ModelVersion,
  type NewDeployedModel,
  type Operation,
  READS,
  type VertexApi,
} from './api.ts'
import { areIntact, decodeLabels, encodeLabels, newVersion, notedVersion, readVersion, withoutLock } from './labels.ts'
import { finish, finishAll } from './operations.ts'
import { vertexApi } from './requests.ts'

/** The cloud of a place. */
export async function vertexCloud(place: Place, environment: (name: string) => string | undefined): Promise<Cloud> {
  return cloudOver(await vertexApi(place, environment))
}

/** Over what Vertex AI can be asked. */
export function cloudOver(api: VertexApi, patience?: Patience): Cloud {
  const named = naming(api)
  const calls = patience === undefined ? named : readPatiently(named, READS, patience)
  const through = async (begin: Promise<Operation>, waiting: Waiting) => finish(calls, await begin, waiting)
  return {
    place: api.place,
    patiently: another => cloudOver(api, another),
    async settle({ route, shelf }, waiting) {
      await finishAll(calls, { endpoint: route }, waiting)
      await finishAll(calls, { model: shelf }, waiting)
    },

    listRoutes: async () => (await calls.listEndpoints()).map(routeOf),
    async getRoute(id) {
      const endpoint = await calls.getEndpoint(id)
      return endpoint && routeOf(endpoint)
    },
    createRoute: (id, { memory, ...settings }, waiting) =>
      through(calls.createEndpoint(id, { ...settings, labels: encodeLabels(memory, {}) }), waiting),
    async updateRoute({ id, version: etag, raw }, { memory, unlock, ...update }) {
      const labels = unlock ? withoutLock(raw) : memory && encodeLabels(memory, decodeLabels(raw).foreign)
      return routeOf(await calls.updateEndpoint(id, { ...update, ...(labels && { labels }), etag }))
    },
    deleteRoute: (id, waiting) => through(calls.deleteEndpoint(id), waiting),

    startWorkload: (route, workload, waiting) =>
      through(calls.deployModel(route, deployedModel(workload)), waiting).catch(whyUnready(api.place, route)),
    scaleWorkload: (route, id, scale, waiting) => through(calls.mutateDeployedModel(route, id, scale), waiting),
    stopWorkload: (route, id, waiting) => through(calls.undeployModel(route, id), waiting),

    listReleases: async () => (await calls.listModels()).map(releaseOf),
    releasesOf: async shelf => (await calls.listVersions(shelf)).map(releaseOf),
    addRelease: (shelf, { whose, parts, commit, ...release }, waiting) =>
      through(calls.uploadModel(shelf, { ...release, labels: newVersion({ whose, parts, commit }) }), waiting),
    noteRelease: ({ shelf, id, version: etag, raw }, note) =>
      calls.updateVersion(shelf, id, { etag, labels: notedVersion(raw, note) }),
    setCurrent: (shelf, id) => calls.setDefaultVersion(shelf, id),
    deleteRelease: (shelf, id, waiting) => through(calls.deleteVersion(shelf, id), waiting),
    deleteShelf: (shelf, waiting) => through(calls.deleteModel(shelf), waiting),

    putArtefact: (name, text) => calls.putObject(name, text),
    listArtefacts: prefix => calls.listObjects(prefix),
    getArtefact: (name, maxBytes) => calls.getObject(name, maxBytes),
    deleteArtefact: name => calls.deleteObject(name),

    measure: (route, workload, from, to) => calls.requests(route, workload, from, to),
  }
}

/** The cloud says what it saw from outside; only the server's own log says why. */
function whyUnready({ target, project }: Place, endpoint: string): (failure: unknown) => never {
  const hint =
    target === 'emulator'
      ? 'the emulator prints what the server said'
      : `the server's log says why: gcloud logging read 'resource.labels.endpoint_id="${endpoint}"' --project ${project}`
  return failure => {
    throw failure instanceof WorkFailed ? new WorkFailed(failure.status, failure.message, hint) : failure
  }
}

/** What a failed call was is said by its name. */
function naming(api: VertexApi): VertexApi {
  const calls = Object.entries(api).map(([name, call]) => {
    if (typeof call !== 'function') return [name, call]
    return [
      name,
      (...args: readonly unknown[]) =>
        (call as (...args: readonly unknown[]) => Promise<unknown>)(...args).catch((failure: unknown) => {
          if (failure instanceof CloudError) failure.call = name
          throw failure
        }),
    ]
  })
  return Object.fromEntries(calls) as unknown as VertexApi
}

function routeOf({ etag: version, labels, deployedModels, ...endpoint }: Endpoint): Route {
  return {
    ...endpoint,
    version,
    memory: decodeLabels(labels).ours,
    intact: areIntact(labels),
    workloads: deployedModels.map(workloadOf),
    raw: labels,
  }
}

function workloadOf({ model: shelf, version: release, ...deployed }: DeployedModel): Workload {
  return { ...deployed, shelf, release }
}

function deployedModel({ shelf: model, release: version, ...workload }: NewWorkload): NewDeployedModel {
  return { ...workload, model, version }
}

function releaseOf({ model: shelf, version: id, aliases, etag: version, labels, ...made }: ModelVersion): Release {
  return { ...made, shelf, id, version, current: aliases.includes('default'), ...readVersion(labels), raw: labels }
}
