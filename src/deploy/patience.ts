/** Waiting: for a cloud that is busy, and for what takes its time there. */
import { DapError, ExitCode, InterruptedError } from '../errors.ts'
import type { Rng } from '../math/rng.ts'
import { CloudError, type Status } from './cloud-error.ts'

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
  /** Before each wait, of so many ms. */
  onRetry?(call: string, attempt: number, reason: string, ms: number): void
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
  // Nobody here cancels a call: somebody between here and the cloud has cut it.
  CANCELLED: BUSY,
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
 * Exponential backoff with full jitter. The function that it returns waits after a failure, or throws it where another try is of no use,
 * and then says how often that was tried; one of them lasts from one success to the next. `doing` says what is tried, in place of the call's
 * own name. `races`: its caller looks again at the cloud before it writes again.
 */
export function createBackoff(
  { clock, rng, signal, onRetry }: Patience,
  { races = false, budgetMs = BUDGET }: { readonly races?: boolean; readonly budgetMs?: number } = {},
): (failure: unknown, doing?: string) => Promise<void> {
  const tries = new Map<Status, number>()
  let waited = 0
  return async (failure, doing) => {
    if (!(failure instanceof CloudError)) throw failure
    const call = doing ?? failure.call ?? 'call'
    if (signal?.aborted) throw new InterruptedError()
    const pace = (races ? RACES : PACES)[failure.status]
    if (pace === undefined) throw failure
    const tried = (tries.get(failure.status) ?? 0) + 1
    const ms = Math.ceil(rng.uniform() * Math.min(pace.longest, pace.first * 2 ** (tried - 1)))
    if (tried > pace.tries || waited + ms > budgetMs) throw spent(failure, call, tried, waited)
    tries.set(failure.status, tried)
    waited += ms
    onRetry?.(call, tried, failure.message, ms)
    await clock.sleep(ms, signal)
  }
}

function spent(failure: CloudError, call: string, tries: number, waited: number): CloudError {
  const { status, message, hint, cause } = failure
  const how = `${call}, tried ${tries} times in ${Math.ceil(waited / 1000)} s`
  return new CloudError(status, `${message} (${how})`, {
    hint: hint ?? 'the same command tries again, and goes on where this one stopped',
    cause,
  })
}

/** A call that does no harm when it is done twice, tried until it succeeds or that is hopeless. Calls that read are: `reads.ts`. */
export async function attempt<T>(call: () => Promise<T>, patience: Patience): Promise<T> {
  const backoff = createBackoff(patience)
  for (;;) {
    try {
      return await call()
    } catch (failure) {
      await backoff(failure)
    }
  }
}

/** Between two looks, in ms. */
const FIRST_POLL = 1_000
const LONGEST_POLL = 15_000
/** A model may take two hours to deploy by Vertex AI's own rule. */
const DEADLINE = 7_800_000

/** How somebody waits for what takes its time. */
export interface Waiting {
  /** It has begun: under this name people find it. */
  begun(name: string): void
  stage(stage: string): void
  /** Between two looks at it. */
  pause(): Promise<void>
}

export interface Watch {
  onBegun?(name: string): void
  onStage?(stage: string): void
  /** Before each look: the place to renew a lock. */
  onPoll?(): Promise<void>
}

/** Looks every second at first and every quarter of a minute later, for two hours; one thing after the other. */
export function createWaiting({ clock, signal }: Patience, { onBegun, onStage, onPoll }: Watch = {}): Waiting {
  let name = ''
  let until = 0
  let next = FIRST_POLL
  let last: string | undefined
  return {
    begun(what) {
      name = what
      until = clock.now() + DEADLINE
      next = FIRST_POLL
      last = undefined
      onBegun?.(what)
    },
    stage(stage) {
      if (stage !== last) onStage?.(stage)
      last = stage
    },
    async pause() {
      if (clock.now() >= until) {
        throw new DapError(`\`${name}\` is not done after ${DEADLINE / 60_000} minutes`, {
          hint: '`dap deploy --resume` takes it up again',
          exitCode: ExitCode.partial,
        })
      }
      await clock.sleep(next, signal)
      next = Math.min(LONGEST_POLL, Math.round(next * 1.5))
      await onPoll?.()
    },
  }
}
