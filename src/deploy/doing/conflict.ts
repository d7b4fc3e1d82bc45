/** Refusals where somebody else is at an endpoint, or was. */
import { DapError, ExitCode } from '../../errors.ts'
import type { Lock, Memory } from '../memory.ts'
import type { Processes } from '../runs.ts'

/** Somebody else was there: nothing more is written, and what the cloud has is worth another plan. */
export function conflict(message: string, hint: string): DapError {
  return new DapError(message, { hint, exitCode: ExitCode.stale })
}

/** Another run holds the lock; whether it lives is said where that is known. */
export function taken({ deployment, environment }: Memory, lock: Lock, { stateOf }: Processes): DapError {
  const until = expiry(lock)
  const locked = `\`${deployment}\` is locked by ${lock.owner} (run ${lock.run})`
  const take = `dap lock break ${deployment} --env ${environment}`
  const { process } = lock
  const state = process && stateOf(process)
  switch (state) {
    case 'running':
      return conflict(
        `${locked}, which is process ${process!.pid} of this machine, and still runs`,
        `wait for it, or stop it; once it is gone, \`dap deploy --resume\` and \`dap rollback\` take its lock over`,
      )
    case 'gone':
      return conflict(
        `${locked} until ${until}, and its process is gone`,
        `dap deploy --env ${environment} --only ${deployment} --resume takes the lock over and goes on, \`dap rollback ${deployment}\` takes it over and goes back`,
      )
    default: {
      const where = state === 'elsewhere' ? ' on another machine or in another container' : ''
      return conflict(
        `${locked}${where} until ${until}`,
        `nobody here can tell whether that run goes on: wait for it, or until then, or take the lock away from it: ${take}`,
      )
    }
  }
}

/** It was held, and is not any more. */
export function lost(id: string, lock: Lock | undefined): DapError {
  const now = lock === undefined ? 'nobody holds it now' : `${lock.owner} (run ${lock.run}) holds it now`
  return conflict(
    `the lock of \`${id}\` was taken away: ${now}`,
    '`dap status` shows what runs; `dap plan` what is left',
  )
}

/** Anybody may edit the rest of an endpoint. */
export function moved(id: string, what: string): DapError {
  return conflict(
    `somebody changed ${what} of \`${id}\` while it was being deployed`,
    '`dap plan` shows what they did; `dap deploy --accept-drift` overwrites it',
  )
}

/** RFC 3339 */
export const expiry = ({ expires }: Lock) => new Date(expires * 1000).toISOString()
