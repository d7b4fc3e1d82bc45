/** One ledger for several processes: workers ask, the primary has it. */
import { problem } from './api.ts'
import type { Claim, KnownDecision, Ledger, LocalLedger, Outcome } from './ledger.ts'
import { refusal } from './problems.ts'

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

export interface AskingLedger extends Ledger {
  claim(claims: readonly Claim[]): Promise<readonly Outcome[]>
  decisions(ids: readonly string[]): Promise<readonly (KnownDecision | undefined)[]>
  /** Hands in what the primary says. */
  replied(message: LedgerReplies): void
  /** The primary is gone: nothing that was asked will be answered. */
  gone(): void
}

interface Waiting {
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: Error) => void
}

/** The worker's side. `send` hands a message to the primary. */
export function askingLedger(send: (message: LedgerQuestions) => void): AskingLedger {
  const sent = new Map<number, readonly Waiting[]>()
  let questions: Question[] = []
  let waiting: Waiting[] = []
  let number = 0
  let lonely = false

  const nobody = () => refusal(problem('overloaded', 'the server is stopping; ask again'))

  function sendAll(): void {
    const message = { dap: 'ledger', number: number++, questions } as const
    sent.set(message.number, waiting)
    questions = []
    waiting = []
    send(message)
  }

  function ask(question: Question): Promise<Reply> {
    if (lonely) return Promise.reject(nobody())
    return new Promise((resolve, reject) => {
      if (questions.length === 0) setImmediate(sendAll)
      questions.push(question)
      waiting.push({ resolve, reject })
    })
  }

  return {
    claim: claims => ask({ claims }) as Promise<readonly Outcome[]>,
    async decisions(ids) {
      const found = (await ask({ ids })) as readonly (KnownDecision | null)[]
      return found.map(each => each ?? undefined)
    },
    replied({ number, replies }) {
      const all = sent.get(number) ?? []
      sent.delete(number)
      for (const [i, { resolve }] of all.entries()) resolve(replies[i])
    },
    gone() {
      lonely = true
      for (const all of [...sent.values(), waiting]) for (const { reject } of all) reject(nobody())
      sent.clear()
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
