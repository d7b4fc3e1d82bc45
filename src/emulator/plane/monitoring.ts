import { numberOf } from '../names.ts'
import type { JsonObject } from '../ports.ts'
import { RpcError } from '../ports.ts'
import { CODES } from '../rules.ts'
import { type HttpRoute, jsonReply } from '../wire/http.ts'
import { LATENCY_BUCKETS, type Metrics, type Series, SLOT_MS, type Slot } from './metrics.ts'

const ENDPOINT = 'aiplatform.googleapis.com/Endpoint'
const ONLINE = 'aiplatform.googleapis.com/prediction/online/'

interface MetricKind {
  /** Does it count the answers with this status? */
  counts(status: number): boolean
  /** Of the metric, beside the deployed model. */
  labels(series: Series): Readonly<Record<string, string>>
  readonly valueType: 'INT64' | 'DISTRIBUTION'
  value(slots: readonly Slot[]): JsonObject
}

const int64 = (slots: readonly Slot[]): JsonObject => ({ int64Value: String(total(slots, slot => slot.count)) })

const METRICS: Readonly<Record<string, MetricKind>> = {
  response_count: {
    counts: () => true,
    labels: ({ status }) => ({ response_code: String(status) }),
    valueType: 'INT64',
    value: int64,
  },
  error_count: { counts: status => status >= 400, labels: () => ({}), valueType: 'INT64', value: int64 },
  /** In ms. The real one has a second series, of the overhead, which is not emulated. */
  prediction_latencies: {
    counts: () => true,
    labels: () => ({ latency_type: 'model' }),
    valueType: 'DISTRIBUTION',
    value: slots => ({ distributionValue: distribution(slots) }),
  },
}

/** As much of Cloud Monitoring's `timeSeries.list` as the metrics of online prediction need. Points appear `lagMs` after their time. */
export function monitoringRoute(metrics: Metrics, now: () => number, lagMs: number): HttpRoute {
  return async ({ verb, path, query }) => {
    const [, project] = /^\/v3\/projects\/([^/]+)\/timeSeries$/.exec(path) ?? []
    if (verb !== 'GET' || project === undefined) return undefined
    const filter = filterOf(query.get('filter') ?? '')
    const from = timeOf(query, 'interval.startTime')
    const to = timeOf(query, 'interval.endTime')
    const period = periodOf(query)
    const name = (filter.get('metric.type') ?? '').replace(ONLINE, '')
    if (name === '') throw invalid('filter', 'one `metric.type = "…"` must be named')
    const metric = Object.hasOwn(METRICS, name) ? METRICS[name] : undefined
    if (metric === undefined) return jsonReply(200, {})
    const visible = Math.min(to, now() - lagMs)
    const own = [...metrics.series].filter(series => isOf(series, project))
    const timeSeries = grouped(metric, own, filter)
      .map(({ head, slots }) => ({ ...head, points: points(metric, slots, { from, to, visible, period }) }))
      .filter(series => series.points.length > 0)
    return jsonReply(
      200,
      timeSeries.length > 0 ? { timeSeries, unit: name === 'prediction_latencies' ? 'ms' : '1' } : {},
    )
  }
}

/** By the project's number, or by its id. */
const isOf = (series: Series, project: string) => [project, numberOf(project)].includes(series.project)

interface Group {
  readonly head: JsonObject
  readonly slots: Slot[]
}

/** The series of a metric that pass the filter; answers that differ in nothing that the metric shows are one. */
function grouped(metric: MetricKind, all: readonly Series[], filter: ReadonlyMap<string, string>) {
  const groups = new Map<string, Group>()
  for (const series of all) {
    if (!metric.counts(series.status)) continue
    const { location, endpointId: endpoint_id, deployedModelId: deployed_model_id } = series
    const labels = { deployed_model_id, ...metric.labels(series) }
    const resource = { resource_container: series.project, location, endpoint_id }
    if (!passes(filter, labels, resource)) continue
    const head = {
      metric: { type: filter.get('metric.type'), labels },
      resource: { type: ENDPOINT, labels: resource },
      metricKind: 'DELTA',
      valueType: metric.valueType,
    }
    const key = JSON.stringify([labels, resource])
    const group: Group = groups.get(key) ?? { head, slots: [] }
    group.slots.push(...series.slots)
    groups.set(key, group)
  }
  return [...groups.values()]
}

