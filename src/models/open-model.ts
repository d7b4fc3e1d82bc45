/** A policy's Model, opened: what a server, and whoever else decides, asks for scores. */
import type { Scorer } from '../kinds.ts'
import type { Context } from '../policy/context.ts'
import { createInputs } from '../policy/features.ts'
import { failed } from '../policy/model-outputs.ts'
import type { Policy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import { cached } from './cache.ts'
import type { BreakerState, GuardedRuntime, Timers } from './guard.ts'
import type { FailureReason, Runtime } from './runtime.ts'
import { createScoring, type Scoring } from './score.ts'
import { selectOutput } from './select.ts'
import { createTensor } from './tensor.ts'

export interface OpenModel extends Scoring {
  readonly scorer: Scorer
  /** Has it ever answered? */
  readonly heard: boolean
  readonly counts: ModelCounts
  /** Of its breaker. */
  state(): BreakerState
  /** What it runs in, for records and tables. */
  readonly about: string
  /** The pool of one decision with what the Model says, within so many milliseconds and its own time-out. Never rejects. */
  ask(context: Context, pool: Pool, withinMs: number): Promise<Pool>
  /** Runs it on rows of zeros, of several sizes, so that the first decision waits for nothing. A ModelFailure where it does not answer. */
  warmUp(signal: AbortSignal): Promise<void>
  ready(signal: AbortSignal): Promise<boolean>
  close(): Promise<void>
}

/** Of all calls since the model was opened. */
export interface ModelCounts {
  readonly decisions: number
  /** Milliseconds that decisions waited, all together. */
  readonly waited: number
  /** By reason. */
  readonly failures: Readonly<Partial<Record<FailureReason, number>>>
}

/** How many rows the calls have that warm a model up. */
const WARM_ROWS = [1, 8, 64]

/** What runs a Model: as it is, and within its time-out. */
export interface Runs {
  readonly runtime: Runtime
  readonly guard: GuardedRuntime
}

/** @param runs Of the Model of this policy, which must have one. */
export function openModel(policy: Policy, { runtime: bare, guard }: Runs, timers: Timers): OpenModel {
  const scorer = policy.spec.scorer as Scorer
  const runtime = cached(guard, scorer, () => timers.now())
  const scoring = createScoring(policy, runtime)
  const failures: Partial<Record<FailureReason, number>> = {}
  const counts = { decisions: 0, waited: 0, failures }
  let heard = false
  const widths = createInputs(policy.spec, scorer).map(({ dimension }) => dimension)
  return {
    ...scoring,
    scorer,
    counts,
    get heard() {
      return heard
    },
    about: guard.about,
    state: () => guard.state(),
    async ask(context, pool, withinMs) {
      const abort = new AbortController()
      const before = timers.now()
      const cancel =
        withinMs === Number.POSITIVE_INFINITY ? () => {} : timers.after(Math.max(0, withinMs), () => abort.abort())
      const [asked] = await scoring.score([{ context, pool }], abort.signal)
      cancel()
      const { outputs } = asked
      if (outputs === undefined) return asked
      counts.decisions++
      counts.waited += timers.now() - before
      if (failed(outputs)) failures[outputs.failure] = (failures[outputs.failure] ?? 0) + 1
      else heard = true
      return asked
    },
    async warmUp(signal) {
      for (const rows of WARM_ROWS) {
        const zeros = scorer.inputs.map(
          ({ name, dtype }, i) =>
            [name, createTensor(dtype, rows, widths[i], new Float64Array(rows * widths[i]))] as const,
        )
        const outputs = await bare.run(new Map(zeros), signal)
        selectOutput(scorer.output, outputs, rows)
      }
      heard = true
    },
    ready: signal => runtime.ready(signal),
    close: () => runtime.close(),
  }
}
