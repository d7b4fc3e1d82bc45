import type { Measurements, Place, RequestMetrics } from '../../deploy/routes.ts'
import { attempting, DEADLINE_MS } from './errors.ts'

const METRICS = 'aiplatform.googleapis.com/prediction/online'

/** `timeSeries.list` of Cloud Monitoring, as far as it is read. Whole numbers are text. */
interface TimeSeriesPage {
  readonly timeSeries?: readonly TimeSeries[]
  readonly nextPageToken?: string
}

interface TimeSeries {
  readonly metric?: { readonly labels?: Readonly<Record<string, string>> }
  readonly points?: readonly { readonly value?: PointValue }[]
}

interface PointValue {
  readonly int64Value?: string
  readonly doubleValue?: number
  readonly distributionValue?: Distribution
}

export interface Distribution {
  readonly bucketOptions?: {
    readonly explicitBuckets?: { readonly bounds?: readonly number[] }
    readonly linearBuckets?: { readonly numFiniteBuckets?: number; readonly width?: number; readonly offset?: number }
    readonly exponentialBuckets?: {
      readonly numFiniteBuckets?: number
      readonly growthFactor?: number
      readonly scale?: number
    }
  }
  /** The first is below the first bound, the last that can be is above the last; empty ones at the end are left out. */
  readonly bucketCounts?: readonly string[]
}

/**
 * Requests, errors and latencies (ms) of one deployed model over a window: three requests, because a filter names one metric. The counts are
 * of kind DELTA, so a window's count is the sum of its points.
 */
export function requestMetrics(
  place: Place,
  emulator: string | null,
  authorise: (url: string) => Promise<Headers>,
): Measurements['measure'] {
  const base = `${emulator ?? 'https://monitoring.googleapis.com'}/v3/projects/${place.project}/timeSeries`
  const attempt = attempting('monitoring', place)

  async function list(metric: string, endpoint: string, model: string, window: Readonly<Record<string, string>>) {
    const labels = `resource.labels.endpoint_id = "${endpoint}" AND metric.labels.deployed_model_id = "${model}"`
    const query = new URLSearchParams({ filter: `metric.type = "${METRICS}/${metric}" AND ${labels}`, ...window })
    const found: TimeSeries[] = []
    for (let token: string | undefined; ; query.set('pageToken', token)) {
      const page = await read(`${base}?${query}`)
      found.push(...(page.timeSeries ?? []))
      token = page.nextPageToken
      if (!token) return found
    }
  }

  async function read(url: string): Promise<TimeSeriesPage> {
    const headers = emulator === null ? await authorise(url) : undefined
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(DEADLINE_MS) })
    if (response.ok) return (await response.json()) as TimeSeriesPage
    const text = await response.text()
    throw Object.assign(new Error(/"message": *"([^"]*)/.exec(text)?.[1] ?? text), { code: response.status })
  }

  return (endpoint, model, from, to) =>
    attempt(async () => {
      const window = {
        'interval.startTime': new Date(from).toISOString(),
        'interval.endTime': new Date(to).toISOString(),
      }
      const [responses, errors, latencies] = await Promise.all(
        ['response_count', 'error_count', 'prediction_latencies'].map(metric => list(metric, endpoint, model, window)),
      )
      return {
        requests: total(responses),
        errors: total(errors),
        latency: histogram(valuesOf(wholeLatencies(latencies)).map(({ distributionValue = {} }) => distributionValue)),
      }
    })
}

function valuesOf(series: readonly TimeSeries[]): PointValue[] {
  return series.flatMap(({ points = [] }) => points.map(({ value = {} }) => value))
}

function total(series: readonly TimeSeries[]): number {
  return valuesOf(series).reduce((sum, { int64Value, doubleValue }) => sum + Number(int64Value ?? doubleValue ?? 0), 0)
}

/** A request's latency is told in parts, too, each a series: the whole where there is one, else the model's part, and never both. */
function wholeLatencies(series: readonly TimeSeries[]): readonly TimeSeries[] {
  const ofType = (type: string) => series.filter(({ metric }) => metric?.labels?.['latency_type'] === type)
  return [ofType('total'), ofType('model'), series].find(found => found.length > 0) ?? []
}

/** Several distributions as one, by the upper bounds of their buckets; the last is always that without a bound. */
export function histogram(distributions: readonly Distribution[]): RequestMetrics['latency'] {
  const counts = new Map<number, number>([[Number.POSITIVE_INFINITY, 0]])
  for (const { bucketOptions, bucketCounts = [] } of distributions) {
    const upper = upperBound(bucketOptions ?? {})
    for (const [index, count] of bucketCounts.entries()) {
      const bound = upper(index)
      if (Number(count) > 0) counts.set(bound, (counts.get(bound) ?? 0) + Number(count))
    }
  }
  return [...counts].map(([upToMs, count]) => ({ upToMs, count })).sort((a, b) => (a.upToMs < b.upToMs ? -1 : 1))
}

/** Upper bound of the bucket at an index; of n finite buckets, those at 0 and n + 1 are what is below and above. */
function upperBound(options: NonNullable<Distribution['bucketOptions']>): (index: number) => number {
  const { explicitBuckets, linearBuckets, exponentialBuckets } = options
  const bounds = (finite: number | undefined, bound: (index: number) => number) => (index: number) =>
    index <= (finite ?? 0) ? bound(index) : Number.POSITIVE_INFINITY
  if (linearBuckets) {
    const { numFiniteBuckets, width = 0, offset = 0 } = linearBuckets
    return bounds(numFiniteBuckets, index => offset + width * index)
  }
  if (exponentialBuckets) {
    const { numFiniteBuckets, growthFactor = 0, scale = 0 } = exponentialBuckets
    return bounds(numFiniteBuckets, index => scale * growthFactor ** index)
  }
  return index => explicitBuckets?.bounds?.[index] ?? Number.POSITIVE_INFINITY
}
