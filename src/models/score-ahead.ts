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

/** About so many rows are asked about in one call: what a small model makes of them stays in a core's second-level cache. */
const ROWS = 1024

/** @param runtime Runs the Model of this policy, which must have one. */
export function createScoreAhead(policy: Policy, runtime: ScoringRuntime): ScoreAhead {
  const ask = createAsk(policy, runtime)
  const { name, listwise } = policy.spec.scorer ?? { name: '', listwise: false }
  return async (decisions, signal = new AbortController().signal) => {
    const pools: Pool[] = []
    for (const asked of calls(decisions, listwise ? 1 : ROWS)) {
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

/** The decisions, in their order, as many in each call as together have so many rows, and at least one. */
function* calls(decisions: readonly Asked[], rows: number): Generator<readonly Asked[]> {
  let call: Asked[] = []
  let count = 0
  for (const decision of decisions) {
    call.push(decision)
    count += decision.indices.length
    if (count < rows) continue
    yield call
    call = []
    count = 0
  }
  if (call.length > 0) yield call
}
