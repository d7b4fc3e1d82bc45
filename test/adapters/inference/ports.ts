import type { Server } from 'node:net'

const [FIRST, LAST] = [20_000, 32_000]
const TRIES = 200

/**
 * The port that it listens at on loopback. Of those that no connection is given as its own end: whoever stops to listen there finds it free when it wants it again.
 */
export async function listen(server: Server | ((port: number) => Promise<number>)): Promise<number> {
  const bind = typeof server === 'function' ? server : (port: number) => bound(server, port)
  for (let tries = 1; ; tries++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST))
    try {
      return await bind(port)
    } catch (error) {
      if (tries === TRIES) throw error
    }
  }
}

export function bound(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve(port)
    })
  })
}
