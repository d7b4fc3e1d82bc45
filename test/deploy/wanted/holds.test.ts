import { describe, expect, it } from 'vitest'
import { garbageOf, rollbackOf } from '../../../src/deploy/operating/operate.ts'
import { judgedDigest, partsOf } from '../../../src/deploy/parts.ts'
import type { ActualDeployment } from '../../../src/deploy/wanted/actual.ts'
import type { Desired } from '../../../src/deploy/wanted/desired.ts'
import { diffDeployment } from '../../../src/deploy/wanted/diff.ts'
import { isOnHold, withHold } from '../../../src/deploy/wanted/holds.ts'
import { recalled } from '../../../src/deploy/wanted/ownership.ts'
import { flippedBack, perform, undeployed } from '../../support/pure-cloud.ts'
import { apply, CONTEXT, NOTHING, NOW, SPEC, TARGET, wanted } from '../support.ts'

const GOOD = wanted()
const BAD = wanted({ policy: 'bad' })
const judged = (desired: Desired) => judgedDigest(partsOf(desired))
const diff = (desired: Desired, actual: ActualDeployment, releaseHold = false) =>
  diffDeployment(desired, actual, { now: NOW, releaseHold, target: TARGET })
const traffic = ({ endpoint }: ActualDeployment) => endpoint!.traffic
const memory = ({ endpoint }: ActualDeployment) => endpoint!.memory!

function rolledBack(actual: ActualDeployment): ActualDeployment {
  const way = rollbackOf('shop-offer', GOOD.model.id, actual)
  if (way.kind !== 'flip') throw new Error('not in one write')
  return flippedBack(actual, way.write)
}

/** As `readActual` finds it once somebody has taken away what the endpoint says. */
function wiped(actual: ActualDeployment): ActualDeployment {
  const endpoint = { ...actual.endpoint!, memory: undefined, intact: false }
  const { owner, project, environment, deployment } = memory(actual)
  return {
    ...actual,
    endpoint: recalled(endpoint, actual.releases, { owner, project, environment, deployment }),
    lost: true,
  }
}

const BACK = rolledBack(apply(BAD, apply(GOOD, NOTHING)))

