import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rollbackWrite } from '../../../src/deploy/doing/writes.ts'
import { identityOf, type Memory } from '../../../src/deploy/memory.ts'
import type { Route, Traffic } from '../../../src/deploy/routes.ts'
import type { ActualDeployment } from '../../../src/deploy/wanted/actual.ts'
import type { Desired } from '../../../src/deploy/wanted/desired.ts'
import { diffDeployment } from '../../../src/deploy/wanted/diff.ts'
import { recalled } from '../../../src/deploy/wanted/ownership.ts'
import { nonZero } from '../../../src/deploy/wanted/roles.ts'
import { flippedBack, perform, undeployed } from '../../support/pure-cloud.ts'
import { apply, CONTEXT, NOTHING, NOW, printed, SPEC, TARGET, wanted } from '../support.ts'

const STEPS = [
  SPEC.rollout.steps,
  [{ traffic: 1 }],
  [{ traffic: 0.2 }, { traffic: 1, hold: '5m' }],
  [
    { traffic: 0.1, hold: '1m' },
    { traffic: 1, hold: '1m' },
  ],
]

const desiredStates: fc.Arbitrary<Desired> = fc
  .record({
    policy: fc.constantFrom('first', 'second', 'third'),
    minReplicas: fc.constantFrom(1, 2),
    machineType: fc.constantFrom('n2-standard-2', 'n2-standard-4'),
    steps: fc.constantFrom(...STEPS),
    description: fc.constantFrom(undefined, 'Offers of the shop'),
  })
  .map(({ policy, minReplicas, machineType, steps, description }) =>
    wanted({
      policy,
      description,
      resources: { ...SPEC.resources, machineType, minReplicas },
      rollout: { ...SPEC.rollout, steps },
    }),
  )

/** Something that happened: a deploy that got so far, a rollback, or somebody in the console. */
type Event =
  | { readonly type: 'deploy'; readonly desired: Desired; readonly most: number }
  | { readonly type: 'rollback' }
  | { readonly type: 'traffic'; readonly percent: number }
  | { readonly type: 'undeploy' }
  | { readonly type: 'foreign' }
  | { readonly type: 'rename' }
  | { readonly type: 'wipe' }
  | { readonly type: 'name'; readonly naming: Partial<Memory> }
  | { readonly type: 'forget'; readonly fact: keyof Memory }

const facts = ['stable', 'candidate', 'previous', 'traffic', 'step', 'digest', 'project', 'scale'] as const

const events: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('deploy' as const), desired: desiredStates, most: fc.nat(14) }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'rollback' as const }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('traffic' as const), percent: fc.nat(100) }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ type: 'undeploy' }, { type: 'foreign' }, { type: 'rename' }) as fc.Arbitrary<Event>,
  },
  { weight: 1, arbitrary: fc.constant({ type: 'wipe' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('name' as const),
      naming: fc.constantFrom<Partial<Memory>>(
        { owner: undefined },
        { project: 'casino' },
        { environment: 'staging', deployment: 'old-offer' },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('forget' as const), fact: fc.constantFrom(...facts) }) },
)

const IDENTITY = { deployment: 'shop-offer' }

function happen(actual: ActualDeployment, event: Event): ActualDeployment {
  if (event.type === 'deploy') return apply(event.desired, actual, event.most)
  const { endpoint } = actual
  if (endpoint === undefined) return actual
  const models = endpoint.workloads
  switch (event.type) {
    case 'rollback': {
      const write = rollbackWrite(endpoint, actual.releases)
      return write ? flippedBack(actual, write) : actual
    }
    case 'traffic': {
      if (models.length < 2) return actual
      const traffic: Traffic = { [models[0].id]: event.percent, [models[1].id]: 100 - event.percent }
      return { ...actual, endpoint: { ...endpoint, traffic } }
    }
    case 'undeploy': {
      const idle = models.find(({ id }) => !endpoint.traffic[id])
      return idle ? { ...actual, endpoint: undeployed(endpoint, idle.id) } : actual
    }
    case 'foreign': {
      if (models.length === 0 || models.some(({ shelf }) => shelf === 'other')) return actual
      const foreign = { ...models[0], id: '77', displayName: 'by hand', shelf: 'other' }
      return { ...actual, endpoint: { ...endpoint, workloads: [...models, foreign] } }
    }
    case 'rename':
      return { ...actual, endpoint: { ...endpoint, displayName: 'renamed' } }
    case 'wipe': {
      // As `readActual` finds it.
      const bare = { ...endpoint, memory: undefined, intact: false }
      return { ...actual, endpoint: recalled(bare, actual.releases, identityOf(IDENTITY, TARGET)), lost: true }
    }
    case 'name': {
      // It was deployed under another name, or by a dap that knew no ids; Git says the one of today.
      const { memory } = endpoint
      if (memory === undefined) return actual
      return { ...actual, endpoint: { ...endpoint, memory: { ...memory, ...event.naming } } }
    }
    case 'forget': {
      const { memory } = endpoint
      // Without a name it is nobody's.
      const rest = memory && event.fact !== 'project' ? { ...memory, [event.fact]: undefined } : undefined
      return { ...actual, endpoint: { ...endpoint, memory: rest, intact: false } }
    }
  }
}

