import { defineCommand } from '../command.ts'
import type { Change } from '../deploy/change.ts'
import { garbageOf } from '../deploy/operating/operate.ts'
import { collectGarbage, type Whose } from '../deploy/operating/remove.ts'
import { UsageError } from '../errors.ts'
import type { DeploymentOutcome, DeployResult } from '../results.ts'
import { deployText } from '../ui/deploy.ts'
import { exitCodeOf } from './deploying/engine.ts'
import { knownDeployments } from './deploying/environment.ts'
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
  readonly deployments: readonly string[]
}

export const gcCommand = defineCommand<Options, DeployResult>({
  declare: command =>
    declareOperate(command.argument('[deployments...]', 'names; default: all of the environment')).addHelpText(
      'after',
      `
Undeploys old versions whose rollback window is over and what killed runs have left, and deletes model versions that no
rollback needs. Bundles stay in the bucket: they are small, and what they decided can be replayed.

exit codes: 0 done, 3 usage, 4 somebody else is at it, 5 the cloud said no`,
    ),

  options(deployments, flags) {
    if (new Set(deployments).size < deployments.length) throw new UsageError('a deployment is named twice')
    return { deployments, ...operateOptions(flags) }
  },

  run: ({ deployments, ...options }, host, report) =>
    operate('gc', host, options, report, async (site, engine) => {
      const names = deployments.length > 0 ? deployments : knownDeployments(site.environment, site.actual)
      const garbage: { readonly whose: Whose; readonly changes: readonly Change[] }[] = []
      for (const name of names) {
        const whose = whoseOf(site, name)
        const actual = await lookAt(site, whose)
        garbage.push({ whose, changes: garbageOf(whose.shelf, actual, host.now()) })
      }
      return {
        question: 'remove all of it?',
        shown: changesText(site, garbage),
        async run() {
          const outcomes: DeploymentOutcome[] = []
          for (const { whose, changes } of garbage) outcomes.push(await collectGarbage(whose, changes, engine))
          return outcomes
        },
      }
    }),

  text: deployText,
  json: result => result,
  exitCode: ({ deployments, command }) => exitCodeOf(deployments, command),
})
