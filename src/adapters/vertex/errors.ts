import { CloudError, type Status } from '../../deploy/cloud-error.ts'
import type { Place } from '../../deploy/routes.ts'
import { DapError } from '../../errors.ts'

/** Of every request. */
export const DEADLINE_MS = 60_000

/** Names of google.rpc.Code by number. */
const STATUSES: readonly (Status | 'OK')[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]

/** The REST services answer with HTTP's codes. */
const HTTP_STATUSES: Readonly<Record<number, Status>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  412: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

export function statusOf(code: number): Status {
  const status = STATUSES[code] ?? HTTP_STATUSES[code]
  return status === undefined || status === 'OK' ? 'UNKNOWN' : status
}

export const isStatus = (error: unknown, status: Status) => error instanceof CloudError && error.status === status

export type Service = 'vertex' | 'storage' | 'monitoring'

/** Runs calls of one service; what they throw becomes a CloudError. */
export function attempting(service: Service, place: Place): <T>(call: () => Promise<T>) => Promise<T> {
  return async call => {
    try {
      return await call()
    } catch (cause) {
      throw cause instanceof DapError || isBug(cause) ? cause : cloudError(cause, service, place)
    }
  }
}

/** A slip in this program, which no second try mends; a TypeError of fetch has a cause. */
function isBug(error: unknown): boolean {
  return (error instanceof TypeError || error instanceof RangeError) && error.cause === undefined
}

/** What gRPC, the storage client, fetch, or the search for credentials threw. */
interface Thrown {
  /** google.rpc.Code, an HTTP status, or a name such as ECONNREFUSED. */
  readonly code?: number | string
  readonly name?: string
  readonly message?: string
  /** gRPC's message without the status that its `message` begins with. */
  readonly details?: string
  readonly cause?: unknown
}

const NO_CREDENTIALS =
  /Could not load the default credentials|Unable to read the credential file|invalid_grant|invalid_rapt|refresh access token/
/** A region that does not exist or is not the host's; resource names, which say `locations/…`, are none. */
const WRONG_REGION = /\blocation\b|Received HTTP status code 404/i

function cloudError(cause: unknown, service: Service, place: Place): CloudError {
  const thrown = cause as Thrown
  const said = (thrown.details || thrown.message || String(cause)).split('\n', 1)[0].slice(0, 300)
  const status = statusOfThrown(thrown, said)
  return new CloudError(status, `${status}: ${said}`, { hint: hintOf(status, said, service, place), cause })
}

function statusOfThrown({ code, name, message, cause }: Thrown, said: string): Status {
  if (NO_CREDENTIALS.test(said)) return 'UNAUTHENTICATED'
  // Before its code: that of a DOMException is no status.
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') return 'DEADLINE_EXCEEDED'
  if (typeof code === 'number') return statusOf(code)
  const network = code ?? (cause as Thrown | undefined)?.code
  return typeof network === 'string' || message === 'fetch failed' ? 'UNAVAILABLE' : 'UNKNOWN'
}

const EMULATOR_GONE =
  'does the emulator still run? `dap emulator`; where there is a proxy, NO_PROXY=127.0.0.1 keeps it out of the way'

function hintOf(status: Status, said: string, service: Service, { target, project, region, bucket }: Place) {
  if (target === 'emulator') return status === 'UNAVAILABLE' ? EMULATOR_GONE : undefined
  if (service === 'vertex' && WRONG_REGION.test(said))
    return `is \`${region}\` the region? requests go to ${region}-aiplatform.googleapis.com`
  switch (status) {
    case 'UNAUTHENTICATED':
      return '`gcloud auth application-default login` on a workstation, workload identity in CI'
    case 'PERMISSION_DENIED':
      return `whoever runs dap needs ${ROLES[service]({ project, bucket })}`
    case 'RESOURCE_EXHAUSTED':
      return `https://console.cloud.google.com/iam-admin/quotas?project=${project}`
    case 'UNAVAILABLE':
    case 'DEADLINE_EXCEEDED':
    case 'INTERNAL':
      return 'is there a way out of this network? https://status.cloud.google.com says how Google Cloud is'
    case 'NOT_FOUND':
      return service === 'storage' ? `gcloud storage buckets create gs://${bucket} --location=${region}` : undefined
    default:
      return undefined
  }
}

const ROLES: Readonly<Record<Service, (place: { readonly project: string; readonly bucket: string }) => string>> = {
  vertex: ({ project }) =>
    `roles/aiplatform.user in \`${project}\`, and roles/iam.serviceAccountUser (actAs) on the service account that the models run as`,
  storage: ({ bucket }) => `roles/storage.objectAdmin on gs://${bucket}`,
  monitoring: ({ project }) => `roles/monitoring.viewer in \`${project}\``,
}
