import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../../src/kinds.ts'
import { decisionRecord } from '../../../src/log/records/decision-record.ts'
import { type DecisionRecord, REWARD_SCHEMA, type RewardRecord } from '../../../src/log/records/records.ts'
import { decide } from '../../../src/policy/decide.ts'
import { createPolicy } from '../../../src/policy/policy.ts'
import { loadSnapshot, type Snapshot, snapshotDigest, takeSnapshot } from '../../../src/policy/snapshot.ts'
import { type ServedPolicy, sameDecider } from '../../../src/serve/deciding/policies.ts'
import { createOnlineLearner } from '../../../src/serve/rewards/online-learner.ts'
import { policySpec } from '../../policy/support.ts'

const HOUR = 3_600_000
const T0 = Date.UTC(2026, 10, 1)

interface World {
  policies: ReadonlyMap<string, ServedPolicy>
  readonly published: { readonly policy: string; readonly snapshot: Snapshot }[]
  /** What happens while a snapshot is being published. */
  meanwhile: (snapshot: Snapshot) => void
  failure: Error | undefined
  readonly learner: ReturnType<typeof createOnlineLearner>
  now(): ServedPolicy
  decision(id: string, at: number, changes?: Partial<DecisionRecord>): DecisionRecord
}

function world(
  changes: Partial<PolicySpec> = {},
  options: { publishMs?: number; maxPending?: number; migrate?: boolean } = {},
): World {
  const spec = policySpec({ reward: { name: 'purchase', type: 'number', wait: '1h', default: 0 }, ...changes })
  const first: ServedPolicy = { policy: createPolicy('shop-offer', spec, 'sha256:test'), snapshot: null }
  const self: World = {
    policies: new Map([['shop-offer', first]]),
    published: [],
    meanwhile: () => {},
    failure: undefined,
    learner: createOnlineLearner({
      source: {
        get policies() {
          return self.policies
        },
        replace: async (served, next) => {
          const { name } = served.policy
          if (sameDecider(self.policies.get(name), served)) self.policies = new Map(self.policies).set(name, next)
        },
      },
      dap: '0.2.0',
      startedAt: T0,
      publishMs: options.publishMs ?? 10 * HOUR,
      maxPending: options.maxPending,
      migrate: options.migrate,
      async publish(policy, snapshot) {
        if (self.failure !== undefined) throw self.failure
        self.published.push({ policy, snapshot })
        self.meanwhile(snapshot)
      },
    }),
    now: () => self.policies.get('shop-offer') as ServedPolicy,
    decision(id, at, over = {}) {
      const { policy, snapshot } = self.now()
      const decision = decide(policy, { decisionId: id, context: { playerId: id, level: 30, platform: 'ios' } })
      if ('faults' in decision) throw new Error('the context is wrong')
      const facts = { mode: 'online', snapshot, runtime: 'dap/0.2.0', latencyUs: 0, logProbability: 1 } as const
      return { ...decisionRecord(policy, decision, { ...facts, ts: new Date(at).toISOString() }), ...over }
    },
  }
  return self
}

const reward = (decisionId: string, value: number, at: number, changes: Partial<RewardRecord> = {}): RewardRecord => ({
  schema: REWARD_SCHEMA,
  rewardId: `${decisionId}-${value}-${at}`,
  decisionId,
  value,
  ts: new Date(at).toISOString(),
  ...changes,
})

/** What the learner has learnt, once it publishes. */
async function learnt(self: World): Promise<Snapshot['state'] | undefined> {
  await self.learner.publish()
  return self.published.at(-1)?.snapshot.state
}

/** What a policy knows that was told these rewards, a decision each, in this order. */
function toldDirectly(self: World, told: readonly (readonly [DecisionRecord, number])[]): Snapshot['state'] {
  const { name, spec, digest } = self.now().policy
  const policy = createPolicy(name, spec, digest)
  const x = new Float64Array(policy.features.dimension)
  for (const [{ context, slots }, value] of told) {
    policy.features.write(context as Parameters<typeof policy.features.write>[0], x)
    policy.learner.learn(policy.actions.indexOf(slots[0].action as string), x, value)
  }
  return takeSnapshot(policy).state
}

