/**
 * What was rolled back is on hold: it is not brought back unless asked for. A hold is about what was judged bad (policy, snapshot, image), not
 * about machines and descriptions, which may change meanwhile: they are changed on what serves. It stands on the endpoint and, for ever, on
 * the version that was rolled back.
 */
import type { Cloud, DeployedModel, Endpoint, ModelVersion } from './cloud.ts'
import { type Desired, settled } from './desired.ts'
import {
  type EndpointLabels,
  heldLabels,
  isHeldVersion,
  judgedDigest,
  judgedVersion,
  readVersionLabels,
  type VersionLabels,
  versionParts,
} from './labels.ts'
import { createBackoff, type Patience } from './patience.ts'
import { type Roles, versionOf } from './roles.ts'

/** Whether what Git asks for was rolled back. */
export function isHeld(desired: Desired, labels: Partial<EndpointLabels>, versions: readonly ModelVersion[]): boolean {
  const judged = judgedDigest(versionParts(desired))
  // Older holds were about the digest of all settings.
  if (labels.hold === judged || labels.hold === desired.digest) return true
  if (isHeldMachine(desired.deployed.id, labels, versions)) return true
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
  return versions.filter(({ labels }) => judgedVersion(labels) === judged)
}

/** A hold is about what decides, or about one deployed model. */
const machineOf = (hold: string) => (/^\d{1,10}$/.test(hold) ? hold : undefined)

/** The versions that a hold is about, of a deployed model the one that it is deployed from. */
function heldBy(hold: string, versions: readonly ModelVersion[], endpoint: Endpoint | undefined) {
  const id = machineOf(hold)
  if (id === undefined) return judgedAs(hold, versions)
  const deployed = endpoint?.deployedModels.find(each => each.id === id)
  return versions.filter(({ version, labels }) => version === deployed?.version || isHeldVersion(labels, id))
}

/** Whether the versions that a hold is about say so themselves. */
export function isOnHold(hold: string | undefined, versions: readonly ModelVersion[], endpoint?: Endpoint): boolean {
  if (hold === undefined) return true
  return heldBy(hold, versions, endpoint).every(({ labels }) => isHeldVersion(labels, machineOf(hold)))
}

/** What a deployed model is judged as; undefined where it is gone, or dap has not made it. */
export function judgedOf(
  { deployedModels }: Endpoint,
  deployedModel: string | undefined,
  versions: readonly ModelVersion[],
): string | undefined {
  const version = versionOf(
    versions,
    deployedModels.find(({ id }) => id === deployedModel),
  )
  return version && judgedVersion(version.labels)
}

/**
 * While what Git asks for is held: its settings and scale for what serves, and its machines unless those are what is held. Where the held one
 * itself serves, a rollback is not done yet, and it goes on: to what is deployed for it already, or is going to be. undefined where there is
 * nothing, or nothing that dap has made.
 */
export function insteadOf(
  desired: Desired,
  { labels, stable, abandoned }: Roles,
  versions: readonly ModelVersion[],
): Desired | undefined {
  const previous = { model: desired.model.id, version: labels.previousVersion ?? '' }
  const serving = versionOf(versions, stable)
  const back = [abandoned, previous]
    .map(each => versionOf(versions, each))
    .find(version => version && !isHeldContent(version, labels))
  const unfinished = serving !== undefined && isHeldContent(serving, labels) && back !== undefined
  const version = unfinished ? back : serving
  const parts = version && readVersionLabels(version.labels)
  if (parts === undefined) return undefined
  const known = { ...desired, ...madeOf(desired.policy.name, version!, parts) }
  const instead = settled(known)
  if (unfinished)
    return { ...instead, rollout: { ...instead.rollout, steps: [{ percent: 100, holdMs: 0 }], gates: [] } }
  return isHeldMachine(instead.deployed.id, labels, versions) ? settled({ ...known, deployed: stable! }) : instead
}

/** Whether what was deployed, or is going to be again, was rolled back: for what it decides, or for its machines. */
export function isHeldDeployed(
  deployed: Pick<DeployedModel, 'id' | 'model' | 'version'>,
  labels: Partial<EndpointLabels>,
  versions: readonly ModelVersion[],
): boolean {
  const version = versionOf(versions, deployed)
  return (version && isHeldContent(version, labels)) || isHeldMachine(deployed.id, labels, versions)
}

function isHeldContent({ labels: version }: ModelVersion, { hold }: Partial<EndpointLabels>): boolean {
  return isHeldVersion(version) || (hold !== undefined && judgedVersion(version) === hold)
}

/** A deployed model that was rolled back for its machines. */
function isHeldMachine(id: string, { hold }: Partial<EndpointLabels>, versions: readonly ModelVersion[]): boolean {
  return hold === id || versions.some(({ labels }) => isHeldVersion(labels, id))
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

/** Puts what a hold is about on hold, or releases it. */
export async function holdVersions(
  {
    cloud,
    model,
    endpoint,
  }: { readonly cloud: Cloud; readonly model: string; readonly endpoint: Endpoint | undefined },
  hold: string,
  held: boolean,
  patience: Patience,
): Promise<void> {
  const backoff = createBackoff(patience, { races: true })
  const id = machineOf(hold)
  for (;;) {
    try {
      const versions = heldBy(hold, await cloud.listVersions(model), endpoint)
      const version = versions.find(({ labels }) => isHeldVersion(labels, id) !== held)
      if (version === undefined) return
      const update = { etag: version.etag, labels: heldLabels(version.labels, held, id) }
      await cloud.updateVersion(model, version.version, update)
    } catch (failure) {
      await backoff('updateVersion', failure)
    }
  }
}
