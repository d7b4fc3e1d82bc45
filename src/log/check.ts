import { hash } from 'node:crypto'
import type { Policy } from '../policy/policy.ts'
import { checkAgainstPolicy, checkDecision } from './check-decision.ts'
import { LOG_FAULT_CODES, type LogFaultCode, severityOf } from './fault.ts'
import { createIdTable, withRoom } from './id-table.ts'
import { timestampOf } from './read-record.ts'
import { recordLines } from './record-lines.ts'
import type { DecisionRecord, RewardRecord } from './records.ts'

/** What `dap log check --json` prints; published in `schemas/log-check-result.schema.json`. */
export interface LogCheckResult {
  readonly schema: 'dap.log-check/v1'
  readonly files: number
  /** Distinct decisions, rewards and activations: what is repeated counts once. */
  readonly decisions: number
  /** Decisions for which nothing could be served. */
  readonly unserved: number
  readonly rewards: number
  readonly activations: number
  readonly faults: readonly LogFault[]
  /** Rewards and activations whose decision is in the log. */
  readonly joined: number
  /** Of those, the rewards that came after the `reward.wait` of a policy that is known. */
  readonly late: number
  /** Rewards and activations whose decision is not in the log. */
  readonly orphans: number
  /** There is a decision, and no fault that is an error. */
  readonly passed: boolean
}

export interface LogFault {
  readonly code: LogFaultCode
  readonly severity: 'error' | 'warning'
  readonly count: number
  /** The first ones. */
  readonly examples: readonly LogFaultExample[]
}

export interface LogFaultExample {
  readonly file: string
  /** Number of the line, from 1. */
  readonly row: number
  readonly message: string
}

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
}

const EXAMPLES = 10

/** Characters of a message, which may quote what anybody wrote. */
const LONGEST = 400

/** The time of a decision whose timestamp is none. */
const UNDATED = Number.NEGATIVE_INFINITY

interface Place {
  readonly file: string
  readonly row: number
}

/** A reward that came before its decision, or whose decision never comes. */
interface Early extends Place {
  readonly decision: number
  readonly ts: number
  readonly metric: boolean
}

/**
 * Checks a decision log as it is read; both streams may be mixed in any order and over any files. What is remembered of a million decisions
 * with a reward each takes 76 MB, up to twice as much just after the tables have grown; a reward that comes before its decision, 100 bytes more.
 *
 * @param policies Those of the repository, by digest.
 */
export function createLogCheck(policies: ReadonlyMap<string, KnownPolicy> = new Map()): LogCheck {
  const faults = new Map<LogFaultCode, { count: number; readonly examples: LogFaultExample[] }>()
  const decisions = createIdTable()
  /** By decision: when it was, NaN while only a reward has named it; what it was; how long its rewards count. */
  let when = new Float64Array(1024)
  let content = new Float64Array(1024)
  let wait = new Float64Array(1024)
  const rewards = createIdTable()
  let rewardContent = new Float64Array(1024)
  let early: Early[] = []
  const counts = { files: 0, decisions: 0, unserved: 0, rewards: 0, activations: 0, joined: 0, late: 0 }

  function report(code: LogFaultCode, { file, row }: Place, message: string): void {
    const known = faults.get(code) ?? { count: 0, examples: [] }
    known.count++
    if (known.examples.length < EXAMPLES) known.examples.push({ file, row, message: message.slice(0, LONGEST) })
    faults.set(code, known)
  }

  function timeOf(ts: string, place: Place, field: 'ts' | 'receivedTs' = 'ts'): number {
    const time = timestampOf(ts)
    if (Number.isNaN(time)) report('timestamp', place, `\`${field}\` is a day that there is not: ${ts}`)
    return time
  }

  /** The place of a decision in the columns. */
  function entryOf(decisionId: string): number {
    const seen = decisions.size
    const entry = decisions.add(decisionId)
    if (entry < seen) return entry
    when = withRoom(when, entry)
    content = withRoom(content, entry)
    wait = withRoom(wait, entry)
    when[entry] = Number.NaN
    return entry
  }

  function decision(record: DecisionRecord, place: Place): void {
    const { decisionId, policy, context, slots } = record
    const entry = entryOf(decisionId)
    const what = fingerprint([policy, context, slots])
    if (!Number.isNaN(when[entry])) {
      if (content[entry] === what) report('repeated', place, `decision \`${decisionId}\` is logged again`)
      else report('conflict', place, `decision \`${decisionId}\` is another one than the first of this id`)
      return
    }
    counts.decisions++
    if (record.served.by === 'none') counts.unserved++
    const known = policies.get(policy.digest)
    const ts = timeOf(record.ts, place)
    when[entry] = Number.isNaN(ts) ? UNDATED : ts
    content[entry] = what
    wait[entry] = known?.wait ?? Number.POSITIVE_INFINITY
    const reportHere = (code: LogFaultCode, message: string) => report(code, place, message)
    checkDecision(record, reportHere)
    if (known !== undefined) checkAgainstPolicy(record, known.policy, reportHere)
  }

  function reward(record: RewardRecord, place: Place): void {
    const { rewardId, decisionId, slot = 0, kind = 'metric', name, value } = record
    const what = fingerprint([decisionId, slot, kind, name, value, record.ts])
    const seen = rewards.size
    const entry = rewards.add(rewardId)
    if (entry < seen) {
      if (rewardContent[entry] === what) report('reward-repeated', place, `reward \`${rewardId}\` is logged again`)
      else report('reward-conflict', place, `reward \`${rewardId}\` is another one than the first of this id`)
      return
    }
    rewardContent = withRoom(rewardContent, entry)
    rewardContent[entry] = what
    if (record.receivedTs !== undefined) timeOf(record.receivedTs, place, 'receivedTs')
    const metric = kind === 'metric'
    if (metric) counts.rewards++
    else counts.activations++
    const arrived: Early = { ...place, decision: entryOf(decisionId), ts: timeOf(record.ts, place), metric }
    if (Number.isNaN(when[arrived.decision])) early.push(arrived)
    else join(arrived)
  }

  function join(reward: Early): void {
    const after = reward.ts - when[reward.decision]
    counts.joined++
    if (!Number.isFinite(after)) return
    if (after < 0) report('early', reward, `the reward is ${-after} ms earlier than its decision`)
    if (reward.metric && after > wait[reward.decision]) counts.late++
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
    line: (file, row, text) => lines.line(text, { file, row }),
    endOfFile() {
      counts.files++
      lines.endOfFile()
    },
    finish() {
      const waiting = early
      early = []
      let orphans = 0
      for (const reward of waiting) {
        if (!Number.isNaN(when[reward.decision])) join(reward)
        else {
          orphans++
          report('orphan', reward, 'the decision of this reward is not in the log')
        }
      }
      const found = LOG_FAULT_CODES.flatMap((code): LogFault[] => {
        const fault = faults.get(code)
        return fault === undefined ? [] : [{ code, severity: severityOf(code), ...fault }]
      })
      return {
        schema: 'dap.log-check/v1',
        ...counts,
        faults: found,
        orphans,
        passed: counts.decisions > 0 && found.every(({ severity }) => severity === 'warning'),
      }
    },
  }
}

/** 52 bits that tell what a record says from what another one does. */
function fingerprint(content: readonly unknown[]): number {
  return Number.parseInt(hash('sha256', JSON.stringify(content), 'hex').slice(0, 13), 16)
}
