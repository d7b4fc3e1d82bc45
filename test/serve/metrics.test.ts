import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AggregatorRegistry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { nodeFiles } from '../../src/adapters/node/files.ts'
import { MODEL_FAILURE_REASONS } from '../../src/generated/names.ts'
import type { BreakerState } from '../../src/models/guard.ts'
import type { OpenModel } from '../../src/models/open-model.ts'
import { createMetrics, type Measured } from '../../src/serve/metrics.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { ctr, get, offer, post, ranker, repository, serve, waitFor } from './serving.ts'
import { familiesOf, sampleOf } from './support/exposition.ts'
import { logStats, served } from './support.ts'

const { write } = nodeFiles()
const CONTEXT = { player: 'p1' }

describe('the metrics of a server', () => {
  it('are those that docs/server.md lists, with their labels, and no others', async () => {
    const folder = await repository({
      'policies/offer.yaml': offer(),
      'policies/ranker.yaml': ranker(),
      'models/ctr.yaml': ctr(),
    })
    const { url } = await serve(folder, ['--learn', '--control', 'control.json', '--keep', '30d'])
    await post(`${url}/v1/decide`, { policy: 'ranker', context: CONTEXT })
    const { json } = await post(`${url}/v1/decide`, { policy: 'offer', context: CONTEXT })
    await post(`${url}/v1/rewards`, { decisionId: json.decisionId, value: 1 })
    const families = familiesOf((await get(`${url}/metrics`)).text)
    const own = [...families.keys()].filter(name => !/^(process|nodejs)_/.test(name))
    const listed = await listedMetrics()
    expect([...listed.keys()].sort()).toEqual(own.sort())
    for (const name of own) {
      const { help, samples } = families.get(name)!
      expect(help.length, name).toBeGreaterThan(20)
      for (const { labels } of samples) {
        const names = Object.keys(labels).filter(label => label !== 'le')
        expect({ name, labels: names.sort() }).toEqual({ name, labels: [...listed.get(name)!].sort() })
      }
    }
  })

  it('are named as Prometheus asks for: counters, and nothing else, end in _total', async () => {
    const { url } = await serve(await repository({ 'policies/offer.yaml': offer() }), ['--learn'])
    for (const [name, { type }] of familiesOf((await get(`${url}/metrics`)).text))
      expect({ name, counts: name.endsWith('_total') }).toEqual({ name, counts: type === 'counter' })
  })

  it('tell of files that are broken until they are whole again, and of kill switches', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer(), 'policies/other.yaml': offer('other') })
    const { url, event } = await serve(folder, ['--control', 'control.json'])
    const scrape = async () => familiesOf((await get(`${url}/metrics`)).text)
    const until = (name: string, labels: Readonly<Record<string, string>>, value: number) =>
      waitFor(async () => (sampleOf(await scrape(), name, labels) === value ? true : undefined))
    const policies = { files: 'policies' }
    const control = { files: 'control' }
    expect(sampleOf(await scrape(), 'dap_reloads_total', policies)).toBe(1)
    const started = sampleOf(await scrape(), 'dap_reload_last_success_timestamp_seconds', policies)!

    await write(join(folder, 'policies/offer.yaml'), 'kind: [')
    await event('reload failed')
    await until('dap_reload_faults', policies, 1)
    expect(sampleOf(await scrape(), 'dap_reload_failures_total', policies)).toBe(1)
    expect(sampleOf(await scrape(), 'dap_reload_last_success_timestamp_seconds', policies)).toBe(started)
    // As it was: nothing has changed, and nothing is wrong any more.
    await write(join(folder, 'policies/offer.yaml'), offer())
    await until('dap_reload_faults', policies, 0)
    expect(sampleOf(await scrape(), 'dap_reload_failures_total', policies)).toBe(1)

    await write(join(folder, 'control.json'), '{"killed":["offer"],"reason":"prices"}')
    await until('dap_policy_killed', { policy: 'offer' }, 1)
    expect(sampleOf(await scrape(), 'dap_policy_killed', { policy: 'other' })).toBe(0)
    await write(join(folder, 'control.json'), '{"kiled":[]}')
    await until('dap_reload_faults', control, 1)
    expect(sampleOf(await scrape(), 'dap_policy_killed', { policy: 'offer' })).toBe(1)
    expect(sampleOf(await scrape(), 'dap_reload_faults', policies)).toBe(0)
  })

  it('tell what is learnt, published and in the log', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const { url } = await serve(folder, ['--learn', '--publish', '1s', '--flush-ms', '1'])
    const { json } = await post(`${url}/v1/decide`, { context: CONTEXT })
    await post(`${url}/v1/rewards`, { decisionId: json.decisionId, value: 1 })
    await post(`${url}/v1/rewards`, { decisionId: 'nobody', value: 1 })
    const families = await waitFor(async () => {
      const now = familiesOf((await get(`${url}/metrics`)).text)
      return sampleOf(now, 'dap_learner_publishes_total') === 1 ? now : undefined
    })
    expect(sampleOf(families, 'dap_learner_decisions_total', { outcome: 'learnt' })).toBe(1)
    expect(sampleOf(families, 'dap_learner_decisions_total', { outcome: 'unusable' })).toBe(0)
    expect(sampleOf(families, 'dap_learner_ignored_rewards_total', { reason: 'unknown' })).toBe(1)
    expect(sampleOf(families, 'dap_learner_pending_decisions')).toBe(0)
    expect(sampleOf(families, 'dap_learner_publish_failures_total')).toBe(0)
    expect(sampleOf(families, 'dap_log_records_total', { stream: 'decisions' })).toBe(1)
    expect(sampleOf(families, 'dap_log_bytes_total', { stream: 'decisions' })).toBeGreaterThan(200)
    expect(sampleOf(families, 'dap_log_last_commit_timestamp_seconds', { stream: 'rewards' })).toBeGreaterThan(1.7e9)
    expect(sampleOf(families, 'dap_log_oldest_record_age_seconds')).toBe(0)
    expect(sampleOf(families, 'dap_http_requests_in_work')).toBe(0)
    expect(sampleOf(families, 'dap_http_connections')).toBeGreaterThanOrEqual(1)
    expect(sampleOf(families, 'dap_rewards_unmatched_total', { reason: 'other-name' })).toBe(0)
  })

  it('count snapshots that could not be published', async () => {
    const folder = await repository({ 'policies/offer.yaml': offer() })
    const { url, event } = await serve(folder, ['--learn', '--publish', '1s'])
    await write(join(folder, 'snapshots'), 'a file where a folder should be')
    await post(`${url}/v1/decide`, { context: CONTEXT })
    await event('publish failed')
    const families = familiesOf((await get(`${url}/metrics`)).text)
    expect(sampleOf(families, 'dap_learner_publish_failures_total')).toBeGreaterThanOrEqual(1)
    expect(sampleOf(families, 'dap_learner_publishes_total')).toBe(0)
  })
})

