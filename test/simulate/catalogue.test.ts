import { describe, expect, it } from 'vitest'
import type { PolicySpec, ScenarioSpec, WorldSpec } from '../../src/kinds.ts'
import type { Pool } from '../../src/policy/pool.ts'
import { finish } from '../../src/simulate/finish.ts'
import { prepare } from '../../src/simulate/simulate.ts'
import { stage } from '../../src/simulate/stage.ts'
import { createWorld } from '../../src/simulate/worlds/worlds.ts'
import { worldContract } from '../contracts/world.ts'
import { policySpec } from '../policy/support.ts'

type Spec = Extract<WorldSpec, { type: 'catalogue' }>

const GENRES = { categorical: { puzzle: 0.5, card: 0.3, arcade: 0.2 } }
const FIELDS = { platform: { type: 'string', enum: ['ios', 'android'] } } as const
const CONTEXTS = [{ platform: 'ios' }, { platform: 'android' }]

const base: Spec = { type: 'catalogue', items: 200, offered: 10, features: {}, logit: 0, effects: [] }
const world = (changes: Partial<Spec>) => createWorld({ ...base, ...changes }, FIELDS)

/** What so many rounds of a replication offer. */
function offered(changes: Partial<Spec>, rounds: number, { seed = 1, replication = 0 } = {}): Pool[] {
  const { offers } = world(changes)
  offers?.start(seed, replication, seed)
  return Array.from({ length: rounds }, () => offers?.next() as Pool)
}

for (const logit of [-2.2, "ctx.platform == 'ios' && action.genre == 'card' ? 0.5 : -1.0"]) {
  const spec: Spec = {
    ...base,
    logit,
    features: { genre: GENRES },
    effects: [{ of: ['platform', 'action.genre'], sd: 1 }],
  }
  worldContract(
    `a catalogue whose logit is ${logit}`,
    () => {
      const made = createWorld(spec, FIELDS)
      made.offers?.start(3, 0, 3)
      const pool = made.offers?.next()
      return { ...made, means: (context, out, offset) => made.means(context, out, offset, pool) }
    },
    CONTEXTS,
    'unit',
  )
}

describe('a catalogue', () => {
  it('offers different items in each round, each as often as any other', () => {
    const rounds = offered({ items: 20, offered: 5 }, 4000)
    const times = new Map<string, number>()
    for (const { ids } of rounds) {
      expect(new Set(ids).size).toBe(5)
      for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1)
    }
    expect(times.size).toBe(20)
    // 1,000 expected, sd 27.4
    for (const count of times.values()) expect(Math.abs(count - 1000)).toBeLessThan(4 * 27.4)
  })

  it('is the same for every policy and every run, and another in each replication and by each seed', () => {
    const changes = { features: { genre: GENRES }, renewal: { every: 10, share: 0.5 } }
    const once = offered(changes, 50)
    expect(offered(changes, 50)).toEqual(once)
    expect(offered(changes, 50, { replication: 1 })).not.toEqual(once)
    expect(offered(changes, 50, { seed: 2 })).not.toEqual(once)
  })

  it('replaces that share of its items that often', () => {
    const rounds = offered({ items: 400, offered: 400, renewal: { every: 3, share: 0.25 } }, 7)
    const fresh = rounds.map(({ ids }, i) => ids.filter(id => !rounds[Math.max(0, i - 1)].ids.includes(id)).length)
    // At rounds 3 and 6 alone: 100 expected, sd 8.7.
    expect(fresh.map(count => count > 0)).toEqual([false, false, false, true, false, false, true])
    for (const count of [fresh[3], fresh[6]]) expect(Math.abs(count - 100)).toBeLessThan(4 * 8.7)
  })

  it('draws effects of the stated size, which drift without growing', () => {
    const spec = { items: 400, offered: 400, effects: [{ of: ['action.id'], sd: 0.8 }], drift: { every: 1, by: 0.6 } }
    const made = world(spec)
    made.offers?.start(5, 0, 5)
    const logits = Array.from({ length: 12 }, () => {
      const pool = made.offers?.next() as Pool
      const means = new Float64Array(400)
      made.means(CONTEXTS[0], means, 0, pool)
      return new Map(pool.ids.map((id, i) => [id, Math.log(means[i] / (1 - means[i]))]))
    })
    const numbers = (round: number) => [...logits[round].values()]
    const sd = (list: readonly number[]) => Math.sqrt(list.reduce((sum, x) => sum + x * x, 0) / list.length)
    // The standard error of a standard deviation of 400 numbers is sd/√800.
    for (const round of [0, 1, 11]) expect(Math.abs(sd(numbers(round)) - 0.8)).toBeLessThan((4 * 0.8) / Math.sqrt(800))
    const correlation = (a: number, b: number) =>
      [...logits[a]].reduce((sum, [id, x]) => sum + x * (logits[b].get(id) as number), 0) / (400 * 0.64)
    expect(correlation(3, 4)).toBeGreaterThan(0.8 - 0.15)
    expect(correlation(3, 4)).toBeLessThan(0.8 + 0.15)
    expect(Math.abs(correlation(0, 11) - 0.8 ** 11)).toBeLessThan(0.2)
  })
})

