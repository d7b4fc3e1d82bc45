import type { ApplyOptions } from '../../src/deploy/doing/apply.ts'
import type { DeployEvent } from '../../src/deploy/doing/events.ts'
import type { Engine } from '../../src/deploy/doing/run.ts'
import type { Clock } from '../../src/deploy/patience.ts'
import type { Cloud } from '../../src/deploy/routes.ts'
import type { Run } from '../../src/deploy/runs.ts'
import { type Desired, desiredOf, type Target } from '../../src/deploy/wanted/desired.ts'
import type { Commit } from '../../src/deploy/wanted/plan.ts'
import type { DeploymentSpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { digestOf } from '../../src/policy/digest.ts'
import { PLACE } from './memory-vertex.ts'

export const TARGET: Target = {
  environment: 'local',
  projectId: 'q7m2vx4t9kd3hs8w',
  project: 'shop',
  place: PLACE,
  endpointIds: 'named',
  image: `dap/server@sha256:${'0'.repeat(64)}`,
  serviceAccount: null,
  protect: [],
  prices: {},
}

export const COMMIT: Commit = { id: 'c'.repeat(40), dirty: false }

export interface Edit {
  readonly deployment?: string
  /** Another text is another policy, and so another bundle and another version. */
  readonly policy?: string
  readonly machineType?: string
  readonly maxReplicas?: number
  readonly description?: string
  readonly rollout?: Partial<DeploymentSpec['rollout']>
}

/** What Git says of one deployment; two steps of ten minutes unless told otherwise. */
export function desiredState(edit: Edit = {}, target: Target = TARGET): Desired {
  const {
    deployment = 'offer',
    policy = 'first',
    machineType = 'n2-standard-2',
    maxReplicas = 4,
    description,
    rollout,
  } = edit
  const spec: DeploymentSpec = {
    environment: target.environment,
    policy: 'offer',
    resources: { machineType, minReplicas: 1, maxReplicas, targetCpu: 0.6 },
    endpoint: { type: 'shared' },
    rollout: {
      steps: [{ traffic: 0.1, hold: '10m' }, { traffic: 0.5, hold: '10m' }, { traffic: 1 }],
      gates: [],
      onFailure: 'rollback',
      rollbackWindow: '24h',
      ...rollout,
    },
    evidence: [],
  }
  const digest = digestOf({ policy })
  return desiredOf({ metadata: { name: deployment, labels: {}, description }, spec }, target, {
    digest,
    policy: { name: 'offer', digest },
    snapshot: null,
  })
}

export const OPTIONS: ApplyOptions = {
  acceptDrift: false,
  releaseHold: false,
  step: false,
  skipGates: false,
  resume: false,
}

/** Of an environment that was never elsewhere. */
export const cloudAt = () => {
  throw new Error('nothing is elsewhere')
}

export const bundleText = async () => '{"bundle":true}'

/** A run as its locks name it; its process has the same number. */
export function runOf(
  id: string,
  {
    owner = 'ci',
    resumes = false,
    stateOf = () => 'running',
  }: Partial<Pick<Run, 'owner' | 'resumes' | 'stateOf'>> = {},
): Run {
  const process = { host: '0'.repeat(16), pid: Number.parseInt(id, 16), started: '1' }
  return { id, owner, process, resumes, stateOf }
}

let runs = 0

/** One run of dap, with a name of its own. */
export function engineOf(
  cloud: Cloud,
  clock: Clock,
  {
    signal,
    target = TARGET,
    owner,
    resumes,
    stateOf,
  }: { signal?: AbortSignal; target?: Target } & Partial<Pick<Run, 'owner' | 'resumes' | 'stateOf'>> = {},
): Engine & { readonly events: DeployEvent[] } {
  const events: DeployEvent[] = []
  const id = (++runs).toString(16).padStart(8, '0')
  const patience = { clock, rng: stream(1, 'engine'), signal }
  return {
    ...patience,
    cloud: cloud.patiently(patience),
    target,
    run: runOf(id, { owner, resumes, stateOf }),
    commit: COMMIT,
    origin: null,
    report: event => void events.push(event),
    events,
  }
}
