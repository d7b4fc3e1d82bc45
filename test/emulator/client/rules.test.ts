import { createRequire } from 'node:module'
import { protobuf } from 'google-gax'
import { virtualClock } from '../../../src/emulator/clock.ts'
import { startEmulator } from '../../../src/emulator/emulator.ts'
import { type Json, type JsonObject, RpcError } from '../../../src/emulator/ports.ts'
import { vertexClients } from '../../support/vertex-clients.ts'
import { fullName } from '../rules/direct.ts'
import { describeRules, fakeServers, type OpenApi } from '../rules/suite.ts'

// The same rules once more, through Google's unmodified client over gRPC: requests as its users write them, answers as it decodes them.
describeRules('through the client', openClient)

const root = protobuf.Root.fromJSON(createRequire(import.meta.url)('@google-cloud/aiplatform/build/protos/protos.json'))

type Method = (request: Json, options?: object) => Promise<readonly Json[]>
type Client = Readonly<Record<string, Method>> & {
  readonly operationsClient: { listOperations(request: Json): Promise<readonly (readonly Json[])[]> }
}

async function openClient(options: Parameters<OpenApi>[0]): ReturnType<OpenApi> {
  const clock = virtualClock()
  const servers = fakeServers()
  const emulator = await startEmulator({ port: 0, seed: 7, clock, servers: () => servers, ...options })
  const clients = await vertexClients(emulator.port)

  async function answer(method: string, request: JsonObject): Promise<Json> {
    const ofModels = fullName(method).includes('ModelService')
    const client = (ofModels ? clients.models : clients.endpoints) as unknown as Client
    const answers = await client[method[0].toLowerCase() + method.slice(1)](toClient(request), { autoPaginate: false })
    // An operation comes as a handle and as itself; a page as its items, the next request and itself.
    if (/^(Create|Delete|Deploy|Undeploy|Mutate|Upload|Copy)|LongRunning$/.test(method) && answers[1]) return answers[1]
    return method.startsWith('List') ? answers[2] : answers[0]
  }

  return {
    faults: emulator.faults,
    servers,
    advance: clock.advance,
    async call(method, request) {
      try {
        if (method === 'ListOperations') {
          const { operationsClient } = clients.endpoints as unknown as Client
          const [operations] = await operationsClient.listOperations(request)
          return { operations: operations.map(fromClient) }
        }
        return fromClient(await answer(method, request)) as JsonObject
      } catch (error) {
        const { code, message, errorInfoMetadata } = error as RpcError & { readonly errorInfoMetadata?: JsonObject }
        if (typeof code !== 'number') throw error
        throw new RpcError(code, message, errorInfoMetadata ? [{ metadata: errorInfoMetadata }] : [])
      }
    },
    async close() {
      await clients.close()
      await emulator.stop()
    },
  }
}

const snake = (path: string) => path.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** A request in proto3 JSON → as the client takes it. */
function toClient(value: Json, field = ''): Json {
  if (/Mask$/.test(field) && typeof value === 'string')
    return { paths: value === '' ? [] : value.split(',').map(snake) }
  if (/Timeout$/.test(field) && typeof value === 'string') return { seconds: Number.parseInt(value, 10) }
  if (Array.isArray(value)) return value.map(item => toClient(item))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toClient(item as Json, key)]))
}

/** What the client has decoded, with every default filled in → proto3 JSON. */
function fromClient(value: Json): Json {
  if (Array.isArray(value)) return value.map(fromClient)
  if (value === null || typeof value !== 'object') return value
  const { type_url: type, value: bytes, seconds, nanos } = value as JsonObject
  if (typeof type === 'string') {
    const name = type.slice(type.indexOf('/') + 1)
    const any = name.startsWith('google.cloud') ? decoded(name, bytes as unknown as Uint8Array) : {}
    return { '@type': type, ...(fromClient(any) as JsonObject) }
  }
  // A Timestamp, or a Duration: nothing here happened in 1970.
  if (typeof seconds === 'string')
    return Number(seconds) > 1e8
      ? new Date(Number(seconds) * 1000 + Number(nanos ?? 0) / 1e6).toISOString()
      : `${seconds}s`
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      if (key === 'labels' || key === 'trafficSplit') return [[key, item]]
      return isDefault(item) ? [] : [[key, fromClient(item as Json)]]
    }),
  )
}

const isDefault = (value: unknown) => !value || (Array.isArray(value) && value.length === 0)

function decoded(name: string, bytes: Uint8Array): JsonObject {
  const type = root.lookupType(name)
  return type.toObject(type.decode(bytes), { longs: String, enums: String })
}
