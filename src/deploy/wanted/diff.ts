import type { Block, DeploymentPlan, Drift } from '../../generated/types.ts'
import type { Change, ChangeKind, FieldChange } from '../change.ts'
import { type Identity, identityOf, type Owner } from '../memory.ts'
import type { Release, Route, Traffic, Workload } from '../routes.ts'
import type { ActualDeployment } from './actual.ts'
import { currentRelease, toRemember } from './copies.ts'
import type { Desired } from './desired.ts'
import { driftOf, trafficApplied, trafficHasDrifted } from './drift.ts'
import { endpointFields, replacedFields, scaleFields, typeFields } from './fields.ts'
import { insteadOf, isHeld } from './holds.ts'
import { nonZero, type Roles, rolesOf, sameTraffic, split } from './roles.ts'

export interface DiffContext {
  /** ms since 1970 */
  readonly now: number
  /** Bring back what was rolled back. */
  readonly releaseHold: boolean
  /** Whose it is. */
  readonly target: Owner
}

/** What stands between one deployment as it runs and as Git says it. */
export interface Difference {
  /** What is to be there in the end: what Git says, or while that is held, its settings for what serves. */
  readonly desired: Desired
  readonly action: DeploymentPlan['action']
  readonly fields: readonly FieldChange[]
  readonly changes: readonly Change[]
  readonly drift: readonly Drift[]
  readonly notes: readonly string[]
  /** What no change can do. */
  readonly blocked: readonly Block[]
  /** What Git asks for was rolled back: it stays away. */
  readonly held: boolean
}

/**
 * There is no state file, and no memory of a plan half done: to apply is to do the first change, to read and to diff again. So the
 * difference after the first change is the rest of the changes, whatever happened in between.
 */
export function diffDeployment(git: Desired, actual: ActualDeployment, context: DiffContext): Difference {
  const { releases, lost = false } = actual
  const endpoint = actual.endpoint ?? blank(git)
  const now = rolesOf(endpoint, git)
  const rolledBack = isHeld(git, now.memory, releases)
  const held = rolledBack && !context.releaseHold
  const instead = held ? insteadOf(git, now, releases) : git
  const desired = instead ?? git
  const roles = rolesOf(endpoint, desired)
  const identity = identityOf(desired, context.target)
  const live: Live = { ...actual, endpoint, lost, identity, create: actual.endpoint === undefined }
  // Whatever is held, what dap remembers is put back.
  const changes = instead === undefined ? identityChanges(live, roles) : changesOf(desired, live, roles)
  if (rolledBack && !held) {
    const reason = '`--release-hold` brings it back'
    changes.unshift({ kind: 'release-hold', model: desired.model.id, reason, fields: [] })
  }
  return {
    desired,
    action: actionOf(desired, roles, changes),
    fields: [
      ...changes.flatMap(({ kind, fields }) => (kind === 'label-endpoint' ? fields : [])),
      ...replacedFields(desired, roles.stable ?? roles.desired, actual.releases),
      ...scaleFields((roles.stable ?? roles.desired)?.scale, desired.scale),
      ...endpointFields(desired, endpoint),
      ...typeFields(desired, endpoint),
    ],
    changes,
    drift: driftOf(desired, endpoint, roles, lost),
    notes: notesOf(desired, roles, changes, context.now),
    blocked: blockedBy(desired, endpoint),
    held,
  }
}

/** What CreateEndpoint would make: the way from there is the way from nothing. */
function blank({ endpoint }: Desired): Route {
  return { ...endpoint, version: '', memory: undefined, intact: false, traffic: {}, workloads: [], host: null, raw: {} }
}

const saysOtherwise = 'Git says otherwise'

interface Live {
  readonly endpoint: Route
  readonly releases: readonly Release[]
  readonly bundle: boolean
  readonly lost: boolean
  readonly create: boolean
  /** As it should say it. */
  readonly identity: Identity
}

