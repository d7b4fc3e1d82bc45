import { connect, createServer, type Server, type Socket } from 'node:net'
import { bound, listen } from './ports.ts'

/**
 * Stands before a server, and does to connections what networks and machines do: `refuse` and `accept` again, at the same port; `silence` those that are open, whose
 * bytes are then lost without a word; `cut` the one that is the first to send so many bytes back from now on; `hold` what comes back.
 */
export interface FaultProxy {
  readonly url: string
  refuse(): Promise<void>
  accept(): Promise<void>
  silence(): void
  cut(afterBytes: number): void
  hold(): void
  /** Connections that were made so far. */
  readonly connections: number
  close(): Promise<void>
}

export async function faultProxy(to: number): Promise<FaultProxy> {
  const open = new Map<Socket, { silent: boolean }>()
  let connections = 0
  let left = Number.POSITIVE_INFINITY
  let held = false

  function take(near: Socket): void {
    connections++
    const far = connect(to, '127.0.0.1')
    const state = { silent: false }
    open.set(near, state)
    const end = () => {
      near.destroy()
      far.destroy()
      open.delete(near)
    }
    for (const socket of [near, far]) socket.on('error', end).on('close', end)
    near.on('data', bytes => {
      if (!state.silent) far.write(bytes)
    })
    far.on('data', bytes => {
      if (state.silent || held) return
      if (bytes.length < left) near.write(bytes)
      else near.write(bytes.subarray(0, left), () => near.resetAndDestroy())
      left = bytes.length < left ? left - bytes.length : Number.POSITIVE_INFINITY
    })
  }

  let server: Server = createServer(take)
  const port = await listen(server)
  const refuse = () =>
    new Promise<void>(done => {
      server.close(() => done())
      for (const near of open.keys()) near.destroy()
    })
  return {
    url: `http://127.0.0.1:${port}`,
    refuse,
    async accept() {
      server = createServer(take)
      await bound(server, port)
    },
    silence() {
      for (const state of open.values()) state.silent = true
    },
    cut(afterBytes) {
      left = afterBytes
    },
    hold() {
      held = true
    },
    get connections() {
      return connections
    },
    close: refuse,
  }
}