describe('the metrics of several workers', () => {
  const measured = (changes: Partial<Measured> = {}): Measured => ({
    source: { policies: new Map([['shop-offer', served()]]), killed: () => false, followed: { policies: followed() } },
    log: { stats: logStats() },
    unready: () => [],
    inWork: () => 0,
    connections: () => 0,
    ...changes,
  })
  const followed = (changes = {}) => ({ reloads: 1, failures: 0, at: 5_000, faults: 0, ...changes })

  it('are their sums, their worst, or their latest', async () => {
    const one = createMetrics(
      measured({
        log: {
          stats: logStats({ queuedBytes: 5, oldestMs: 40, committedAt: { decisions: 9_000, rewards: undefined } }),
        },
        inWork: () => 2,
        connections: () => 10,
      }),
    )
    const two = createMetrics(
      measured({
        source: {
          ...measured().source,
          killed: () => true,
          followed: { policies: followed({ faults: 2, failures: 1, at: 3_000 }) },
        },
        log: { stats: logStats({ queuedBytes: 7, oldestMs: 20, committedAt: { decisions: 8_000, rewards: 7_000 } }) },
        unready: () => ['the log cannot be written'],
        inWork: () => 1,
        connections: () => 4,
      }),
    )
    one.observer.unmatched('other-name')
    two.observer.unmatched('other-name')
    two.observer.refused('conflict')
    const all = await Promise.all([one, two].map(({ registry }) => registry.getMetricsAsJSON()))
    const families = familiesOf(await AggregatorRegistry.aggregate(all).metrics())
    const value = (name: string, labels = {}) => sampleOf(families, name, labels)
    const policies = { files: 'policies' }
    expect({
      ready: value('dap_ready'),
      killed: value('dap_policy_killed', { policy: 'shop-offer' }),
      info: families.get('dap_policy_info')?.samples.map(each => each.value),
      faults: value('dap_reload_faults', policies),
      reloads: value('dap_reloads_total', policies),
      failures: value('dap_reload_failures_total', policies),
      loaded: value('dap_reload_last_success_timestamp_seconds', policies),
      inWork: value('dap_http_requests_in_work'),
      connections: value('dap_http_connections'),
      queue: value('dap_log_queue_bytes'),
      oldest: value('dap_log_oldest_record_age_seconds'),
      decisionsAt: value('dap_log_last_commit_timestamp_seconds', { stream: 'decisions' }),
      rewardsAt: value('dap_log_last_commit_timestamp_seconds', { stream: 'rewards' }),
      unmatched: value('dap_rewards_unmatched_total', { reason: 'other-name' }),
      refused: value('dap_rewards_refused_total', { reason: 'conflict' }),
    }).toEqual({
      ...{ ready: 0, killed: 1, info: [1], faults: 2, reloads: 2, failures: 1, loaded: 3 },
      ...{ inWork: 3, connections: 14, queue: 12, oldest: 0.04, decisionsAt: 9, rewardsAt: 7 },
      ...{ unmatched: 2, refused: 1 },
    })
  })

  it('add up what was asked of a Model, and say of it the worst', async () => {
    const asking = (heard: boolean, state: BreakerState): Measured => {
      const model = { scorer: { name: 'ctr' }, heard, state: () => state } as OpenModel
      const policies = new Map([
        ['shop-offer', { ...served(), model }],
        ['other', { ...served({}, 'other'), model: { ...model, heard: true } as OpenModel }],
      ])
      return measured({ source: { ...measured().source, policies } })
    }
    const workers = [createMetrics(asking(true, 'closed')), createMetrics(asking(false, 'half-open'))]
    workers[0].observer.asked('ctr', 20, 500, undefined)
    workers[1].observer.asked('ctr', 3, 1500, 'timeout')
    const all = await Promise.all(workers.map(({ registry }) => registry.getMetricsAsJSON()))
    const families = familiesOf(await AggregatorRegistry.aggregate(all).metrics())
    const value = (name: string, labels = {}) => sampleOf(families, name, { model: 'ctr', ...labels })
    expect([value('dap_model_ready'), value('dap_model_breaker')]).toEqual([0, 1])
    expect([value('dap_model_seconds_sum'), value('dap_model_seconds_count')]).toEqual([2, 2])
    expect([value('dap_model_batch_rows_sum'), value('dap_model_batch_rows_bucket', { le: '5' })]).toEqual([23, 1])
    const failures = MODEL_FAILURE_REASONS.map(reason => [reason, value('dap_model_failures_total', { reason })])
    expect(failures).toEqual(MODEL_FAILURE_REASONS.map(reason => [reason, reason === 'timeout' ? 1 : 0]))
  })
})

/** Name → labels, of the table in docs/server.md. */
async function listedMetrics(): Promise<ReadonlyMap<string, readonly string[]>> {
  const page = await readFile(join(PACKAGE_ROOT, 'docs/server.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (`dap_[^|]*) \| ([^|]*)\|/gm)]
  const words = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map(([, word]) => word)
  return new Map(rows.flatMap(([, names, labels]) => words(names).map(name => [name, words(labels)] as const)))
}
