import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { virtualClock } from '../../../src/emulator/clock.ts'
import { type EmulatorOptions, startEmulator } from '../../../src/emulator/emulator.ts'
import { vertexClients } from '../../support/vertex-clients.ts'
import { type Behaviour, deploy, echo, FAST, PARENT, servers } from '../deployed.ts'

async function emulated(behave: Behaviour = echo, options: Partial<EmulatorOptions> & { fallback?: boolean } = {}) {
  const { fallback, ...rest } = options
  const emulator = await startEmulator({ port: 0, seed: 3, timing: FAST, servers: () => servers(behave), ...rest })
  onTestFinished(() => emulator.stop())
  const clients = await vertexClients(emulator.port, { fallback })
  onTestFinished(() => clients.close())
  const post = (verb: string, body: string | Buffer, type = 'application/json') =>
    fetch(`${emulator.url}/v1/${PARENT}/endpoints/shop:${verb}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: new Uint8Array(Buffer.from(body)),
    })
  return { emulator, clients, post }
}

const INSTANCES = [{ context: { playerId: 'p1', level: 3.5, vip: true, tags: ['a', null], nested: { deep: [] } } }, {}]

describe.each([
  ['gRPC', false],
  ['REST', true],
])('a prediction over %s', (_, fallback) => {
  it('passes every kind of JSON to the server and back, and says who answered', async () => {
    const { clients } = await emulated(echo, { fallback })
    const { endpoint, model } = await deploy(clients, { traffic: { '11': 100 } })
    expect(await clients.predict(endpoint, INSTANCES)).toEqual({
      predictions: INSTANCES,
      deployedModelId: '11',
      model: model.replace(/@.*/, ''),
      modelVersionId: '1',
      modelDisplayName: 'Shop model',
    })
  })

  it('is UNAVAILABLE, FAILED or what the server said, by a code', async () => {
    let answer: ReturnType<Behaviour> = { status: 503, body: 'overloaded' }
    const { clients, emulator } = await emulated(() => answer, { fallback })
    const { endpoint } = await deploy(clients, { traffic: { '11': 100 } })
    const fails = async (code: number, text: string) =>
      expect(clients.predict(endpoint, [{}])).rejects.toMatchObject({ code, message: expect.stringContaining(text) })
    await fails(14, 'overloaded')
    answer = { status: 422, body: 'no such field' }
    await fails(3, 'no such field')
    answer = { body: '{"answers": []}' }
    await fails(13, '`predictions`')
    answer = { body: '{"predictions": [1]}' }
    emulator.faults.add({ on: 'Predict', fault: 'quota' })
    await fails(8, 'Quota')
    expect((await clients.predict(endpoint, [{}])).predictions).toEqual([1])
  })
})

describe('an endpoint', () => {
  it('splits predictions as its traffic says, over either wire', async () => {
    const { clients, post } = await emulated()
    const { endpoint } = await deploy(clients, { traffic: { '11': 90, '12': 10 } })
    const counts: Record<string, number> = { '11': 0, '12': 0 }
    for (let i = 0; i < 3000; i += 100) {
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, j) =>
          (i + j) % 3 === 0
            ? clients.predict(endpoint, [{}])
            : post('predict', '{"instances": [{}]}').then(
                answer => answer.json() as Promise<{ deployedModelId: string }>,
              ),
        ),
      )
      for (const { deployedModelId } of answers) counts[deployedModelId]++
    }
    // Four standard deviations of a binomial; the draws are those of the seed.
    expect(counts['11'] + counts['12']).toBe(3000)
    expect(Math.abs(counts['12'] - 300)).toBeLessThan(4 * Math.sqrt(3000 * 0.1 * 0.9))
  })

  it('refuses what is too large for it: 1.5 MB, or 10 MB where it is dedicated', async () => {
    const bodyOf = (bytes: number) => `{"instances":["${'x'.repeat(bytes - '{"instances":[""]}'.length)}"]}`
    const shared = await emulated()
    await deploy(shared.clients, { traffic: { '11': 100 } })
    expect((await shared.post('predict', bodyOf(1_500_000))).status).toBe(200)
    const refused = await shared.post('predict', bodyOf(1_500_001))
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { status: 'INVALID_ARGUMENT' } }])

    const dedicated = await emulated()
    await deploy(dedicated.clients, { traffic: { '11': 100 }, endpoint: { dedicatedEndpointEnabled: true } })
    expect((await dedicated.post('predict', bodyOf(10_000_000))).status).toBe(200)
    expect((await dedicated.post('predict', bodyOf(10_000_001))).status).toBe(400)
  })

  it('waits as long for a server as its inference timeout says', async () => {
    const { clients } = await emulated(() => 'hang')
    const { endpoint } = await deploy(clients, {
      traffic: { '11': 100 },
      endpoint: { dedicatedEndpointEnabled: true, clientConnectionConfig: { inferenceTimeout: { seconds: 1 } } },
    })
    await expect(clients.predict(endpoint, [{}])).rejects.toMatchObject({ code: 4 })
  })

  it('passes raw predictions through, and names the model in headers', async () => {
    const { clients, post } = await emulated(body => ({ body: `<${body}>` }))
    const { endpoint } = await deploy(clients, { traffic: { '11': 100 } })
    const answer = await post('rawPredict', 'any text', 'text/plain')
    expect([answer.status, await answer.text()]).toEqual([200, '<any text>'])
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/plain',
      'x-vertex-ai-deployed-model-id': '11',
      'x-vertex-ai-endpoint-id': 'shop',
    })
    const [body] = await clients.predictions.rawPredict({
      endpoint,
      httpBody: { contentType: 'text/plain', data: Buffer.from('grpc') },
    })
    expect(Buffer.from(body.data as Uint8Array).toString()).toBe('<grpc>')
  })

  it('logs the share of requests that it is asked to, as rows of the table', async () => {
    const data = await mkdtemp(join(tmpdir(), 'dap-emulator-test-'))
    onTestFinished(() => rm(data, { recursive: true, force: true }))
    const { clients, post, emulator } = await emulated(echo, { data })
    const { endpoint } = await deploy(clients, {
      traffic: { '11': 100 },
      endpoint: {
        predictRequestResponseLoggingConfig: {
          enabled: true,
          samplingRate: 0.5,
          bigqueryDestination: { outputUri: 'bq://demo.logs.shop' },
        },
      },
    })
    for (let i = 0; i < 400; i++) await post('predict', `{"instances": [{"i": ${i}}]}`)
    await emulator.stop()
    const lines = (await readFile(join(data, 'request-log', 'demo.logs.shop.jsonl'), 'utf8')).trimEnd().split('\n')
    const rows = lines.map(line => JSON.parse(line) as Record<string, unknown>)
    expect(Math.abs(rows.length - 200)).toBeLessThan(4 * Math.sqrt(400 * 0.25))
    expect(rows[0]).toEqual({
      endpoint,
      deployed_model_id: '11',
      logging_time: expect.stringMatching(/^\d{4}-.*Z$/),
      request_id: expect.stringMatching(/^\d+$/),
      request_payload: [expect.stringMatching(/^{"i":\d+}$/)],
      response_payload: rows[0]['request_payload'],
    })
    expect(new Set(rows.map(row => row['request_id'])).size).toBe(rows.length)
  })
})

describe('the metrics of predictions', () => {
  it('count answers, errors and latencies of each deployed model, after the lag', async () => {
    const clock = virtualClock(Date.UTC(2026, 10, 23, 12))
    let fine = true
    const { clients, emulator, post } = await emulated(
      body => (fine ? (echo(body, {} as never) as { body: string }) : { status: 500, body: 'no' }),
      { clock, metricsLagMs: 120_000 },
    )
    const deploying = deploy(clients, { traffic: { '11': 100 } })
    let done = false
    deploying.finally(() => {
      done = true
    })
    while (!done) {
      await clock.advance(10)
      await new Promise(next => setTimeout(next, 5))
    }
    await deploying
    const start = clock.now()
    for (let i = 0; i < 7; i++) await post('predict', '{"instances": [{}]}')
    await clock.advance(61_000)
    fine = false
    for (let i = 0; i < 3; i++) await post('predict', '{"instances": [{}]}')

    const series = async (
      metric: string,
      more = '',
      query: Readonly<Record<string, string>> = {},
      project = 'demo',
    ) => {
      const filter = `metric.type = "aiplatform.googleapis.com/prediction/online/${metric}" AND resource.labels.endpoint_id="shop"${more}`
      const asked = new URLSearchParams({
        filter,
        'interval.startTime': new Date(start).toISOString(),
        'interval.endTime': new Date(start + 120_000).toISOString(),
        ...query,
      })
      const answer = await fetch(`${emulator.url}/v3/projects/${project}/timeSeries?${asked}`)
      return (
        ((await answer.json()) as { timeSeries?: { metric: object; points: { value: unknown }[] }[] }).timeSeries ?? []
      )
    }
    expect(await series('response_count')).toEqual([])
    await clock.advance(180_000)

    const counts = await series('response_count')
    expect(counts.map(({ metric, points }) => ({ metric, values: points.map(({ value }) => value) }))).toEqual([
      {
        metric: {
          type: 'aiplatform.googleapis.com/prediction/online/response_count',
          labels: { deployed_model_id: '11', response_code: '200' },
        },
        values: [{ int64Value: '7' }],
      },
      {
        metric: expect.objectContaining({ labels: { deployed_model_id: '11', response_code: '500' } }),
        values: [{ int64Value: '3' }],
      },
    ])
    const aligned = { 'aggregation.alignmentPeriod': '600s', 'aggregation.perSeriesAligner': 'ALIGN_DELTA' }
    expect((await series('error_count', ' AND metric.labels.deployed_model_id = "11"', aligned))[0].points).toEqual([
      {
        interval: { startTime: new Date(start).toISOString(), endTime: new Date(start + 120_000).toISOString() },
        value: { int64Value: '3' },
      },
    ])
    expect(await series('error_count', ' AND metric.labels.deployed_model_id = "12"')).toEqual([])
    expect(await series('error_count', '', aligned, 'another')).toEqual([])
    const [{ points }] = await series('prediction_latencies', '', aligned)
    const { count, bucketCounts } = (
      points[0].value as { distributionValue: { count: string; bucketCounts: string[] } }
    ).distributionValue
    expect([count, bucketCounts.reduce((sum, each) => sum + Number(each), 0)]).toEqual(['10', 10])
  })
})
