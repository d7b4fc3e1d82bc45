import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRecord } from '../../src/log/read-record.ts'
import { traceOf } from '../../src/serve/trace.ts'

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
    expect(traceOf(header)).toBe(kept)
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
    expect(traceOf(header)).toBeUndefined()
  })

  it('that is kept, whatever was sent, is one that a record may have', () => {
    const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-fA-F]{${length}}$`))
    const near = fc
      .tuple(hex(2), hex(32), hex(16), hex(2), fc.constantFrom('', '-x'))
      .map(parts => parts.slice(0, 4).join('-') + parts[4])
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), header => {
        const traceparent = traceOf(header)
        const reward = { schema: 'dap.reward/v1', rewardId: 'r', decisionId: 'd', value: 1, ts: '2026-11-22T18:00:00Z' }
        expect(readRecord(JSON.stringify({ ...reward, traceparent }))).toHaveProperty('reward')
      }),
    )
  })
})
