import type { ContextField, ExplorationSpec, LearnerSpec, PolicySpec } from '../src/kinds.ts'
import { probabilityBest } from '../src/math/quadrature.ts'
import { stream } from '../src/math/rng.ts'
import { decide } from '../src/policy/decide.ts'
import { createPolicy, type Policy } from '../src/policy/policy.ts'

const DIMENSION = 20
const LINEAR: LearnerSpec = { type: 'linear', l2: 1, intercept: false }
const SHARED: LearnerSpec = { type: 'linear', l2: 1, intercept: false, shared: true }
const HYBRID: LearnerSpec = { type: 'hybrid', l2: 1, intercept: false }
const BETA: LearnerSpec = { type: 'beta', prior: { alpha: 1, beta: 1 } }
const THOMPSON: ExplorationSpec = { type: 'thompson', scale: 1 }
const FIELDS: Record<string, ContextField> = {
  level: { type: 'integer', minimum: 1, default: 1 },
  x: { type: 'array', items: { type: 'number' }, minItems: DIMENSION, maxItems: DIMENSION },
  half: { type: 'array', items: { type: 'number' }, minItems: DIMENSION / 2, maxItems: DIMENSION / 2 },
}
/** Of as many components as x has, half of which differ between actions. */
const OF_ACTIONS: PolicySpec['features'] = [{ field: 'half' }, { cross: ['half', 'action.price'] }]
const CONTEXTS = 64

interface Case {
  readonly name: string
  readonly learner: LearnerSpec
  readonly exploration: ExplorationSpec
  readonly actions: number
  readonly features?: PolicySpec['features']
}

const CASES: readonly Case[] = [
  { name: 'linear thompson', learner: LINEAR, exploration: THOMPSON, actions: 20 },
  {
    name: 'linear epsilon-greedy',
    learner: LINEAR,
    exploration: { type: 'epsilon-greedy', epsilon: 0.1, ties: 'random' },
    actions: 20,
  },
  { name: 'linear softmax', learner: LINEAR, exploration: { type: 'softmax', temperature: 0.1 }, actions: 20 },
  { name: 'shared thompson', learner: SHARED, exploration: THOMPSON, actions: 20, features: OF_ACTIONS },
  {
    name: 'shared softmax',
    learner: SHARED,
    exploration: { type: 'softmax', temperature: 0.1 },
    actions: 20,
    features: OF_ACTIONS,
  },
  { name: 'hybrid thompson', learner: HYBRID, exploration: THOMPSON, actions: 20, features: OF_ACTIONS },
  {
    name: 'hybrid softmax',
    learner: HYBRID,
    exploration: { type: 'softmax', temperature: 0.1 },
    actions: 20,
    features: OF_ACTIONS,
  },
  { name: 'beta thompson', learner: BETA, exploration: THOMPSON, actions: 10 },
]

/**
 * Microseconds of one decision, and of the integral that Thompson sampling takes: the least of many rounds. Without a context the
 * integral is remembered, so that it is paid for only after learning.
 */
export async function bench(): Promise<void> {
  console.log(`${'µs'.padEnd(24)}K    decide    integral  share`)
  for (const each of CASES) {
    const policy = trained(each)
    const contexts = Array.from({ length: CONTEXTS }, (_, i) => context(i))
    let n = 0
    const whole = micros(() => decide(policy, { decisionId: `d${n}`, context: contexts[n++ % CONTEXTS] }))
    const cells = [whole.toFixed(1)]
    if (each.exploration === THOMPSON) {
      const row = new Float64Array(policy.features.rows * policy.features.dimension)
      const posteriors = contexts.map(each => {
        policy.features.write(each, row)
        policy.learner.predict(row)
        return policy.actions.map((_, a) => policy.learner.posterior(a, 1)).filter(p => p !== undefined)
      })
      const integral = micros(() => probabilityBest(posteriors[n++ % CONTEXTS]))
      const remembered = policy.features.dimension === 0
      cells.push(integral.toFixed(1), remembered ? 'remembered' : `${((100 * integral) / whole).toFixed(0)} %`)
    }
    console.log(
      `${each.name.padEnd(24)}${String(each.actions).padEnd(5)}${cells.map(cell => cell.padEnd(10)).join('')}`,
    )
  }
}

function context(i: number) {
  const rng = stream(2, i)
  const x = Array.from({ length: DIMENSION }, () => rng.uniform() - 0.5)
  return { level: 1 + (i % 60), x, half: x.slice(DIMENSION / 2) }
}

/** A policy of similar actions, two of them with a rule, that has learnt from 200 rewards an action. */
function trained({ name, learner, exploration, actions, features = [{ field: 'x' }] }: Case): Policy {
  const spec: PolicySpec = {
    context: FIELDS,
    features,
    actions: Array.from({ length: actions }, (_, a) => ({
      id: `a${a}`,
      features: { price: a / actions },
      ...(a === 1 ? { eligible: 'ctx.level >= 10' } : a === 2 ? { eligible: 'ctx.level >= 20 && ctx.x[0] < 0.4' } : {}),
    })),
    decision: { type: 'single' },
    mode: 'online',
    algorithm: { learner, exploration },
    guardrails: { minProbability: 0.001 },
    reward: { name: 'reward', type: 'number', wait: '1h', default: 0 },
  }
  const policy = createPolicy(name, spec, 'sha256:bench')
  const rng = stream(1)
  const x = new Float64Array(policy.features.dimension)
  for (let t = 0; t < 200 * actions; t++) {
    for (let i = 0; i < x.length; i++) x[i] = rng.uniform() - 0.5
    policy.learner.learn(t % actions, x, rng.uniform() < 0.05 + 0.002 * (t % actions) ? 1 : 0)
  }
  return policy
}

function micros(run: () => void): number {
  let least = Infinity
  for (let round = 0; round < 30; round++) {
    const start = performance.now()
    for (let i = 0; i < 500; i++) run()
    least = Math.min(least, (performance.now() - start) / 500)
  }
  return 1000 * least
}
