import type { DeployedModel, Endpoint, ModelVersion, Operation, VertexApi } from '../../src/adapters/vertex/api.ts'
import { CloudError, type Status } from '../../src/deploy/cloud-error.ts'
import type { Clock } from '../../src/deploy/patience.ts'
import type { Cloud, Place, RequestMetrics } from '../../src/deploy/routes.ts'
import { InterruptedError } from '../../src/errors.ts'
import type { Rng } from '../../src/math/rng.ts'
import { editLabel, overVertex, wipeLabels } from './over-vertex.ts'

export const PLACE: Place = { target: 'emulator', project: 'dap-local', region: 'us-central1', bucket: 'dap-local' }

/** ms that operations take, unless told otherwise. */
const USUAL = { create: 3_000, upload: 90_000, deploy: 600_000, undeploy: 30_000, mutate: 60_000, remove: 5_000 }

const STAGES = ['STARTING_DEPLOYMENT', 'ADDING_NODES_TO_CLUSTER', 'STARTING_MODEL_SERVER', 'FINISHING_UP']

/** A clock that jumps to whoever sleeps the shortest, once everybody sleeps. */
export function virtualClock(start = 1_795_400_000_000): Clock {
  const sleepers: { at: number; wake: () => void }[] = []
  let now = start
  let ticking = false
  const tick = () => {
    sleepers.sort((a, b) => a.at - b.at)
    const next = sleepers.shift()
    ticking = sleepers.length > 0
    if (ticking) setImmediate(tick)
    if (next === undefined) return
    now = Math.max(now, next.at)
    next.wake()
  }
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((wake, reject) => {
        if (signal?.aborted) return reject(new InterruptedError())
        signal?.addEventListener('abort', () => reject(new InterruptedError()), { once: true })
        sleepers.push({ at: now + ms, wake })
        if (!ticking) setImmediate(tick)
        ticking = true
      }),
  }
}

interface Running {
  readonly name: string
  readonly on: string
  readonly started: number
  readonly ends: number
  readonly staged: boolean
  /** Its effect; returns an upload's version, throws what the operation fails with. */
  finish(): unknown
  result?: Pick<Operation, 'error' | 'version'>
}

export interface MemoryCloud {
  readonly cloud: Cloud
  /** What it asks: somebody else does the same things there. */
  readonly vertex: VertexApi
  readonly clock: Clock
  /** The next model to be deployed never becomes ready. */
  failNextDeployment(): void
  /** What `requests` answers from now on. */
  measure(answer: (deployedModel: string, from: number, to: number) => RequestMetrics): void
  edit(endpoint: string, text: string): Promise<void>
  wipe(endpoint: string, rng: Rng): Promise<void>
  /** The cloud of another place than the first that was asked for: one of its own, with the same clock and bucket. */
  at(place: Place): MemoryCloud | undefined
}

