import { defineCommand } from '../command.ts'
import { destructionOf } from '../deploy/operating/operate.ts'
import { destroyDeployment } from '../deploy/operating/remove.ts'
import type { DeployResult } from '../results.ts'
import { deployText } from '../ui/deploy.ts'
import { exitCodeOf } from './deploying/engine.ts'
import {
  changesText,
  declareOperate,
  lookAt,
  type OperateOptions,
  operate,
  operateOptions,
  whoseOf,
} from './deploying/operating.ts'

interface Options extends OperateOptions {
  readonly deployment: string
  readonly unprotected: readonly string[]
}

export const destroyCommand = defineCommand<Options, DeployResult>({
  declare: command =>
    declareOperate(command.argument('<deployment>', 'name of a Deployment, whether Git still has it or not'))
      .option('--override-protection <deployment>', 'say the name again, where the Environment protects it')
      .addHelpText(
        'after',
        '\nTakes its traffic away, undeploys its models and deletes the endpoint and the model with all versions.\n\nexit codes: 0 done, 1 it is protected, 3 usage, 4 somebody else is at it, 5 the cloud said no',
      ),

  options: ([deployment], flags) => ({
    deployment,
    unprotected: flags['overrideProtection'] === undefined ? [] : [flags['overrideProtection'] as string],
    ...operateOptions(flags),
  }),

  run: ({ deployment, unprotected, ...options }, host, report) =>
    operate('destroy', host, options, report, async (site, engine) => {
      const whose = whoseOf(site, deployment)
      const actual = await lookAt(site, whose)
      const changes = destructionOf(deployment, whose.shelf, actual, site.environment.target, unprotected)
      return {
        question: `destroy ${deployment}?`,
        shown: changesText(site, [{ whose, changes }]),
        run: async () => [await destroyDeployment(whose, changes, engine, unprotected)],
      }
    }),

  text: deployText,
  json: result => result,
  exitCode: ({ deployments, command }) => exitCodeOf(deployments, command),
})
