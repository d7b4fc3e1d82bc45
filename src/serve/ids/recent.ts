import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readRecord } from '../../log/records/read-record.ts'
import { readableSegments, readSegmentName, type SegmentName } from '../../log/records/segment-name.ts'
import type { Stream } from '../log/log-writer.ts'
import { unlessGone } from '../log/upkeep.ts'
import { readId } from './ids.ts'
import { type Claim, claimOfDecision, claimOfReward, type LedgerLimits } from './ledger.ts'

interface Segment extends SegmentName {
  readonly name: string
}

export interface RecentOptions extends LedgerLimits {
  /** Milliseconds since 1970. */
  readonly now: number
  /** Lines of a compressed file. */
  readLines(path: string): AsyncIterable<readonly string[]>
}

/** An id that came into the log `ageMs` ago. */
export interface RecentClaim {
  readonly claim: Claim
  readonly ageMs: number
}

/**
 * The ids in a server's log that its last run would still remember: of each process that wrote there its newest segments, from their ends. Oldest
 * first. A folder that is not there has none; what cannot be read rejects.
 */
export async function recentClaims(folder: string, options: RecentOptions): Promise<RecentClaim[]> {
  const names = (await unlessGone(readdir(folder))) ?? []
  const found: RecentClaim[] = []
  for (const stream of ['decisions', 'rewards'] satisfies Stream[]) {
    const writers = new Map<string, Segment[]>()
    for (const name of readableSegments(names, path => path)) {
      const segment = readSegmentName(name)
      if (segment?.stream !== stream) continue
      writers.set(segment.writer, [...(writers.get(segment.writer) ?? []), { ...segment, name }])
    }
    const ofStream: RecentClaim[] = []
    for (const segments of writers.values()) {
      segments.sort((a, b) => b.begun - a.begun || b.number - a.number)
      ofStream.push(...(await claimsOf(folder, segments, options)))
    }
    ofStream.sort((a, b) => b.ageMs - a.ageMs)
    found.push(...ofStream.slice(-options.retained))
  }
  return found
}

/** Of one process and one stream; the newest file comes first, and so does the last line of each. */
async function claimsOf(folder: string, segments: readonly Segment[], options: RecentOptions): Promise<RecentClaim[]> {
  const { now, retentionMs, retained } = options
  const claims: RecentClaim[] = []
  let seen = 0
  for (const { name, compressed } of segments) {
    const path = join(folder, name)
    if ((await stat(path)).mtimeMs < now - retentionMs) break
    for await (const line of compressed ? lastLines(path, options) : linesFromEnd(path)) {
      const recent = recentRecord(line, now)
      if (recent === undefined) continue
      if (recent.ageMs >= retentionMs || seen++ >= retained) return claims
      const { claim, ageMs } = recent
      if (claim !== undefined) claims.push({ claim, ageMs })
    }
  }
  return claims
}

/** Undefined of a line that is no record, such as the one that a killed process left; without a claim where the server has made the id itself. */
function recentRecord(line: string, now: number): { readonly claim?: Claim; readonly ageMs: number } | undefined {
  const read = readRecord(line)
  if ('fault' in read) return undefined
  const age = (ts: string) => Math.max(0, now - Date.parse(ts))
  if ('reward' in read) {
    const { reward } = read
    return { claim: claimOfReward(reward), ageMs: age(reward.receivedTs ?? reward.ts) }
  }
  const { decision } = read
  const ageMs = age(decision.ts)
  return readId(decision.decisionId, [decision.policy.name]) === undefined
    ? { claim: claimOfDecision(decision), ageMs }
    : { ageMs }
}

const PIECE = 1 << 18
const LF = 10

/** Longer than any record. */
const LONGEST = 1 << 24

/** Lines of a file, the last one first, without reading more of it than is asked for. */
async function* linesFromEnd(path: string): AsyncGenerator<string> {
  const file = await open(path)
  try {
    let begun: Buffer = Buffer.alloc(0)
    for (let end = (await file.stat()).size; end > 0 && begun.length < LONGEST; ) {
      const piece = Buffer.alloc(Math.min(PIECE, end))
      end -= piece.length
      await file.read(piece, 0, piece.length, end)
      const bytes = Buffer.concat([piece, begun])
      // What is before the first line end is the end of a line that begins in an earlier piece.
      const whole = end === 0 ? 0 : bytes.indexOf(LF) + 1
      begun = whole === 0 && end > 0 ? bytes : bytes.subarray(0, Math.max(0, whole - 1))
      if (whole > 0 || end === 0) yield* bytes.subarray(whole).toString().split('\n').reverse()
    }
  } finally {
    await file.close()
  }
}

/** A compressed file is read from its beginning, and only its last lines are kept. */
async function* lastLines(path: string, { readLines, retained }: RecentOptions): AsyncGenerator<string> {
  let last: string[] = []
  for await (const lines of readLines(path)) {
    last.push(...lines)
    if (last.length > 2 * retained) last = last.slice(-retained)
  }
  yield* last.reverse()
}
