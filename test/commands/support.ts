import type { VertexApi } from '../../src/adapters/vertex/api.ts'
import type { RequestMetrics } from '../../src/deploy/routes.ts'
import type { MemoryCloud } from '../support/memory-vertex.ts'
import { publishedValidator } from '../support/published.ts'
import { resource } from '../support/repository.ts'
import { deployments, type Session, type Setting } from '../support/run-dap.ts'

export const POLICY = 'policies/offer.yaml'
export const DEPLOYMENT = 'deployments/local/offer.yaml'

/** Three steps, ten minutes each but the last, without gates and evidence. */
export const ROLLOUT =
  'rollout: { steps: [{ traffic: 0.1, hold: 10m }, { traffic: 0.5, hold: 10m }, { traffic: 1 }], rollbackWindow: 24h }'

export const offer = (more = ROLLOUT, name = 'offer') =>
  resource(
    'Deployment',
    name,
    `environment: local\npolicy: offer\nresources: { minReplicas: 1, maxReplicas: 4 }\n${more}`,
  )

/** A shop with one policy and one deployment of it, before anything is deployed. */
export function shop(changed: Readonly<Record<string, string>> = {}, cloud?: MemoryCloud) {
  return deployments(
    {
      'dap.yaml': resource('Project', 'shop', 'projectId: q7m2vx4t9kd3hs8w\ndefaults: { seed: 1 }'),
      [POLICY]: resource(
        'Policy',
        'offer',
        'actions: [{ id: none }, { id: gold }]\nalgorithm:\n  learner: { type: beta }\n  exploration: { type: thompson }\nguardrails: { minProbability: 0.02 }',
      ),
      'scenarios/week.yaml': resource(
        'Scenario',
        'week',
        "world: { type: bernoulli, means: { none: 0.1, gold: 0.6 } }\npolicies: [offer, uniform]\nhorizon: 200\nreplications: 20\nexpect: [{ id: learns, expr: \"policy('offer').regret.upper < policy('uniform').regret.lower\" }]",
      ),
      'environments/local.yaml': resource('Environment', 'local', 'target: emulator'),
      [DEPLOYMENT]: offer(),
      ...changed,
    },
    cloud,
  )
}

export type Shop = ReturnType<typeof shop>

/** The same with its first version deployed. */
export async function deployedShop(changed: Readonly<Record<string, string>> = {}): Promise<Shop> {
  const made = shop(changed)
  const { code, stderr } = await made.dap('deploy --yes')
  if (code !== 0) throw new Error(stderr)
  return made
}

/** Another version, by as little as it takes. */
export function changePolicy({ read, write }: Shop): void {
  const text = read(POLICY)
  const floor = Number(/minProbability: ([\d.]+)/.exec(text)![1])
  write(POLICY, text.replace(`minProbability: ${floor}`, `minProbability: ${(floor * 1000 + 1) / 1000}`))
}

/** The one endpoint that there is. */
export async function liveEndpoint(vertex: VertexApi, deployment = 'offer') {
  const all = await vertex.listEndpoints()
  const endpoints = all.filter(({ labels }) => labels['dap-deployment'] === deployment)
  if (endpoints.length !== 1) throw new Error(`${endpoints.length} endpoints of ${deployment}`)
  return endpoints[0]
}

/** As somebody would at a console. */
export async function moveTraffic(vertex: VertexApi, traffic: Readonly<Record<string, number>>): Promise<void> {
  const { id, etag } = await liveEndpoint(vertex)
  await vertex.updateEndpoint(id, { etag, traffic })
}

/** A deploy that has come to the hold of its first step, and sleeps there until it is to `goOn` or its signal aborts. */
export async function deployInHold({ dap, cloud }: Shop, setting: Pick<Setting, 'owner' | 'signal'> = {}) {
  let goOn = () => {}
  let fallAsleep = () => {}
  const woken = new Promise<void>(resolve => {
    goOn = resolve
  })
  const asleep = new Promise<void>(resolve => {
    fallAsleep = resolve
  })
  setting.signal?.addEventListener('abort', () => goOn())
  const clock: MemoryCloud['clock'] = {
    now: cloud.clock.now,
    async sleep(ms, signal) {
      const [endpoint] = await cloud.vertex.listEndpoints()
      if (endpoint !== undefined && 'dap-step' in endpoint.labels) {
        fallAsleep()
        await woken
      }
      return cloud.clock.sleep(ms, signal)
    },
  }
  const run = dap('deploy --yes', { ...setting, cloud: { ...cloud, clock } })
  await Promise.race([asleep, run])
  return { run, goOn }
}

/** So many requests of which so many are errors, all of them fast. */
export const answered = (requests: number, errors: number): RequestMetrics => ({
  requests,
  errors,
  latency: [{ upToMs: 10, count: requests }],
})

/** The JSON that a session printed, once its schema has accepted it. */
export function jsonOf<T>({ stdout }: Pick<Session, 'stdout'>, schema: string): T {
  const json = JSON.parse(stdout)
  const validate = publishedValidator(schema)
  if (!validate(json)) throw new Error(`${schema}: ${JSON.stringify(validate.errors, null, 2)}\n${stdout}`)
  return json as T
}

/** What a person reads of a session. */
export const read = ({ code, stdout, stderr }: Session) =>
  `exit ${code}\n${stdout}${stderr === '' ? '' : `--- stderr\n${stderr}`}`
