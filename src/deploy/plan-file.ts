/** A plan as a file. It is approved by people and read by machines, and may come from anywhere. */

import { PLAN_SCHEMA } from '../generated/names.ts'
import { fileText } from '../policy/digest.ts'
import { isRecord, schemaText } from '../policy/snapshot-format.ts'
import { type Plan, planDigest } from './plan.ts'

export function planFile(plan: Plan): string {
  return fileText(plan)
}

/** A plan from its JSON, or what is wrong with it. Never throws. */
export function readPlan(json: unknown): { readonly plan: Plan } | { readonly faults: readonly string[] } {
  if (!isRecord(json)) return { faults: ['the plan is not an object'] }
  if (json.schema !== PLAN_SCHEMA) {
    return { faults: [`the plan's schema is ${schemaText(json.schema)}; this dap reads "${PLAN_SCHEMA}"`] }
  }
  const faults = plan(json, 'plan')
  if (faults.length > 0) return { faults }
  const read = json as unknown as Plan
  if (planDigest(read) !== read.digest) return { faults: ['the plan is not what its digest says: it was edited'] }
  return { plan: read }
}

/** What is wrong with a value at a path. */
type Shape = (value: unknown, path: string) => string[]

const fault = (path: string, what: string) => [`\`${path}\` is not ${what}`]

const text: Shape = (value, path) => (typeof value === 'string' ? [] : fault(path, 'a text'))
const flag: Shape = (value, path) => (typeof value === 'boolean' ? [] : fault(path, 'true or false'))
const number: Shape = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? [] : fault(path, 'a number')
const real: Shape = (value, path) => (Number.isFinite(value) ? [] : fault(path, 'a number'))
const date: Shape = (value, path) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value))
    ? []
    : fault(path, 'a time')
const nullable =
  (shape: Shape): Shape =>
  (value, path) =>
    value === null ? [] : shape(value, path)
const oneOf =
  (...values: readonly string[]): Shape =>
  (value, path) =>
    values.includes(value as string) ? [] : fault(path, `one of ${values.join(', ')}`)
const list =
  (shape: Shape): Shape =>
  (value, path) =>
    Array.isArray(value) ? value.flatMap((each, i) => shape(each, `${path}[${i}]`)) : fault(path, 'a list')
const optional =
  (shape: Shape): Shape =>
  (value, path) =>
    value === undefined ? [] : shape(value, path)
const map =
  (shape: Shape): Shape =>
  (value, path) =>
    isRecord(value)
      ? Object.entries(value).flatMap(([key, each]) => shape(each, `${path}.${key}`))
      : fault(path, 'a map')
/** Exactly these keys. */
const object =
  (shapes: Readonly<Record<string, Shape>>): Shape =>
  (value, path) => {
    if (!isRecord(value)) return fault(path, 'an object')
    const unknown = Object.keys(value).filter(key => !Object.hasOwn(shapes, key))
    return [
      ...unknown.map(key => `\`${path}\` has an unknown key, ${JSON.stringify(key)}`),
      ...Object.entries(shapes).flatMap(([key, shape]) => shape(value[key], `${path}.${key}`)),
    ]
  }
/** The object whose `key` is one of the cases. */
const tagged =
  (key: string, cases: Readonly<Record<string, Readonly<Record<string, Shape>>>>, common = {}): Shape =>
  (value, path) => {
    const tag = isRecord(value) ? value[key] : undefined
    if (typeof tag !== 'string' || !Object.hasOwn(cases, tag)) return fault(`${path}.${key}`, 'known to this dap')
    return object({ [key]: text, ...common, ...cases[tag] })(value, path)
  }

const change = { field: text, before: nullable(text), after: nullable(text) }
const within = object({ fields: list(object(change)), more: number })
const fields = list(object({ ...change, replaces: flag, within: optional(within) }))
const traffic = map(number)

