import { describe, expect, it } from 'vitest'
import type { LearnerSpec } from '../../src/kinds.ts'
import { createLearner, learnerOf } from '../../src/policy/algorithm.ts'
import type { Learner, Passes, PassRows } from '../../src/policy/learner.ts'
import { fitHere } from '../../src/policy/passes.ts'
import { createStatistics, mergeStatistics } from '../../src/policy/statistics.ts'
import { goldenJson } from '../golden/read.ts'

interface Fitted {
  readonly theta: readonly (readonly number[])[]
  readonly logits: readonly number[]
  readonly spreads: readonly number[]
  readonly values: readonly number[]
  readonly widths: readonly number[]
}
interface Golden {
  readonly l2: number
  readonly rows: readonly { action: number; z: number[]; reward: number; propensity: number }[]
  readonly query: readonly (readonly number[])[]
  readonly shared: { readonly plain: Fitted; readonly weighted: Fitted }
  readonly each: { readonly plain: Fitted; readonly weighted: Fitted }
}

const golden = goldenJson<Golden>('logistic/logistic_ridge.json')
const { l2, rows, query } = golden
const ACTIONS = query.map((_, a) => `a${a}`)
const D = query[0].length

const batchOf = (of: Golden['rows'], weightOf: (row: Golden['rows'][number]) => number): PassRows => ({
  rows: of.length,
  x: Float64Array.from(of.flatMap(({ z }) => z)),
  action: Int32Array.from(of, ({ action }) => action),
  reward: Float64Array.from(of, ({ reward }) => reward),
  weight: Float64Array.from(of, weightOf),
})

/** Folded in parts and fitted, as `dap train` does. */
function fitted(learner: LearnerSpec, parts: number, weightOf: (row: Golden['rows'][number]) => number): Learner {
  const passes = learnerOf(learner).passes?.(learner, ACTIONS.length, D) as Passes
  const merged = mergeStatistics({ learner }, ACTIONS.length, D)
  const batches = Array.from({ length: parts }, (_, p) => {
    const part = rows.filter((_, i) => i % parts === p)
    const { sums, add } = createStatistics({ learner }, ACTIONS.length, D)
    for (const row of part) add(row.action, Float64Array.from(row.z), row.reward, weightOf(row))
    merged.merge(sums)
    return batchOf(part, weightOf)
  })
  const { counts, scale } = merged.worth()
  const made = createLearner(learner, ACTIONS, D)
  made.restore(fitHere(passes, batches, counts, scale).state())
  return made
}

const near = (found: ArrayLike<number>, expected: readonly number[]) => {
  for (const [i, number] of expected.entries())
    expect(Math.abs(found[i] - number)).toBeLessThan(1e-9 * Math.max(1, Math.abs(number)))
}

describe.each([
  ['shared', true],
  ['each', undefined],
] as const)('logistic regression, %s, by numpy', (kind, shared) => {
  const spec: LearnerSpec = { type: 'logistic', l2, intercept: false, ...(shared ? { shared } : {}) }
  it.each([
    ['plain', 1],
    ['plain', 7],
    ['weighted', 1],
    ['weighted', 3],
  ] as const)('%s, in so many parts: %i', (weights, parts) => {
    const learner = fitted(spec, parts, ({ propensity }) => (weights === 'plain' ? 1 : 1 / propensity))
    const { theta, logits, spreads, values, widths } = golden[kind][weights]
    const models = kind === 'shared' ? theta.slice(0, 1) : theta
    near(learner.state()['theta'] as number[], models.flat())
    for (const [a, row] of query.entries()) {
      // A learner with a model an action sees one row, and one that all share a row an action.
      learner.predict(kind === 'shared' ? Float64Array.from(query.flat()) : Float64Array.from(row))
      near([learner.value[a], learner.width[a]], [values[a], widths[a]])
      const posterior = learner.posterior(a, 2)
      if (posterior?.family !== 'normal') throw new Error('log-odds are normal')
      near([posterior.mean, posterior.sd], [logits[a], 2 * spreads[a]])
    }
  })
})
