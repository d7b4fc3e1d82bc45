import { defineCommand } from '../../command.ts'
import { breakLock, listLocks } from '../../deploy/doing/lock.ts'
import { DapError, ExitCode } from '../../errors.ts'
import { LOCK_RESULT_SCHEMA } from '../../generated/names.ts'
import type { LockResult } from '../../results.ts'
import { locksText } from '../../ui/status.ts'
import { openCloud, patienceOf } from '../deploying/engine.ts'
import { declareEnvironment, environmentName, openEnvironment } from '../deploying/environment.ts'
import { lockState } from './ls.ts'

interface Options {
  readonly deployment: string
  readonly environment: string
}

export const lockBreakCommand = defineCommand<Options, LockResult>({
  declare: command =>
    declareEnvironment(command.argument('<deployment>', 'name of a Deployment')).addHelpText(
      'after',
      '\nThe run that held it writes nothing more as soon as it looks; what the cloud is busy with goes on.\n\nexit codes: 0 broken, 1 it is not locked, 3 usage, 5 the cloud said no',
    ),

  options: ([deployment], flags) => ({ deployment, environment: environmentName(flags) }),

  async run({ deployment, environment }, host, report) {
    const { target } = await openEnvironment(host, environment)
    const cloud = await openCloud(host, target.place, report)
    const held = await listLocks(cloud, target, host.now())
    const found = held.find(each => each.deployment === deployment)
    if (found === undefined) {
      throw new DapError(`\`${deployment}\` is not locked`, { hint: `dap lock ls --env ${environment}` })
    }
    await breakLock(cloud, found.endpoint, found.lock.run, patienceOf(host), await host.processes())
    return { schema: LOCK_RESULT_SCHEMA, command: 'break', environment, locks: [lockState(found)] }
  },

  text: locksText,
  json: result => result,
  exitCode: () => ExitCode.done,
})
