import { describe, expect, it } from 'vitest'
import type { RowColumns, SlotColumns } from '../../../src/evaluate/estimators/series.ts'
import { additiveWeights } from '../../../src/evaluate/lists/additive.ts'
import type { ListEstimator } from '../../../src/evaluate/lists/estimators/list-estimator.ts'
import { LIST_ESTIMATORS } from '../../../src/evaluate/lists/estimators/list-estimators.ts'
import { mixtureMarginals, visitedMarginals } from '../../../src/evaluate/lists/marginals.ts'
import { MOST_PREFIXES, visitPrefixes } from '../../../src/evaluate/lists/prefixes.ts'
import { goldenJson } from '../../golden/read.ts'
import { conditionals, mixtureSlots } from '../support/mixture.ts'

interface Slates {
  readonly alpha: readonly number[]
  readonly q: readonly (readonly number[])[]
  readonly weights_log: readonly (readonly number[])[]
  readonly weights_eval: readonly (readonly number[])[]
  readonly rows: readonly (readonly [context: number, list: readonly number[], rewards: readonly number[]])[]
  readonly expected: Readonly<Record<string, number>> & { readonly max_weight: { readonly pi: number } }
}

const SLOTS = 3
const ACTIONS = 6
const slates = goldenJson<Slates>('rankings/slates.json')
const { alpha, q, rows, expected } = slates

const share = (weights: readonly number[]) => weights.map(w => w / weights.reduce((sum, x) => sum + x, 0))
const contexts = q.map((values, c) => {
  const log = () => mixtureSlots(slates.weights_log[c], 0.1)
  const candidate = () => mixtureSlots(slates.weights_eval[c], 0.02)
  return {
    log,
    candidate,
    logMarginals: mixtureMarginals(share(slates.weights_log[c]), 0.1, SLOTS),
    marginals: mixtureMarginals(share(slates.weights_eval[c]), 0.02, SLOTS),
    predict: (slot: number, action: number) => 0.8 * alpha[slot] * values[action],
  }
})

/** What the model expects of the slots below these, under the candidate; by all that can stand there. */
function expectedBelow(c: number, above: readonly number[]): number {
  const { candidate, predict } = contexts[c]
  const walk = candidate()
  for (const action of above) walk.take(action)
  let sum = 0
  visitPrefixes(walk, ACTIONS, SLOTS - above.length, (action, probability, between) => {
    sum += probability * predict(above.length + between.length, action)
  })
  return sum
}

const below = new Map<string, number>()
function rest(c: number, above: readonly number[]): number {
  const key = `${c}:${above.join()}`
  const known = below.get(key) ?? expectedBelow(c, above)
  below.set(key, known)
  return known
}

function columns(): RowColumns {
  const n = rows.length
  const numbers = () => new Float64Array(n)
  const slots: SlotColumns[] = alpha.map(() => ({
    prefix: numbers(),
    placed: numbers(),
    reward: numbers(),
    value: numbers(),
    predicted: numbers(),
  }))
  const whole = { weight: numbers(), probability: numbers(), reward: numbers(), value: numbers(), predicted: numbers() }
  for (const [i, [c, list, rewards]] of rows.entries()) {
    const { log, candidate, logMarginals, marginals, predict } = contexts[c]
    const [p, pi] = [conditionals(log(), list, ACTIONS), conditionals(candidate(), list, ACTIONS)]
    let weight = 1
    for (const [k, action] of list.entries()) {
      weight *= pi[k] / p[k]
      slots[k].prefix[i] = weight
      slots[k].placed[i] = marginals[k * ACTIONS + action] / logMarginals[k * ACTIONS + action]
      slots[k].reward[i] = rewards[k]
      slots[k].value[i] = rest(c, list.slice(0, k))
      slots[k].predicted[i] = predict(k, action) + (k + 1 < SLOTS ? rest(c, list.slice(0, k + 1)) : 0)
      whole.reward[i] += rewards[k]
    }
    whole.weight[i] = weight
  }
  return { rows: n, ...whole, slots }
}

const all = columns()
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, x) => sum + x, 0) / rows.length
const meanOf = (series: { of(columns: RowColumns, out: Float64Array): Float64Array }) =>
  mean(series.of(all, new Float64Array(rows.length)))
const estimate = ({ mean: plain, ratios = [] }: ListEstimator) =>
  (plain === undefined ? 0 : meanOf(plain)) +
  ratios.reduce((sum, { over, under }) => sum + meanOf(over) / meanOf(under), 0)
const estimator = (type: string) => {
  const found = LIST_ESTIMATORS.find(each => each.type === type)
  if (found === undefined) throw new Error(`there is no ${type}`)
  return found.create(type, SLOTS)
}

describe('estimators of lists', () => {
  for (const [type, key] of [
    ['sips', 'sips_obp'],
    ['iips', 'iips_obp'],
    ['rips', 'rips_obp'],
    ['snsips', 'snsips'],
    ['sniips', 'sniips'],
    ['snrips', 'snrips'],
    ['cascade-dr', 'cascade_dr_np'],
  ]) {
    it(`agree: ${type}`, () => {
      expect(Math.abs(estimate(estimator(type)) - expected[key])).toBeLessThan(1e-9)
    })
  }

  it('agree: pi, by the weights of the pseudo-inverse', () => {
    const weights = contexts.map(({ log, marginals }) => additiveWeights(log(), marginals, ACTIONS, SLOTS))
    const additive = Float64Array.from(rows, ([c, list]) =>
      list.reduce((sum, action, k) => sum + (weights[c]?.[k * ACTIONS + action] ?? Number.NaN), 0),
    )
    const { mean: series } = estimator('pi')
    const found = series?.of({ ...all, additive }, new Float64Array(rows.length)) ?? []
    expect(Math.abs(mean(found) - expected['pi_np'])).toBeLessThan(1e-9)
    expect(Math.abs(mean(additive) - expected['pi_mean_weight'])).toBeLessThan(1e-9)
    expect(Math.abs(Math.max(...additive) - expected.max_weight.pi)).toBeLessThan(1e-9)
  })
})

describe('visited marginals', () => {
  it('are those of the integral', () => {
    for (const { candidate, marginals } of contexts) {
      const visited = visitedMarginals(candidate(), ACTIONS, SLOTS) ?? []
      for (const [at, p] of marginals.entries()) expect(Math.abs(visited[at] - p)).toBeLessThan(1e-12)
    }
  })

  it('are not there where lists are too many', () => {
    // 1 + 20 + 380 + 6,840 vectors are asked for, and then 116,280 more.
    const walk = mixtureSlots(
      Array.from({ length: 20 }, () => 1),
      0,
    )
    expect(visitedMarginals(walk, 20, 3)).toBeDefined()
    expect(MOST_PREFIXES).toBe(20_000)
    expect(visitedMarginals(walk, 20, 5)).toBeUndefined()
  })
})
