/** Reading from a cloud that is busy: what every command does, so it is not left to them. */

import { InterruptedError } from '../errors.ts'
import type { Cloud } from './cloud.ts'
import { attempt, type Patience } from './patience.ts'

type Method = Exclude<keyof Cloud, 'place'>

/** A call that changes nothing can be tried again by itself; before one that does, its caller looks what came of the last try. */
const READS: Readonly<Record<Method, boolean>> = {
  listEndpoints: true,
  getEndpoint: true,
  createEndpoint: false,
  updateEndpoint: false,
  deleteEndpoint: false,
  deployModel: false,
  undeployModel: false,
  mutateDeployedModel: false,
  listModels: true,
  updateVersion: false,
  listVersions: true,
  uploadModel: false,
  setDefaultVersion: false,
  deleteVersion: false,
  deleteModel: false,
  getOperation: true,
  runningOperations: true,
  putObject: false,
  listObjects: true,
  getObject: true,
  deleteObject: false,
  requests: true,
}

/** Clouds that read patiently → those that they ask. */
const asked = new WeakMap<Cloud, Cloud>()

/** The same cloud, where every read is tried until it is answered or that is hopeless. Of a cloud that is patient already, the patience is replaced. */
export function readPatiently(cloud: Cloud, patience: Patience): Cloud {
  const once = readOnce(cloud)
  const methods = (Object.keys(READS) as Method[]).filter(method => READS[method])
  const reads = methods.map(method => {
    const call = once[method] as (...args: readonly unknown[]) => Promise<unknown>
    return [
      method,
      (...args: readonly unknown[]) =>
        attempt(method, () => unlessStopped(() => call(...args), patience.signal), patience),
    ]
  })
  const patient: Cloud = { ...once, ...Object.fromEntries(reads) }
  asked.set(patient, once)
  return patient
}

/** A read that nobody waits for any more is left alone: it changes nothing. */
function unlessStopped<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return call()
  return new Promise((resolve, reject) => {
    const stop = () => reject(new InterruptedError())
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    const heard = () => signal.removeEventListener('abort', stop)
    call().finally(heard).then(resolve, reject)
  })
}

/** The same cloud without any patience, for who has one of its own. */
export const readOnce = (cloud: Cloud): Cloud => asked.get(cloud) ?? cloud
