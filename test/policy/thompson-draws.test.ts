import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AlgorithmSpec, LearnerSpec, PolicySpec } from '../../src/kinds.ts'
import { decisionRecord } from '../../src/log/records/decision-record.ts'
import { replay } from '../../src/log/records/replay.ts'
import { probabilityBest } from '../../src/math/quadrature.ts'
import { covarianceRoot, packedSize } from '../../src/math/ridge.ts'
import { stream } from '../../src/math/rng.ts'
import { normalCdf } from '../../src/math/special.ts'
import { createExploration, createLearner } from '../../src/policy/algorithm.ts'
import { type Decision, decide } from '../../src/policy/decide.ts'
import { drawIndex, drawStream } from '../../src/policy/draw.ts'
import { explain } from '../../src/policy/explanation.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import { loadSnapshot, takeSnapshot } from '../../src/policy/snapshot.ts'
import { policySpec } from './support.ts'

const ACTIONS = ['a0', 'a1', 'a2', 'a3']
const ALL = Int32Array.of(0, 1, 2, 3)
const D = 3
const X = Float64Array.of(1, 0.4, -0.2)

const thompson = (draws: number, scale = 1) => ({ type: 'thompson', scale, draws }) as const
const SHARED: LearnerSpec = { type: 'linear', l2: 1, intercept: true, shared: true }

function shares(learner: LearnerSpec, draws: number, taught: ReturnType<typeof createLearner>, seed: string) {
  const out = new Float64Array(ACTIONS.length)
  const algorithm: AlgorithmSpec = { learner, exploration: thompson(draws) }
  createExploration(algorithm, ACTIONS).probabilities(taught, ALL, 4, out, drawStream('s', seed))
  return out
}

