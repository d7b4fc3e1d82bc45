import { DapError } from '../errors.ts'
import type { PolicySpec } from '../kinds.ts'
import { type Entry, isOffered } from '../policy/pool.ts'
import { worldFields } from '../policy/world-fields.ts'
import { createView } from './offered.ts'
import type { Named } from './players.ts'
import { createPopulation } from './population.ts'
import { createPresented, present, uniforms } from './presented.ts'
import { BLOCK, createRounds, type Rounds } from './rounds.ts'
import { columnsOf, requireSingle, type SimulationPlan } from './simulate.ts'
import type { Clicks, World } from './world.ts'
import { createWorld } from './worlds/worlds.ts'

/** One round of a world, for whoever decides outside of the simulation: as a log, or by a server. */
export interface StagedRound {
  readonly number: number
  /** The policy's fields, and no others. */
  readonly context: Readonly<Record<string, unknown>>
  /** What the request brings, where it does: ids, and the features that the policy knows. */
  readonly actions?: readonly Entry[]
  /**
   * The reward of each slot of a list of the policy's actions, or of those of the request, by their indices, −1 for an empty slot; of a single decision
   * the list is one action. In a world that clicks no lists there is a reward of single decisions alone.
   */
  rewardsOf(list: readonly number[]): readonly number[]
}

/**
 * The first `horizon` rounds of a replication as one policy meets them: the same units, contexts and potential rewards as in the
 * simulation; by another `seed` other rounds of the same world.
 *
 * @throws DapError where the scenario does not play the policy, the world does not say how its lists are clicked, or the population does not say what a context is.
 */
export function* stage(
  { scenario, policies }: SimulationPlan,
  policy: Named<PolicySpec>,
  { replication = 0, seed = scenario.spec.seed }: { readonly replication?: number; readonly seed?: number } = {},
): Generator<StagedRound> {
  const { spec } = scenario
  if (!spec.policies.includes(policy.name)) {
    throw new DapError(`the scenario \`${scenario.name}\` has no policy \`${policy.name}\``)
  }
  const specs = spec.policies.flatMap(each => policies.find(({ name }) => name === each)?.spec ?? [])
  const fields = worldFields(specs, spec.population)
  const world = createWorld(spec.world, fields, specs)
  const unitFields = new Set(specs.flatMap(each => each.unit ?? []))
  const population = createPopulation(spec.population, fields, unitFields, seed, BLOCK)
  const rounds = createRounds(world, population, seed, spec.seed)
  if (world.clicks === undefined) requireSingle(policy)
  const column = columnsOf(policy, world.actions)
  const own = Object.keys(policy.spec.context)
  const view = isOffered(policy.spec.actions) ? createView(policy.spec.actions) : undefined

  rounds.start(replication)
  for (let t = 0; t < spec.horizon; t += BLOCK) {
    const block = rounds.next(Math.min(BLOCK, spec.horizon - t))
    const { count, contexts, pools } = block
    for (let i = 0; i < count; i++) {
      yield {
        number: t + i,
        context: Object.fromEntries(own.map(field => [field, contexts[i][field]])),
        ...(view === undefined ? {} : { actions: view(pools[i]).entries }),
        rewardsOf:
          world.clicks === undefined ? singly(world, block, i, column) : clicking(world.clicks, block, i, column),
      }
    }
  }
}

/** Rounds are overwritten by those of the next block; whoever answers later needs what this one was. */
function singly(
  world: World,
  { means, stride, chance }: Rounds,
  i: number,
  column: Int32Array,
): StagedRound['rewardsOf'] {
  const rewards = Array.from(column, c => world.reward(c, means[i * stride + c], chance[i]))
  return ([action]) => [rewards[action]]
}

function clicking({ model }: Clicks, rounds: Rounds, i: number, column: Int32Array): StagedRound['rewardsOf'] {
  const { means, kinds, stride, uniform } = rounds
  const from = rounds.from + i
  const [begin, end] = stride === 0 ? [0, means.length] : [i * stride, (i + 1) * stride]
  const round = { from, means: means.slice(begin, end), kinds: kinds.slice(begin, end), stride: 0, uniform }
  return list => {
    const presented = createPresented(list.length)
    const [u, rewards] = [new Float64Array(list.length), new Float64Array(list.length)]
    present(round, 0, column, list, list.length, presented)
    uniforms(round, 0, column, list, list.length, u)
    model.draw(presented, u, rewards)
    return [...rewards]
  }
}
