import { type JsonObject, RpcError } from './ports.ts'
import { CODES } from './rules.ts'

/** Something that goes wrong on demand, at a call of the method `on`, or of any that it can happen to (`*`). */
export interface Fault {
  readonly on: string
  readonly fault: FaultKind
  /** How many calls it happens to. */
  readonly times: number
  /** So many matching calls pass first. */
  readonly after: number
  /** Of `foreign-edit`: fields of the endpoint, as somebody at the console sets them. */
  readonly edit?: JsonObject
  /** Of `slow`. */
  readonly factor?: number
}

export const FAULT_KINDS = {
  /** DeployModel's operation fails since the server is never ready. */
  readiness: 'deploy',
  /** The operation fails since there are no machines. */
  stockout: 'machines',
  /** RESOURCE_EXHAUSTED; nothing is done. */
  quota: 'any',
  /** UNAVAILABLE; nothing is done. */
  unavailable: 'any',
  /** It is done, and answered UNAVAILABLE. */
  'lost-response': 'any',
  /** Somebody edits the endpoint just before the call is handled. */
  'foreign-edit': 'endpoint',
  /** The operation takes `factor` times as long. */
  slow: 'operation',
} as const
export type FaultKind = keyof typeof FAULT_KINDS

export interface Faults {
  /** Checks and adds one; the result is its id. Throws an RpcError that says what is wrong with it. */
  add(fault: unknown): string
  list(): readonly (Fault & { readonly id: string })[]
  clear(): void
  /** What happens to this call: the oldest fault that waits for it. Counts the call. */
  take(point: string): Fault | undefined
}

const OPERATIONS = [
  'CreateEndpoint',
  'UpdateEndpointLongRunning',
  'DeleteEndpoint',
  'DeployModel',
  'UndeployModel',
].concat(['MutateDeployedModel', 'UploadModel', 'DeleteModel', 'DeleteModelVersion', 'CopyModel'])

const OF_ENDPOINTS = [
  'GetEndpoint',
  'UpdateEndpoint',
  'UpdateEndpointLongRunning',
  'DeleteEndpoint',
  'DeployModel',
].concat(['UndeployModel', 'MutateDeployedModel', 'GetOperation', 'WaitOperation'])

const POINTS = [
  ...OPERATIONS,
  ...['GetEndpoint', 'ListEndpoints', 'UpdateEndpoint', 'GetModel', 'ListModels', 'ListModelVersions', 'UpdateModel'],
  ...['MergeVersionAliases', 'GetOperation', 'ListOperations', 'CancelOperation', 'DeleteOperation', 'WaitOperation'],
  ...['Predict', 'RawPredict', 'storage.put', 'storage.get'],
]

/** What each kind of fault can happen to. */
const PLACES: Readonly<Record<(typeof FAULT_KINDS)[FaultKind], readonly string[]>> = {
  any: POINTS,
  deploy: ['DeployModel'],
  machines: ['DeployModel', 'MutateDeployedModel'],
  endpoint: OF_ENDPOINTS,
  operation: OPERATIONS,
}

const EDITABLE = ['displayName', 'description', 'labels', 'trafficSplit']

export function openFaults(): Faults {
  const waiting = new Map<string, Fault>()
  let serial = 0
  return {
    add(fault) {
      const id = String(++serial)
      waiting.set(id, checked(fault))
      return id
    },
    list: () => [...waiting].map(([id, fault]) => ({ id, ...fault })),
    clear: () => waiting.clear(),
    take(point) {
      for (const [id, fault] of waiting) {
        if (!PLACES[FAULT_KINDS[fault.fault]].includes(point) || (fault.on !== '*' && fault.on !== point)) continue
        if (fault.after > 0) {
          waiting.set(id, { ...fault, after: fault.after - 1 })
          continue
        }
        if (fault.times === 1) waiting.delete(id)
        else waiting.set(id, { ...fault, times: fault.times - 1 })
        return fault
      }
      return undefined
    },
  }
}

function checked(value: unknown): Fault {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('a fault is a JSON object')
  const { on, fault, times = 1, after = 0, edit, factor, ...rest } = value as Readonly<Record<string, unknown>>
  const unknown = Object.keys(rest)
  if (unknown.length > 0) throw invalid(`a fault has no "${unknown[0]}": on, fault, times, after, edit, factor`)
  if (typeof fault !== 'string' || !Object.hasOwn(FAULT_KINDS, fault))
    throw invalid(`"fault" is one of ${Object.keys(FAULT_KINDS).join(', ')}`)
  const kind = fault as FaultKind
  const places = PLACES[FAULT_KINDS[kind]]
  if (typeof on !== 'string' || (on !== '*' && !places.includes(on)))
    throw invalid(`"on" of the fault ${kind} is * or one of ${places.join(', ')}`)
  if (!whole(times, 1)) throw invalid('"times" is a whole number from 1')
  if (!whole(after, 0)) throw invalid('"after" is a whole number from 0')
  if ((kind === 'foreign-edit') !== (edit !== undefined)) throw invalid('"edit" goes with the fault foreign-edit')
  if (edit !== undefined) {
    const fields = typeof edit === 'object' && edit !== null ? Object.keys(edit) : []
    if (fields.length === 0 || fields.some(field => !EDITABLE.includes(field)))
      throw invalid(`"edit" is an object of ${EDITABLE.join(', ')}`)
  }
  if ((kind === 'slow') !== (factor !== undefined)) throw invalid('"factor" goes with the fault slow')
  if (factor !== undefined && !(typeof factor === 'number' && factor > 0 && Number.isFinite(factor)))
    throw invalid('"factor" is a number above 0')
  return {
    on,
    fault: kind,
    times,
    after,
    ...(edit !== undefined && { edit: edit as JsonObject }),
    ...(factor !== undefined && { factor }),
  }
}

const whole = (value: unknown, least: number): value is number => Number.isInteger(value) && (value as number) >= least

const invalid = (message: string) => new RpcError(CODES.INVALID_ARGUMENT, `Invalid fault: ${message}.`)