function changesOf(desired: Desired, live: Live, roles: Roles): Change[] {
  const { endpoint, create } = live
  const changes: Change[] = []
  if (create) {
    changes.push({ kind: 'create-endpoint', endpoint: endpoint.id, reason: 'there is none yet', fields: [] })
  } else changes.push(...identityChanges(live, roles))
  const settings = endpointFields(desired, endpoint)
  if (settings.length > 0) {
    changes.push({ kind: 'update-endpoint', endpoint: endpoint.id, reason: saysOtherwise, fields: settings })
  }
  const removed = superfluous(roles)
  const rollout = trafficChanges(desired, endpoint, roles, removed)
  changes.push(...rollout.before)
  for (const { id } of removed) {
    const reason = id === roles.abandoned?.id ? 'Git no longer asks for it' : 'two versions at a time are enough'
    changes.push({ kind: 'undeploy-model', deployedModel: id, reason, fields: [] })
  }
  if (roles.desired === undefined) changes.push(...deployChanges(desired, live, roles))
  else {
    const fields = scaleFields(roles.desired.scale, desired.scale)
    if (fields.length > 0) {
      changes.push({ kind: 'mutate-model', deployedModel: desired.deployed.id, reason: saysOtherwise, fields })
    }
  }
  changes.push(...rollout.after)
  if (settings.length > 0 || !isApplied(desired, live, roles)) {
    const reason = 'it is recorded as applied'
    changes.push({ kind: 'promote', deployedModel: desired.deployed.id, reason, fields: [] })
  }
  const forgetful = changes.some(({ kind }) => REMEMBERING.has(kind)) ? undefined : forgetfulRelease(desired, live)
  if (forgetful !== undefined) {
    const { shelf: model, id: version } = forgetful
    const reason = 'it does not say what its endpoint says'
    changes.push({ kind: 'label-model', model, version, reason, fields: [] })
  }
  return changes
}

/** It says that it is nobody's, or whose it was, or what it was called. */
function identityChanges({ endpoint, lost, identity }: Live, { memory }: Roles): Change[] {
  const fields = (['owner', 'project', 'environment', 'deployment'] as const).flatMap((part): FieldChange[] => {
    const [before, after] = [memory[part] ?? null, identity[part]!]
    const field = part === 'owner' ? 'projectId' : part
    return before === after ? [] : [{ field, before, after, replaces: false }]
  })
  if (!lost && fields.length === 0) return []
  const older = memory.owner === undefined ? 'it is older than the ids of projects' : 'Git calls it otherwise'
  const reason = lost ? 'its labels were taken away; they are put back' : older
  return [{ kind: 'label-endpoint', endpoint: endpoint.id, reason, fields }]
}

/** These write to the endpoint, and to the release that remembers it. */
const REMEMBERING: ReadonlySet<ChangeKind> = new Set<ChangeKind>([
  'label-endpoint',
  'update-endpoint',
  'deploy-model',
  'mutate-model',
  'shift-traffic',
  'hold',
  'promote',
])

/** The current release, where it does not remember what the endpoint says. */
function forgetfulRelease(desired: Desired, { endpoint, releases }: Live): Release | undefined {
  const { memory } = endpoint
  const current = currentRelease(releases, desired.model.id)
  return memory && current && toRemember(current, endpoint, memory, desired) && current
}

/** Nothing is to be written down. */
function isApplied(desired: Desired, { releases }: Live, { memory, desired: deployed }: Roles): boolean {
  const current = deployed && currentRelease(releases, deployed.shelf)
  return (
    deployed !== undefined &&
    memory.stable === deployed.id &&
    memory.digest === desired.digest &&
    memory.candidate === undefined &&
    memory.step === undefined &&
    memory.scale !== undefined &&
    scaleFields(deployed.scale, desired.scale).length === 0 &&
    (current === undefined || current.id === deployed.release)
  )
}

/** Quota is charged for what is deployed, with traffic or without: before a version is deployed only one other stays. */
function superfluous({ desired, stable, abandoned, previous, leftovers }: Roles): Workload[] {
  const all = desired === undefined ? [abandoned, previous, ...leftovers] : [abandoned]
  const models = new Set(all.filter(model => model !== undefined && model !== stable) as Workload[])
  return [...models].sort((a, b) => Number(a.id) - Number(b.id))
}

function deployChanges(desired: Desired, { releases, bundle }: Live, roles: Roles): Change[] {
  const { model, deployed } = desired
  const replaced = replacedFields(desired, roles.stable, releases)
  const changes: Change[] = []
  if (!releases.some(({ shelf, digest }) => shelf === model.id && digest === model.digest)) {
    const { object } = desired.bundle
    if (!bundle) changes.push({ kind: 'upload-bundle', object, reason: 'the bucket does not have it', fields: [] })
    const reason = 'no version has this content'
    changes.push({ kind: 'upload-model', model: model.id, digest: model.digest, reason, fields: [] })
  }
  const reason = roles.stable ? `it is to replace ${roles.stable.displayName}` : 'nothing is deployed yet'
  changes.push({ kind: 'deploy-model', deployedModel: deployed.id, reason, fields: replaced })
  return changes
}

