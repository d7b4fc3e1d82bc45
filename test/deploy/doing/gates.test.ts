import { describe, expect, it } from 'vitest'
import { ALPHA, evidence, readGate, together } from '../../../src/deploy/doing/gates.ts'
import type { RequestMetrics } from '../../../src/deploy/routes.ts'
import { stream } from '../../../src/math/rng.ts'

const answered = (requests: number, errors = 0): RequestMetrics => ({ requests, errors, latency: [] })

/** Counts by upper bounds of buckets. */
const latencies = (...latency: (readonly [number, number])[]): RequestMetrics => ({
  requests: latency.reduce((sum, [, count]) => sum + count, 0),
  errors: 0,
  latency: latency.map(([upToMs, count]) => ({ upToMs, count })),
})

const atMost1Percent = { metric: 'errorRate', max: 0.01 } as const
const atMost50Ms = { metric: 'latencyP99', maxMs: 50 } as const

describe('the gate on errors', () => {
  it('cannot tell from no requests, or from few', () => {
    expect(readGate(atMost1Percent, answered(0))).toEqual({
      metric: 'errorRate',
      outcome: 'inconclusive',
      requests: 0,
      share: null,
      allowed: 0.01,
    })
    expect(readGate(atMost1Percent, answered(416)).outcome).toBe('inconclusive')
  })

  it('passes after 417 requests without an error where 1 % is allowed', () => {
    expect(readGate(atMost1Percent, answered(417)).outcome).toBe('pass')
  })

  it('fails after a few requests that all fail', () => {
    expect(readGate(atMost1Percent, answered(3, 3)).outcome).toBe('inconclusive')
    expect(readGate(atMost1Percent, answered(4, 4)).outcome).toBe('fail')
  })

  it('fails at the first error where none is allowed, and passes where all are', () => {
    expect(readGate({ metric: 'errorRate', max: 0 }, answered(1e6)).outcome).toBe('inconclusive')
    expect(readGate({ metric: 'errorRate', max: 0 }, answered(1e6, 1)).outcome).toBe('fail')
    expect(readGate({ metric: 'errorRate', max: 1 }, answered(1, 1)).outcome).toBe('pass')
  })

  it('tells from a billion requests, too', () => {
    expect(readGate(atMost1Percent, answered(1e9, 1.01e7)).outcome).toBe('fail')
    expect(readGate(atMost1Percent, answered(1e9, 0.99e7)).outcome).toBe('pass')
    expect(readGate(atMost1Percent, answered(1e9, 5e8)).outcome).toBe('fail')
    expect(readGate(atMost1Percent, answered(1e9, 1e7)).outcome).toBe('inconclusive')
  })
})

describe('the gate on latency', () => {
  it('counts a bucket beyond the limit as slow and one below it as not', () => {
    expect(readGate(atMost50Ms, latencies([50, 900], [100, 100]))).toMatchObject({ outcome: 'fail', share: 0.1 })
    expect(readGate(atMost50Ms, latencies([50, 1000], [Infinity, 0]))).toMatchObject({ outcome: 'pass', share: 0 })
  })

  it('neither passes nor fails by a bucket that the limit cuts', () => {
    expect(readGate(atMost50Ms, latencies([40, 900], [80, 100])).outcome).toBe('inconclusive')
  })
})

describe('together', () => {
  const reading = (requests: number, errors = 0) => readGate(atMost1Percent, answered(requests, errors))

  it('fails with one, and passes with all', () => {
    expect(together([reading(1000), reading(100, 50)])).toBe('fail')
    expect(together([reading(1000), reading(100)])).toBe('inconclusive')
    expect(together([reading(1000), reading(2000)])).toBe('pass')
    expect(together([])).toBe('pass')
  })
})

describe('the evidence', () => {
  it('is the mixture of likelihood ratios that it says it is', () => {
    const [n, s, q] = [40, 2, 0.03]
    const mixture = (from: number, to: number) => {
      let [weight, sum] = [0, 0]
      for (let i = 0; i < 200_000; i++) {
        const p = from + ((i + 0.5) / 200_000) * (to - from)
        const prior = (1 - p) ** (1 / q - 1)
        weight += prior
        sum += prior * (p / q) ** s * ((1 - p) / (1 - q)) ** (n - s)
      }
      return sum / weight
    }
    expect(evidence(n, s, q).above).toBeCloseTo(mixture(q, 1), 6)
    expect(evidence(n, s, q).within).toBeCloseTo(mixture(0, q), 6)
  })

  /** How often a version with that share of errors fails and passes, looked at after every request. */
  function watch(p: number, q: number, requests: number, runs = 400) {
    const rng = stream(7, 'gates', p)
    let [failed, passed] = [0, 0]
    for (let run = 0; run < runs; run++) {
      let [errors, ended] = [0, false]
      for (let n = 1; n <= requests && !ended; n++) {
        if (rng.uniform() < p) errors++
        const { above, within } = evidence(n, errors, q)
        if (above >= 1 / ALPHA) failed++
        else if (within >= 1 / ALPHA) passed++
        ended = above >= 1 / ALPHA || within >= 1 / ALPHA
      }
    }
    return { failed: failed / runs, passed: passed / runs }
  }

  it('fails a version that is just good enough, and passes it, less often than promised, however often one looks', () => {
    const { failed, passed } = watch(0.05, 0.05, 1000)
    // Three standard errors of 400 runs.
    const most = ALPHA + 3 * Math.sqrt((ALPHA * (1 - ALPHA)) / 400)
    expect(failed).toBeLessThanOrEqual(most)
    expect(passed).toBeLessThanOrEqual(most)
  })

  it('tells a version that is twice as bad, or half as bad, from a thousand requests', () => {
    expect(watch(0.1, 0.05, 1000, 100).failed).toBeGreaterThan(0.95)
    expect(watch(0.025, 0.05, 1000, 100).passed).toBeGreaterThan(0.9)
  })
})
