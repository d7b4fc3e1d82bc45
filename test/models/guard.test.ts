import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { guarded } from '../../src/models/guard.ts'
import { type FailureReason, ModelFailure, type Runtime, type Tensor } from '../../src/models/runtime.ts'
import { fakeTimers } from './fake-timers.ts'

const INPUTS: ReadonlyMap<string, Tensor> = new Map([['x', { rows: 1, columns: 1, data: Float32Array.of(2) }]])
const OUTPUTS: ReadonlyMap<string, Tensor> = new Map([['y', { rows: 1, columns: 1, data: Float32Array.of(4) }]])
const TIMEOUT = 50

const ANSWER = new ModelFailure('answer', 'other columns')
const GONE = new ModelFailure('unreachable', 'nobody there')
const BROKEN = new ModelFailure('answer', 'HTTP 500', { transient: true })

/** A runtime whose calls end when the test says so. */
function held() {
  const calls: { readonly signal: AbortSignal; succeed(): void; fail(failure: Error): void }[] = []
  const runtime: Runtime = {
    about: 'held',
    signature: async () => undefined,
    run: (_, signal) =>
      new Promise((resolve, reject) => calls.push({ signal, succeed: () => resolve(OUTPUTS), fail: reject })),
    ready: async () => true,
    close: async () => {},
  }
  return { runtime, calls, last: () => calls.at(-1)! }
}

function setUp() {
  const timers = fakeTimers()
  const { runtime, calls, last } = held()
  const guard = guarded(runtime, TIMEOUT, timers)
  const ends: string[] = []
  /** Begins a call; how it ends is in `ends`. */
  const call = (signal = new AbortController().signal) => {
    guard.run(INPUTS, signal).then(
      () => ends.push('done'),
      (failure: unknown) => ends.push(failure instanceof ModelFailure ? failure.reason : String(failure)),
    )
  }
  const settled = () => new Promise(resolve => setImmediate(resolve))
  const failCall = async (failure: Error = ANSWER) => {
    call()
    last().fail(failure)
    await settled()
  }
  const open = async () => {
    for (let i = 0; i < 5; i++) await failCall()
    ends.length = 0
  }
  return { timers, guard, calls, last, ends, call, settled, failCall, open }
}

describe('a call', () => {
  it('gives what the runtime gives, and leaves nothing behind, on the clock or at a signal that lives on', async () => {
    const { timers, guard, last } = setUp()
    const { signal } = new AbortController()
    const answer = guard.run(INPUTS, signal)
    expect(timers.waiting).toBe(1)
    expect(getEventListeners(signal, 'abort').length).toBe(1)
    last().succeed()
    expect(await answer).toBe(OUTPUTS)
    expect(timers.waiting).toBe(0)
    expect(getEventListeners(signal, 'abort').length).toBe(0)
  })

  it('ends when its time is up, not before, though the runtime goes on; and tells the runtime', async () => {
    const { timers, last, ends, call, settled, guard } = setUp()
    call()
    timers.pass(TIMEOUT - 1)
    await settled()
    expect(ends).toEqual([])
    expect(last().signal.aborted).toBe(false)
    timers.pass(1)
    await settled()
    expect(ends).toEqual(['timeout'])
    expect(last().signal.aborted).toBe(true)
    expect(guard.counts.failures.timeout).toBe(1)
    const late = guard.run(INPUTS, new AbortController().signal)
    timers.pass(TIMEOUT)
    await expect(late).rejects.toThrow('no answer in 50 ms')
  })

  it('ends with its caller where that is sooner, and asks nobody for a caller that is gone', async () => {
    const { calls, ends, call, settled, guard } = setUp()
    const caller = new AbortController()
    call(caller.signal)
    caller.abort()
    call(caller.signal)
    await settled()
    expect(ends).toEqual(['timeout', 'timeout'])
    expect(calls.length).toBe(1)
    expect(guard.state()).toBe('closed')
  })

  it('passes on what is no ModelFailure: a bug stays one', async () => {
    const { ends, failCall } = setUp()
    await failCall(new TypeError('a bug'))
    expect(ends).toEqual(['TypeError: a bug'])
  })
})

