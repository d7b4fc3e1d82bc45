/** From decisions that have been made to records in the log and answers: of several, all or none. */
import { recordText } from '../../log/records/record-text.ts'
import { agrees, placeName } from '../../log/records/records.ts'
import { hashUniform } from '../../policy/draw.ts'
import { explain } from '../../policy/explanation.ts'
import type { Policy } from '../../policy/policy.ts'
import { isListed, isOffered, type Pool } from '../../policy/pool.ts'
import { withSlotIds } from '../answer.ts'
import type { DecideAnswer, Problem } from '../api.ts'
import type { EngineParts } from '../engine-parts.ts'
import { type Fault, problemOf } from '../faults.ts'
import { claimOfDecision, isUnwritten, unwritten } from '../ids/ledger.ts'
import { type Soon, whenDone } from '../soon.ts'
import type { Made } from './decisions.ts'

export interface Commit {
  /** Logs and answers a decision whose id is the server's own. */
  one(made: Made): DecideAnswer
  /** Takes the ids that callers have made; then logs and answers all, or refuses all. `at` is the pointer to one of them. */
  all(made: readonly Made[], at: (index: number) => string): Soon<readonly DecideAnswer[] | Problem>
}

type Parts = Pick<EngineParts, 'log' | 'ledger' | 'observer' | 'learner' | 'ack'>

export function createCommit({ log, ledger, observer, learner, ack }: Parts): Commit {
  function one({ request, served: { policy }, decision, pool, record, answer }: Made): DecideAnswer {
    const { name, spec } = policy
    const { logProbability, latencyUs } = record
    // Kept or not by a hash of its own, so that what is kept depends on nothing that was decided.
    const kept = logProbability === 1 || hashUniform('kept', record.decisionId) < logProbability
    if (kept) log.push('decisions', recordText(record))
    else observer.shed(name)
    observer.decided(name, record.served.by, countedAs(policy, pool, decision.action), latencyUs)
    if ((spec.mode === 'shadow' || spec.mode === 'apprentice') && decision.servedBy === 'policy') {
      observer.agreed(name, agrees(record))
    }
    learner?.decided(record)
    return request.explain ? { ...answer, explanation: explain(policy, decision, pool) } : answer
  }

  return {
    one,
    all(made, at) {
      const own = made.filter(({ request }) => request.decisionId !== undefined)
      if (own.length === 0) return made.map(one)
      return whenDone(ledger.claim(own.map(({ record, answer }) => claimOfDecision(record, answer))), outcomes => {
        for (const outcome of outcomes) if (outcome !== 'new') observer.repeated('decision', outcome === 'conflict')
        const outcomeOf = new Map(own.map((each, i) => [each, outcomes[i]]))
        const conflicts = made.flatMap((each, i): Fault[] =>
          outcomeOf.get(each) === 'conflict'
            ? [{ name: 'conflict', pointer: `${at(i)}/decisionId`, detail: 'was used for another request' }]
            : [],
        )
        if (conflicts.length > 0) return problemOf(conflicts)
        const answers = made.map(each => {
          const outcome = outcomeOf.get(each)
          const before = typeof outcome === 'object' ? outcome.again : null
          return before === null ? one(each) : again(each, JSON.parse(before.answer) as DecideAnswer)
        })
        return ack === 'written' && outcomes.some(isUnwritten) ? unwritten() : answers
      })
    },
  }
}

/** What was answered before under this id, also by another process; explained where the same policy would answer it again. */
function again({ request, served, decision, pool }: Made, answered: DecideAnswer): DecideAnswer {
  const { policy, snapshot } = served
  const before = answered.policy.digest === policy.digest ? withSlotIds(answered, policy) : answered
  const same = before.policy.digest === policy.digest && before.policy.snapshot === snapshot
  return request.explain && same ? { ...before, explanation: explain(policy, decision, pool) } : before
}

/**
 * What a decision is counted under: of actions that requests bring the place, of those of a set the set, since there may be any number of ids, or
 * thousands that come and go.
 */
function countedAs(policy: Policy, { ids }: Pool, action: string | null): string | null {
  const { actions } = policy.spec
  if (action === null || isListed(actions)) return action
  return isOffered(actions) ? placeName(ids.indexOf(action)) : `set:${actions.set}`
}
