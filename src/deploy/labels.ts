/**
 * What dap remembers of an endpoint, in the endpoint's labels: there is no state file. Values of labels are lower-case letters, digits, `_`
 * and `-`, at most 63 of them.
 */
import { PROJECT_ID_PATTERN } from '../generated/names.ts'
import { digestOf } from '../policy/digest.ts'
import type { Labels, Scale, Traffic } from './cloud.ts'
import type { Desired, Owner } from './desired.ts'
import { label32, labelValue } from './names.ts'
import type { Commit } from './plan.ts'

/** Decoded; `encodeLabels` and `decodeLabels` are each other's inverse, and leave labels that do not begin with `dap-` alone. */
export interface EndpointLabels {
  /** The `projectId` of the repository; absent where the endpoint is older than those. */
  readonly owner?: string
  /** For people: names are those of any number of repositories. */
  readonly project: string
  readonly environment: string
  readonly deployment: string
  /** `Desired.digest` of what was last applied whole. */
  readonly digest?: string
  /** Its first 40 hex digits, and `-dirty` where files differed from it: those of a SHA-256 repository are more than a label holds. */
  readonly commit?: string
  /** `originDigest` of the clone that applied it: a copied repository has the id of its original, and another origin. */
  readonly origin?: string
  /** Ids of deployed models. The one that serves once no rollout is under way. */
  readonly stable?: string
  /** The one that a rollout is about; written before it is deployed. */
  readonly candidate?: string
  /** What it is judged as (`judgedDigest`): a rollback of the rollout puts that on hold. */
  readonly candidateDigest?: string
  /** The one that a rollback goes back to. It is kept warm until `warmUntil`; then `dap gc` undeploys it. */
  readonly previous?: string
  /** `Desired.digest` and model version of `previous`. */
  readonly previousDigest?: string
  readonly previousVersion?: string
  /** Seconds since 1970. */
  readonly warmUntil?: number
  /** As dap last wrote them: what differs now was moved by somebody else. */
  readonly traffic?: Traffic
  readonly scale?: Scale
  /** The step of the rollout that traffic is at, and since when, in seconds since 1970. */
  readonly step?: { readonly index: number; readonly since: number; readonly state: 'holding' | 'passed' | 'paused' }
  /** What was rolled back last, by `judgedDigest` or by its deployed model's id: it is not brought back unless asked for. */
  readonly hold?: string
  readonly lock?: LockLabel
}

/** Whose an endpoint of Git's is. */
export function identityOf(
  { deployment }: { readonly deployment: string },
  { projectId, project, environment }: Owner,
): EndpointLabels {
  return { owner: projectId, project, environment, deployment }
}

export interface LockLabel {
  /** Who holds it: 8 hex digits of one run. */
  readonly run: string
  /** Seconds since 1970. */
  readonly expires: number
  /** A person and a machine, or a CI job. */
  readonly owner: string
  /** Absent in locks of dap before it wrote this. */
  readonly process?: LockProcess
}

/** One process among all that ever had its number. */
export interface LockProcess {
  /** 16 hex digits of where the number counts: the machine, and the container on it. */
  readonly host: string
  readonly pid: number
  /** When it began, in a form that is only good to be compared: up to 32 letters, digits and dashes; null where its machine does not tell. */
  readonly started: string | null
}

/** How one label is written, and read: undefined for a text that is none of its values, such as one that was typed by hand. */
interface Codec<T> {
  write(value: T): string | undefined
  read(text: string): T | undefined
}

const matching = (pattern: RegExp): Codec<string> => ({
  write: value => value,
  read: text => (pattern.test(text) ? text : undefined),
})

const name = matching(/^[a-z0-9_-]{1,63}$/)
const digest = matching(/^[0-9a-f]{32}$/)
const id = matching(/^[1-9][0-9]{0,9}$/)

const seconds: Codec<number> = {
  write: value => String(Math.round(value)),
  read: text => (/^\d{1,11}$/.test(text) ? Number(text) : undefined),
}

