import { defineCommand } from '../../command.ts'
import type { HeldLock } from '../../deploy/doing/lock.ts'
import { listLocks } from '../../deploy/doing/lock.ts'
import { ExitCode } from '../../errors.ts'
import { LOCK_RESULT_SCHEMA } from '../../generated/names.ts'
import type { LockResult, LockState } from '../../results.ts'
import { locksText } from '../../ui/status.ts'
import { openCloud } from '../deploying/engine.ts'
import { declareEnvironment, environmentName, openEnvironment } from '../deploying/environment.ts'

interface Options {
  readonly environment: string
}

export const lockListCommand = defineCommand<Options, LockResult>({
  declare: command =>
    declareEnvironment(command).addHelpText(
      'after',
      '\nWho is at work on which deployment, and until when at the latest.\n\nexit codes: 0 listed, 3 usage, 5 the cloud said no',
    ),

  options: (_, flags) => ({ environment: environmentName(flags) }),

  async run({ environment }, host, report) {
    const { target } = await openEnvironment(host, environment)
    const held = await listLocks(await openCloud(host, target.place, report), target, host.now())
    return { schema: LOCK_RESULT_SCHEMA, command: 'ls', environment, locks: held.map(lockState) }
  },

  text: locksText,
  json: result => result,
  exitCode: () => ExitCode.done,
})

export function lockState({ deployment, endpoint, lock, expired }: HeldLock): LockState {
  const expires = new Date(lock.expires * 1000).toISOString()
  return { deployment, endpoint, run: lock.run, owner: lock.owner, expires, expired }
}
