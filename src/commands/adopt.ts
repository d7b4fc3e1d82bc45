import { join } from 'node:path'
import { defineCommand } from '../command.ts'
import { CloudError } from '../deploy/cloud-error.ts'
import { conflict } from '../deploy/doing/conflict.ts'
import { writeMemory } from '../deploy/doing/guarded.ts'
import { remember } from '../deploy/doing/remember.ts'
import { isModelId } from '../deploy/names.ts'
import { adopt } from '../deploy/operating/adopt.ts'
import { readActual } from '../deploy/wanted/actual.ts'
import { DapError, ExitCode, UsageError } from '../errors.ts'
import { ADOPT_RESULT_SCHEMA } from '../generated/names.ts'
import type { AdoptResult } from '../results.ts'
import { adoptText } from '../ui/adopt.ts'
import { RESOURCE_NAME, RESOURCE_NAME_HINT } from './arguments.ts'
import { openCloud, patienceOf, requireAgreement } from './deploying/engine.ts'
import { openEnvironment } from './deploying/environment.ts'
import { declareOperate, type OperateOptions, operateOptions } from './deploying/operating.ts'
import { requireResource } from './opening/repository.ts'

interface Options extends OperateOptions {
  /** Id of the endpoint. */
  readonly endpoint: string
  readonly name?: string
  readonly policy?: string
  /** Who it is taken away from. */
  readonly owner?: string
}

export const adoptCommand = defineCommand<Options, AdoptResult>({
  declare: command =>
    declareOperate(command.argument('<endpoint>', 'endpoints/ID, its whole name, or the id alone'))
      .option('--name <deployment>', 'what the Deployment is to be called; default: the display name')
      .option('--policy <name>', 'the Policy that is to be deployed to it; may be left out when there is only one')
      .option('--override-owner <projectId>', 'take it away from that repository')
      .addHelpText(
        'after',
        '\nPuts an endpoint that somebody else has made under the care of dap: writes its labels, which say whose it is and\nwhat serves now, and the file of the Deployment where Git has none yet. Traffic does not move.\n\nexit codes: 0 adopted, 1 it belongs to somebody else, 3 usage, 4 somebody else wrote to it, 5 the cloud said no',
      ),

  options: ([endpoint], flags) => ({
    endpoint: idOf(endpoint),
    ...(flags['name'] === undefined ? {} : { name: flags['name'] as string }),
    ...(flags['policy'] === undefined ? {} : { policy: flags['policy'] as string }),
    ...(flags['overrideOwner'] === undefined ? {} : { owner: flags['overrideOwner'] as string }),
    ...operateOptions(flags),
  }),

  async run({ endpoint: id, name, policy: wanted, environment: environmentName, yes, owner: from }, host, report) {
    const { opened, target, deployments, declared } = await openEnvironment(host, environmentName)
    const cloud = await openCloud(host, target.place, report)
    const live = await cloud.getRoute(id)
    if (live === undefined) {
      throw new UsageError(`no endpoint \`${id}\` in ${target.place.project}, ${target.place.region}`)
    }
    const actual = await readActual(cloud, target, declared.here)
    // With what dap remembers of it, where that was taken away.
    const endpoint = actual.endpoints.find(each => each.id === id && each.version === live.version) ?? live
    const deployment = name ?? endpoint.displayName
    if (!RESOURCE_NAME.test(deployment)) {
      throw new UsageError(`\`${deployment}\` cannot be the name of a Deployment`, {
        hint: `--name NAME: ${RESOURCE_NAME_HINT}`,
      })
    }
    const file = join('deployments', target.environment, `${deployment}.yaml`)
    const path = join(opened.root, file)
    const known = deployments.find(each => each.name === deployment)
    const taken = actual.found.get(deployment)?.endpoint
    if (taken !== undefined && taken !== id) {
      throw new DapError(`\`${deployment}\` has an endpoint already, \`${taken}\``, {
        hint: '--name gives it another name',
      })
    }
    if (known === undefined && (await host.files.exists(path))) {
      throw new DapError(`there is a file \`${file}\` already`, { hint: '--name gives it another name' })
    }
    const policy = known?.spec.policy ?? requireResource(opened, 'Policy', wanted).name
    const { environment } = target
    const { memory, yaml, lost } = adopt(endpoint, { ...target, deployment, policy }, from)
    const { lock } = live.memory ?? {}
    if (lock !== undefined && lock.expires * 1000 > host.now()) {
      const until = new Date(lock.expires * 1000).toISOString()
      throw conflict(
        `${lock.owner} (run ${lock.run}) is working on \`${id}\`, until ${until} at the latest`,
        'wait for that run, or have it stopped: it would go on with an endpoint that is not its own any more',
      )
    }
    const shown = `${id} becomes deployment ${deployment} of ${environment}\n${lost.map(each => `  ${each}`).join('\n')}`
    await requireAgreement(host, yes, shown, 'adopt it?')
    await writeMemory(cloud, endpoint, memory, patienceOf(host)).catch(failure => {
      if (!(failure instanceof CloudError) || failure.status !== 'ABORTED') throw failure
      throw conflict(`somebody else wrote to \`${id}\` meanwhile`, '`dap adopt` once more looks at what it is now')
    })
    // A release of dap's says whose it is as well.
    const shelf = endpoint.workloads.find(({ id }) => id === memory.stable)?.shelf
    if (shelf !== undefined && isModelId(shelf)) {
      const releases = await cloud.releasesOf(shelf)
      await remember({ cloud, shelf, releases }, endpoint, memory, undefined, patienceOf(host))
    }
    if (known === undefined) await host.files.write(path, yaml)
    return { schema: ADOPT_RESULT_SCHEMA, deployment, endpoint: id, environment, file: known ? null : file, lost }
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
