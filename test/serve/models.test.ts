import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DapError } from '../../src/errors.ts'
import type { Host, ModelRunner } from '../../src/host.ts'
import type { DecisionRecord } from '../../src/log/records/records.ts'
import { ModelFailure, type Runtime, type Tensor } from '../../src/models/runtime.ts'
import { dapIn } from '../support/run-dap.ts'
import { ctr, get, logged, post, ranker, repository, type Serving, serve, waitFor } from './serving.ts'
import { familiesOf, sampleOf } from './support/exposition.ts'

type Run = (inputs: ReadonlyMap<string, Tensor>, signal: AbortSignal) => Promise<ReadonlyMap<string, Tensor>>

/** Of each row (level, price) a number that tells it from others, in [0, 1]. */
const SCORES: Run = async inputs => {
  const { rows, data } = inputs.get('x') as Tensor
  const scores = Array.from({ length: rows }, (_, i) => (Number(data[2 * i]) + Number(data[2 * i + 1])) / 100)
  return new Map([['y', { rows, columns: 1, data: Float32Array.from(scores) }]])
}
const REFUSED: Run = () => Promise.reject(new ModelFailure('unreachable', 'nobody is there'))
/** It hears of nothing, its caller's signal neither. */
const LATE: Run = inputs =>
  new Promise(done => setTimeout(() => done(SCORES(inputs, new AbortController().signal)), 200))
const NAN: Run = async inputs => {
  const { rows } = inputs.get('x') as Tensor
  return new Map([['y', { rows, columns: 1, data: new Float32Array(rows).fill(Number.NaN) }]])
}
const EMPTY: Run = async () => new Map()

/** Models whose runs a test holds in its hands. */
function models() {
  const self = {
    run: SCORES,
    /** Rows of each call. */
    calls: [] as number[],
    /** By model of the server: opened and not closed. */
    open: new Map<string, number>(),
    opened: [] as string[],
    missing: false,
    host: {} as Partial<Host>,
  }
  const runner: ModelRunner = {
    async open({ runtime }) {
      if (self.missing) throw new DapError('it is not there', { hint: 'put it there' })
      const name = 'model' in runtime ? runtime.model : runtime.type
      self.opened.push(name)
      self.open.set(name, (self.open.get(name) ?? 0) + 1)
      let closed = false
      const made: Runtime = {
        about: `fake of ${name}`,
        signature: async () => undefined,
        async run(inputs, signal) {
          if (closed) throw new ModelFailure('unreachable', 'it is closed')
          self.calls.push((inputs.get('x') as Tensor).rows)
          return self.run(inputs, signal)
        },
        ready: async () => true,
        async close() {
          closed = true
          self.open.set(name, (self.open.get(name) ?? 0) - 1)
        },
      }
      return made
    },
  }
  self.host = { models: async () => runner }
  return self
}

const FILES = { 'policies/ranker.yaml': ranker(), 'models/ctr.yaml': ctr() }

