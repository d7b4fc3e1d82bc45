import { DapError } from '../errors.ts'
import { decisionRecord } from '../log/records/decision-record.ts'
import { type DecisionRecord, LEARNING, REWARD_SCHEMA, type RewardRecord } from '../log/records/records.ts'
import { decide } from '../policy/decide.ts'
import { type Context, createPolicy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import { createMemory, timeOf } from './memory.ts'
import type { SimulationPlan } from './simulate.ts'
import { stage } from './stage.ts'

/**
 * The decision log of one policy in replication 0 of a scenario: its decisions as a server would record them, each followed by its reward,
 * which is learnt at once. The same units, contexts and potential rewards as in the simulation; the choices are drawn as they are served,
 * by hash. A decision a second, or as the scenario says, from 2026 on, which is what the dates of a set are held against; its reward comes a
 * millisecond later. For a decision without an action there is none.
 *
 * @param runtime `dap/0.2.0`
 * @throws DapError where the population does not say what a context is, or the learner cannot learn a reward.
 */
export function* decisionLog(
  plan: SimulationPlan,
  name: string,
  runtime: string,
): Generator<DecisionRecord | RewardRecord> {
  const { scenario, policies } = plan
  const source = policies.find(policy => policy.name === name)
  if (source === undefined) throw new DapError(`the scenario \`${scenario.name}\` has no policy \`${name}\``)
  const policy = createPolicy(name, source.spec, source.digest)
  const x = new Float64Array(policy.features.dimension)
  const memory = createMemory(policy)

  for (const { number, context, actions, rewards } of stage(plan, source)) {
    const now = timeOf(scenario.spec.every, number)
    memory?.advance(now)
    const decisionId = `${scenario.name}-${scenario.spec.seed}-${number}`
    const pool = policy.offer({ actions, at: now })
    if ('faults' in pool) throw new RangeError(pool.faults[0].message)
    const decision = decide(policy, { decisionId, context, pool })
    if ('faults' in decision) {
      const [{ pointer, message }] = decision.faults
      throw new DapError(`the population's \`${pointer.slice(1)}\` ${message}`, {
        hint: `mend \`population.context\` of the scenario \`${scenario.name}\``,
      })
    }
    const facts = { ts: new Date(now).toISOString(), mode: 'online', snapshot: LEARNING, runtime } as const
    yield decisionRecord(policy, decision, { ...facts, latencyUs: 0, logProbability: 1 }, pool)
    const { action } = decision
    if (action === null) continue
    const value = rewards[pool.ids.indexOf(action)]
    yield {
      schema: REWARD_SCHEMA,
      rewardId: `${decisionId}-r`,
      decisionId,
      name: source.spec.reward.name,
      value,
      ts: new Date(now + 1).toISOString(),
    }
    if (decision.servedBy === 'policy') learn(pool, action, decision.context, value)
  }

  function learn(pool: Pool, action: string, context: Context, value: number): void {
    const a = pool.ids.indexOf(action)
    policy.features.writeRow(context, a, x, pool)
    try {
      ;(memory ?? policy.learner).learn(a, x, value)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new DapError(`policy \`${name}\` cannot learn in this world: ${error.message}`, {
        hint: "make the world's rewards such as the policy expects",
        cause: error,
      })
    }
  }
}
