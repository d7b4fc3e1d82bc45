import { shortDigest } from '../digest.ts'
import type { DeploymentSpec, EnvironmentSpec, Metadata } from '../kinds.ts'
import { digestOf } from '../policy/digest.ts'
import { milliseconds } from '../policy/duration.ts'
import type { NewDeployedModel, NewEndpoint, NewModelVersion, Place, Scale } from './cloud.ts'
import { bundleObject, deployedModelId, endpointId, label32, modelId } from './names.ts'

/** What Git says of one deployment, down to the last field that will be written. */
export interface Desired {
  /** The Deployment's name. */
  readonly deployment: string
  readonly policy: { readonly name: string; readonly digest: string; readonly snapshot: string | null }
  readonly bundle: {
    readonly digest: string
    /** Name of the object in the bucket, by content: `dap/bundles/shop-offer-0123456789ab/bundle.json`. */
    readonly object: string
  }
  readonly endpoint: Omit<NewEndpoint, 'labels'> & { readonly id: string }
  readonly model: Omit<NewModelVersion, 'labels'> & {
    readonly id: string
    /** 32 hex digits over all that a version cannot change: equal digests are the same version. */
    readonly digest: string
  }
  /** Its id is made from the model's digest and all that a deployed model cannot change. */
  readonly deployed: Omit<NewDeployedModel, 'model' | 'version' | 'scale'>
  readonly scale: Scale
  readonly rollout: Rollout
  /** 32 hex digits over bundle, endpoint, model, deployed and scale: what `dap-digest` says once all of it is applied. */
  readonly digest: string
}

export interface Rollout {
  /** Ascending; the last is 100. */
  readonly steps: readonly { readonly percent: number; readonly holdMs: number }[]
  readonly gates: readonly Gate[]
  readonly onFailure: 'rollback' | 'pause'
  readonly rollbackWindowMs: number
}

export type Gate =
  | { readonly metric: 'errorRate'; readonly max: number }
  | { readonly metric: 'latencyP99'; readonly maxMs: number }

/** An environment, resolved: where, with what, and what is not to happen there. */
export interface Target {
  readonly environment: string
  /** The Project's name. */
  readonly project: string
  readonly place: Place
  readonly image: string
  readonly serviceAccount: string | null
  readonly protect: readonly ('delete' | 'undeploy')[]
  /** Machine type → price of one replica's hour, as the Environment declares it. */
  readonly prices: Readonly<Record<string, number>>
}

/** What the emulator does without: whatever it is told, it runs this dap. */
const LOCAL = {
  project: 'dap-local',
  region: 'us-central1',
  bucket: 'dap-local',
  image: `dap/server@sha256:${'0'.repeat(64)}`,
}

export function targetOf(
  project: string,
  environment: { readonly name: string; readonly spec: EnvironmentSpec },
): Target {
  const { target, gcp = LOCAL, protect, prices } = environment.spec
  return {
    environment: environment.name,
    project,
    place: { target, project: gcp.project, region: gcp.region, bucket: gcp.bucket },
    image: gcp.image,
    serviceAccount: ('serviceAccount' in gcp && gcp.serviceAccount) || null,
    protect,
    prices,
  }
}

export interface BundleInputs {
  readonly digest: string
  readonly policy: { readonly name: string; readonly digest: string }
  /** Digest of the snapshot. */
  readonly snapshot: string | null
}

export function desiredOf(
  deployment: { readonly metadata: Metadata; readonly spec: DeploymentSpec },
  target: Target,
  { digest, policy, snapshot }: BundleInputs,
): Desired {
  const { metadata, spec } = deployment
  const { project, environment, place } = target
  const ids = [project, environment, metadata.name] as const
  const bundle = { digest, object: bundleObject(policy.name, digest) }
  const container = {
    image: target.image,
    predictRoute: '/predict',
    healthRoute: '/readyz',
    port: 8080,
    args: ['--log', 'stdout'],
  }
  // Not the bundle's own digest, which has dap's version in it: another dap, on the same image, serves the same decisions.
  const version = label32(digestOf({ id: modelId(...ids), policy, snapshot, ...container }))
  const machine = { machineType: spec.resources.machineType, serviceAccount: target.serviceAccount }
  const settings = {
    displayName: metadata.name,
    description: `Managed by dap: deployment ${metadata.name} of ${project}, environment ${environment}.${metadata.description ? ` ${metadata.description}` : ''}`,
    dedicated: spec.endpoint.type === 'dedicated',
    requestLog: spec.requestLog ? { sample: spec.requestLog.sample, table: spec.requestLog.table } : null,
  }
  const scale = {
    minReplicas: spec.resources.minReplicas,
    maxReplicas: spec.resources.maxReplicas,
    targetCpu: Math.round(spec.resources.targetCpu * 100),
  }
  return {
    deployment: metadata.name,
    policy: { ...policy, snapshot },
    bundle,
    endpoint: { id: endpointId(...ids), ...settings },
    model: {
      id: modelId(...ids),
      displayName: metadata.name,
      description: `Policy ${policy.name}, served by dap`,
      ...container,
      artifact: `gs://${place.bucket}/${bundle.object.replace(/\/[^/]*$/, '')}`,
      digest: version,
    },
    deployed: deployedOf(metadata.name, version, machine),
    scale,
    rollout: rolloutOf(spec.rollout),
    digest: stateDigest({ settings, version, machine, scale }),
  }
}

function rolloutOf({ steps, gates, onFailure, rollbackWindow }: DeploymentSpec['rollout']): Rollout {
  return {
    steps: steps.map(({ traffic, hold }) => ({
      percent: Math.round(traffic * 100),
      holdMs: hold === undefined ? 0 : milliseconds(hold),
    })),
    gates: gates.map(gate =>
      gate.metric === 'latencyP99' ? { metric: gate.metric, maxMs: milliseconds(gate.max) } : gate,
    ),
    onFailure,
    rollbackWindowMs: milliseconds(rollbackWindow),
  }
}

interface Machine {
  readonly machineType: string
  readonly serviceAccount: string | null
}

/** What a version of that digest is deployed as. */
export function deployedOf(deployment: string, version: string, machine: Machine): Desired['deployed'] {
  const digest = digestOf({ version, ...machine })
  return { id: deployedModelId(digest), displayName: `${deployment}-${shortDigest(digest)}`, ...machine }
}

/** `Desired.digest` */
export function stateDigest(state: {
  readonly settings: Omit<NewEndpoint, 'labels'>
  readonly version: string
  readonly machine: Machine
  readonly scale: Scale
}): string {
  return label32(digestOf(state))
}
