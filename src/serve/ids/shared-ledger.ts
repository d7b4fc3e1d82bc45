/** One ledger for several processes: workers ask, the primary has it. */
import { problem } from '../api.ts'
import { refusal } from '../problems.ts'
import type { Claim, ClaimedId, KnownDecision, Ledger, LocalLedger, Outcome } from './ledger.ts'

type Question =
  | { readonly claims: readonly Claim[]; readonly ids?: undefined }
  | { readonly ids: readonly string[]; readonly claims?: undefined }
/** Of decisions, null: there is none of this id. */
type Reply = readonly Outcome[] | readonly (KnownDecision | null)[]

/** What goes to the primary, and comes back: all that one turn of the worker has to ask. */
export interface LedgerQuestions {
  readonly dap: 'ledger'
  readonly number: number
  readonly questions: readonly Question[]
}
export interface LedgerReplies {
  readonly dap: 'ledger'
  readonly number: number
  readonly replies: readonly Reply[]
}

/** What has become of claims that were new. */
export interface LedgerSettled {
  readonly dap: 'settled'
  readonly how: 'written' | 'dropped'
  readonly ids: readonly ClaimedId[]
}

export interface AskingLedger extends Ledger {
  claim(claims: readonly Claim[]): Promise<readonly Outcome[]>
  decisions(ids: readonly string[]): Promise<readonly (KnownDecision | undefined)[]>
  /** Hands in what the primary says. */
  replied(message: LedgerReplies): void
  /** The primary is gone: nothing that was asked will be answered. */
  gone(): void
}

interface Waiting {
  readonly question: Question
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

/** Longer than this nobody waits for a primary that does not answer. */
const ANSWER_MS = 1_000

/** The worker's side. `send` hands a message to the primary; `settled` resolves when what has been logged until now is written. */
export function askingLedger(
  send: (message: LedgerQuestions | LedgerSettled) => void,
  settled: () => Promise<void>,
): AskingLedger {
  const sent = new Map<number, { readonly all: readonly Waiting[]; readonly late: NodeJS.Timeout }>()
  /** Nobody waits for their answers any more; while there are some, nobody asks. */
  const abandoned = new Map<number, readonly Waiting[]>()
  let waiting: Waiting[] = []
  let number = 0
  let lonely = false

  const nobody = () => refusal(problem('overloaded', 'the process that knows the ids does not answer; ask again'))

  function sendAll(): void {
    const all = waiting
    waiting = []
    if (all.length === 0) return
    const message = { dap: 'ledger', number: number++, questions: all.map(({ question }) => question) } as const
    const late = setTimeout(() => giveUp(message.number), ANSWER_MS)
    sent.set(message.number, { all, late })
    send(message)
  }

  function giveUp(number: number): void {
    const all = take(number)
    abandoned.set(number, all)
    for (const { reject } of all) reject(nobody())
  }

  function take(number: number): readonly Waiting[] {
    const found = sent.get(number)
    clearTimeout(found?.late)
    sent.delete(number)
    return found?.all ?? []
  }

  function ask(question: Question): Promise<Reply> {
    if (lonely || abandoned.size > 0) return Promise.reject(nobody())
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(sendAll)
      waiting.push({ question, resolve, reject })
    })
  }

  return {
    claim: claims => ask({ claims }) as Promise<readonly Outcome[]>,
    async decisions(ids) {
      const found = (await ask({ ids })) as readonly (KnownDecision | null)[]
      return found.map(each => each ?? undefined)
    },
    replied({ number, replies }) {
      const late = abandoned.get(number)
      abandoned.delete(number)
      const all = late ?? take(number)
      if (late === undefined) for (const [i, { resolve }] of all.entries()) resolve(replies[i])
      const ids = all.flatMap(({ question: { claims = [] } }, i) => {
        const outcomes = replies[i] as readonly Outcome[]
        return outcomes.includes('conflict') ? [] : claims.filter((_, j) => outcomes[j] === 'new')
      })
      if (ids.length === 0) return
      const tell = (how: LedgerSettled['how']) =>
        send({ dap: 'settled', how, ids: ids.map(({ kind, id }) => ({ kind, id })) })
      if (late !== undefined) tell('dropped')
      // Whoever has asked logs it before the next turn.
      else setImmediate(() => void settled().then(() => tell('written')))
    },
    gone() {
      lonely = true
      for (const number of [...sent.keys()]) giveUp(number)
      for (const { reject } of waiting) reject(nobody())
      waiting = []
    },
  }
}

/** The primary's side: what `by` asks, and what is to be sent back to it. */
export function answerQuestions(
  ledger: LocalLedger,
  by: number,
  { number, questions }: LedgerQuestions,
): LedgerReplies {
  const replies = questions.map(
    ({ claims, ids }): Reply =>
      claims === undefined ? ledger.decisions(ids).map(each => each ?? null) : ledger.claim(claims, by),
  )
  return { dap: 'ledger', number, replies }
}
