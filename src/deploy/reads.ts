/** Reading from a cloud that is busy: what every command does, so it is not left to them. */
import { InterruptedError } from '../errors.ts'
import { attempt, type Patience } from './patience.ts'

/** The same calls, where each of these, which change nothing, is tried until it is answered or that is hopeless. */
export function readPatiently<T extends object>(calls: T, reads: readonly (keyof T & string)[], patience: Patience): T {
  const patient = reads.map(name => {
    const call = calls[name] as (...args: readonly unknown[]) => Promise<unknown>
    const tried = (...args: readonly unknown[]) =>
      attempt(() => unlessStopped(() => call(...args), patience.signal), patience)
    return [name, tried]
  })
  return { ...calls, ...Object.fromEntries(patient) }
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
