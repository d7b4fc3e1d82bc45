import { existsSync } from 'node:fs'
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ENDINGS, segmentName } from '../../log/records/segment-name.ts'
import { type Sink, type Stream, systemTimers, type Timers } from './log-writer.ts'

export interface FileSinkOptions {
  /** A segment ends before it would grow beyond this, if it has a line at all. */
  readonly maxBytes?: number
  /** Segments end at the multiples of this since 1970: with an hour, at each hour of UTC. */
  readonly maxAgeMs?: number
  /** When what was written goes to stable storage: when the system likes, every second, or before a write counts as done. */
  readonly fsync: 'never' | 'interval' | 'always'
  /** In the segments' names; default: the host's name. */
  readonly worker?: string
  readonly clock: { now(): number }
  readonly timers?: Timers
}

export interface FileSink extends Sink {
  /** Of a file's name: is it one that this sink writes into, one that it has finished, or none of its own? */
  stateOf(name: string): 'open' | 'closed' | 'elsewhere'
}

/** Default of `maxAgeMs`. */
export const SEGMENT_MS = 3_600_000

const SYNC_MS = 1000

/** One file of whole lines, open for writing, of this process alone. */
interface Segment {
  readonly file: FileHandle
  readonly name: string
  /** Which multiple of maxAgeMs. */
  readonly age: number
  /** Where the last whole line ends. */
  size: number
  synced: boolean
}

/**
 * Lines in files named `decisions-20261122T181500Z-<worker>-<pid>-<n>.jsonl`. Each process makes its own, at their first record, and never
 * touches those of another. A write that fails is taken back, and the next goes to a new segment. Where it cannot even be taken back, the
 * old one ends with a torn line, and lines before it come again in the new one.
 */
export function fileSink(
  folder: string,
  {
    maxBytes = 256 * 1024 * 1024,
    maxAgeMs = SEGMENT_MS,
    fsync,
    worker = hostname(),
    clock,
    timers = systemTimers,
  }: FileSinkOptions,
): FileSink {
  const segments = new Map<Stream, Segment>()
  const made = new Set<string>()
  const finished = new Set<string>()
  let opened = 0
  let cancelSync: (() => void) | undefined
  let syncFailure: unknown

  async function segmentFor(stream: Stream, bytes: number): Promise<Segment> {
    const now = clock.now()
    const age = Math.floor(now / maxAgeMs)
    const current = segments.get(stream)
    if (current !== undefined) {
      if ((await current.file.stat()).nlink === 0) {
        await retire(stream, current)
        throw new Error(`\`${current.name}\` was deleted, and what had been written to it is lost; a new file is begun`)
      }
      if (current.age === age && (current.size === 0 || current.size + bytes <= maxBytes)) return current
      await sync(current)
      await retire(stream, current)
    }
    const segment = { ...(await create(stream, now)), age, size: 0, synced: true }
    segments.set(stream, segment)
    return segment
  }

  async function retire(stream: Stream, { file, name }: Segment): Promise<void> {
    segments.delete(stream)
    await file.close().finally(() => finished.add(name))
  }

  async function create(stream: Stream, now: number): Promise<Pick<Segment, 'file' | 'name'>> {
    await mkdir(folder, { recursive: true })
    for (;;) {
      const name = segmentName(stream, now, worker, process.pid, opened++)
      // Its original was there once, and whoever reads the folder would take a new one for it.
      if (ENDINGS.some(ending => existsSync(join(folder, name + ending)))) continue
      try {
        const file = await open(join(folder, name), 'wx', 0o640)
        made.add(name)
        return { file, name }
      } catch (error) {
        // Process ids come again, as in a container that was started anew.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    }
  }

  async function sync(segment: Segment): Promise<void> {
    if (segment.synced || fsync === 'never') return
    segment.synced = true
    try {
      await segment.file.datasync()
    } catch (error) {
      segment.synced = false
      throw error
    }
  }

  async function syncAll(): Promise<void> {
    for (const segment of segments.values()) await sync(segment)
  }

  return {
    stateOf(name) {
      if (finished.has(name)) return 'closed'
      return made.has(name) ? 'open' : 'elsewhere'
    },
    async write(stream, bytes) {
      if (syncFailure !== undefined) {
        const failure = syncFailure
        syncFailure = undefined
        throw failure
      }
      const segment = await segmentFor(stream, bytes.length)
      try {
        let done = 0
        while (done < bytes.length) {
          const { bytesWritten } = await segment.file.write(bytes, done, bytes.length - done, segment.size + done)
          done += bytesWritten
        }
        segment.synced = false
        if (fsync === 'always') await sync(segment)
      } catch (error) {
        const undone = await segment.file.truncate(segment.size).then(
          () => true,
          () => false,
        )
        if (segment.size > 0 || !undone) await retire(stream, segment).catch(() => {})
        throw error
      }
      segment.size += bytes.length
      if (fsync !== 'interval') return
      cancelSync ??= timers.after(SYNC_MS, () => {
        cancelSync = undefined
        syncAll().catch((error: unknown) => {
          syncFailure = error
        })
      })
    },
    async probe() {
      await mkdir(folder, { recursive: true })
      const path = join(folder, `.probe-${process.pid}`)
      const file = await open(path, 'w', 0o640)
      try {
        // Gone before it is written, so that a process that is killed leaves nothing.
        await unlink(path)
        await file.write('\n')
      } finally {
        await file.close()
      }
    },
    async close() {
      cancelSync?.()
      try {
        await syncAll()
      } finally {
        for (const [stream, segment] of segments) await retire(stream, segment)
      }
    },
  }
}
