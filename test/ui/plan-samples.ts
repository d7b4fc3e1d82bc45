import type { Change } from '../../src/deploy/change.ts'
import type { Desired } from '../../src/deploy/wanted/desired.ts'
import type { DeploymentPlan, Plan } from '../../src/deploy/wanted/plan.ts'

export const OLD = '2048113377'
export const NEW = '9182736450'
const HEX = '91b0c3d4e5f60718293a4b5c6d7e8f90'

export function desired(deployment = 'shop-offer', overrides: Partial<Desired> = {}): Desired {
  const id = `dap-${deployment}-3fa9c1d2`
  return {
    deployment,
    policy: { name: deployment, digest: HEX + HEX, snapshot: null },
    bundle: { digest: HEX + HEX, object: `dap/bundles/${deployment}-0123456789ab/bundle.json` },
    endpoint: { id, displayName: deployment, description: 'Managed by dap.', dedicated: true, requestLog: null },
    model: {
      id,
      digest: HEX,
      displayName: deployment,
      description: 'Managed by dap.',
      image: `europe-west1-docker.pkg.dev/saga-ml-prod/dap/server@sha256:${HEX}${HEX}`,
      artifact: `gs://saga-dap/dap/bundles/${deployment}-0123456789ab`,
      predictRoute: '/predict',
      healthRoute: '/readyz',
      port: 8080,
      args: ['--log', 'stdout'],
    },
    deployed: {
      id: NEW,
      displayName: `${deployment}-91b0c3d4e5f6`,
      machineType: 'n2-standard-2',
      serviceAccount: null,
    },
    scale: { minReplicas: 2, maxReplicas: 10, targetCpu: 60 },
    rollout: {
      steps: [
        { percent: 10, holdMs: 600_000 },
        { percent: 50, holdMs: 1_800_000 },
        { percent: 100, holdMs: 0 },
      ],
      gates: [
        { metric: 'errorRate', max: 0.01 },
        { metric: 'latencyP99', maxMs: 50 },
      ],
      onFailure: 'rollback',
      rollbackWindowMs: 86_400_000,
    },
    digest: HEX,
    ...overrides,
  }
}

export function deploymentPlan(deployment: string, overrides: Partial<DeploymentPlan> = {}): DeploymentPlan {
  return {
    deployment,
    endpoint: `dap-${deployment}-3fa9c1d2`,
    etag: 'AMEw9yN1',
    action: 'none',
    held: false,
    desired: desired(deployment),
    fields: [],
    changes: [],
    drift: [],
    evidence: [],
    blocked: [],
    names: {},
    notes: [],
    overlap: null,
    ...overrides,
  }
}

export function plan(deployments: readonly DeploymentPlan[], overrides: Partial<Plan> = {}): Plan {
  return {
    schema: 'dap.plan/v1',
    header: {
      dap: '0.1.0',
      created: '2026-12-01T12:00:00.000Z',
      expires: '2026-12-02T12:00:00.000Z',
      commit: { id: '4be1c02d77aa0123456789abcdef0123456789ab', dirty: false },
    },
    digest: `5f0e${HEX}${HEX}`.slice(0, 64),
    environment: {
      name: 'prod',
      project: 'shop',
      projectId: 'q7m2vx4t9kd3hs8w',
      place: { target: 'vertex', project: 'saga-ml-prod', region: 'europe-west1', bucket: 'saga-dap' },
    },
    only: null,
    acceptDrift: false,
    prune: false,
    releaseHold: false,
    overrideProtection: [],
    deployments,
    orphans: [],
    foreign: [],
    notes: [],
    ...overrides,
  }
}

const shift = (from: number, to: number, step: number): Change => ({
  kind: 'shift-traffic',
  from: { [OLD]: 100 - from, [NEW]: from },
  to: { [OLD]: 100 - to, [NEW]: to },
  step,
  reason: `step ${step + 1} of 3`,
  fields: [],
})

const hold = (step: number, holdMs: number): Change => ({
  kind: 'hold',
  step,
  holdMs,
  reason: 'its gates are watched',
  fields: [],
})

