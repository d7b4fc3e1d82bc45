import { join, relative } from 'node:path'
import { shortDigest } from '../../digest.ts'
import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { createPolicy, type Policy } from '../../policy/policy.ts'
import {
  loadSnapshot,
  type Snapshot,
  type SnapshotData,
  type SnapshotLoaded,
  snapshotDigest,
  snapshotText,
} from '../../policy/snapshot.ts'
import type { ServedPolicy } from '../../serve/deciding/policies.ts'
import { jsonFaultPlace } from '../../serve/json.ts'
import { dataFile, displayPath, type Opened, requireResource, requireValid } from './repository.ts'

/** Where `dap train` leaves a policy's snapshot, and where whoever decides looks for it; absolute. */
export function snapshotPath({ root }: Opened, policy: string): string {
  return join(root, 'snapshots', `${policy}.json`)
}

/** The policy's snapshot in its usual place, if there is one; a DapError for a link that leads where nothing may be read. */
export async function usualSnapshot(host: Host, opened: Opened, policy: string): Promise<string | undefined> {
  const path = snapshotPath(opened, policy)
  return (await host.files.exists(path)) ? dataFile(host, opened, displayPath(opened.root, path)) : undefined
}

/** A policy, and what its snapshot learnt from: null where that does not say, undefined where there is none. */
export interface LoadedPolicy extends ServedPolicy {
  readonly learntFrom?: SnapshotData | null
}

/**
 * The policy of that name with the snapshot at that absolute path, or knowing nothing; a DapError where they do not fit. `migrate` is
 * absent where the command does not know the option.
 */
export async function loadPolicy(
  host: Host,
  opened: Opened,
  name: string | undefined,
  { snapshot, migrate }: { readonly snapshot?: string; readonly migrate?: boolean } = {},
): Promise<LoadedPolicy> {
  const resource = requireResource(opened, 'Policy', name)
  requireValid(opened, [resource.file])
  const policy = createPolicy(resource.name, resource.spec, resource.digest)
  if (snapshot === undefined) return { policy, snapshot: null }
  const restored = await restoreSnapshot(host, policy, snapshot, migrate)
  return { policy, snapshot: restored.loaded.digest, learntFrom: restored.snapshot.data ?? null }
}

/** Loads the snapshot at that absolute path into the policy; a DapError where it does not fit. */
export async function restoreSnapshot(
  host: Host,
  policy: Policy,
  path: string,
  migrate: boolean | undefined,
): Promise<{ readonly snapshot: Snapshot; readonly loaded: SnapshotLoaded }> {
  const json = await readJson(host, path)
  const loaded = loadSnapshot(policy, json, { migrate })
  if (!('faults' in loaded)) return { snapshot: json as Snapshot, loaded }
  const shown = relative(host.cwd, path)
  throw new DapError(`snapshot \`${shown}\` does not fit policy \`${policy.name}\`: ${loaded.faults.join('; ')}`, {
    hint: `train a new one${migrate === false ? '; `--migrate` carries over what is sound where only actions changed' : ''}`,
  })
}

/**
 * Writes a snapshot where the next decision looks for it, `snapshots/<policy>.json`, and where no later one takes its place,
 * `snapshots/<policy>/<digest>.json`, so that what it decided can be replayed long after.
 */
export async function publishSnapshot(host: Host, root: string, policy: string, snapshot: Snapshot): Promise<void> {
  const text = snapshotText(snapshot)
  const folder = join(root, 'snapshots')
  await host.files.write(join(folder, policy, `${shortDigest(snapshotDigest(snapshot))}.json`), text)
  await host.files.write(join(folder, `${policy}.json`), text)
}

/** A JSON file; a DapError where it is none. */
export async function readJson(host: Host, path: string): Promise<unknown> {
  const text = await host.files.read(path)
  try {
    return JSON.parse(text)
  } catch {
    throw new DapError(`\`${relative(host.cwd, path)}\` is not JSON: the fault is at ${jsonFaultPlace(text)}`)
  }
}
