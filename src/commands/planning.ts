import type { RunEvent } from '../command.ts'
import { type Actual, readActual, withVersions } from '../deploy/actual.ts'
import type { Cloud } from '../deploy/cloud.ts'
import { checkEvidence } from '../deploy/evidence.ts'
import { type EvidenceState, makePlan, type Plan } from '../deploy/plan.ts'
import { UsageError } from '../errors.ts'
import type { Host } from '../host.ts'
import { openCloud } from './engine.ts'
import {
  chosen,
  type DesiredDeployment,
  desiredDeployment,
  knownDeployments,
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
export async function planEnvironment(
  host: Host,
  options: PlanOptions,
  report: (event: RunEvent) => void,
): Promise<Planned> {
  const environment = await openEnvironment(host, options.environment)
  const { opened, target } = environment
  if (options.only === undefined) requireWhole(environment)
  const wanted = chosen(environment, options.only)
  // Google's clients take a second to load: meanwhile Git is read.
  const connecting = openCloud(host, target.place, report)
  connecting.catch(() => {})
  const deployments: DesiredDeployment[] = []
  for (const resource of wanted) deployments.push(await desiredDeployment(host, environment, resource))
  const evidence: EvidenceState[][] = []
  for (const each of deployments) evidence.push(await evidenceOf(host, opened, each))
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
  { resource, desired }: DesiredDeployment,
): Promise<EvidenceState[]> {
  const states: EvidenceState[] = []
  for (const required of resource.spec.evidence) {
    const given =
      'evaluation' in required
        ? await readEvidence(host, opened.root, 'evaluation', required.evaluation)
        : await readEvidence(host, opened.root, 'scenario', required.scenario)
    const current = await currentInputs(host, opened, required, desired.policy)
    states.push(
      ...checkEvidence(
        [required],
        () => given,
        () => current,
        host.now(),
      ),
    )
  }
  return states
}

/** Protection is not set aside for a name that was mistyped. */
function refuseUnknown(names: readonly string[], environment: OpenEnvironment, actual: Actual): void {
  const known = knownDeployments(environment, actual)
  const unknown = names.find(name => !known.includes(name))
  if (unknown === undefined) return
  throw new UsageError(`--override-protection: no deployment \`${unknown}\``, { hint: nameHint(unknown, known) })
}
