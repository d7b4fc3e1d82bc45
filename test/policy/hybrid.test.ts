import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AlgorithmSpec, LearnerSpec, PolicySpec } from '../../src/kinds.ts'
import { stream } from '../../src/math/rng.ts'
import { createLearner } from '../../src/policy/algorithm.ts'
import { decide } from '../../src/policy/decide.ts'
import { explain } from '../../src/policy/explanation.ts'
import { createFeatures } from '../../src/policy/features.ts'
import type { Learner, LearnerState } from '../../src/policy/learner.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import { loadSnapshot, type Snapshot, takeSnapshot } from '../../src/policy/snapshot.ts'
import { describeSnapshot } from '../../src/policy/snapshot-describe.ts'
import { diffSnapshots } from '../../src/policy/snapshot-diff.ts'
import { createStatistics, mergeStatistics } from '../../src/policy/statistics.ts'
import { goldenJson } from '../golden/read.ts'
import { inverseOf } from '../support/matrices.ts'
import { policySpec } from './support.ts'

interface Row {
  readonly action: number
  readonly x: readonly number[]
  readonly z: readonly number[]
  readonly reward: number
}

interface Problem {
  readonly actions: number
  readonly d: number
  readonly k: number
  readonly l2: number
  readonly rows: readonly Row[]
}

const specOf = (l2: number): Extract<LearnerSpec, { type: 'hybrid' }> => ({ type: 'hybrid', l2, intercept: false })
const rowOf = ({ x, z }: Pick<Row, 'x' | 'z'>) => Float64Array.of(...x, ...z)

function blank({ actions, d, k, l2 }: Omit<Problem, 'rows'>): Learner {
  const ids = Array.from({ length: actions }, (_, a) => `a${a}`)
  return createLearner(specOf(l2), ids, d + k, actions, { own: d })
}

function oneByOne(problem: Problem): Learner {
  const learner = blank(problem)
  for (const row of problem.rows) learner.learn(row.action, rowOf(row), row.reward)
  return learner
}

/** What each part of the rows comes to, merged in order. */
function mergedState({ actions, d, k, l2 }: Problem, parts: readonly (readonly Row[])[]): LearnerState {
  const algorithm: AlgorithmSpec = { learner: specOf(l2) }
  const merged = mergeStatistics(algorithm, actions, d + k, d)
  for (const rows of parts) {
    const { sums, add } = createStatistics(algorithm, actions, d + k, d)
    for (const row of rows) add(row.action, rowOf(row), row.reward, 1)
    merged.merge(sums)
  }
  return merged.state()
}

function batch(problem: Problem): Learner {
  const learner = blank(problem)
  learner.restore(mergedState(problem, [problem.rows]))
  return learner
}

/** The same context for all actions. */
function predict(learner: Learner, actions: number, row: Pick<Row, 'x' | 'z'>): { value: number; width: number }[] {
  learner.predict(Float64Array.from(Array.from({ length: actions }, () => [...rowOf(row)]).flat()))
  return Array.from(learner.value, (value, a) => ({ value, width: learner.width[a] }))
}

/** One ridge over [z, x ⊗ onehot(a)], by its normal equations: value and width of each action. */
function dense({ actions, d, k, l2, rows }: Problem, query: Pick<Row, 'x' | 'z'>): { value: number; width: number }[] {
  const size = k + actions * d
  const vector = (action: number, { x, z }: Pick<Row, 'x' | 'z'>) => {
    const u = new Float64Array(size)
    u.set(z)
    u.set(x, k + action * d)
    return u
  }
  const a = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => (i === j ? l2 : 0)))
  const b = new Float64Array(size)
  for (const row of rows) {
    const u = vector(row.action, row)
    for (let i = 0; i < size; i++) {
      b[i] += row.reward * u[i]
      for (let j = 0; j < size; j++) a[i][j] += u[i] * u[j]
    }
  }
  const inverse = inverseOf(a)
  return Array.from({ length: actions }, (_, action) => {
    const u = vector(action, query)
    const v = inverse.map(row => row.reduce((sum, each, j) => sum + each * u[j], 0))
    const sum = (w: ArrayLike<number>) => v.reduce((total, each, i) => total + each * w[i], 0)
    return { value: sum(b), width: Math.sqrt(sum(u)) }
  })
}

