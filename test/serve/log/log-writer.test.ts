import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogWriter, type LogWriterOptions, type Sink, type Stream } from '../../../src/serve/log/log-writer.ts'
import { fakeTimers } from '../support/fake-timers.ts'

interface Write {
  readonly stream: Stream
  readonly lines: readonly string[]
  succeed(): void
  fail(reason: string): void
}

/** A sink whose writes end when the test says so, and a writer on it with the clock of the test. */
function setUp(options: Partial<LogWriterOptions> = {}) {
  const writes: Write[] = []
  const timers = fakeTimers()
  let closed = 0
  const sink: Sink = {
    write: (stream, bytes) =>
      new Promise((resolve, reject) => {
        const text = Buffer.from(bytes).toString()
        expect(text.endsWith('\n')).toBe(true)
        const lines = text.slice(0, -1).split('\n')
        writes.push({ stream, lines, succeed: resolve, fail: reason => reject(new Error(reason)) })
      }),
    async close() {
      closed++
    },
  }
  const log = createLogWriter(sink, { flushMs: 10, timers, ...options })
  return { log, writes, timers, closed: () => closed }
}

/** With its newline, `bytes` bytes. */
const record = (bytes: number) => 'x'.repeat(bytes - 1)

it('writes what was pushed, whatever it is, however long, and however often its memory is used again', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(4_000)), { maxLength: 40 }),
      async records => {
        const { log, writes, timers } = setUp({ flushBytes: 100_000 })
        const lines = records.map(([text, times], i) => `${i}${text.replaceAll('\n', '')}`.repeat(1 + (times % 300)))
        const written: string[] = []
        for (const [i, line] of lines.entries()) {
          log.push('decisions', line)
          if (i % 3 > 0) continue
          await timers.pass(10)
          written.push(...(writes.at(-1)?.lines ?? []))
          writes.at(-1)?.succeed()
          await timers.pass(0)
        }
        const flushed = log.flush()
        for (let seen = 0; written.length < lines.length; ) {
          await timers.pass(10)
          const next = writes[writes.length - 1]
          if (writes.length === seen) continue
          seen = writes.length
          written.push(...next.lines)
          next.succeed()
        }
        await flushed
        expect(written).toEqual(lines)
        const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)
        expect(log.stats).toMatchObject({
          queuedBytes: 0,
          written: { decisions: lines.length },
          bytes: { decisions: bytes },
        })
      },
    ),
    { numRuns: 50 },
  )
})

it('lets nobody who waits for the disk make a failing one fail more often, and all of them wait as one', async () => {
  const { log, writes, timers } = setUp()
  log.push('decisions', 'a')
  const waiting = [log.flush(), log.flush(), log.settled()]
  writes[0].fail('ENOSPC')
  await timers.pass(0)
  for (let i = 0; i < 200; i++) waiting.push(log.flush())
  expect(writes).toHaveLength(1)
  await timers.pass(100)
  expect(writes).toHaveLength(2)
  writes[1].succeed()
  await Promise.all(waiting)
})

