import type { Command } from 'commander'
import { samePlace } from '../../deploy/names.ts'
import type { Place } from '../../deploy/routes.ts'
import type { Actual } from '../../deploy/wanted/actual.ts'
import { type Desired, desiredOf, type Target, targetOf } from '../../deploy/wanted/desired.ts'
import { type Behind, behindOf, type Declarations, orphansOf } from '../../deploy/wanted/orphans.ts'
import { keyOf, type Naming } from '../../deploy/wanted/ownership.ts'
import { didYouMean } from '../../diagnostics.ts'
import { UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { bundleText, createBundle } from '../../policy/bundle.ts'
import { createPolicy, type Policy } from '../../policy/policy.ts'
import { type Snapshot, snapshotDigest } from '../../policy/snapshot.ts'
import type { Resource } from '../../repo/resource.ts'
import { orphanKey } from '../../titles.ts'
import { restoreSnapshot } from '../opening/policies.ts'
import {
  dataFile,
  type Opened,
  openRepository,
  PROJECT_FILE,
  requireResource,
  requireUnbroken,
  requireValid,
} from '../opening/repository.ts'

/** The environment of commands that name none. */
const DEFAULT_ENVIRONMENT = 'local'

/** Adds the option that every command about an environment takes. */
export function declareEnvironment(command: Command): Command {
  return command.option('--env <name>', `the Environment; default: ${DEFAULT_ENVIRONMENT}`)
}

export const environmentName = (flags: Readonly<Record<string, unknown>>) =>
  (flags['env'] as string | undefined) ?? DEFAULT_ENVIRONMENT

/** One environment of the repository, with the Deployments that name it. */
export interface OpenEnvironment {
  readonly opened: Opened
  readonly target: Target
  /** By name. */
  readonly deployments: readonly Resource<'Deployment'>[]
  readonly declared: Declarations
  /** Where it was before, or one of its Deployments was, as `moved` says. */
  readonly placesBefore: readonly Place[]
}

/** Finds an environment; a UsageError where there is none of that name. */
export async function openEnvironment(host: Host, name: string): Promise<OpenEnvironment> {
  const opened = await openRepository(host)
  const known = opened.repository.all('Environment').map(each => each.name)
  if (known.length > 0 && !known.includes(name)) {
    requireUnbroken(opened, 'Environment', name)
    throw new UsageError(`no environment \`${name}\``, { hint: nameHint(name, known) })
  }
  const environment = requireResource(opened, 'Environment', name)
  requireValid(opened, [environment.file])
  const project = opened.repository.all('Project').find(({ file }) => file === PROJECT_FILE)
  if (project === undefined) throw new UsageError(`\`${PROJECT_FILE}\` declares no Project`)
  const { projectId } = project.spec
  if (projectId === undefined) {
    throw new UsageError(`\`${PROJECT_FILE}\` has no \`projectId\`: nothing would say whose the endpoints are`, {
      hint: 'put back the one that it had; `dap init --new-id` writes a new one, which keeps what was deployed before repositories had ids',
    })
  }
  const deployments = opened.repository
    .all('Deployment')
    .filter(({ spec }) => spec.environment === name)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const target = targetOf({ name: project.name, id: projectId }, environment)
  return {
    opened,
    target,
    deployments,
    declared: declarationsOf(opened, environment, deployments),
    placesBefore: placesBefore(opened, environment, deployments, target),
  }
}

function placesBefore(
  { repository }: Opened,
  { spec: { moved } }: Resource<'Environment'>,
  deployments: readonly Resource<'Deployment'>[],
  target: Target,
): Place[] {
  const { place } = target
  const own = { ...place, project: moved?.project ?? place.project, region: moved?.region ?? place.region }
  const others = deployments.flatMap(({ spec }) => {
    const former = spec.moved?.environment && repository.get('Environment', spec.moved.environment)
    return former ? [targetOf({ name: target.project, id: target.projectId }, former).place] : []
  })
  return [own, ...others].filter(each => !samePlace(each, place))
}

function declarationsOf(
  { repository }: Opened,
  { name, spec }: Resource<'Environment'>,
  deployments: readonly Resource<'Deployment'>[],
): Declarations {
  return {
    here: deployments.map(each => ({
      deployment: each.name,
      before: namesBefore(each, name, spec.moved?.environment),
    })),
    everywhere: new Set(
      repository.all('Deployment').map(each => keyOf({ environment: each.spec.environment, deployment: each.name })),
    ),
    environments: new Set(repository.all('Environment').map(each => each.name)),
  }
}

/** What `moved` says that a Deployment was called, and where: its own word first, then that of its Environment. */
function namesBefore(
  { name, spec: { moved } }: Resource<'Deployment'>,
  environment: string,
  former: string | undefined,
): Naming[] {
  const names = [...new Set([moved?.deployment ?? name, name])]
  const places = [...new Set([moved?.environment ?? former ?? environment, former ?? environment, environment])]
  const all = names.flatMap(deployment => places.map(place => ({ environment: place, deployment })))
  return all.filter(naming => naming.environment !== environment || naming.deployment !== name)
}

/** Those of the names, or all of them; a UsageError for a name that no Deployment of the environment has. */
export function chosen(
  { opened, deployments, target }: OpenEnvironment,
  names: readonly string[] | undefined,
): readonly Resource<'Deployment'>[] {
  for (const name of names ?? []) {
    if (deployments.some(each => each.name === name)) continue
    requireUnbroken(opened, 'Deployment', `${target.environment}/${name}`)
    const known = deployments.map(each => each.name)
    throw new UsageError(`no deployment \`${name}\` in the environment \`${target.environment}\``, {
      hint: known.length === 0 ? `\`dap new deployment ${name}\` adds it` : nameHint(name, known),
    })
  }
  return names === undefined ? deployments : deployments.filter(each => names.includes(each.name))
}

/** Names of deployments that Git declares or the cloud still has; `staging/offer` is what is left of another environment. */
export function knownDeployments(
  { deployments, target, declared }: OpenEnvironment,
  actual: Actual,
  behind: readonly Behind[] = [],
): string[] {
  const options = { declared, only: null, prune: false, overrideProtection: [] }
  const left = behind.flatMap(each => behindOf(each, target, options))
  const orphans = [...orphansOf(actual, target, options), ...left]
  return [
    ...new Set([...deployments.map(({ name }) => name), ...orphans.map(each => orphanKey(each, target.environment))]),
  ].sort()
}

/** Did-you-mean, or all that there are. */
export const nameHint = (name: string, known: readonly string[]) =>
  didYouMean(name, known) ?? `one of ${known.map(each => `\`${each}\``).join(', ')}`

/** Stops what concerns all Deployments where a file has errors: it may declare one, which would pass for an orphan. */
export function requireWhole({ opened }: OpenEnvironment): void {
  requireValid(
    opened,
    opened.repository.diagnostics.map(({ file }) => file),
  )
}

/** What Git says of a Deployment, and the bundle that it deploys. */
export interface DesiredDeployment {
  readonly resource: Resource<'Deployment'>
  readonly desired: Desired
  /** Text of the bundle's file. */
  readonly bundle: string
}

/** Policy and snapshot of a Deployment, packed as `dap bundle` packs them. */
export async function desiredDeployment(
  host: Host,
  { opened, target }: OpenEnvironment,
  resource: Resource<'Deployment'>,
): Promise<DesiredDeployment> {
  const { name, spec, digest, file } = requireResource(opened, 'Policy', resource.spec.policy)
  requireValid(opened, [resource.file, file])
  const policy = createPolicy(name, spec, digest)
  const snapshot = await deployedSnapshot(host, opened, policy, resource.spec.snapshot)
  const bundle = createBundle(policy, snapshot, host.version)
  const packed = {
    digest: bundle.digest,
    policy: { name, digest },
    snapshot: snapshot === null ? null : snapshotDigest(snapshot),
  }
  return { resource, desired: desiredOf(resource, target, packed), bundle: bundleText(bundle) }
}

async function deployedSnapshot(
  host: Host,
  opened: Opened,
  policy: Policy,
  path: string | undefined,
): Promise<Snapshot | null> {
  if (path === undefined) return null
  const file = await dataFile(host, opened, path)
  return (await restoreSnapshot(host, policy, file, undefined)).snapshot
}
