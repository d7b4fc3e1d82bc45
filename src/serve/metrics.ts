import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { MODEL_FAILURE_REASONS } from '../generated/names.ts'
import type { BreakerState } from '../models/guard.ts'
import type { OpenModel } from '../models/open-model.ts'
import type { Followed, LivePolicySource } from './deciding/policies.ts'
import type { Observer } from './engine-parts.ts'
import type { LogWriter } from './log/log-writer.ts'
import type { Upkeep } from './log/upkeep.ts'
import type { OnlineLearner } from './rewards/online-learner.ts'

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
  readonly source: Pick<LivePolicySource, 'policies' | 'killed' | 'followed'>
  readonly log: Pick<LogWriter, 'stats'>
  readonly learner?: Pick<OnlineLearner, 'stats'>
  readonly upkeep?: Pick<Upkeep, 'stats'>
  /** Why the server should get no traffic. */
  unready(): readonly string[]
  /** Requests that have arrived and are not answered; probes do not count. */
  inWork(): number
  /** Connections that are open. */
  connections(): number
}

/** Seconds; a decision takes from tens of microseconds to, at the worst, the time limit. */
const BUCKETS = [5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1]

/** Rows of a call: as many as a decision has actions. */
const ROWS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]

const BREAKER: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 }

/** prom-client's own that end in `_total` and count nothing: each is the sum of one that stays. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']

/** Of a log's writer; with several workers the primary adds what those that died may have lost. */
export const LOST_RECORDS = {
  name: 'dap_log_lost_records_total',
  help: 'Records that were acknowledged and will never be written; of workers that died, as many as it may be',
}

/** A name of a metric with its labels, and its value now; undefined: there is none yet. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number | undefined]

/** What is true of several workers together: of the sum, the worst or the latest of them. */
type Together = 'sum' | 'min' | 'max'

