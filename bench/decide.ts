import type { ContextField, ExplorationSpec, LearnerSpec, PolicySpec } from '../src/kinds.ts'
import { probabilityBest } from '../src/math/quadrature.ts'
import { stream } from '../src/math/rng.ts'
import { decide } from '../src/policy/decide.ts'
import { createPolicy, type Policy } from '../src/policy/policy.ts'
import { verdict } from './measure.ts'

const DIMENSION = 20
const LINEAR: LearnerSpec = { type: 'linear', l2: 1, intercept: false }
/** With an intercept, four numbers of the context, three of the actions and their products it has 20 components, too. */
const SHARED: LearnerSpec = { type: 'linear', l2: 1, intercept: true, shared: true }
const HYBRID: LearnerSpec = { type: 'hybrid', l2: 1, intercept: false }
const BETA: LearnerSpec = { type: 'beta', prior: { alpha: 1, beta: 1 } }
const THOMPSON: ExplorationSpec = { type: 'thompson', scale: 1 }
const FIELDS: Record<string, ContextField> = {
  level: { type: 'integer', minimum: 1, default: 1 },
  x: { type: 'array', items: { type: 'number' }, minItems: DIMENSION, maxItems: DIMENSION },
}
const CONTEXTS = 64
const OF_ACTIONS = ['p', 'q', 'r']
const SHARED_FIELDS: Record<string, ContextField> = {
  x: { type: 'array', items: { type: 'number' }, minItems: 4, maxItems: 4 },
}
/** Of as many components as x has, half of which differ between actions. */
const HALF: Record<string, ContextField> = {
  x: { type: 'array', items: { type: 'number' }, minItems: DIMENSION / 2, maxItems: DIMENSION / 2 },
}

interface Case {
  readonly name: string
  readonly learner: LearnerSpec
  readonly exploration: ExplorationSpec
  readonly actions: number
  /** Microseconds that a decision may take. */
  readonly budget?: number
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
  { name: 'hybrid thompson', learner: HYBRID, exploration: THOMPSON, actions: 20 },
  {
    name: 'hybrid softmax',
    learner: HYBRID,
    exploration: { type: 'softmax', temperature: 0.1 },
    actions: 20,
  },
  { name: 'beta thompson', learner: BETA, exploration: THOMPSON, actions: 10 },
  { name: 'shared thompson', learner: SHARED, exploration: THOMPSON, actions: 50, budget: 400 },
  {
    name: 'shared 64 draws',
    learner: SHARED,
    exploration: { type: 'thompson', scale: 1, draws: 64 },
    actions: 500,
    budget: 700,
  },
  {
    name: 'shared squarecb',
    learner: SHARED,
    exploration: { type: 'squarecb', gamma: { scale: 1000, exponent: 0.5 }, ties: 'random' },
    actions: 50,
  },
]

/**
 * Microseconds of one decision, and of the integral that Thompson sampling takes: the least of many rounds. Without a context the
 * integral is remembered, so that it is paid for only after learning.
 */
export async function bench(): Promise<void> {
  console.log(`${'µs'.padEnd(24)}K    decide      integral    share`)
  for (const each of CASES) {
    const policy = trained(each)
    const contexts = Array.from({ length: CONTEXTS }, (_, i) => context(i, each.learner))
    let n = 0
    const whole = micros(() => decide(policy, { decisionId: `d${n}`, context: contexts[n++ % CONTEXTS] }))
    const cells = [whole.toFixed(1), '', '']
    if (each.exploration === THOMPSON) {
      const posteriors = contexts.map(({ x }) => {
        const rows = new Float64Array(policy.features.rows * policy.features.dimension)
        policy.features.write({ x }, rows)
        policy.learner.predict(rows)
        return policy.actions.map((_, a) => policy.learner.posterior(a, 1)).filter(p => p !== undefined)
      })
      const integral = micros(() => probabilityBest(posteriors[n++ % CONTEXTS]))
      const remembered = policy.features.dimension === 0
      cells[1] = integral.toFixed(1)
      cells[2] = remembered ? 'remembered' : `${((100 * integral) / whole).toFixed(0)} %`
    }
    const row = `${each.name.padEnd(24)}${String(each.actions).padEnd(5)}${cells.map(cell => cell.padEnd(12)).join('')}`
    console.log(`${row}${each.budget === undefined ? '' : verdict(whole <= each.budget)}`.trimEnd())
  }
  const budgets = CASES.filter(({ budget }) => budget !== undefined)
  console.log(`\nbudget: ${budgets.map(({ name, budget }) => `${name} ${budget} µs`).join(', ')}`)
}

function context(i: number, learner: LearnerSpec) {
  const rng = stream(2, i)
  const numbers = (count: number) => Array.from({ length: count }, () => rng.uniform() - 0.5)
  if (learner === HYBRID) return { x: numbers(DIMENSION / 2) }
  return learner === SHARED ? { x: numbers(4) } : { level: 1 + (i % 60), x: numbers(DIMENSION) }
}

/** What a policy is made of beside its algorithm: two of the actions have a rule, but for those that share a model. */
function described(learner: LearnerSpec, count: number): Pick<PolicySpec, 'context' | 'features' | 'actions'> {
  if (learner !== SHARED && learner !== HYBRID) {
    const actions = Array.from({ length: count }, (_, a) => ({
      id: `a${a}`,
      features: { price: a / count },
      ...(a === 1 ? { eligible: 'ctx.level >= 10' } : a === 2 ? { eligible: 'ctx.level >= 20 && ctx.x[0] < 0.4' } : {}),
    }))
    return { context: FIELDS, features: [{ field: 'x' }], actions }
  }
  const rng = stream(3)
  const actions = Array.from({ length: count }, (_, a) => ({
    id: `a${a}`,
    features: Object.fromEntries(OF_ACTIONS.map(name => [name, rng.uniform() - 0.5])),
  }))
  if (learner === HYBRID) return { context: HALF, features: [{ field: 'x' }, { cross: ['x', 'action.p'] }], actions }
  const own = OF_ACTIONS.map(action => ({ action }))
  const products = OF_ACTIONS.map(name => ({ cross: ['x', `action.${name}`] }))
  return { context: SHARED_FIELDS, features: [{ field: 'x' }, ...own, ...products], actions }
}

/** A policy of similar actions that has learnt from 200 rewards an action. */
function trained({ name, learner, exploration, actions }: Case): Policy {
  const spec: PolicySpec = {
    ...described(learner, actions),
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