describe('a hold', () => {
  /** Everything of a Deployment but what decides. */
  const UNJUDGED: [string, Parameters<typeof wanted>[0]][] = [
    ['the description', { description: 'Owned by the shop team' }],
    ['the scale', { resources: { ...SPEC.resources, maxReplicas: 20, targetCpu: 0.5 } }],
    ['the machines', { resources: { ...SPEC.resources, machineType: 'n2-standard-8' } }],
    ['the request log', { requestLog: { sample: 0.1, table: 'bq://games.logs.requests' } }],
    ['the rollout', { rollout: { ...SPEC.rollout, steps: [{ traffic: 1 }] } }],
  ]

  it.each(UNJUDGED)('outlives another edit of %s, which is made on what serves', (_, edit) => {
    const edited = wanted({ policy: 'bad', ...edit })
    const difference = diff(edited, BACK)
    expect(difference.held).toBe(true)
    expect(difference.desired).toMatchObject({ policy: { digest: partsOf(GOOD).policy }, scale: edited.scale })
    const after = apply(edited, BACK)
    const serving = after.endpoint!.workloads.find(({ id }) => traffic(after)[id] === 100)!
    expect(after.releases.find(({ id }) => id === serving.release)?.parts?.policy).toBe(partsOf(GOOD).policy)
    expect(serving).toMatchObject({ scale: edited.scale, machineType: edited.deployed.machineType })
    const { displayName, description, requestLog } = edited.endpoint
    expect(after.endpoint).toMatchObject({ displayName, description, requestLog })
    expect(diff(edited, after)).toMatchObject({ held: true, changes: [] })
    // And it is what serves when Git is reverted.
    expect(diff(wanted(edit), after).changes).toEqual([])
  })

  it.each(UNJUDGED)('outlives another edit of %s after the labels were taken away', (_, edit) => {
    const edited = wanted({ policy: 'bad', ...edit })
    expect(diff(edited, wiped(BACK)).held).toBe(true)
    const after = apply(edited, wiped(BACK))
    expect(Object.keys(traffic(after))).not.toContain(BAD.deployed.id)
    expect(memory(after).hold).toBe(judged(BAD))
  })

  it('shows what serves instead by its own policy and snapshot', () => {
    const learnt = wanted({ snapshot: 'learnt' })
    const back = rolledBack(apply(BAD, apply(learnt, NOTHING)))
    const { desired, fields } = diff(wanted({ policy: 'bad', description: 'Owned by the shop team' }), back)
    const { policy, snapshot } = partsOf(learnt)
    expect(desired.policy).toEqual({ name: 'shop-offer', digest: policy, snapshot })
    expect(fields.map(({ field }) => field)).toEqual(['description'])
  })

  it('ends with another policy, another snapshot or another image, and not with what follows', () => {
    expect(diff(wanted({ policy: 'better' }), BACK).held).toBe(false)
    expect(diff(wanted({ policy: 'bad', snapshot: 'learnt' }), BACK).held).toBe(false)
    // It is for ever: what was rolled back does not come back after a good one.
    const better = apply(wanted({ policy: 'better' }), BACK)
    expect(diff(BAD, better).held).toBe(true)
    expect(diff(BAD, wiped(better)).held).toBe(true)
    // Nor after another one was rolled back, which the endpoint's labels say in its place.
    const second = rolledBack(better)
    expect(memory(second).hold).toBe(judged(wanted({ policy: 'better' })))
    for (const actual of [second, wiped(second)]) {
      expect(diff(BAD, actual).held).toBe(true)
      expect(diff(wanted({ policy: 'better' }), actual).held).toBe(true)
      expect(diff(GOOD, actual).held).toBe(false)
    }
  })

  it('stays while old releases are collected, since one that is held is none', () => {
    const { endpoint, releases } = apply(wanted({ policy: 'third' }), apply(wanted({ policy: 'better' }), BACK))
    const garbage = garbageOf(GOOD.model.id, { endpoint, releases, bundle: false }, NOW + 1e9)
    const held = releases.filter(each => each.held.whole).map(({ id }) => id)
    expect(held).toHaveLength(1)
    const deleted = garbage.flatMap(change => (change.kind === 'delete-version' ? change.version : []))
    expect(deleted).not.toContain(held[0])
    expect(deleted.length).toBeGreaterThan(0)
  })

  it('is released whole: on the endpoint and on every version that decides the same', () => {
    const [release] = diff(BAD, BACK, true).changes
    expect(release.kind).toBe('release-hold')
    const released = perform(release, BAD, BACK, CONTEXT)
    expect(memory(released).hold).toBeUndefined()
    expect(released.releases.some(each => each.held.whole)).toBe(false)
    expect(diff(BAD, released).held).toBe(false)
    expect(traffic(apply(BAD, released))).toEqual({ [BAD.deployed.id]: 100 })
  })

  it('may be about the version that is the default, and then nothing is deployed instead of what serves', () => {
    const { releases } = BACK
    const flipped = releases.map(each => ({ ...each, current: each.held.whole }))
    const { held, desired, changes } = diff(BAD, { ...BACK, releases: flipped })
    expect(held).toBe(true)
    expect(desired.policy.digest).toBe(partsOf(GOOD).policy)
    expect(changes.map(({ kind }) => kind)).toEqual(['promote'])
  })

  it('of what serves on other machines is about those: the same version stays on the old ones', () => {
    const bigger = wanted({ resources: { ...SPEC.resources, machineType: 'n2-standard-16' } })
    const back = rolledBack(apply(bigger, apply(GOOD, NOTHING)))
    expect(memory(back).hold).toBe(bigger.deployed.id)
    expect(back.releases.some(each => each.held.whole)).toBe(false)
    expect(diff(bigger, back)).toMatchObject({ held: true, changes: [] })
    const scaled = wanted({ resources: { ...SPEC.resources, machineType: 'n2-standard-16', minReplicas: 5 } })
    const after = apply(scaled, back)
    expect(traffic(after)).toEqual({ [GOOD.deployed.id]: 100 })
    expect(after.endpoint!.workloads.find(({ id }) => id === GOOD.deployed.id)?.scale).toEqual(scaled.scale)
    expect(diff(wanted({ resources: { ...SPEC.resources, machineType: 'n2-standard-8' } }), back).held).toBe(false)
  })

  it('of an older dap is about the digest of all settings', () => {
    const { hold: _, ...rest } = memory(BACK)
    const older = { ...rest, hold: BAD.digest }
    const releases = BACK.releases.map(each => ({ ...each, held: withHold(each.held, false) }))
    const actual = { ...BACK, releases, endpoint: { ...BACK.endpoint!, memory: older } }
    expect(diff(BAD, actual).held).toBe(true)
    expect(diff(wanted({ policy: 'bad', description: 'Owned by the shop team' }), actual).held).toBe(false)
  })

  it('stands where every version that decides the same says so', () => {
    expect(isOnHold(undefined, BACK.releases)).toBe(true)
    expect(isOnHold(judged(BAD), BACK.releases)).toBe(true)
    expect(isOnHold(judged(GOOD), BACK.releases)).toBe(false)
    const again = BACK.releases.map(each => (each.held.whole ? { ...each, id: '9' } : each))
    const lifted = again.map(each => ({ ...each, held: withHold(each.held, false) }))
    expect(isOnHold(judged(BAD), [...BACK.releases, ...lifted])).toBe(false)
  })

  it('of a rollback that was killed while it deployed again is gone on with, and what is held never promoted', () => {
    const both = apply(BAD, apply(GOOD, NOTHING))
    const cold = { ...both, endpoint: undeployed(both.endpoint!, GOOD.deployed.id) }
    const way = rollbackOf('shop-offer', GOOD.model.id, cold)
    if (way.kind !== 'redeploy') throw new Error('in one write')
    // Killed once its version was marked, or once it was deployed again.
    const marked = {
      ...cold,
      releases: cold.releases.map(each =>
        each.digest === BAD.model.digest ? { ...each, held: withHold(each.held, true) } : each,
      ),
    }
    const [deploying] = diff(way.desired, cold).changes
    const deployed = perform(deploying, way.desired, marked, { ...CONTEXT, hold: way.hold })
    for (const [state, kinds] of [
      [marked, ['deploy-model', 'shift-traffic', 'promote']],
      [deployed, ['shift-traffic', 'promote']],
    ] as const) {
      const { held, changes } = diff(BAD, state)
      expect(held).toBe(true)
      expect(changes.map(({ kind }) => kind)).toEqual(kinds)
      const after = apply(BAD, state)
      expect(traffic(after)).toMatchObject({ [GOOD.deployed.id]: 100 })
      expect(diff(BAD, after)).toMatchObject({ held: true, changes: [] })
    }
  })
})
