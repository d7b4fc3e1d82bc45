/** What becomes of a log's segments once they are closed: they are compressed, and deleted when they are old. */
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import { messageOf } from '../../errors.ts'
import { type ENDINGS, readSegmentName, type SegmentName } from '../../log/records/segment-name.ts'
import { type FileSink, SEGMENT_MS } from './files.ts'

export type Compression = 'gzip' | 'zstd'

/** What is done to a segment. */
export type Work = 'compress' | 'delete'

export interface UpkeepOptions {
  readonly compress?: Compression
  /** A segment goes when its last record may be older than this. */
  readonly keepMs?: number
  /** The oldest segments go while all of them have more bytes than this. */
  readonly keepBytes?: number
  readonly clock: { now(): number }
  /** Is told of what failed, once for each new reason. It is tried again at the next look. */
  onFailure(work: Work, file: string, reason: string): void
}

export interface Upkeep {
  readonly stats: { readonly done: Readonly<Record<Work, number>>; readonly failures: Readonly<Record<Work, number>> }
  /** Looks at the folder now, and does what is to be done, one file after the other. Never rejects. */
  look(): Promise<void>
  /** Looks now, and again and again. */
  start(): void
  /** Gives up on what is under way: it leaves no trace. */
  stop(): Promise<void>
}

const LOOK_MS = 60_000

const ENDING: Readonly<Record<Compression, (typeof ENDINGS)[number]>> = { gzip: '.gz', zstd: '.zst' }

/** Node has it from 22.15 on. */
export const hasZstd = typeof zlib.createZstdCompress === 'function'

interface Segment extends SegmentName {
  readonly name: string
  readonly bytes: number
  /** Will nobody write into it any more? */
  readonly closed: boolean
}

/**
 * Keeps the folder of `sink`. Of the segments of other processes, which may live, be dead, or run on other machines, one is closed when its
 * hour has been over, and nothing has been written into it, for as long again: whoever holds it open writes into another one since. Files with
 * names that no server gives are never touched.
 */