describe('policies in a catalogue', () => {
  const policy = (name: string, changes: Partial<PolicySpec>) => ({
    name,
    digest: name,
    spec: {
      ...policySpec(),
      unit: undefined,
      context: { platform: { type: 'string', enum: ['ios', 'android'] } },
      actions: {
        from: 'request',
        max: 20,
        features: {
          genre: { type: 'string', enum: ['puzzle', 'card', 'arcade'] },
          price: { type: 'number', default: 1 },
        },
        eligible: 'action.price < 3.0',
      },
      features: [{ action: 'genre' }, { cross: ['platform', 'action.genre'] }],
      algorithm: {
        learner: { type: 'linear', l2: 1, intercept: true, shared: true },
        exploration: { type: 'squarecb', gamma: { scale: 1000, exponent: 0.5 }, ties: 'random' },
      },
      guardrails: { minProbability: 0 },
      ...changes,
    } as PolicySpec,
  })
  const scenario = (policies: string[], changes: Partial<Spec> = {}) => ({
    name: 'shelf',
    digest: 'shelf',
    spec: {
      policies,
      horizon: 3000,
      replications: 6,
      seed: 4,
      level: 0.95,
      expect: [],
      population: { context: { platform: { categorical: { ios: 0.5, android: 0.5 } } } },
      world: {
        ...base,
        logit: -1.5,
        features: { genre: GENRES, price: { uniform: { min: 0, max: 4 } } },
        effects: [{ of: ['platform', 'action.genre'], sd: 1 }],
        ...changes,
      },
    } as unknown as ScenarioSpec,
  })

  it('learn what items have in common, and with less to see learn less', () => {
    const blind = { features: [{ action: 'price' }] } as Partial<PolicySpec>
    const plan = {
      scenario: scenario(['seeing', 'blind', 'uniform', 'oracle']),
      policies: [policy('seeing', {}), policy('blind', blind)],
    }
    const simulation = prepare(plan)
    const result = finish(simulation, [simulation.play(0, 6)])
    const [seeing, sightless, uniform, oracle] = result.policies.map(({ reward }) => reward.mean)
    const share = (mean: number) => (mean - uniform) / (oracle - uniform)
    expect(share(seeing)).toBeGreaterThan(0.55)
    expect(share(seeing)).toBeLessThan(0.8)
    expect(Math.abs(share(sightless))).toBeLessThan(0.1)
    // Chunks of replications are the same as all at once.
    const parts = [simulation.play(4, 6), simulation.play(0, 4)]
    expect(finish(prepare(plan), parts).digest).toBe(result.digest)
  })

  it('meet the same items, worth the same, in another round of play', () => {
    const plan = { scenario: scenario(['seeing']), policies: [policy('seeing', {})] }
    const met = (seed: number) => {
      const rounds = [...stage(plan, plan.policies[0], { seed })].slice(0, 400)
      return new Map(rounds.flatMap(({ actions = [] }) => actions.map(({ id, features }) => [id, features])))
    }
    const [one, other] = [met(1), met(2)]
    expect([...one.keys()].join()).not.toBe([...other.keys()].join())
    expect(one.size).toBeGreaterThan(150)
    for (const [id, features] of one) if (other.has(id)) expect(other.get(id)).toEqual(features)
    const rewards = (seed: number) => {
      const rounds = [...stage(plan, plan.policies[0], { seed })]
      const of = (platform: string, genre: string) => {
        const seen = rounds.flatMap(({ context, actions = [], rewardsOf }) =>
          context['platform'] === platform
            ? actions.flatMap(({ features }, a) => (features?.['genre'] === genre ? rewardsOf([a]) : []))
            : [],
        )
        return seen.reduce((sum, reward) => sum + reward, 0) / seen.length
      }
      return ['ios', 'android'].flatMap(platform => Object.keys(GENRES.categorical).map(genre => of(platform, genre)))
    }
    // Means of some 1,500 to 7,500 clicks.
    for (const [i, mean] of rewards(1).entries()) expect(Math.abs(mean - rewards(2)[i])).toBeLessThan(0.06)
  })

  it('take nothing where nothing may be taken', () => {
    const never = policy('never', { actions: { ...policy('x', {}).spec.actions, eligible: 'false' } as never })
    const simulation = prepare({ scenario: scenario(['never']), policies: [never] })
    const [{ unservedShare, reward }] = finish(simulation, [simulation.play(0, 6)]).policies
    expect(unservedShare).toBe(1)
    expect(reward.mean).toBe(0)
  })
})