describe('a second try', () => {
  it.each([
    ['unreachable', GONE],
    ['an error of the server', BROKEN],
  ])('is made of what was %s, and may succeed', async (_, failure) => {
    const { ends, calls, last, call, settled, guard } = setUp()
    call()
    last().fail(failure)
    await settled()
    expect(calls.length).toBe(2)
    last().succeed()
    await settled()
    expect(ends).toEqual(['done'])
    expect(guard.counts).toMatchObject({ retries: 1, failures: { unreachable: 0, answer: 0 } })
  })

  it('is the last one', async () => {
    const { ends, calls, last, call, settled, guard } = setUp()
    call()
    last().fail(BROKEN)
    await settled()
    last().fail(GONE)
    await settled()
    expect(calls.length).toBe(2)
    expect(ends).toEqual(['unreachable'])
    expect(guard.counts).toMatchObject({ retries: 1, failures: { unreachable: 1, answer: 0 } })
  })

  it.each([
    [TIMEOUT / 2, 2],
    [TIMEOUT / 2 + 1, 1],
  ])('is made while half of the time is left: after %s ms there are %s tries', async (ms, tries) => {
    const { calls, last, call, settled, timers } = setUp()
    call()
    timers.pass(ms)
    last().fail(GONE)
    await settled()
    expect(calls.length).toBe(tries)
  })

  it.each(['timeout', 'answer', 'not-finite', 'open', 'input'] satisfies FailureReason[])(
    'is never made of %s',
    async reason => {
      const { calls, ends, failCall } = setUp()
      await failCall(new ModelFailure(reason, 'so'))
      expect(calls.length).toBe(1)
      expect(ends).toEqual([reason])
    },
  )

  it('has what is left of the first one’s time', async () => {
    const { last, call, settled, timers, ends } = setUp()
    call()
    timers.pass(20)
    last().fail(GONE)
    await settled()
    timers.pass(29)
    await settled()
    expect(ends).toEqual([])
    timers.pass(1)
    await settled()
    expect(ends).toEqual(['timeout'])
  })
})

describe('the breaker', () => {
  it('opens after five calls that failed in a row, not after four', async () => {
    const { guard, failCall, calls, ends, call, settled } = setUp()
    for (let i = 0; i < 4; i++) await failCall()
    expect(guard.state()).toBe('closed')
    await failCall()
    expect(guard.state()).toBe('open')
    call()
    await settled()
    expect(calls.length).toBe(5)
    expect(ends.at(-1)).toBe('open')
    expect(guard.counts.failures).toMatchObject({ answer: 5, open: 1 })
  })

  it('counts anew after a success', async () => {
    const { guard, failCall, call, last, settled } = setUp()
    for (let i = 0; i < 4; i++) await failCall()
    call()
    last().succeed()
    await settled()
    for (let i = 0; i < 4; i++) await failCall()
    expect(guard.state()).toBe('closed')
    await failCall()
    expect(guard.state()).toBe('open')
  })

  it('counts a call once, though it was tried twice', async () => {
    const { guard, call, last, settled } = setUp()
    for (let i = 0; i < 4; i++) {
      call()
      last().fail(GONE)
      await settled()
      last().fail(GONE)
      await settled()
    }
    expect(guard.state()).toBe('closed')
  })

  it.each([
    ['an input that was never sent', 'input'],
    ['a caller that left', 'left'],
  ])('takes %s for no failure', async (_, kind) => {
    const { guard, call, last, settled } = setUp()
    for (let i = 0; i < 9; i++) {
      const caller = new AbortController()
      call(caller.signal)
      if (kind === 'input') last().fail(new ModelFailure('input', 'too large'))
      else caller.abort()
      await settled()
    }
    expect(guard.state()).toBe('closed')
  })

  it('is open for a second; then one call goes through, and the others wait for its end', async () => {
    const { guard, open, timers, call, calls, ends, settled } = setUp()
    await open()
    timers.pass(999)
    expect(guard.state()).toBe('open')
    call()
    await settled()
    expect(ends).toEqual(['open'])
    timers.pass(1)
    expect(guard.state()).toBe('half-open')
    call()
    call()
    await settled()
    expect(calls.length).toBe(6)
    expect(ends).toEqual(['open', 'open'])
    expect(guard.state()).toBe('half-open')
  })

  it('closes when the probe succeeds', async () => {
    const { guard, open, timers, call, last, settled, failCall } = setUp()
    await open()
    timers.pass(1000)
    call()
    last().succeed()
    await settled()
    expect(guard.state()).toBe('closed')
    for (let i = 0; i < 4; i++) await failCall()
    expect(guard.state()).toBe('closed')
  })

  it.each(['unreachable', 'timeout'])(
    'is open for another second when the probe is %s, which is not tried twice',
    async reason => {
      const { guard, open, timers, call, calls, last, settled } = setUp()
      await open()
      timers.pass(1000)
      call()
      if (reason === 'timeout') timers.pass(TIMEOUT)
      else last().fail(GONE)
      await settled()
      expect(calls.length).toBe(6)
      expect(guard.state()).toBe('open')
      timers.pass(999)
      expect(guard.state()).toBe('open')
      timers.pass(1)
      expect(guard.state()).toBe('half-open')
    },
  )

  it('lets another probe through when the caller of the first one left', async () => {
    const { guard, open, timers, call, calls, last, settled } = setUp()
    await open()
    timers.pass(1000)
    const caller = new AbortController()
    call(caller.signal)
    caller.abort()
    await settled()
    call()
    expect(calls.length).toBe(7)
    last().succeed()
    await settled()
    expect(guard.state()).toBe('closed')
  })

  it('does not hear of calls from before it opened or closed', async () => {
    const { guard, timers, call, calls, settled, open } = setUp()
    call()
    call()
    const [late, later] = calls
    await open()
    late.succeed()
    await settled()
    expect(guard.state()).toBe('open')
    timers.pass(1000)
    call()
    calls.at(-1)!.succeed()
    await settled()
    later.fail(ANSWER)
    await settled()
    expect(guard.state()).toBe('closed')
  })

  it('is not open for an hour when the clock is set back by one', async () => {
    const { guard, open, timers } = setUp()
    timers.pass(3_600_000)
    await open()
    timers.pass(-3_600_000)
    expect(guard.state()).toBe('half-open')
  })

  it('says that nobody would be asked while it is open', async () => {
    const { guard, open, timers } = setUp()
    const ready = () => guard.ready(new AbortController().signal)
    expect(await ready()).toBe(true)
    await open()
    expect(await ready()).toBe(false)
    timers.pass(1000)
    expect(await ready()).toBe(true)
  })
})