const histories = fc.array(events, { maxLength: 8 }).map(all => all.reduce(happen, NOTHING))

/** Applied change by change; after each of them the new difference is the rest of the old one. */
function stepThrough(desired: Desired, actual: ActualDeployment, releaseHold = false): ActualDeployment {
  const look = (of: ActualDeployment) => diffDeployment(desired, of, { now: NOW, releaseHold, target: TARGET })
  let state = actual
  let left = look(state)
  while (left.changes.length > 0) {
    state = perform(left.changes[0], left.desired, state, CONTEXT)
    const next = look(state)
    expect(next.changes).toEqual(left.changes.slice(1))
    left = next
  }
  return state
}

describe('a difference', () => {
  it('after its first change is the rest of it, whatever happened before', () => {
    let longest = 0
    fc.assert(
      fc.property(desiredStates, histories, fc.boolean(), fc.boolean(), (desired, history, bundle, releaseHold) => {
        let state = { ...history, bundle }
        const { held, changes } = diffDeployment(desired, state, { now: NOW, releaseHold, target: TARGET })
        longest = Math.max(longest, changes.length)
        state = stepThrough(desired, state, releaseHold)
        if (held) return
        const { traffic, workloads, memory } = state.endpoint!
        expect(nonZero(traffic)).toEqual({ [desired.deployed.id]: 100 })
        expect(workloads.find(({ id }) => id === desired.deployed.id)?.scale).toEqual(desired.scale)
        expect(memory).toMatchObject({
          ...identityOf(desired, TARGET),
          stable: desired.deployed.id,
          digest: desired.digest,
        })
        // A wipe now would lose nothing.
        const bare = { ...state.endpoint!, memory: undefined, intact: false }
        const known = recalled(bare, state.releases, identityOf(desired, TARGET))
        const { traffic: _, ...kept } = memory!
        expect(known.memory).toEqual(kept)
      }),
      { numRuns: 600, seed: 7 },
    )
    expect(longest).toBeGreaterThan(9)
  })
})

const FIRST = wanted()
const LIVE = { ...apply(FIRST, NOTHING), bundle: false }

const diff = (desired: Desired, actual: ActualDeployment, releaseHold = false) =>
  diffDeployment(desired, actual, { now: NOW, releaseHold, target: TARGET })
const lines = (desired: Desired, actual: ActualDeployment) => printed(diff(desired, actual).changes)
const only = (actual: ActualDeployment, change: Partial<Route>): ActualDeployment => ({
  ...actual,
  endpoint: { ...actual.endpoint!, ...change },
})

