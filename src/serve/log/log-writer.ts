/** The decision log of a server: written off the request path, by group commit. */
import { DapError, messageOf } from '../../errors.ts'

export type Stream = 'decisions' | 'rewards'

/** Where the lines go. One write at a time of each stream. */
export interface Sink {
  /**
   * Appends whole lines. When it rejects, it has either written nothing or left what a reader of lines can skip, and the same lines,
   * with more after them, may be given again.
   */
  write(stream: Stream, lines: Uint8Array): Promise<void>
  /** Rejects where nothing could be written now, such as in a folder that nobody may write in. */
  probe?(): Promise<void>
  /** Brings what was written to stable storage, and lets go of it. */
  close(): Promise<void>
}

export interface LogWriter {
  /**
   * The probability with which a decision's record should be kept now: 1, less as the queue fills up, 0 when it is full, and then nothing
   * may be decided. Rewards are taken until it is 0.
   */
  readonly admission: number
  /** Queues a record; one without its newline. */
  push(stream: Stream, record: string): void
  /** Undefined while all is well, as far as a first probe of the sink has shown; else why the server should get no more traffic. Worries come before losses. */
  readonly trouble: string | undefined
  /** Resolves when the sink has been tried out for the first time, or takes too long for it. */
  readonly tried: Promise<void>
  readonly stats: LogWriterStats
  /** Resolves when everything queued before has been written, as soon as may be. */
  flush(): Promise<void>
  /** The same, in its own time. */
  settled(): Promise<void>
  /** Writes what is queued and closes the sink. Gives up after `timeoutMs`: rejects with a DapError that says how many records are lost. */
  close(timeoutMs: number): Promise<void>
}

/** Is told of each record before it is acknowledged. */
export interface Reserve {
  took(): void
  wrote(stream: Stream, records: number): void
  /** The primary does not take accounts any more: no more records should be acknowledged. */
  readonly stalled: boolean
}

export interface LogWriterStats {
  /** With those that are being written. */
  readonly queuedBytes: number
  readonly queuedRecords: number
  /** How long the oldest of them has waited, in milliseconds; 0 where there is none. */
  readonly oldestMs: number
  readonly written: Readonly<Record<Stream, number>>
  readonly bytes: Readonly<Record<Stream, number>>
  readonly commits: number
  readonly failures: number
  /** When records were written last, milliseconds since 1970. */
  readonly committedAt: Readonly<Record<Stream, number | undefined>>
  /** Records that the writer has given up on, as it was closed. */
  readonly lost: number
}

export interface LogWriterOptions {
  /** How long the first record of a write waits for others. */
  readonly flushMs: number
  /** What is full. */
  readonly maxQueueBytes?: number
  /** A write does not wait for more than this, and takes no more, but for one record. */
  readonly flushBytes?: number
  /** A write that takes longer is trouble. */
  readonly slowMs?: number
  /** Is told of each record, where somebody else answers for what this process may lose. */
  readonly reserve?: Reserve
  readonly timers?: Timers
}

export interface Timers {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs once, `ms` milliseconds from now, unless the function that it returns has been called before. */
  after(ms: number, run: () => void): () => void
}

export const systemTimers: Timers = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

const MIB = 1024 * 1024
/** Shares of a full queue: where trouble begins and where it ends, and where records begin to be left out. */
const CROWDED = 1 / 2
const RELAXED = 1 / 4
const SHEDDING = 3 / 4
/** The admission of a queue that is all but full. */
const LEAST_ADMISSION = 1 / 64
/** The wait after a failure, doubled with each one that follows. */
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5000

/** What one write takes: records as they go to the sink. A record that waits as a string would be old, and dear, when it goes. */
interface Group {
  buffer: Buffer
  bytes: number
  records: number
  /** When the first of them came. */
  readonly since: number
}

/** Of a new buffer; it grows as it must. */
const FIRST_BYTES = 64 * 1024
const LF = 10

function append(group: Group, record: string): void {
  // A character takes at most three bytes; how many it does take is only counted where that may matter.
  const room = group.buffer.length - group.bytes - 1
  if (room < 3 * record.length) {
    const needed = Buffer.byteLength(record)
    if (room < needed) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * group.buffer.length, group.bytes + needed + 1))
      group.buffer.copy(larger, 0, 0, group.bytes)
      group.buffer = larger
    }
  }
  group.bytes += group.buffer.write(record, group.bytes)
  group.buffer[group.bytes++] = LF
  group.records++
}

