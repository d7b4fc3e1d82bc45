import { resource } from './repository.ts'

/** A repository whose policy `offer` is played for a week of 1,000 decisions, beside others that are named: what makes a log to look at. */
export function offerWeek(others: readonly string[] = []): Readonly<Record<string, string>> {
  return {
    'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }'),
    'policies/offer.yaml': resource(
      'Policy',
      'offer',
      'unit: player\ncontext: { player: { type: string }, level: { type: integer, minimum: 1 } }\nactions: [{ id: none }, { id: gold, eligible: ctx.level >= 3 }]\nalgorithm: { learner: { type: beta }, exploration: { type: thompson } }\nguardrails: { minProbability: 0.05 }\nreward: { name: purchase, type: binary, wait: 1h }',
    ),
    'scenarios/week.yaml': resource(
      'Scenario',
      'week',
      `world: { type: bernoulli, means: { none: 0.1, gold: 0.3 } }\npopulation: { units: 100, context: { level: { poisson: { mean: 5 } } } }\npolicies: [${[...others, 'offer'].join(', ')}]\nhorizon: 1000\nreplications: 5`,
    ),
  }
}
