import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createWorkerMetrics } from '../../../src/serve/cluster/worker-metrics.ts'
import { LOST_RECORDS } from '../../../src/serve/metrics.ts'
import { countersOf, fallen } from '../../support/counters.ts'

/** A worker that has counted so much. */
async function measured(count: number) {
  const registry = new Registry()
  const registers = [registry]
  new Counter({ name: 'asked_total', help: 'a', labelNames: ['route'], registers }).inc({ route: '/a' }, count)
  new Gauge({ name: 'queue', help: 'a', registers }).set(count)
  const seconds = new Histogram({ name: 'seconds', help: 'a', buckets: [1, 2], registers })
  for (let i = 0; i < count; i++) seconds.observe(1.5)
  return registry.getMetricsAsJSON()
}

describe('the metrics of all workers', () => {
  it('never fall when workers die; gauges are of those that live', async () => {
    const metrics = createWorkerMetrics()
    let before = new Map<string, number>()
    async function expectSum(asked: number, queue: number | undefined) {
      const text = await metrics.text()
      const counters = countersOf(text)
      expect(fallen(before, counters)).toEqual([])
      before = counters
      expect(Object.fromEntries(counters)).toEqual({
        'asked_total{route="/a"}': asked,
        'seconds_bucket{le="1"}': 0,
        'seconds_bucket{le="2"}': asked,
        'seconds_bucket{le="+Inf"}': asked,
        seconds_sum: 1.5 * asked,
        seconds_count: asked,
        dap_log_lost_records_total: 0,
      })
      expect(/^queue (\d+)$/m.exec(text)?.[1]).toBe(queue === undefined ? undefined : String(queue))
    }
    metrics.measured(1, await measured(5))
    metrics.measured(2, await measured(3))
    await expectSum(8, 8)
    metrics.died(1)
    await expectSum(8, 3)
    metrics.measured(3, await measured(1))
    metrics.measured(2, await measured(4))
    await expectSum(10, 5)
    metrics.died(2)
    metrics.died(3)
    await expectSum(10, undefined)
    metrics.died(4) // which never told anything
    metrics.measured(5, await measured(2))
    await expectSum(12, 2)
  })

  it('have what workers that died may have lost, beside what the others say of theirs', async () => {
    const metrics = createWorkerMetrics()
    const losses = async () => countersOf(await metrics.text()).get('dap_log_lost_records_total')
    expect(await losses()).toBe(0)
    metrics.lost(3)
    const registry = new Registry()
    new Counter({ ...LOST_RECORDS, registers: [registry] }).inc(4)
    metrics.measured(1, await registry.getMetricsAsJSON())
    expect(await losses()).toBe(7)
    metrics.died(1)
    metrics.lost(1)
    expect(await losses()).toBe(8)
  })
})
