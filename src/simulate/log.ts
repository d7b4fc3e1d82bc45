import { DapError } from '../errors.ts'
import { decisionRecord } from '../log/records/decision-record.ts'
import { type DecisionRecord, LEARNING, REWARD_SCHEMA, type RewardRecord } from '../log/records/records.ts'
import { createScoreAhead, type OpenRuntime } from '../models/score-ahead.ts'
import { decide } from '../policy/decide.ts'
import { NOTHING } from '../policy/lists/filling.ts'
import { type Context, createPolicy, type Policy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import { createMemory, timeOf } from './memory.ts'
import { BLOCK } from './rounds.ts'
import type { SimulationPlan } from './simulate.ts'
import { type StagedRound, stage } from './stage.ts'
import { createTeacher } from './teacher.ts'

/** A round whose actions are known. */
interface Opened extends StagedRound {
  readonly now: number
  readonly pool: Pool
}

function* opened(policy: Policy, rounds: Iterable<StagedRound>, every: string | undefined): Generator<Opened> {
  for (const round of rounds) {
    const now = timeOf(every, round.number)
    const pool = policy.offer({ actions: round.actions, at: now })
    if ('faults' in pool) throw new RangeError(pool.faults[0].message)
    yield { ...round, now, pool }
  }
}

/** The rounds with what the policy's Model says, if it has one. What does not fit the policy is for the decision to refuse. */
async function* asked(
  policy: Policy,
  rounds: Iterable<Opened>,
  open: OpenRuntime | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Opened> {
  if (policy.spec.scorer === undefined) {
    yield* rounds
    return
  }
  if (open === undefined) throw new RangeError('nobody opens Models')
  const ahead = createScoreAhead(policy, await open(policy))
  for (const block of blocks(rounds)) {
    const decisions = block.map(({ context: given, pool }) => {
      const checked = policy.context(given)
      const context = 'faults' in checked ? undefined : checked.context
      const indices = new Int32Array(pool.ids.length)
      const count = context === undefined ? 0 : policy.eligibility.writeCertain(context, indices, pool)
      return { context: context ?? {}, pool, indices: indices.subarray(0, count) }
    })
    const pools = await ahead(decisions, signal)
    for (const [i, round] of block.entries())
      yield { ...round, pool: decisions[i].indices.length === 0 ? round.pool : pools[i] }
  }
}

function* blocks<T>(all: Iterable<T>): Generator<readonly T[]> {
  let block: T[] = []
  for (const each of all) {
    if (block.push(each) < BLOCK) continue
    yield block
    block = []
  }
  if (block.length > 0) yield block
}

/**
 * The decision log of one policy in replication 0 of a scenario: its decisions as a server would record them, each followed by its reward, or the
 * clicks in its list, which are learnt at once. The same units, contexts and potential rewards as in the simulation; the choices are drawn as they are served,
 * by hash. A decision a second, or as the scenario says, from 2026 on, which is what the dates of a set are held against; its reward comes a
 * millisecond later. For a decision without an action there is none.
 *
 * @param runtime `dap/0.2.0`
 * @param open Opens the policy's Model, which is asked about many decisions at once.
 * @throws DapError where the population does not say what a context is, the learner cannot learn a reward, or the Model gives no scores.
 */
export async function* decisionLog(
  plan: SimulationPlan,
  name: string,
  runtime: string,
  { open, signal }: { readonly open?: OpenRuntime; readonly signal?: AbortSignal } = {},
): AsyncGenerator<DecisionRecord | RewardRecord> {
  const { scenario, policies } = plan
  const source = policies.find(policy => policy.name === name)
  if (source === undefined) throw new DapError(`the scenario \`${scenario.name}\` has no policy \`${name}\``)
  const policy = createPolicy(name, source.spec, source.digest)
  const memory = createMemory(policy)
  const teach = createTeacher(policy, memory ?? policy.learner)
  const { name: rewardName, default: usual } = source.spec.reward

  const rounds = opened(policy, stage(plan, source), scenario.spec.every)
  for await (const { number, now, context, pool, rewardsOf } of asked(policy, rounds, open, signal)) {
    memory?.advance(now)
    const decisionId = `${scenario.name}-${scenario.spec.seed}-${number}`
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