/** `4031772213-90_1200345678-10`. A split of more parts than a label has room for is not remembered. */
const traffic: Codec<Traffic> = {
  write(value) {
    const parts = Object.entries(value)
      .filter(([, percent]) => percent > 0)
      .map(([model, percent]) => `${model}-${percent}`)
    const text = parts.sort().join('_') || 'none'
    return text.length > 63 ? undefined : text
  },
  read(text) {
    if (text === 'none') return {}
    const parts = text.split('_').map(part => /^([1-9]\d{0,9})-(\d{1,3})$/.exec(part))
    if (parts.includes(null)) return undefined
    return Object.fromEntries(parts.map(part => [part![1], Number(part![2])]))
  },
}

/** `2-10-60` */
const scale: Codec<Scale> = {
  write: ({ minReplicas, maxReplicas, targetCpu }) => `${minReplicas}-${maxReplicas}-${targetCpu}`,
  read(text) {
    const found = /^(\d{1,6})-(\d{1,6})-(\d{1,3})$/.exec(text)?.map(Number)
    return found && { minReplicas: found[1], maxReplicas: found[2], targetCpu: found[3] }
  },
}

/** `1-1795400000-holding` */
const step: Codec<NonNullable<EndpointLabels['step']>> = {
  write: ({ index, since, state }) => `${index}-${Math.round(since)}-${state}`,
  read(text) {
    const found = /^(\d{1,2})-(\d{1,11})-(holding|passed|paused)$/.exec(text)
    return found === null
      ? undefined
      : { index: Number(found[1]), since: Number(found[2]), state: found[3] as 'holding' | 'passed' | 'paused' }
  },
}

const PROCESS = /^([0-9a-f]{16})-([1-9]\d{0,9})(?:-([a-z0-9-]{1,32}))?$/

/** `3fa9c1d2e4b50617-4711-5e0b77f1-1234567` */
const lockProcess: Codec<LockProcess> = {
  write({ host, pid, started }) {
    const text = [host, pid, ...(started === null ? [] : [started])].join('-')
    return PROCESS.test(text) ? text : undefined
  },
  read(text) {
    const found = PROCESS.exec(text)
    return found === null ? undefined : { host: found[1], pid: Number(found[2]), started: found[3] ?? null }
  },
}

const LABELS: {
  readonly [K in Exclude<keyof EndpointLabels, 'lock'>]-?: readonly [string, Codec<Required<EndpointLabels>[K]>]
} = {
  owner: ['dap-project-id', matching(new RegExp(PROJECT_ID_PATTERN))],
  project: ['dap-project', name],
  environment: ['dap-env', name],
  deployment: ['dap-deployment', name],
  digest: ['dap-digest', digest],
  commit: ['dap-commit', matching(/^[0-9a-f]{40}(-dirty)?$/)],
  origin: ['dap-origin', matching(/^[0-9a-f]{16}$/)],
  stable: ['dap-stable', id],
  candidate: ['dap-candidate', id],
  candidateDigest: ['dap-candidate-digest', digest],
  previous: ['dap-previous', id],
  previousDigest: ['dap-previous-digest', digest],
  previousVersion: ['dap-previous-version', id],
  warmUntil: ['dap-warm-until', seconds],
  traffic: ['dap-traffic', traffic],
  scale: ['dap-scale', scale],
  step: ['dap-step', step],
  hold: ['dap-hold', matching(/^([0-9a-f]{32}|[1-9][0-9]{0,9})$/)],
}

export function encodeLabels(ours: EndpointLabels, foreign: Labels): Labels {
  const labels: Record<string, string> = { ...foreign }
  for (const [key, [label, codec]] of Object.entries(LABELS) as [keyof typeof LABELS, [string, Codec<unknown>]][]) {
    const text = ours[key] === undefined ? undefined : codec.write(ours[key])
    if (text !== undefined) labels[label] = text
  }
  labels[SEAL] = sealOf(labels)
  if (ours.lock !== undefined) {
    labels['dap-lock'] = `${ours.lock.run}-${Math.round(ours.lock.expires)}`
    labels['dap-lock-owner'] = labelValue(ours.lock.owner)
    const holder = ours.lock.process && lockProcess.write(ours.lock.process)
    if (holder !== undefined) labels['dap-lock-process'] = holder
  }
  return labels
}

