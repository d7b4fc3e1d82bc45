import type { RunEvent } from '../../command.ts'
import { originDigest } from '../../deploy/origin.ts'
import type { Cloud } from '../../deploy/routes.ts'
import { type Actual, readActual, withReleases } from '../../deploy/wanted/actual.ts'
import { readContents } from '../../deploy/wanted/contents.ts'
import { checkEvidence, evidenceAsked, isReadable } from '../../deploy/wanted/evidence.ts'
import { type EvidenceState, makePlan, type Plan } from '../../deploy/wanted/plan.ts'
import { UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { evidenceInputs, readEvidence } from '../evidence/evidence.ts'
import type { Opened } from '../opening/repository.ts'
import { requireRules } from '../opening/rules.ts'
import { type LookBehind, lookBehind } from './behind.ts'
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
import type { PlanOptions } from './plan-options.ts'

/** A plan, and what it was made from. */
export interface Planned {
  readonly plan: Plan
  readonly environment: OpenEnvironment
  readonly cloud: Cloud
  readonly actual: Actual
  readonly lookedBehind: LookBehind
  /** `originDigest` of this clone. */
  readonly origin: string | null
  /** Those that were looked at. */
  readonly deployments: readonly DesiredDeployment[]
}

/**
 * Compares Git with the cloud. Where nothing differs, by three list calls; one more for each model whose default version is not the one that
 * Git asks for, and one read for each bundle that is to be replaced.
 */
export async function planEnvironment(
  host: Host,
  options: PlanOptions,
  report: (event: RunEvent) => void,
): Promise<Planned> {
  const environment = await openEnvironment(host, options.environment)
  const { opened, target } = environment
  if (options.only === undefined) requireWhole(environment)
  const wanted = chosen(environment, options.only)
  const rules = await requireRules(host, opened)
  // Google's clients take a second to load: meanwhile Git is read.
  const connecting = openCloud(host, target.place, report)
  connecting.catch(() => {})
  const deployments: DesiredDeployment[] = []
  for (const resource of wanted) deployments.push(await desiredDeployment(host, environment, resource))
  const evidence: EvidenceState[][] = []
  for (const each of deployments) evidence.push(await evidenceOf(host, opened, each))
  const cloud = await connecting
  const desired = deployments.map(each => each.desired)
  const actual = await withReleases(cloud, await readActual(cloud, target, environment.declared.here), desired)
  const lookedBehind = await lookBehind(host, environment, actual, report)
  const { behind, notes } = lookedBehind
  refuseUnknown(options.overrideProtection, knownDeployments(environment, actual, behind))
  const contents = await readContents(cloud, actual, deployments)
  const url = await host.origin(opened.root)
  const origin = url && originDigest(url)
  const plan = makePlan({
    dap: host.version,
    now: host.now(),
    commit: await host.commit(opened.root),
    origin,
    target,
    only: options.only ?? null,
    acceptDrift: options.acceptDrift,
    prune: options.prune,
    releaseHold: options.releaseHold,
    overrideProtection: options.overrideProtection,
    deployments: desired.map((each, i) => ({
      desired: each,
      evidence: evidence[i],
      contents: contents.get(each.deployment),
    })),
    declared: environment.declared,
    actual,
    behind,
    notes,
    rules,
  })
  return { plan, environment, cloud, actual, lookedBehind, origin, deployments }
}

async function evidenceOf(
  host: Host,
  opened: Opened,
  { resource, desired: { policy } }: DesiredDeployment,
): Promise<EvidenceState[]> {
  const states: EvidenceState[] = []
  for (const item of resource.spec.evidence) {
    const asked = evidenceAsked(item)
    const recorded = await readEvidence(host, opened.root, asked)
    const inputs = recorded && isReadable(recorded) ? await evidenceInputs(host, opened, asked) : []
    states.push(checkEvidence(item, recorded, { policy, inputs }, host.now()))
  }
  return states
}

/** Protection is not set aside for a name that was mistyped. */
function refuseUnknown(names: readonly string[], known: readonly string[]): void {
  const unknown = names.find(name => !known.includes(name))
  if (unknown === undefined) return
  throw new UsageError(`--override-protection: no deployment \`${unknown}\``, { hint: nameHint(unknown, known) })
}
