import { createHash } from 'node:crypto'
import type { EvaluationPlan } from '../evaluate/evaluate.ts'
import type { Host } from '../host.ts'
import type { DatasetSpec, RewardSpec } from '../kinds.ts'
import { rewardJoin } from '../log/reward-join.ts'
import { logFiles } from './log-files.ts'
import { dataFile, type Opened, requireResource, requireValid } from './repository.ts'

/**
 * The Dataset of that name, or the only one, with all that it names. Its rewards join as it says, then as `reward` does, by
 * default that of the policy whose actions it has; `until`, in milliseconds since 1970, is when the log is looked at.
 */
export async function openDataset(
  host: Host,
  opened: Opened,
  wanted: string | undefined,
  { until = host.now(), reward }: { readonly until?: number; readonly reward?: RewardSpec } = {},
): Promise<EvaluationPlan['dataset']> {
  const { name, file, spec } = requireResource(opened, 'Dataset', wanted)
  const { actions, format } = spec
  const policy =
    actions !== undefined && 'policy' in actions ? requireResource(opened, 'Policy', actions.policy) : undefined
  requireValid(opened, [file, ...(policy ? [policy.file] : [])])

  return {
    name,
    ...(await datasetFiles(host, opened, spec)),
    spec,
    policyActions: policy?.spec.actions.map(({ id }) => id),
    ...(format === 'dap' ? { join: rewardJoin(spec.reward, reward ?? policy?.spec.reward, until) } : {}),
  }
}

/** The files that a Dataset comes to, and the digest of what is in them. */
export async function datasetFiles(
  host: Host,
  opened: Opened,
  { files, format }: DatasetSpec,
): Promise<{ readonly digest: string; readonly paths: string[] }> {
  const named = await Promise.all(files.map(path => dataFile(host, opened, path)))
  const paths = format === 'dap' ? [...(await logFiles(host, named))] : named
  const digests = await Promise.all(paths.map(path => host.files.digest(path)))
  return { digest: createHash('sha256').update(digests.join('\n')).digest('hex'), paths }
}