/** An edited policy on its way through a canary. */
export const canary: DeploymentPlan = deploymentPlan('shop-offer', {
  action: 'replace',
  fields: [
    { field: 'policy', before: '3fa9c1d2e4b5', after: '91b0c3d4e5f6', replaces: true },
    { field: 'resources.maxReplicas', before: '8', after: '10', replaces: false },
  ],
  changes: [
    {
      kind: 'upload-bundle',
      object: 'dap/bundles/shop-offer-0123456789ab/bundle.json',
      reason: 'the bucket does not have it',
      fields: [],
    },
    {
      kind: 'upload-model',
      model: 'dap-shop-offer-3fa9c1d2',
      digest: HEX,
      reason: 'no version has this content',
      fields: [],
    },
    { kind: 'deploy-model', deployedModel: NEW, reason: 'it is to replace shop-offer-3fa9c1d2e4b5', fields: [] },
    shift(0, 10, 0),
    hold(0, 600_000),
    shift(10, 50, 1),
    hold(1, 1_800_000),
    shift(50, 100, 2),
    { kind: 'promote', deployedModel: NEW, reason: 'the labels say what is applied', fields: [] },
  ],
  evidence: [
    {
      kind: 'evaluation',
      name: 'shop-offer',
      state: 'passed',
      digest: HEX,
      figure: { quantity: 'lift', estimator: 'dr', verdict: 'ok', value: 0.025361, lower: 0.014712, upper: 0.035842 },
      reason: null,
      command: 'dap evaluate shop-offer --record',
    },
    {
      kind: 'scenario',
      name: 'quiet-week',
      state: 'passed',
      digest: HEX,
      figure: { quantity: 'regret', estimator: null, verdict: null, value: 39.53, lower: 37.86, upper: 41.2 },
      reason: null,
      command: 'dap simulate quiet-week --record',
    },
  ],
  overlap: {
    machineType: 'n2-standard-2',
    minReplicas: 2,
    maxReplicas: 10,
    vcpus: 20,
    ms: 88_800_000,
    cost: { least: 4.8, most: 24 },
  },
})

export const first: DeploymentPlan = deploymentPlan('shop-offer', {
  action: 'create',
  etag: null,
  fields: [
    { field: 'policy', before: null, after: '91b0c3d4e5f6', replaces: false },
    { field: 'resources.machineType', before: null, after: 'n2-standard-2', replaces: false },
  ],
  changes: [
    { kind: 'create-endpoint', endpoint: 'dap-shop-offer-3fa9c1d2', reason: 'there is none yet', fields: [] },
    ...canary.changes.slice(0, 3).map(change => ({ ...change, reason: 'nothing is deployed yet' })),
    {
      kind: 'shift-traffic',
      from: {},
      to: { [NEW]: 100 },
      reason: 'there is nothing to compare it with',
      fields: [],
    },
    canary.changes[8],
  ],
})

export const drifted: DeploymentPlan = deploymentPlan('home-order', {
  action: 'update',
  fields: [{ field: 'resources.maxReplicas', before: '20', after: '10', replaces: false }],
  changes: [{ kind: 'mutate-model', deployedModel: NEW, reason: 'Git says otherwise', fields: [] }],
  drift: [{ field: 'resources.maxReplicas', git: '10', applied: '10', live: '20', overwrites: true }],
  blocked: [
    {
      reason: 'somebody has moved `resources.maxReplicas` since it was applied',
      hint: '`--accept-drift` sets it right',
    },
  ],
})

export const unproven: DeploymentPlan = deploymentPlan('level-picker', {
  ...canary,
  deployment: 'level-picker',
  overlap: null,
  changes: canary.changes.slice(2, 3),
  evidence: [
    { ...canary.evidence[0], state: 'stale', figure: null, reason: 'it judged another snapshot' },
    { ...canary.evidence[1], state: 'missing', digest: null, figure: null, reason: 'there is no result yet' },
  ],
  blocked: [
    { reason: 'evaluation `shop-offer`: it judged another snapshot', hint: '`dap evaluate shop-offer --record`' },
    { reason: 'scenario `quiet-week`: there is no result yet', hint: '`dap simulate quiet-week --record`' },
  ],
})

/** Of another team with the same names, and of one whose dap was older. */
export const foreign: Plan['foreign'] = [
  {
    id: 'dap-shop-offer-07e354bd',
    environment: 'prod',
    deployment: 'shop-offer',
    project: 'shop',
    owner: 's5p99qts43rwvwch',
  },
  { id: '4711', environment: 'staging', deployment: 'level-picker', project: 'games', owner: null },
]

export const orphaned: Plan['orphans'] = [
  {
    kind: 'endpoint',
    id: 'dap-old-offer-aa11bb22',
    deployment: 'old-offer',
    environment: 'prod',
    place: null,
    changes: [
      { kind: 'shift-traffic', from: { [OLD]: 100 }, to: {}, reason: 'no Deployment declares it', fields: [] },
      { kind: 'undeploy-model', deployedModel: OLD, reason: 'no Deployment declares it', fields: [] },
      { kind: 'delete-endpoint', endpoint: 'dap-old-offer-aa11bb22', reason: 'no Deployment declares it', fields: [] },
    ],
    names: { [OLD]: 'old-offer-3fa9c1d20b4e' },
    kept: null,
    etag: 'AMEw9yN1',
  },
  {
    kind: 'model',
    id: 'dap-older-offer-bb22cc33',
    deployment: 'older-offer',
    environment: 'staging',
    place: null,
    changes: [],
    names: {},
    kept: '`--prune` deletes it',
    etag: null,
  },
]
