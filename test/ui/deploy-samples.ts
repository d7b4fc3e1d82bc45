import type { DeployEvent, GateReading } from '../../src/deploy/doing/events.ts'
import { NEW, OLD } from './plan-samples.ts'

type Said<E = DeployEvent> = E extends DeployEvent ? Omit<E, 'type' | 'deployment'> : never

export const say = (event: Said, deployment = 'shop-offer') => ({ type: 'deploy', deployment, ...event }) as DeployEvent

const TITLES = [
  'deploy shop-offer-91b0c3d4e5f6 without traffic',
  'move 10 % of traffic to shop-offer-91b0c3d4e5f6',
  'hold 10m',
  'move all traffic to shop-offer-91b0c3d4e5f6',
  'promote shop-offer-91b0c3d4e5f6',
]
const KINDS = ['deploy-model', 'shift-traffic', 'hold', 'shift-traffic', 'promote'] as const

const names = { [OLD]: 'shop-offer-3fa9c1d2e4b5', [NEW]: 'shop-offer-91b0c3d4e5f6' }

export const planned: Said = {
  event: 'planned',
  changes: TITLES.map((title, i) => ({ kind: KINDS[i], title })),
}

export const start = (change: number): Said => ({
  event: 'started',
  change,
  kind: KINDS[change],
  title: TITLES[change],
})

export const gates = (requests: number): readonly GateReading[] => [
  {
    metric: 'errorRate',
    outcome: requests > 1000 ? 'pass' : 'inconclusive',
    requests,
    share: requests === 0 ? null : 0.003,
    allowed: 0.01,
  },
  { metric: 'latencyP99', outcome: 'inconclusive', requests, share: requests === 0 ? null : 0.009, allowed: 0.01 },
]

/** A canary from its plan to its end. */
const told: readonly Said[] = [
  planned,
  { event: 'locked', run: '9f3a0b1c', until: 0 },
  start(0),
  {
    event: 'operation',
    change: 0,
    operation: 'projects/1/locations/europe-west1/endpoints/dap-shop-offer-3fa9c1d2/operations/1000',
  },
  { event: 'stage', change: 0, stage: 'ADDING_NODES_TO_CLUSTER' },
  { event: 'retry', call: 'getOperation', attempt: 2, reason: 'UNAVAILABLE' },
  { event: 'stage', change: 0, stage: 'STARTING_MODEL_SERVER' },
  { event: 'done', change: 0 },
  start(1),
  { event: 'traffic', traffic: { [OLD]: 90, [NEW]: 10 }, names },
  { event: 'done', change: 1 },
  start(2),
  { event: 'gates', step: 0, leftMs: 600_000, gates: gates(0) },
  { event: 'gates', step: 0, leftMs: 300_000, gates: gates(640) },
  { event: 'gates', step: 0, leftMs: 0, gates: gates(1204) },
  { event: 'done', change: 2 },
  start(3),
  { event: 'traffic', traffic: { [NEW]: 100 }, names },
  { event: 'done', change: 3 },
  start(4),
  { event: 'note', text: 'the old version is warm until 2026-12-02T12:00:00.000Z' },
  { event: 'done', change: 4 },
  { event: 'finished', state: 'applied', reason: null },
]

export const canaryEvents: readonly DeployEvent[] = told.map(event => say(event))