export function createMetrics(measured: Measured): Metrics {
  const { source, log, learner, upkeep, unready } = measured
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)

  /** Counts what it is told of; those `known` are 0 from the start, so that the first of them is an increase. */
  function counter(
    name: string,
    help: string,
    labelNames: readonly string[],
    known: readonly (readonly string[])[] = [],
  ): Tally {
    const tally = createTally(known)
    const labelled = (values: readonly string[]) => Object.fromEntries(labelNames.map((label, i) => [label, values[i]]))
    count(name, help, labelNames, () => Array.from(tally.entries(), ([values, told]) => [labelled(values), told]))
    return tally
  }

  /** A count that somebody else keeps. */
  function count(name: string, help: string, labelNames: readonly string[], samples: () => readonly Sample[]): void {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        for (const [labels, value] of samples()) this.inc(labels, value ?? 0)
      },
    })
  }

  function gauge(
    name: string,
    help: string,
    aggregator: Together,
    labelNames: readonly string[],
    samples: () => readonly Sample[],
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      aggregator,
      collect() {
        this.reset()
        for (const [labels, value] of samples()) if (value !== undefined) this.set(labels, value)
      },
    })
  }

  const one = (value: number): readonly Sample[] => [[{}, value]]
  const each = (label: string, values: Readonly<Record<string, number | undefined>>): readonly Sample[] =>
    Object.entries(values).map(([key, value]) => [{ [label]: key }, value])
  const files = (of: (followed: Followed) => number | undefined): readonly Sample[] =>
    each('files', Object.fromEntries(Object.entries(source.followed).map(([name, followed]) => [name, of(followed)])))
  const seconds = (ms: number | undefined) => ms && ms / 1000

  gauge(
    'dap_ready',
    'Should the server get traffic? 1 if so; 0: GET /readyz says why not; of several workers the worst',
    'min',
    [],
    () => one(unready().length === 0 ? 1 : 0),
  )
  gauge(
    'dap_policy_info',
    'Each policy that is served, with the digests of what decides; always 1',
    'max',
    ['policy', 'digest', 'snapshot'],
    () =>
      [...source.policies].map(([name, { policy, snapshot }]) => [
        { policy: name, digest: policy.digest, snapshot: snapshot ?? '' },
        1,
      ]),
  )
  gauge(
    'dap_policy_killed',
    'Is the kill switch of this policy thrown? 1: its fallback is served',
    'max',
    ['policy'],
    () => [...source.policies.keys()].map(name => [{ policy: name }, source.killed(name) ? 1 : 0]),
  )
  count(
    'dap_reloads_total',
    'How often files (policies and snapshots, or the control file) were taken over: at the start, and when they had changed',
    ['files'],
    () => files(({ reloads }) => reloads),
  )
  count(
    'dap_reload_failures_total',
    'How often files had changed and were not all taken over; the event `reload failed` says why',
    ['files'],
    () => files(({ failures }) => failures),
  )
  gauge(
    'dap_reload_faults',
    'How much is wrong with the files as they are now; above 0 the server goes on with what it had of them before',
    'max',
    ['files'],
    () => files(({ faults }) => faults),
  )
  gauge(
    'dap_reload_last_success_timestamp_seconds',
    'When files were taken over last, in seconds since 1970; of the worker that is the furthest behind',
    'min',
    ['files'],
    () => files(({ at }) => seconds(at)),
  )

  const decisions = counter(
    'dap_decisions_total',
    'Decisions that were made, by who chose what was served; actions that requests bring go by their places, `#1`, those of a set by the set, `set:NAME`',
    ['policy', 'served_by', 'action'],
  )
  const duration = new Histogram({
    name: 'dap_decision_duration_seconds',
    help: 'From the arrival of a request to its decision',
    buckets: BUCKETS,
    registers,
  })
  const repeated = counter(
    'dap_repeated_total',
    'Ids of decisions and rewards that were taken before; a conflict said something else',
    ['kind', 'conflict'],
  )
  const agreement = counter(
    'dap_agreement_total',
    'Choices of a policy beside the baseline that was served, in the modes shadow and apprentice',
    ['policy', 'agrees'],
  )
  const rewards = counter(
    'dap_rewards_total',
    'Rewards (`metric`) and activations that were taken',
    ['kind'],
    [['metric'], ['activation']],
  )
  const unmatched = counter(
    'dap_rewards_unmatched_total',
    "Rewards that were taken and can teach nothing here: of a decision that this server does not remember, or not the policy's reward",
    ['reason'],
    [['unknown-decision'], ['other-name']],
  )
  const refused = counter(
    'dap_rewards_refused_total',
    'Rewards and activations that were not taken: a value outside the range, a slot that the decision does not have, a time before the decision or in the future, an id of another one',
    ['reason'],
    [['value'], ['slot'], ['time'], ['conflict']],
  )
  const modelSeconds = new Histogram({
    name: 'dap_model_seconds',
    help: 'How long decisions waited for their Model, whether or not it answered',
    labelNames: ['model'],
    buckets: BUCKETS,
    registers,
  })
  const modelRows = new Histogram({
    name: 'dap_model_batch_rows',
    help: 'Rows that a Model was asked about at once: one for each action that could be taken, or one of the context',
    labelNames: ['model'],
    buckets: ROWS,
    registers,
  })
  const modelFailures = createTally([])
  /** By name: policies may ask the same. */
  function models(): ReadonlyMap<string, readonly OpenModel[]> {
    const all = new Map<string, readonly OpenModel[]>()
    for (const { model } of source.policies.values()) {
      if (model !== undefined) all.set(model.scorer.name, [...(all.get(model.scorer.name) ?? []), model])
    }
    return all
  }
  count(
    'dap_model_failures_total',
    'Decisions that are the fallback because their Model gave nothing to use, by the reason that their records say',
    ['model', 'reason'],
    () => {
      for (const model of models().keys()) for (const reason of MODEL_FAILURE_REASONS) modelFailures.know(model, reason)
      return Array.from(modelFailures.entries(), ([[model, reason], told]) => [{ model, reason }, told])
    },
  )
  gauge(
    'dap_model_ready',
    'Has the Model answered since it was opened? 0: GET /readyz says so; of several workers the worst',
    'min',
    ['model'],
    () => Array.from(models(), ([model, all]) => [{ model }, all.every(({ heard }) => heard) ? 1 : 0]),
  )
  gauge(
    'dap_model_breaker',
    'Of the breaker before the Model: 0 closed, 1 half open, 2 open, when decisions are the fallback and it is not asked; of several workers the worst',
    'max',
    ['model'],
    () => Array.from(models(), ([model, all]) => [{ model }, Math.max(...all.map(each => BREAKER[each.state()]))]),
  )
  const requests = counter('dap_http_requests_total', 'HTTP requests that are done with; 499: the client had gone', [
    'route',
    'status',
  ])
  gauge(
    'dap_http_requests_in_work',
    'HTTP requests that have arrived, body and all, and are not answered; probes do not count',
    'sum',
    [],
    () => one(measured.inWork()),
  )
  gauge('dap_http_connections', 'Connections that are open now, idle ones too', 'sum', [], () =>
    one(measured.connections()),
  )

  count('dap_log_records_total', 'Records that were written', ['stream'], () => each('stream', log.stats.written))
  count('dap_log_bytes_total', 'Bytes of records that were written, before compression', ['stream'], () =>
    each('stream', log.stats.bytes),
  )
  gauge('dap_log_queue_bytes', 'Bytes of records that wait in memory to be written', 'sum', [], () =>
    one(log.stats.queuedBytes),
  )
  gauge(
    'dap_log_oldest_record_age_seconds',
    'How long the oldest record has waited to be written; of several workers the longest; 0 where none waits',
    'max',
    [],
    () => one(log.stats.oldestMs / 1000),
  )
  gauge(
    'dap_log_last_commit_timestamp_seconds',
    'When records were written last, in seconds since 1970',
    'max',
    ['stream'],
    () => each('stream', log.stats.committedAt).map(([labels, at]) => [labels, seconds(at)]),
  )
  count('dap_log_failures_total', 'Writes that failed, and were tried again', [], () => one(log.stats.failures))
  const shed = counter('dap_log_shed_total', 'Decisions whose record was left out because the queue was nearly full', [
    'policy',
  ])
  count(LOST_RECORDS.name, LOST_RECORDS.help, [], () => one(log.stats.lost))

  if (upkeep !== undefined) {
    count(
      'dap_log_upkeep_total',
      'Segments of the log that were dealt with once they were closed: compressed, or deleted as too old or too many',
      ['work'],
      () => each('work', upkeep.stats.done),
    )
    count(
      'dap_log_upkeep_failures_total',
      'Segments that could not be compressed or deleted; they stay as they are, and it is tried again',
      ['work'],
      () => each('work', upkeep.stats.failures),
    )
  }
  if (learner !== undefined) {
    gauge(
      'dap_learner_pending_decisions',
      'Decisions that wait for their rewards before they are learnt',
      'sum',
      [],
      () => one(learner.stats.pending),
    )
    count(
      'dap_learner_decisions_total',
      'What became of decisions: learnt; or not, since too many were waiting (overflown), none was shown (inactive), or the policy could not use it (unusable)',
      ['outcome'],
      () => {
        const { learnt, overflown, inactive, unusable } = learner.stats
        return each('outcome', { learnt, overflown, inactive, unusable })
      },
    )
    count(
      'dap_learner_ignored_rewards_total',
      'Rewards that taught nothing: of no decision that waits, after the wait, too early to be its, outside the range, or in conflict with another one',
      ['reason'],
      () => {
        const { unknown, late, outside, tooEarly, conflicts } = learner.stats
        return each('reason', { unknown, late, range: outside, 'too-early': tooEarly, conflict: conflicts })
      },
    )
    count('dap_learner_publishes_total', 'Snapshots that were published, and decide now', [], () =>
      one(learner.stats.published),
    )
    count(
      'dap_learner_publish_failures_total',
      'Snapshots that could not be published; what decides grows old',
      [],
      () => one(learner.stats.unpublished),
    )
  }

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
      rewarded: kind => rewards.add(kind),
      unmatched: reason => unmatched.add(reason),
      refused: reason => refused.add(reason),
      asked(model, rows, ms, failure) {
        modelSeconds.observe({ model }, ms / 1000)
        modelRows.observe({ model }, rows)
        if (failure !== undefined) modelFailures.add(model, failure)
      },
    },
    requested: (route, status) => requests.add(route, String(status)),
    get totals() {
      return { decisions: decisions.total(), rewards: rewards.total() }
    },
  }
}

interface Tally {
  /** It is 0, if it has not been counted yet. */
  know(...labels: readonly string[]): void
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
function createTally(known: readonly (readonly string[])[]): Tally {
  const root: Count = { labels: [], count: 0, next: new Map() }
  const all: Count[] = []

  function find(labels: readonly string[]): Count {
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
    return at
  }

  for (const labels of known) find(labels)
  return {
    know: (...labels) => void find(labels),
    add(...labels) {
      find(labels).count++
    },
    entries: () => all.map(({ labels, count }) => [labels, count] as const),
    total: () => all.reduce((sum, { count }) => sum + count, 0),
  }
}