interface Waiter {
  readonly until: number
  readonly done: Promise<void>
  readonly resolve: () => void
}

interface Lane {
  readonly stream: Stream
  /** What has been written, and may be written over. */
  spare: Buffer | undefined
  /** Not yet written, oldest first. */
  groups: Group[]
  /** Is the first group under way? */
  writing: boolean
  pushed: number
  written: number
  bytes: number
  committedAt: number | undefined
  /** Takes back the next write; undefined when none is planned. */
  cancel: (() => void) | undefined
  /** The wait before the next write after failures; 0 after a success. */
  retryMs: number
  failure: string | undefined
  slow: boolean
  /** Those who wait until so many records have been written. */
  waiters: Waiter[]
  /** Up to this record somebody wants it written at once. */
  hurried: number
}

/**
 * Group commit: a write takes what is queued of its stream, `flushMs` after the first of it came or as soon as it is `flushBytes`. A write
 * that fails is done again until it succeeds: the writer itself drops nothing. The sink is tried out at once, before there is a record.
 */
export function createLogWriter(
  sink: Sink,
  {
    flushMs,
    maxQueueBytes = 64 * MIB,
    flushBytes = MIB,
    slowMs = 5000,
    reserve,
    timers = systemTimers,
  }: LogWriterOptions,
): LogWriter {
  const lanes = { decisions: createLane('decisions'), rewards: createLane('rewards') }
  const both = [lanes.decisions, lanes.rewards]
  let queuedBytes = 0
  let commits = 0
  let failures = 0
  let lost = 0
  let crowded = false
  let closed = false
  /** Why there is trouble before any write has failed. */
  let unproven: string | undefined = sink.probe === undefined ? undefined : 'the log has not been tried yet'
  let cancelProbe: (() => void) | undefined

  async function prove(retryMs: number): Promise<void> {
    try {
      await sink.probe?.()
      unproven = undefined
    } catch (error) {
      failures++
      unproven = cannotBeWritten(messageOf(error))
      if (!closed) cancelProbe = timers.after(retryMs, () => void prove(Math.min(LAST_RETRY_MS, 2 * retryMs)))
    }
  }

  /** Sees to it that what is queued will be written. */
  function plan(lane: Lane): void {
    if (closed || lane.writing || lane.groups.length === 0) return
    if (lane.retryMs === 0 && (lane.groups[0].bytes >= flushBytes || lane.hurried > lane.written)) {
      void write(lane)
    } else lane.cancel ??= timers.after(lane.retryMs || flushMs, () => void write(lane))
  }

  async function write(lane: Lane): Promise<void> {
    lane.cancel?.()
    lane.cancel = undefined
    if (closed || lane.writing || lane.groups.length === 0) return
    const { records, bytes, buffer } = lane.groups[0]
    lane.writing = true
    const notSlow = timers.after(slowMs, () => {
      lane.slow = true
    })
    try {
      await sink.write(lane.stream, buffer.subarray(0, bytes))
      commits++
      lane.groups.shift()
      lane.spare = buffer
      lane.written += records
      lane.bytes += bytes
      lane.committedAt = timers.now()
      reserve?.wrote(lane.stream, records)
      unproven = undefined
      lane.retryMs = 0
      lane.failure = undefined
      setQueued(queuedBytes - bytes)
    } catch (error) {
      failures++
      lane.retryMs = Math.min(LAST_RETRY_MS, 2 * lane.retryMs || FIRST_RETRY_MS)
      lane.failure = messageOf(error)
    }
    notSlow()
    lane.slow = false
    lane.writing = false
    for (const { until, resolve } of lane.waiters) if (until <= lane.written) resolve()
    lane.waiters = lane.waiters.filter(({ until }) => until > lane.written)
    plan(lane)
  }

  function setQueued(bytes: number): void {
    queuedBytes = bytes
    const fill = bytes / maxQueueBytes
    crowded = fill >= (crowded ? RELAXED : CROWDED)
  }

  /** Those who wait for the same record wait together, however often they ask. */
  function written(lane: Lane, urgent: boolean): Promise<void> {
    if (lane.written === lane.pushed) return Promise.resolve()
    if (lane.waiters.at(-1)?.until !== lane.pushed) lane.waiters.push(waiterFor(lane.pushed))
    if (urgent) {
      lane.hurried = lane.pushed
      plan(lane)
    }
    return (lane.waiters.at(-1) as Waiter).done
  }

  async function flush(): Promise<void> {
    await Promise.all(both.map(lane => written(lane, true)))
  }

  const tried = new Promise<void>(resolve => {
    const cancel = timers.after(slowMs, resolve)
    void prove(FIRST_RETRY_MS).then(() => {
      cancel()
      resolve()
    })
  })

  const failure = (): string | undefined => both.find(lane => lane.failure !== undefined)?.failure

  return {
    get admission() {
      if (reserve?.stalled) return 0
      const fill = queuedBytes / maxQueueBytes
      if (fill <= SHEDDING) return 1
      return fill >= 1 ? 0 : 1 - ((1 - LEAST_ADMISSION) * (fill - SHEDDING)) / (1 - SHEDDING)
    },
    push(stream, record) {
      if (closed) throw new Error('the log is closed')
      reserve?.took()
      const lane = lanes[stream]
      let group = lane.groups.at(-1)
      if (group === undefined || group.bytes >= flushBytes || (lane.writing && lane.groups.length === 1)) {
        group = { buffer: lane.spare ?? Buffer.allocUnsafeSlow(FIRST_BYTES), bytes: 0, records: 0, since: timers.now() }
        lane.spare = undefined
        lane.groups.push(group)
      }
      const before = group.bytes
      append(group, record)
      lane.pushed++
      setQueued(queuedBytes + group.bytes - before)
      plan(lane)
    },
    get trouble() {
      const reason = failure()
      if (reason !== undefined) return cannotBeWritten(reason)
      if (unproven !== undefined) return unproven
      if (reserve?.stalled) return 'the primary process does not hear what would be logged'
      if (both.some(lane => lane.slow)) return `a write of the log is taking more than ${slowMs} ms`
      return crowded ? `${Math.round((100 * queuedBytes) / maxQueueBytes)} % of the log's queue is in use` : undefined
    },
    get stats() {
      return {
        queuedBytes,
        queuedRecords: both.reduce((sum, { pushed, written }) => sum + pushed - written, 0),
        oldestMs: Math.max(
          0,
          ...both.flatMap(({ groups: [group] }) => (group === undefined ? [] : timers.now() - group.since)),
        ),
        written: { decisions: lanes.decisions.written, rewards: lanes.rewards.written },
        bytes: { decisions: lanes.decisions.bytes, rewards: lanes.rewards.bytes },
        commits,
        failures,
        committedAt: { decisions: lanes.decisions.committedAt, rewards: lanes.rewards.committedAt },
        lost,
      }
    },
    tried,
    flush,
    async settled() {
      await Promise.all(both.map(lane => written(lane, false)))
    },
    async close(timeoutMs) {
      const inTime = await new Promise<boolean>(resolve => {
        const cancel = timers.after(timeoutMs, () => resolve(false))
        void flush().then(() => {
          cancel()
          resolve(true)
        })
      })
      closed = true
      cancelProbe?.()
      for (const lane of both) lane.cancel?.()
      const sinkClosed = sink.close()
      if (inTime) return sinkClosed
      // It may wait for the very write that was too slow, and there is worse to report.
      sinkClosed.catch(() => {})
      const [decisions, rewards] = both.map(({ pushed, written }) => pushed - written)
      lost = decisions + rewards
      throw new DapError(`${decisions} decisions and ${rewards} rewards of the log could not be written`, {
        hint: failure() ?? `the last write has not ended after ${timeoutMs} ms`,
      })
    },
  }
}

const cannotBeWritten = (reason: string) => `the log cannot be written: ${reason}`

function waiterFor(until: number): Waiter {
  let resolve = () => {}
  const done = new Promise<void>(all => {
    resolve = all
  })
  return { until, done, resolve }
}

function createLane(stream: Stream): Lane {
  return {
    stream,
    spare: undefined,
    groups: [],
    writing: false,
    pushed: 0,
    written: 0,
    bytes: 0,
    committedAt: undefined,
    cancel: undefined,
    retryMs: 0,
    failure: undefined,
    slow: false,
    hurried: 0,
    waiters: [],
  }
}
