/** A policy's Model, opened: what a server, and whoever else decides, asks for scores. */
import type { Scorer } from '../kinds.ts'
import type { Context } from '../policy/context.ts'
import { milliseconds } from '../policy/duration.ts'
import { createInputs } from '../policy/features.ts'
import { failed } from '../policy/model-outputs.ts'
import type { Policy } from '../policy/policy.ts'
import type { Pool } from '../policy/pool.ts'
import type { FailureReason, Runtime } from './runtime.ts'
import { createScoring, type Scoring } from './score.ts'
import { selectOutput } from './select.ts'
import { createTensor } from './tensor.ts'

export interface OpenModel extends Scoring {
  readonly scorer: Scorer
  /** Has it ever answered? */
  readonly heard: boolean
  readonly counts: ModelCounts
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

/** @param runtime Runs the Model of this policy, which must have one. */
export function openModel(policy: Policy, runtime: Runtime): OpenModel {
  const scoring = createScoring(policy, runtime)
  const scorer = policy.spec.scorer as Scorer
  const timeout = milliseconds(scorer.timeout)
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
    about: runtime.about,
    async ask(context, pool, withinMs) {
      const abort = new AbortController()
      const timer = setTimeout(() => abort.abort(), Math.max(0, Math.min(timeout, withinMs)))
      const before = performance.now()
      const [asked] = await scoring.score([{ context, pool }], abort.signal)
      clearTimeout(timer)
      const { outputs } = asked
      if (outputs === undefined) return asked
      counts.decisions++
      counts.waited += performance.now() - before
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
        const outputs = await runtime.run(new Map(zeros), signal)
        selectOutput(scorer.output, outputs, rows)
      }
      heard = true
    },
    ready: signal => runtime.ready(signal),
    close: () => runtime.close(),
  }
}
