import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { DapError } from '../../src/errors.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { finish } from '../../src/simulate/finish.ts'
import { prepare } from '../../src/simulate/simulate.ts'

const ALGORITHMS = [
  { learner: { type: 'mean' }, exploration: { type: 'ucb', factor: 2 } },
  { learner: { type: 'mean' }, exploration: { type: 'thompson', scale: 1 } },
  { learner: { type: 'mean' }, exploration: { type: 'softmax', temperature: 0.1 } },
  { learner: { type: 'beta', prior: { alpha: 1, beta: 1 } }, exploration: { type: 'thompson' } },
  { learner: { type: 'beta', prior: { alpha: 1, beta: 1 } }, exploration: { type: 'epsilon-greedy', epsilon: 0.1 } },
  { learner: { type: 'linear', l2: 1 }, exploration: { type: 'ucb', alpha: 1 } },
  { learner: { type: 'linear', l2: 1 }, exploration: { type: 'thompson', scale: 1 } },
  { learner: { type: 'fixed', probabilities: { a: 0.5, b: 0.5 } } },
]

const WORLDS = [
  { type: 'bernoulli', means: { a: 0.1, b: 0.2 } },
  { type: 'linear', means: { a: 0.1, b: { intercept: 1, weights: { level: 0.1, vector: [1, -1] } } }, noise: 0.5 },
  { type: 'logistic', logits: { a: -1, b: 'ctx.spend * 0.1 - ctx.hidden' } },
]

const NUMBERS = [0, 1, -1, 2, 0.5, 1.5, 100, 1e-9, 1e9, 1e-300, 1e300]

/** A policy with every transform, and a scenario with every distribution, of which up to two numbers are others. */
const documents = fc
  .tuple(
    fc.constantFrom(...ALGORITHMS),
    fc.constantFrom(...WORLDS),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom(...NUMBERS)), { maxLength: 2 }),
  )
  .map(([algorithm, world, edits]) => {
    const policy = resource('Policy', {
      unit: 'id',
      context: {
        id: { type: 'string' },
        level: { type: 'integer', minimum: 1, maximum: 60 },
        spend: { type: 'number', minimum: 0 },
        rating: { type: 'number' },
        vip: { type: 'boolean' },
        os: { type: 'string', enum: ['x', 'y'] },
        vector: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 },
        sessions: { type: 'integer', default: 3 },
      },
      features: [
        { field: 'level', transform: 'log1p' },
        { field: 'spend', transform: 'bucketize', edges: [1, 5] },
        { field: 'rating', transform: 'standardize', mean: 3, sd: 2 },
        { field: 'os' },
        { field: 'vip' },
        { field: 'vector' },
      ],
      actions: [{ id: 'a' }, { id: 'b', eligible: 'ctx.level >= 2' }],
      algorithm,
      guardrails: { minProbability: 0.05, holdout: { fraction: 0.1, action: 'a' } },
    })
    const scenario = resource('Scenario', {
      world,
      population: {
        units: 10,
        context: {
          level: { negativeBinomial: { mean: 20, dispersion: 1.5 } },
          spend: { logNormal: { mean: 0, sd: 1 } },
          rating: { uniform: { min: 1, max: 5 } },
          vip: { bernoulli: { p: 0.5 } },
          os: { categorical: { x: 0.5, y: 0.5 } },
          vector: { normal: { mean: 0, sd: 1 } },
          sessions: { poisson: { mean: 4 } },
          ...(world.type === 'logistic' ? { hidden: { exponential: { mean: 2 } } } : {}),
        },
      },
      policies: ['p', 'uniform', 'oracle'],
      horizon: 30,
      replications: 2,
      seed: 1,
      level: 0.9,
      checkpoints: [10, 20],
    })
    const places = [policy, scenario].flatMap(numbersIn)
    for (const [at, value] of edits) places[at % places.length](value)
    return [policy, scenario]
  })

const resource = (kind: string, spec: unknown): unknown =>
  structuredClone({ apiVersion: 'dap/v1', kind, metadata: { name: 'p' }, spec })

/** A setter for every number of a document. */
function numbersIn(node: unknown): ((value: number) => void)[] {
  if (typeof node !== 'object' || node === null) return []
  const record = node as Record<string, unknown>
  return Object.keys(record).flatMap(key =>
    typeof record[key] === 'number'
      ? [
          (value: number) => {
            record[key] = value
          },
        ]
      : numbersIn(record[key]),
  )
}

describe('whatever validate accepts', () => {
  it('simulates to finite numbers or stops with a hint, and is never a bug', async () => {
    let played = 0
    await fc.assert(
      fc.asyncProperty(documents, async ([policy, scenario]) => {
        const text = `${stringify(policy)}---\n${stringify(scenario)}`
        const repository = await loadRepository([{ path: 'all.yaml', text }])
        const [found] = repository.all('Scenario')
        if (found === undefined || repository.diagnostics.some(({ severity }) => severity === 'error')) return
        if (found.spec.horizon * found.spec.replications > 20_000) return
        try {
          const simulation = prepare({ scenario: found, policies: repository.all('Policy') })
          const result = finish(simulation, [simulation.play(0, found.spec.replications)])
          expect(JSON.stringify(result)).not.toContain('null')
          played++
        } catch (error) {
          if (!(error instanceof DapError)) throw error
          expect(error.hint).toBeDefined()
        }
      }),
      { numRuns: 3000 },
    )
    expect(played).toBeGreaterThan(1000)
  })
})