/** Everything else stays as it is, be it as dap wrote it or not. */
export function withoutLock(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([label]) => !/^dap-lock(-|$)/.test(label)))
}

/** What dap wrote, all of it: labels are edited one by one as well, and each of them may be what a hold or a rollout hangs on. */
const SEAL = 'dap-seal'

function sealOf(labels: Labels): string {
  const own = Object.values(LABELS).map(([label]) => [label, labels[label] ?? null])
  return label32(digestOf(own)).slice(0, 16)
}

/** Whether the labels of an endpoint are as dap wrote them last; those that are older than the ids of projects have no seal. */
export function areIntact(labels: Labels): boolean {
  const { ours } = decodeLabels(labels)
  if (ours === undefined) return false
  return Object.hasOwn(labels, SEAL) ? labels[SEAL] === sealOf(labels) : ours.owner === undefined
}

/** `ours` is undefined where the labels do not say whose the endpoint is. A label that makes no sense reads as absent. */
export function decodeLabels(labels: Labels): {
  readonly ours: EndpointLabels | undefined
  readonly foreign: Labels
} {
  const foreign = Object.fromEntries(Object.entries(labels).filter(([label]) => !label.startsWith('dap-')))
  const read: Record<string, unknown> = {}
  for (const [key, [label, codec]] of Object.entries(LABELS) as [string, readonly [string, Codec<unknown>]][]) {
    const value = Object.hasOwn(labels, label) ? codec.read(labels[label]) : undefined
    if (value !== undefined) read[key] = value
  }
  const lock = /^([0-9a-f]{8})-(\d{1,11})$/.exec(labels['dap-lock'] ?? '')
  if (lock !== null) {
    const holder = lockProcess.read(labels['dap-lock-process'] ?? '')
    const owner = labels['dap-lock-owner'] ?? 'unknown'
    read.lock = { run: lock[1], expires: Number(lock[2]), owner, ...(holder && { process: holder }) }
  }
  const whose = ['project', 'environment', 'deployment'].every(key => key in read)
  return { ours: whose ? (read as unknown as EndpointLabels) : undefined, foreign }
}

/**
 * What dap remembers stands on the model as well, on its default version, since somebody else may write the endpoint's labels anew. Traffic
 * does not: what is live is as good. The lock does not either.
 */
const MEMORY = [
  'digest',
  'commit',
  'origin',
  'stable',
  'candidate',
  'candidateDigest',
  'previous',
  'previousDigest',
  'previousVersion',
  'warmUntil',
  'scale',
  'step',
  'hold',
] as const satisfies readonly (keyof typeof LABELS)[]

/** On the default version of a model: the endpoint that it serves on, which proves whose that is. */
const ENDPOINT = 'dap-endpoint'

/** `dap-endpoint-stable`: `dap-digest` and `dap-commit` of a version are its own. */
const memoryLabel = (key: (typeof MEMORY)[number]) => LABELS[key][0].replace('dap-', `${ENDPOINT}-`)

/** The labels of a model's default version, with what its endpoint's labels say. */
export function rememberingLabels(version: Labels, endpoint: string, ours: EndpointLabels): Labels {
  const own = Object.entries(version).filter(([label]) => label !== ENDPOINT && !label.startsWith(`${ENDPOINT}-`))
  const labels: Record<string, string> = { ...Object.fromEntries(own), [ENDPOINT]: endpoint }
  for (const key of ['owner', 'project', 'environment', 'deployment'] as const) {
    if (ours[key] !== undefined) labels[LABELS[key][0]] = ours[key]
  }
  for (const key of MEMORY) {
    const text = ours[key] === undefined ? undefined : (LABELS[key][1] as Codec<unknown>).write(ours[key])
    if (text !== undefined) labels[memoryLabel(key)] = text
  }
  return labels
}

/** What a version remembers of an endpoint; undefined where it is not that endpoint's, or does not say whose it is. */
export function rememberedLabels(version: Labels, endpoint: string): EndpointLabels | undefined {
  const whose = decodeLabels(version).ours
  if (version[ENDPOINT] !== endpoint || whose === undefined) return undefined
  const { owner, project, environment, deployment } = whose
  const read: Record<string, unknown> = { ...(owner && { owner }), project, environment, deployment }
  for (const key of MEMORY) {
    const text = version[memoryLabel(key)]
    const value = text === undefined ? undefined : LABELS[key][1].read(text)
    if (value !== undefined) read[key] = value
  }
  return read as unknown as EndpointLabels
}

