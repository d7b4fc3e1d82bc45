import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Claim, createLedger, type KnownDecision } from '../../src/serve/ledger.ts'
import { answerQuestions, askingLedger, type LedgerQuestions } from '../../src/serve/shared-ledger.ts'

const known = (id: string): KnownDecision => ({ at: 1, policy: 'p', answer: `{"decisionId":"${id}"}` })
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
    expect(ledger.claim([decision('a'), reward('a')])).toEqual([{ again: known('a') }, { again: null }])
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
    expect(self.ledger.claim([reward('a', 'y')])).toEqual([{ again: null }])
  })

  it('forgets what a worker that died has claimed lately, and nothing else', () => {
    const self = local()
    self.ledger.claim([reward('old')], 1)
    self.time = 100
    self.ledger.claim([reward('mine')], 1)
    self.ledger.claim([reward('other')], 2)
    self.ledger.forget(1, 50)
    expect(['old', 'mine', 'other'].map(id => self.ledger.claim([reward(id, 'y')])[0])).toEqual([
      'conflict',
      'new',
      'conflict',
    ])
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
      const self = askingLedger(message => {
        const text = JSON.stringify(message)
        setImmediate(() => self.replied(answerQuestions(ledger, by, JSON.parse(text) as LedgerQuestions)))
      })
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
              expect(outcome).toEqual(says === taken[0].says ? { again: known(id) } : 'conflict')
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
    const counted = askingLedger(message => void messages.push(message))
    void counted.claim([reward('a')]).catch(() => {})
    void counted.decisions(['a']).catch(() => {})
    expect(await asking[0].decisions(['a'])).toEqual([undefined])
    expect(messages.map(({ questions }) => questions.length)).toEqual([2])
  })

  it('answers nobody once the primary is gone, and lets nobody wait', async () => {
    const sent: LedgerQuestions[] = []
    const ledger = askingLedger(message => void sent.push(message))
    const before = ledger.claim([reward('a')])
    await new Promise(done => setImmediate(done))
    ledger.gone()
    expect(sent).toHaveLength(1)
    for (const asked of [before, ledger.claim([reward('b')])]) {
      await expect(asked).rejects.toMatchObject({ problem: { status: 503 } })
    }
  })
})
