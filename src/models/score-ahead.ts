import { DapError } from '../errors.ts'
import type { Policy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import { ModelFailure, type Runtime } from './runtime.ts'
import { type Asked, createAsk } from './score.ts'

/** What runs a Model for whoever decides offline. */
export type ScoringRuntime = Pick<Runtime, 'run' | 'about'>

/** Opens what runs a policy's Model, once it is known that it is to be asked. */
export type OpenRuntime = (policy: Policy) => Promise<ScoringRuntime>

/**
 * The pools of decisions that are known beforehand, as those of a simulation or a log, with what the policy's Model says. Many are asked about at once, in
 * calls that are the same however they are divided among machines; no decision goes without: a DapError where there are no scores.
 */
export type ScoreAhead = (decisions: readonly Asked[], signal?: AbortSignal) => Promise<readonly Pool[]>

/** So many decisions are asked about in one call. */
const MOST_DECISIONS = 256

/** @param runtime Runs the Model of this policy, which must have one. */
export function createScoreAhead(policy: Policy, runtime: ScoringRuntime): ScoreAhead {
  const ask = createAsk(policy, runtime)
  const { name, listwise } = policy.spec.scorer ?? { name: '', listwise: false }
  const most = listwise ? 1 : MOST_DECISIONS
  return async (decisions, signal = new AbortController().signal) => {
    const pools: Pool[] = []
    for (let from = 0; from < decisions.length; from += most) {
      const asked = decisions.slice(from, from + most)
      try {
        for (const [i, outputs] of (await ask(asked, signal)).entries()) pools.push({ ...asked[i].pool, outputs })
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof ModelFailure)) throw error
        const message = `the Model \`${name}\` gives no scores to policy \`${policy.name}\` (${error.reason}): ${error.message}`
        throw new DapError(message, { hint: `\`dap model check ${name}\` says what is wrong with it`, cause: error })
      }
    }
    return pools
  }
}
