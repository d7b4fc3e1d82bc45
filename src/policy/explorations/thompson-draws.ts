import type { Rng } from '../../math/rng.ts'
import type { Exploration } from '../exploration.ts'
import type { Learner } from '../learner.ts'
import { pickMaximum } from './argmax.ts'

/**
 * Thompson sampling whose `probabilities` are shares of `draws` draws from the posterior: of whole models where the actions share one, else
 * of each action's value by itself. Draws that several lead are shared evenly; an untried action, whose value is +∞, leads them all. Given
 * the seed these are the exact probabilities of what is then chosen by them, by a number that the draws know nothing of; an action that leads none
 * has only the floor. `actions` is K.
 */
export function drawnThompson(scale: number, draws: number, actions: number): Exploration {
  const drawn = new Float64Array(actions)
  return {
    seeded: true,
    sample(learner, eligible, count, rng) {
      const valuesOf = drawer(learner, scale, 1, rng)
      for (let i = 0; i < count; i++) drawn[eligible[i]] = valuesOf(eligible[i])[0]
      return pickMaximum(drawn, eligible, count, 'random', rng)
    },
    probabilities(learner, eligible, count, out, rng) {
      if (rng === undefined) throw new RangeError('thompson: draws need a decision that seeds them')
      shares(drawer(learner, scale, draws, rng), draws, eligible, count, out)
    },
  }
}

/** How often each action leads, of `models` models of which `valuesOf` gives an action's value by each. Several that lead share evenly. */
export function shares(
  valuesOf: (action: number) => Float64Array,
  models: number,
  eligible: Int32Array,
  count: number,
  out: Float64Array,
): void {
  out.fill(0)
  const best = new Float64Array(models).fill(-Infinity)
  const leaders = Array.from(best, (): number[] => [])
  for (let i = 0; i < count; i++) {
    const values = valuesOf(eligible[i])
    for (let m = 0; m < models; m++) {
      // No number leads nothing, and the sum shows it.
      if (!(values[m] >= best[m])) continue
      if (values[m] > best[m]) leaders[m].length = 0
      best[m] = values[m]
      leaders[m].push(eligible[i])
    }
  }
  for (const led of leaders) for (const action of led) out[action] += 1 / led.length
  for (let i = 0; i < count; i++) out[eligible[i]] /= models
}

/** What gives that many draws of an action's value, overwritten by the next action's. */
function drawer(learner: Learner, scale: number, draws: number, rng: Rng): (action: number) => Float64Array {
  if (learner.models !== undefined) return learner.models(scale, draws, rng)
  const values = new Float64Array(draws)
  return action => {
    for (let m = 0; m < draws; m++) values[m] = learner.draw(action, scale, rng)
    return values
  }
}
