import { describe, expect, it } from 'vitest'
import type { WriteContext } from '../../../src/deploy/doing/writes.ts'
import { adopt } from '../../../src/deploy/operating/adopt.ts'
import { destructionOf, garbageOf, rollbackOf } from '../../../src/deploy/operating/operate.ts'
import { judgedDigest, partsOf } from '../../../src/deploy/parts.ts'
import type { Route } from '../../../src/deploy/routes.ts'
import type { ActualDeployment } from '../../../src/deploy/wanted/actual.ts'
import type { Desired } from '../../../src/deploy/wanted/desired.ts'
import { diffDeployment } from '../../../src/deploy/wanted/diff.ts'
import { flippedBack, perform, undeployed } from '../../support/pure-cloud.ts'
import { apply, CONTEXT, NOTHING, NOW, printed, TARGET, wanted } from '../support.ts'

const FIRST = wanted()
const SECOND = wanted({ policy: 'second' })
const THIRD = wanted({ policy: 'third' })
const LIVE = apply(FIRST, NOTHING)
const AFTER = apply(SECOND, LIVE)
const MODEL = FIRST.model.id
const LATER = NOW + 25 * 3_600_000

const judged = (desired: Desired) => judgedDigest(partsOf(desired))
const ours = ({ endpoint }: ActualDeployment) => endpoint!.memory!

function rolledBack(actual: ActualDeployment): ActualDeployment {
  const way = rollbackOf('shop-offer', MODEL, actual)
  if (way.kind !== 'flip') throw new Error('not in one write')
  return flippedBack(actual, way.write)
}

describe('a rollback', () => {
  it('is one write while the version before is warm, and puts what it leaves on hold', () => {
    const back = rolledBack(AFTER)
    expect(back.endpoint!.traffic).toEqual({ [FIRST.deployed.id]: 100 })
    expect(ours(back)).toMatchObject({ stable: FIRST.deployed.id, digest: FIRST.digest, hold: judged(SECOND) })
    expect(diffDeployment(SECOND, back, { now: NOW, releaseHold: false, target: TARGET }).held).toBe(true)
  })

  it('leaves nothing to apply once Git is reverted', () => {
    const { changes } = diffDeployment(FIRST, rolledBack(AFTER), { now: NOW, releaseHold: false, target: TARGET })
    expect(changes).toEqual([])
  })

  it('from a rollout goes to the stable version', () => {
    const back = rolledBack(apply(SECOND, LIVE, 4))
    expect(back.endpoint!.traffic).toEqual({ [FIRST.deployed.id]: 100 })
    expect(ours(back)).toMatchObject({ stable: FIRST.deployed.id, digest: FIRST.digest, hold: judged(SECOND) })
    expect(ours(back).candidate).toBeUndefined()
    expect(diffDeployment(FIRST, back, { now: NOW, releaseHold: false, target: TARGET }).changes).toEqual([])
  })

  it('deploys the version before again once it is gone, as Git would say it, and goes on after a kill', () => {
    let state: ActualDeployment = { ...AFTER, endpoint: undeployed(AFTER.endpoint!, FIRST.deployed.id) }
    const kinds: string[] = []
    for (;;) {
      const way = rollbackOf('shop-offer', MODEL, state)
      if (way.kind !== 'redeploy') throw new Error('it turned round')
      const { desired, hold } = way
      expect(desired.deployed.id).toBe(FIRST.deployed.id)
      expect(desired.digest).toBe(FIRST.digest)
      const [change] = diffDeployment(desired, state, { now: NOW, releaseHold: false, target: TARGET }).changes
      kinds.push(change.kind)
      const context: WriteContext = { ...CONTEXT, hold }
      state = { ...perform(change, desired, state, context), bundle: false }
      if (change.kind === 'promote') break
    }
    expect(kinds).toEqual(['deploy-model', 'shift-traffic', 'promote'])
    expect(ours(state)).toMatchObject({ stable: FIRST.deployed.id, hold: judged(SECOND), digest: FIRST.digest })
    expect(diffDeployment(SECOND, state, { now: NOW, releaseHold: false, target: TARGET }).held).toBe(true)
  })

  it('of a first deploy has nowhere to go', () => {
    expect(() => rollbackOf('shop-offer', MODEL, LIVE)).toThrow('there is nothing to roll `shop-offer` back to')
    expect(() => rollbackOf('shop-offer', MODEL, apply(FIRST, NOTHING, 4))).toThrow('nothing to roll')
    expect(() => rollbackOf('shop-offer', MODEL, NOTHING)).toThrow('`shop-offer` is not deployed')
  })
})

