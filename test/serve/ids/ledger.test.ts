import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Claim, createLedger, type KnownDecision } from '../../../src/serve/ids/ledger.ts'
import { answerQuestions, askingLedger, type LedgerQuestions } from '../../../src/serve/ids/shared-ledger.ts'

const known = (id: string): KnownDecision => ({ at: 1, policy: 'p', slots: 1, answer: `{"decisionId":"${id}"}` })
const decision = (id: string, says = 'x'): Claim => ({ kind: 'decision', id, says, decision: known(id) })
const reward = (id: string, says = 'x'): Claim => ({ kind: 'reward', id, says })

function local(retained = 1_000, retentionMs = 1_000) {
  const clock = { time: 0 }
  return Object.assign(clock, { ledger: createLedger(() => clock.time, { retentionMs, retained }) })
}

describe('a ledger', () => {
  it('takes an id once, and knows it again by what is said under it', () => {
    const { ledger } = local()
    expect(ledger.claim([decision('a'), reward('a')])).toEqual(['new', 'new'])
    expect(ledger.claim([decision('a'), reward('a')])).toEqual([
      { again: known('a'), written: true },
      { again: null, written: true },
    ])
    expect(ledger.claim([decision('a', 'y')])).toEqual(['conflict'])
    expect(ledger.decisions(['a', 'b'])).toEqual([known('a'), undefined])
  })

  it('takes none where one is in conflict, also with another of the same call', () => {
    const { ledger } = local()
    expect(ledger.claim([reward('a'), reward('b'), reward('a', 'y')])).toEqual(['new', 'new', 'conflict'])
    expect(ledger.claim([reward('a', 'y'), reward('b', 'y')])).toEqual(['new', 'new'])
  })

  it('remembers for so long, to the millisecond, and so many of each kind', () => {
    const self = local(2, 1_000)
    self.ledger.claim([reward('a')])
    self.time = 999
    expect(self.ledger.claim([reward('a', 'y')])).toEqual(['conflict'])
    self.time = 1_000
    expect(self.ledger.claim([reward('a', 'y')])).toEqual(['new'])
    self.ledger.claim([decision('a'), decision('b'), decision('c')])
    expect(self.ledger.decisions(['a', 'b', 'c'])).toEqual([undefined, known('b'), known('c')])
    expect(self.ledger.claim([reward('a', 'y')])).toEqual([{ again: null, written: true }])
  })

  it('forgets what a worker that died has not written, and says how much of it others were told', () => {
    const { ledger } = local()
    ledger.claim([reward('written'), reward('told'), reward('mine'), reward('dropped')], 1)
    ledger.claim([reward('other')], 2)
    ledger.settle([reward('written'), reward('other')], 1, 'written')
    ledger.settle([reward('dropped'), reward('other')], 1, 'dropped')
    expect(ledger.claim([reward('told')], 2)).toEqual([{ again: null, written: false }])
    expect(ledger.claim([reward('told')], 1)).toEqual([{ again: null, written: true }])
    expect(ledger.forget(1)).toBe(1)
    const again = ['written', 'other', 'told', 'mine', 'dropped'].map(id => ledger.claim([reward(id, 'y')])[0])
    expect(again).toEqual(['conflict', 'conflict', 'new', 'new', 'new'])
  })

  it('takes over what a log says for as long as it would have remembered it', () => {
    const self = local()
    const claims = [
      { claim: decision('a'), ageMs: 900 },
      { claim: reward('b'), ageMs: 0 },
    ]
    expect(self.ledger.restore(claims)).toEqual({ decisions: 1, rewards: 1 })
    expect(self.ledger.claim([decision('a', 'y')])).toEqual(['conflict'])
    self.time = 100
    expect(self.ledger.claim([decision('a', 'y')])).toEqual(['new'])
    expect(self.ledger.claim([reward('b', 'y')])).toEqual(['conflict'])
  })
})

describe('a ledger that several processes share', () => {
  /** Workers whose messages go through JSON, as between processes. */
  function shared(workers: number) {
    const { ledger } = local()
    const asking = Array.from({ length: workers }, (_, by) => {
      const self = askingLedger(
        message => {
          const text = JSON.stringify(message)
          if (message.dap === 'settled') ledger.settle(message.ids, by, message.how)
          else setImmediate(() => self.replied(answerQuestions(ledger, by, JSON.parse(text) as LedgerQuestions)))
        },
        async () => {},
      )
      return self
    })
    return { ledger, asking }
  }

  it('gives each id to one of those that say the same, and a conflict to all others', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ by: fc.nat(2), id: fc.constantFrom('a', 'b', 'c'), says: fc.constantFrom('x', 'y') }), {
          maxLength: 30,
        }),
        async claims => {
          const { asking } = shared(3)
          const outcomes = await Promise.all(
            claims.map(async ({ by, id, says }) => (await asking[by].claim([decision(id, says)]))[0]),
          )
          for (const id of ['a', 'b', 'c']) {
            const of = claims.flatMap((claim, i) => (claim.id === id ? [{ ...claim, outcome: outcomes[i] }] : []))
            const taken = of.filter(({ outcome }) => outcome === 'new')
            expect(taken).toHaveLength(of.length === 0 ? 0 : 1)
            for (const { says, outcome } of of.filter(each => each !== taken[0])) {
              expect(outcome).toEqual(
                says === taken[0].says ? { again: known(id), written: expect.any(Boolean) } : 'conflict',
              )
            }
          }
        },
      ),
      { numRuns: 100 },
    )
  })

  it('knows no decision that nobody made, and sends one message a turn', async () => {
    const { asking } = shared(1)
    const messages: LedgerQuestions[] = []
    const counted = askingLedger(
      message => void (message.dap === 'ledger' && messages.push(message)),
      async () => {},
    )
    void counted.claim([reward('a')]).catch(() => {})
    void counted.decisions(['a']).catch(() => {})
    expect(await asking[0].decisions(['a'])).toEqual([undefined])
    expect(messages.map(({ questions }) => questions.length)).toEqual([2])
  })

  it('answers nobody once the primary is gone, and lets nobody wait', async () => {
    const sent: LedgerQuestions[] = []
    const ledger = askingLedger(
      message => void (message.dap === 'ledger' && sent.push(message)),
      async () => {},
    )
    const before = ledger.claim([reward('a')])
    await new Promise(done => setImmediate(done))
    ledger.gone()
    expect(sent).toHaveLength(1)
    for (const asked of [before, ledger.claim([reward('b')])]) {
      await expect(asked).rejects.toMatchObject({ problem: { status: 503 } })
    }
  })

  it('lets nobody wait for a primary that has stopped, and takes back what it then says too late', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { ledger } = local()
    const sent: LedgerQuestions[] = []
    const asking = askingLedger(
      message => {
        if (message.dap === 'ledger') sent.push(message)
        else ledger.settle(message.ids, 1, message.how)
      },
      async () => {},
    )
    const asked = expect(asking.claim([reward('a')])).rejects.toMatchObject({ problem: { status: 503 } })
    await new Promise(done => setImmediate(done))
    await vi.advanceTimersByTimeAsync(1_000)
    await asked
    await expect(asking.claim([reward('b')])).rejects.toMatchObject({ problem: { status: 503 } })
    asking.replied(answerQuestions(ledger, 1, sent[0]))
    expect(ledger.claim([reward('a', 'y')])).toEqual(['new'])
    const after = asking.claim([reward('c')])
    await new Promise(done => setImmediate(done))
    asking.replied(answerQuestions(ledger, 1, sent[1]))
    expect(await after).toEqual(['new'])
  })
})
