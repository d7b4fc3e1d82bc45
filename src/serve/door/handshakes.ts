import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** What of a server for HTTPS tells who connects, and who has shaken hands. */
interface Listening {
  on(event: 'connection', heard: (socket: Socket) => void): unknown
  on(event: 'secureConnection', heard: (socket: TLSSocket) => void): unknown
}

const followed = new WeakMap<object, ReadonlyMap<string, Socket>>()

/** The connections of a server that have not shaken hands yet, oldest first. By their peers: what comes of a socket once it is secure does not name it. */
export function shakingHands(server: Listening): ReadonlyMap<string, Socket> {
  const known = followed.get(server)
  if (known !== undefined) return known
  const shaking = new Map<string, Socket>()
  followed.set(server, shaking)
  server.on('connection', socket => {
    const peer = peerOf(socket)
    shaking.set(peer, socket)
    socket.once('close', () => {
      if (shaking.get(peer) === socket) shaking.delete(peer)
    })
  })
  server.on('secureConnection', socket => void shaking.delete(peerOf(socket)))
  return shaking
}

const peerOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`
