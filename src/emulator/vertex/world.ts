import type { Clock, JsonObject, ModelServer, ModelServers } from '../ports.ts'
import { broken } from '../rules.ts'
import { digits, type EndpointDoc, type OperationDoc, type State } from '../state.ts'

/** ms of the stages of operations. */
export interface Timing {
  readonly create: number
  readonly update: number
  readonly delete: number
  readonly upload: number
  readonly copy: number
  /** Of each of the seven stages; the start of the server comes on top. */
  readonly deployStage: number
  readonly undeploy: number
  readonly mutate: number
}

/** For a person who watches: a deploy takes about a second. */
export const TIMING: Timing = {
  create: 200,
  update: 200,
  delete: 200,
  upload: 300,
  copy: 300,
  deployStage: 140,
  undeploy: 200,
  mutate: 200,
}

/** What every method and every job works with. */
export interface World {
  readonly state: State
  readonly clock: Clock
  readonly seed: number
  readonly servers: ModelServers
  readonly timing: Timing
  readonly quotas: Quotas
  /** `{endpoint}/{deployed model's id}` → what answers for it. */
  readonly serving: Map<string, ModelServer>
}

export interface Quotas {
  readonly crudPerMinute: number
  readonly operationsPerMinute: number
  /** vCPUs of a project in a region. */
  readonly cpus: number
}

export const QUOTAS: Quotas = { crudPerMinute: 600, operationsPerMinute: 60, cpus: 20_000 }

/** RFC 3339 */
export const now = (world: World): string => new Date(world.clock.now()).toISOString()

export const newId = (world: World, length: number): string => digits(length, world.seed, ++world.state.serial)

/** rule: etag-bump. The document with another etag and the time of its last update. */
export function written<T extends JsonObject>(world: World, document: T): T {
  const etag = Buffer.from(digits(16, world.seed, 'etag', ++world.state.serial)).toString('base64url')
  return { ...document, etag, updateTime: now(world) }
}

export function endpointOf(world: World, name: string): EndpointDoc {
  const endpoint = world.state.endpoints.get(name)
  // rule: endpoint-unfinished
  if (!endpoint) throw broken('not-found', `The Endpoint "${name}" does not exist.`)
  return endpoint
}

/** Operations on an endpoint or a model that are not done. */
export const running = (world: World, target: string, ...methods: readonly string[]): readonly OperationDoc[] =>
  [...world.state.operations.values()].filter(
    operation =>
      !operation.done && operation.target === target && (methods.length === 0 || methods.includes(operation.method)),
  )
