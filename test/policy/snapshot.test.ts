import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ActionSpec, LearnerSpec, PolicySpec } from '../../src/kinds.ts'
import { LEARNERS, learnerOf } from '../../src/policy/algorithm.ts'
import {
  loadSnapshot,
  readSnapshot,
  type Snapshot,
  snapshotDigest,
  snapshotText,
  takeSnapshot,
} from '../../src/policy/snapshot.ts'
import { describeSnapshot } from '../../src/policy/snapshot-describe.ts'
import { packNumbers } from '../../src/policy/snapshot-format.ts'
import { algorithmSamples, learnerSamples } from '../support/definitions.ts'
import { mutations } from '../support/mutations.ts'
import { publishedValidator } from '../support/published.ts'
import { policySpec, shopOffer } from './support.ts'

const learners = LEARNERS.filter(({ learns }) => learns).map(learner => learnerSamples(learner, [])[0])

function withLearner(learner: LearnerSpec): Partial<PolicySpec> {
  const exploration = algorithmSamples([]).findLast(each => each.learner.type === learner.type)?.exploration
  const algorithm = { learner, exploration }
  return isShared(learner) ? { algorithm, features: [{ field: 'level' }, { action: 'id' }] } : { algorithm }
}

const isShared = (learner: LearnerSpec) => learnerOf(learner).features?.(learner).shared === true

const lessons = fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 1 })), {
  maxLength: 60,
})

const throughText = (snapshot: Snapshot): unknown => JSON.parse(snapshotText(snapshot))

function teach(policy: ReturnType<typeof shopOffer>, list: readonly (readonly [number, number, number])[]): void {
  const x = new Float64Array(policy.features.dimension)
  for (const [action, level, reward] of list) {
    policy.features.writeRow({ playerId: 'p', level, platform: 'ios', spend30d: 1 / level }, action, x)
    policy.learner.learn(action, x, reward)
  }
}

