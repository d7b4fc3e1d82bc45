import type { Client, ServiceError } from '@grpc/grpc-js'
import { InstallationError } from '../../errors.ts'
import { ModelFailure } from '../../models/runtime.ts'
import { type Message, readMessage } from '../protobuf.ts'
import { asking, decoding, firstLine, MOST_BYTES } from './failures.ts'

/** A server's gRPC, over one connection. */
export interface Channel {
  readonly host: string
  /** One call of a method such as `inference.GRPCInferenceService/ModelInfer`. A ModelFailure where no message came back. */
  call(method: string, message: Uint8Array, signal: AbortSignal): Promise<Message>
  close(): void
}

const OPTIONS = {
  'grpc.max_receive_message_length': MOST_BYTES,
  // Who calls tries again, and knows whether there is time for it.
  'grpc.enable_retries': 0,
  // Half a second after a server is back it is asked again, not two minutes.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
  // As fetch: a proxy that the process's environment names is for what is outside.
  'grpc.enable_http_proxy': 0,
}

/** So many calls without an answer, one after the other, and the connection is taken for dead: a machine that is gone says nothing, and a call that is cancelled keeps it. */
const SILENT_CALLS = 5

/** The package is loaded and a connection made by the first call. */
export function channelTo(url: string): Channel {
  const { host, hostname, port, protocol } = new URL(url)
  const isSecure = protocol === 'https:'
  const address = `${hostname}:${port || (isSecure ? 443 : 80)}`
  let client: Promise<Client> | undefined
  let silent = 0

  async function open(): Promise<Client> {
    const { Client, credentials } = await import('@grpc/grpc-js').catch(cause => {
      throw new InstallationError(['@grpc/grpc-js'], cause)
    })
    return new Client(address, isSecure ? credentials.createSsl() : credentials.createInsecure(), OPTIONS)
  }

  function close(): void {
    client?.then(open => open.close()).catch(() => {})
    client = undefined
    silent = 0
  }

  async function once(method: string, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    client ??= open()
    const channel = await client
    return new Promise((resolve, reject) => {
      const same = (bytes: Buffer) => bytes
      const unary = channel.makeUnaryRequest(`/${method}`, same, same, Buffer.from(message), (error, answer) => {
        if (error === null && answer !== undefined) resolve(answer)
        else reject(failureOf(host, error))
      })
      const cancel = () => unary.cancel()
      if (signal.aborted) cancel()
      else signal.addEventListener('abort', cancel)
    })
  }

  return {
    host,
    async call(method, message, signal) {
      try {
        const bytes = await asking(host, signal, own => once(method, message, own))
        silent = 0
        return decoding(host, () => readMessage(bytes))
      } catch (failure) {
        if (!(failure instanceof ModelFailure && failure.reason === 'timeout')) silent = 0
        else if (++silent >= SILENT_CALLS) close()
        throw failure
      }
    },
    close,
  }
}

/** Of google.rpc.Code. */
const DEADLINE_EXCEEDED = 4
const UNAVAILABLE = 14

function failureOf(host: string, error: ServiceError | null): ModelFailure {
  const { code = 2, details } = error ?? {}
  if (code === UNAVAILABLE) return new ModelFailure('unreachable', `${host} cannot be reached${firstLine(details)}`)
  if (code === DEADLINE_EXCEEDED) return new ModelFailure('timeout', `${host} did not answer in time`)
  return new ModelFailure('answer', `${host} answers gRPC status ${code}${firstLine(details)}`)
}
