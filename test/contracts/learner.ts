import { describe, expect, it } from 'vitest'
import { type Rng, stream } from '../../src/math/rng.ts'
import { betaQuantile } from '../../src/math/special.ts'
import type { Learner, LearnerDefinition, LearnerState } from '../../src/policy/learner.ts'

export interface LearnerSubject {
  /** A learner that knows nothing, of ACTIONS actions and DIMENSION features. */
  create(): Learner
  /** What it says of itself. */
  readonly definition: LearnerDefinition
}

export const ACTIONS = 4
export const DIMENSION = 3
/** So many of them, of a learner that has a model an action beside a shared one, are of the former. */
export const OWN = 2
/** Numbers of a context: a row an action. Learners with a model an action see the first alone. */
export const CONTEXT = ACTIONS * DIMENSION

/** Plays `rounds` rounds: a context, an action that is never the last one, a reward of 0 or 1. */
export function train(learner: Learner, rounds: number, rng: Rng): void {
  const x = new Float64Array(CONTEXT)
  for (let t = 0; t < rounds; t++) {
    writeContext(x, rng)
    const action = Math.floor(rng.uniform() * (ACTIONS - 1))
    learner.learn(
      action,
      x.subarray(action * DIMENSION, (action + 1) * DIMENSION),
      rng.uniform() < 0.2 + 0.2 * action ? 1 : 0,
    )
  }
}

export function writeContext(x: Float64Array, rng: Rng): void {
  for (let i = 0; i < x.length; i++) x[i] = i % DIMENSION === 0 ? 1 : rng.uniform() - 0.5
}