describe('the changes of a deployment', () => {
  it('that is new make everything, and give it all traffic at once', () => {
    const { action, fields } = diff(FIRST, NOTHING)
    expect(action).toBe('create')
    expect(fields.map(({ field, after }) => `${field} ${after}`)).toMatchInlineSnapshot(`
      [
        "policy de5f2cbf4c10",
        "image 555555555555",
        "resources.machineType n2-standard-2",
        "resources.minReplicas 2",
        "resources.maxReplicas 10",
        "resources.targetCpu 0.6",
      ]
    `)
    expect(lines(FIRST, NOTHING)).toMatchInlineSnapshot(`
      [
        "create-endpoint dap-shop-offer-ab4ca260 (there is none yet)",
        "upload-bundle dap/bundles/shop-offer-9785e9bb98a2/bundle.json (the bucket does not have it)",
        "upload-model dap-shop-offer-ab4ca260 4a91e5d3bb3dd5adb3d41fac79c1534c (no version has this content)",
        "deploy-model 5221561219; policy null → de5f2cbf4c10; image null → 555555555555; resources.machineType null → n2-standard-2 (nothing is deployed yet)",
        "shift-traffic {} {"5221561219":100} (there is nothing to compare it with)",
        "promote 5221561219 (it is recorded as applied)",
      ]
    `)
  })

  it('that runs as Git says are none, and stay none', () => {
    expect(diff(FIRST, LIVE)).toEqual({
      desired: FIRST,
      action: 'none',
      fields: [],
      changes: [],
      drift: [],
      notes: [],
      blocked: [],
      held: false,
    })
  })

  it('of another policy go step by step, and name what is replaced', () => {
    const { action, fields } = diff(wanted({ policy: 'second' }), LIVE)
    expect({ action, fields }).toMatchInlineSnapshot(`
      {
        "action": "replace",
        "fields": [
          {
            "after": "38e452b56a63",
            "before": "de5f2cbf4c10",
            "field": "policy",
            "replaces": true,
          },
        ],
      }
    `)
    expect(lines(wanted({ policy: 'second' }), LIVE)).toMatchInlineSnapshot(`
      [
        "upload-bundle dap/bundles/shop-offer-f7d6a3bd22d3/bundle.json (the bucket does not have it)",
        "upload-model dap-shop-offer-ab4ca260 20f1aaac14ca786ccad539619b6151c8 (no version has this content)",
        "deploy-model 7294585009; policy de5f2cbf4c10 → 38e452b56a63 (it is to replace shop-offer-722318d661d6)",
        "shift-traffic {"5221561219":100} {"5221561219":90,"7294585009":10} 0 (step 1 of 3)",
        "hold 0 600000 (its gates are watched)",
        "shift-traffic {"5221561219":90,"7294585009":10} {"5221561219":50,"7294585009":50} 1 (step 2 of 3)",
        "hold 1 1800000 (its gates are watched)",
        "shift-traffic {"5221561219":50,"7294585009":50} {"7294585009":100} 2 (step 3 of 3)",
        "promote 7294585009 (it is recorded as applied)",
      ]
    `)
  })

  it('of the same content on another machine upload nothing', () => {
    const desired = wanted({ resources: { ...SPEC.resources, machineType: 'n2-standard-4' } })
    expect(diff(desired, LIVE).fields.map(({ field }) => field)).toEqual(['resources.machineType'])
    expect(lines(desired, LIVE).map(line => line.split(' ')[0])).toEqual([
      'deploy-model',
      'shift-traffic',
      'hold',
      'shift-traffic',
      'hold',
      'shift-traffic',
      'promote',
    ])
  })

  it('of scale and description are made in place', () => {
    const desired = wanted({ description: 'Offers', resources: { ...SPEC.resources, minReplicas: 3, targetCpu: 0.5 } })
    expect(diff(desired, LIVE).action).toBe('update')
    expect(lines(desired, LIVE)).toMatchInlineSnapshot(`
      [
        "update-endpoint dap-shop-offer-ab4ca260; description Managed by dap: deployment shop-offer of games, environment prod. → Managed by dap: deployment shop-offer of games, environment prod. Offers (Git says otherwise)",
        "mutate-model 5221561219; resources.minReplicas 2 → 3; resources.targetCpu 0.6 → 0.5 (Git says otherwise)",
        "promote 5221561219 (it is recorded as applied)",
      ]
    `)
  })

  it('of a rollout under way are the rest of it', () => {
    const second = wanted({ policy: 'second' })
    const holding = apply(second, LIVE, 4)
    expect(diff(second, holding).action).toBe('continue')
    expect(lines(second, holding)).toMatchInlineSnapshot(`
      [
        "hold 0 600000 (its gates are watched)",
        "shift-traffic {"5221561219":90,"7294585009":10} {"5221561219":50,"7294585009":50} 1 (step 2 of 3)",
        "hold 1 1800000 (its gates are watched)",
        "shift-traffic {"5221561219":50,"7294585009":50} {"7294585009":100} 2 (step 3 of 3)",
        "promote 7294585009 (it is recorded as applied)",
      ]
    `)
  })

  it('of a rollout that Git no longer wants give the traffic back', () => {
    const holding = apply(wanted({ policy: 'second' }), LIVE, 4)
    expect(lines(FIRST, holding)).toMatchInlineSnapshot(`
      [
        "shift-traffic {"5221561219":90,"7294585009":10} {"5221561219":100} (traffic is not where it should be)",
        "undeploy-model 7294585009 (Git no longer asks for it)",
        "promote 5221561219 (it is recorded as applied)",
      ]
    `)
    expect(apply(FIRST, holding).endpoint!.workloads.map(({ id }) => id)).toEqual([FIRST.deployed.id])
  })

  it('of a third version make room first: two at a time are deployed', () => {
    const second = apply(wanted({ policy: 'second' }), LIVE)
    const third = wanted({ policy: 'third' })
    const states = Array.from({ length: 20 }, (_, most) => apply(third, second, most))
    const most = Math.max(...states.map(({ endpoint }) => endpoint!.workloads.length))
    expect(most).toBe(2)
    expect(diff(third, states[19]).changes).toEqual([])
  })

  it('take away what nothing needs in the order of ids', () => {
    const [model] = LIVE.endpoint!.workloads
    const crowded = only(LIVE, { workloads: [{ ...model, id: '10' }, model, { ...model, id: '9' }] })
    expect(lines(wanted({ policy: 'second' }), crowded).filter(line => line.startsWith('undeploy-model'))).toEqual([
      'undeploy-model 9 (two versions at a time are enough)',
      'undeploy-model 10 (two versions at a time are enough)',
    ])
  })

  it('where a step of a rollout is still remembered forget it', () => {
    const step = { index: 0, since: 1795400000, state: 'passed' } as const
    const memory = { ...LIVE.endpoint!.memory!, step }
    expect(lines(FIRST, only(LIVE, { memory }))).toEqual([`promote ${FIRST.deployed.id} (it is recorded as applied)`])
  })

  it('back to what is still warm deploy nothing', () => {
    const second = apply(wanted({ policy: 'second' }), LIVE)
    const kinds = diff(FIRST, second).changes.map(({ kind }) => kind)
    expect(kinds).toEqual(['shift-traffic', 'hold', 'shift-traffic', 'hold', 'shift-traffic', 'promote'])
  })

  it('are none for what was rolled back, until its hold is released', () => {
    const second = wanted({ policy: 'second' })
    const bad = apply(second, LIVE)
    const back = flippedBack(bad, rollbackWrite(bad.endpoint!, bad.releases)!)
    expect(back.endpoint!.traffic).toEqual({ [FIRST.deployed.id]: 100 })
    const held = diff(second, back)
    expect(held).toMatchObject({ held: true, action: 'none', changes: [] })
    const [release] = diff(second, back, true).changes
    expect(release.kind).toBe('release-hold')
    const released = perform(release, second, back, CONTEXT)
    expect(diff(second, released)).toMatchObject({ held: false, action: 'replace' })
    expect(diff(wanted({ policy: 'third' }), back).held).toBe(false)
  })

  it('cannot turn a shared endpoint into a dedicated one', () => {
    const { blocked } = diff(wanted({ endpoint: { type: 'shared' } }), LIVE)
    expect(blocked).toMatchInlineSnapshot(`
      [
        {
          "hint": "rename the deployment, or \`dap destroy shop-offer\` and deploy it anew",
          "reason": "the endpoint is dedicated, which cannot become shared",
        },
      ]
    `)
  })

  it('leave the old version warm, and say until when', () => {
    const second = wanted({ policy: 'second' })
    const { changes, notes } = diff(second, apply(second, LIVE))
    expect(changes).toEqual([])
    expect(notes).toEqual([
      `the old version ${FIRST.deployed.displayName} is warm until 2026-11-24T12:00:00.000Z; then \`dap gc\` removes it`,
    ])
  })
})

