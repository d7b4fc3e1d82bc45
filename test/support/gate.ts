import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * A way to a server of this machine that can be shut: what is sent meanwhile waits. So a test says how far a program has come by what it has
 * sent and heard, and no machine is too slow for it.
 */
export interface Gate {
  readonly url: string
  /** How many pieces have gone through, there and back. */
  readonly passed: number
  /** Resolves with the first connection, which waits while the gate is shut. */
  readonly knocked: Promise<void>
  open(): void
  /** Lets so many pieces more through and shuts; then it resolves. */
  shutAfter(pieces: number): Promise<void>
}

/** Shut until it is opened. */
export async function gateTo(target: string): Promise<Gate> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let passed = 0
  /** What `passed` may come to. */
  let until = 0
  let shut = () => {}
  let knock = () => {}
  const knocked = new Promise<void>(resolve => {
    knock = resolve
  })

  function join(from: Socket, to: Socket): void {
    sockets.add(from)
    from.on('data', piece => {
      to.write(piece)
      if (++passed < until) return
      for (const socket of sockets) socket.pause()
      shut()
    })
    from.on('error', () => to.destroy())
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
    if (passed >= until) from.pause()
  }

  const server = createServer(from => {
    const to = connect(Number(port), hostname)
    join(from, to)
    join(to, from)
    knock()
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })

  function openFor(pieces: number): void {
    until = passed + pieces
    for (const socket of sockets) socket.resume()
  }
  const address = server.address() as { readonly port: number }
  return {
    url: `http://127.0.0.1:${address.port}`,
    get passed() {
      return passed
    },
    knocked,
    open: () => openFor(Number.POSITIVE_INFINITY),
    shutAfter: pieces =>
      new Promise(resolve => {
        shut = resolve
        openFor(pieces)
      }),
  }
}