/** What every learner must do. */
export function learnerContract(name: string, { create, definition }: LearnerSubject): void {
  describe(`${name} is a learner`, () => {
    it('has one value and one width an action, and no NaN among them, from the start', () => {
      const learner = create()
      learner.predict(new Float64Array(CONTEXT))
      expect([...learner.value].filter(v => !Number.isNaN(v))).toHaveLength(ACTIONS)
      expect([...learner.width].filter(v => v >= 0)).toHaveLength(ACTIONS)
      expect(learner.count).toBe(0)
    })

    it('counts the rewards that it has learnt', () => {
      const learner = create()
      train(learner, 37, stream(1))
      expect(learner.count).toBe(37)
    })

    it('tells the rewards of each action apart, if it says so', () => {
      const learner = create()
      train(learner, 37, stream(1))
      expect(learner.counts !== undefined).toBe(definition.gives.includes('counts'))
      if (learner.counts === undefined) return
      const counted = create()
      const rng = stream(1, 'counts')
      const expected = new Float64Array(ACTIONS)
      for (let t = 0; t < 37; t++) {
        const action = Math.floor(rng.uniform() * (ACTIONS - 1))
        counted.learn(action, new Float64Array(DIMENSION), rng.uniform() < 0.5 ? 1 : 0)
        expected[action]++
      }
      expect(counted.counts).toEqual(expected)
      const restored = create()
      restored.restore(counted.state())
      expect(restored.counts).toEqual(expected)
    })

    if (definition.gives.includes('means')) {
      it('has the means of what it learnt for values, and nothing to say of what it has not', () => {
        const learner = create()
        const rng = stream(9)
        const sums = new Float64Array(ACTIONS)
        const counts = new Float64Array(ACTIONS)
        for (let t = 0; t < 50; t++) {
          const action = Math.floor(rng.uniform() * (ACTIONS - 1))
          const reward = rng.uniform() < 0.4 ? 1 : 0
          learner.learn(action, new Float64Array(DIMENSION), reward)
          sums[action] += reward
          counts[action]++
        }
        const means = Array.from(sums, (sum, a) => (counts[a] === 0 ? Infinity : sum / counts[a]))
        expect([...learner.value]).toEqual(means)
      })
    }

    it('changes with what it is taught exactly if it says that it learns', () => {
      const learner = create()
      const before = seen(learner)
      train(learner, 50, stream(10))
      expect(JSON.stringify(seen(learner)) !== JSON.stringify(before)).toBe(definition.learns)
    })

    if (definition.rewards === 'unit') {
      it('refuses a reward outside [0, 1], and stays as it was', () => {
        const learner = create()
        for (const reward of [-0.1, 1.1, Number.NaN]) {
          expect(() => learner.learn(0, new Float64Array(DIMENSION), reward)).toThrow(RangeError)
        }
        expect(learner.state()).toEqual(create().state())
      })
    }

    it('learns the same from the same', () => {
      const [one, other] = [create(), create()]
      train(one, 200, stream(2))
      train(other, 200, stream(2))
      expect(seen(one)).toEqual(seen(other))
      expect(one.state()).toEqual(other.state())
    })

    it('continues bit for bit from a state that went through JSON', () => {
      const whole = create()
      train(whole, 100, stream(3))
      const resumed = create()
      train(resumed, 5, stream(99))
      resumed.restore(JSON.parse(JSON.stringify(whole.state())) as LearnerState)
      expect(resumed.count).toBe(whole.count)
      expect(seen(resumed)).toEqual(seen(whole))
      train(whole, 100, stream(4))
      train(resumed, 100, stream(4))
      expect(seen(resumed)).toEqual(seen(whole))
      expect(JSON.stringify(resumed.state())).toBe(JSON.stringify(whole.state()))
    })

    it('refuses a state that is not its own, and stays as it was', () => {
      const learner = create()
      train(learner, 50, stream(5))
      const before = JSON.stringify(learner.state())
      const good = learner.state()
      const noCounts = typeof good['count'] === 'number' ? [-1, Infinity, Number.NaN] : []
      const bad: LearnerState[] = [
        {},
        ...Object.keys(good).map(key => ({ ...good, [key]: [Number.NaN] })),
        ...noCounts.map(count => ({ ...good, count })),
      ]
      for (const state of bad) expect(() => learner.restore(state)).toThrow(RangeError)
      expect(JSON.stringify(learner.state())).toBe(before)
    })

    if (!definition.gives.includes('posterior')) return
    it('draws from the posterior that it states', () => {
      const learner = create()
      train(learner, 60, stream(6))
      const x = new Float64Array(CONTEXT)
      writeContext(x, stream(7))
      learner.predict(x)
      const rng = stream(8)
      // The posterior's median splits the draws in halves: 4 standard deviations of 20,000 fair coins are 283.
      const median = medianOf(learner, 1)
      const posterior = learner.posterior(1, 1)
      if (posterior?.family === 'normal' && posterior.sd === 0) {
        expect(learner.draw(1, 1, rng)).toBe(median)
        return
      }
      let below = 0
      for (let i = 0; i < 20_000; i++) if (learner.draw(1, 1, rng) < median) below++
      expect(Math.abs(below - 10_000)).toBeLessThan(283)
    })

    it('draws models whose values are each as its posterior states, if it draws models', () => {
      const learner = create()
      train(learner, 60, stream(6))
      const x = new Float64Array(CONTEXT)
      writeContext(x, stream(7))
      learner.predict(x, false)
      const valuesOf = learner.models?.(0.5, 20_000, stream(13))
      if (valuesOf === undefined) return
      learner.predict(x)
      for (let a = 0; a < ACTIONS; a++) {
        const values = [...valuesOf(a)].slice(0, 20_000)
        const posterior = learner.posterior(a, 0.5)
        if (posterior?.family !== 'normal') throw new Error('values of models are normal')
        const within = (z: number) => values.filter(value => value < posterior.mean + z * posterior.sd).length / 20_000
        // Φ at −1, 0 and 1; 4 standard deviations of 20,000 draws are at most .0142.
        for (const [z, share] of [
          [-1, 0.158655],
          [0, 0.5],
          [1, 0.841345],
        ]) {
          expect(Math.abs(within(z) - share)).toBeLessThan(0.0142)
        }
      }
    })
  })
}

/** All that an exploration can see, in a fixed context. */
function seen(learner: Learner): { value: number[]; width: number[]; draws: number[] } {
  const x = new Float64Array(CONTEXT)
  writeContext(x, stream(11))
  learner.predict(x)
  const rng = stream(12)
  const draws = Array.from({ length: ACTIONS }, (_, a) => learner.draw(a, 1, rng))
  return { value: [...learner.value], width: [...learner.width], draws }
}

function medianOf(learner: Learner, action: number): number {
  const posterior = learner.posterior(action, 1)
  if (posterior === undefined) throw new Error('no posterior')
  return posterior.family === 'normal' ? posterior.mean : betaQuantile(0.5, posterior.alpha, posterior.beta)
}
