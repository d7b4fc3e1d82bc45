import { afterEach, describe, expect, it, vi } from 'vitest'
import { type ClientOptions, createClient } from '../src/client.ts'
import { CONTEXT, httpBench } from './serve/http-support.ts'
import { bench, NOW, served } from './serve/support.ts'

/** For whom a machine that is slow is no reason to give up. */
const PATIENT_MS = 600_000

describe('the typed client', () => {
  it('decides, one at a time and in batches', async () => {
    const { listen, bench } = httpBench()
    const dap = createClient({ baseUrl: await listen(), timeoutMs: PATIENT_MS })
    const one = await dap.decide({ context: CONTEXT }, { fallback: 'none' })
    expect(one).toMatchObject({
      decisionId: bench.decisions[0].decisionId,
      servedBy: 'policy',
      policy: { name: 'shop-offer' },
    })
    const many = await dap.decideBatch([{ context: CONTEXT }, { context: CONTEXT }], { fallback: 'none' })
    expect(many.map(({ decisionId }) => decisionId)).toEqual(
      bench.decisions.slice(1).map(({ decisionId }) => decisionId),
    )
    expect(dap.stats).toEqual({ queued: 0, dropped: 0, fallbacks: 0, withheld: 0 })
  })

  it("answers with the caller's fallback where the server is late, gone, or refuses", async () => {
    const { listen } = httpBench()
    const baseUrl = await listen()
    const never = createClient({ baseUrl, timeoutMs: 20, fetch: request => hang(request.signal) })
    expect(await never.decide({ decisionId: 'd1', context: CONTEXT }, { fallback: 'gold-small' })).toEqual({
      decisionId: 'd1',
      action: 'gold-small',
      propensity: null,
      servedBy: 'override',
      reason: 'timeout',
    })
    const gone = createClient({ baseUrl: 'http://127.0.0.1:1', timeoutMs: PATIENT_MS })
    expect((await gone.decideBatch([{}, {}], { fallback: 'none' })).map(({ reason }) => reason)).toEqual(
      Array(2).fill(expect.stringMatching(/^unreachable: /)),
    )
    const refused = createClient({ baseUrl, timeoutMs: PATIENT_MS })
    expect(await refused.decide({ context: { level: 0 } }, { fallback: 'none' })).toMatchObject({
      servedBy: 'override',
      reason: expect.stringContaining('/context/playerId is missing'),
    })
    expect([never, gone, refused].map(({ stats }) => stats.fallbacks)).toEqual([1, 2, 1])
  })

  it('does nothing where the rules let nothing be served, whatever the fallback, and where that is the fallback', async () => {
    const on = bench([served({ actions: [{ id: 'gold', eligible: 'ctx.level >= 50' }] })])
    const { listen } = httpBench({ on })
    const dap = createClient({ baseUrl: await listen(), timeoutMs: PATIENT_MS })
    const nothing = { action: null, propensity: null, servedBy: 'none' }
    expect(await dap.decide({ context: CONTEXT }, { fallback: 'gold' })).toMatchObject(nothing)
    expect(await dap.decideBatch([{ context: CONTEXT }], { fallback: 'gold' })).toMatchObject([nothing])
    expect(dap.stats.fallbacks).toBe(0)
    expect(await dap.decide({ context: {} }, { fallback: null })).toMatchObject(nothing)
    expect(dap.stats.fallbacks).toBe(1)
  })

  it('sends rewards together, under ids, and again until they are taken', async () => {
    const { listen, bench } = httpBench()
    const dap = createClient({ baseUrl: await listen(), flushMs: 5 })
    bench.admission = 0
    dap.reward({ decisionId: 'd1', value: 1 })
    dap.reward({ decisionId: 'd2', value: 0, rewardId: 'mine' })
    expect(await dap.flush()).toEqual({ unsent: 2, reason: expect.stringContaining('the log cannot take more') })
    expect(dap.stats.queued).toBe(2)
    bench.admission = 1
    expect(await dap.close()).toEqual({ unsent: 0 })
    expect(bench.rewards.map(({ decisionId, rewardId }) => [decisionId, rewardId])).toEqual([
      ['d1', expect.stringMatching(/^[0-9a-f-]{36}$/)],
      ['d2', 'mine'],
    ])
    expect(dap.stats).toEqual({ queued: 0, dropped: 0, fallbacks: 0, withheld: 0 })
  })

  it('sends them by itself after a while', async () => {
    const { listen, bench } = httpBench()
    const dap = createClient({ baseUrl: await listen(), flushMs: 1 })
    dap.reward({ decisionId: 'd1', value: 1 })
    await expect.poll(() => bench.rewards.length).toBe(1)
  })

  it('drops, and counts, what the server will never take, and the oldest of too many', async () => {
    const { listen, bench } = httpBench()
    const dap = createClient({ baseUrl: await listen(), flushMs: 60_000, maxQueued: 2 })
    for (const decisionId of ['x', '']) dap.reward({ decisionId, value: 1 })
    await dap.flush()
    expect(dap.stats).toMatchObject({ queued: 0, dropped: 1 })
    for (const decisionId of ['a', 'b', 'c']) dap.reward({ decisionId, value: 1 })
    expect(dap.stats).toMatchObject({ queued: 2, dropped: 2 })
    await dap.close()
    expect(bench.rewards.map(({ decisionId }) => decisionId)).toEqual(['x', 'b', 'c'])
    expect(() => dap.reward({ decisionId: 'd', value: 1 })).toThrow('closed')
  })
})

