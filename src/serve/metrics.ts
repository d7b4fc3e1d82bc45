import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Observer } from './engine.ts'
import type { LogWriter } from './log-writer.ts'
import type { PolicySource } from './policies.ts'

/** What a server counts. Requests add to plain numbers; Prometheus' objects are filled when somebody asks. */
export interface Metrics {
  readonly registry: Registry
  readonly observer: Observer
  requested(route: string, status: number): void
  readonly totals: Totals
}

export interface Totals {
  readonly decisions: number
  readonly rewards: number
}

/** What the metrics look at when they are asked for. */
export interface Measured {
  readonly source: PolicySource
  readonly log: Pick<LogWriter, 'stats'>
  /** Why the server should get no traffic. */
  unready(): readonly string[]
}

/** Seconds; a decision takes from tens of microseconds to, at the worst, the time limit. */
const BUCKETS = [5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1]

export function createMetrics({ source, log, unready }: Measured): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  function counter(name: string, help: string, labelNames: readonly string[]): Tally {
    const tally = createTally()
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        for (const [labels, count] of tally.entries()) this.labels(...labels).inc(count)
      },
    })
    return tally
  }

  function gauge(name: string, help: string, aggregator: 'sum' | 'min' | 'max', value: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      aggregator,
      collect() {
        this.set(value())
      },
    })
  }

  const decisions = counter('dap_decisions_total', 'Decisions', ['policy', 'served_by', 'action'])
  const requests = counter('dap_http_requests_total', 'HTTP requests', ['route', 'status'])
  const rewards = counter('dap_rewards_total', 'Rewards and activations', ['kind'])
  const shed = counter('dap_log_shed_total', 'Decisions whose record was not kept', ['policy'])
  const repeated = counter('dap_repeated_total', 'Ids of decisions and rewards that were taken before', [
    'kind',
    'conflict',
  ])
  const unmatched = counter('dap_rewards_unmatched_total', 'Rewards and activations that nothing here has use for', [
    'reason',
  ])
  const refused = counter('dap_rewards_refused_total', 'Rewards and activations that were not taken', ['reason'])
  const agreement = counter('dap_agreement_total', 'Choices beside a baseline', ['policy', 'agrees'])
  const duration = new Histogram({
    name: 'dap_decision_duration_seconds',
    help: 'From the arrival of a request to its decision',
    buckets: BUCKETS,
    registers,
  })
  gauge('dap_ready', '1 while the server should get traffic', 'min', () => (unready().length === 0 ? 1 : 0))
  gauge('dap_log_queue_bytes', 'Bytes that wait to be written', 'sum', () => log.stats.queuedBytes)
  new Counter({
    name: 'dap_log_records_total',
    help: 'Records written',
    labelNames: ['stream'],
    registers,
    collect() {
      this.reset()
      for (const [stream, count] of Object.entries(log.stats.written)) this.labels(stream).inc(count)
    },
  })
  new Counter({
    name: 'dap_log_failures_total',
    help: 'Writes that failed, and were tried again',
    registers,
    collect() {
      this.reset()
      this.inc(log.stats.failures)
    },
  })
  new Gauge({
    name: 'dap_policy_info',
    help: 'The policies that are served',
    labelNames: ['policy', 'digest', 'snapshot'],
    registers,
    aggregator: 'max',
    collect() {
      this.reset()
      for (const [name, { policy, snapshot }] of source.policies)
        this.labels(name, policy.digest, snapshot ?? '').set(1)
    },
  })

  return {
    registry,
    observer: {
      decided(policy, servedBy, action, latencyUs) {
        decisions.add(policy, servedBy, action ?? '')
        duration.observe(latencyUs / 1e6)
      },
      agreed: (policy, agrees) => agreement.add(policy, String(agrees)),
      shed: policy => shed.add(policy),
      repeated: (kind, conflict) => repeated.add(kind, String(conflict)),
      unmatched: reason => unmatched.add(reason),
      refused: reason => refused.add(reason),
      rewarded: kind => rewards.add(kind),
    },
    requested: (route, status) => requests.add(route, String(status)),
    get totals() {
      return { decisions: decisions.total(), rewards: rewards.total() }
    },
  }
}

interface Tally {
  add(...labels: readonly string[]): void
  entries(): Iterable<readonly [labels: string[], count: number]>
  total(): number
}

interface Count {
  readonly labels: string[]
  count: number
  readonly next: Map<string, Count>
}

/** Counts by tuples of labels. A tree, because a joined key would have to be made anew each time. */
function createTally(): Tally {
  const root: Count = { labels: [], count: 0, next: new Map() }
  const all: Count[] = []
  return {
    add(...labels) {
      let at = root
      for (const label of labels) {
        let next = at.next.get(label)
        if (next === undefined) {
          next = { labels: [...at.labels, label], count: 0, next: new Map() }
          at.next.set(label, next)
          if (next.labels.length === labels.length) all.push(next)
        }
        at = next
      }
      at.count++
    },
    entries: () => all.map(({ labels, count }) => [labels, count] as const),
    total: () => all.reduce((sum, { count }) => sum + count, 0),
  }
}
