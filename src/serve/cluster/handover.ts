import type { Worker } from 'node:cluster'

/**
 * The primary accepts a connection, sends it to a worker, and keeps it until the worker says that it has it. Of one whose worker dies
 * before that Node keeps it for ever, and its client waits: here it is closed.
 */
export function closeWhatDiesWith(worker: Worker): void {
  const child = worker.process
  const unconfirmed = new Map<number, Connection>()
  const send = child.send.bind(child) as (...words: readonly unknown[]) => boolean
  child.send = (...words: readonly unknown[]) => {
    const [message, connection] = words as [NodeMessage, Connection | undefined]
    if (message.act === 'newconn' && message.seq !== undefined && connection !== undefined) {
      unconfirmed.set(message.seq, connection)
    }
    return send(...words)
  }
  child.on('internalMessage', ({ ack }: NodeMessage) => {
    if (ack !== undefined) unconfirmed.delete(ack)
  })
  child.once('close', () => {
    for (const connection of unconfirmed.values()) connection.close()
  })
}

/** A message of Node's own between a primary and a worker. */
interface NodeMessage {
  readonly act?: string
  readonly seq?: number
  /** The `seq` of what it answers. */
  readonly ack?: number
}

interface Connection {
  close(): void
}
