import { join } from 'node:path'
import { realClock } from './clock.ts'
import { openDataFolder } from './data-folder.ts'
import type { Faults } from './faults.ts'
import { createMetrics } from './plane/metrics.ts'
import { noServers } from './plane/model-servers.ts'
import { monitoringRoute } from './plane/monitoring.ts'
import { createDataPlane, type DataPlane, notThere } from './plane/predict.ts'
import { createRequestLog } from './plane/request-log.ts'
import { type Clock, type ModelServers, RpcError } from './ports.ts'
import { CODES } from './rules.ts'
import { openObjectStore } from './storage/object-store.ts'
import { storageRoute } from './storage/storage.ts'
import { type OpenControlPlane, openControlPlane } from './vertex/control-plane.ts'
import type { Quotas, Timing } from './vertex/world.ts'
import { adminRoute } from './wire/admin.ts'
import { createCertificates } from './wire/certificates.ts'
import { grpcWire } from './wire/grpc.ts'
import { isDedicatedHost } from './wire/hosts.ts'
import { httpServer } from './wire/http.ts'
import { tokenRoute } from './wire/oauth.ts'
import { loadMethods } from './wire/protos.ts'
import { type Call, restRoute } from './wire/rest.ts'
import { listenForAll } from './wire/shared-port.ts'

export interface EmulatorOptions {
  /** 0 takes any. */
  readonly port: number
  /** Default: 127.0.0.1 */
  readonly host?: string
  /** Where everything is kept; default: a temporary folder, removed in the end. */
  readonly data?: string
  readonly clock?: Clock
  /** What deployed models run, told where the emulator and its folder are; default: nothing, and predictions are UNAVAILABLE. */
  servers?(place: { readonly url: string; readonly data: string }): ModelServers
  /** Of ids, of the traffic split's draws and of samples. */
  readonly seed: number
  readonly timing?: Partial<Timing>
  readonly quotas?: Partial<Quotas>
  /** How long after its time a point of a metric is visible: minutes on Google Cloud, by default none here. */
  readonly metricsLagMs?: number
  /** ms that a connection may take to say what it is; default: half a minute. */
  readonly patienceMs?: number
  /** Is told of every call, by the full name of its method. */
  onCall?(method: string): void
  /** Is told what an operator should know, in a line. */
  log?(line: string): void
}

export interface Emulator {
  /** `http://127.0.0.1:8790`: gRPC, REST, storage, monitoring and `/admin/faults`; all of it over TLS, too, and the proxy that leads there. */
  readonly url: string
  /** Of the authority that its TLS is certified by, in PEM. */
  readonly certificate: string
  readonly port: number
  /** The folder where everything is kept. */
  readonly data: string
  readonly control: OpenControlPlane
  readonly faults: Faults
  stop(): Promise<void>
}

const PATIENCE_MS = 30_000

interface Planes {
  readonly control: OpenControlPlane
  readonly data: DataPlane
}

/** Vertex AI's endpoints and models, Cloud Storage and a part of Cloud Monitoring at one address. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { seed, host = '127.0.0.1', clock = realClock(), log = () => {} } = options
  const { servers = () => noServers, patienceMs = PATIENCE_MS } = options
  const now = () => clock.now()
  const onBug = (error: unknown) => log(error instanceof Error ? (error.stack ?? error.message) : String(error))
  const [methods, certificates] = await Promise.all([loadMethods(), createCertificates()])
  const folder = await openDataFolder(options.data)
  const objects = await openObjectStore(join(folder.path, 'objects'), now)
  const requestLog = createRequestLog(join(folder.path, 'request-log'), seed)
  const metrics = createMetrics()

  // The control plane starts model servers, and these read their bundles from here: the door opens before it does.
  let opened: Planes | undefined
  const planes = (): Planes => {
    if (opened === undefined) throw new RpcError(CODES.UNAVAILABLE, 'The emulator is starting.')
    return opened
  }
  const call: Call = async ({ name }, request, host) => {
    const { control, data } = planes()
    options.onCall?.(name)
    if (name.endsWith('PredictionService/Predict')) return data.predict(request, host)
    if (name.endsWith('PredictionService/RawPredict')) return data.rawPredict(request, host)
    if (isDedicatedHost(host)) throw notThere(host)
    return { message: await control.call(name, request) }
  }
  const http = httpServer(
    [
      storageRoute(objects, point => opened?.control.faults.take(point)),
      monitoringRoute(metrics, now, options.metricsLagMs ?? 0),
      adminRoute(() => planes().control.faults),
      tokenRoute(),
      restRoute(methods, call),
    ],
    patienceMs,
    onBug,
  )
  const grpc = await grpcWire(methods, call, onBug)
  const giveUp = (close: () => Promise<void>) => async (error: unknown) => {
    await close()
    throw error
  }
  const door = await listenForAll({
    ...{ port: options.port, host, http, grpc: grpc.take, certificates, patienceMs, log },
  }).catch(giveUp(folder.close))
  const url = `http://${host}:${door.port}`
  const closeDoor = async () => {
    grpc.stop()
    await door.stop()
  }
  const control = await openControlPlane({
    clock,
    store: folder.state,
    servers: servers({ url, data: folder.path }),
    seed,
    timing: options.timing,
    quotas: options.quotas,
  }).catch(giveUp(async () => void (await Promise.all([closeDoor(), folder.close()]))))
  opened = { control, data: createDataPlane({ control, faults: control.faults, metrics, requestLog, now }) }

  async function stop(): Promise<void> {
    await closeDoor()
    await control.close()
    await requestLog.flush()
    await folder.close()
  }
  let stopped: Promise<void> | undefined

  return {
    url,
    certificate: certificates.authority,
    port: door.port,
    data: folder.path,
    control,
    faults: control.faults,
    stop() {
      stopped ??= stop()
      return stopped
    },
  }
}
