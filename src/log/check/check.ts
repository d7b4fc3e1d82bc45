import { hash } from 'node:crypto'
import { LOG_CHECK_RESULT_SCHEMA } from '../../generated/names.ts'
import type { LogCheckResult, LogFault, LogFaultExample } from '../../generated/types.ts'
import type { Policy } from '../../policy/policy.ts'
import { outsideRange } from '../../policy/reward-range.ts'
import { withRoom } from '../id-table.ts'
import { LOG_FAULT_CODES, type LogFaultCode, severityOf } from '../records/fault.ts'
import { timestampOf } from '../records/read-record.ts'
import { recordLines } from '../records/record-lines.ts'
import { type DecisionRecord, decidedBy, type RewardRecord, rewardTime, saidBy } from '../records/records.ts'
import { checkAgainstPolicy, checkDecision } from './check-decision.ts'
import { isUnlogged } from './check-outputs.ts'
import { type Copies, createCopies } from './copies.ts'

export type { LogCheckResult, LogFault, LogFaultExample } from '../../generated/types.ts'

/** A policy that may have made decisions of the log. */
export interface KnownPolicy {
  readonly policy: Policy
  /** Milliseconds after its decision for which a reward counts. */
  readonly wait: number
}

export interface LogCheck {
  /** The next line of a file; files come one after the other. Rows count from 1. */
  line(file: string, row: number, text: string): void
  endOfFile(): void
  finish(): LogCheckResult
  /** Of the lines so far. */
  readonly errors: FileErrors
}

/** File → kind of fault → how many of its records have it; errors alone. */
export type FileErrors = ReadonlyMap<string, ReadonlyMap<LogFaultCode, number>>

const EXAMPLES = 10

/** Characters of a message, which may quote what anybody wrote. */
const LONGEST = 400

/** The time of a record whose timestamp is none. */
const UNDATED = Number.POSITIVE_INFINITY

interface Place {
  readonly file: string
  readonly row: number
}

/** Faults of one code. Those of records that are there more than once are known at the end: `of` is their entry. */
interface Met {
  count: number
  readonly examples: (LogFaultExample & { readonly of?: number })[]
}

/**
 * Checks a decision log as it is read; both streams may be mixed in any order and over any files, and which records are used is the same in each.
 * What is remembered of a million decisions with a reward each takes 110 MB, up to twice as much just after the tables have grown.
 *
 * @param policies Those of the repository, by digest.
 */
