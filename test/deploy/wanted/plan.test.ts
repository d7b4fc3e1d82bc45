import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cloud } from '../../../src/deploy/routes.ts'
import type { Actual, ActualDeployment } from '../../../src/deploy/wanted/actual.ts'
import { actualFrom, readActual, withReleases } from '../../../src/deploy/wanted/actual.ts'
import { comparePlans, planHasExpired } from '../../../src/deploy/wanted/compare-plans.ts'
import type { Desired } from '../../../src/deploy/wanted/desired.ts'
import type { Declarations } from '../../../src/deploy/wanted/orphans.ts'
import {
  type EvidenceState,
  makePlan,
  PLAN_LIFETIME,
  type Plan,
  type PlanInputs,
  planDigest,
} from '../../../src/deploy/wanted/plan.ts'
import { planFile, readPlan } from '../../../src/deploy/wanted/plan-file.ts'
import { apply, CONTEXT, NOTHING, NOW, printed, TARGET, wanted } from '../support.ts'

const FIRST = wanted()
const SECOND = wanted({ policy: 'second' })
const LIVE = apply(FIRST, NOTHING)

const cloudOf = ({ endpoint, releases }: ActualDeployment, { here }: Declarations): Actual =>
  actualFrom({ endpoints: endpoint ? [endpoint] : [], releases, bundles: [], places: [] }, TARGET, here)

/** As far as a plan of one environment has to know. */
const declaring = (...names: readonly string[]): Declarations => ({
  here: names.map(deployment => ({ deployment, before: [] })),
  everywhere: new Set(names.map(deployment => `prod/${deployment}`)),
  environments: new Set(['prod']),
})

function plan(desired: Desired | null, actual: ActualDeployment, change: Partial<PlanInputs> = {}): Plan {
  const declared = change.declared ?? declaring(...(desired ? [desired.deployment] : []))
  return makePlan({
    dap: '1.0.0',
    now: NOW,
    commit: CONTEXT.commit,
    target: TARGET,
    only: null,
    acceptDrift: false,
    prune: false,
    releaseHold: false,
    overrideProtection: [],
    deployments: desired ? [{ desired, evidence: [] }] : [],
    declared,
    actual: cloudOf(actual, declared),
    behind: [],
    notes: [],
    origin: null,
    ...change,
  })
}

const evidence = (change: Partial<EvidenceState> = {}): EvidenceState => ({
  kind: 'scenario',
  name: 'quiet-week',
  state: 'passed',
  digest: 'sha256:e1',
  figure: null,
  reason: null,
  command: 'dap simulate quiet-week --record',
  ...change,
})
const withEvidence = (state: EvidenceState) => ({ deployments: [{ desired: SECOND, evidence: [state] }] })

