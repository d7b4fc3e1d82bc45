import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { histogram, requestMetrics } from '../../../src/adapters/vertex/monitoring.ts'
import type { Place } from '../../../src/deploy/routes.ts'

const PLACE: Place = { target: 'emulator', project: 'dap-local', region: 'us-central1', bucket: 'dap-local' }

describe('buckets of latencies', () => {
  it('with explicit bounds end at them, and the last without one', () => {
    const bucketOptions = { explicitBuckets: { bounds: [10, 20] } }
    expect(histogram([{ bucketOptions, bucketCounts: ['1', '2', '3'] }])).toEqual([
      { upToMs: 10, count: 1 },
      { upToMs: 20, count: 2 },
      { upToMs: Number.POSITIVE_INFINITY, count: 3 },
    ])
  })

  it('that grow linearly end at offset + width · i', () => {
    const bucketOptions = { linearBuckets: { numFiniteBuckets: 2, width: 5, offset: 10 } }
    expect(histogram([{ bucketOptions, bucketCounts: ['1', '2', '3', '4'] }])).toEqual([
      { upToMs: 10, count: 1 },
      { upToMs: 15, count: 2 },
      { upToMs: 20, count: 3 },
      { upToMs: Number.POSITIVE_INFINITY, count: 4 },
    ])
  })

  it('that grow exponentially end at scale · growth^i', () => {
    const bucketOptions = { exponentialBuckets: { numFiniteBuckets: 3, growthFactor: 2, scale: 1 } }
    expect(histogram([{ bucketOptions, bucketCounts: ['0', '5', '0', '7', '1'] }])).toEqual([
      { upToMs: 2, count: 5 },
      { upToMs: 8, count: 7 },
      { upToMs: Number.POSITIVE_INFINITY, count: 1 },
    ])
  })

  it('of several series add up, whether their empty ends are left out or not', () => {
    const bucketOptions = { explicitBuckets: { bounds: [10, 20] } }
    const other = { explicitBuckets: { bounds: [5, 20, 30] } }
    const sums = histogram([
      { bucketOptions, bucketCounts: ['1'] },
      { bucketOptions, bucketCounts: ['1', '2', '0'] },
      { bucketOptions: other, bucketCounts: ['4', '1'] },
      {},
    ])
    expect(sums).toEqual([
      { upToMs: 5, count: 4 },
      { upToMs: 10, count: 2 },
      { upToMs: 20, count: 3 },
      { upToMs: Number.POSITIVE_INFINITY, count: 0 },
    ])
  })
})

describe('requests of a deployed model', () => {
  const asked: URL[] = []
  let stop: (() => void) | undefined
  afterEach(() => {
    stop?.()
    asked.splice(0)
  })

  /** A server of pages by the metric's last word; what it has none for is refused. */
  async function metrics(pages: Readonly<Record<string, readonly unknown[]>>) {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://host')
      asked.push(url)
      const metric = /online\/(\w+)"/.exec(url.searchParams.get('filter') ?? '')?.[1] ?? ''
      const page = pages[metric]?.[Number(url.searchParams.get('pageToken') ?? 0)]
      response.writeHead(page === undefined ? 403 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(page ?? { error: { code: 403, message: 'Permission denied.', status: 'X' } }))
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    stop = () => server.close()
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return requestMetrics(PLACE, url, () => Promise.reject(new Error('nobody should ask for credentials')))
  }

  const counts = (...values: readonly number[]) => ({
    points: values.map(value => ({ value: { int64Value: String(value) } })),
  })

  it('add up over series, points and pages', async () => {
    const bucketOptions = { explicitBuckets: { bounds: [10] } }
    const requests = await metrics({
      response_count: [{ timeSeries: [counts(3, 4), counts(1)], nextPageToken: '1' }, { timeSeries: [counts(10)] }],
      error_count: [{}],
      prediction_latencies: [
        { timeSeries: [{ points: [{ value: { distributionValue: { bucketOptions, bucketCounts: ['15', '3'] } } }] }] },
      ],
    })
    expect(await requests('dap-shop', '42', Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1, 0, 30))).toEqual({
      requests: 18,
      errors: 0,
      latency: [
        { upToMs: 10, count: 15 },
        { upToMs: Number.POSITIVE_INFINITY, count: 3 },
      ],
    })
    expect(asked).toHaveLength(4)
    expect(asked[0].pathname).toBe('/v3/projects/dap-local/timeSeries')
    expect(Object.fromEntries(asked[0].searchParams)).toEqual({
      filter:
        'metric.type = "aiplatform.googleapis.com/prediction/online/response_count" AND resource.labels.endpoint_id = "dap-shop" AND metric.labels.deployed_model_id = "42"',
      'interval.startTime': '2026-01-01T00:00:00.000Z',
      'interval.endTime': '2026-01-01T00:30:00.000Z',
    })
  })

  it('have one latency each, however many parts of it are told', async () => {
    const series = (latency_type: string, ...bucketCounts: readonly string[]) => ({
      metric: { labels: { latency_type } },
      points: [
        { value: { distributionValue: { bucketOptions: { explicitBuckets: { bounds: [10] } }, bucketCounts } } },
      ],
    })
    const counted = async (...timeSeries: readonly unknown[]) => {
      const requests = await metrics({
        response_count: [{}],
        error_count: [{}],
        prediction_latencies: [{ timeSeries }],
      })
      const { latency } = await requests('e', '1', 0, 1)
      stop?.()
      return latency.map(({ count }) => count)
    }
    const parts = [series('overhead', '9'), series('model', '2', '7')]
    expect(await counted(...parts, series('total', '1', '8'))).toEqual([1, 8])
    expect(await counted(...parts)).toEqual([2, 7])
  })

  it('are an error with a status where they are refused', async () => {
    const requests = await metrics({})
    await expect(requests('e', '1', 0, 1)).rejects.toMatchObject({
      name: 'CloudError',
      status: 'PERMISSION_DENIED',
      message: 'PERMISSION_DENIED: Permission denied.',
    })
  })
})
