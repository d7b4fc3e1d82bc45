import { defineCommand } from '../command.ts'
import { statusOf } from '../deploy/operating/status.ts'
import { readActual, withReleases } from '../deploy/wanted/actual.ts'
import { behindOf, orphansOf } from '../deploy/wanted/orphans.ts'
import { ExitCode } from '../errors.ts'
import { STATUS_RESULT_SCHEMA } from '../generated/names.ts'
import type { StatusResult } from '../results.ts'
import { statusText } from '../ui/status.ts'
import { lookBehind } from './deploying/behind.ts'
import { openCloud } from './deploying/engine.ts'
import {
  declareEnvironment,
  desiredDeployment,
  environmentName,
  openEnvironment,
  requireWhole,
} from './deploying/environment.ts'

interface Options {
  readonly environment: string
  readonly exitCode: boolean
}

interface Looked {
  readonly result: StatusResult
  readonly exitCode: boolean
}

export const statusCommand = defineCommand<Options, Looked>({
  declare: command =>
    declareEnvironment(command)
      .option('--exit-code', 'end with 2 where something does not run as Git says')
      .addHelpText(
        'after',
        '\nGit, last applied and live; what costs money without traffic.\n\nexit codes: 0 shown, 1 a file has errors, 2 not as Git says (--exit-code), 3 usage, 5 the cloud said no',
      ),

  options: (_, flags) => ({ environment: environmentName(flags), exitCode: flags['exitCode'] === true }),

  async run({ environment: name, exitCode }, host, report) {
    const environment = await openEnvironment(host, name)
    requireWhole(environment)
    const { opened, target, deployments, declared } = environment
    const cloud = await openCloud(host, target.place, report)
    const desired = []
    for (const each of deployments) desired.push((await desiredDeployment(host, environment, each)).desired)
    const actual = await withReleases(cloud, await readActual(cloud, target, declared.here), desired)
    const statuses = statusOf(desired, actual, target, host.now())
    const options = { declared, only: null, prune: false, overrideProtection: [] }
    const { behind, notes } = await lookBehind(host, environment, actual, report)
    const left = behind.flatMap(each => behindOf(each, target, options))
    const orphans = [...orphansOf(actual, target, options), ...left]
    const result: StatusResult = {
      schema: STATUS_RESULT_SCHEMA,
      environment: name,
      commit: await host.commit(opened.root),
      deployments: statuses,
      orphans,
      foreign: actual.foreign,
      notes,
      // What nobody declares costs money while something is deployed to it.
      synced: statuses.every(({ state }) => state === 'synced') && orphans.every(({ names }) => isEmpty(names)),
    }
    return { result, exitCode }
  },

  text: ({ result }, context) => statusText(result, context),
  json: ({ result }) => result,
  exitCode: ({ result, exitCode }) => (exitCode && !result.synced ? ExitCode.changes : ExitCode.done),
})

const isEmpty = (record: object) => Object.keys(record).length === 0