interface Served extends Serving {
  readonly folder: string
  ready(): Promise<number>
  decide(request?: object): Promise<{ status: number; json: Answer }>
  /** All decisions, once the server has ended. */
  records(): Promise<readonly DecisionRecord[]>
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number | undefined>
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into it
type Answer = any

async function start(
  fake: ReturnType<typeof models>,
  words: readonly string[] = [],
  files: Readonly<Record<string, string>> = FILES,
): Promise<Served> {
  const folder = await repository(files)
  const serving = await serve(folder, words, {}, fake.host)
  const { url } = serving
  return {
    ...serving,
    folder,
    ready: async () => (await get(`${url}/readyz`)).status,
    decide: (request = {}) => post(`${url}/v1/decide`, { context: { player: 'p1' }, ...request }),
    async records() {
      expect(await serving.stop()).toMatchObject({ code: 0 })
      return (await logged(join(folder, 'logs'))) as unknown as readonly DecisionRecord[]
    },
    metric: async (name, labels = {}) => sampleOf(familiesOf((await get(`${url}/metrics`)).text), name, labels),
  }
}

const failedBy = (records: readonly DecisionRecord[]) => records.map(({ served, model }) => [served.by, model?.failure])

describe('a served policy that asks a Model', () => {
  it('decides by its scores, which are in the record and come out again, and says who it asks', async () => {
    const fake = models()
    const { decide, records, url, folder, metric, stop } = await start(fake)
    expect(fake.calls).toEqual([1, 8, 64])
    const { json } = await decide({ explain: true })
    expect(json.servedBy).toBe('policy')
    const explained = json.explanation.actions.map(({ id, value }: { id: string; value: number }) => [id, value])
    expect(explained).toEqual([
      ['none', Math.fround(0.03)],
      ['gold', Math.fround(0.08)],
      ['gem', Math.fround(0.12)],
    ])
    await decide({ context: { player: 'p1', level: 1 } })
    expect(fake.calls.slice(3)).toEqual([3, 2])
    const { json: described } = await get(`${url}/v1/policies/ranker`)
    expect(described.model).toMatchObject({ name: 'ctr', about: 'fake of ctr', heard: true, breaker: 'closed' })
    const labels = { model: 'ctr' }
    expect(await metric('dap_model_ready', labels)).toBe(1)
    expect(await metric('dap_model_breaker', labels)).toBe(0)
    expect(await metric('dap_model_seconds_count', labels)).toBe(2)
    expect(await metric('dap_model_batch_rows_sum', labels)).toBe(5)
    for (const reason of ['timeout', 'unreachable', 'answer', 'not-finite', 'open', 'input'])
      expect(await metric('dap_model_failures_total', { ...labels, reason })).toBe(0)
    const [first, second] = await records()
    expect(first.model).toEqual({ name: 'ctr', digest: described.model.digest, outputs: [0.03, 0.08, 0.12] })
    expect(second.model?.outputs).toEqual([0.01, 0.06])
    expect(fake.open.get('ctr')).toBe(0)
    await stop()
    expect(await dapIn(folder, 'log', 'check', 'logs')).toMatchObject({ code: 0 })
  })

  it.each([
    ['timeout', LATE],
    ['unreachable', REFUSED],
    ['not-finite', NAN],
    ['answer', EMPTY],
  ] as const)('serves and logs the fallback for every request while there are no scores: %s', async (reason, run) => {
    const fake = models()
    const { decide, records, ready, metric } = await start(fake)
    await decide()
    fake.run = run
    const failing = await Promise.all(Array.from({ length: 20 }, () => decide()))
    expect(new Set(failing.map(({ status, json }) => `${status} ${json.action} ${json.servedBy}`))).toEqual(
      new Set(['200 none fallback']),
    )
    // It has answered before: whoever sends requests gets fallbacks, and no server that is gone.
    expect(await ready()).toBe(200)
    const failures = await Promise.all(
      [reason, 'open'].map(each => metric('dap_model_failures_total', { model: 'ctr', reason: each })),
    )
    expect((failures[0] ?? 0) + (failures[1] ?? 0)).toBe(20)
    if (reason === 'unreachable') expect(await metric('dap_model_breaker', { model: 'ctr' })).toBeGreaterThanOrEqual(1)
    fake.run = SCORES
    await waitFor(async () => ((await decide()).json.servedBy === 'policy' ? true : undefined))
    const all = await records()
    const failed = failedBy(all).filter(([by]) => by === 'fallback')
    expect(failed.length).toBeGreaterThanOrEqual(20)
    expect(new Set(failed.map(([, why]) => why)).has(reason)).toBe(true)
    expect(failed.every(([, why]) => why === reason || why === 'open')).toBe(true)
    const ids = all.map(({ decisionId }) => decisionId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { json } of failing) expect(ids).toContain(json.decisionId)
  })

  it('is not ready before the Model has answered once, and decides by the fallback', async () => {
    const fake = models()
    fake.run = REFUSED
    const { decide, ready, url, metric } = await start(fake)
    expect(await ready()).toBe(503)
    expect((await get(`${url}/readyz`)).json.reasons).toEqual(['the model `ctr` has not answered yet'])
    expect((await decide()).json.servedBy).toBe('fallback')
    expect(await metric('dap_model_ready', { model: 'ctr' })).toBe(0)
    expect((await get(`${url}/v1/policies/ranker`)).json.model.heard).toBe(false)
    fake.run = SCORES
    await waitFor(async () => ((await ready()) === 200 ? true : undefined))
    await waitFor(async () => ((await decide()).json.servedBy === 'policy' ? true : undefined))
    expect(await metric('dap_model_ready', { model: 'ctr' })).toBe(1)
  })

  it('does not start without the model that runs in it', async () => {
    const fake = models()
    fake.missing = true
    await expect(start(fake)).rejects.toThrow('the Model `ctr` cannot be used: it is not there')
  })

  it('swaps Model and policy together, when the new one has answered; requests in flight end with the old one', async () => {
    const fake = models()
    const { decide, folder, ready, records, event, url } = await start(fake)
    const digest = async () => (await get(`${url}/v1/policies/ranker`)).json.model.digest
    const old = await digest()
    // The next model is not up yet.
    fake.run = REFUSED
    await writeFile(join(folder, 'models/ctr.yaml'), ctr().replace('model: ctr }', 'model: ctr2 }'))
    const told = await event('reload failed')
    expect(JSON.stringify(told)).toContain('the model `ctr` has not answered yet')
    expect(told['kept']).toEqual(['ranker'])
    expect([await ready(), await digest()]).toEqual([200, old])
    fake.run = SCORES
    expect(await waitFor(async () => ((await decide()).json.servedBy === 'policy' ? true : undefined))).toBe(true)
    await event('reload')
    await waitFor(async () => ((await digest()) === old ? undefined : true))
    await waitFor(() => (fake.open.get('ctr') === 0 ? true : undefined))
    expect([await ready(), fake.open.get('ctr2')]).toEqual([200, 1])
    expect((await decide()).json.servedBy).toBe('policy')
    const seen = new Set((await records()).map(({ model }) => model?.digest))
    expect(seen.size).toBe(2)
    expect(fake.open.get('ctr2')).toBe(0)
  })

  it('goes on with the Model that it has when new files of it, or of another policy, cannot be taken', async () => {
    const fake = models()
    const files = { ...FILES, 'policies/other.yaml': ranker('other') }
    const { decide, folder, event } = await start(fake, [], files)
    await writeFile(join(folder, 'policies/other.yaml'), 'kind: [')
    await event('reload failed')
    expect((await decide({ policy: 'ranker' })).json.servedBy).toBe('policy')
    expect((await decide({ policy: 'other' })).json.servedBy).toBe('policy')
    // What both share was opened once.
    expect(fake.opened).toEqual(['ctr'])
    await writeFile(join(folder, 'policies/other.yaml'), ranker('other'))
    fake.missing = true
    await writeFile(join(folder, 'models/ctr.yaml'), ctr().replace('model: ctr }', 'model: ctr2 }'))
    await waitFor(async () => (JSON.stringify(await event('reload failed')) !== '' ? true : undefined))
    expect((await decide({ policy: 'ranker' })).json.servedBy).toBe('policy')
    expect(fake.open.get('ctr')).toBe(1)
  })

  it('stays ready when files change while a Model that has answered is down', async () => {
    const fake = models()
    const { decide, folder, ready, event } = await start(fake)
    fake.run = REFUSED
    await writeFile(join(folder, 'policies/ranker.yaml'), ranker('ranker', '  evaluation: none\n'))
    await event('reload')
    expect(await ready()).toBe(200)
    expect((await decide()).json.servedBy).toBe('fallback')
  })

  it('does not ask for those who are held out, nor while its kill switch is thrown', async () => {
    const fake = models()
    const files = {
      ...FILES,
      'policies/ranker.yaml': ranker().replace(
        'minProbability: 0.01',
        'minProbability: 0.01, holdout: { fraction: 0.5, action: none }',
      ),
      'control.json': '{"killed":[]}',
    }
    const { decide, folder, event, records } = await start(fake, ['--control', 'control.json'], files)
    const players = Array.from({ length: 40 }, (_, i) => ({ context: { player: `p${i}` } }))
    const answers = await Promise.all(players.map(each => decide(each)))
    const out = answers.filter(({ json }) => json.servedBy === 'holdout')
    expect(out.length).toBeGreaterThan(5)
    expect(fake.calls.length).toBe(3 + 40 - out.length)
    await writeFile(join(folder, 'control.json'), '{"killed":["ranker"]}')
    await event('kill switch')
    const before = fake.calls.length
    await decide()
    expect(fake.calls.length).toBe(before)
    const unasked = (await records()).filter(({ served }) => served.by === 'holdout' || served.reason === 'kill-switch')
    expect(unasked.every(({ model }) => model === undefined)).toBe(true)
  })

  it('asks for each decision of a batch, of a flag and of Vertex AI', async () => {
    const fake = models()
    const { url, records } = await start(fake)
    const context = { player: 'p1' }
    const batch = await post(`${url}/v1/decide:batch`, {
      requests: [{ context }, { context: { ...context, level: 1 } }],
    })
    expect(batch.json.decisions.map(({ servedBy }: { servedBy: string }) => servedBy)).toEqual(['policy', 'policy'])
    const flag = await post(`${url}/ofrep/v1/evaluate/flags/ranker`, { context: { targetingKey: 'p1', level: 3 } })
    expect(flag.status).toBe(200)
    const flags = await post(`${url}/ofrep/v1/evaluate/flags`, { context: { targetingKey: 'p1', level: 3 } })
    expect(flags.status).toBe(200)
    const vertex = await post(`${url}/predict`, { instances: [{ context }, { context }] })
    expect(vertex.json.predictions.map(({ servedBy }: { servedBy: string }) => servedBy)).toEqual(['policy', 'policy'])
    expect(fake.calls.slice(3)).toEqual([3, 2, 3, 3, 3, 3])
    expect((await records()).map(({ model }) => model?.outputs?.length)).toEqual([3, 2, 3, 3, 3, 3])
  })

  it('decides once for an id, whatever the Model says the second time', async () => {
    const fake = models()
    const { decide, records } = await start(fake)
    const first = await decide({ decisionId: 'mine' })
    fake.run = NAN
    const again = await decide({ decisionId: 'mine' })
    expect(again.json).toEqual(first.json)
    expect((await records()).length).toBe(1)
  })

  it('learns online from what the Model gave, where that is a feature', async () => {
    const fake = models()
    const width = 2
    fake.run = async inputs => {
      const { rows, data } = inputs.get('x') as Tensor
      return new Map([['y', { rows, columns: width, data: Float32Array.from(data as Float32Array, x => x / 10) }]])
    }
    const files = {
      'policies/ranker.yaml': ranker()
        .replace('{ type: model, model: ctr }', '{ type: linear, shared: true }')
        .replace('{ type: squarecb } }', '{ type: thompson } }\n  features: [{ model: ctr }]'),
      'models/ctr.yaml': ctr('', `{ type: embedding, width: ${width} }`),
    }
    const { decide, url, metric, records } = await start(fake, ['--learn', '--publish', '1s', '--flush-ms', '1'], files)
    const { json } = await decide()
    await post(`${url}/v1/rewards`, { decisionId: json.decisionId, value: 1 })
    await waitFor(async () => ((await metric('dap_learner_publishes_total')) === 1 ? true : undefined))
    expect(await metric('dap_learner_decisions_total', { outcome: 'learnt' })).toBe(1)
    await waitFor(async () => ((await get(`${url}/v1/policies/ranker`)).json.snapshot === null ? undefined : true))
    expect((await decide()).json.servedBy).toBe('policy')
    const [first] = await records()
    expect(first.model?.outputs).toHaveLength(3 * width)
  })
})
