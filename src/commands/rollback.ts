import { defineCommand } from '../command.ts'
import { rollbackOf } from '../deploy/operating/operate.ts'
import { rollbackDeployment } from '../deploy/operating/rollback.ts'
import type { DeployResult } from '../results.ts'
import { deployText } from '../ui/deploy.ts'
import { exitCodeOf } from './deploying/engine.ts'
import { declareOperate, lookAt, type OperateOptions, operate, operateOptions, whoseOf } from './deploying/operating.ts'

interface Options extends OperateOptions {
  readonly deployment: string
}

export const rollbackCommand = defineCommand<Options, DeployResult>({
  declare: command =>
    declareOperate(command.argument('<deployment>', 'name of a Deployment')).addHelpText(
      'after',
      `
While the old version is warm one write moves all traffic back; later it is deployed again first. What was rolled back
is on hold: no deploy brings it back until Git changes, or --release-hold says so.

exit codes: 0 rolled back, 1 there is nothing to go back to, 3 usage, 4 somebody else is at it, 5 the cloud said no`,
    ),

  options: ([deployment], flags) => ({ deployment, ...operateOptions(flags) }),

  run: ({ deployment, ...options }, host, report) =>
    operate('rollback', host, options, report, async (site, engine) => {
      const whose = whoseOf(site, deployment)
      const way = rollbackOf(deployment, whose.shelf, await lookAt(site, whose))
      const how =
        way.kind === 'flip'
          ? `all traffic of ${deployment} goes back to ${way.to.displayName}, in one write`
          : `${deployment}: the version before is deployed again, then gets all traffic`
      return {
        question: 'roll back?',
        shown: how,
        run: async () => [await rollbackDeployment(whose, engine)],
      }
    }),

  text: deployText,
  json: result => result,
  exitCode: ({ deployments, command }) => exitCodeOf(deployments, command),
})
