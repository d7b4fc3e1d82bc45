import { probabilityBest } from '../../math/quadrature.ts'
import type { Exploration } from '../exploration.ts'
import type { Posterior } from '../learner.ts'
import { pickMaximum } from './argmax.ts'

/**
 * Thompson sampling: each action as often as it is the best under the posterior. `sample` draws one value an action;
 * `probabilities` integrates. Uniform over the untried while there are any. `actions` is K.
 */
export function thompson(scale: number, actions: number): Exploration {
  const drawn = new Float64Array(actions)
  return {
    usesWidths: true,
    sample(learner, eligible, count, rng) {
      for (let i = 0; i < count; i++) drawn[eligible[i]] = learner.draw(eligible[i], scale, rng)
      return pickMaximum(drawn, eligible, count, 'random', rng)
    },
    probabilities(learner, eligible, count, out) {
      out.fill(0)
      const posteriors: Posterior[] = []
      const untried: number[] = []
      for (let i = 0; i < count; i++) {
        const posterior = learner.posterior(eligible[i], scale)
        if (posterior === undefined) untried.push(eligible[i])
        else posteriors.push(posterior)
      }
      if (untried.length > 0) {
        for (const action of untried) out[action] = 1 / untried.length
        return
      }
      const best = probabilityBest(posteriors)
      for (let i = 0; i < count; i++) out[eligible[i]] = best[i]
    },
  }
}
