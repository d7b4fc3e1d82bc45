import { describe, expect, it } from 'vitest'
import { pauseWrite, rollbackWrite } from '../../../src/deploy/doing/writes.ts'
import { deploymentStatus, statusOf } from '../../../src/deploy/operating/status.ts'
import type { Route } from '../../../src/deploy/routes.ts'
import type { Actual, ActualDeployment } from '../../../src/deploy/wanted/actual.ts'
import { flippedBack, written } from '../../support/pure-cloud.ts'
import { apply, NOTHING, NOW, SPEC, TARGET, wanted } from '../support.ts'

const FIRST = wanted()
const SECOND = wanted({ policy: 'second' })
const LIVE = apply(FIRST, NOTHING)
const HOLDING = apply(SECOND, LIVE, 4)
const AFTER = apply(SECOND, LIVE)

const only = (actual: ActualDeployment, change: Partial<Route>): ActualDeployment => ({
  ...actual,
  endpoint: { ...actual.endpoint!, ...change },
})
const paused = only(HOLDING, written(HOLDING.endpoint!, pauseWrite(HOLDING.endpoint!.memory!)))
const held = flippedBack(AFTER, rollbackWrite(AFTER.endpoint!, AFTER.releases)!)

it.each([
  ['never deployed', FIRST, NOTHING, 'absent: it has never been deployed'],
  ['nothing on the endpoint yet', FIRST, apply(FIRST, NOTHING, 2), 'absent: nothing of it is deployed to its endpoint'],
  ['as Git says', FIRST, LIVE, 'synced: null'],
  ['an edited policy', SECOND, LIVE, 'behind: Git has another policy'],
  [
    'more replicas',
    wanted({ resources: { ...SPEC.resources, maxReplicas: 20 } }),
    LIVE,
    'behind: Git has another resources.maxReplicas',
  ],
  ['a rollout', SECOND, HOLDING, 'rolling: its rollout is at 10 % of traffic'],
  ['a rollout that waits for somebody', SECOND, paused, 'paused: its rollout is paused at 10 % of traffic'],
  ['rolled back', SECOND, held, 'held: what Git says was rolled back'],
  ['renamed by hand', FIRST, only(LIVE, { displayName: 'x' }), 'drifted: somebody else has changed displayName'],
] as const)('the state of a deployment: %s', (_, desired, actual, expected) => {
  const { state, reason } = deploymentStatus(desired, actual, TARGET, NOW)
  expect(`${state}: ${reason}`).toBe(expected)
})

describe('a status', () => {
  it('says who is who, and what costs money without traffic', () => {
    const [model] = AFTER.endpoint!.workloads
    const others = [
      { ...model, id: '77', shelf: 'other' },
      { ...model, id: '78' },
    ]
    const actual = only(AFTER, { workloads: [...AFTER.endpoint!.workloads, ...others] })
    const live = deploymentStatus(SECOND, actual, TARGET, NOW).live
    expect(live.map(({ role, traffic, idle, warmUntil }) => [role, traffic, idle, warmUntil])).toEqual([
      ['previous', 0, true, '2026-11-24T12:00:00.000Z'],
      ['stable', 100, false, null],
      ['foreign', 0, true, null],
      ['leftover', 0, true, null],
    ])
    expect(deploymentStatus(SECOND, HOLDING, TARGET, NOW).live.map(({ role, traffic }) => [role, traffic])).toEqual([
      ['stable', 90],
      ['candidate', 10],
    ])
  })

  it('says what was applied, and who holds the lock', () => {
    const lock = { run: '0123abcd', expires: NOW / 1000 - 1, owner: 'ci' }
    const memory = { ...LIVE.endpoint!.memory!, lock }
    const actual: Actual = {
      endpoints: [only(LIVE, { memory }).endpoint!],
      releases: LIVE.releases,
      bundles: new Set(),
      lost: new Set(),
      foreign: [],
      places: [],
      found: new Map(),
    }
    const [status] = statusOf([SECOND], actual, TARGET, NOW)
    expect(status.applied).toEqual({ digest: FIRST.digest, commit: 'c'.repeat(40) })
    expect(status.git).toBe(SECOND.digest)
    expect(status.lock).toEqual({ run: '0123abcd', owner: 'ci', expires: '2026-11-23T11:59:59.000Z', expired: true })
  })
})