describe('a plan', () => {
  it('is the same for the same inputs, but for its header', () => {
    const [a, b] = [plan(SECOND, LIVE), plan(SECOND, LIVE, { now: NOW + 1, commit: null, dap: '2.0.0' })]
    expect(b.digest).toBe(a.digest)
    expect(plan(FIRST, LIVE).digest).not.toBe(a.digest)
    expect(a.header).toEqual({
      dap: '1.0.0',
      created: '2026-11-23T12:00:00.000Z',
      expires: '2026-11-30T12:00:00.000Z',
      commit: CONTEXT.commit,
    })
  })

  it('says what a second version costs while both are up', () => {
    expect(plan(SECOND, LIVE).deployments[0].overlap).toMatchObject({ vcpus: 20 })
    expect(plan(FIRST, NOTHING).deployments[0].overlap).toBeNull()
    expect(plan(FIRST, LIVE).deployments[0].overlap).toBeNull()
  })

  it('is blocked by drift until that is accepted, and not where nothing is to be done', () => {
    const renamed = { ...LIVE, endpoint: { ...LIVE.endpoint!, displayName: 'renamed' } }
    expect(plan(FIRST, renamed).deployments[0].blocked).toEqual([
      {
        reason: 'somebody else has changed displayName',
        hint: '`--accept-drift` sets it right; or write it into Git',
      },
    ])
    expect(plan(FIRST, renamed, { acceptDrift: true }).deployments[0].blocked).toEqual([])
    const other = { ...LIVE.endpoint!.workloads[0], id: '77', model: 'other' }
    const idle = { ...LIVE, endpoint: { ...LIVE.endpoint!, workloads: [...LIVE.endpoint!.workloads, other] } }
    expect(plan(FIRST, idle).deployments[0]).toMatchObject({ changes: [], blocked: [] })
  })

  it('is blocked by evidence that has not passed', () => {
    const missing = evidence({ state: 'missing', digest: null, reason: 'it has not been recorded' })
    expect(plan(SECOND, LIVE, withEvidence(missing)).deployments[0].blocked).toEqual([
      { reason: 'scenario `quiet-week`: it has not been recorded', hint: '`dap simulate quiet-week --record`' },
    ])
    expect(plan(SECOND, LIVE, withEvidence(evidence())).deployments[0].blocked).toEqual([])
  })

  it('notes the lock of another run, while that has not expired', () => {
    const at = (expires: number) => {
      const lock = { run: '0123abcd', expires, owner: 'anna-laptop' }
      return { ...LIVE, endpoint: { ...LIVE.endpoint!, memory: { ...LIVE.endpoint!.memory!, lock } } }
    }
    expect(plan(FIRST, at(NOW / 1000 + 60)).deployments[0].notes).toEqual([
      'anna-laptop (run 0123abcd) is at it, until 2026-11-23T12:01:00.000Z at the latest',
    ])
    expect(plan(FIRST, at(NOW / 1000)).deployments[0].notes).toEqual([])
  })

  it('finds an endpoint that was adopted by its labels, and keeps its id', () => {
    const adopted = { ...LIVE, endpoint: { ...LIVE.endpoint!, id: 'by-hand' } }
    const [{ endpoint, desired, changes }] = plan(FIRST, adopted).deployments
    expect({ endpoint, id: desired.endpoint.id }).toEqual({ endpoint: 'by-hand', id: 'by-hand' })
    expect(changes.map(({ kind }) => kind)).toEqual(['label-model'])
  })
})