describe('the online learner', () => {
  it('learns a decision when its wait is over, and not before', async () => {
    const self = world()
    const record = self.decision('d1', T0)
    self.learner.decided(record)
    self.learner.rewarded(reward('d1', 2, T0 + 1000))
    await self.learner.tick(T0 + HOUR - 1)
    expect(self.learner.stats).toMatchObject({ pending: 1, learnt: 0 })
    await self.learner.tick(T0 + HOUR)
    expect(self.learner.stats).toMatchObject({ pending: 0, learnt: 1 })
    expect(await learnt(self)).toEqual(toldDirectly(self, [[record, 2]]))
  })

  it('learns the default where nothing came', async () => {
    const self = world({ reward: { name: 'purchase', type: 'number', wait: '1h', default: -1 } })
    const record = self.decision('d1', T0)
    self.learner.decided(record)
    await self.learner.tick(T0 + HOUR)
    expect(await learnt(self)).toEqual(toldDirectly(self, [[record, -1]]))
  })

  it.each([
    ['first', 3],
    ['sum', 9],
    ['mean', 3],
    ['max', 5],
  ] as const)(
    'takes the %s of several rewards, each id once, of its name alone, in time',
    async (aggregate, expected) => {
      const self = world({ reward: { name: 'purchase', type: 'number', wait: '1h', default: 0, aggregate } })
      const record = self.decision('d1', T0)
      self.learner.decided(record)
      for (const each of [
        reward('d1', 5, T0 + 2000, { name: 'purchase' }),
        reward('d1', 3, T0 + 1000),
        reward('d1', 3, T0 + 1000),
        reward('d1', 1, T0 + HOUR),
        reward('d1', 100, T0 + HOUR + 1),
        reward('d1', 100, T0 + 1, { name: 'click' }),
        reward('d1', 100, T0 + 1, { slot: 1 as 0 }),
      ])
        self.learner.rewarded(each)
      await self.learner.tick(T0 + HOUR)
      expect(await learnt(self)).toEqual(toldDirectly(self, [[record, expected]]))
      expect(self.learner.stats).toMatchObject({ late: 1, unknown: 0 })
    },
  )

  it('takes a reward that is a little earlier for one that came with its decision', async () => {
    const self = world({ reward: { name: 'purchase', type: 'number', wait: '1h', default: 0, aggregate: 'first' } })
    const record = self.decision('d1', T0)
    self.learner.decided(record)
    self.learner.rewarded(reward('d1', 7, T0, { rewardId: 'c' }))
    self.learner.rewarded(reward('d1', 3, T0 - 4000, { rewardId: 'b' }))
    self.learner.rewarded(reward('d1', 5, T0 - 5000, { rewardId: 'a' }))
    await self.learner.tick(T0 + HOUR)
    expect(await learnt(self)).toEqual(toldDirectly(self, [[record, 5]]))
  })

  it('takes one that was sent again for the earliest', async () => {
    const self = world({ reward: { name: 'purchase', type: 'number', wait: '1h', default: 0, aggregate: 'first' } })
    const record = self.decision('d1', T0)
    self.learner.decided(record)
    self.learner.rewarded(reward('d1', 3, T0 + 3000, { rewardId: 'a' }))
    self.learner.rewarded(reward('d1', 5, T0 + 2000, { rewardId: 'b' }))
    self.learner.rewarded(reward('d1', 3, T0 + 1000, { rewardId: 'a' }))
    self.learner.rewarded(reward('d1', 3, T0 + 2 * HOUR, { rewardId: 'a' }))
    await self.learner.tick(T0 + HOUR)
    expect(await learnt(self)).toEqual(toldDirectly(self, [[record, 3]]))
    expect(self.learner.stats).toMatchObject({ late: 0, learnt: 1 })
  })

  it.each([
    [
      'outside',
      [
        [1, T0, {}],
        [1000, T0, {}],
      ],
    ],
    ['outside', [[0.5, T0, { name: 'purchase' }]]],
    ['tooEarly', [[1, T0 - 5001, {}]]],
    [
      'conflicts',
      [
        [1, T0, { rewardId: 'r' }],
        [0, T0, { rewardId: 'r' }],
      ],
    ],
    ['tooEarly', [[undefined, T0 - 5001, { kind: 'activation' }]]],
  ] as const)('learns no decision that a reward came for which cannot be used: %s', async (why, rewards) => {
    const self = world({ reward: { name: 'purchase', type: 'binary', wait: '1h', default: 0 } })
    const good = self.decision('good', T0)
    for (const each of [self.decision('bad', T0), good]) self.learner.decided(each)
    for (const [value, at, changes] of rewards) {
      self.learner.rewarded(reward('bad', value as number, at, changes as Partial<RewardRecord>))
    }
    self.learner.rewarded(reward('good', 1, T0))
    self.learner.rewarded(reward('good', 1000, T0, { name: 'revenue' }))
    await self.learner.tick(T0 + HOUR)
    expect(await learnt(self)).toEqual(toldDirectly(self, [[good, 1]]))
    expect(self.learner.stats).toMatchObject({ learnt: 1, unusable: 1, [why]: 1 })
  })

  it('learns binary rewards as their maximum unless the policy says otherwise', async () => {
    const self = world({ reward: { name: 'purchase', type: 'binary', wait: '1h', default: 0 } })
    const record = self.decision('d1', T0)
    self.learner.decided(record)
    self.learner.rewarded(reward('d1', 1, T0 + 1))
    self.learner.rewarded(reward('d1', 1, T0 + 2))
    await self.learner.tick(T0 + HOUR)
    expect(await learnt(self)).toEqual(toldDirectly(self, [[record, 1]]))
  })

  it('ignores and counts rewards of decisions that it does not know, or no longer', async () => {
    const self = world()
    self.learner.rewarded(reward('d1', 1, T0))
    self.learner.decided(self.decision('d1', T0))
    await self.learner.tick(T0 + HOUR)
    self.learner.rewarded(reward('d1', 1, T0 + 5))
    expect(self.learner.stats).toMatchObject({ unknown: 2, learnt: 1 })
  })

  it('learns only what the policy chose itself, and each id once', async () => {
    const self = world()
    for (const by of ['holdout', 'fallback', 'override'] as const) {
      self.learner.decided(self.decision(by, T0, { served: { by } }))
    }
    self.learner.decided(self.decision('d1', T0))
    self.learner.decided(self.decision('d1', T0 + 1))
    await self.learner.tick(T0 + 2 * HOUR)
    expect(self.learner.stats).toMatchObject({ learnt: 1, pending: 0 })
  })

  it('learns a deferred decision only when it was activated', async () => {
    const self = world()
    const deferred = { served: { by: 'policy', activation: 'pending' } } as const
    const shown = self.decision('shown', T0, deferred)
    self.learner.decided(shown)
    self.learner.decided(self.decision('unseen', T0, deferred))
    self.learner.rewarded({ ...reward('shown', 0, T0 + 1), value: undefined, kind: 'activation' })
    await self.learner.tick(T0 + HOUR)
    expect(self.learner.stats).toMatchObject({ learnt: 1, inactive: 1, pending: 0 })
    expect(await learnt(self)).toEqual(toldDirectly(self, [[shown, 0]]))
  })

  it('lets no more decisions wait than it may, and counts the others', async () => {
    const self = world({}, { maxPending: 2 })
    for (let i = 0; i < 5; i++) self.learner.decided(self.decision(`d${i}`, T0))
    expect(self.learner.stats).toMatchObject({ pending: 2, overflown: 3 })
    await self.learner.tick(T0 + HOUR)
    self.learner.decided(self.decision('d9', T0 + HOUR))
    expect(self.learner.stats).toMatchObject({ pending: 1, learnt: 2 })
  })

  it('counts a reward that its learner cannot take', async () => {
    const self = world({
      algorithm: {
        learner: { type: 'beta', prior: { alpha: 1, beta: 1 } },
        exploration: { type: 'thompson', scale: 1 },
      },
    })
    self.learner.decided(self.decision('d1', T0))
    self.learner.rewarded(reward('d1', 7, T0 + 1))
    await self.learner.tick(T0 + HOUR)
    expect(self.learner.stats).toMatchObject({ unusable: 1, learnt: 0, pending: 0 })
  })

  it('is the same as learning the joined log, whatever came between', async () => {
    const events = fc.array(
      fc.tuple(fc.nat(9), fc.integer({ min: 0, max: 20 }), fc.nat(90), fc.constantFrom('decide', 'reward', 'tick')),
      { maxLength: 80 },
    )
    await fc.assert(
      fc.asyncProperty(events, async list => {
        const self = world()
        const made: DecisionRecord[] = []
        const sums = new Map<string, number>()
        let now = T0
        let ticked = T0
        for (const [i, [which, value, minutes, event]] of list.entries()) {
          now += minutes * 60_000
          if (event === 'decide') {
            const record = self.decision(`d${i}`, now)
            made.push(record)
            self.learner.decided(record)
          } else if (event === 'tick') {
            await self.learner.tick(now)
            ticked = now
          } else if (made.length > 0) {
            const { decisionId, ts } = made[made.length - 1 - (which % made.length)]
            // Once its wait is over and a tick has passed, a reward can only come too late.
            self.learner.rewarded(reward(decisionId, value, now, { rewardId: `r${i}` }))
            const inTime = now - Date.parse(ts) <= HOUR && Date.parse(ts) + HOUR > ticked
            if (inTime) sums.set(decisionId, (sums.get(decisionId) ?? 0) + value)
          }
        }
        await self.learner.tick(now + 2 * HOUR)
        const told = made.map(record => [record, sums.get(record.decisionId) ?? 0] as const)
        const state = await learnt(self)
        if (made.length > 0) expect(state).toEqual(toldDirectly(self, told))
        else expect(state).toBeUndefined()
      }),
      { numRuns: 60 },
    )
  })
})