export function createUpkeep(folder: string, sink: Pick<FileSink, 'stateOf'>, options: UpkeepOptions): Upkeep {
  const { compress, keepMs, keepBytes, clock, onFailure } = options
  const stats = { done: { compress: 0, delete: 0 }, failures: { compress: 0, delete: 0 } }
  const troubles = new Map<string, string>()
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()

  /** The folder is made with the first record. */
  const names = async (): Promise<string[]> => ((await unlessGone(readdir(folder))) ?? []).sort()

  /** When nothing can be written into a segment any more that was begun then. */
  const endOf = (begun: number) => (Math.floor(begun / SEGMENT_MS) + 1) * SEGMENT_MS

  /** Oldest first. */
  async function segments(): Promise<Segment[]> {
    const now = clock.now()
    const found: Segment[] = []
    for (const name of await names()) {
      const read = readSegmentName(name)
      if (read === undefined) continue
      const there = await unlessGone(stat(join(folder, name)))
      if (there === undefined) continue
      const { size, mtimeMs } = there
      const state = sink.stateOf(read.plain)
      const left = Math.max(endOf(read.begun), mtimeMs) + SEGMENT_MS <= now
      const closed = state === 'closed' || (state === 'elsewhere' && (read.compressed || left))
      found.push({ ...read, name, bytes: size, closed })
    }
    return found.sort((a, b) => a.begun - b.begun)
  }

  async function attempt(work: Work, file: string, run: () => Promise<boolean>): Promise<void> {
    if (stopping.signal.aborted) return
    try {
      if (await run()) stats.done[work]++
      troubles.delete(file)
    } catch (error) {
      if (stopping.signal.aborted) return
      stats.failures[work]++
      const reason = messageOf(error)
      if (troubles.get(file) === reason) return
      troubles.set(file, reason)
      onFailure(work, file, reason)
    }
  }

  const remove = ({ name }: Segment) =>
    attempt('delete', name, async () => {
      await rm(join(folder, name), { force: true })
      return true
    })

  async function removeOld(keepMs: number): Promise<void> {
    for (const segment of await segments())
      if (segment.closed && endOf(segment.begun) + keepMs <= clock.now()) await remove(segment)
  }

  async function removeExcess(keepBytes: number): Promise<void> {
    const all = await segments()
    let bytes = all.reduce((sum, segment) => sum + segment.bytes, 0)
    for (const segment of all) {
      if (bytes <= keepBytes) return
      if (!segment.closed) continue
      await remove(segment)
      bytes -= segment.bytes
    }
  }

  async function compressAll(how: Compression): Promise<void> {
    const all = await segments()
    for (const { name, plain, closed, compressed } of all) {
      if (compressed || !closed) continue
      // Of a run that ended before it could delete the original.
      const others = all.filter(other => other.compressed && other.plain === plain && other.name !== name + ENDING[how])
      await attempt('compress', name, () => compressOne(name, how, others))
    }
  }

  /** False where somebody else is at it. Until the last line the original is whole, and the one that is read. */
  async function compressOne(name: string, how: Compression, others: readonly Segment[]): Promise<boolean> {
    const original = join(folder, name)
    const temporary = join(folder, `.${name}${ENDING[how]}${TEMPORARY}`)
    const into = await create(temporary)
    if (into === undefined) return false
    try {
      if ((await unlessGone(squeeze(original, into, how))) === undefined) return false
      await rename(temporary, original + ENDING[how])
    } finally {
      await into.close()
      // Where all went well nothing has this name any more.
      await rm(temporary, { force: true })
    }
    await syncFolder()
    for (const other of others) await rm(join(folder, other.name), { force: true })
    await rm(original, { force: true })
    return true
  }

  /** Resolves to the bytes that were read. */
  async function squeeze(original: string, into: FileHandle, how: Compression): Promise<number> {
    const bytes = createReadStream(original)
    const through = how === 'gzip' ? zlib.createGzip() : zlib.createZstdCompress()
    const write = async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) await into.appendFile(chunk)
    }
    await pipeline(bytes, through, write, { signal: stopping.signal })
    await into.sync()
    const { size } = await stat(original)
    if (size !== bytes.bytesRead) throw new Error(`it grew from ${bytes.bytesRead} to ${size} bytes meanwhile`)
    return size
  }

  /** What must be on stable storage before the original goes: the name of what replaces it. */
  async function syncFolder(): Promise<void> {
    const handle = await open(folder)
    await handle.sync().finally(() => handle.close())
  }

  /** What a process has left that died while it compressed. */
  async function removeLeftovers(): Promise<void> {
    for (const name of await names()) {
      if (!LEFTOVER.test(name)) continue
      const path = join(folder, name)
      const there = await unlessGone(stat(path))
      if (there !== undefined && there.mtimeMs + SEGMENT_MS <= clock.now()) await rm(path, { force: true })
    }
  }

  async function lookOnce(): Promise<void> {
    await removeLeftovers()
    if (keepMs !== undefined) await removeOld(keepMs)
    if (compress !== undefined) await compressAll(compress)
    if (keepBytes !== undefined) await removeExcess(keepBytes)
  }

  const upkeep: Upkeep = {
    stats,
    look() {
      const folderWork: Work = compress === undefined ? 'delete' : 'compress'
      looking = looking.then(() =>
        attempt(folderWork, folder, async () => {
          await lookOnce()
          return false
        }),
      )
      return looking
    },
    start() {
      void upkeep.look()
      timer = setInterval(() => void upkeep.look(), LOOK_MS).unref()
    },
    async stop() {
      clearInterval(timer)
      stopping.abort()
      await looking
    },
  }
  return upkeep
}

const TEMPORARY = '.dap-tmp'

const LEFTOVER = /^\.(decisions|rewards)-.*\.jsonl(\.gz|\.zst)\.dap-tmp$/

/** Undefined where a file has gone: others compress and delete, too. */
export async function unlessGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Undefined where it is there already: another process has begun. */
async function create(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx', 0o640)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined
    throw error
  }
}
