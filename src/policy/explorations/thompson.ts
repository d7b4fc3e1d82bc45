import type { ExplorationSpec } from '../../kinds.ts'
import { samePosterior } from '../../math/posterior.ts'
import { probabilityBest } from '../../math/quadrature.ts'
import type { Exploration, ExplorationDefinition } from '../exploration.ts'
import type { Posterior } from '../learner.ts'
import { pickMaximum } from './argmax.ts'
import { drawnThompson, shares } from './thompson-draws.ts'

export const thompsonExploration: ExplorationDefinition<Extract<ExplorationSpec, { type: 'thompson' }>> = {
  type: 'thompson',
  order: 50,
  description: 'Each action with the probability that it is the best, under the posterior.',
  options: {
    scale: {
      type: 'number',
      description:
        'Multiplies the standard deviation of the posterior of all learners but `beta`, for which it must be 1; 0.05 to 0.3 over `hashed`, whose posterior is too wide.',
      exclusiveMinimum: 0,
      maximum: 1000000,
      default: 1,
      examples: [0.5],
    },
    draws: {
      type: 'integer',
      description:
        "The probabilities are shares of this many draws from the posterior, seeded by the decision, of whole models where actions share one: for hundreds of actions. Default: integrals over each action's own posterior.",
      minimum: 1,
      maximum: 4096,
      examples: [64],
    },
  },
  needs: ['posterior'],
  rewards: 'any',
  names: {
    mean: { name: 'Gaussian Thompson sampling', paper: 'Agrawal, Goyal 2013' },
    beta: { name: 'Beta-Bernoulli Thompson sampling', paper: 'Thompson 1933' },
    linear: { name: 'LinTS', paper: 'Agrawal, Goyal 2013' },
    logistic: { name: 'Laplace Thompson sampling', paper: 'Russo, Van Roy, Kazerouni, Osband, Wen 2018' },
    hashed: { name: 'logistic Thompson sampling', paper: 'Chapelle, Li 2011' },
  },
  misfits({ scale }, { type, exactPosterior }) {
    if (scale === 1 || exactPosterior === undefined) return []
    const { reason, hint } = exactPosterior
    return [{ option: 'scale', message: `\`scale\` must be 1 over \`${type}\`, ${reason}`, hint }]
  },
  leavesOut: ({ draws }) => (draws === undefined ? undefined : 'draws'),
  create: ({ scale, draws }, _learner, actions) =>
    draws === undefined ? thompson(scale, actions) : drawnThompson(scale, draws, actions),
}

/**
 * Thompson sampling: each action as often as it is the best under the posterior. `sample` draws one value an action;
 * `probabilities` integrates. Uniform over the untried while there are any. Of a learner of several heads, which are all that it believes, each action as
 * often as a head has it best. `actions` is K.
 */
export function thompson(scale: number, actions: number): Exploration {
  const drawn = new Float64Array(actions)
  const integral = rememberIntegrals()
  return {
    sample(learner, eligible, count, rng) {
      const { heads } = learner
      if (heads !== undefined) {
        const { length } = heads(eligible[0])
        const head = Math.floor(rng.uniform() * length)
        for (let i = 0; i < count; i++) drawn[eligible[i]] = heads(eligible[i])[head]
        return pickMaximum(drawn, eligible, count, 'random', rng)
      }
      for (let i = 0; i < count; i++) drawn[eligible[i]] = learner.draw(eligible[i], scale, rng)
      return pickMaximum(drawn, eligible, count, 'random', rng)
    },
    probabilities(learner, eligible, count, out) {
      const { heads } = learner
      if (heads !== undefined) {
        shares(heads, heads(eligible[0]).length, eligible, count, out)
        return
      }
      out.fill(0)
      const posteriors: Posterior[] = []
      const untried: number[] = []
      let set = 0
      for (let i = 0; i < count; i++) {
        const posterior = learner.posterior(eligible[i], scale)
        if (posterior === undefined) untried.push(eligible[i])
        else posteriors.push(posterior)
        set = Math.imul(set, 31) + eligible[i] + 1
      }
      if (untried.length > 0) {
        for (const action of untried) out[action] = 1 / untried.length
        return
      }
      const best = integral(posteriors, set)
      for (let i = 0; i < count; i++) out[eligible[i]] = best[i]
    },
  }
}

const PLACES = 256

/**
 * `probabilityBest`, which without a context is asked for the same posteriors until one of them learns: the last answer of an eligible set
 * is kept, where `set`, any number made from it, says. It is only given again for equal posteriors.
 */
function rememberIntegrals(): (posteriors: readonly Posterior[], set: number) => Float64Array {
  const places: { readonly posteriors: readonly Posterior[]; readonly best: Float64Array }[] = []
  return (posteriors, set) => {
    const place = set & (PLACES - 1)
    const known = places[place]
    if (
      known?.posteriors.length === posteriors.length &&
      known.posteriors.every((p, i) => samePosterior(p, posteriors[i]))
    ) {
      return known.best
    }
    const best = probabilityBest(posteriors)
    places[place] = { posteriors, best }
    return best
  }
}
