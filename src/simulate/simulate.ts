import { DapError } from '../errors.ts'
import type { PolicySpec, ScenarioSpec } from '../kinds.ts'
import type { OpenRuntime } from '../models/score-ahead.ts'
import { isList } from '../policy/lists/slots.ts'
import { isOffered, listed } from '../policy/pool.ts'
import { worldFields } from '../policy/world-fields.ts'
import { isBaseline } from './baselines.ts'
import { createListSeat } from './list-seat.ts'
import { createSeat } from './play.ts'
import {
  baselineListPlayer,
  baselinePlayer,
  type Named,
  policyListPlayer,
  policyPlayer,
  type Seating,
} from './players.ts'
import { createPopulation } from './population.ts'
import { playAhead, playReplications, type Replications } from './replicate.ts'
import { BLOCK, createRounds } from './rounds.ts'
import { createWorld } from './worlds/worlds.ts'

export interface SimulationPlan {
  readonly scenario: Named<ScenarioSpec>
  /** At least the policies that the scenario names, in any order; `uniform` and `oracle` need none. */
  readonly policies: readonly Named<PolicySpec>[]
}

/** A scenario that is ready to be played. */
export interface Simulation {
  readonly scenario: Named<ScenarioSpec>
  /** Names, in the order of the scenario. */
  readonly policies: readonly string[]
  /** Each policy's digest; a baseline has its name. */
  readonly digests: readonly string[]
  /** Each policy's actions. */
  readonly actions: readonly (readonly string[])[]
  /** Rounds at which the curves are recorded; the last is the horizon. */
  readonly checkpoints: Float64Array
  /**
   * Plays replications [from, to). What a replication comes to depends on the scenario, the policies and its number alone.
   * @throws DapError where a term, a rule or a transform has no value in some context; a RangeError of a scenario with Models.
   */
  play(from: number, to: number): Replications
  /** The same, of any scenario: Models are asked ahead of play. Also rejects with a DapError where one gives no scores, and with the abort's reason. */
  playAhead(from: number, to: number, signal?: AbortSignal): Promise<Replications>
}

/**
 * Builds the world and the players of a scenario; the resources have been validated. A fold: play chunks of replications,
 * then `finish` them.
 *
 * @param open Opens the Models of policies that have one.
 * @throws DapError for what only building them can show: a name without a policy, a field that nothing draws.
 */
export function prepare({ scenario, policies }: SimulationPlan, open?: OpenRuntime): Simulation {
  const { spec } = scenario
  const { seed, population } = spec
  const entries = spec.policies.map(name => ({ name, policy: policies.find(policy => policy.name === name) }))
  const named = entries.flatMap(({ policy }) => policy ?? [])
  const specs = named.map(policy => policy.spec)
  const fields = worldFields(specs, population)
  const world = createWorld(spec.world, fields, specs)
  const { clicks } = world
  const seating: Seating = {
    worldActions: world.actions,
    units: population?.units ?? Number.POSITIVE_INFINITY,
    drawn: new Set(Object.keys(population?.context ?? {})),
    seed,
    every: spec.every,
    open,
  }
  const seats = entries.map(({ name, policy }) => {
    const column = columnsOf(policy ?? named[0], world.actions)
    if (policy !== undefined) {
      if (clicks !== undefined) return createListSeat(policyListPlayer(policy, seating), clicks, column)
      requireSingle(policy)
      return createSeat(policyPlayer(policy, seating), world, column)
    }
    if (isBaseline(name)) {
      const of = { model: named[0], column }
      if (clicks === undefined) return createSeat(baselinePlayer(name, of, seating), world, column)
      return createListSeat(baselineListPlayer(name, of, seating, clicks.model), clicks, column)
    }
    throw new DapError(`the scenario \`${scenario.name}\` plays \`${name}\`, and there is no such policy`, {
      hint: 'name a policy of the repository, `uniform` or `oracle`',
    })
  })
  const contextual = world.contextual || seats.some(({ player }) => player.contextual)
  const unitFields = new Set(named.flatMap(policy => policy.spec.unit ?? []))
  const met = contextual ? createPopulation(population, fields, unitFields, seed, BLOCK) : undefined
  const rounds = createRounds(world, met, seed)
  const checkpoints = checkpointsOf(spec)
  const stage = { seats, rounds, checkpoints }
  return {
    scenario,
    policies: spec.policies,
    digests: entries.map(({ name, policy }) => policy?.digest ?? name),
    actions: seats.map(({ player }) => player.actions),
    checkpoints,
    play: (from, to) => playReplications(stage, from, to),
    playAhead: (from, to, signal) => playAhead(stage, from, to, signal),
  }
}

/** A world that does not say how lists are clicked has a reward for one action alone. */
export function requireSingle({ name, spec }: Named<PolicySpec>): void {
  if (!isList(spec)) return
  throw new DapError(`\`${name}\` decides lists, and the world does not say how people click in them`, {
    hint: 'add `click: { type: pbm, examination: [1, 0.6, 0.4] }` or another model to the world',
  })
}

/** The world's column of each action of a policy, or of its own. */
export function columnsOf(policy: Named<PolicySpec> | undefined, worldActions: readonly string[]): Int32Array {
  if (policy === undefined || isOffered(policy.spec.actions)) return Int32Array.from(worldActions.keys())
  const columns = new Map(worldActions.map((id, column) => [id, column]))
  return Int32Array.from(listed(policy.spec.actions), ({ id: action }) => {
    const column = columns.get(action)
    if (column !== undefined) return column
    throw new DapError(`the world has no reward for action \`${action}\` of policy \`${policy?.name}\``, {
      hint: `add \`${action}\` to the scenario's world`,
    })
  })
}

/** The scenario's checkpoints and the horizon; by default ten, evenly spaced. */
function checkpointsOf({ checkpoints, horizon }: ScenarioSpec): Float64Array {
  const rounds = checkpoints ?? Array.from({ length: 10 }, (_, i) => Math.ceil(((i + 1) * horizon) / 10))
  return Float64Array.from(new Set([...rounds.filter(t => t < horizon), horizon])).sort()
}