describe('probabilities that are drawn', () => {
  it.each<LearnerSpec>([
    { type: 'mean' },
    { type: 'beta', prior: { alpha: 1, beta: 1 } },
    { type: 'linear', l2: 1, intercept: true },
  ])('come as near to the integrals as independent draws do, neither further nor nearer: %o', spec => {
    const learner = createLearner(spec, ACTIONS, D)
    for (let t = 0; t < 48; t++) learner.learn(t % 4, X, (t * 7) % 5 < 2 + (t % 2) ? 1 : 0)
    learner.predict(X)
    const posteriors = ACTIONS.map((_, a) => learner.posterior(a, 1)).filter(posterior => posterior !== undefined)
    const exact = probabilityBest(posteriors)
    expect(Math.min(...exact)).toBeGreaterThan(0.005)
    for (const draws of [1, 16, 256, 4096]) {
      const seeds = 400
      // Of each action's share the variance is p(1 − p)/M; the ratio is 1, give or take √(2 / seeds) and what few draws of a rare action add.
      const ratio = new Float64Array(ACTIONS.length)
      for (let s = 0; s < seeds; s++) {
        const p = shares(spec, draws, learner, `d${s}`)
        for (let a = 0; a < 4; a++) ratio[a] += ((p[a] - exact[a]) ** 2 * draws) / (exact[a] * (1 - exact[a])) / seeds
      }
      const mean = ratio.reduce((sum, value) => sum + value, 0) / 4
      expect(mean).toBeGreaterThan(0.7)
      expect(mean).toBeLessThan(1.4)
    }
  })

  it('are those of whole models where actions share one: Φ(Δ/√Var) of two, whatever they have in common', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), seed => {
        const rng = stream(seed, 'two')
        const learner = createLearner(SHARED, ['a', 'b'], D)
        const row = () => Float64Array.from({ length: D }, () => rng.uniform() - 0.5)
        for (let t = 0; t < 30; t++) learner.learn(t % 2, row(), rng.uniform())
        // Most of the second is what the first is: their values hang together.
        const first = row()
        const second = first.map(value => value + 0.3 * (rng.uniform() - 0.5))
        learner.predict(Float64Array.of(...first, ...second))
        const [m, n] = [...learner.value]
        learner.predict(Float64Array.of(...first.map((value, i) => value - second[i]), ...second))
        const exact = normalCdf((m - n) / learner.width[0])
        learner.predict(Float64Array.of(...first, ...second))
        const out = new Float64Array(2)
        const algorithm: AlgorithmSpec = { learner: SHARED, exploration: thompson(4096) }
        createExploration(algorithm, ['a', 'b']).probabilities(learner, Int32Array.of(0, 1), 2, out, stream(seed))
        // 5 standard deviations.
        expect(Math.abs(out[0] - exact)).toBeLessThan(5 * Math.sqrt((exact * (1 - exact)) / 4096) + 1 / 4096)
      }),
      { numRuns: 50 },
    )
  })

  it('are equal for actions that cannot be told apart, and sum to 1 to the last digits', () => {
    const learner = createLearner(SHARED, ACTIONS, D)
    for (let t = 0; t < 9; t++) learner.learn(0, Float64Array.of(1, t, -t), t % 2)
    learner.predict(Float64Array.of(1, 2, 3, 1, 2, 3, 1, 0, 0, 1, 2, 3))
    for (const seed of ['a', 'b', 'c']) {
      const p = shares(SHARED, 64, learner, seed)
      expect(p[1]).toBe(p[0])
      expect(p[3]).toBe(p[0])
      expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 14)
    }
    learner.predict(new Float64Array(4 * D))
    expect([...shares(SHARED, 64, learner, 'zeros')]).toEqual([0.25, 0.25, 0.25, 0.25])
  })

  it.each([1, 2, 7, 8, 9, 64, 100])('are the same models one at a time or in blocks: %i draws', draws => {
    const learner = createLearner(SHARED, ACTIONS, D)
    for (let t = 0; t < 9; t++) learner.learn(0, Float64Array.of(1, t / 9, -t), t % 2)
    const x = Float64Array.of(1, 2, 3, 0, 2, 3, 1, 0, 0, 0, 0, 0)
    learner.predict(x)
    const together = learner.models?.(0.7, draws, stream(4))
    const values = ACTIONS.map((_, a) => [...(together?.(a) ?? [])].slice(0, draws))
    expect(values[3]).toEqual(Array(draws).fill(0))
    const rng = stream(4)
    for (let m = 0; m < draws; m++) {
      const one = learner.models?.(0.7, 1, rng)
      for (let a = 0; a < 4; a++) expect(one?.(a)[0]).toBe(values[a][m])
    }
  })

  it('forget the models of before what was learnt, or restored', () => {
    const learner = createLearner(SHARED, ACTIONS, D)
    const spread = () => {
      learner.predict(Float64Array.of(...X, ...X, ...X, ...X))
      const values = learner.models?.(1, 512, stream(5))(0).slice(0, 512) ?? []
      return Math.sqrt([...values].reduce((sum, v) => sum + (v - learner.value[0]) ** 2, 0) / 512) / learner.width[0]
    }
    const before = learner.state()
    expect(Math.abs(spread() - 1)).toBeLessThan(0.15)
    for (let t = 0; t < 100; t++) learner.learn(0, X, 1)
    expect(Math.abs(spread() - 1)).toBeLessThan(0.15)
    learner.restore(before)
    expect(Math.abs(spread() - 1)).toBeLessThan(0.15)
  })

  it('are no distribution where the values drawn are no numbers, so that nothing is chosen by them', () => {
    const learner = { ...createLearner({ type: 'mean' }, ACTIONS, 0), draw: () => Number.NaN }
    expect([...shares({ type: 'mean' }, 8, learner, 'd')]).toEqual([0, 0, 0, 0])
  })

  it('come of a root of the covariance, which may be singular', () => {
    // [[4, 2], [2, 1]] has rank 1; rounding may leave less than nothing of the second pivot.
    for (const last of [1, 1 - 1e-16]) expect([...covarianceRoot(Float64Array.of(4, 2, last), 2)]).toEqual([2, 1, 0])
    expect([...covarianceRoot(new Float64Array(packedSize(3)), 3)]).toEqual([0, 0, 0, 0, 0, 0])
  })
})

const SHELF: PolicySpec = policySpec({
  context: { playerId: { type: 'string' }, platform: { type: 'string', enum: ['ios', 'android'] } },
  actions: [
    { id: 'solitaire', features: { genre: 'card' } },
    { id: 'rummy', features: { genre: 'card' } },
    { id: 'blocks', features: { genre: 'puzzle' }, eligible: "ctx.platform == 'ios'" },
    { id: 'mosaic', features: { genre: 'puzzle' } },
  ],
  features: [{ action: 'id' }, { cross: ['platform', 'action.genre'] }],
  algorithm: { learner: SHARED, exploration: thompson(64) },
})

