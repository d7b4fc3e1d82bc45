import type { Change } from '../../src/deploy/change.ts'
import type { WriteContext } from '../../src/deploy/doing/writes.ts'
import { digest32 } from '../../src/deploy/names.ts'
import type { ActualDeployment } from '../../src/deploy/wanted/actual.ts'
import { type Desired, desiredOf, type Target, targetOf } from '../../src/deploy/wanted/desired.ts'
import { diffDeployment } from '../../src/deploy/wanted/diff.ts'
import type { DeploymentSpec } from '../../src/kinds.ts'
import { digestOf } from '../../src/policy/digest.ts'
import { perform } from '../support/pure-cloud.ts'

export const NOW = Date.UTC(2026, 10, 23, 12)

export const TARGET: Target = targetOf(
  { name: 'games', id: 'q7m2vx4t9kd3hs8w' },
  {
    name: 'prod',
    spec: {
      target: 'vertex',
      gcp: {
        project: 'games-ml-prod',
        region: 'europe-west1',
        bucket: 'games-dap',
        image: `europe-west1-docker.pkg.dev/games-ml-prod/dap/server@sha256:${'5'.repeat(64)}`,
        endpointIds: 'named',
      },
      protect: [],
      prices: { 'n2-standard-2': 0.11 },
    },
  },
)

export const SPEC: DeploymentSpec = {
  environment: 'prod',
  policy: 'shop-offer',
  resources: { machineType: 'n2-standard-2', minReplicas: 2, maxReplicas: 10, targetCpu: 0.6 },
  endpoint: { type: 'dedicated' },
  rollout: {
    steps: [{ traffic: 0.1, hold: '10m' }, { traffic: 0.5, hold: '30m' }, { traffic: 1 }],
    gates: [{ metric: 'errorRate', max: 0.01 }],
    onFailure: 'rollback',
    rollbackWindow: '24h',
  },
  evidence: [],
}

export const CONTEXT: WriteContext = {
  now: NOW,
  commit: { id: 'c'.repeat(40), dirty: false },
  origin: null,
  target: TARGET,
}

export const NOTHING: ActualDeployment = { endpoint: undefined, releases: [], bundle: false }

/** Any content stands for a policy. */
export function wanted({
  policy = 'first',
  snapshot = null as string | null,
  description = undefined as string | undefined,
  ...spec
}: Omit<Partial<DeploymentSpec>, 'policy' | 'snapshot'> & {
  policy?: string
  snapshot?: string | null
  description?: string
} = {}): Desired {
  const bundle = {
    digest: digestOf(['bundle', policy, snapshot]),
    policy: { name: 'shop-offer', digest: digestOf(policy) },
    snapshot: snapshot && digestOf(snapshot),
  }
  return desiredOf({ metadata: { name: 'shop-offer', description }, spec: { ...SPEC, ...spec } }, TARGET, bundle)
}

export function changesOf(desired: Desired, actual: ActualDeployment): readonly Change[] {
  return diffDeployment(desired, actual, { now: NOW, releaseHold: false, target: TARGET }).changes
}

/** As apply does it: one change, then another diff; at most `most` of them. */
export function apply(desired: Desired, actual: ActualDeployment, most = Number.POSITIVE_INFINITY): ActualDeployment {
  const uploaded = actual.releases.some(({ parts }) => parts?.bundle === digest32(desired.bundle.digest))
  let state = { ...actual, bundle: uploaded }
  for (let done = 0; done < most; done++) {
    if (done > 100) throw new Error('it does not converge')
    const difference = diffDeployment(desired, state, { now: NOW, releaseHold: false, target: TARGET })
    const [change] = difference.changes
    if (change === undefined) break
    state = perform(change, difference.desired, state, CONTEXT)
  }
  return state
}

/** A line a change. */
export function printed(changes: readonly Change[]): string[] {
  return changes.map(({ kind, reason, fields, ...rest }) => {
    const values = Object.values(rest).map(value => (typeof value === 'object' ? JSON.stringify(value) : value))
    const changed = fields.map(({ field, before, after }) => `${field} ${before} → ${after}`)
    return `${[[kind, ...values].join(' '), ...changed].join('; ')} (${reason})`
  })
}