describe('publishing', () => {
  it('happens every publishMs with something learnt, and the snapshot then decides under its own digest', async () => {
    const self = world({}, { publishMs: 3 * HOUR })
    const before = self.now()
    await self.learner.tick(T0 + 3 * HOUR)
    expect(self.published).toEqual([])
    self.learner.decided(self.decision('d1', T0 + 3 * HOUR))
    await self.learner.tick(T0 + 5 * HOUR)
    expect([self.published.length, self.now()]).toEqual([0, before])
    await self.learner.tick(T0 + 6 * HOUR)
    expect(self.published).toHaveLength(1)
    const [{ snapshot, policy }] = self.published
    expect(policy).toBe('shop-offer')
    expect(self.now().snapshot).toBe(snapshotDigest(snapshot))
    // What was published decides exactly as what is served now: a record can be replayed.
    const replayed = createPolicy('shop-offer', before.policy.spec, 'sha256:test')
    expect(loadSnapshot(replayed, snapshot)).toMatchObject({ ok: true })
    const request = { decisionId: 'again', context: { playerId: 'p', level: 40, platform: 'ios' } }
    expect(decide(replayed, request)).toEqual(decide(self.now().policy, request))
    await self.learner.tick(T0 + 9 * HOUR)
    expect(self.published).toHaveLength(1)
  })

  it('leaves what decides untouched while more is learnt', async () => {
    const self = world({}, { publishMs: HOUR })
    self.learner.decided(self.decision('d1', T0))
    await self.learner.tick(T0 + HOUR)
    const deciding = self.now()
    const state = JSON.stringify(deciding.policy.learner.state())
    self.learner.decided(self.decision('d2', T0 + HOUR))
    await self.learner.tick(T0 + 2 * HOUR - 1)
    expect(self.now()).toBe(deciding)
    self.learner.decided(self.decision('d3', T0 + 2 * HOUR))
    await self.learner.tick(T0 + 2 * HOUR + 1)
    expect(JSON.stringify(deciding.policy.learner.state())).toBe(state)
    expect(self.now()).not.toBe(deciding)
    expect(self.now().policy.learner.count).toBe(2)
  })

  it('does not serve what could not be published, and tries again', async () => {
    const self = world({}, { publishMs: HOUR })
    const before = self.now()
    self.learner.decided(self.decision('d1', T0))
    self.failure = new Error('the disk is full')
    await expect(self.learner.tick(T0 + HOUR)).rejects.toThrow('the disk is full')
    expect(self.now()).toBe(before)
    self.failure = undefined
    await self.learner.tick(T0 + 2 * HOUR)
    expect(self.now().policy.learner.count).toBe(1)
  })

  it('goes on from a snapshot that somebody else put there, with the decisions that wait', async () => {
    const self = world({}, { publishMs: HOUR })
    const waiting = self.decision('d1', T0)
    self.learner.decided(waiting)
    const { spec, digest } = self.now().policy
    const trained = createPolicy('shop-offer', spec, digest)
    trained.learner.learn(0, new Float64Array(trained.features.dimension).fill(1), 1)
    self.policies = new Map([['shop-offer', { policy: trained, snapshot: 'sha256:trained' }]])
    await self.learner.tick(T0 + HOUR)
    expect(self.now().policy.learner.count).toBe(2)
    expect(trained.learner.count).toBe(1)
  })

  it('leaves the place to a snapshot that came while it published, and loses nothing where that was its own, from the file', async () => {
    const self = world({}, { publishMs: HOUR })
    const { spec, digest } = self.now().policy
    const loadedFrom = (snapshot: Snapshot): ServedPolicy => {
      const policy = createPolicy('shop-offer', spec, digest)
      loadSnapshot(policy, snapshot)
      return { policy, snapshot: snapshotDigest(snapshot) }
    }
    self.learner.decided(self.decision('d1', T0))
    self.meanwhile = snapshot => {
      self.policies = new Map([['shop-offer', loadedFrom(snapshot)]])
    }
    await self.learner.tick(T0 + HOUR)
    self.learner.decided(self.decision('d2', T0 + HOUR))
    self.learner.decided(self.decision('d3', T0 + HOUR + 1))
    const foreign: ServedPolicy = { policy: createPolicy('shop-offer', spec, digest), snapshot: 'sha256:foreign' }
    self.meanwhile = () => {
      self.policies = new Map([['shop-offer', foreign]])
    }
    await self.learner.tick(T0 + 2 * HOUR)
    expect(self.published.map(({ snapshot }) => snapshot.count)).toEqual([1, 2])
    expect(self.now()).toBe(foreign)
    self.meanwhile = () => {}
    await self.learner.tick(T0 + 3 * HOUR)
    expect(self.now().policy.learner.count).toBe(1)
  })

  it('counts decisions that the policy as it is now cannot have made', async () => {
    const self = world()
    self.learner.decided(self.decision('d1', T0, { slots: [{ ...self.decision('d1', T0).slots[0], action: 'gone' }] }))
    self.learner.decided(self.decision('d2', T0, { context: { playerId: 'p', platform: 'amiga', level: 1 } }))
    await self.learner.tick(T0 + HOUR)
    expect(self.learner.stats).toMatchObject({ unusable: 2, learnt: 0, pending: 0 })
  })

  it('carries what is not published yet into the policy that takes the place of its own', async () => {
    const self = world({}, { publishMs: 10 * HOUR })
    const changed = (digest: string, changes: Partial<PolicySpec> = {}, snapshot = self.now().snapshot) => {
      const { spec } = self.now().policy
      const policy = createPolicy('shop-offer', { ...spec, ...changes }, digest)
      self.policies = new Map([['shop-offer', { policy, snapshot }]])
    }
    const records = ['d1', 'd2', 'd3'].map(id => self.decision(id, T0))
    for (const record of records) self.learner.decided(record)
    await self.learner.tick(T0 + HOUR)
    changed('sha256:second', { salt: 'other' })
    // Without a tick in between: it stops.
    expect(await learnt(self)).toEqual(
      toldDirectly(
        self,
        records.map(record => [record, 0] as const),
      ),
    )
    expect(self.now().policy.digest).toBe('sha256:second')
    expect(self.now().snapshot).toBe(snapshotDigest(self.published[0].snapshot))
    // What is learnt while it publishes, of a policy that came then, from the file as it was or as it is.
    for (const from of ['before', 'after'] as const) {
      const { snapshot: before } = self.now()
      self.learner.decided(self.decision(`first ${from}`, T0 + HOUR))
      await self.learner.tick(T0 + 2 * HOUR)
      self.meanwhile = snapshot => {
        changed(`sha256:${from}`, {}, from === 'before' ? before : snapshotDigest(snapshot))
        self.learner.decided(self.decision(`second ${from}`, T0 + HOUR))
        self.meanwhile = () => {}
      }
      await self.learner.publish()
      await self.learner.tick(T0 + 3 * HOUR)
      await self.learner.publish()
    }
    expect(self.published.at(-1)?.snapshot.count).toBe(7)
  })

  it('publishes what was learnt of a policy that is gone', async () => {
    const self = world({}, { publishMs: HOUR })
    self.learner.decided(self.decision('d1', T0))
    self.policies = new Map()
    await self.learner.tick(T0 + HOUR)
    expect(self.published.map(({ snapshot }) => snapshot.count)).toEqual([1])
    expect(self.policies.size).toBe(0)
  })

  it.each([false, true])(
    'starts anew where what was learnt does not fit, unless it may be migrated: %s',
    async migrate => {
      const self = world({}, { migrate })
      const { policy } = self.now()
      self.learner.decided(self.decision('d1', T0))
      await self.learner.tick(T0 + HOUR)
      const actions = [...(policy.spec.actions as readonly { id: string }[]), { id: 'new' }]
      const next = createPolicy('shop-offer', { ...policy.spec, actions }, 'sha256:more')
      self.policies = new Map([['shop-offer', { policy: next, snapshot: null }]])
      self.learner.decided(self.decision('d2', T0 + HOUR))
      await self.learner.tick(T0 + 2 * HOUR)
      await self.learner.publish()
      expect(self.published.map(({ snapshot }) => snapshot.count)).toEqual([migrate ? 2 : 1])
    },
  )
})