/** Vectors with zeros in them, as one-hot features have, of actions the last of which is never seen. */
function problemOf(seed: number, count: number, actions: number, d: number, k: number): Problem & { query: Row } {
  const rng = stream(seed, 'hybrid')
  const vector = (length: number) => Array.from({ length }, () => (rng.uniform() < 0.3 ? 0 : 2 * rng.uniform() - 1))
  const row = () => ({
    action: rng.uint32() % Math.max(1, actions - 1),
    x: vector(d),
    z: vector(k),
    reward: rng.uniform(),
  })
  const rows = Array.from({ length: count }, row)
  return { actions, d, k, l2: 0.2 + rng.uniform(), rows, query: row() }
}

const problems = fc
  .record({
    seed: fc.nat(),
    count: fc.integer({ min: 0, max: 80 }),
    actions: fc.integer({ min: 1, max: 5 }),
    d: fc.integer({ min: 1, max: 4 }),
    k: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ seed, count, actions, d, k }) => problemOf(seed, count, actions, d, k))

function expectClose(
  found: readonly { value: number; width: number }[],
  wanted: readonly { value: number; width: number }[],
): void {
  expect(found).toHaveLength(wanted.length)
  for (const [a, { value, width }] of wanted.entries()) {
    expect(Math.abs(found[a].value - value)).toBeLessThan(1e-9)
    expect(Math.abs(found[a].width - width)).toBeLessThan(1e-9)
  }
}

