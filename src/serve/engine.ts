import {
  type Accepted,
  type ActivationRequest,
  type DecideAnswer,
  type DecideRequest,
  isProblem,
  type Problem,
  problem,
  type RewardRequest,
} from './api.ts'
import { createCommit } from './deciding/commit.ts'
import { createMakeDecision, isFaults, type Made } from './deciding/decisions.ts'
import type { EngineParts } from './engine-parts.ts'
import { type Fault, invalid, problemOf } from './faults.ts'
import { unwritten } from './ids/ledger.ts'
import { type LogWriter, systemTimers } from './log/log-writer.ts'
import { createRewardDoor } from './rewards/rewards.ts'
import { allOf, type Soon, whenDone } from './soon.ts'

/** The server without HTTP: requests that have the right shape to answers, records to the log. */
export interface Engine {
  /** `arrived` is when the request came in, by `clock.monotonic`; `trace` is what it was part of, as records have it. */
  decide(request: DecideRequest, arrived: number, trace?: string): Soon<DecideAnswer | Problem>
  /** All or none: a fault of one, at `/index/…`, refuses all of them before anything is decided. */
  decideAll(
    requests: readonly DecideRequest[],
    arrived: number,
    trace?: string,
  ): Soon<readonly DecideAnswer[] | Problem>
  /** All or none, as are these. */
  reward(requests: readonly RewardRequest[], trace?: string): Soon<Accepted | Problem>
  activate(requests: readonly ActivationRequest[], trace?: string): Soon<Accepted | Problem>
  /** Whose decisions these are, as far as it is known. */
  policiesOf(decisionIds: readonly string[]): Soon<readonly (string | undefined)[]>
}

/** With `--ack written`: how long a caller waits for the disk. */
const WRITTEN_MS = 5_000

export function createEngine(parts: EngineParts): Engine {
  const { log, ack } = parts
  const rewards = createRewardDoor(parts)
  const make = createMakeDecision(parts)
  const commit = createCommit(parts)

  function decided(request: DecideRequest, arrived: number, trace: string | undefined): Soon<Made | readonly Fault[]> {
    return whenDone(make(request, arrived, trace), made => {
      if (!isFaults(made)) rewards.saw(made.served.policy)
      return made
    })
  }

  /** Of one whose log has room, once all that was logged before is written where that is wanted. */
  function answered<Answer extends object>(answer: () => Soon<Answer | Problem>): Soon<Answer | Problem> {
    if (log.admission === 0) return problem('overloaded', 'the log cannot take more records now; try again later')
    return ack === 'queued' ? answer() : whenDone(answer(), found => (isProblem(found) ? found : written(log, found)))
  }

  return {
    decide: (request, arrived, trace) =>
      answered(() =>
        whenDone(decided(request, arrived, trace), made => {
          if (isFaults(made)) return problemOf(made)
          if (request.decisionId === undefined) return commit.one(made)
          return whenDone(
            commit.all([made], () => ''),
            found => (isProblem(found) ? found : found[0]),
          )
        }),
      ),

    decideAll: (requests, arrived, trace) =>
      answered(() => {
        const ids = new Set<string>()
        const all = requests.map(request => {
          const { decisionId } = request
          const twice = decisionId !== undefined && ids.has(decisionId)
          if (decisionId !== undefined) ids.add(decisionId)
          return twice ? [invalid('/decisionId', 'is in this batch twice')] : decided(request, arrived, trace)
        })
        return whenDone(allOf(all), all => {
          const faults = all.flatMap((made, i) =>
            isFaults(made) ? made.map(f => ({ ...f, pointer: `/${i}${f.pointer}` })) : [],
          )
          return faults.length > 0 ? problemOf(faults) : commit.all(all.filter(isMade), i => `/${i}`)
        })
      }),

    reward: (all, trace) => answered(() => rewards.reward(all, trace)),
    activate: (all, trace) => answered(() => rewards.activate(all, trace)),
    policiesOf: rewards.policiesOf,
  }
}

const isMade = (made: Made | readonly Fault[]): made is Made => !isFaults(made)

/** The answer, once all that was logged before it is written. */
function written<Answer extends object>(log: LogWriter, answer: Answer): Promise<Answer | Problem> {
  return new Promise(resolve => {
    const cancel = systemTimers.after(WRITTEN_MS, () => resolve(unwritten()))
    void log.flush().then(() => {
      cancel()
      resolve(answer)
    })
  })
}
