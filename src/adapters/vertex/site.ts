import { connect } from 'node:net'
import type { Place } from '../../deploy/routes.ts'
import { DapError, ExitCode } from '../../errors.ts'

const DEFAULT_URL = 'http://127.0.0.1:8790'
const REACH_MS = 2000

/** Where the emulator of a place answers; null for the real cloud, which nothing in the process's environment leads astray. */
export function emulatorUrl(place: Place, environment: (name: string) => string | undefined): string | null {
  if (place.target === 'emulator') {
    const url = environment('DAP_VERTEX_ENDPOINT') ?? DEFAULT_URL
    if (!/^http:\/\/[^/:]+:\d+$/.test(url.replace(/\/$/, '')))
      throw new DapError(`DAP_VERTEX_ENDPOINT is \`${url}\`, no address of an emulator`, { hint: DEFAULT_URL })
    return url.replace(/\/$/, '')
  }
  const astray = ['DAP_VERTEX_ENDPOINT', 'STORAGE_EMULATOR_HOST'].find(name => environment(name) !== undefined)
  if (astray === undefined) return null
  throw new DapError(`${astray} leads to an emulator, and \`${place.project}\` is on the real cloud`, {
    hint: `unset ${astray}, or choose an environment whose target is \`emulator\``,
  })
}

/** Tries whether anything listens there; the clients would find out later, and say it worse. */
export function reach(url: string): Promise<void> {
  const { hostname, port } = new URL(url)
  return new Promise((done, fail) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: REACH_MS })
    const refuse = (cause?: Error) => {
      socket.destroy()
      fail(
        new DapError(`the emulator does not answer at ${url}`, {
          hint: '`dap emulator` starts it; `dap emulator exec -- dap deploy` runs one just for a command',
          exitCode: ExitCode.remote,
          cause,
        }),
      )
    }
    socket.once('error', refuse)
    socket.once('timeout', refuse)
    socket.once('connect', () => {
      socket.destroy()
      done()
    })
  })
}