describe('a snapshot', () => {
  it.each(learners)('goes through its file and continues as if nothing had happened: %o', learner => {
    fc.assert(
      fc.property(lessons, lessons, (before, after) => {
        const [whole, resumed] = [shopOffer(withLearner(learner)), shopOffer(withLearner(learner))]
        teach(whole, before)
        const snapshot = takeSnapshot(whole)
        expect(loadSnapshot(resumed, throughText(snapshot))).toEqual({ ok: true, digest: snapshotDigest(snapshot) })
        teach(whole, after)
        teach(resumed, after)
        expect(snapshotText(takeSnapshot(resumed))).toBe(snapshotText(takeSnapshot(whole)))
      }),
    )
  })

  it('keeps every bit of every number', () => {
    const policy = shopOffer(withLearner({ type: 'mean' }))
    const odd = [0.1 + 0.2, -0, Number.MIN_VALUE]
    policy.learner.restore({ counts: [1, 1, 1], sums: odd })
    const copy = shopOffer(withLearner({ type: 'mean' }))
    loadSnapshot(copy, throughText(takeSnapshot(policy)))
    expect((copy.learner.state().sums as number[]).every((sum, i) => Object.is(sum, odd[i]))).toBe(true)
  })

  it('is a text with the state last, the same for the same content', () => {
    const policy = shopOffer(withLearner({ type: 'mean' }))
    teach(policy, [[1, 5, 1]])
    const data = { dataset: 'last-month', digest: 'sha256:d', rows: 1 }
    expect(snapshotText(takeSnapshot(policy, { dap: '0.2.0', data }))).toMatchInlineSnapshot(`
      "{
        "actions": [
          "none",
          "gold-small",
          "bundle-mid"
        ],
        "count": 1,
        "dap": "0.2.0",
        "data": {
          "dataset": "last-month",
          "digest": "sha256:d",
          "rows": 1
        },
        "features": [],
        "learner": {
          "type": "mean"
        },
        "policy": {
          "digest": "sha256:test",
          "name": "shop-offer"
        },
        "schema": "dap.snapshot/v1",
        "state": {
          "counts": {
            "float64": "AAAAAAAAAAAAAAAAAADwPwAAAAAAAAAA",
            "length": 3
          },
          "sums": {
            "float64": "AAAAAAAAAAAAAAAAAADwPwAAAAAAAAAA",
            "length": 3
          }
        }
      }
      "
    `)
  })

  it('has a digest of what it says, not of how its file is laid out', () => {
    const snapshot = takeSnapshot(shopOffer())
    const reordered = Object.fromEntries(Object.entries(snapshot).reverse()) as unknown as Snapshot
    expect(snapshotDigest(reordered)).toBe(snapshotDigest(snapshot))
    expect(snapshotText(reordered)).toBe(snapshotText(snapshot))
    expect(snapshotDigest({ ...snapshot, count: 1 })).not.toBe(snapshotDigest(snapshot))
  })

  it('is refused, saying what changed, by a policy with other actions, features or another learner', () => {
    const snapshot = takeSnapshot(shopOffer())
    const faultsOf = (changes: Partial<PolicySpec>) => {
      const policy = shopOffer(changes)
      const before = JSON.stringify(policy.learner.state())
      const result = loadSnapshot(policy, snapshot)
      expect(JSON.stringify(policy.learner.state())).toBe(before)
      return 'faults' in result ? result.faults : []
    }
    expect(faultsOf({ actions: [{ id: 'none' }, { id: 'gold-large' }] })).toMatchInlineSnapshot(`
      [
        "actions that the snapshot does not know: gold-large",
        "actions that the policy no longer has: gold-small, bundle-mid",
      ]
    `)
    expect(faultsOf({ actions: (policySpec().actions as ActionSpec[]).toReversed() })).toMatchInlineSnapshot(`
      [
        "the order of the actions has changed: none, gold-small, bundle-mid",
      ]
    `)
    expect(faultsOf({ features: [{ field: 'level', transform: 'log1p' }] })).toMatchInlineSnapshot(`
      [
        "features that the snapshot does not know: log1p(level)",
        "features that the policy no longer has: level, platform=ios, platform=android, spend30d",
      ]
    `)
    expect(faultsOf(withLearner({ type: 'linear', l2: 3, intercept: true }))).toMatchInlineSnapshot(`
      [
        "the learner was {"intercept":true,"l2":1,"type":"linear"} and is now {"intercept":true,"l2":3,"type":"linear"}",
      ]
    `)
    expect(
      faultsOf({ ...withLearner({ type: 'mean' }), actions: [{ id: 'none' }, { id: 'gold-small' }] }),
    ).toMatchInlineSnapshot(`
      [
        "the learner was {"intercept":true,"l2":1,"type":"linear"} and is now {"type":"mean"}",
        "actions that the policy no longer has: bundle-mid",
        "features that the policy no longer has: intercept, level, platform=ios, platform=android, spend30d",
      ]
    `)
  })

  it('is refused by a policy that standardises the same field otherwise', () => {
    const standardized = (mean: number) =>
      shopOffer({ features: [{ field: 'level', transform: 'standardize', mean, sd: 3 }] })
    expect(loadSnapshot(standardized(12), takeSnapshot(standardized(12)))).toMatchObject({ ok: true })
    expect(loadSnapshot(standardized(12), takeSnapshot(standardized(-1)))).toEqual({
      faults: [
        'features that the snapshot does not know: (level-12)/3',
        'features that the policy no longer has: (level+1)/3',
      ],
    })
  })

  it('loads into another version of the policy that learns the same things', () => {
    const changed = shopOffer({ guardrails: { minProbability: 0.3 }, salt: 'new' })
    expect(loadSnapshot(changed, takeSnapshot(shopOffer()))).toMatchObject({ ok: true })
  })

  it('is refused by name of its version, and with plain lists, which no release has written', () => {
    const policy = shopOffer(withLearner({ type: 'mean' }))
    const snapshot = takeSnapshot(policy)
    expect(loadSnapshot(policy, { ...snapshot, schema: 'dap.snapshot/v2' })).toEqual({
      faults: ['the snapshot\'s schema is "dap.snapshot/v2"; this dap reads "dap.snapshot/v1"'],
    })
    expect(loadSnapshot(policy, { ...snapshot, state: policy.learner.state() })).toEqual({
      faults: [
        '`state.counts` must be a number or an object, not a list',
        '`state.sums` must be a number or an object, not a list',
      ],
    })
  })

  it('is refused when its state was changed by hand', () => {
    const policy = shopOffer(withLearner({ type: 'mean' }))
    teach(policy, [[1, 5, 1]])
    const snapshot = takeSnapshot(policy)
    expect(loadSnapshot(policy, { ...snapshot, count: 2 })).toEqual({
      faults: ['the snapshot says that it learnt 2 rewards, and its state that it learnt 1'],
    })
    const short = { ...snapshot.state, sums: { float64: 'AAAA', length: 3 } }
    expect(loadSnapshot(policy, { ...snapshot, state: short })).toEqual({
      faults: ['`state.sums` is not the base64 of 3 numbers'],
    })
  })

  it.each<LearnerSpec>([
    { type: 'uniform' },
    { type: 'fixed', probabilities: { none: 0.5, 'gold-small': 0.5, 'bundle-mid': 0 } },
  ])('keeps the count of a learner that learns nothing: %o', learner => {
    const [policy, copy] = [shopOffer(withLearner(learner)), shopOffer(withLearner(learner))]
    teach(policy, [
      [0, 1, 1],
      [1, 1, 0],
    ])
    expect(loadSnapshot(copy, throughText(takeSnapshot(policy)))).toMatchObject({ ok: true })
    expect(copy.learner.count).toBe(2)
  })

  it('names the first twelve of what changed, and shortens what is longer than 200 characters', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => ({ id: `a${i}` }))
    const said = (actions: PolicySpec['actions']) => {
      const result = loadSnapshot(shopOffer({ actions: [{ id: 'none' }] }), takeSnapshot(shopOffer({ actions })))
      return 'faults' in result ? result.faults[1].replace('actions that the policy no longer has: ', '') : ''
    }
    expect(said(many(12))).toBe('a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11')
    expect(said(many(13))).toBe('a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11 and 1 more')
    expect(said([{ id: 'x'.repeat(200) }])).toBe('x'.repeat(200))
    expect(said([{ id: 'x'.repeat(201) }])).toBe(`${'x'.repeat(200)}…`)
  })

  it('is refused, and nothing is thrown, when it is junk', () => {
    const policy = shopOffer()
    const good = takeSnapshot(policy)
    const before = JSON.stringify(policy.learner.state())
    const junk = fc.oneof(
      fc.jsonValue(),
      fc
        .tuple(fc.constantFrom(...Object.keys(good)), fc.jsonValue())
        .map(([key, value]) => ({ ...good, [key]: value })),
      fc
        .tuple(fc.constantFrom(...Object.keys(good.state)), fc.jsonValue())
        .map(([key, value]) => ({ ...good, state: { ...good.state, [key]: value } })),
    )
    fc.assert(
      fc.property(junk, json => {
        const result = loadSnapshot(policy, json)
        if ('faults' in result) expect(result.faults.length).toBeGreaterThan(0)
        expect(JSON.stringify(policy.learner.state())).toBe(before)
      }),
      { numRuns: 500 },
    )
  })

  it('is refused without a crash when it is nested deeply, enormous in what it promises, or has keys of prototypes', () => {
    const policy = shopOffer()
    const good = takeSnapshot(policy)
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    const features = Array.from({ length: 100_000 }, (_, i) => `f${i}`)
    const hostile: unknown[] = [
      { ...good, learner: { type: 'linear', l2: 1, deep } },
      { ...good, features },
      { ...good, actions: Array.from({ length: 100_000 }, (_, i) => `a${i}`) },
      JSON.parse(JSON.stringify(good).replace('{', '{"__proto__":{"polluted":1},')),
      { ...good, state: JSON.parse('{"__proto__":{"float64":"","length":0}}') },
    ]
    for (const json of hostile) {
      const result = loadSnapshot(policy, json)
      if (!('faults' in result)) throw new Error('it was loaded')
      expect(result.faults.join('; ').length).toBeLessThan(2000)
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('a snapshot that is migrated', () => {
  const changed = [{ id: 'gold-large' }, { id: 'bundle-mid' }, { id: 'none' }]

  it.each(learners.filter(learner => !isShared(learner)))(
    'takes what was learnt about an action along, and lets a new one start from nothing: %o',
    learner => {
      fc.assert(
        fc.property(lessons, lessons, (before, after) => {
          const [then, now] = [
            shopOffer(withLearner(learner)),
            shopOffer({ ...withLearner(learner), actions: changed }),
          ]
          teach(then, before)
          expect(loadSnapshot(now, takeSnapshot(then), { migrate: true })).toEqual({
            ok: true,
            digest: snapshotDigest(takeSnapshot(then)),
            migrated: { added: ['gold-large'], removed: ['gold-small'] },
          })
          // What the changed policy would have learnt itself, of the actions that it has.
          const direct = shopOffer({ ...withLearner(learner), actions: changed })
          const index = [2, -1, 1]
          const known = before.flatMap(([a, level, reward]): [number, number, number][] =>
            index[a] < 0 ? [] : [[index[a], level, reward]],
          )
          teach(direct, known)
          expect(snapshotText(takeSnapshot(now))).toBe(snapshotText(takeSnapshot(direct)))
          teach(direct, after)
          teach(now, after)
          expect(snapshotText(takeSnapshot(now))).toBe(snapshotText(takeSnapshot(direct)))
        }),
      )
    },
  )

  it('says nothing of a migration where nothing had to change, and says so where only the order did', () => {
    const snapshot = takeSnapshot(shopOffer())
    expect(loadSnapshot(shopOffer(), snapshot, { migrate: true })).not.toHaveProperty('migrated')
    const reversed = shopOffer({ actions: (policySpec().actions as ActionSpec[]).toReversed() })
    expect(loadSnapshot(reversed, snapshot, { migrate: true })).toMatchObject({ migrated: { added: [], removed: [] } })
  })

  it('carries the count of a learner that learns nothing', () => {
    const uniform = (actions: PolicySpec['actions']) =>
      shopOffer({ actions, algorithm: { learner: { type: 'uniform' } } })
    const [then, now] = [uniform(policySpec().actions), uniform(changed)]
    teach(then, [
      [0, 1, 1],
      [1, 1, 0],
    ])
    loadSnapshot(now, takeSnapshot(then), { migrate: true })
    expect(now.learner.count).toBe(2)
  })

  it('is refused all the same when features or the learner changed', () => {
    const snapshot = takeSnapshot(shopOffer())
    const features = shopOffer({ actions: changed, features: [{ field: 'level' }] })
    expect(loadSnapshot(features, snapshot, { migrate: true })).toHaveProperty('faults')
    const learner = shopOffer({ ...withLearner({ type: 'linear', l2: 2, intercept: true }), actions: changed })
    expect(loadSnapshot(learner, snapshot, { migrate: true })).toHaveProperty('faults')
  })
})

describe('a snapshot without its policy', () => {
  const good = takeSnapshot(shopOffer())
  const faultsOf = (changes: object) => {
    const read = readSnapshot({ ...good, ...changes })
    return 'faults' in read ? read.faults : []
  }
  const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`)

  it('has at most 5000 different actions, and texts of at most 1024 characters', () => {
    for (const actions of [[], ['a'], names(5000)]) expect(faultsOf({ actions })).toEqual([])
    expect(faultsOf({ actions: ['a', 'a'] })).toEqual(['`actions` has "a" twice'])
    expect(faultsOf({ actions: names(5001) })).toEqual(['`actions` must have at most 5000 entries, not 5001'])
    expect(faultsOf({ dap: 'x'.repeat(1024) })).toEqual([])
    expect(faultsOf({ dap: 'x'.repeat(1025) })).toEqual(['`dap` must have at most 1024 characters'])
  })

  it('has matrices of at most 64 MiB', () => {
    expect(faultsOf({ actions: ['a'], features: names(4095) })).toEqual([])
    expect(faultsOf({ actions: ['a'], features: names(4096) })).toEqual([
      'the learner has 8390656 numbers, more than 8388608',
    ])
  })

  it('has counts of at least 0, and parameters above it', () => {
    expect([0, 0.5].flatMap(count => faultsOf({ count }))).toEqual([])
    expect(faultsOf({ count: -1 })).toEqual(['`count` must be at least 0, not -1'])
    const wrong = [
      { type: 'linear', l2: 0 },
      { type: 'beta', prior: { alpha: 0, beta: 1 } },
      { type: 'beta', prior: { alpha: 1, beta: 0 } },
      { type: 'fixed', probabilities: { a: -1 } },
      { type: 'deep' },
    ]
    expect(wrong.map(learner => faultsOf({ learner }))).toMatchInlineSnapshot(`
      [
        [
          "\`learner.l2\` must be in (0, 1000000000], not 0",
          "\`learner.intercept\` is missing",
        ],
        [
          "\`learner.prior.alpha\` must be in [0.0001, 1000000000], not 0",
        ],
        [
          "\`learner.prior.beta\` must be in [0.0001, 1000000000], not 0",
        ],
        [
          "\`learner.probabilities.a\` must be in [0, 1], not -1",
        ],
        [
          "\`learner.type\` must be one of "mean", "beta", "linear", "logistic", "hybrid", "hashed", "fixed", "model", "uniform"",
        ],
      ]
    `)
  })

  it('of another schema of dap is quoted, shortened to 100 characters, and of anything else not at all', () => {
    const quotes = [[], undefined, 7, 'x', 'dap.x', `dap.${'x'.repeat(94)}`, `dap.${'x'.repeat(95)}`].map(schema => {
      const [fault] = faultsOf({ schema })
      return /schema is (.*); this dap/.exec(fault)?.[1]
    })
    const other = 'of something else'
    const long = (length: number) => `"dap.${'x'.repeat(length)}`
    expect(quotes).toEqual([other, 'missing', other, other, '"dap.x"', `${long(94)}"`, `${long(95)}…`])
  })

  it('is described, or refused with a RangeError, whatever it says', () => {
    let described = 0
    const spec = fc.constantFrom(...learners)
    const junk = spec.chain(learner => mutations(throughText(takeSnapshot(shopOffer(withLearner(learner))))))
    fc.assert(
      fc.property(junk, json => {
        const read = readSnapshot(json)
        if ('faults' in read) return
        try {
          expect(describeSnapshot(read.snapshot).actions.length).toBe(read.snapshot.actions.length)
          described++
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }),
      { numRuns: 5000 }, // few mutations leave a snapshot that can be read
    )
    expect(described).toBeGreaterThan(10)
  })
})

describe('the published schema of a snapshot', () => {
  const validate = publishedValidator('snapshot')

  it.each(learners)('accepts what is written: %o', learner => {
    const data = {
      dataset: 'd',
      digest: 'sha256:d',
      rows: 3,
      from: '2026-01-01T00:00:00.000Z',
      heldOut: { groups: 205, by: 'unit' },
      ids: packNumbers([1, 2]),
    } as const
    validate(throughText(takeSnapshot(shopOffer(withLearner(learner)), { dap: '0.2.0', data })))
    expect(validate.errors).toBeNull()
  })

  it.each([
    { rows: -1 },
    { rows: 'many' },
    { from: 5 },
    { dataset: undefined },
    { more: 1 },
    { heldOut: { groups: 0.5, by: 'unit' } },
    { heldOut: { groups: -1, by: 'unit' } },
    { heldOut: { groups: 205, by: 'player' } },
    { heldOut: { groups: 205 } },
    { ids: packNumbers([]) },
    { ids: packNumbers(Array.from({ length: 1025 }, (_, i) => i)) },
    { ids: packNumbers([-1]) },
    { ids: { float64: '!', length: 1 } },
  ])('is not all: no file is read that has learnt from %o', wrong => {
    const data = {
      dataset: 'd',
      digest: 'sha256:d',
      rows: 3,
      heldOut: { groups: 205, by: 'unit' },
      ids: packNumbers([1, 2]),
    }
    const reading = (more: object) => {
      const good = throughText(takeSnapshot(shopOffer(), { dap: '0.2.0' })) as { readonly [key: string]: unknown }
      return JSON.parse(JSON.stringify({ ...good, data: { ...data, ...more } }))
    }
    expect('faults' in loadSnapshot(shopOffer(), reading({}))).toBe(false)
    expect('faults' in loadSnapshot(shopOffer(), reading(wrong))).toBe(true)
  })

  it('accepts whatever is loaded', () => {
    const good = throughText(takeSnapshot(shopOffer(), { dap: '0.2.0' }))
    fc.assert(
      fc.property(mutations(good), json => {
        if (!('faults' in loadSnapshot(shopOffer(), json))) {
          validate(json)
          expect(validate.errors).toBeNull()
        }
      }),
      { numRuns: 1000 },
    )
  })
})