describe('hybrid', () => {
  it('has the coefficients and variances of the golden, of an action without rows, too', () => {
    interface Golden {
      readonly lam: number
      readonly z: number[][]
      readonly x: number[][]
      readonly action: number[]
      readonly reward: number[]
      readonly beta: number[]
      readonly theta: number[][]
      readonly query: {
        readonly z: number[]
        readonly x: number[]
        readonly out: { action: number; mean: number; variance: number }[]
        readonly newAction: { mean: number; variance: number }
      }
    }
    const { lam, z, x, action, reward, beta, theta, query } = goldenJson<Golden>('hybrid-ridge.json')
    const rows = action.map((a, i) => ({ action: a, x: x[i], z: z[i], reward: reward[i] }))
    const problem = { actions: 6, d: 3, k: 4, l2: lam, rows }
    const wanted = [...query.out, query.newAction].map(({ mean, variance }) => ({
      value: mean,
      width: Math.sqrt(variance),
    }))
    for (const learner of [batch(problem), oneByOne(problem)]) {
      expectClose(predict(learner, 6, query), wanted)
      for (const [a, own] of theta.entries()) {
        for (const [i, value] of own.entries()) expect(learner.coefficient?.(i, a)).toBeCloseTo(value, 10)
        for (const [i, value] of beta.entries()) expect(learner.coefficient?.(3 + i, a)).toBeCloseTo(value, 10)
      }
    }
  })

  it('is one ridge over the shared part and the part of every action, in a batch and row by row', () => {
    fc.assert(
      fc.property(problems, problem => {
        const wanted = dense(problem, problem.query)
        expectClose(predict(batch(problem), problem.actions, problem.query), wanted)
        expectClose(predict(oneByOne(problem), problem.actions, problem.query), wanted)
      }),
    )
  })

  it('is `linear` where the shared part says nothing, and shared where the parts of the actions say nothing', () => {
    fc.assert(
      fc.property(problems, ({ query, ...problem }) => {
        const { actions, d, k, l2, rows } = problem
        const ids = Array.from({ length: actions }, (_, a) => `a${a}`)
        for (const shared of [false, true]) {
          const [x, z] = [new Array<number>(d).fill(0), new Array<number>(k).fill(0)]
          const silent = (row: Row): Row => ({ ...row, ...(shared ? { x } : { z }) })
          const linear = createLearner({ type: 'linear', l2, intercept: false, shared }, ids, shared ? k : d)
          const seen = (row: Pick<Row, 'x' | 'z'>) => (shared ? row.z : row.x)
          for (const row of rows) linear.learn(row.action, Float64Array.from(seen(row)), row.reward)
          linear.predict(Float64Array.from(ids.flatMap(() => seen(query))))
          const wanted = Array.from(linear.value, (value, a) => ({ value, width: linear.width[a] }))
          expectClose(predict(batch({ ...problem, rows: rows.map(silent) }), actions, silent(query)), wanted)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('merges 1, 2 and 7 parts to the same bytes where sums are exact', () => {
    const problem = problemOf(5, 700, 4, 3, 4)
    // Multiples of 1/64 below 1: no sum of their products is ever rounded.
    const coarse = (value: number) => Math.round(64 * value) / 64
    const rows = problem.rows.map(row => ({
      ...row,
      x: row.x.map(coarse),
      z: row.z.map(coarse),
      reward: coarse(row.reward),
    }))
    const parts = (count: number) =>
      Array.from({ length: count }, (_, i) => rows.slice((i * 700) / count, ((i + 1) * 700) / count))
    const [whole, ...others] = [1, 2, 7].map(count => JSON.stringify(mergedState(problem, parts(count))))
    expect(others).toEqual([whole, whole])
    expect(JSON.stringify(mergedState(problem, parts(7).reverse()))).toBe(whole)
  })

  it('leaves nothing of an action whose rows are gone but what they are to the others', () => {
    const problem = problemOf(6, 200, 4, 2, 3)
    const without = { ...problem, rows: problem.rows.filter(({ action }) => action !== 1) }
    const [whole, rest] = [problem, without].map(each => batch(each).state() as Record<string, number[]>)
    for (const key of ['counts', 'inverses', 'lifts', 'alone']) {
      const size = whole[key].length / 4
      for (const a of [0, 2, 3]) {
        expect(rest[key].slice(a * size, (a + 1) * size)).toEqual(whole[key].slice(a * size, (a + 1) * size))
      }
      const fresh = blank(problem).state()[key] as number[]
      expect(rest[key].slice(size, 2 * size)).toEqual(fresh.slice(size, 2 * size))
    }
    expect(rest.beta).not.toEqual(whole.beta)
  })
})

const ACTIONS: PolicySpec['actions'] = [
  { id: 'solitaire', features: { genre: 'card', price: 0 } },
  { id: 'rummy', features: { genre: 'card', price: 3 } },
  { id: 'blocks', features: { genre: 'puzzle', price: 1 } },
]
const SPEC = policySpec({
  context: {
    playerId: { type: 'string' },
    level: { type: 'integer', default: 1 },
    platform: { type: 'string', enum: ['ios', 'android'] },
  },
  actions: ACTIONS,
  features: [
    { action: 'price', transform: 'log1p' },
    { field: 'level' },
    { cross: ['platform', 'action.genre'] },
    { cross: ['level', 'platform'] },
  ],
  algorithm: {
    learner: { type: 'hybrid', l2: 1, intercept: true },
    exploration: { type: 'thompson', scale: 1 },
  },
})
const CONTEXT = { playerId: 'p', level: 4, platform: 'android' }

function taught(rewards = 200, spec: PolicySpec = SPEC): Policy {
  const policy = createPolicy('shelf', spec, 'sha256:hybrid')
  const rng = stream(2, 'taught')
  const row = new Float64Array(policy.features.dimension)
  for (let i = 0; i < rewards; i++) {
    const action = rng.uint32() % 3
    const platform = rng.uniform() < 0.5 ? 'ios' : 'android'
    policy.features.writeRow({ playerId: 'p', level: rng.uint32() % 9, platform }, action, row)
    const likes = (platform === 'ios') === action < 2
    policy.learner.learn(action, row, rng.uniform() < (likes ? 0.8 : 0.2) + 0.1 * action ? 1 : 0)
  }
  return policy
}

/** Values and widths in the context, by action id. */
function seenBy(policy: Policy): Record<string, { value: number; width: number }> {
  const x = new Float64Array(policy.actions.length * policy.features.dimension)
  policy.features.write(CONTEXT, x)
  policy.learner.predict(x)
  const { value, width } = policy.learner
  return Object.fromEntries(policy.actions.map((id, a) => [id, { value: value[a], width: width[a] }]))
}

describe('a policy that is hybrid', () => {
  it('has the features of the context first, wherever they are listed', () => {
    const { names, own, rows, write, dimension } = createFeatures(SPEC)
    expect([own, rows]).toEqual([4, 3])
    expect(names.slice(0, 4)).toEqual(['intercept', 'level', 'level × platform=ios', 'level × platform=android'])
    expect(names[4]).toBe('log1p(action.price)')
    const x = new Float64Array(3 * dimension)
    write(CONTEXT, x)
    for (const a of [0, 1, 2]) expect([...x.subarray(a * dimension, a * dimension + 4)]).toEqual([1, 4, 0, 4])
    expect(
      createFeatures({ ...SPEC, algorithm: { learner: { type: 'linear', l2: 1, intercept: true, shared: true } } }).own,
    ).toBe(undefined)
  })

  it('explains a value by the coefficients of all and those of the action', () => {
    const policy = taught()
    const decision = decide(policy, { decisionId: 'd', context: CONTEXT })
    if ('faults' in decision) throw new Error('refused')
    const { actions } = explain(policy, decision)
    const intercepts = actions.map(({ value, features = [] }) => {
      expect(features.reduce((sum, { contribution = Number.NaN }) => sum + contribution, 0)).toBeCloseTo(
        value as number,
        12,
      )
      return features.find(({ name }) => name === 'intercept')?.contribution
    })
    expect(new Set(intercepts).size).toBe(3)
  })

  it('has a snapshot that goes through its file, and is described and compared by both parts', () => {
    const [before, after] = [taught(100), taught(200)].map(policy => takeSnapshot(policy))
    expect(after.own).toBe(4)
    const copy = createPolicy('shelf', SPEC, 'sha256:hybrid')
    expect(loadSnapshot(copy, JSON.parse(JSON.stringify(after)))).toMatchObject({ ok: true })
    expect(seenBy(copy)).toEqual(seenBy(taught(200)))
    const [then, now] = [before, after].map(each => describeSnapshot(each))
    expect(now.coefficients?.map(({ feature }) => feature)).toEqual(now.features.slice(4))
    for (const { coefficients = [] } of now.actions) {
      expect(coefficients.map(({ feature }) => feature)).toEqual(now.features.slice(0, 4))
    }
    const [solitaire, rummy] = now.actions
    expect(solitaire.coefficients?.[0].value).not.toBe(rummy.coefficients?.[0].value)
    const diff = diffSnapshots(then, now)
    expect(diff.coefficients?.length).toBe(now.features.length - 4)
    expect(diff.actions.every(({ coefficients = [] }) => coefficients.length === 4)).toBe(true)
  })

  it('refuses a snapshot whose parts are others', () => {
    const snapshot = takeSnapshot(taught(50))
    const policy = createPolicy('shelf', SPEC, 'sha256:hybrid')
    for (const own of [undefined, 3, 5, 8, 900]) {
      const { own: _, ...rest } = snapshot
      const loaded = loadSnapshot(policy, { ...rest, ...(own === undefined ? {} : { own }) } as Snapshot)
      expect(loaded).toHaveProperty('faults')
    }
    expect(policy.learner.count).toBe(0)
  })

  it('knows the others as before where an action is gone, and a new one by what they share alone', () => {
    const [solitaire, rummy] = ACTIONS
    const mosaic = { id: 'mosaic', features: { genre: 'puzzle', price: 1 } }
    const same = { ...SPEC, features: [{ field: 'level' }, { action: 'price' }] as PolicySpec['features'] }
    const [then, next] = [
      taught(200, same),
      createPolicy('shelf', { ...same, actions: [mosaic, solitaire, rummy] }, 'sha256:now'),
    ]
    expect(loadSnapshot(next, takeSnapshot(then), { migrate: true })).toMatchObject({
      ok: true,
      migrated: { added: ['mosaic'], removed: ['blocks'] },
    })
    const [was, is] = [seenBy(then), seenBy(next)]
    expect(is.solitaire).toEqual(was.solitaire)
    expect(is.rummy).toEqual(was.rummy)
    const { beta, inverse } = then.learner.state() as Record<string, number[]>
    expect(is.mosaic.value).toBeCloseTo(beta[0], 12)
    // Nothing is known of its own part: x·x/λ = 1 + 4² beside what is shared.
    expect(is.mosaic.width).toBeCloseTo(Math.sqrt(17 + inverse[0]), 12)
  })
})
