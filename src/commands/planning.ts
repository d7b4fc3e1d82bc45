import { type Actual, readActual, withVersions } from '../deploy/actual.ts'
import type { Cloud } from '../deploy/cloud.ts'
import { checkEvidence, type EvidenceInputs } from '../deploy/evidence.ts'
import { type EvidenceState, makePlan, type Plan } from '../deploy/plan.ts'
import { UsageError } from '../errors.ts'
import type { Host } from '../host.ts'
import type { Evidence } from '../results.ts'
import {
  chosen,
  type DesiredDeployment,
  desiredDeployment,
  nameHint,
  type OpenEnvironment,
  openEnvironment,
  requireWhole,
} from './environment.ts'
import { currentInputs, readEvidence } from './evidence.ts'
import type { PlanOptions } from './plan-options.ts'
import type { Opened } from './repository.ts'

/** A plan, and what it was made from. */
export interface Planned {
  readonly plan: Plan
  readonly environment: OpenEnvironment
  readonly cloud: Cloud
  readonly actual: Actual
  /** Those that were looked at. */
  readonly deployments: readonly DesiredDeployment[]
}

/** Compares Git with the cloud. List calls alone, one more for each model whose default version is not the one that Git asks for. */
export async function planEnvironment(host: Host, options: PlanOptions): Promise<Planned> {
  const environment = await openEnvironment(host, options.environment)
  const { opened, target } = environment
  if (options.only === undefined) requireWhole(environment)
  const wanted = chosen(environment, options.only)
  // Google's clients take a second to load: meanwhile Git is read.
  const connecting = host.cloud(target.place)
  connecting.catch(() => {})
  const deployments: DesiredDeployment[] = []
  for (const resource of wanted) deployments.push(await desiredDeployment(host, environment, resource))
  const evidence: EvidenceState[][] = []
  for (const { resource } of deployments) evidence.push(await evidenceOf(host, opened, resource))
  const cloud = await connecting
  const desired = deployments.map(each => each.desired)
  const actual = await withVersions(cloud, await readActual(cloud, target), desired)
  refuseUnknown(options.overrideProtection, environment, actual)
  const plan = makePlan({
    dap: host.version,
    now: host.now(),
    commit: await host.commit(opened.root),
    target,
    only: options.only ?? null,
    acceptDrift: options.acceptDrift,
    prune: options.prune,
    releaseHold: options.releaseHold,
    overrideProtection: options.overrideProtection,
    deployments: desired.map((each, i) => ({ desired: each, evidence: evidence[i] })),
    declared: environment.deployments.map(({ name }) => name),
    actual,
  })
  return { plan, environment, cloud, actual, deployments }
}

async function evidenceOf(
  host: Host,
  opened: Opened,
  deployment: DesiredDeployment['resource'],
): Promise<EvidenceState[]> {
  const given = new Map<string, Evidence | undefined>()
  const current = new Map<string, EvidenceInputs>()
  for (const required of deployment.spec.evidence) {
    const [kind, name] =
      'evaluation' in required
        ? (['evaluation', required.evaluation] as const)
        : (['scenario', required.scenario] as const)
    given.set(`${kind}/${name}`, await readEvidence(host, opened.root, kind, name))
    current.set(`${kind}/${name}`, await currentInputs(host, opened, required, deployment))
  }
  return checkEvidence(
    deployment.spec.evidence,
    (kind, name) => given.get(`${kind}/${name}`),
    (kind, name) => current.get(`${kind}/${name}`) as EvidenceInputs,
    host.now(),
  )
}

/** Protection is not set aside for a name that was mistyped. */
function refuseUnknown(
  names: readonly string[],
  { deployments }: OpenEnvironment,
  { endpoints, models }: Actual,
): void {
  const live = [...endpoints, ...models].flatMap(({ labels }) => labels['dap-deployment'] ?? [])
  const known = [...new Set([...deployments.map(({ name }) => name), ...live])].sort()
  const unknown = names.find(name => !known.includes(name))
  if (unknown === undefined) return
  throw new UsageError(`--override-protection: no deployment \`${unknown}\``, { hint: nameHint(unknown, known) })
}
