import { digestOf } from '../policy/digest.ts'
import type { Figure } from '../results.ts'
import { type Actual, actualOf, located } from './actual.ts'
import type { Change, FieldChange } from './change.ts'
import type { Place } from './cloud.ts'
import { type Contents, withContents } from './contents.ts'
import type { Desired, Target } from './desired.ts'
import { type Difference, diffDeployment } from './diff.ts'
import { decodeLabels } from './labels.ts'
import { type Behind, behindOf, type Declarations, orphansOf } from './orphans.ts'
import { overlapOf } from './overlap.ts'
import type { Foreign } from './ownership.ts'
import { displayNames } from './roles.ts'

export const PLAN_SCHEMA = 'dap.plan/v1'

/** What a deploy would do, approved as a file; `schemas/plan.schema.json`. Everything but `header` is the same for the same inputs. */
export interface Plan {
  readonly schema: typeof PLAN_SCHEMA
  readonly header: PlanHeader
  /** sha256 over everything but header and digest. */
  readonly digest: string
  readonly environment: {
    readonly name: string
    readonly project: string
    readonly projectId: string
    readonly place: Place
  }
  /** `--only`: the deployments that were looked at; null: all of them. */
  readonly only: readonly string[] | null
  readonly acceptDrift: boolean
  readonly prune: boolean
  readonly releaseHold: boolean
  readonly overrideProtection: readonly string[]
  /** By name. */
  readonly deployments: readonly DeploymentPlan[]
  readonly orphans: readonly Orphan[]
  /** Endpoints of others that bear the names of Deployments of the environment. */
  readonly foreign: readonly Foreign[]
  /** True things about the whole: a place that could not be looked into. */
  readonly notes: readonly string[]
}

export interface PlanHeader {
  readonly dap: string
  /** RFC 3339 */
  readonly created: string
  readonly expires: string
  readonly commit: Commit | null
}

export interface Commit {
  /** 40 hex digits */
  readonly id: string
  /** Files of the repository differ from it. */
  readonly dirty: boolean
}

export interface DeploymentPlan {
  readonly deployment: string
  readonly endpoint: string
  /** The endpoint's etag when the plan was made; null: it does not exist. */
  readonly etag: string | null
  readonly action: 'none' | 'create' | 'update' | 'replace' | 'continue'
  /** What Git asks for was rolled back: its version stays away, and everything else is done to what serves. */
  readonly held: boolean
  /** What Git says. */
  readonly desired: Desired
  /** What differs between what runs and what Git says. */
  readonly fields: readonly FieldChange[]
  readonly changes: readonly Change[]
  readonly drift: readonly Drift[]
  readonly evidence: readonly EvidenceState[]
  /** Why it cannot be applied, with what to do about it; empty: it can. */
  readonly blocked: readonly Block[]
  /** Display names of the models that are deployed now, by id. */
  readonly names: Readonly<Record<string, string>>
  /** True things that change nothing: an old version is warm until …, a hold, a lock. */
  readonly notes: readonly string[]
  readonly overlap: Overlap | null
}

/** Why a plan cannot be applied, and what to do about it. */
export interface Block {
  readonly reason: string
  readonly hint: string
}

/** A field that somebody else has moved: three columns. */
export interface Drift {
  readonly field: string
  readonly git: string | null
  readonly applied: string | null
  readonly live: string | null
  /** To set it right undoes what somebody else did: it wants `--accept-drift`. Labels that were taken away are just put back. */
  readonly overwrites: boolean
}

export interface EvidenceState {
  readonly kind: 'evaluation' | 'scenario'
  readonly name: string
  readonly state: 'passed' | 'failed' | 'missing' | 'stale'
  /** Digest of the result; null where there is none that this dap can read. */
  readonly digest: string | null
  /** What it says of the policy that is to be deployed; null where it is stale, and where there is no number to quote. */
  readonly figure: Figure | null
  /** Why it is not `passed`. */
  readonly reason: string | null
  /** What would produce it. */
  readonly command: string
}

/** While two versions are up: what the second one adds. Quota is charged on the most replicas, also at zero traffic. */
export interface Overlap {
  readonly machineType: string
  readonly minReplicas: number
  readonly maxReplicas: number
  /** vCPUs of quota that are added; null where the machine type's name does not say how many it has. */
  readonly vcpus: number | null
  /** From the first step to the end of the rollback window. */
  readonly ms: number
  /** At the fewest and the most replicas, in the unit of the Environment's prices; null where none is declared. */
  readonly cost: { readonly least: number; readonly most: number } | null
}

/** Something of this repository that none of its Deployments declares. */
export interface Orphan {
  readonly kind: 'endpoint' | 'model'
  readonly id: string
  readonly deployment: string
  readonly environment: string
  /** Where it is, if not where the environment is by now. */
  readonly place: Place | null
  /** Empty without `--prune`, and where it is protected. */
  readonly changes: readonly Change[]
  /** Display names of the models that are deployed to it, by id. */
  readonly names: Readonly<Record<string, string>>
  /** Why it stays, where it does. */
  readonly kept: string | null
  readonly etag: string | null
}

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
}

/** A week: as long as a pull request may wait. What has moved by then is found by planning anew. */
export const PLAN_LIFETIME = 7 * 86_400_000

export function makePlan(inputs: PlanInputs): Plan {
  const { target, only, acceptDrift, prune, releaseHold, overrideProtection, actual, behind, now } = inputs
  const content = {
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
  const others = here.endpoint?.deployedModels.some(({ id }) => id !== wanted.deployed.id)
  const replaces = others && (action === 'replace' || action === 'continue')
  return {
    deployment: desired.deployment,
    endpoint: desired.endpoint.id,
    etag: here.endpoint?.etag ?? null,
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
      ...originNotes(here.endpoint?.labels ?? {}, inputs.origin),
      ...lockNotes(here.endpoint?.labels ?? {}, now),
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
function originNotes(labels: Readonly<Record<string, string>>, origin: string | null): string[] {
  const last = decodeLabels(labels).ours?.origin
  if (last === undefined || origin === null || last === origin) return []
  return ['a clone from elsewhere deployed it last: is this a copy of that repository? `dap init --new-id` parts them']
}

function lockNotes(labels: Readonly<Record<string, string>>, now: number): string[] {
  const lock = decodeLabels(labels).ours?.lock
  if (lock === undefined || lock.expires * 1000 <= now) return []
  return [
    `${lock.owner} (run ${lock.run}) is at it, until ${new Date(lock.expires * 1000).toISOString()} at the latest`,
  ]
}