/** A cloud over Vertex AI's rules in memory, as plainly as they can be written. */
export function memoryCloud(
  takes: Partial<typeof USUAL> = {},
  clock: Clock = virtualClock(),
  objects: Map<string, string> = new Map(),
): MemoryCloud {
  const duration = { ...USUAL, ...takes }
  const places = new Map<string, MemoryCloud | undefined>()
  const endpoints = new Map<string, Endpoint>()
  const creating = new Set<string>()
  const deploying = new Set<string>()
  const models = new Map<string, ModelVersion[]>()
  const uploads = new Map<string, number>()
  const operations = new Map<string, Running>()
  let unready = 0
  let writes = 0
  let metrics: (deployedModel: string, from: number, to: number) => RequestMetrics = () => NOTHING

  /** Lets everything happen that has happened by now. */
  const settle = () => {
    const due = [...operations.values()].filter(each => each.result === undefined && each.ends <= clock.now())
    for (const each of due.sort((a, b) => a.ends - b.ends)) {
      try {
        const version = each.finish()
        each.result = typeof version === 'string' ? { version } : {}
      } catch (error) {
        if (!(error instanceof CloudError)) throw error
        each.result = { error: { status: error.status, message: error.message } }
      }
    }
  }

  const start = (on: string, ms: number, finish: () => unknown, staged = false): Operation => {
    const name = `${on}/operations/${operations.size + 1}`
    const started = clock.now()
    operations.set(name, { name, on, started, ends: started + ms, staged, finish })
    return { name, done: false }
  }

  const shown = ({ name, started, ends, staged, result }: Running): Operation => {
    if (result !== undefined) return { name, done: true, ...result }
    if (!staged) return { name, done: false }
    const share = (clock.now() - started) / (ends - started)
    return { name, done: false, stage: STAGES[Math.min(STAGES.length - 1, Math.floor(share * STAGES.length))] }
  }

  const endpointOf = (id: string) => endpoints.get(id) ?? refuse('NOT_FOUND', `there is no endpoint \`${id}\``)
  const versionsOf = (id: string) => models.get(id) ?? refuse('NOT_FOUND', `there is no model \`${id}\``)
  const put = (endpoint: Endpoint) => {
    const written = { ...endpoint, etag: `etag-${++writes}` }
    endpoints.set(endpoint.id, written)
    return written
  }
  /** One etag for all versions of a model. */
  const putModel = (model: string, versions: readonly ModelVersion[]) => {
    const etag = `etag-${++writes}`
    models.set(
      model,
      versions.map(each => ({ ...each, etag })),
    )
  }
  const deployed = (endpoint: Endpoint, id: string) =>
    endpoint.deployedModels.find(each => each.id === id) ??
    refuse('NOT_FOUND', `\`${endpoint.id}\` has no deployed model \`${id}\``)
  const isDeployed = (model: string, version?: string) =>
    [...endpoints.values()].some(({ deployedModels }) =>
      deployedModels.some(each => each.model === model && (version === undefined || each.version === version)),
    )
  const copy = <T>(value: T): T => structuredClone(value)

  /** What every method has in common: time passes first, and nothing that is handed out is shared. */
  const call = async <T>(body: () => T): Promise<T> => {
    await Promise.resolve()
    settle()
    return copy(body())
  }

  const api: VertexApi = {
    place: PLACE,

    listEndpoints: () => call(() => [...endpoints.values()]),
    getEndpoint: id => call(() => endpoints.get(id)),
    createEndpoint: (id, endpoint) =>
      call(() => {
        if (endpoints.has(id) || creating.has(id)) refuse('ALREADY_EXISTS', `there is an endpoint \`${id}\` already`)
        creating.add(id)
        return start(`endpoints/${id}`, duration.create, () => {
          creating.delete(id)
          put({ ...copy(endpoint), id, etag: '', traffic: {}, deployedModels: [], host: null })
        })
      }),
    updateEndpoint: (id, { etag, ...update }) =>
      call(() => {
        const endpoint = endpointOf(id)
        if (endpoint.etag !== etag) refuse('ABORTED', `the etag of \`${id}\` is another by now`)
        if (update.traffic !== undefined) checkTraffic(endpoint, update.traffic)
        return put({ ...endpoint, ...copy(update) })
      }),
    deleteEndpoint: id =>
      call(() => {
        if (endpointOf(id).deployedModels.length > 0) refuse('FAILED_PRECONDITION', `\`${id}\` has deployed models`)
        return start(`endpoints/${id}`, duration.remove, () => void endpoints.delete(id))
      }),

    deployModel: (id, model) =>
      call(() => {
        const key = `${id}/${model.id}`
        const taken = endpointOf(id).deployedModels.some(each => each.id === model.id) || deploying.has(key)
        if (taken) refuse('ALREADY_EXISTS', `\`${id}\` has a deployed model \`${model.id}\` already`)
        if (!versionsOf(model.model).some(each => each.version === model.version))
          refuse('NOT_FOUND', `\`${model.model}\` has no version ${model.version}`)
        const ready = unready === 0
        if (!ready) unready--
        deploying.add(key)
        return start(
          `endpoints/${id}`,
          duration.deploy,
          () => {
            deploying.delete(key)
            if (!ready) refuse('FAILED_PRECONDITION', 'model server never became ready')
            const endpoint = endpointOf(id)
            const created: DeployedModel = { ...copy(model), created: clock.now(), available: model.scale.minReplicas }
            put({ ...endpoint, deployedModels: [...endpoint.deployedModels, created] })
          },
          true,
        )
      }),
    undeployModel: (id, model) =>
      call(() => {
        const endpoint = endpointOf(id)
        deployed(endpoint, model)
        if ((endpoint.traffic[model] ?? 0) > 0 && endpoint.deployedModels.length > 1)
          refuse('FAILED_PRECONDITION', `\`${model}\` has traffic`)
        return start(`endpoints/${id}`, duration.undeploy, () => {
          const { deployedModels, traffic, ...rest } = endpointOf(id)
          const left = deployedModels.filter(each => each.id !== model)
          put({ ...rest, deployedModels: left, traffic: left.length === 0 ? {} : without(traffic, model) })
        })
      }),
    mutateDeployedModel: (id, model, scale) =>
      call(() => {
        deployed(endpointOf(id), model)
        return start(`endpoints/${id}`, duration.mutate, () => {
          const endpoint = endpointOf(id)
          const changed = endpoint.deployedModels.map(each => (each.id === model ? { ...each, scale } : each))
          put({ ...endpoint, deployedModels: changed })
        })
      }),

    listModels: () =>
      call(() => [...models.values()].flatMap(each => each.filter(({ aliases }) => aliases.includes('default')))),
    listVersions: model => call(() => models.get(model) ?? []),
    updateVersion: (model, version, { etag, labels }) =>
      call(() => {
        const versions = versionsOf(model)
        const found = versions.find(each => each.version === version)
        if (found === undefined) refuse('NOT_FOUND', `no version ${version} of \`${model}\``)
        if (found.etag !== etag) refuse('ABORTED', `the etag of \`${model}\` is another by now`)
        putModel(
          model,
          versions.map(each => (each === found ? { ...each, labels: copy(labels) } : each)),
        )
      }),
    uploadModel: (model, { displayName, labels }) =>
      call(() =>
        start(`models/${model}`, duration.upload, () => {
          const others = models.get(model) ?? []
          // Numbers are never given twice, also when a version is gone.
          const version = String((uploads.get(model) ?? 0) + 1)
          uploads.set(model, Number(version))
          const aliases = others.length === 0 ? ['default'] : []
          const made = { model, version, aliases, displayName, etag: '', labels: copy(labels), created: clock.now() }
          putModel(model, [...others, made])
          return version
        }),
      ),
    setDefaultVersion: (model, version) =>
      call(() => {
        const versions = versionsOf(model)
        if (!versions.some(each => each.version === version))
          refuse('NOT_FOUND', `no version ${version} of \`${model}\``)
        putModel(
          model,
          versions.map(each => {
            const others = each.aliases.filter(alias => alias !== 'default')
            return { ...each, aliases: each.version === version ? [...others, 'default'] : others }
          }),
        )
      }),
    deleteVersion: (model, version) =>
      call(() => {
        const versions = versionsOf(model)
        if (versions.length === 1) refuse('FAILED_PRECONDITION', 'it is the only version')
        if (isDeployed(model, version)) refuse('FAILED_PRECONDITION', 'it is deployed')
        if (versions.some(each => each.version === version && each.aliases.includes('default')))
          refuse('FAILED_PRECONDITION', 'it is the default version')
        return start(`models/${model}`, duration.remove, () => {
          putModel(
            model,
            versionsOf(model).filter(each => each.version !== version),
          )
        })
      }),
    deleteModel: model =>
      call(() => {
        versionsOf(model)
        if (isDeployed(model)) refuse('FAILED_PRECONDITION', 'it is deployed')
        return start(`models/${model}`, duration.remove, () => void models.delete(model))
      }),

    getOperation: name =>
      call(() => shown(operations.get(name) ?? refuse('NOT_FOUND', `there is no operation \`${name}\``))),
    runningOperations: resource =>
      call(() => {
        const on = 'endpoint' in resource ? `endpoints/${resource.endpoint}` : `models/${resource.model}`
        return [...operations.values()].filter(each => each.on === on && each.result === undefined).map(shown)
      }),

    putObject: (name, text) => call(() => void (objects.has(name) || objects.set(name, text))),
    listObjects: prefix => call(() => [...objects.keys()].filter(name => name.startsWith(prefix)).sort()),
    getObject: (name, maxBytes) =>
      call(() => {
        const text = objects.get(name)
        return text === undefined || Buffer.byteLength(text) > maxBytes ? undefined : text
      }),
    deleteObject: name => call(() => void objects.delete(name)),
    requests: (_endpoint, model, from, to) => call(() => metrics(model, from, to)),
  }
  const cloud = overVertex(api)
  return {
    cloud,
    edit: (endpoint, text) => editLabel(cloud, endpoint, text),
    wipe: (endpoint, rng) => wipeLabels(cloud, endpoint, rng),
    vertex: api,
    clock,
    at({ project, region }) {
      const key = `${project}/${region}`
      if (!places.has(key)) places.set(key, places.size === 0 ? undefined : memoryCloud(takes, clock, objects))
      return places.get(key)
    },
    failNextDeployment: () => void unready++,
    measure(answer) {
      metrics = answer
    },
  }
}

const NOTHING: RequestMetrics = { requests: 0, errors: 0, latency: [] }

function refuse(status: Status, message: string): never {
  throw new CloudError(status, message)
}

function checkTraffic({ deployedModels }: Endpoint, traffic: Endpoint['traffic']): void {
  const shares = Object.entries(traffic)
  if (shares.length === 0) return
  const known = shares.every(([id, share]) => Number.isInteger(share) && deployedModels.some(each => each.id === id))
  const sum = shares.reduce((total, [, share]) => total + share, 0)
  if (!known || sum !== 100) refuse('INVALID_ARGUMENT', `traffic cannot be ${JSON.stringify(traffic)}`)
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([each]) => each !== key))
}
