import { type FailureReason, ModelFailure, type Runtime } from './runtime.ts'

export interface Timers {
  /** ms; only differences count. */
  now(): number
  /** Runs once, `ms` milliseconds from now, unless the function that it returns has been called before. */
  after(ms: number, run: () => void): () => void
}

/** `half-open`: the next call, or one that is in flight, shows whether the model is well again. */
export type BreakerState = 'closed' | 'open' | 'half-open'

export interface GuardedRuntime extends Runtime {
  state(): BreakerState
  /** Since it was made. */
  readonly counts: {
    /** Calls that failed, by the reason that their caller was told. */
    readonly failures: Readonly<Record<FailureReason, number>>
    /** Second tries, whatever became of them. */
    readonly retries: number
  }
}

/** Calls that failed one after the other before the breaker opens. */
const MOST_FAILURES = 5
/** How long it is open. */
const OPEN_MS = 1000
/** Calls in flight; of a server that hangs each waits for as long as it may. */
const MOST_CALLS = 256

/**
 * A runtime whose calls end in `timeoutMs`, or with their caller's signal where that is sooner, whatever the runtime does. What failed at once and is transient
 * is tried a second time, within the same deadline: while no more than half of it is over. After five calls that failed in a row the breaker opens: for a second every
 * call fails at once, as `open`; then one call is let through, and its end closes the breaker or opens it for another second. What is no fault of the model's says nothing
 * of it: an input that it was never given, a caller that did not wait as long as the model may take.
 */
export function guarded(runtime: Runtime, timeoutMs: number, timers: Timers): GuardedRuntime {
  const failures = { timeout: 0, unreachable: 0, answer: 0, 'not-finite': 0, open: 0, input: 0 }
  const counts = { failures, retries: 0 }
  const breaker = createBreaker(() => timers.now())
  let inFlight = 0

  function admitted(): Pass {
    if (inFlight >= MOST_CALLS) throw new ModelFailure('open', `${MOST_CALLS} calls wait for an answer`)
    const pass = breaker.admit()
    if (pass === undefined) throw new ModelFailure('open', 'it failed too often of late, and is not asked for a moment')
    return pass
  }

  /** One call, and perhaps another; `patient` while there is time for that. */
  async function tries(call: () => Promise<Outputs>, patient: () => boolean): Promise<Outputs> {
    try {
      return await call()
    } catch (failure) {
      if (!(failure instanceof ModelFailure && failure.transient && patient())) throw failure
      counts.retries++
      return call()
    }
  }

  async function run(inputs: Inputs, signal: AbortSignal): Promise<Outputs> {
    if (signal.aborted) throw new ModelFailure('timeout', 'there was no time left to ask')
    const pass = admitted()
    inFlight++
    const deadline = deadlineOf(timeoutMs, signal, timers)
    try {
      const begun = timers.now()
      const patient = () => !pass.probe && !deadline.signal.aborted && timers.now() - begun <= timeoutMs / 2
      const outputs = await deadline.race(tries(() => runtime.run(inputs, deadline.signal), patient))
      breaker.end(pass, 'success')
      return outputs
    } catch (failure) {
      const isOfCaller = deadline.leftByCaller() || (failure instanceof ModelFailure && failure.reason === 'input')
      breaker.end(pass, isOfCaller ? 'nothing' : 'failure')
      throw failure
    } finally {
      inFlight--
      deadline.end()
    }
  }

  return {
    about: runtime.about,
    counts,
    state: () => breaker.state(),
    signature: signal => runtime.signature(signal),
    async run(inputs, signal) {
      try {
        return await run(inputs, signal)
      } catch (failure) {
        if (failure instanceof ModelFailure) failures[failure.reason]++
        throw failure
      }
    },
    ready: async signal => breaker.state() !== 'open' && runtime.ready(signal),
    close: () => runtime.close(),
  }
}

type Inputs = Parameters<Runtime['run']>[0]
type Outputs = Awaited<ReturnType<Runtime['run']>>

/** A call that the breaker has let through. */
interface Pass {
  /** It alone shows whether the model is well again. */
  readonly probe: boolean
  /** What was found out before the breaker last opened or closed is of no interest afterwards. */
  readonly era: number
}

function createBreaker(now: () => number) {
  let failed = 0
  let era = 0
  let openSince: number | undefined
  let probing = false

  /** A clock that is set back keeps nothing open. */
  function isOver(since: number): boolean {
    const ms = now() - since
    return ms < 0 || ms >= OPEN_MS
  }
  function state(): BreakerState {
    if (openSince === undefined) return 'closed'
    return probing || isOver(openSince) ? 'half-open' : 'open'
  }
  function turn(since: number | undefined): void {
    openSince = since
    probing = false
    era++
  }

  return {
    state,
    /** undefined: not now. */
    admit(): Pass | undefined {
      const probe = openSince !== undefined
      if (probe && (probing || state() === 'open')) return undefined
      probing = probe
      return { probe, era }
    },
    end(pass: Pass, outcome: 'success' | 'failure' | 'nothing'): void {
      if (pass.era !== era) return
      if (outcome === 'nothing') {
        if (pass.probe) probing = false
      } else if (outcome === 'success') {
        if (pass.probe) turn(undefined)
        failed = 0
      } else if (pass.probe || ++failed >= MOST_FAILURES) turn(now())
    },
  }
}

/** The end of a call's time: its own, or its caller's. */
function deadlineOf(ms: number, caller: AbortSignal, timers: Timers) {
  const stop = new AbortController()
  let isCallers = false
  const leave = () => {
    isCallers = !stop.signal.aborted
    stop.abort()
  }
  caller.addEventListener('abort', leave, { once: true })
  const cancel = timers.after(ms, () => stop.abort())
  return {
    signal: stop.signal,
    leftByCaller: () => isCallers,
    /** What the work comes to, or a ModelFailure when the time is up. */
    race<T>(work: Promise<T>): Promise<T> {
      return new Promise((resolve, reject) => {
        const late = () => reject(new ModelFailure('timeout', `no answer ${isCallers ? 'in time' : `in ${ms} ms`}`))
        if (stop.signal.aborted) late()
        stop.signal.addEventListener('abort', late, { once: true })
        work.then(resolve, reject)
      })
    },
    end() {
      cancel()
      caller.removeEventListener('abort', leave)
    },
  }
}
