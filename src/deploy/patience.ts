/** Waiting: for a cloud that is busy, and for its long-running operations. */
import { DapError, ExitCode } from '../errors.ts'
import type { Rng } from '../math/rng.ts'
import { type Cloud, CloudError, type Operation, type Status } from './cloud.ts'

export interface Clock {
  /** ms since 1970 */
  now(): number
  /** Rejects with an InterruptedError when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export interface Patience {
  readonly clock: Clock
  readonly rng: Rng
  readonly signal?: AbortSignal
  onRetry?(call: string, attempt: number, reason: string): void
}

/** How a status is met: the first wait and the longest one, in ms, and how often. */
interface Pace {
  readonly first: number
  readonly longest: number
  readonly tries: number
}

const BUSY: Pace = { first: 500, longest: 30_000, tries: 10 }
/** Quotas are per minute. */
const QUOTA: Pace = { first: 10_000, longest: 60_000, tries: 10 }
const BUG: Pace = { first: 500, longest: 5_000, tries: 3 }

const PACES: Partial<Record<Status, Pace>> = {
  UNAVAILABLE: BUSY,
  DEADLINE_EXCEEDED: BUSY,
  RESOURCE_EXHAUSTED: QUOTA,
  INTERNAL: BUG,
  UNKNOWN: BUG,
}

/** For a caller that reads everything anew before it goes on: somebody else was faster, or an earlier try did succeed. */
const RACES: Partial<Record<Status, Pace>> = {
  ...PACES,
  ABORTED: { first: 200, longest: 5_000, tries: 8 },
  ALREADY_EXISTS: { first: 500, longest: 5_000, tries: 4 },
}

/** All waits together end here, in ms. */
const BUDGET = 300_000

/**
 * Exponential backoff with full jitter. The function that it returns waits after a failure, or throws it where another try is of no use;
 * one of them lasts from one success to the next. `races`: its caller looks again at the cloud before it writes again.
 */
export function createBackoff(
  { clock, rng, signal, onRetry }: Patience,
  { races = false, budgetMs = BUDGET }: { readonly races?: boolean; readonly budgetMs?: number } = {},
): (call: string, failure: unknown) => Promise<void> {
  const tries = new Map<Status, number>()
  let waited = 0
  return async (call, failure) => {
    if (!(failure instanceof CloudError)) throw failure
    const pace = (races ? RACES : PACES)[failure.status]
    const tried = (tries.get(failure.status) ?? 0) + 1
    if (pace === undefined || tried > pace.tries) throw failure
    const ms = Math.ceil(rng.uniform() * Math.min(pace.longest, pace.first * 2 ** (tried - 1)))
    if (waited + ms > budgetMs) throw failure
    tries.set(failure.status, tried)
    waited += ms
    onRetry?.(call, tried, failure.message)
    await clock.sleep(ms, signal)
  }
}

/** A call that does no harm when it is done twice, tried until it succeeds or that is hopeless. */
export async function attempt<T>(name: string, call: () => Promise<T>, patience: Patience): Promise<T> {
  const backoff = createBackoff(patience)
  for (;;) {
    try {
      return await call()
    } catch (failure) {
      await backoff(name, failure)
    }
  }
}

/** Between two looks at an operation, in ms. */
const FIRST_POLL = 1_000
const LONGEST_POLL = 15_000
/** A deployment may take two hours by the cloud's own rule. */
const DEADLINE = 7_800_000

export interface Watch {
  onStage?(stage: string): void
  /** Before each look: the place to renew a lock. */
  onPoll?(): Promise<void>
}

/** The operation when it is done, well or not. A failed poll says nothing about the operation, so it is tried again. */
export async function settle(
  cloud: Pick<Cloud, 'getOperation'>,
  operation: Operation,
  patience: Patience,
  { onStage, onPoll }: Watch = {},
): Promise<Operation> {
  const { clock, signal } = patience
  const until = clock.now() + DEADLINE
  let current = operation
  let pause = FIRST_POLL
  let stage: string | undefined
  for (;;) {
    if (current.stage !== undefined && current.stage !== stage) onStage?.(current.stage)
    stage = current.stage ?? stage
    if (current.done) return current
    if (clock.now() >= until) {
      throw new DapError(`\`${operation.name}\` is not done after ${DEADLINE / 60_000} minutes`, {
        hint: '`dap deploy --resume` takes it up again',
        exitCode: ExitCode.partial,
      })
    }
    await clock.sleep(pause, signal)
    pause = Math.min(LONGEST_POLL, Math.round(pause * 1.5))
    await onPoll?.()
    current = await attempt('getOperation', () => cloud.getOperation(operation.name), patience)
  }
}
