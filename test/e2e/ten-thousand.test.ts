import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { offer, post, repository } from '../serve/serving.ts'
import { startServer } from '../support/served.ts'

const CONNECTIONS = 10_000
const BODY = JSON.stringify({ context: { player: 'p1' } })
const REQUEST = `POST /v1/decide HTTP/1.1\r\nhost: dap\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`

/** Each end of a connection is a file. */
const files = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })) || Number.POSITIVE_INFINITY

const megabytes = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

describe('10,000 connections at once', () => {
  it.skipIf(files < CONNECTIONS + 200 || process.platform !== 'linux')(
    'are all answered, with a decision or a clear refusal; memory stays bounded, and the server lives',
    async () => {
      const server = await startServer(await repository({ 'policies/offer.yaml': offer() }))
      onTestFinished(server.kill)
      const { hostname, port } = new URL(server.url)
      const sockets: Socket[] = []
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy()
      })

      async function open(): Promise<void> {
        while (sockets.length < CONNECTIONS) {
          const socket = createConnection({ host: hostname, port: Number(port) })
          sockets.push(socket)
          await new Promise<void>((done, fail) => socket.once('connect', done).once('error', fail))
        }
      }
      await Promise.all(Array.from({ length: 64 }, open))
      const statuses = await Promise.all(
        sockets.map(
          socket =>
            new Promise<string>(done => {
              let answer = ''
              socket.on('data', data => {
                answer += data
                if (answer.includes('\r\n\r\n')) done(answer.slice(9, 12))
              })
              socket.on('error', () => done('error'))
              socket.on('close', () => done(answer === '' ? 'closed' : answer.slice(9, 12)))
              socket.write(REQUEST)
            }),
        ),
      )
      const counts: Record<string, number> = {}
      for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
      expect(Object.keys(counts).filter(status => status !== '200' && status !== '503')).toEqual([])
      expect(counts['200']).toBeGreaterThan(0)
      expect(megabytes(server.pid)).toBeLessThan(1024)
      expect(await post(`${server.url}/v1/decide`, JSON.parse(BODY))).toMatchObject({ status: 200 })
    },
  )
})
