import { describe, expect, it } from 'vitest'
import type { Rng } from '../../src/math/rng.ts'
import { betaQuantile } from '../../src/math/special.ts'
import type { Exploration } from '../../src/policy/exploration.ts'
import { argmax } from '../../src/policy/explorations/argmax.ts'
import { epsilonGreedy } from '../../src/policy/explorations/epsilon-greedy.ts'
import { klUcb, klUcbIndex } from '../../src/policy/explorations/kl-ucb.ts'
import { thompson } from '../../src/policy/explorations/thompson.ts'
import { linUcbBonus, ucb, ucb1Bonus } from '../../src/policy/explorations/ucb.ts'
import type { Learner } from '../../src/policy/learner.ts'
import { betaLearner } from '../../src/policy/learners/beta.ts'
import { linearLearner } from '../../src/policy/learners/linear.ts'
import { meanLearner } from '../../src/policy/learners/mean.ts'
import { goldenJson, goldenRows } from '../golden/read.ts'

interface Trace<State> {
  readonly actions: readonly number[]
  readonly states: Readonly<Record<string, State>>
}

interface LinearState {
  readonly theta: readonly number[][]
  readonly A_inv: readonly number[][][]
  readonly next_x: readonly number[]
  readonly mean: readonly number[]
  readonly width: readonly number[]
  readonly ucb: readonly number[]
}

const K = 10
const none = new Float64Array(0)
const everyAction = Int32Array.from({ length: K }, (_, a) => a)
const rewards = goldenRows('simulate/bern_table_T1000_K10.csv')
const bernoulli = goldenJson<
  Record<'ucb1' | 'klucb' | 'eg' | 'ts', Trace<{ n: number[]; S: number[]; index_next?: number[] }>>
>('simulate/bernoulli_traces.json')

/** A stream that gives the numbers it is told to give, and fails when asked for more. */
function scripted(): Rng & { next: number[] } {
  const rng = {
    next: [] as number[],
    uniform(): number {
      const u = rng.next.shift()
      if (u === undefined) throw new Error('more numbers were drawn than the script has')
      return u
    },
    uint32(): number {
      throw new Error('the script has no integers')
    },
  }
  return rng
}

/** Plays the table of rewards for `rounds` rounds. */
function play(
  learner: Learner,
  exploration: Exploration,
  rounds: number,
  rng: Rng,
  before: (t: number) => void,
): number[] {
  return Array.from({ length: rounds }, (_, t) => {
    before(t)
    const action = exploration.sample(learner, everyAction, K, rng)
    learner.learn(action, none, rewards[t][action])
    return action
  })
}

describe('Bernoulli traces of the reference', () => {
  it('UCB1 chooses the same 1,000 actions', () => {
    const learner = meanLearner(K)
    const actions = play(learner, ucb(ucb1Bonus(2), 'first', K), 1000, scripted(), () => {})
    expect(actions).toEqual(bernoulli.ucb1.actions)
    expect(learner.state()).toEqual({ counts: bernoulli.ucb1.states['1000'].n, sums: bernoulli.ucb1.states['1000'].S })
    const bonus = ucb1Bonus(2)(learner)
    for (const [a, index] of (bernoulli.ucb1.states['1000'].index_next ?? []).entries()) {
      expect(learner.value[a] + bonus * learner.width[a]).toBeCloseTo(index, 12)
    }
  })

  it('KL-UCB chooses the same 1,000 actions', () => {
    const actions = play(meanLearner(K), klUcb('first', K), 1000, scripted(), () => {})
    expect(actions).toEqual(bernoulli.klucb.actions)
  })

  it('ε-greedy chooses the same 1,000 actions', () => {
    const uniforms = goldenRows('simulate/uniforms_T1000.csv')
    const rng = scripted()
    const actions = play(meanLearner(K), epsilonGreedy(0.1, 'first'), 1000, rng, t => {
      rng.next = [...uniforms[t]]
    })
    expect(actions).toEqual(bernoulli.eg.actions)
  })

  it('Thompson sampling over beta chooses the same 300 actions when drawing by the inverse cdf', () => {
    const uniforms = goldenRows('simulate/beta_quantile_uniforms_T300_K10.csv')
    const learner = betaLearner(K, { alpha: 1, beta: 1 })
    const byQuantile: Learner = {
      ...learner,
      draw(action, _scale, rng) {
        const { successes, failures } = learner.state() as Record<'successes' | 'failures', number[]>
        return betaQuantile(rng.uniform(), 1 + successes[action], 1 + failures[action])
      },
    }
    const rng = scripted()
    const actions = play(byQuantile, thompson(1, K), 300, rng, t => {
      rng.next = [...uniforms[t]]
    })
    expect(actions).toEqual(bernoulli.ts.actions)
  })
})

