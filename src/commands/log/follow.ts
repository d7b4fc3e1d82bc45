/** The lines of a log as they come, from whatever files it is in by then. */
import { DapError } from '../../errors.ts'
import type { Appended, FoundFile, Host } from '../../host.ts'
import { readSegmentName, type SegmentName } from '../../log/records/segment-name.ts'
import { confirmedRoots, displayPath, findRoot } from '../opening/repository.ts'
import { folderFiles } from '../reading/data-files.ts'

export interface FollowedLine {
  readonly text: string
  /** `logs/a.jsonl:12`, or `logs/a.jsonl, at byte 4096` of a file that was not read from its start. */
  readonly place: string
  /** Has no end yet; its writer may be at it. */
  readonly unfinished?: true
}

/** A file that is being read. Names are as the user would type them. */
export interface FollowedFile {
  readonly name: string
  /** What its name says, where a server gave it. */
  readonly segment: SegmentName | undefined
  /** Whole lines that have come since; of a compressed file all of it, once. `last`: with what has no end, too. */
  read(last?: boolean): AsyncGenerator<FollowedLine>
  /** Lets go of what is there already. */
  skip(): Promise<void>
}

export interface Follower {
  /** Files that were not there the last time, by name. */
  found(): Promise<FollowedFile[]>
  /** Of the paths, those where there is nothing yet, as they were given. */
  readonly absent: readonly string[]
  /** What keeps folders from being looked through, if anything does. */
  readonly trouble: string | undefined
}

/** Follows files, and what is in folders. Paths are absolute. */
export function createFollower(host: Host, paths: readonly string[]): Follower {
  const known = new Set<string>()
  const state: { absent: string[]; trouble: string | undefined } = { absent: [], trouble: undefined }
  let within: Promise<readonly string[]> | undefined

  const allowed = async (): Promise<readonly string[]> => {
    const root = await findRoot(host)
    return [...(await confirmedRoots(host)), ...(root === undefined ? [] : [root])]
  }

  async function below(path: string): Promise<readonly FoundFile[]> {
    if (!(await host.files.exists(path))) {
      state.absent.push(displayPath(host.cwd, path) || '.')
      return []
    }
    const real = await host.files.real(path)
    if (!(await host.files.isFolder(path))) return [{ path, real }]
    within ??= allowed()
    return folderFiles(host, path, [...(await within), real], 'dap')
  }

  return {
    get absent() {
      return state.absent
    },
    get trouble() {
      return state.trouble
    },
    async found() {
      state.absent = []
      state.trouble = undefined
      const files: FollowedFile[] = []
      for (const path of paths) {
        try {
          for (const file of await below(path)) {
            const name = displayPath(host.cwd, file.path)
            const segment = segmentOf(name)
            // What is compressed by now was read while it grew.
            const key = segment === undefined ? file.real : file.real.replace(/\.(gz|zst)$/, '')
            if (known.has(key)) continue
            known.add(key)
            files.push(
              /\.(gz|zst)$/.test(file.path)
                ? compressedFile(host, file.path, name)
                : growingFile(host, file.path, name),
            )
          }
        } catch (error) {
          // A file may go while a folder is looked through; if something stays wrong it is said.
          if (!(error instanceof DapError)) throw error
          state.trouble = error.message
        }
      }
      return files
    },
  }
}

const segmentOf = (name: string) => readSegmentName(name.slice(name.lastIndexOf('/') + 1))

function compressedFile(host: Host, path: string, name: string): FollowedFile {
  let done = false
  return {
    name,
    segment: segmentOf(name),
    async *read() {
      if (done) return
      done = true
      let row = 0
      for await (const lines of host.files.readLines(path))
        for (const text of lines) yield { text, place: `${name}:${++row}` }
    },
    async skip() {
      done = true
    },
  }
}

/** A longer line is nothing that a server writes. */
const MOST_LINE = 16 * 1024 * 1024

function growingFile(host: Host, path: string, name: string): FollowedFile {
  let at: Appended | undefined
  let row: number | undefined = 0
  let rest: Uint8Array[] = []
  let start = 0
  const decoder = new TextDecoder()

  const take = (begin: number, bytes: readonly Uint8Array[]): FollowedLine => {
    const text = decoder.decode(Buffer.concat(bytes)).replace(/\r$/, '')
    return { text, place: row === undefined ? `${name}, at byte ${begin}` : `${name}:${++row}` }
  }

  return {
    name,
    segment: segmentOf(name),
    async *read(last = false) {
      for (;;) {
        const next = await host.files.appended(path, at)
        if (next === undefined) break
        if (next.from === 0) {
          // Another file than before, or one that was emptied.
          rest = []
          row = 0
          start = 0
        }
        at = next
        if (next.bytes.length === 0) break
        let begin = 0
        for (let end = next.bytes.indexOf(10); end !== -1; end = next.bytes.indexOf(10, begin)) {
          yield take(start, [...rest, next.bytes.subarray(begin, end)])
          rest = []
          begin = end + 1
          start = next.from + begin
        }
        if (begin < next.bytes.length) rest.push(next.bytes.slice(begin))
        if (rest.reduce((sum, each) => sum + each.length, 0) > MOST_LINE) {
          throw new DapError(`\`${name}\` has a line of more than ${MOST_LINE} bytes`, { hint: 'it is no log of dap' })
        }
      }
      if (last && rest.length > 0) {
        yield { ...take(start, rest), unfinished: true }
        rest = []
      }
    },
    async skip() {
      const end = await host.files.appended(path, 'end')
      if (end === undefined) return
      at = end
      start = end.to
      if (end.to > 0) row = undefined
    },
  }
}