const changes = list(
  tagged(
    'kind',
    {
      'create-endpoint': { endpoint: text },
      'update-endpoint': { endpoint: text },
      'label-endpoint': { endpoint: text },
      'label-model': { model: text, version: text },
      'release-hold': { model: text },
      'upload-bundle': { object: text },
      'upload-model': { model: text, digest: text },
      'deploy-model': { deployedModel: text },
      'mutate-model': { deployedModel: text },
      'shift-traffic': { from: traffic, to: traffic, step: optional(number) },
      hold: { step: number, holdMs: number },
      promote: { deployedModel: text },
      'undeploy-model': { deployedModel: text },
      'delete-endpoint': { endpoint: text },
      'delete-model': { model: text },
    },
    { reason: text, fields },
  ),
)

const desired = object({
  deployment: text,
  policy: object({ name: text, digest: text, snapshot: nullable(text) }),
  bundle: object({ digest: text, object: text }),
  endpoint: object({
    id: text,
    displayName: text,
    description: text,
    dedicated: flag,
    requestLog: nullable(object({ sample: number, table: text })),
  }),
  model: object({
    id: text,
    displayName: text,
    description: text,
    image: text,
    artifact: text,
    predictRoute: text,
    healthRoute: text,
    port: number,
    args: list(text),
    digest: text,
  }),
  deployed: object({ id: text, displayName: text, machineType: text, serviceAccount: nullable(text) }),
  scale: object({ minReplicas: number, maxReplicas: number, targetCpu: number }),
  rollout: object({
    steps: list(object({ percent: number, holdMs: number })),
    gates: list(tagged('metric', { errorRate: { max: number }, latencyP99: { maxMs: number } })),
    onFailure: oneOf('rollback', 'pause'),
    rollbackWindowMs: number,
  }),
  digest: text,
})

const deployment = object({
  deployment: text,
  endpoint: text,
  etag: nullable(text),
  action: oneOf('none', 'create', 'update', 'replace', 'continue'),
  held: flag,
  desired,
  fields,
  changes,
  drift: list(
    object({ field: text, git: nullable(text), applied: nullable(text), live: nullable(text), overwrites: flag }),
  ),
  evidence: list(
    object({
      kind: oneOf('evaluation', 'scenario'),
      name: text,
      state: oneOf('passed', 'failed', 'missing', 'stale'),
      digest: nullable(text),
      figure: nullable(
        object({
          quantity: oneOf('lift', 'regret'),
          estimator: nullable(text),
          verdict: nullable(oneOf('ok', 'caution')),
          value: real,
          lower: real,
          upper: real,
        }),
      ),
      reason: nullable(text),
      command: text,
    }),
  ),
  blocked: list(object({ reason: text, hint: text })),
  names: map(text),
  notes: list(text),
  overlap: nullable(
    object({
      machineType: text,
      minReplicas: number,
      maxReplicas: number,
      vcpus: nullable(number),
      ms: number,
      cost: nullable(object({ least: number, most: number })),
    }),
  ),
})

const place = object({ target: oneOf('emulator', 'vertex'), project: text, region: text, bucket: text })

const plan = object({
  schema: text,
  header: object({
    dap: text,
    created: date,
    expires: date,
    commit: nullable(object({ id: text, dirty: flag })),
  }),
  digest: text,
  environment: object({
    name: text,
    project: text,
    projectId: text,
    place,
  }),
  only: nullable(list(text)),
  acceptDrift: flag,
  prune: flag,
  releaseHold: flag,
  overrideProtection: list(text),
  deployments: list(deployment),
  orphans: list(
    object({
      kind: oneOf('endpoint', 'model'),
      id: text,
      deployment: text,
      environment: text,
      place: nullable(place),
      changes,
      names: map(text),
      kept: nullable(text),
      etag: nullable(text),
    }),
  ),
  notes: list(text),
  foreign: list(object({ id: text, environment: text, deployment: text, project: text, owner: nullable(text) })),
})