/** The endpoint that a version says it serves on. */
export const endpointOfVersion = (version: Labels): string | undefined => version[ENDPOINT]

/** A version that was rolled back says so itself, and for ever: `dap-held`. */
const HELD = 'dap-held'

/** By a deployed model's id, it is on hold as that one alone, on its machines: `dap-held-7482165151`. */
const heldLabel = (deployedModel: string | undefined) =>
  deployedModel === undefined ? HELD : `${HELD}-${deployedModel}`

export const isHeldVersion = (version: Labels, deployedModel?: string): boolean =>
  Object.hasOwn(version, heldLabel(deployedModel))

/** Something is to be remembered of it. */
export const remembersHold = (version: Labels): boolean => Object.keys(version).some(label => label.startsWith(HELD))

export function heldLabels(version: Labels, held: boolean, deployedModel?: string): Labels {
  const label = heldLabel(deployedModel)
  const { [label]: _, ...others } = version
  return held ? { ...others, [label]: 'true' } : others
}

/** Labels of a model's version: what it is made of, so that a plan can say what will be replaced. */
export interface VersionLabels {
  /** `Desired.model.digest` */
  readonly digest: string
  /** 32 hex digits each, as are the next two. */
  readonly bundle: string
  readonly policy: string
  readonly image: string
  /** null: nothing has been learnt yet. */
  readonly snapshot: string | null
}

/**
 * 32 hex digits of what a gate, an experiment or a person judges: what decides, whatever machines it runs on and however it is described.
 * A hold is about this.
 */
export function judgedDigest({ policy, snapshot, image }: Omit<VersionLabels, 'digest' | 'bundle'>): string {
  return label32(digestOf({ policy, snapshot, image }))
}

/** What the version that Git asks for is made of. */
export function versionParts({ model, bundle, policy }: Desired): VersionLabels {
  return {
    digest: model.digest,
    bundle: label32(bundle.digest),
    policy: label32(policy.digest),
    image: label32(imageDigest(model.image)),
    snapshot: policy.snapshot && label32(policy.snapshot),
  }
}

/** The labels that a version of the model is uploaded with. */
export function versionLabels(desired: Desired, target: Owner, commit: Commit | null): Labels {
  return {
    'dap-project-id': target.projectId,
    'dap-project': target.project,
    'dap-env': target.environment,
    'dap-deployment': desired.deployment,
    ...contentLabels(desired),
    ...(commit && { 'dap-commit': commitLabel(commit) }),
  }
}

/** What it is made of. */
export function contentLabels(desired: Desired): Labels {
  const { digest, bundle, policy, image, snapshot } = versionParts(desired)
  return {
    'dap-digest': digest,
    'dap-bundle': bundle,
    'dap-policy': policy,
    'dap-image': image,
    'dap-snapshot': snapshot ?? 'none',
  }
}

/** As `EndpointLabels.commit`. */
export function commitLabel({ id, dirty }: Commit): string {
  const digits = id.slice(0, 40)
  return dirty ? `${digits}-dirty` : digits
}

const imageDigest = (image: string) => image.split('@')[1] ?? digestOf(image)

/** What a version is made of; undefined for one that dap has not made. */
export function readVersionLabels(labels: Labels): VersionLabels | undefined {
  const [whole, bundle, policy, image, snapshot] = ['digest', 'bundle', 'policy', 'image', 'snapshot'].map(
    part => labels[`dap-${part}`],
  )
  if ([whole, bundle, policy, image].some(text => text === undefined || digest.read(text) === undefined))
    return undefined
  return { digest: whole, bundle, policy, image, snapshot: snapshot === 'none' ? null : (snapshot ?? null) }
}

/** As what a version is judged; undefined for one that dap has not made. */
export function judgedVersion(version: Labels): string | undefined {
  const parts = readVersionLabels(version)
  return parts && judgedDigest(parts)
}