describe('actions that a record describes', () => {
  const actions = (difficulty: number, more: Record<string, number> = {}): PolicySpec['actions'] => ({
    set: 'levels',
    pool: {
      features: {
        difficulty: { type: 'number' },
        ...Object.fromEntries(Object.keys(more).map(k => [k, { type: 'number' }])),
      },
      list: ['a', 'b'].map(id => ({ id, features: { difficulty, ...more } })),
    },
  })
  const request = (
    features: Extract<PolicySpec['actions'], { from: 'request' }>['features'],
  ): PolicySpec['actions'] => ({
    from: 'request',
    max: 5,
    features,
  })
  const learners = [
    { type: 'linear', l2: 1, intercept: true, shared: true },
    { type: 'hybrid', l2: 1, intercept: true },
  ] as const

  it.each(learners)('are learnt by the features that the decision was made with: $type', async learner => {
    const algorithm = { learner, exploration: { type: 'thompson', scale: 1 } } as PolicySpec['algorithm']
    const features = [{ field: 'level' }, { action: 'difficulty' }] as const
    const self = world({ actions: actions(3, { gone: 1 }), features, algorithm })
    const then = self.decision('d1', T0)
    self.learner.decided(then)
    // By now the level is harder, and nobody knows any more what is gone.
    const { spec } = self.now().policy
    const policy = createPolicy('shop-offer', { ...spec, actions: actions(70) }, 'sha256:harder')
    self.policies = new Map([['shop-offer', { policy, snapshot: null }]])
    await self.learner.tick(T0 + HOUR)
    const direct = createPolicy('shop-offer', { ...spec, actions: actions(3) }, 'sha256:then')
    const x = new Float64Array(direct.features.dimension)
    const a = direct.actions.indexOf(then.slots[0].action as string)
    direct.features.writeRow(then.context as Parameters<typeof direct.features.writeRow>[0], a, x)
    direct.learner.learn(direct.kept.length === 0 ? 0 : a, x, 0)
    expect(await learnt(self)).toEqual(takeSnapshot(direct).state)
  })

  it('are learnt of a request, and of a context, as far as the policy still knows them', async () => {
    const [learner] = learners
    const algorithm = { learner, exploration: { type: 'thompson', scale: 1 } } as PolicySpec['algorithm']
    const number = { type: 'number' } as const
    const self = world({
      actions: request({ price: number, gone: number }),
      features: [{ action: 'price' }],
      algorithm,
    })
    const { policy } = self.now()
    const pool = policy.offer({ actions: [{ id: 'x', features: { price: 3, gone: 1 } }] })
    if ('faults' in pool) throw new Error('the actions are wrong')
    const decision = decide(policy, { decisionId: 'd1', context: { playerId: 'p', level: 3, platform: 'ios' }, pool })
    if ('faults' in decision) throw new Error('the context is wrong')
    const facts = { mode: 'online', snapshot: null, runtime: 'dap/0.2.0', latencyUs: 0, logProbability: 1 } as const
    self.learner.decided(decisionRecord(policy, decision, { ...facts, ts: new Date(T0).toISOString() }, pool))
    const { level: _, ...context } = policy.spec.context
    const spec = { ...policy.spec, context, actions: request({ price: number }) }
    self.policies = new Map([
      ['shop-offer', { policy: createPolicy('shop-offer', spec, 'sha256:less'), snapshot: null }],
    ])
    await self.learner.tick(T0 + HOUR)
    expect(self.learner.stats).toMatchObject({ learnt: 1, unusable: 0 })
  })
})
