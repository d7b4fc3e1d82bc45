import { shortDigest } from '../../digest.ts'
import type { Desired, Place, Rollout } from '../../generated/types.ts'
import type { DeploymentSpec, EnvironmentSpec, Metadata } from '../../kinds.ts'
import { digestOf } from '../../policy/digest.ts'
import { milliseconds } from '../../policy/duration.ts'
import type { Owner } from '../memory.ts'
import { bundleObject, deployedModelId, digest32, endpointId, type IdForm, modelId } from '../names.ts'

export type { Desired, Gate, Rollout } from '../../generated/types.ts'

/** An environment, resolved: where, with what, and what is not to happen there. */
export interface Target extends Owner {
  readonly place: Place
  /** Of the ids of endpoints that are made from now on. */
  readonly endpointIds: IdForm
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
  project: { readonly name: string; readonly id: string },
  environment: { readonly name: string; readonly spec: EnvironmentSpec },
): Target {
  const { target, protect, prices, gcp = LOCAL } = environment.spec
  return {
    environment: environment.name,
    projectId: project.id,
    project: project.name,
    place: { target, project: gcp.project, region: gcp.region, bucket: gcp.bucket },
    endpointIds: ('endpointIds' in gcp && gcp.endpointIds) || 'named',
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
  const identity = { owner: target.projectId, environment, deployment: metadata.name }
  const bundle = { digest, object: bundleObject(policy.name, digest) }
  const container = {
    image: target.image,
    predictRoute: '/predict',
    healthRoute: '/readyz',
    port: 8080,
    args: ['--log', 'stdout'],
  }
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
  const model = {
    displayName: metadata.name,
    description: `Policy ${policy.name}, served by dap`,
    ...container,
    artifact: `gs://${place.bucket}/${bundle.object.replace(/\/[^/]*$/, '')}`,
  }
  const unnamed = {
    deployment: metadata.name,
    policy: { ...policy, snapshot },
    bundle,
    endpoint: settings,
    model,
    deployed: machine,
    scale,
    rollout: rolloutOf(spec.rollout),
  }
  return identified(unnamed, { endpoint: endpointId(identity, target.endpointIds), model: modelId(identity) })
}

/** All but what follows from the ids and the version. */
type Unnamed = Omit<Desired, 'endpoint' | 'model' | 'deployed' | 'digest'> & {
  readonly endpoint: Omit<Desired['endpoint'], 'id'>
  readonly model: Omit<Desired['model'], 'id' | 'digest'>
  readonly deployed: Machine
}

/** The same under the ids that its endpoint and model have, which may be older than the names that Git gives it now. */
export function identified(unnamed: Unnamed, ids: { readonly endpoint: string; readonly model: string }): Desired {
  const { policy, model } = unnamed
  const { snapshot, ...decides } = policy
  const { image, predictRoute, healthRoute, port, args } = model
  // Not the bundle's own digest, which has dap's version in it: another dap, on the same image, serves the same decisions.
  const content = { id: ids.model, policy: decides, snapshot, image, predictRoute, healthRoute, port, args }
  const digest = digest32(digestOf(content))
  return settled({
    ...unnamed,
    endpoint: { ...unnamed.endpoint, id: ids.endpoint },
    model: { ...model, id: ids.model, digest },
  })
}

/** With what follows from the version: what it is deployed as, and the digest of the whole. */
export function settled(known: Omit<Desired, 'deployed' | 'digest'> & { readonly deployed: Machine }): Desired {
  const { deployment, endpoint, model, scale } = known
  const { id: _, ...settings } = endpoint
  const { machineType, serviceAccount } = known.deployed
  const machine = { machineType, serviceAccount }
  const digest = digestOf({ version: model.digest, ...machine })
  return {
    ...known,
    deployed: { id: deployedModelId(digest), displayName: `${deployment}-${shortDigest(digest)}`, ...machine },
    digest: digest32(digestOf({ settings, version: model.digest, machine, scale })),
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