describe('a client that is closed', () => {
  afterEach(() => vi.useRealTimers())
  const hanging = () => new Promise<Response>(() => {})
  const gone: ClientOptions = { baseUrl: 'http://127.0.0.1:1' }

  it.each<[what: string, options: ClientOptions, reason: RegExp]>([
    ['is gone', gone, /fetch failed/],
    ['never answers, and a fetch heeds no signal', { ...gone, fetch: hanging }, /no answer/],
    [
      'has no such token',
      { ...gone, fetch: async () => answer(401, 'the token is not known') },
      /the token is not known/,
    ],
    ['is something else', { ...gone, fetch: async () => new Response('<html>', { status: 502 }) }, /answers 502/],
  ])('says what it could not send where the server %s', async (_, options, reason) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const hangs = options.fetch === hanging
    const dap = createClient(options)
    for (const decisionId of ['d1', 'd2']) dap.reward({ decisionId, value: 1 })
    dap.activate('d1')
    const closing = dap.close({ timeoutMs: 30 })
    // Its own end, and, unless it still waits for an answer, the next try.
    await expect.poll(() => vi.getTimerCount()).toBe(hangs ? 1 : 2)
    vi.advanceTimersByTime(30)
    expect(await closing).toEqual({ unsent: 3, reason: expect.stringMatching(reason) })
    expect(await dap.close()).toEqual(await closing)
    expect(dap.stats).toMatchObject({ queued: 3, dropped: 0 })
  })

  it('sends nothing more', async () => {
    let calls = 0
    const refuse = async () => {
      calls++
      return answer(503, 'not now')
    }
    const dap = createClient({ ...gone, fetch: refuse, flushMs: 1 })
    dap.reward({ decisionId: 'd1', value: 1 })
    await dap.close({ timeoutMs: 10 })
    const before = calls
    await new Promise(done => setTimeout(done, 50))
    expect(calls).toBe(before)
  })

  it('tries until the server takes what is left', async () => {
    const { listen, bench } = httpBench()
    const dap = createClient({ baseUrl: await listen() })
    bench.admission = 0
    dap.reward({ decisionId: 'd1', value: 1 })
    const closing = dap.close({ timeoutMs: PATIENT_MS })
    expect(await dap.flush()).toMatchObject({ unsent: 1 })
    bench.admission = 1
    expect(await closing).toEqual({ unsent: 0 })
    expect(bench.rewards).toHaveLength(1)
  })
})

describe('a decision that the caller served itself', () => {
  it('gets no reward and no activation, until the server has decided it', async () => {
    const { listen, bench } = httpBench()
    const baseUrl = await listen()
    let late = true
    const dap = createClient({
      baseUrl,
      timeoutMs: PATIENT_MS,
      fetch: request => (late ? Promise.reject(new Error('late')) : fetch(request)),
    })
    const { decisionId } = await dap.decide({ context: CONTEXT }, { fallback: 'none' })
    const [named] = await dap.decideBatch([{ decisionId: 'mine', context: CONTEXT }], { fallback: null })
    late = false
    for (const id of [decisionId, named.decisionId]) {
      dap.reward({ decisionId: id, value: 1 })
      dap.activate(id)
    }
    await dap.flush()
    expect(bench.rewards).toEqual([])
    expect(dap.stats).toEqual({ queued: 0, dropped: 0, fallbacks: 2, withheld: 2 })

    await dap.decide({ decisionId: 'mine', context: CONTEXT }, { fallback: 'none' })
    dap.reward({ decisionId: 'mine', value: 1 })
    await dap.close()
    expect(bench.rewards.map(reward => reward.decisionId)).toEqual(['mine'])
  })
})

describe('what is sent again', () => {
  it('has the same id, and is taken where the server says that it has it', async () => {
    const bodies: { readonly rewards: readonly { readonly rewardId: string }[] }[] = []
    const answers = [() => Promise.reject(new Error('cut')), async () => answer(409, 'it was another one')]
    const dap = createClient({
      baseUrl: 'http://127.0.0.1:1',
      fetch: async request => {
        bodies.push(JSON.parse(await request.text()))
        return (answers[bodies.length - 1] ?? answers[1])()
      },
    })
    dap.reward({ decisionId: 'd1', value: 1 })
    expect(await dap.flush()).toMatchObject({ unsent: 1, reason: expect.stringContaining('cut') })
    expect(await dap.flush()).toEqual({ unsent: 0 })
    expect(bodies[1]).toEqual(bodies[0])
    expect(dap.stats.dropped).toBe(0)
    // An id of the caller's own may have been another reward's.
    dap.reward({ decisionId: 'd1', rewardId: 'mine', value: 1 })
    expect(await dap.flush()).toEqual({ unsent: 0 })
    expect(dap.stats.dropped).toBe(1)
  })

  it('is an activation once for each decision', async () => {
    const { listen, bench } = httpBench()
    const dap = createClient({ baseUrl: await listen() })
    for (const id of ['d1', 'd1', 'd2']) dap.activate(id)
    await dap.flush()
    dap.activate('d1')
    await dap.close()
    expect(bench.rewards.map(({ kind, decisionId }) => [kind, decisionId])).toEqual([
      ['activation', 'd1'],
      ['activation', 'd2'],
    ])
  })
})