describe('linear traces of the reference', () => {
  const d = 5
  const k = 4
  const { theta_true, linucb, lints } = goldenJson<
    { theta_true: number[][] } & Record<'linucb' | 'lints', Trace<LinearState>>
  >('simulate/linear_traces.json')
  const rows = goldenRows('simulate/lin_trace_d5_K4.csv')
  const eligible = Int32Array.of(0, 1, 2, 3)

  /** Plays a trace, comparing the learner with the reference's wherever that was written down. */
  function playLinear(
    { actions, states }: Trace<LinearState>,
    choose: (learner: Learner, z: number[]) => number,
  ): void {
    const learner = linearLearner(k, d, { l2: 1 })
    const chosen = actions.map((_, t) => {
      const x = Float64Array.from(rows[t].slice(0, d))
      learner.predict(x)
      const action = choose(learner, rows[t].slice(d + 1))
      const mean = x.reduce((sum, v, i) => sum + v * theta_true[action][i], 0)
      learner.learn(action, x, mean + rows[t][d])
      if (states[t + 1] !== undefined) expectState(learner, states[t + 1])
      return action
    })
    expect(chosen).toEqual(actions)
  }

  function expectState(learner: Learner, reference: LinearState): void {
    learner.predict(Float64Array.from(reference.next_x))
    const state = learner.state() as Record<'theta' | 'inverse', number[]>
    const lower = reference.A_inv.flatMap(matrix => matrix.flatMap((row, i) => row.slice(0, i + 1)))
    expectClose(state.theta, reference.theta.flat())
    expectClose(state.inverse, lower)
    expectClose([...learner.value], reference.mean)
    expectClose([...learner.width], reference.width)
    expectClose(
      reference.ucb.map((_, a) => learner.value[a] + learner.width[a]),
      reference.ucb,
    )
  }

  function expectClose(actual: readonly number[], expected: readonly number[]): void {
    expect(actual).toHaveLength(expected.length)
    for (const [i, value] of expected.entries()) expect(Math.abs(actual[i] - value)).toBeLessThan(1e-12)
  }

  it('LinUCB chooses the same 500 actions and has the same θ, A⁻¹, widths and indices', () => {
    const exploration = ucb(linUcbBonus(1), 'first', k)
    playLinear(linucb, learner => exploration.sample(learner, eligible, k, scripted()))
  })

  it('LinTS chooses the same 500 actions when given the same normals', () => {
    const drawn = new Float64Array(k)
    playLinear(lints, (learner, z) => {
      for (let a = 0; a < k; a++) drawn[a] = learner.value[a] + learner.width[a] * z[a]
      return argmax(drawn, eligible, k)
    })
  })
})

describe('posterior and index values of SciPy', () => {
  const golden = goldenJson<{
    beta_posterior_50: { alpha: number[]; beta: number[]; mean: number[]; var: number[]; prob_best: number[] }
    two_arm_prob: { A: [number, number]; B: [number, number]; P_B_gt_A_closed_form: number }[]
    klucb_indices: { S: number; n: number; t: number; klucb: number; ucb1: number }[]
  }>('simulate/posterior_and_index_values.json')

  /** A beta learner with the given (α, β) an action, on a prior of Beta(½, ½). */
  function learnt(shapes: readonly (readonly [alpha: number, beta: number])[]): Learner {
    const learner = betaLearner(shapes.length, { alpha: 0.5, beta: 0.5 })
    learner.restore({
      count: 0,
      successes: shapes.map(([alpha]) => alpha - 0.5),
      failures: shapes.map(([, beta]) => beta - 0.5),
    })
    return learner
  }

  function probabilityBest(learner: Learner, actions: number): Float64Array {
    const out = new Float64Array(actions)
    thompson(1, actions).probabilities(learner, everyAction, actions, out)
    return out
  }

  it('Thompson probabilities of ten betas', () => {
    const { alpha, beta, mean, var: variance, prob_best } = golden.beta_posterior_50
    const learner = learnt(alpha.map((a, i) => [a, beta[i]]))
    const probabilities = probabilityBest(learner, K)
    for (let a = 0; a < K; a++) {
      expect(learner.value[a]).toBeCloseTo(mean[a], 14)
      expect(learner.width[a] * learner.width[a]).toBeCloseTo(variance[a], 14)
      expect(Math.abs(probabilities[a] - prob_best[a])).toBeLessThan(1e-12)
    }
  })

  it('P(B > A) of two betas', () => {
    for (const { A, B, P_B_gt_A_closed_form } of golden.two_arm_prob) {
      // The closed form sums a thousand terms, and is the less exact of the two.
      expect(Math.abs(probabilityBest(learnt([A, B]), 2)[1] - P_B_gt_A_closed_form)).toBeLessThan(1e-12)
    }
  })

  it('KL-UCB indices', () => {
    for (const { S, n, t, klucb } of golden.klucb_indices) {
      expect(Math.abs(klUcbIndex(S / n, Math.log(t) / n) - klucb)).toBeLessThan(1e-12)
    }
  })

  it('UCB1 indices', () => {
    for (const { S, n, t, ucb1 } of golden.klucb_indices) {
      const learner = meanLearner(2)
      learner.restore({ counts: [n, t - n], sums: [S, 0] })
      expect(learner.value[0] + ucb1Bonus(2)(learner) * learner.width[0]).toBeCloseTo(ucb1, 12)
    }
  })
})
