import { createHash } from 'node:crypto'
import type { Host } from '../../host.ts'
import type { DatasetSpec, PolicySpec, RewardSpec } from '../../kinds.ts'
import type { OpenDataset } from '../../log/rows/layout.ts'
import { rewardJoin } from '../../log/rows/reward-join.ts'
import { changedError } from '../../log/tables.ts'
import { isOffered, isSet, listed } from '../../policy/pool.ts'
import { displayPath, type Opened, requireResource, requireValid } from '../opening/repository.ts'
import { type DataFiles, findDataFiles } from './data-files.ts'

/** A Dataset whose files have been digested. */
export interface DigestedDataset extends OpenDataset {
  readonly digest: string
  /** To be asked when all has been read: a DapError where a file is no longer the one that was digested. */
  requireUnchanged(): Promise<void>
}

/**
 * The Dataset of that name, or the only one, with all that it names. Its rewards join as it says; those of a `dap` log then as
 * `reward` does, by default that of the policy whose actions it has. `until`, in milliseconds since 1970, is when the log is
 * looked at.
 */
export async function openDataset(
  host: Host,
  opened: Opened,
  wanted: string | undefined,
  { until = host.now(), reward }: { readonly until?: number; readonly reward?: RewardSpec } = {},
): Promise<DigestedDataset> {
  const { name, file, spec } = requireResource(opened, 'Dataset', wanted)
  const { actions } = spec
  const policy =
    actions !== undefined && 'policy' in actions ? requireResource(opened, 'Policy', actions.policy) : undefined
  requireValid(opened, [file, ...(policy ? [policy.file] : [])])

  const { stamps, ...files } = await datasetFiles(host, opened, spec)
  return {
    name,
    ...files,
    spec,
    root: opened.root,
    policyActions: policy && listed(policy.spec.actions),
    offered: policy !== undefined && isOffered(policy.spec.actions),
    ofSet: policy !== undefined && isSet(policy.spec.actions) && !isInOrder(spec),
    slots: policy && slotsOf(policy.spec),
    join: rewardJoin(spec, reward ?? policy?.spec.reward, until),
    async requireUnchanged() {
      for (const [path, stamp] of stamps) {
        if ((await host.files.stamp(path)) === stamp) continue
        throw changedError(displayPath(opened.root, path))
      }
    },
  }
}

/** How many slots its lists have; undefined of a policy of single decisions. */
function slotsOf({ decision }: PolicySpec): number | undefined {
  switch (decision.type) {
    case 'ranking':
      return decision.slots
    case 'slots':
      return decision.slots.length
    default:
      return undefined
  }
}

/** Are propensities listed in the order of all actions? Then there are no others. */
const isInOrder = ({ mapping }: DatasetSpec): boolean =>
  mapping?.propensities !== undefined && mapping.eligible === undefined

interface DatasetFiles extends DataFiles {
  readonly digest: string
  readonly rewards?: DataFiles
  /** Path → what `Files.stamp` said before it was digested. */
  readonly stamps: ReadonlyMap<string, string>
}

/** A log may be large, and many may ask for it: it is hashed once for each time that the repository was read. */
const known = new WeakMap<DatasetSpec, Promise<DatasetFiles>>()

/** The files that a Dataset comes to, those of its rewards too, and the digest of all that is read of them. */
export function datasetFiles(host: Host, opened: Opened, spec: DatasetSpec): Promise<DatasetFiles> {
  const files = known.get(spec) ?? digestFiles(host, opened, spec)
  known.set(spec, files)
  return files
}

async function digestFiles(host: Host, opened: Opened, { files, format, rewards }: DatasetSpec): Promise<DatasetFiles> {
  const decisions = await findDataFiles(host, opened, files, format)
  const own = rewards && (await findDataFiles(host, opened, rewards.files, rewards.format ?? format))
  const stamps = new Map<string, string>()
  for (const path of [...decisions.paths, ...(own?.paths ?? [])]) stamps.set(path, await host.files.stamp(path))
  const lines = await contents(host, decisions)
  if (own === undefined) return { ...decisions, digest: digestOf(lines), stamps }
  return { ...decisions, digest: digestOf([...lines, 'rewards', ...(await contents(host, own))]), rewards: own, stamps }
}

/** A line for each file: its digest, and the values of its partitions, which are in its path. */
async function contents(host: Host, { paths, partitions }: DataFiles): Promise<string[]> {
  const digests = await Promise.all(paths.map(path => host.files.digest(path)))
  if (partitions === undefined) return digests
  return digests.map((digest, i) => {
    const values = [...partitions].map(([key, all]) => [key, all[i]]).sort(([a], [b]) => (a < b ? -1 : 1))
    return `${digest} ${JSON.stringify(values)}`
  })
}

const digestOf = (lines: readonly string[]) => createHash('sha256').update(lines.join('\n')).digest('hex')