describe('group commit', () => {
  it('writes all that came within flushMs of the first record, at once', async () => {
    const { log, writes, timers } = setUp()
    log.push('decisions', 'a')
    await timers.pass(9)
    log.push('decisions', 'b')
    expect(writes).toHaveLength(0)
    await timers.pass(1)
    expect(writes.map(({ lines }) => lines)).toEqual([['a', 'b']])
  })

  it('does not wait for more than flushBytes', async () => {
    const { log, writes } = setUp({ flushBytes: 100 })
    log.push('decisions', record(60))
    expect(writes).toHaveLength(0)
    log.push('decisions', record(40))
    expect(writes.map(({ lines }) => lines.length)).toEqual([2])
  })

  it('has one write of a stream under way; all that came meanwhile is the next', async () => {
    const { log, writes, timers } = setUp()
    log.push('decisions', 'a')
    await timers.pass(10)
    for (const more of ['b', 'c', 'd']) log.push('decisions', more)
    await timers.pass(100)
    expect(writes).toHaveLength(1)
    writes[0].succeed()
    await timers.pass(10)
    expect(writes.map(({ lines }) => lines)).toEqual([['a'], ['b', 'c', 'd']])
  })

  it('writes the streams apart: one that hangs does not hold the other up', async () => {
    const { log, writes, timers } = setUp()
    log.push('decisions', 'a')
    log.push('rewards', 'b')
    await timers.pass(10)
    expect(writes.map(({ stream, lines }) => [stream, ...lines])).toEqual([
      ['decisions', 'a'],
      ['rewards', 'b'],
    ])
    writes[1].succeed()
    await timers.pass(0)
    expect(log.stats).toEqual({
      queuedBytes: 2,
      queuedRecords: 1,
      oldestMs: 10,
      written: { decisions: 0, rewards: 1 },
      bytes: { decisions: 0, rewards: 2 },
      commits: 1,
      failures: 0,
      committedAt: { decisions: undefined, rewards: 10 },
      lost: 0,
    })
  })

  it('knows how long the oldest record has waited, through failures and whatever comes after it', async () => {
    const { log, writes, timers } = setUp()
    expect(log.stats.oldestMs).toBe(0)
    log.push('decisions', 'a')
    await timers.pass(10)
    log.push('decisions', 'b')
    log.push('rewards', 'c')
    writes[0].fail('ENOSPC')
    await timers.pass(90)
    expect(log.stats.oldestMs).toBe(100)
    await timers.pass(10)
    for (const write of writes) write.succeed()
    await timers.pass(0)
    // What is left came with the second push, 100 ms ago.
    expect(log.stats.oldestMs).toBe(100)
    for (const write of writes) write.succeed()
    await timers.pass(10)
    for (const write of writes) write.succeed()
    await timers.pass(10)
    expect(log.stats).toMatchObject({ oldestMs: 0, queuedRecords: 0, committedAt: { decisions: 120 } })
  })

  it('counts bytes, not characters', () => {
    const { log } = setUp()
    log.push('decisions', 'é€')
    expect(log.stats.queuedBytes).toBe(6)
  })
})

describe('under pressure', () => {
  it('admits less from three quarters on, down to 1/64, and nothing when it is full', () => {
    const { log } = setUp({ maxQueueBytes: 1000, flushBytes: 1e9 })
    const admissions = Array.from({ length: 11 }, (_, i) => {
      log.push('decisions', record(i === 0 ? 750 : 25))
      return log.admission
    })
    for (const [i, admission] of admissions.slice(0, 10).entries()) {
      expect(admission).toBeCloseTo(1 - (i / 10) * (63 / 64), 12)
    }
    expect(admissions[10]).toBe(0)
    expect(log.stats.queuedRecords).toBe(11)
  })

  it('is in trouble from half full on, until less than a quarter is left', async () => {
    const { log, writes, timers } = setUp({ maxQueueBytes: 1000 })
    const write = async (bytes: number) => {
      log.push('decisions', record(bytes))
      await timers.pass(10)
    }
    await write(250)
    await write(249)
    expect(log.trouble).toBeUndefined()
    log.push('rewards', record(1))
    expect(log.trouble).toBe("50 % of the log's queue is in use")
    writes[0].succeed()
    await timers.pass(0)
    expect(log.stats.queuedBytes).toBe(250)
    expect(log.trouble).toBeDefined()
    await timers.pass(10)
    writes.find(({ stream }) => stream === 'rewards')?.succeed()
    await timers.pass(0)
    expect(log.stats.queuedBytes).toBe(249)
    expect(log.trouble).toBeUndefined()
  })

  it('is in trouble while a write takes too long', async () => {
    const { log, writes, timers } = setUp({ slowMs: 500 })
    log.push('decisions', 'a')
    await timers.pass(509)
    expect(log.trouble).toBeUndefined()
    await timers.pass(1)
    expect(log.trouble).toBe('a write of the log is taking more than 500 ms')
    writes[0].succeed()
    await timers.pass(0)
    expect(log.trouble).toBeUndefined()
  })
})

