import { describe, expect, it } from 'vitest'
import { createClient } from '../src/client.ts'
import { CONTEXT, httpBench } from './serve/http-support.ts'
import { bench, served } from './serve/support.ts'

describe('the typed client', () => {
  it('decides, one at a time and in batches', async () => {
    const { listen, bench } = httpBench()
    const dap = createClient({ baseUrl: await listen(), timeoutMs: 5_000 })
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
    expect(dap.stats).toEqual({ queued: 0, dropped: 0, fallbacks: 0 })
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
    const gone = createClient({ baseUrl: 'http://127.0.0.1:1', timeoutMs: 5_000 })
    expect((await gone.decideBatch([{}, {}], { fallback: 'none' })).map(({ reason }) => reason)).toEqual(
      Array(2).fill(expect.stringMatching(/^unreachable: /)),
    )
    const refused = createClient({ baseUrl, timeoutMs: 5_000 })
    expect(await refused.decide({ context: { level: 0 } }, { fallback: 'none' })).toMatchObject({
      servedBy: 'override',
      reason: expect.stringContaining('/context/playerId is missing'),
    })
    expect([never, gone, refused].map(({ stats }) => stats.fallbacks)).toEqual([1, 2, 1])
  })

  it('does nothing where the rules let nothing be served, whatever the fallback, and where that is the fallback', async () => {
    const on = bench([served({ actions: [{ id: 'gold', eligible: 'ctx.level >= 50' }] })])
    const { listen } = httpBench({ on })
    const dap = createClient({ baseUrl: await listen(), timeoutMs: 5_000 })
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
    await expect(dap.flush()).rejects.toThrow('takes no rewards now')
    expect(dap.stats.queued).toBe(2)
    bench.admission = 1
    await dap.close()
    expect(bench.rewards.map(({ decisionId, rewardId }) => [decisionId, rewardId])).toEqual([
      ['d1', expect.stringMatching(/^[0-9a-f-]{36}$/)],
      ['d2', 'mine'],
    ])
    expect(dap.stats).toEqual({ queued: 0, dropped: 0, fallbacks: 0 })
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

function hang(signal: AbortSignal): Promise<Response> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}
