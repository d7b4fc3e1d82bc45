import { createHash } from 'node:crypto'
import { SIMULATION_RESULT_SCHEMA } from '../generated/names.ts'
import { judgeExpectation } from '../policy/result-rules.ts'
import type { DifferenceResult, PolicyResult, SimulationResult } from '../results.ts'
import { merge, type Replications } from './replicate.ts'
import type { Simulation } from './simulate.ts'
import { measure, measureDifference } from './summarise.ts'

/**
 * The result of a simulation whose replications have all been played, in whatever chunks: equal plans give equal bytes.
 * @throws RangeError where replications are missing or were played twice.
 */
export function finish(simulation: Simulation, parts: readonly Replications[]): SimulationResult {
  const { scenario, policies, digests, actions, checkpoints } = simulation
  const { seed, horizon, replications, level, expect } = scenario.spec
  const played = merge(parts)
  if (played.from !== 0 || played.to !== replications) {
    throw new RangeError(`finish: replications ${played.from} to ${played.to} are not 0 to ${replications}`)
  }
  const last = checkpoints.length - 1
  const curve = (numbers: Float64Array, p: number, c: number) =>
    column(numbers, p * checkpoints.length + c, policies.length * checkpoints.length)
  const reward = (p: number, c: number) => curve(played.reward, p, c).map(total => total / checkpoints[c])
  const regret = (p: number, c: number) => curve(played.regret, p, c)
  const slotReward = (p: number, slot: number, slots: number) =>
    measure(
      column(played.slots[p], slot, slots).map(total => total / horizon),
      level,
    )

  const results = policies.map((policy, p): PolicyResult => {
    const best = column(played.best, p, policies.length).map(count => count / horizon)
    const decisions = replications * horizon
    const share = (_: string, a: number) => [actions[p][a], played.actions[p][a] / decisions] as const
    const unserved = played.unserved[p]
    const slots = played.slots[p].length / replications
    return {
      name: policy,
      reward: measure(reward(p, last), level),
      regret: measure(regret(p, last), level),
      bestActionShare: measure(best, level),
      actionShares: Object.fromEntries(actions[p].map(share)),
      ...(unserved > 0 ? { unservedShare: unserved / decisions } : {}),
      ...(slots > 0
        ? { slots: Array.from({ length: slots }, (_, slot) => ({ slot, reward: slotReward(p, slot, slots) })) }
        : {}),
      checkpoints: Array.from(checkpoints, (t, c) => ({
        t,
        reward: measure(reward(p, c), level),
        regret: measure(regret(p, c), level),
      })),
    }
  })
  const differences = policies.slice(1).map(
    (policy, i): DifferenceResult => ({
      policy,
      baseline: policies[0],
      reward: measureDifference(reward(i + 1, last), reward(0, last), level),
      regret: measureDifference(regret(i + 1, last), regret(0, last), level),
    }),
  )
  const numbers = {
    schema: SIMULATION_RESULT_SCHEMA,
    scenario: scenario.name,
    seed,
    horizon,
    replications,
    level,
    policies: results,
    differences,
  } as const
  const expectations = expect.map(rule => judgeExpectation(rule, numbers))
  return {
    ...numbers,
    expectations,
    passed: expectations.every(expectation => expectation.passed),
    digest: createHash('sha256')
      .update(JSON.stringify([scenario.digest, digests, numbers]))
      .digest('hex'),
  }
}

/** Every `stride`-th number, from the one at `start`. */
function column(numbers: Float64Array, start: number, stride: number): Float64Array {
  const out = new Float64Array(numbers.length / stride)
  for (let i = 0; i < out.length; i++) out[i] = numbers[start + i * stride]
  return out
}