/** Card games are liked, puzzles are not; `mosaic` is never tried. */
function shelf(changes: Partial<PolicySpec> = {}): Policy {
  const policy = createPolicy('shelf', { ...SHELF, ...changes }, 'sha256:shelf')
  const row = new Float64Array(policy.features.dimension)
  for (let t = 0; t < 300; t++) {
    policy.features.writeRow({ playerId: 'p', platform: t % 2 === 0 ? 'ios' : 'android' }, t % 3, row)
    policy.learner.learn(t % 3, row, t % 3 === 2 ? 0 : 1)
  }
  return policy
}

function decided(policy: Policy, decisionId: string, platform = 'ios'): Decision {
  const decision = decide(policy, { decisionId, context: { playerId: 'p', platform } })
  if ('faults' in decision) throw new Error('refused')
  return decision
}

describe('a policy whose probabilities are drawn', () => {
  it('has a vector of its own for each decision: whole draws over the floor, and the one it drew from', () => {
    const policy = shelf()
    const vectors = new Set<string>()
    for (let i = 0; i < 50; i++) {
      const { propensities, propensity, action, eligible, floor, randomness } = decided(policy, `d${i}`)
      vectors.add(propensities.join())
      expect(propensities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12)
      for (const p of propensities) {
        // (p − f) / (1 − 4f) is a share of 64 draws, or of a tie.
        expect(p).toBeGreaterThanOrEqual(floor)
        const share = (64 * (p - floor)) / (1 - 4 * floor)
        expect(Math.abs(share - Math.round(share))).toBeLessThan(1e-9)
      }
      const at = drawIndex(propensities, randomness.u)
      expect([action, propensity]).toEqual([eligible[at], propensities[at]])
    }
    expect(vectors.size).toBeGreaterThan(5)
  })

  it('is seeded by its salt and the id alone', () => {
    const vector = (salt: string | undefined, id: string) =>
      decided(shelf(salt === undefined ? {} : { salt }), id).propensities
    expect(vector(undefined, 'd1')).toEqual(vector('shelf', 'd1'))
    expect(vector('other', 'd1')).not.toEqual(vector('shelf', 'd1'))
    expect(vector('shelf', 'd2')).not.toEqual(vector('shelf', 'd1'))
  })

  it('is replayed from its record, its file and its snapshot, bit for bit', () => {
    const policy = shelf()
    const again = createPolicy('shelf', SHELF, 'sha256:shelf')
    expect(loadSnapshot(again, takeSnapshot(policy))).toMatchObject({ ok: true })
    for (let i = 0; i < 20; i++) {
      const record = decisionRecord(policy, decided(policy, `d${i}`, i % 2 === 0 ? 'ios' : 'android'), FACTS)
      expect(replay(again, record)).toEqual({ same: true, differences: [] })
      const other = { ...record, decisionId: `other${i}` }
      expect(replay(again, other).same).toBe(false)
    }
  })

  it('is explained by the draws of that decision', () => {
    const policy = shelf()
    const decision = decided(policy, 'd7')
    const { actions, draw } = explain(policy, decision)
    expect(draw).toEqual({ key: 'shelf/d7/0', u: decision.randomness.u, probabilitiesKey: 'shelf/d7/draws' })
    const { floor } = decision
    for (const { id, probability = Number.NaN, propensity } of actions) {
      expect(floor + (1 - 4 * floor) * probability).toBe(propensity)
      expect(decision.eligible).toContain(id)
    }
  })

  it.each([undefined, 64])('does not try the untried first where actions share what is learnt: %s draws', draws => {
    const exploration = { type: 'thompson', scale: 0.3, ...(draws === undefined ? {} : { draws }) } as const
    const policy = shelf({ algorithm: { learner: SHARED, exploration } })
    const { propensities, eligible } = decided(policy, 'd1')
    expect(eligible[3]).toBe('mosaic')
    // It is a puzzle, and those are not liked. What has a model for itself is always tried first.
    expect(propensities[3]).toBeLessThan(0.2)
    const alone = createPolicy('alone', { ...SHELF, algorithm: { learner: { type: 'mean' }, exploration } }, '')
    for (let t = 0; t < 30; t++) alone.learner.learn(t % 3, new Float64Array(0), 1)
    expect(decided(alone, 'd1').propensities[3]).toBeCloseTo(1 - 3 * 0.02, 12)
  })
})

const FACTS = {
  ts: '2026-11-22T18:00:00Z',
  mode: 'online',
  snapshot: null,
  runtime: 'dap/0.0.0',
  latencyUs: 1,
  logProbability: 1,
} as const