export function createLogCheck(policies: ReadonlyMap<string, KnownPolicy> = new Map()): LogCheck {
  const faults = new Map<LogFaultCode, Met>()
  const errors = new Map<string, Map<LogFaultCode, number>>()
  const known = [...policies.values()]
  const placeOf = new Map([...policies.keys()].map((digest, i) => [digest, i + 1]))
  const files: string[] = []
  const names: (string | null)[] = []
  const nameAt = new Map<string | null, number>()
  /** By decision: when it was, what it said, the policy of the repository that made it, from 1; whether nothing could be served; how many slots it has. */
  const decisions = createCopies()
  let decided = new Float64Array(1024)
  let content = new Float64Array(1024)
  let madeBy = new Uint32Array(1024)
  let unserved = new Uint8Array(1024)
  let slotsOf = new Uint8Array(1024)
  /** By reward: what it says, as `saidBy` has it; when it came, and the place of the record that says so. */
  const rewards = createCopies()
  let decisionOf = new Uint32Array(1024)
  let slotOf = new Uint8Array(1024)
  let metric = new Uint8Array(1024)
  let nameOf = new Uint32Array(1024)
  let worth = new Float64Array(1024)
  let came = new Float64Array(1024)
  let fileOf = new Uint32Array(1024)
  let rowOf = new Uint32Array(1024)
  let withoutOutputs = 0
  const counts = {
    files: 0,
    decisions: 0,
    unserved: 0,
    rewards: 0,
    activations: 0,
    joined: 0,
    late: 0,
    unused: 0,
    orphans: 0,
  }

  function report(code: LogFaultCode, { file, row }: Place, message: string, of?: number): void {
    const met = faults.get(code) ?? { count: 0, examples: [] }
    met.count++
    if (met.examples.length < EXAMPLES) met.examples.push({ file, row, message: message.slice(0, LONGEST), of })
    faults.set(code, met)
    if (severityOf(code) === 'warning') return
    const here = errors.get(file) ?? new Map<LogFaultCode, number>()
    errors.set(file, here.set(code, (here.get(code) ?? 0) + 1))
  }

  function timeOf(ts: string, place: Place, field: 'ts' | 'receivedTs' = 'ts'): number {
    const time = timestampOf(ts)
    if (!Number.isNaN(time)) return time
    report('timestamp', place, `\`${field}\` is a day that there is not: ${ts}`)
    return UNDATED
  }

  /** The place of a decision in the columns. */
  function entryOf(decisionId: string): number {
    const entry = decisions.entry(decisionId)
    decided = withRoom(decided, entry)
    content = withRoom(content, entry)
    madeBy = withRoom(madeBy, entry)
    unserved = withRoom(unserved, entry)
    slotsOf = withRoom(slotsOf, entry)
    return entry
  }

  function decision(record: DecisionRecord, place: Place): void {
    const { decisionId, policy, served } = record
    const by = placeOf.get(policy.digest) ?? 0
    const ts = timeOf(record.ts, place)
    const reportHere = (code: LogFaultCode, message: string) => report(code, place, message)
    checkDecision(record, reportHere)
    if (by > 0) checkAgainstPolicy(record, known[by - 1].policy, reportHere)
    if (record.model !== undefined && isUnlogged(record.model)) withoutOutputs++
    const what = fingerprint(Object.values(decidedBy(record)))
    const entry = entryOf(decisionId)
    if (decisions.first(entry)) {
      decided[entry] = ts
      content[entry] = what
      madeBy[entry] = by
      unserved[entry] = served.by === 'none' ? 1 : 0
      slotsOf[entry] = record.slots.length
      return
    }
    decided[entry] = Math.min(decided[entry], ts)
    if (content[entry] === what) report('repeated', place, `decision \`${decisionId}\` is logged again`, entry)
    else {
      decisions.contradict(entry)
      report('conflict', place, `decision \`${decisionId}\` is another one than the first of this id`, entry)
    }
  }

  function nameCode(name: string | null): number {
    const code = nameAt.get(name) ?? names.push(name) - 1
    nameAt.set(name, code)
    return code
  }

  function reward(record: RewardRecord, place: Place): void {
    const { rewardId } = record
    const [decisionId, slot, kind, name, value] = saidBy(record)
    if (record.receivedTs !== undefined) timeOf(record.receivedTs, place, 'receivedTs')
    const ts = timeOf(record.ts, place)
    const of = entryOf(decisionId)
    const said = [of, kind === 'metric' ? 1 : 0, nameCode(name), value ?? 0, slot] as const
    const entry = rewards.entry(rewardId)
    const isFirst = rewards.first(entry)
    if (isFirst) {
      decisionOf = withRoom(decisionOf, entry)
      slotOf = withRoom(slotOf, entry)
      metric = withRoom(metric, entry)
      nameOf = withRoom(nameOf, entry)
      worth = withRoom(worth, entry)
      came = withRoom(came, entry)
      fileOf = withRoom(fileOf, entry)
      rowOf = withRoom(rowOf, entry)
      ;[decisionOf[entry], metric[entry], nameOf[entry], worth[entry], slotOf[entry]] = said
    } else if ([decisionOf, metric, nameOf, worth, slotOf].every((column, i) => column[entry] === said[i])) {
      report('reward-repeated', place, `reward \`${rewardId}\` is logged again`, entry)
    } else {
      rewards.contradict(entry)
      report('reward-conflict', place, `reward \`${rewardId}\` is another one than the first of this id`, entry)
    }
    // The earliest counts.
    if (!isFirst && ts >= came[entry]) return
    if (files.at(-1) !== place.file) files.push(place.file)
    came[entry] = ts
    fileOf[entry] = files.length - 1
    rowOf[entry] = place.row
  }

  /** What becomes of a reward, now that all is known that there is to know of it and its decision. */
  function join(entry: number): 'joined' | 'late' | 'orphans' | 'unused' {
    const of = decisionOf[entry]
    const place = { file: files[fileOf[entry]], row: rowOf[entry] }
    if (decisions.logged(of) === 0) {
      report('orphan', place, 'the decision of this reward is not in the log')
      return 'orphans'
    }
    if (decisions.contradicts(of)) return 'unused'
    const maker = metric[entry] === 1 ? (known[madeBy[of] - 1] as KnownPolicy | undefined) : undefined
    const wrong = maker && outsideRange(maker.policy.spec.reward, names[nameOf[entry]] ?? undefined, worth[entry])
    if (wrong !== undefined) {
      report('range', place, `the reward is ${worth[entry]}, and ${wrong}`)
      return 'unused'
    }
    if (slotOf[entry] >= slotsOf[of]) {
      report('no-slot', place, `the decision has no slot ${slotOf[entry]}`)
      return 'unused'
    }
    const after = came[entry] - decided[of]
    if (!Number.isFinite(after)) return 'joined'
    const time = rewardTime(decided[of], came[entry])
    if (after < 0) {
      const code = time === undefined ? 'too-early' : 'early'
      report(code, place, `the reward is ${-after} ms earlier than its decision`)
    }
    if (time === undefined) return 'unused'
    return maker !== undefined && time - decided[of] > maker.wait ? 'late' : 'joined'
  }

  /** What is known of records that were logged more than once only now: their ids may have come to contradict themselves. */
  function settle(copies: Copies, again: LogFaultCode, conflict: LogFaultCode): void {
    let repeated = 0
    let conflicting = 0
    for (let entry = 0; entry < copies.size; entry++) {
      if (copies.contradicts(entry)) conflicting += copies.logged(entry)
      else if (copies.logged(entry) > 1) repeated += copies.logged(entry) - 1
    }
    const examples = faults.get(again)?.examples.filter(({ of }) => of === undefined || !copies.contradicts(of)) ?? []
    faults.delete(again)
    if (repeated > 0) faults.set(again, { count: repeated, examples })
    const met = faults.get(conflict)
    if (met !== undefined) met.count = conflicting
  }

  const lines = recordLines<Place>(
    (read, place) => {
      if ('decision' in read) decision(read.decision, place)
      else if ('reward' in read) reward(read.reward, place)
      else report(read.fault.code, place, read.fault.message)
    },
    place => report('torn', place, 'is the last line, and cut off'),
  )

  return {
    errors,
    line: (file, row, text) => lines.line(text, { file, row }),
    endOfFile() {
      counts.files++
      lines.endOfFile()
    },
    finish() {
      settle(decisions, 'repeated', 'conflict')
      settle(rewards, 'reward-repeated', 'reward-conflict')
      for (let entry = 0; entry < decisions.size; entry++) {
        if (decisions.logged(entry) === 0 || decisions.contradicts(entry)) continue
        counts.decisions++
        counts.unserved += unserved[entry]
      }
      for (let entry = 0; entry < rewards.size; entry++) {
        if (rewards.contradicts(entry)) continue
        counts[metric[entry] === 1 ? 'rewards' : 'activations']++
        const outcome = join(entry)
        counts[outcome]++
        if (outcome === 'late') counts.joined++
      }
      const found = LOG_FAULT_CODES.flatMap((code): LogFault[] => {
        const met = faults.get(code)
        if (met === undefined) return []
        const examples = met.examples.map(({ file, row, message }) => ({ file, row, message }))
        return [{ code, severity: severityOf(code), count: met.count, examples }]
      })
      return {
        schema: LOG_CHECK_RESULT_SCHEMA,
        ...counts,
        faults: found,
        ...(withoutOutputs === 0 ? {} : { withoutOutputs }),
        passed: counts.decisions > 0 && found.every(({ severity }) => severity === 'warning'),
      }
    },
  }
}

/** 52 bits that tell what a record says from what another one does. */
function fingerprint(content: readonly unknown[]): number {
  return Number.parseInt(hash('sha256', JSON.stringify(content), 'hex').slice(0, 13), 16)
}