describe('drift', () => {
  const { id, displayName: name } = FIRST.deployed
  const models = LIVE.endpoint!.workloads
  const by = (change: Partial<Route>, desired = FIRST) => {
    const { drift, changes } = diff(desired, only(LIVE, change))
    return [
      ...drift.map(({ field, git, applied, live }) => `${field}: ${git} | ${applied} | ${live}`),
      ...changes.map(({ kind }) => kind),
    ]
  }
  const other = { ...models[0], id: '77', displayName: 'by hand', shelf: 'other' }
  const scaled = (minReplicas: number) => [{ ...models[0], scale: { ...models[0].scale, minReplicas } }]

  it('is what is neither what was applied nor what Git says, and the changes set it right', () => {
    expect(by({ displayName: 'renamed' })).toEqual([
      'displayName: shop-offer | shop-offer | renamed',
      'update-endpoint',
      'promote',
    ])
    expect(by({ workloads: scaled(7) })).toEqual(['resources.minReplicas: 2 | 2 | 7', 'mutate-model', 'promote'])
    expect(by({ workloads: [...models, other], traffic: { [id]: 70, 77: 30 } })).toEqual([
      `traffic: 100 % ${name} | 100 % ${name} | 70 % ${name}, 30 % by hand`,
      'deployedModels: null | null | by hand',
      'shift-traffic',
    ])
  })

  it('is a model that somebody else has deployed, which stays', () => {
    expect(by({ workloads: [...models, other] })).toEqual(['deployedModels: null | null | by hand'])
  })

  it('is a model that is gone, which comes again', () => {
    expect(by({ workloads: [], traffic: {} }).slice(-3)).toEqual(['deploy-model', 'shift-traffic', 'promote'])
  })

  it('is nothing where somebody did what Git says, or Git alone has changed', () => {
    const three = wanted({ resources: { ...SPEC.resources, minReplicas: 3 } })
    expect(by({ workloads: scaled(3) }, three)).toEqual(['promote'])
    expect(by({}, three)).toEqual(['mutate-model', 'promote'])
    expect(by({ workloads: scaled(4) }, three)[0]).toBe('resources.minReplicas: 3 | 2 | 4')
  })

  it('is not claimed where nothing says what was applied', () => {
    const { project, environment, deployment } = LIVE.endpoint!.memory!
    expect(by({ memory: { project, environment, deployment }, displayName: 'renamed', workloads: scaled(7) })).toEqual([
      'label-endpoint',
      'update-endpoint',
      'mutate-model',
      'promote',
    ])
  })

  it('is not autoscaling between the fewest and the most replicas', () => {
    expect(by({ workloads: [{ ...models[0], available: 9 }] })).toEqual([])
  })

  it('of the traffic of a rollout sets it back to its step', () => {
    const second = wanted({ policy: 'second' })
    const holding = apply(second, LIVE, 4)
    const moved = only(holding, { traffic: { [FIRST.deployed.id]: 40, [second.deployed.id]: 60 } })
    const { drift, changes } = diff(second, moved)
    expect(drift.map(({ field }) => field)).toEqual(['traffic'])
    expect(changes[0]).toMatchObject({ kind: 'shift-traffic', step: 0, to: { [second.deployed.id]: 10 } })
    expect(changes[1]).toMatchObject({ kind: 'hold', step: 0 })
  })

  it('of the traffic of a step that has passed makes it pass again', () => {
    const second = wanted({ policy: 'second' })
    const passed = apply(second, LIVE, 5)
    expect(diff(second, passed).changes[0]).toMatchObject({ kind: 'shift-traffic', step: 1 })
    const moved = only(passed, { traffic: { [FIRST.deployed.id]: 40, [second.deployed.id]: 60 } })
    expect(diff(second, moved).changes.slice(0, 2)).toMatchObject([
      { kind: 'shift-traffic', step: 0 },
      { kind: 'hold', step: 0 },
    ])
    stepThrough(second, moved)
  })

  it('of a stable version that is gone, while the one before serves, is rolled out again step by step', () => {
    const second = wanted({ policy: 'second' })
    const { endpoint, ...after } = apply(second, LIVE)
    const served = { ...endpoint!, traffic: { [FIRST.deployed.id]: 100 } }
    const gone = { ...after, endpoint: undeployed(served, second.deployed.id) }
    expect(diff(second, gone).changes.map(({ kind }) => kind)).toEqual([
      'deploy-model',
      'shift-traffic',
      'hold',
      'shift-traffic',
      'hold',
      'shift-traffic',
      'promote',
    ])
    stepThrough(second, gone)
  })
})
