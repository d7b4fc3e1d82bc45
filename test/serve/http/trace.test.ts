import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRecord } from '../../../src/log/records/read-record.ts'
import { traceOf } from '../../../src/serve/http/trace.ts'
import { CONTEXT, httpBench } from '../http-support.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

describe('a traceparent', () => {
  it.each([
    [`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`],
    [`00-${TRACE}-${PARENT}-00`, `00-${TRACE}-${PARENT}-00`],
    // What later versions add comes behind a dash.
    [`cc-${TRACE}-${PARENT}-01-what-the-future-will-be`, `00-${TRACE}-${PARENT}-01`],
    [`01-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`],
  ])('%s is kept', (header, kept) => {
    expect(traceOf({ headers: { traceparent: header } })).toBe(kept)
  })

  it.each([
    undefined,
    '',
    `ff-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
    `01-${TRACE}-${PARENT}-01more`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}`,
    ` 00-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01\n`,
    // Two headers, as Node gives them.
    `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`,
    [`00-${TRACE}-${PARENT}-01`],
  ])('%j is ignored, as the standard says', header => {
    expect(traceOf({ headers: { traceparent: header } })).toBeUndefined()
  })

  it('that is kept, whatever was sent, is one that a record may have', () => {
    const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-fA-F]{${length}}$`))
    const near = fc
      .tuple(hex(2), hex(32), hex(16), hex(2), fc.constantFrom('', '-x'))
      .map(parts => parts.slice(0, 4).join('-') + parts[4])
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), header => {
        const traceparent = traceOf({ headers: { traceparent: header } })
        const reward = { schema: 'dap.reward/v1', rewardId: 'r', decisionId: 'd', value: 1, ts: '2026-11-22T18:00:00Z' }
        expect(readRecord(JSON.stringify({ ...reward, traceparent }))).toHaveProperty('reward')
      }),
    )
  })
})

describe('a request with a traceparent', () => {
  const kept = `00-${TRACE}-${PARENT}-01`
  const header = { traceparent: kept }
  const evaluated = { context: { ...CONTEXT, targetingKey: 'p1' } }

  it.each([
    ['/v1/decide', { context: CONTEXT }],
    ['/v1/decide:batch', { requests: [{ context: CONTEXT }, { context: CONTEXT }] }],
    ['/predict', { instances: [{ context: CONTEXT }] }],
    ['/ofrep/v1/evaluate/flags/shop-offer', evaluated],
    ['/ofrep/v1/evaluate/flags', evaluated],
    ['/v1/rewards', { decisionId: 'd1', value: 1 }],
    ['/v1/rewards', { rewards: [{ decisionId: 'd1', value: 1, rewardId: 'r1' }] }],
    ['/v1/activations', { decisionId: 'd1' }],
  ])('to %s has it in all its records, and one without, or with a wrong one, has none', async (path, body) => {
    for (const [headers, traceparent] of [
      [header, kept],
      [{}, undefined],
      [{ traceparent: kept.toUpperCase() }, undefined],
    ] as const) {
      const { post, bench } = httpBench()
      expect((await post(path, body, headers)).status).toBeLessThan(300)
      const records = [...bench.decisions, ...bench.rewards]
      expect(records.length).toBeGreaterThan(0)
      for (const record of records) {
        expect(record.traceparent).toBe(traceparent)
        expect(readRecord(JSON.stringify(record))).not.toHaveProperty('fault')
      }
    }
  })

  it('is the same request in another trace, as a retry is', async () => {
    const { post, bench } = httpBench()
    const other = { traceparent: `00-${'1'.repeat(32)}-${PARENT}-01` }
    for (const headers of [header, other, {}]) {
      expect((await post('/v1/decide', { decisionId: 'd1', context: CONTEXT }, headers)).status).toBe(200)
      expect((await post('/v1/rewards', { decisionId: 'd1', rewardId: 'r1', value: 1 }, headers)).status).toBe(202)
    }
    expect(bench.decisions.map(({ traceparent }) => traceparent)).toEqual([kept])
    expect(bench.rewards.map(({ traceparent }) => traceparent)).toEqual([kept])
  })

  it('that meets a bug is found by its trace', async () => {
    const { bench } = httpBench()
    const broken = {
      ...bench.engine,
      decide() {
        throw new Error('a bug')
      },
    }
    const { post, bugs } = httpBench({ on: bench, parts: { engine: broken } })
    for (const path of ['/v1/decide', '/ofrep/v1/evaluate/flags/shop-offer']) await post(path, evaluated, header)
    expect(bugs.map(({ trace }) => trace)).toEqual([kept, kept])
  })
})
