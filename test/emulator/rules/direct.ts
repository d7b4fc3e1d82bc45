import { virtualClock } from '../../../src/emulator/clock.ts'
import type { JsonObject, StateStore } from '../../../src/emulator/ports.ts'
import { type OpenControlPlane, openControlPlane } from '../../../src/emulator/vertex/control-plane.ts'
import type { Quotas } from '../../../src/emulator/vertex/world.ts'
import { type Api, type FakeServers, fakeServers } from './suite.ts'

const MODEL_METHOD = /Model(s|Version|Versions)?$|VersionAliases/

export const fullName = (method: string) => {
  if (method.endsWith('Operation') || method.endsWith('Operations')) return `google.longrunning.Operations/${method}`
  const ofEndpoints = ['DeployModel', 'UndeployModel', 'MutateDeployedModel'].includes(method)
  const service = MODEL_METHOD.test(method) && !ofEndpoints ? 'ModelService' : 'EndpointService'
  return `google.cloud.aiplatform.v1.${service}/${method}`
}

/** Keeps what a file would: text. */
export function memoryStore(): StateStore {
  let text: string | undefined
  return {
    load: async () => (text === undefined ? undefined : (JSON.parse(text) as JsonObject)),
    async save(state) {
      text = JSON.stringify(state)
    },
  }
}

export interface Direct extends Api {
  readonly control: OpenControlPlane
  /** As after a stop of the emulator. */
  restart(): Promise<Direct>
}

export async function openDirect(
  options: { readonly quotas?: Partial<Quotas>; readonly seed?: number } = {},
  store: StateStore = memoryStore(),
  clock = virtualClock(),
  servers: FakeServers = fakeServers(),
): Promise<Direct> {
  const control = await openControlPlane({ clock, servers, store, seed: options.seed ?? 7, quotas: options.quotas })
  return {
    control,
    call: (method, request) => control.call(fullName(method), request),
    advance: clock.advance,
    faults: control.faults,
    servers,
    close: () => control.close(),
    async restart() {
      await control.close()
      return openDirect(options, store, clock, servers)
    },
  }
}
