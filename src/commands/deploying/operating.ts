import type { Command } from 'commander'
import type { RunEvent } from '../../command.ts'
import type { Change } from '../../deploy/change.ts'
import type { Engine } from '../../deploy/doing/run.ts'
import type { Identity } from '../../deploy/memory.ts'
import { endpointId, modelId } from '../../deploy/names.ts'
import type { Whose } from '../../deploy/operating/remove.ts'
import type { Cloud } from '../../deploy/routes.ts'
import { type Actual, type ActualDeployment, readActual } from '../../deploy/wanted/actual.ts'
import { displayNames } from '../../deploy/wanted/roles.ts'
import { UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import type { DeploymentOutcome, DeployResult } from '../../results.ts'
import { changeTitle, orphanKey } from '../../titles.ts'
import { openCloud, openEngine, requireAgreement, resultOf } from './engine.ts'
import {
  declareEnvironment,
  environmentName,
  knownDeployments,
  nameHint,
  type OpenEnvironment,
  openEnvironment,
} from './environment.ts'

export interface OperateOptions {
  readonly environment: string
  readonly yes: boolean
}

/** The options that every command which changes what runs takes. */
export function declareOperate(command: Command): Command {
  return declareEnvironment(command).option('--yes', 'do not ask')
}

export const operateOptions = (flags: Readonly<Record<string, unknown>>): OperateOptions => ({
  environment: environmentName(flags),
  yes: flags['yes'] === true,
})

/** An environment with its cloud, and what is there. */
export interface Site {
  readonly environment: OpenEnvironment
  readonly cloud: Cloud
  readonly actual: Actual
}

async function openSite(host: Host, name: string, report: (event: RunEvent) => void): Promise<Site> {
  const environment = await openEnvironment(host, name)
  const cloud = await openCloud(host, environment.target.place, report)
  return { environment, cloud, actual: await readActual(cloud, environment.target, environment.declared.here) }
}

/** A deployment's ids; a UsageError where neither Git nor the cloud knows it. */
export function whoseOf(site: Site, deployment: string): Whose {
  const { target } = site.environment
  const known = knownDeployments(site.environment, site.actual)
  if (!known.includes(deployment)) {
    throw new UsageError(`no deployment \`${deployment}\` in the environment \`${target.environment}\``, {
      hint: known.length === 0 ? 'there is none' : nameHint(deployment, known),
    })
  }
  const found = site.actual.found.get(deployment) ?? leftOf(site, deployment)
  const identity = { owner: target.projectId, environment: target.environment, deployment }
  return {
    deployment,
    endpoint: found.endpoint ?? endpointId(identity, target.endpointIds),
    shelf: found.shelf ?? modelId(identity),
  }
}

/** What Git no longer declares, by its name as `orphanKey` gives it. */
function leftOf({ actual, environment: { target } }: Site, name: string): { endpoint?: string; shelf?: string } {
  const isNamed = (whose: Identity | undefined) => whose !== undefined && orphanKey(whose, target.environment) === name
  return {
    endpoint: actual.endpoints.find(({ memory }) => isNamed(memory))?.id,
    shelf: actual.releases.find(({ whose }) => isNamed(whose))?.shelf,
  }
}

/** All there is of one deployment. */
export async function lookAt({ cloud, actual }: Site, { endpoint, shelf }: Whose): Promise<ActualDeployment> {
  const releases = await cloud.releasesOf(shelf)
  return { endpoint: actual.endpoints.find(({ id }) => id === endpoint), releases, bundle: false }
}

/** What is to be done, for whoever is asked. */
export function changesText(
  { actual }: Site,
  jobs: readonly { readonly whose: Whose; readonly changes: readonly Change[] }[],
): string {
  return jobs
    .filter(({ changes }) => changes.length > 0)
    .map(({ whose, changes }) => {
      const names = displayNames(actual.endpoints.find(({ id }) => id === whose.endpoint))
      const line = (change: Change) => `  ${changeTitle(change, id => names[id] || id)}: ${change.reason}`
      return [whose.deployment, ...changes.map(line)].join('\n')
    })
    .join('\n')
}

/** Looks, asks, does it and says what came of it; `prepare` gives what is shown and what is then done. */
export async function operate(
  command: DeployResult['command'],
  host: Host,
  { environment, yes }: OperateOptions,
  report: (event: RunEvent) => void,
  prepare: (
    site: Site,
    engine: Engine,
  ) => Promise<{ readonly question: string; readonly shown: string; run(): Promise<readonly DeploymentOutcome[]> }>,
): Promise<DeployResult> {
  const site = await openSite(host, environment, report)
  const { engine, close } = await openEngine(
    host,
    // What is done comes from the cloud, not from a commit, and must not wait until git can be asked.
    // The way back waits for no run that was killed.
    { ...site, commit: null, origin: null, resumes: command === 'rollback' },
    report,
  )
  try {
    const { question, shown, run } = await prepare(site, engine)
    if (shown !== '') await requireAgreement(host, yes, shown, question)
    return resultOf(command, site.environment, host, null, await run())
  } finally {
    await close()
  }
}
