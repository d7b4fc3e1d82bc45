import type { Socket } from 'node:net'
import type { grpc } from 'google-gax'
import type { JsonObject, RpcError } from '../ports.ts'
import { hostName } from './hosts.ts'
import { decode, encode } from './proto-json.ts'
import type { MessageType, Method } from './protos.ts'
import type { Call } from './rest.ts'
import { rpcError } from './status.ts'

/** A dedicated endpoint takes 10 MB of JSON; its message may be somewhat larger. */
const MAX_MESSAGE = 64 * 1024 * 1024

/** Vertex AI's gRPC interface, over connections that somebody else has accepted. What is not registered is UNIMPLEMENTED. */
export interface GrpcWire {
  take(socket: Socket): void
  stop(): void
}

export async function grpcWire(
  methods: readonly Method[],
  call: Call,
  onBug: (error: unknown) => void,
): Promise<GrpcWire> {
  const { grpc } = await import('google-gax')
  const server = new grpc.Server({
    'grpc.max_receive_message_length': MAX_MESSAGE,
    'grpc.max_send_message_length': MAX_MESSAGE,
  })
  const identity = (bytes: Buffer) => bytes
  for (const method of methods.filter(({ streaming }) => !streaming)) {
    const handle = async (unary: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
      try {
        const { message, headers = {} } = await call(
          method,
          decode(method.request, unary.request),
          hostName(unary.getHost()),
        )
        const bytes = encode(method.response, message)
        const metadata = new grpc.Metadata()
        for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
        unary.sendMetadata(metadata)
        done(null, bytes)
      } catch (error) {
        done(statusOf(grpc, method.request, rpcError(error, onBug)))
      }
    }
    server.register(`/${method.name}`, handle, identity, identity, 'unary')
  }
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure())
  return {
    take: socket => injector.injectConnection(socket),
    stop() {
      injector.destroy()
      server.forceShutdown()
    },
  }
}

/** The status, with google.rpc.Status in the trailers where it has details. */
function statusOf(
  { Metadata }: typeof grpc,
  { root }: MessageType,
  { code, message, details }: RpcError,
): grpc.ServiceError {
  const metadata = new Metadata()
  if (details.length > 0) {
    const status: JsonObject = { code, message, details }
    metadata.set('grpc-status-details-bin', encode(root.lookupType('google.rpc.Status'), status))
  }
  return Object.assign(new Error(message), { code, details: message, metadata })
}