function passes(
  filter: ReadonlyMap<string, string>,
  metric: Readonly<Record<string, string>>,
  resource: Readonly<Record<string, string>>,
): boolean {
  const known: Readonly<Record<string, string | undefined>> = {
    'resource.type': ENDPOINT,
    'metric.type': filter.get('metric.type'),
    ...Object.fromEntries(Object.entries(metric).map(([name, value]) => [`metric.labels.${name}`, value])),
    ...Object.fromEntries(Object.entries(resource).map(([name, value]) => [`resource.labels.${name}`, value])),
  }
  return [...filter].every(([name, value]) => known[name] === value)
}

interface Window {
  readonly from: number
  readonly to: number
  /** What is later is not known yet. */
  readonly visible: number
  readonly period: number
}

/** One point for each period that has data, counted back from the end, newest first. A slot counts where it overlaps. */
function points(metric: MetricKind, slots: readonly Slot[], { from, to, visible, period }: Window): JsonObject[] {
  const groups = new Map<number, Slot[]>()
  for (const slot of slots) {
    const { start } = slot
    if (start + SLOT_MS <= from || start >= to || start > visible) continue
    const index = Math.max(0, Math.ceil((to - start) / period) - 1)
    groups.set(index, [...(groups.get(index) ?? []), slot])
  }
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([index, inside]) => ({
      interval: { startTime: time(Math.max(from, to - (index + 1) * period)), endTime: time(to - index * period) },
      value: metric.value(inside),
    }))
}

function distribution(slots: readonly Slot[]): JsonObject {
  const count = total(slots, slot => slot.count)
  const mean = total(slots, slot => slot.sum) / count
  const bucketCounts = Array.from(slots[0].latencies, (_, i) => String(total(slots, ({ latencies }) => latencies[i])))
  return {
    count: String(count),
    mean,
    sumOfSquaredDeviation: Math.max(0, total(slots, slot => slot.sumOfSquares) - count * mean * mean),
    bucketOptions: { exponentialBuckets: LATENCY_BUCKETS },
    bucketCounts,
  }
}

const total = (slots: readonly Slot[], of: (slot: Slot) => number) => slots.reduce((sum, slot) => sum + of(slot), 0)

const time = (ms: number) => new Date(ms).toISOString()

/** `a = "x" AND b = "y"`, the only form that is read; `label` is `labels`. */
function filterOf(text: string): Map<string, string> {
  const terms = /\s*(?:\bAND\b)?\s*([\w.]+)\s*=\s*"((?:[^"\\]|\\.)*)"/gy
  const filter = new Map<string, string>()
  let end = 0
  for (const [term, name, value] of text.matchAll(terms)) {
    filter.set(name.replace('.label.', '.labels.'), value.replace(/\\(.)/g, '$1'))
    end += term.length
  }
  if (text.slice(end).trim() !== '') throw invalid('filter', `\`${text.slice(end).trim()}\` is not read here`)
  return filter
}

function timeOf(query: URLSearchParams, name: string): number {
  const ms = Date.parse(query.get(name) ?? '')
  if (Number.isNaN(ms)) throw invalid(name, 'it must be a time, such as 2026-11-23T01:02:03Z')
  return ms
}

/** Without an aggregation, points are of a minute, as Vertex AI samples them. */
function periodOf(query: URLSearchParams): number {
  const aligner = query.get('aggregation.perSeriesAligner') ?? 'ALIGN_NONE'
  if (aligner === 'ALIGN_NONE') return 60_000
  if (!['ALIGN_DELTA', 'ALIGN_SUM'].includes(aligner))
    throw invalid('aggregation.perSeriesAligner', 'ALIGN_DELTA and ALIGN_SUM are emulated')
  const [, seconds] = /^(\d+(?:\.\d+)?)s$/.exec(query.get('aggregation.alignmentPeriod') ?? '') ?? []
  if (seconds === undefined || Number(seconds) < 60)
    throw invalid('aggregation.alignmentPeriod', 'it must be at least 60s')
  return Number(seconds) * 1000
}

const invalid = (field: string, why: string) =>
  new RpcError(CODES.INVALID_ARGUMENT, `Field ${field} had an invalid value: ${why}`)
