import { DapError } from '../errors.ts'
import { decisionRecord } from '../log/records/decision-record.ts'
import { type DecisionRecord, LEARNING, REWARD_SCHEMA, type RewardRecord } from '../log/records/records.ts'
import { decide } from '../policy/decide.ts'
import { NOTHING } from '../policy/lists/filling.ts'
import { type Context, createPolicy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import { createMemory, timeOf } from './memory.ts'
import type { SimulationPlan } from './simulate.ts'
import { stage } from './stage.ts'
import { createTeacher } from './teacher.ts'

/**
 * The decision log of one policy in replication 0 of a scenario: its decisions as a server would record them, each followed by its reward, or the
 * clicks in its list, which are learnt at once. The same units, contexts and potential rewards as in the simulation; the choices are drawn as they are served,
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
  const memory = createMemory(policy)
  const teach = createTeacher(policy, memory ?? policy.learner)
  const { name: rewardName, default: usual } = source.spec.reward

  for (const { number, context, actions, rewardsOf } of stage(plan, source)) {
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
    const { slots = [{ slot: undefined, action: decision.action }] } = decision
    const list = slots.map(({ action }) => (action === null ? NOTHING : pool.ids.indexOf(action)))
    if (list.every(action => action === NOTHING)) continue
    const rewards = rewardsOf(list)
    for (const [k, { slot, action }] of slots.entries()) {
      // Of a list the clicks come back, and nothing of the other slots.
      if (action === null || (slot !== undefined && rewards[k] === usual)) continue
      yield {
        schema: REWARD_SCHEMA,
        rewardId: slot === undefined ? `${decisionId}-r` : `${decisionId}-r${slot}`,
        decisionId,
        ...(slot === undefined ? {} : { slot }),
        name: rewardName,
        value: rewards[k],
        ts: new Date(now + 1).toISOString(),
      }
    }
    if (decision.servedBy === 'policy') learn(pool, list, decision.context, rewards)
  }

  function learn(pool: Pool, list: readonly number[], context: Context, rewards: readonly number[]): void {
    try {
      teach(context, pool, list, rewards)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new DapError(`policy \`${name}\` cannot learn in this world: ${error.message}`, {
        hint: "make the world's rewards such as the policy expects",
        cause: error,
      })
    }
  }
}