describe('calls at once', () => {
  it('are 256 at most: one more is refused, and is nothing that the breaker counts', async () => {
    const { guard, call, calls, ends, last, settled } = setUp()
    for (let i = 0; i < 256; i++) call()
    for (let i = 0; i < 9; i++) call()
    await settled()
    expect(calls.length).toBe(256)
    expect(ends).toEqual(Array(9).fill('open'))
    expect(guard.state()).toBe('closed')
    last().succeed()
    await settled()
    call()
    expect(calls.length).toBe(257)
  })
})

describe('whatever happens', () => {
  const STEP = fc.oneof(
    fc.record({ do: fc.constant('call' as const), mine: fc.integer({ min: 1, max: 120 }) }),
    fc.record({ do: fc.constant('end' as const), which: fc.nat(9), how: fc.constantFrom(GONE, BROKEN, ANSWER, null) }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 1500 }) }),
  )

  it('no call waits beyond its deadline, and a model that is well again is asked again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { maxLength: 60 }), async steps => {
        const timers = fakeTimers()
        const { runtime, calls } = held()
        const guard = guarded(runtime, TIMEOUT, timers)
        const settled = () => new Promise(resolve => setImmediate(resolve))
        /** Calls that have not ended, by when they must have. */
        const due = new Map<number, number>()
        let begun = 0
        const call = (mine: number) => {
          const id = begun++
          const caller = new AbortController()
          timers.after(mine, () => caller.abort())
          due.set(id, timers.now() + Math.min(mine, TIMEOUT))
          return guard.run(INPUTS, caller.signal).then(
            () => due.delete(id),
            () => due.delete(id),
          )
        }
        for (const step of steps) {
          if (step.do === 'call') call(step.mine)
          else if (step.do === 'pass') timers.pass(step.ms)
          else if (step.how === null) calls[step.which]?.succeed()
          else calls[step.which]?.fail(step.how)
          await settled()
          for (const deadline of due.values()) expect(deadline).toBeGreaterThan(timers.now())
        }
        timers.pass(TIMEOUT)
        await settled()
        expect(due.size).toBe(0)
        // From now on it is well, which the first call after a second finds out.
        timers.pass(1000)
        const answer = guard.run(INPUTS, new AbortController().signal)
        calls.at(-1)!.succeed()
        expect(await answer).toBe(OUTPUTS)
        expect(guard.state()).toBe('closed')
      }),
    )
  })
})
