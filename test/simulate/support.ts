import type { ActionSpec, AlgorithmSpec, ContextField, PolicySpec, ScenarioSpec } from '../../src/kinds.ts'
import type { SimulationResult } from '../../src/results.ts'
import { finish } from '../../src/simulate/finish.ts'
import type { Named } from '../../src/simulate/players.ts'
import { prepare } from '../../src/simulate/simulate.ts'

export const ucb1: AlgorithmSpec = {
  learner: { type: 'mean' },
  exploration: { type: 'ucb', factor: 2, ties: 'random' },
}
export const epsilonGreedy: AlgorithmSpec = {
  learner: { type: 'mean' },
  exploration: { type: 'epsilon-greedy', epsilon: 0.1, ties: 'random' },
}
export const betaThompson: AlgorithmSpec = {
  learner: { type: 'beta', prior: { alpha: 1, beta: 1 } },
  exploration: { type: 'thompson', scale: 1 },
}
export const always = (action: string): AlgorithmSpec => ({
  learner: { type: 'fixed', probabilities: { [action]: 1 } },
})

export interface PolicyOptions {
  readonly algorithm?: AlgorithmSpec
  readonly actions?: readonly (string | ActionSpec)[]
  readonly context?: Readonly<Record<string, ContextField>>
  readonly unit?: string
  readonly guardrails?: Partial<PolicySpec['guardrails']>
  readonly decision?: PolicySpec['decision']
  readonly features?: PolicySpec['features']
  readonly credit?: PolicySpec['reward']['credit']
}

export function policy(
  name: string,
  {
    algorithm = ucb1,
    actions = ['a', 'b'],
    context = {},
    unit,
    guardrails,
    decision = { type: 'single' },
    features,
    credit,
  }: PolicyOptions = {},
): Named<PolicySpec> {
  const spec: PolicySpec = {
    unit,
    context,
    actions: actions.map(action => (typeof action === 'string' ? { id: action } : action)),
    decision,
    ...(features === undefined ? {} : { features }),
    mode: 'online',
    algorithm,
    guardrails: { minProbability: 0, ...guardrails },
    reward: { name: 'reward', type: 'number', wait: '1h', default: 0, ...(credit === undefined ? {} : { credit }) },
  }
  return { name, spec, digest: `digest of ${name}` }
}

export function scenario(spec: Partial<ScenarioSpec> = {}): Named<ScenarioSpec> {
  return {
    name: 'quiet-week',
    digest: 'digest of quiet-week',
    spec: {
      world: { type: 'bernoulli', means: { a: 0.5, b: 0.4 } },
      policies: ['uniform'],
      horizon: 500,
      replications: 20,
      seed: 7,
      level: 0.95,
      expect: [],
      ...spec,
    },
  }
}

/** Plays a scenario in one go; it plays the given policies unless it names others. */
export function simulate(
  spec: Partial<ScenarioSpec>,
  policies: readonly Named<PolicySpec>[] = [],
  chunk = Number.POSITIVE_INFINITY,
): SimulationResult {
  const names = policies.map(({ name }) => name)
  const simulation = prepare({ scenario: scenario({ policies: names, ...spec }), policies })
  const { replications } = simulation.scenario.spec
  const parts = []
  for (let from = 0; from < replications; from += chunk) {
    parts.push(simulation.play(from, Math.min(replications, from + chunk)))
  }
  return finish(simulation, parts)
}

export async function everyOne<T>(records: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const record of records) all.push(record)
  return all
}