describe('a write that fails', () => {
  it('is trouble at once, and is done again later and later, with what has come since', async () => {
    const { log, writes, timers } = setUp()
    log.push('decisions', 'a')
    await timers.pass(10)
    const waits: number[] = []
    for (let i = 0; i < 8; i++) {
      writes[i].fail('ENOSPC: no space left on device, write')
      await timers.pass(0)
      expect(log.trouble).toBe('the log cannot be written: ENOSPC: no space left on device, write')
      log.push('decisions', String(i))
      const failed = timers.now()
      while (writes.length === i + 1) await timers.pass(1)
      waits.push(timers.now() - failed)
    }
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000])
    expect(writes[8].lines).toEqual(['a', '0', '1', '2', '3', '4', '5', '6', '7'])
    writes[8].succeed()
    await timers.pass(0)
    expect(log.trouble).toBeUndefined()
    expect(log.stats).toMatchObject({ queuedBytes: 0, queuedRecords: 0, commits: 1, failures: 8 })
  })

  it('leaves every record in the sink once and in order, whatever the pattern of failures', async () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ push: fc.constantFrom<Stream>('decisions', 'rewards'), bytes: fc.integer({ min: 1, max: 60 }) }),
        fc.record({ pass: fc.integer({ min: 0, max: 400 }) }),
        fc.record({ end: fc.nat(3), fails: fc.boolean() }),
        fc.constant({ flush: true }),
      ),
      { maxLength: 60 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async list => {
        const { log, writes, timers } = setUp({ flushBytes: 150, maxQueueBytes: 1000 })
        const pushed: Record<Stream, string[]> = { decisions: [], rewards: [] }
        const held: Record<Stream, string[]> = { decisions: [], rewards: [] }
        const flushes: { readonly counts: readonly number[]; done: boolean }[] = []
        const check = () => {
          for (const { counts, done } of flushes) {
            if (done) expect(held.decisions.length >= counts[0] && held.rewards.length >= counts[1]).toBe(true)
          }
          const streams = writes.map(({ stream }) => stream)
          expect(new Set(streams).size).toBe(streams.length)
        }
        const end = (index: number, fails: boolean) => {
          if (writes.length === 0) return
          const [write] = writes.splice(index % writes.length, 1)
          if (fails) return write.fail('EIO')
          held[write.stream].push(...write.lines)
          write.succeed()
        }
        for (const step of list) {
          if ('push' in step) {
            const text = `${pushed[step.push].length}`.padEnd(step.bytes, '.')
            pushed[step.push].push(text)
            log.push(step.push, text)
          } else if ('pass' in step) {
            await timers.pass(step.pass)
          } else if ('end' in step) {
            end(step.end, step.fails)
            await timers.pass(0)
          } else {
            const flush = { counts: [pushed.decisions.length, pushed.rewards.length], done: false }
            flushes.push(flush)
            void log.flush().then(() => {
              flush.done = true
            })
          }
          check()
        }
        for (let i = 0; i < 10; i++) {
          while (writes.length > 0) end(0, false)
          await timers.pass(5000)
        }
        check()
        expect(held).toEqual(pushed)
        expect(flushes.every(({ done }) => done)).toBe(true)
        expect(log.stats).toMatchObject({ queuedBytes: 0, queuedRecords: 0 })
        expect([log.admission, log.trouble]).toEqual([1, undefined])
      }),
    )
  })
})

describe('close', () => {
  it('writes what is queued without waiting, then closes the sink', async () => {
    const { log, writes, timers, closed } = setUp()
    log.push('decisions', 'a')
    log.push('rewards', 'b')
    const closing = log.close(1000)
    expect(writes).toHaveLength(2)
    for (const write of writes) write.succeed()
    await closing
    expect(closed()).toBe(1)
    expect(timers.now()).toBe(0)
    expect(() => log.push('decisions', 'c')).toThrow('closed')
  })

  it('gives up in time and says how many records are lost, and why', async () => {
    const { log, writes, timers, closed } = setUp()
    for (const text of ['a', 'b', 'c']) log.push('decisions', text)
    log.push('rewards', 'd')
    const closing = log.close(1000)
    const refused = expect(closing).rejects.toMatchObject({
      message: '3 decisions and 0 rewards of the log could not be written',
      hint: 'EROFS: read-only file system, open',
    })
    writes[1].succeed()
    for (let i = 0; i < 1000; i += 50) {
      for (const write of writes) write.fail('EROFS: read-only file system, open')
      await timers.pass(50)
    }
    await refused
    expect(log.stats.lost).toBe(3)
    expect(closed()).toBe(1)
    const tried = writes.length
    await timers.pass(60_000)
    expect(writes).toHaveLength(tried)
  })

  it('does not wait for a write that hangs', async () => {
    const { log, timers } = setUp()
    log.push('decisions', 'a')
    const refused = expect(log.close(1000)).rejects.toMatchObject({
      hint: 'the last write has not ended after 1000 ms',
    })
    await timers.pass(1000)
    await refused
  })
})
