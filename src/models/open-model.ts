/** A policy's Model, opened: what a server, and whoever else decides, asks for scores. */
import type { Scorer } from '../kinds.ts'
import type { Context } from '../policy/context.ts'
import { createInputs } from '../policy/features.ts'
import { failed } from '../policy/model-outputs.ts'
import type { Policy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import { cached } from './cache.ts'
import type { BreakerState, GuardedRuntime, Timers } from './guard.ts'
import type { Runtime } from './runtime.ts'
import { createScoring, type Scored, type Unscored } from './score.ts'
import { selectOutput } from './select.ts'
import { createTensor } from './tensor.ts'

export interface OpenModel {
  readonly scorer: Scorer
  /** Has it ever answered, to this policy or another one? */
  readonly heard: boolean
  /** Of its breaker. */
  state(): BreakerState
  /** What it runs in, for records and tables. */
  readonly about: string
  /** One decision with what the Model says, within so many milliseconds and its own time-out. Never rejects. */
  ask(context: Context, pool: Pool, withinMs: number): Promise<Scored>
  /** Runs it on rows of zeros, of several sizes, so that the first decision waits for nothing. A ModelFailure where it does not answer. */
  warmUp(signal: AbortSignal): Promise<void>
  /** Lets go of it once nobody waits for an answer. */
  close(): Promise<void>
}

/** How many rows the calls have that warm a model up. */
const WARM_ROWS = [1, 8, 64]

/** What runs a Model, for all who ask it. */
export interface Runs {
  readonly runtime: Runtime
  /** The same within its time-out. */
  readonly guard: GuardedRuntime
  /** Has it ever answered? */
  heard: boolean
}

/**
 * @param runs Of the Model of this policy, which must have one.
 * @param release Called when it is closed.
 */
export function openModel(policy: Policy, runs: Runs, timers: Timers, release: () => Promise<void>): OpenModel {
  const scorer = policy.spec.scorer as Scorer
  const { runtime, guard } = runs
  const score = createScoring(
    policy,
    cached(guard, scorer, () => timers.now()),
  )
  const widths = createInputs(policy.spec, scorer).map(({ dimension }) => dimension)
  let waiting = 0
  let idle = () => {}
  let closed: Promise<void> | undefined

  async function within(ms: number, decision: Unscored): Promise<Scored> {
    const abort = new AbortController()
    const cancel = ms === Number.POSITIVE_INFINITY ? () => {} : timers.after(Math.max(0, ms), () => abort.abort())
    try {
      return await score(decision, abort.signal)
    } finally {
      cancel()
    }
  }

  return {
    scorer,
    get heard() {
      return runs.heard
    },
    about: guard.about,
    state: () => guard.state(),
    async ask(context, pool, withinMs) {
      waiting++
      const scored = await within(withinMs, { context, pool }).finally(() => {
        if (--waiting === 0) idle()
      })
      const { outputs } = scored.pool
      if (outputs !== undefined && !failed(outputs)) runs.heard = true
      return scored
    },
    async warmUp(signal) {
      for (const rows of WARM_ROWS) {
        const zeros = scorer.inputs.map(
          ({ name, dtype }, i) =>
            [name, createTensor(dtype, rows, widths[i], new Float64Array(rows * widths[i]))] as const,
        )
        selectOutput(scorer.output, await runtime.run(new Map(zeros), signal), rows)
      }
      runs.heard = true
    },
    close() {
      closed ??= new Promise<void>(resolve => {
        idle = resolve
        if (waiting === 0) resolve()
      }).then(release)
      return closed
    },
  }
}