/** `before` sets right what is where it should not be; `after` goes on to all traffic. */
function trafficChanges(
  desired: Desired,
  endpoint: Route,
  roles: Roles,
  removed: readonly Workload[],
): { readonly before: readonly Change[]; readonly after: readonly Change[] } {
  const { id } = desired.deployed
  const { steps } = desired.rollout
  const { memory, stable } = roles
  const drifted = trafficHasDrifted(desired, endpoint, roles)
  let traffic = nonZero(endpoint.traffic)
  const shift = (from: Traffic, to: Traffic, reason: string, step?: number): Change => ({
    kind: 'shift-traffic',
    from,
    to,
    reason,
    fields: [],
    ...(step !== undefined && { step }),
  })

  if (stable === undefined || stable.id === id) {
    const all = { [id]: 100 }
    if (sameTraffic(traffic, all)) return { before: [], after: [] }
    const reason = stable ? 'traffic is not where it should be' : 'there is nothing to compare it with'
    const change = shift(traffic, all, reason)
    return stable ? { before: [change], after: [] } : { before: [], after: [change] }
  }

  // A share that nobody remembers is a step of a rollout, too.
  const under = memory.candidate === id || (memory.candidate === undefined && (traffic[id] ?? 0) > 0)
  const percent = (drifted ? under && trafficApplied(desired, roles)?.[id] : traffic[id]) || 0
  const at = steps.findIndex(step => step.percent === percent)
  const { step: known } = memory
  // A step that is not remembered is held from the start.
  const unknown = at < 0 ? undefined : ({ index: at, since: 0, state: 'holding' } as const)
  let current = under ? (known && steps[known.index]?.percent === percent ? known : unknown) : undefined
  const before: Change[] = []
  const here = split(id, percent, stable.id)
  const misplaced = drifted || removed.some(model => (traffic[model.id] ?? 0) > 0)
  if (misplaced && !sameTraffic(traffic, here)) {
    before.push(shift(traffic, here, 'traffic is not where it should be', current?.index))
    if (current) current = { ...current, state: 'holding' }
    traffic = here
  }

  const after: Change[] = []
  const watched = desired.rollout.gates.length > 0 ? 'its gates are watched' : 'it has no gates'
  const hold = (step: number) => {
    const { holdMs } = steps[step]
    if (holdMs > 0) after.push({ kind: 'hold', step, holdMs, reason: watched, fields: [] })
  }
  if (current && current.state !== 'passed') hold(current.index)
  for (const [step, { percent: next }] of steps.entries()) {
    if (next <= percent) continue
    const to = split(id, next, stable.id)
    after.push(shift(traffic, to, `step ${step + 1} of ${steps.length}`, step))
    hold(step)
    traffic = to
  }
  return { before, after }
}

function actionOf(
  desired: Desired,
  { memory, desired: deployed, stable }: Roles,
  changes: readonly Change[],
): Difference['action'] {
  if (changes.length === 0) return 'none'
  if (changes[0].kind === 'create-endpoint') return 'create'
  if (memory.candidate === desired.deployed.id) return 'continue'
  if (stable === undefined && deployed === undefined) return 'create'
  return stable?.id === desired.deployed.id || stable === undefined ? 'update' : 'replace'
}

function blockedBy(desired: Desired, endpoint: Route): Block[] {
  return typeFields(desired, endpoint).map(({ before, after }) => ({
    reason: `the endpoint is ${before}, which cannot become ${after}`,
    hint: `rename the deployment, or \`dap destroy ${desired.deployment}\` and deploy it anew`,
  }))
}

function notesOf(desired: Desired, roles: Roles, changes: readonly Change[], now: number): string[] {
  const { memory, previous, leftovers } = roles
  const removed = changes.flatMap(change => (change.kind === 'undeploy-model' ? change.deployedModel : []))
  const stays = (model: Workload) => model.id !== desired.deployed.id && !removed.includes(model.id)
  const notes: string[] = []
  if (previous && previous !== roles.stable && stays(previous)) {
    const until = (memory.warmUntil ?? 0) * 1000
    const time = new Date(until).toISOString()
    const { displayName } = previous
    notes.push(
      until > now
        ? `the old version ${displayName} is warm until ${time}; then \`dap gc\` removes it`
        : `the old version ${displayName} is no longer needed; \`dap gc\` removes it`,
    )
  }
  for (const { displayName } of leftovers.filter(stays)) {
    notes.push(`${displayName} is deployed, and nothing needs it; \`dap gc\` removes it`)
  }
  return notes
}