describe('orphans', () => {
  const kept = (change: Partial<PlanInputs>) => plan(null, LIVE, change).orphans[0]
  const protectedTarget = { ...TARGET, protect: ['delete'] as const }

  const idle = { ...LIVE, endpoint: { ...LIVE.endpoint!, traffic: {} } }

  it('are listed, and deleted only when asked for', () => {
    const [listed] = plan(null, idle).orphans
    expect(listed).toMatchObject({ deployment: 'shop-offer', changes: [], kept: '`--prune` deletes it' })
    expect(plan(null, idle, { prune: true }).orphans[0]).toMatchObject({ kept: null })
  })

  it('that have traffic are deleted only when they are named', () => {
    const traffic = 'it still has traffic, 100 % shop-offer-'
    expect(kept({}).kept).toMatch(new RegExp(`^${traffic}.*; \`--prune --override-protection shop-offer\` deletes it`))
    expect(kept({ prune: true })).toMatchObject({ changes: [], kept: expect.stringContaining(traffic) })
    const orphan = kept({ prune: true, overrideProtection: ['shop-offer'] })
    expect(orphan.kept).toBeNull()
    expect(printed(orphan.changes)).toMatchInlineSnapshot(`
      [
        "shift-traffic {"5221561219":100} {} (no Deployment declares it)",
        "undeploy-model 5221561219 (no Deployment declares it)",
        "delete-endpoint dap-shop-offer-ab4ca260 (no Deployment declares it)",
        "delete-model dap-shop-offer-ab4ca260 (no Deployment declares it)",
      ]
    `)
  })

  it('never lose traffic that nobody has named them for, whatever else is said', () => {
    const share = fc.constantFrom(0, 0, 1, 50, 100)
    const inputs = fc.record({
      prune: fc.boolean(),
      acceptDrift: fc.boolean(),
      releaseHold: fc.boolean(),
      overrideProtection: fc.subarray(['shop-offer', 'other', '']),
      target: fc.constantFrom(TARGET, protectedTarget, { ...TARGET, protect: ['undeploy'] as const }),
    })
    fc.assert(
      fc.property(inputs, fc.tuple(share, share), (change, [one, two]) => {
        const [{ id }] = LIVE.endpoint!.workloads
        const endpoint = { ...LIVE.endpoint!, traffic: { [id]: one, '77': two } }
        const [{ changes, kept }] = plan(null, { ...LIVE, endpoint }, change).orphans
        const named = change.overrideProtection.includes('shop-offer')
        const free = change.prune && (named || (one + two === 0 && change.target.protect.length === 0))
        expect(changes.length > 0).toBe(free)
        expect(kept === null).toBe(free)
      }),
      { seed: 3 },
    )
  })

  it('stay where the environment protects them, unless that is set aside by name', () => {
    expect(kept({ prune: true, target: protectedTarget })).toMatchObject({ changes: [] })
    expect(kept({ prune: true, target: protectedTarget }).kept).toContain('--override-protection shop-offer')
    const all = { prune: true, target: protectedTarget, overrideProtection: ['shop-offer'] }
    expect(kept(all).changes).toHaveLength(4)
  })

  it('are not what other deployments of the environment are about', () => {
    expect(plan(null, LIVE, { declared: declaring('shop-offer') }).orphans).toEqual([])
    expect(plan(null, LIVE, { only: ['other'] }).orphans).toEqual([])
  })
})

describe('a plan as a file', () => {
  const samples: [string, Plan][] = [
    ['create', plan(FIRST, NOTHING)],
    ['replace', plan(SECOND, LIVE, withEvidence(evidence({ state: 'stale', reason: 'old' })))],
    ['continue', plan(SECOND, apply(SECOND, LIVE, 5))],
    ['prune', plan(null, LIVE, { prune: true, only: ['shop-offer'] })],
  ]
  it.each(samples)('is read as it was written: %s', (_, written) => {
    expect(readPlan(JSON.parse(planFile(written)))).toEqual({ plan: written })
  })

  it('may move traffic away from a model whose id Vertex made, which is longer than those of dap', () => {
    const json = JSON.parse(planFile(samples[1][1]))
    const from = { '5967622103527981056': 100 }
    json.deployments[0].changes = json.deployments[0].changes.map((each: { readonly kind: string }) =>
      each.kind === 'shift-traffic' ? { ...each, from } : each,
    )
    json.digest = planDigest(json)
    expect(json.deployments[0].changes).toContainEqual(expect.objectContaining({ from }))
    expect(readPlan(json)).toEqual({ plan: json })
  })

  it('that was edited, or is none, is refused with what is wrong', () => {
    const json = () => JSON.parse(planFile(samples[1][1]))
    const edited = json()
    edited.deployments[0].blocked = []
    expect(readPlan(edited)).toEqual({ faults: ['the plan is not what its digest says: it was edited'] })
    const strange = json()
    strange.deployments[0].changes[0].kind = 'format-disk'
    strange.deployments[0].extra = 1
    strange.header.expires = 'never'
    expect(readPlan(strange)).toEqual({
      faults: [
        '`header.expires` must be a time in UTC such as "2026-01-01T00:00:00.000Z"',
        expect.stringMatching(
          /^`deployments\[0\].changes\[0\].kind` must be one of "create-endpoint", .*"delete-model"$/,
        ),
        '`deployments[0].extra` is no field of this plan',
      ],
    })
    for (const value of [null, 1, [], {}, { schema: 'dap.plan/v2' }, { schema: 'dap.plan/v1' }]) {
      expect(readPlan(value)).toHaveProperty('faults')
    }
  })
})

