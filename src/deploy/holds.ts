/**
 * What was rolled back is on hold: it is not brought back unless asked for. A hold is about what was judged bad (policy, snapshot, image), not
 * about machines and descriptions, which may change meanwhile: they are changed on what serves. It stands on the endpoint and, for ever, on
 * the version that was rolled back.
 */
import type { Cloud, Endpoint, ModelVersion } from './cloud.ts'
import { type Desired, settled } from './desired.ts'
import {
  type EndpointLabels,
  heldLabels,
  isHeldVersion,
  judgedDigest,
  readVersionLabels,
  type VersionLabels,
  versionParts,
} from './labels.ts'
import { createBackoff, type Patience } from './patience.ts'
import type { Roles } from './roles.ts'

/** Whether what Git asks for was rolled back. */
export function isHeld(desired: Desired, labels: Partial<EndpointLabels>, versions: readonly ModelVersion[]): boolean {
  const judged = judgedDigest(versionParts(desired))
  // Older holds were about the digest of all settings.
  if ([judged, desired.deployed.id, desired.digest].includes(labels.hold ?? '')) return true
  return judgedAs(judged, versions).some(version => isHeldVersion(version.labels))
}

/** What a rollback puts on hold: what decides; or where that stays the same, the deployed model, whose machines were bad then. */
export function holdOf(
  left: string | undefined,
  judged: string | undefined,
  back: string | undefined,
): string | undefined {
  return judged !== undefined && judged !== back ? judged : left
}

/** Versions that are judged as one: they decide the same. */
function judgedAs(judged: string, versions: readonly ModelVersion[]): readonly ModelVersion[] {
  return versions.filter(({ labels }) => {
    const parts = readVersionLabels(labels)
    return parts !== undefined && judgedDigest(parts) === judged
  })
}

/** Whether the versions that a hold is about say so themselves. */
export function isOnHold(hold: string | undefined, versions: readonly ModelVersion[]): boolean {
  return hold === undefined || judgedAs(hold, versions).every(({ labels }) => isHeldVersion(labels))
}

/** What a deployed model is judged as; undefined where it is gone, or dap has not made it. */
export function judgedOf(
  { deployedModels }: Endpoint,
  deployedModel: string | undefined,
  versions: readonly ModelVersion[],
): string | undefined {
  const deployed = deployedModels.find(({ id }) => id === deployedModel)
  const version = versions.find(each => each.model === deployed?.model && each.version === deployed.version)
  const parts = version && readVersionLabels(version.labels)
  return parts && judgedDigest(parts)
}

/**
 * While what Git asks for is held: its settings and scale for what serves, and its machines unless those are what is held. undefined where
 * nothing serves, or nothing that dap has made.
 */
export function insteadOf(
  desired: Desired,
  { labels, stable }: Roles,
  versions: readonly ModelVersion[],
): Desired | undefined {
  const version = versions.find(each => each.model === stable?.model && each.version === stable.version)
  const parts = version && readVersionLabels(version.labels)
  if (parts === undefined) return undefined
  const known = { ...desired, ...madeOf(desired.policy.name, version!, parts) }
  const instead = settled(known)
  return labels.hold === instead.deployed.id ? settled({ ...known, deployed: stable! }) : instead
}

/** A version that is there already: it is not uploaded again, so nobody asks what else it was made with. */
export function madeOf(
  policy: string,
  { model, displayName }: Pick<ModelVersion, 'model' | 'displayName'>,
  parts: VersionLabels,
): Pick<Desired, 'policy' | 'bundle' | 'model'> {
  const { digest, image, snapshot } = parts
  const unread = { description: '', artifact: '', predictRoute: '', healthRoute: '', port: 0, args: [] }
  return {
    policy: { name: policy, digest: parts.policy, snapshot },
    bundle: { digest: parts.bundle, object: '' },
    model: { id: model, displayName, image: `@${image}`, digest, ...unread },
  }
}

/** Puts versions on hold, or releases them. */
export async function holdVersions(
  { cloud, model }: { readonly cloud: Cloud; readonly model: string },
  judged: string,
  held: boolean,
  patience: Patience,
): Promise<void> {
  const backoff = createBackoff(patience, { races: true })
  for (;;) {
    try {
      const versions = judgedAs(judged, await cloud.listVersions(model))
      const version = versions.find(({ labels }) => isHeldVersion(labels) !== held)
      if (version === undefined) return
      const update = { etag: version.etag, labels: heldLabels(version.labels, held) }
      await cloud.updateVersion(model, version.version, update)
    } catch (failure) {
      await backoff('updateVersion', failure)
    }
  }
}