describe("a caller's clock that is an hour off", () => {
  const RealDate = Date
  const hour = 3_600_000
  afterEach(() => vi.useRealTimers())

  /** A server whose clock is right. */
  async function right() {
    const { listen, bench } = httpBench()
    bench.time = RealDate.now() - NOW
    return { bench, baseUrl: await listen() }
  }

  /** The caller's is not. */
  const off = () => vi.useFakeTimers({ toFake: ['Date', 'performance'], now: RealDate.now() - hour })

  it('is not asked when a reward was: at once it was when it arrives, later it says by the server', async () => {
    const { bench, baseUrl } = await right()
    off()
    const dap = createClient({ baseUrl, timeoutMs: PATIENT_MS })
    dap.reward({ decisionId: 'd1', value: 1 })
    await dap.flush()
    expect(bench.rewards[0].ts).toBe(bench.rewards[0].receivedTs)

    bench.admission = 0
    const queued = RealDate.now()
    dap.reward({ decisionId: 'd2', value: 1 })
    await dap.flush()
    vi.advanceTimersByTime(10 * hour)
    bench.admission = 1
    expect(await dap.close()).toEqual({ unsent: 0 })
    const said = RealDate.parse(bench.rewards[1].ts) - queued
    // The server's `Date` has whole seconds, and this test may be slow.
    expect(said).toBeGreaterThan(-100)
    expect(said).toBeLessThan(20_000)
  })

  it('asks the server for the time where no answer has said it yet', async () => {
    const { bench, baseUrl } = await right()
    off()
    const paths: string[] = []
    const listening = (request: Request) => {
      paths.push(new URL(request.url).pathname)
      return fetch(request)
    }
    const dap = createClient({ baseUrl, fetch: listening })
    const queued = RealDate.now()
    dap.reward({ decisionId: 'd1', value: 1 })
    vi.advanceTimersByTime(60_000)
    expect(await dap.close()).toEqual({ unsent: 0 })
    expect(paths).toEqual(['/healthz', '/v1/rewards'])
    const said = RealDate.parse(bench.rewards[0].ts) - queued
    expect(said).toBeGreaterThan(-61_000)
    expect(said).toBeLessThan(-30_000)
  })

  it('costs no reward where a proxy has a wrong clock, too', async () => {
    off()
    const bodies: { readonly rewards: readonly { readonly ts?: string }[] }[] = []
    const dap = createClient({
      baseUrl: 'http://127.0.0.1:1',
      fetch: async request => {
        const headers = { date: 'Thu, 01 Jan 2099 00:00:00 GMT' }
        if (request.method === 'GET') return Response.json({ status: 'ok' }, { headers })
        bodies.push(JSON.parse(await request.text()))
        const late = bodies.at(-1)?.rewards.some(({ ts }) => ts !== undefined)
        return late
          ? answer(400, '/rewards/0/ts is in the future', headers)
          : Response.json({ accepted: 1 }, { status: 202 })
      },
    })
    dap.reward({ decisionId: 'd1', value: 1 })
    vi.advanceTimersByTime(60_000)
    expect(await dap.flush()).toEqual({ unsent: 0 })
    expect(bodies.map(({ rewards: [{ ts }] }) => ts?.slice(0, 4))).toEqual(['2098', undefined])
    expect(dap.stats.dropped).toBe(0)
  })

  it("leaves a time of the caller's own as it is", async () => {
    const { listen, bench } = httpBench()
    const dap = createClient({ baseUrl: await listen() })
    dap.reward({ decisionId: 'd1', value: 1, ts: '2026-11-22T18:00:00.000Z' })
    await dap.close()
    expect(bench.rewards[0].ts).toBe('2026-11-22T18:00:00.000Z')
  })
})

it('sends a token, and the trace of a decision', async () => {
  const sent: Headers[] = []
  const dap = createClient({
    baseUrl: 'http://127.0.0.1:1',
    token: 'secret',
    fetch: async ({ headers }) => {
      sent.push(headers)
      return answer(503, 'not now')
    },
  })
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await dap.decide({ context: CONTEXT }, { fallback: 'none', traceparent })
  await dap.decideBatch([], { fallback: 'none' })
  expect(sent.map(headers => headers.get('authorization'))).toEqual(['Bearer secret', 'Bearer secret'])
  expect(sent.map(headers => headers.get('traceparent'))).toEqual([traceparent, null])
})

const answer = (status: number, detail: string, headers = {}): Response =>
  Response.json({ detail }, { status, headers })

function hang(signal: AbortSignal): Promise<Response> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}
