import { PLAN_SCHEMA } from '../../generated/names.ts'
import type { Block, Commit, DeploymentPlan, EvidenceState, Plan } from '../../generated/types.ts'
import type { ChangeRule } from '../../policy/change-rules.ts'
import { digestOf } from '../../policy/digest.ts'
import type { Memory } from '../memory.ts'
import { type Actual, actualOf, located } from './actual.ts'
import { type Contents, withContents } from './contents.ts'
import type { Desired, Target } from './desired.ts'
import { type Difference, diffDeployment } from './diff.ts'
import { type Behind, behindOf, type Declarations, orphansOf } from './orphans.ts'
import { overlapOf } from './overlap.ts'
import { displayNames } from './roles.ts'
import { withRules } from './rules.ts'

export type {
  Block,
  Commit,
  DeploymentPlan,
  Drift,
  EvidenceState,
  Orphan,
  Overlap,
  Plan,
  PlanHeader,
} from '../../generated/types.ts'

export interface PlanInputs {
  /** The version of dap. */
  readonly dap: string
  /** ms since 1970 */
  readonly now: number
  readonly commit: Commit | null
  /** `originDigest` of this clone; null where it has none. */
  readonly origin: string | null
  readonly target: Target
  readonly only: readonly string[] | null
  readonly acceptDrift: boolean
  readonly prune: boolean
  /** Bring back what was rolled back. */
  readonly releaseHold: boolean
  /** Names of deployments whose protection is set aside. */
  readonly overrideProtection: readonly string[]
  /** Those that are looked at. */
  readonly deployments: readonly {
    readonly desired: Desired
    readonly evidence: readonly EvidenceState[]
    /** What has changed inside its policy and its snapshot, where that is known. */
    readonly contents?: Contents
  }[]
  /** All that Git has: what is not among it is an orphan. */
  readonly declared: Declarations
  readonly actual: Actual
  /** Where the environment was before. */
  readonly behind: readonly Behind[]
  readonly notes: readonly string[]
  /** The repository's own; default: none. */
  readonly rules?: readonly ChangeRule[]
}

/** A week: as long as a pull request may wait. What has moved by then is found by planning anew. */
export const PLAN_LIFETIME = 7 * 86_400_000

export function makePlan(inputs: PlanInputs): Plan {
  const { target, only, acceptDrift, prune, releaseHold, overrideProtection, actual, behind, now } = inputs
  const unjudged = {
    schema: PLAN_SCHEMA,
    environment: {
      name: target.environment,
      project: target.project,
      projectId: target.projectId,
      place: target.place,
    },
    only: only && [...only].sort(),
    acceptDrift,
    prune,
    releaseHold,
    overrideProtection: [...overrideProtection].sort(),
    deployments: inputs.deployments
      .map(each => planDeployment({ ...each, desired: located(each.desired, actual) }, inputs))
      .sort((a, b) => (a.deployment < b.deployment ? -1 : 1)),
    orphans: [...orphansOf(actual, target, inputs), ...behind.flatMap(each => behindOf(each, target, inputs))],
    foreign: only === null ? actual.foreign : actual.foreign.filter(({ deployment }) => only.includes(deployment)),
    notes: inputs.notes,
  } as const
  const content = withRules(unjudged, inputs.rules ?? [], target.environment)
  const time = (ms: number) => new Date(ms).toISOString()
  const header = { dap: inputs.dap, created: time(now), expires: time(now + PLAN_LIFETIME), commit: inputs.commit }
  return { ...content, header, digest: planDigest(content) }
}

/** Of a plan as it is, whatever digest it names. */
export function planDigest(plan: Omit<Plan, 'header' | 'digest'>): string {
  const { header: _, digest: __, ...content } = plan as Plan
  return digestOf(content)
}

function planDeployment(
  { desired, evidence, contents }: PlanInputs['deployments'][number],
  inputs: PlanInputs,
): DeploymentPlan {
  const { actual, target, now } = inputs
  const here = actualOf(actual, desired)
  const difference = diffDeployment(desired, here, inputs)
  const { action, held, fields, changes, drift, notes, desired: wanted } = difference
  const others = here.endpoint?.workloads.some(({ id }) => id !== wanted.deployed.id)
  const replaces = others && (action === 'replace' || action === 'continue')
  return {
    deployment: desired.deployment,
    endpoint: desired.endpoint.id,
    etag: here.endpoint?.version ?? null,
    action,
    held,
    desired,
    fields: withContents(fields, contents),
    changes,
    drift,
    evidence,
    blocked: [...takenBy(desired, inputs), ...blockedBy(difference, evidence, inputs)],
    names: { [wanted.deployed.id]: wanted.deployed.displayName, ...displayNames(here.endpoint) },
    notes: [
      ...(held ? [HELD_NOTE] : []),
      ...notes,
      ...originNotes(here.endpoint?.memory, inputs.origin),
      ...lockNotes(here.endpoint?.memory, now),
    ],
    overlap: replaces ? overlapOf(wanted, target.prices) : null,
  }
}

/** Somebody else has adopted what was this deployment's, and its id with it. */
function takenBy({ endpoint }: Desired, { actual }: PlanInputs): Block[] {
  return actual.foreign
    .filter(({ id }) => id === endpoint.id)
    .map(({ id, project, owner }) => ({
      reason: `endpoint ${id} belongs to another repository, ${project}`,
      hint: `\`dap adopt ${id} --override-owner ${owner ?? project}\` takes it back`,
    }))
}

const HELD_NOTE = 'what Git says was rolled back and is held; `--release-hold` brings it back'

/** Nothing is blocked where nothing is to be done. What is held does not go out, so nothing has to speak for it. */
function blockedBy(
  { changes, drift, blocked, held }: Difference,
  evidence: readonly EvidenceState[],
  { acceptDrift }: PlanInputs,
): Block[] {
  if (changes.length === 0) return [...blocked]
  const blocks = [...blocked]
  const overwritten = drift.filter(({ overwrites }) => overwrites)
  if (overwritten.length > 0 && !acceptDrift) {
    const fields = [...new Set(overwritten.map(({ field }) => field))].join(', ')
    const hint = '`--accept-drift` sets it right; or write it into Git'
    blocks.push({ reason: `somebody else has changed ${fields}`, hint })
  }
  for (const { kind, name, state, reason, command } of held ? [] : evidence) {
    if (state !== 'passed') blocks.push({ reason: `${kind} \`${name}\`: ${reason}`, hint: `\`${command}\`` })
  }
  return blocks
}

/** Two clones of one repository have one origin; a copy of it has the same `projectId`, and another. */
function originNotes(memory: Memory | undefined, origin: string | null): string[] {
  const last = memory?.origin
  if (last === undefined || origin === null || last === origin) return []
  return ['a clone from elsewhere deployed it last: is this a copy of that repository? `dap init --new-id` parts them']
}

function lockNotes(memory: Memory | undefined, now: number): string[] {
  const lock = memory?.lock
  if (lock === undefined || lock.expires * 1000 <= now) return []
  return [
    `${lock.owner} (run ${lock.run}) is at it, until ${new Date(lock.expires * 1000).toISOString()} at the latest`,
  ]
}
