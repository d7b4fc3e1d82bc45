import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogWriter } from '../../../src/serve/log/log-writer.ts'
import { type Account, createReserve, mayBeLost, NO_ACCOUNT } from '../../../src/serve/log/reserve.ts'
import { fakeTimers } from '../support/fake-timers.ts'

/** A worker's log whose writes end when the test says so; what the primary has heard of it; and what is true. */
function setUp() {
  const timers = fakeTimers()
  const told: Account[] = []
  const ends: ((done: boolean) => void)[] = []
  const truth = { acknowledged: 0, written: 0 }
  const log = createLogWriter(
    {
      write: (_, lines) =>
        new Promise((resolve, reject) =>
          ends.push(done => {
            if (!done) return reject(new Error('ENOSPC'))
            truth.written += lines.filter(byte => byte === 10).length
            resolve()
          }),
        ),
      close: async () => {},
    },
    {
      flushMs: 10,
      timers,
      reserve: createReserve((account, sent) => {
        told.push(account)
        sent()
      }),
    },
  )
  return {
    timers,
    told,
    truth,
    log,
    account: () => told.at(-1) ?? NO_ACCOUNT,
    take(stream: 'decisions' | 'rewards') {
      log.push(stream, '{}')
      truth.acknowledged++
    },
    end: (done: boolean) => ends.shift()?.(done),
  }
}

const step = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ take: fc.constantFrom('decisions' as const, 'rewards' as const), times: fc.nat(300) }),
  },
  fc.record({ pass: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ end: fc.boolean() }),
)

describe('what a primary knows of the log of a worker', () => {
  it('is enough whenever the worker dies: written + bound covers what was acknowledged, and the bound is no more than twice what waits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        const { timers, truth, account, take, end } = setUp()
        for (const step of steps) {
          if ('take' in step) {
            for (let i = 0; i < step.times; i++) {
              const before = mayBeLost(account())
              take(step.take)
              const { written } = account()
              expect(written.decisions + written.rewards).toBe(truth.written)
              expect(truth.written + mayBeLost(account())).toBeGreaterThanOrEqual(truth.acknowledged)
              expect(mayBeLost(account())).toBeLessThanOrEqual(
                Math.max(before, 2 * (truth.acknowledged - truth.written)),
              )
            }
          }
          if ('pass' in step) await timers.pass(step.pass)
          if ('end' in step) end(step.end)
          await timers.pass(0)
          const waiting = truth.acknowledged - truth.written
          expect(mayBeLost(account())).toBeGreaterThanOrEqual(waiting)
          expect(mayBeLost(account())).toBeLessThanOrEqual(Math.min(2 * waiting, waiting + 64))
        }
      }),
    )
  })

  it('costs a message for many records where they come fast', async () => {
    const { told, take } = setUp()
    for (let i = 0; i < 6_400; i++) take('decisions')
    expect(told.length).toBeLessThan(110)
  })

  it('stops the log when the primary takes no more of it', () => {
    const sent: (() => void)[] = []
    const reserve = createReserve((_, done) => void sent.push(done))
    const log = createLogWriter({ write: async () => {}, close: async () => {} }, { flushMs: 10, reserve })
    for (let i = 0; i < 100_000 && log.admission > 0; i++) log.push('decisions', '{}')
    expect(log.admission).toBe(0)
    expect(log.trouble).toBe('the primary process does not hear what would be logged')
    expect(sent.length).toBeLessThan(1_000)
    for (const done of sent) done()
    expect(log.admission).toBe(1)
    expect(log.trouble).toBeUndefined()
  })
})
