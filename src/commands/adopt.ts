import { join } from 'node:path'
import { defineCommand } from '../command.ts'
import { adopt } from '../deploy/adopt.ts'
import { CloudError } from '../deploy/cloud.ts'
import { writeLabels } from '../deploy/guarded.ts'
import { decodeLabels, encodeLabels } from '../deploy/labels.ts'
import { conflict } from '../deploy/lock.ts'
import { DapError, ExitCode, UsageError } from '../errors.ts'
import { type AdoptResult, adoptText } from '../ui/adopt.ts'
import { RESOURCE_NAME, RESOURCE_NAME_HINT } from './arguments.ts'
import { openCloud, patienceOf, requireAgreement } from './engine.ts'
import { openEnvironment } from './environment.ts'
import { declareOperate, type OperateOptions, operateOptions } from './operating.ts'
import { requireResource } from './repository.ts'

interface Options extends OperateOptions {
  /** Id of the endpoint. */
  readonly endpoint: string
  readonly name?: string
  readonly policy?: string
}

export const adoptCommand = defineCommand<Options, AdoptResult>({
  declare: command =>
    declareOperate(command.argument('<endpoint>', 'endpoints/ID, its whole name, or the id alone'))
      .option('--name <deployment>', 'what the Deployment is to be called; default: the display name')
      .option('--policy <name>', 'the Policy that is to be deployed to it; may be left out when there is only one')
      .addHelpText(
        'after',
        '\nPuts an endpoint that somebody else has made under the care of dap: writes its labels, which say whose it is and\nwhat serves now, and the file of the Deployment. Traffic does not move.\n\nexit codes: 0 adopted, 1 it belongs to somebody else, 3 usage, 4 somebody else wrote to it, 5 the cloud said no',
      ),

  options: ([endpoint], flags) => ({
    endpoint: idOf(endpoint),
    ...(flags['name'] === undefined ? {} : { name: flags['name'] as string }),
    ...(flags['policy'] === undefined ? {} : { policy: flags['policy'] as string }),
    ...operateOptions(flags),
  }),

  async run({ endpoint: id, name, policy: wanted, environment: environmentName, yes }, host, report) {
    const { opened, target, deployments } = await openEnvironment(host, environmentName)
    const policy = requireResource(opened, 'Policy', wanted)
    const cloud = await openCloud(host, target.place, report)
    const endpoint = await cloud.getEndpoint(id)
    if (endpoint === undefined) {
      throw new UsageError(`no endpoint \`${id}\` in ${target.place.project}, ${target.place.region}`)
    }
    const deployment = name ?? endpoint.displayName
    if (!RESOURCE_NAME.test(deployment)) {
      throw new UsageError(`\`${deployment}\` cannot be the name of a Deployment`, {
        hint: `--name NAME: ${RESOURCE_NAME_HINT}`,
      })
    }
    const file = join('deployments', target.environment, `${deployment}.yaml`)
    const path = join(opened.root, file)
    if (deployments.some(each => each.name === deployment) || (await host.files.exists(path))) {
      throw new DapError(`there is a deployment \`${deployment}\` already`, { hint: '--name gives it another name' })
    }
    const { project, environment, serviceAccount } = target
    const owner = { project, environment, deployment, policy: policy.name, serviceAccount }
    const { labels, yaml, lost } = adopt(endpoint, owner)
    const shown = `${id} becomes deployment ${deployment} of ${environment}\n${lost.map(each => `  ${each}`).join('\n')}`
    await requireAgreement(host, yes, shown, 'adopt it?')
    const { foreign } = decodeLabels(endpoint.labels)
    await writeLabels(cloud, endpoint, encodeLabels(labels, foreign), patienceOf(host)).catch(failure => {
      if (!(failure instanceof CloudError) || failure.status !== 'ABORTED') throw failure
      throw conflict(`somebody else wrote to \`${id}\` meanwhile`, '`dap adopt` once more looks at what it is now')
    })
    await host.files.write(path, yaml)
    return { schema: 'dap.adoption/v1', deployment, endpoint: id, environment, file, lost }
  },

  text: adoptText,
  json: result => result,
  exitCode: () => ExitCode.done,
})

/** `endpoints/ID`, `projects/P/locations/L/endpoints/ID` or the id alone. */
function idOf(text: string): string {
  const id = /^(?:(?:projects\/[^/]+\/locations\/[^/]+\/)?endpoints\/)?([a-z0-9-]{1,63})$/.exec(text)?.[1]
  if (id === undefined) throw new UsageError(`\`${text}\` names no endpoint`, { hint: 'endpoints/ID' })
  return id
}