describe('garbage', () => {
  const collect = (actual: ActualDeployment, now: number) => {
    const lists: string[][] = []
    let state = actual
    for (;;) {
      const changes = garbageOf(MODEL, state, now)
      if (lists.length > 0) expect(printed(changes)).toEqual(lists.at(-1)!.slice(1))
      lists.push(printed(changes))
      if (changes.length === 0) return { all: lists[0], state }
      state = perform(changes[0], FIRST, state, CONTEXT)
    }
  }

  it('is no version that is stable, under way or warm', () => {
    expect(garbageOf(MODEL, NOTHING, NOW)).toEqual([])
    expect(garbageOf(MODEL, LIVE, LATER)).toEqual([])
    expect(garbageOf(MODEL, AFTER, NOW)).toEqual([])
    expect(garbageOf(MODEL, apply(SECOND, LIVE, 4), LATER)).toEqual([])
  })

  it('is the old version when its rollback window is over; the model version stays for a rollback', () => {
    const { all, state } = collect(AFTER, LATER)
    expect(all).toEqual([`undeploy-model ${FIRST.deployed.id} (its rollback window is over)`])
    expect(rollbackOf('shop-offer', MODEL, state).kind).toBe('redeploy')
  })

  it('is what is older than the last rollback, and what a rollback has left', () => {
    const third = apply(THIRD, AFTER)
    expect(collect(third, NOW).all).toEqual([`delete-version ${MODEL} 1 (it is older than the last rollback)`])
    expect(collect(rolledBack(AFTER), NOW).all[0]).toBe(`undeploy-model ${SECOND.deployed.id} (nothing needs it)`)
  })

  it('is never what has traffic, or belongs to somebody else', () => {
    const [model] = LIVE.endpoint!.workloads
    const foreign = { ...model, id: '77', shelf: 'other' }
    const leftover = { ...model, id: '78' }
    const endpoint = {
      ...LIVE.endpoint!,
      workloads: [model, foreign, leftover],
      traffic: { [model.id]: 90, 78: 10 },
    }
    expect(garbageOf(MODEL, { ...LIVE, endpoint }, LATER)).toEqual([])
  })
})

describe('to destroy', () => {
  it('goes from what there is to nothing, one change at a time', () => {
    let state = AFTER
    let changes = destructionOf('shop-offer', MODEL, state, TARGET, [])
    expect(changes.map(({ kind }) => kind)).toEqual([
      'shift-traffic',
      'undeploy-model',
      'undeploy-model',
      'delete-endpoint',
      'delete-model',
    ])
    expect(changes.flatMap(change => (change.kind === 'undeploy-model' ? change.deployedModel : []))).toEqual([
      FIRST.deployed.id,
      SECOND.deployed.id,
    ])
    while (changes.length > 0) {
      state = perform(changes[0], FIRST, state, CONTEXT)
      const next = destructionOf('shop-offer', MODEL, state, TARGET, [])
      expect(next).toEqual(changes.slice(1))
      changes = next
    }
    expect(state.endpoint).toBeUndefined()
    expect(state.releases).toEqual([])
  })

  it('is refused where it is protected, and where somebody else uses the endpoint', () => {
    const target = { ...TARGET, protect: ['undeploy'] as const }
    expect(() => destructionOf('shop-offer', MODEL, LIVE, target, [])).toThrow('protect: [undeploy]')
    expect(destructionOf('shop-offer', MODEL, LIVE, target, ['shop-offer'])).toHaveLength(4)
    const [model] = LIVE.endpoint!.workloads
    const foreign = { ...model, id: '77', shelf: 'other', displayName: 'by hand' }
    const endpoint = { ...LIVE.endpoint!, workloads: [model, foreign] }
    expect(() => destructionOf('shop-offer', MODEL, { ...LIVE, endpoint }, TARGET, ['shop-offer'])).toThrow('by hand')
  })
})

describe('an adopted endpoint', () => {
  const byHand: Route = {
    id: 'by-hand',
    displayName: 'Offers (prod)',
    description: '',
    version: '1',
    memory: undefined,
    intact: false,
    raw: { team: 'shop' },
    traffic: { 77: 100 },
    workloads: [
      {
        id: '77',
        displayName: 'offers-v3',
        shelf: 'offers',
        release: '3',
        machineType: 'n2-standard-2',
        serviceAccount: null,
        scale: { minReplicas: 2, maxReplicas: 10, targetCpu: 60 },
        created: NOW,
        available: 2,
      },
    ],
    dedicated: true,
    requestLog: null,
    host: null,
  }
  const adopter = { ...TARGET, deployment: 'shop-offer', policy: 'shop-offer' }

  it('becomes a file that says what runs, as far as a Deployment can', () => {
    const { yaml, lost } = adopt(byHand, adopter, undefined)
    expect(yaml).toMatchInlineSnapshot(`
      "apiVersion: dap/v1
      kind: Deployment
      metadata:
        name: shop-offer
      spec:
        environment: prod
        policy: shop-offer
        resources:
          machineType: n2-standard-2
          minReplicas: 2
          maxReplicas: 10
          targetCpu: 0.6
        endpoint:
          type: dedicated
      "
    `)
    expect(lost).toMatchInlineSnapshot(`
      [
        "offers-v3 serves something that dap has not made: the first deploy replaces it",
        "its display name "Offers (prod)" becomes "shop-offer"",
      ]
    `)
  })

  it('is taken over step by step: what served stays until what is new has all traffic, and is warm after', () => {
    const { memory } = adopt(byHand, adopter, undefined)
    const desired = { ...FIRST, endpoint: { ...FIRST.endpoint, id: 'by-hand' } }
    const adopted = { ...NOTHING, endpoint: { ...byHand, memory, intact: true } }
    const { changes, drift, fields } = diffDeployment(desired, adopted, {
      now: NOW,
      releaseHold: false,
      target: TARGET,
    })
    expect(drift).toEqual([])
    expect(fields.map(({ field }) => field)).toEqual(['version', 'displayName', 'description'])
    expect(printed(changes)[4]).toContain('{"77":100}')
    const after = apply(desired, adopted)
    expect(after.endpoint!.memory).toMatchObject({ previous: '77' })
    expect(garbageOf(MODEL, after, LATER)[0]).toMatchObject({ kind: 'undeploy-model', deployedModel: '77' })
  })

  it('is not taken from another deployment', () => {
    expect(() => adopt(LIVE.endpoint!, { ...adopter, deployment: 'other' }, undefined)).toThrow('belongs to deployment')
    expect(adopt(LIVE.endpoint!, adopter, undefined).memory.stable).toBe(FIRST.deployed.id)
  })
})