describe('an approved plan', () => {
  const approved = plan(SECOND, LIVE, withEvidence(evidence()))
  const against = (fresh: Plan) => {
    const { equal, moved, different } = comparePlans(approved, fresh)
    return equal ? `equal, moved: ${moved.join() || 'none'}` : different[0].reason
  }

  it('holds while Git, evidence and what is left to do are the same', () => {
    expect(against(plan(SECOND, LIVE, withEvidence(evidence())))).toBe('equal, moved: none')
    const touched = { ...LIVE, endpoint: { ...LIVE.endpoint!, version: '99' } }
    expect(against(plan(SECOND, touched, withEvidence(evidence())))).toBe('equal, moved: shop-offer')
    for (const most of [1, 3, 4, 5, 20]) {
      expect(against(plan(SECOND, apply(SECOND, LIVE, most), withEvidence(evidence())))).toMatch(/^equal/)
    }
  })

  it('does not hold for anything else', () => {
    expect(against(plan(wanted({ policy: 'third' }), LIVE))).toBe('Git says something else than when the plan was made')
    expect(against(plan(SECOND, LIVE, withEvidence(evidence({ digest: 'sha256:e2' }))))).toBe(
      'its evidence is another than that of the plan',
    )
    const stale = evidence({ state: 'stale', reason: 'it is older than 7d' })
    expect(against(plan(SECOND, LIVE, withEvidence(stale)))).toBe('scenario `quiet-week`: it is older than 7d')
    expect(against(plan(SECOND, NOTHING, withEvidence(evidence())))).toMatch(/was not in the plan$/)
    const elsewhere = { ...TARGET, place: { ...TARGET.place, region: 'us-central1' } }
    expect(against(plan(SECOND, LIVE, { ...withEvidence(evidence()), target: elsewhere }))).toBe(
      'the environment is in another place now',
    )
    expect(against(plan(null, LIVE, { declared: declaring('shop-offer') }))).toBe('Git no longer has it')
    const pruned = plan(null, LIVE, { prune: true, overrideProtection: ['shop-offer'] })
    expect(comparePlans(plan(null, LIVE, { prune: true }), pruned).equal).toBe(false)
  })

  it('expires', () => {
    expect(planHasExpired(approved, NOW + PLAN_LIFETIME - 1)).toBe(false)
    expect(planHasExpired(approved, NOW + PLAN_LIFETIME)).toBe(true)
  })
})

describe('what the cloud has', () => {
  const calls: string[] = []
  const cloud = {
    listRoutes: async () => {
      calls.push('endpoints')
      const { memory } = LIVE.endpoint!
      return [LIVE.endpoint!, { ...LIVE.endpoint!, id: 'theirs', memory: { ...memory!, owner: '0'.repeat(16) } }]
    },
    listReleases: async () => {
      calls.push('models')
      return LIVE.releases
    },
    listArtefacts: async (prefix: string) => {
      calls.push(prefix)
      return prefix === 'dap/bundles/' ? [FIRST.bundle.object] : []
    },
    releasesOf: async (model: string) => {
      calls.push(model)
      return apply(SECOND, LIVE, 2).releases
    },
  } as unknown as Cloud

  it('is read with four calls, and one more for a model that is about to change', async () => {
    const actual = await readActual(cloud, TARGET, declaring('shop-offer').here)
    expect(calls).toEqual(['endpoints', 'models', 'dap/bundles/', 'dap/places/q7m2vx4t9kd3hs8w/prod/'])
    expect(actual.endpoints.map(({ id }) => id)).toEqual([FIRST.endpoint.id])
    expect(await withReleases(cloud, actual, [FIRST])).toEqual(actual)
    expect(calls).toHaveLength(4)
    expect((await withReleases(cloud, actual, [SECOND])).releases).toHaveLength(2)
    expect(calls.slice(4)).toEqual([SECOND.model.id])
  })
})
