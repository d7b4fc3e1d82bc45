/**
 * What dap remembers, in labels: there is no state file. Values of labels are lower-case letters, digits, `_` and `-`, at most 63 of them.
 */
import { FACT_NAMES, type Facts, type Identity, type LockProcess, type Memory } from '../../deploy/memory.ts'
import { digest32Of } from '../../deploy/names.ts'
import type { Parts } from '../../deploy/parts.ts'
import type { Copy, Held, NewRelease, Release, ReleaseNote, Scale, Traffic } from '../../deploy/routes.ts'
import { PROJECT_ID_PATTERN } from '../../generated/names.ts'
import type { Labels } from './api.ts'

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
const step: Codec<NonNullable<Memory['step']>> = {
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
  readonly [K in Exclude<keyof Memory, 'lock'>]-?: readonly [string, Codec<Required<Memory>[K]>]
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

/** The labels of an endpoint; `decodeLabels` is the inverse, and both leave labels that do not begin with `dap-` alone. */
export function encodeLabels(ours: Memory, foreign: Labels): Labels {
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
export const withoutLock = (labels: Labels): Labels => without(labels, label => isOf('dap-lock', label))

/** What dap wrote, all of it: labels are edited one by one as well, and each of them may be what a hold or a rollout hangs on. */
const SEAL = 'dap-seal'

function sealOf(labels: Labels): string {
  const own = Object.values(LABELS).map(([label]) => [label, labels[label] ?? null])
  return digest32Of(own).slice(0, 16)
}

/** Whether the labels of an endpoint are as dap wrote them last; those that are older than the ids of projects have no seal. */
export function areIntact(labels: Labels): boolean {
  const { ours } = decodeLabels(labels)
  if (ours === undefined) return false
  return Object.hasOwn(labels, SEAL) ? labels[SEAL] === sealOf(labels) : ours.owner === undefined
}

/** `ours` is undefined where the labels do not say whose the endpoint is. A label that makes no sense reads as absent. */
export function decodeLabels(labels: Labels): {
  readonly ours: Memory | undefined
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
  return { ours: whose ? (read as unknown as Memory) : undefined, foreign }
}

/**
 * What dap remembers stands on the model as well, on its default version, since somebody else may write the endpoint's labels anew: this is
 * the endpoint that it serves on, and `dap-endpoint-stable` one of its facts, since `dap-digest` and `dap-commit` of a version are its own.
 */
const ENDPOINT = 'dap-endpoint'

const factLabel = (name: keyof Facts) => LABELS[name][0].replace('dap-', `${ENDPOINT}-`)

/** A version that was rolled back says so itself: `dap-held`, or for the machines of one deployed model, `dap-held-7482165151`. */
const HELD = 'dap-held'

const IDENTITY = ['owner', 'project', 'environment', 'deployment'] as const

/** What the labels of a version say. One that makes no sense reads as absent. */
export function readVersion(labels: Labels): Pick<Release, 'whose' | 'digest' | 'parts' | 'copy' | 'intact' | 'held'> {
  const { ours } = decodeLabels(labels)
  return {
    whose: ours && pick(ours, IDENTITY),
    digest: labels['dap-digest'],
    parts: readParts(labels),
    ...readCopy(labels),
    held: readHeld(labels),
  }
}

function readCopy(labels: Labels): Pick<Release, 'copy' | 'intact'> {
  const facts: Record<string, unknown> = {}
  for (const name of FACT_NAMES) {
    const text = labels[factLabel(name)]
    const value = text === undefined ? undefined : LABELS[name][1].read(text)
    if (value !== undefined) facts[name] = value
  }
  const copy = Object.hasOwn(labels, ENDPOINT) ? { route: labels[ENDPOINT], facts } : undefined
  const written = Object.keys(labels).filter(label => label.startsWith(`${ENDPOINT}-`))
  return { copy, intact: copy !== undefined && written.length === Object.keys(facts).length }
}

function readHeld(labels: Labels): Held {
  const names = Object.keys(labels)
  return {
    whole: names.includes(HELD),
    workloads: names.flatMap(name => (name.startsWith(`${HELD}-`) ? name.slice(HELD.length + 1) : [])),
  }
}

function readParts(labels: Labels): Parts | undefined {
  const [whole, bundle, policy, image, snapshot] = ['digest', 'bundle', 'policy', 'image', 'snapshot'].map(
    part => labels[`dap-${part}`],
  )
  if ([whole, bundle, policy, image].some(text => text === undefined || digest.read(text) === undefined))
    return undefined
  return { digest: whole, bundle, policy, image, snapshot: snapshot === 'none' ? null : (snapshot ?? null) }
}

/** The labels of a version with what is to be noted of it. */
export function notedVersion(labels: Labels, { whose, parts, copy, held }: ReleaseNote): Labels {
  return {
    ...without(
      labels,
      label => (copy !== undefined && isOf(ENDPOINT, label)) || (held !== undefined && isOf(HELD, label)),
    ),
    ...(parts && partLabels(parts)),
    ...(copy && copyLabels(copy)),
    ...(whose && identityLabels(whose)),
    ...(held && heldLabels(held)),
  }
}

/** The labels that a version is uploaded with. */
export function newVersion({ whose, parts, commit }: Pick<NewRelease, 'whose' | 'parts' | 'commit'>): Labels {
  return { ...identityLabels(whose), ...partLabels(parts), ...(commit !== null && { [LABELS.commit[0]]: commit }) }
}

const isOf = (name: string, label: string) => label === name || label.startsWith(`${name}-`)

function partLabels({ digest, bundle, policy, image, snapshot }: Parts): Labels {
  return {
    'dap-digest': digest,
    'dap-bundle': bundle,
    'dap-policy': policy,
    'dap-image': image,
    'dap-snapshot': snapshot ?? 'none',
  }
}

function copyLabels({ route, facts }: Copy): Labels {
  const labels: Record<string, string> = { [ENDPOINT]: route }
  for (const name of FACT_NAMES) {
    const text = facts[name] === undefined ? undefined : (LABELS[name][1] as Codec<unknown>).write(facts[name])
    if (text !== undefined) labels[factLabel(name)] = text
  }
  return labels
}

function identityLabels(whose: Identity): Labels {
  return Object.fromEntries(
    IDENTITY.flatMap(part => (whose[part] === undefined ? [] : [[LABELS[part][0], whose[part]]])),
  )
}

function heldLabels({ whole, workloads }: Held): Labels {
  const names = [...(whole ? [HELD] : []), ...workloads.map(id => `${HELD}-${id}`)]
  return Object.fromEntries(names.map(name => [name, 'true']))
}

/** Any text as the value of a label. */
export function labelValue(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .slice(0, 63)
}

function without(labels: Labels, taken: (label: string) => boolean): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([label]) => !taken(label)))
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.flatMap(key => (from[key] === undefined ? [] : [[key, from[key]]]))) as Pick<T, K>
}
