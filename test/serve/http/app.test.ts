import { describe, expect, it } from 'vitest'
import { openapi } from '../../../src/generated/openapi.js'
import { problemOf } from '../../../src/serve/problems.ts'
import { CONTEXT, httpBench, twoPolicies } from '../http-support.ts'
import { bench, served } from '../support.ts'

/** Keywords of a schema that no value breaks, or that ajv tells by others. */
const SAYS_NOTHING = new Set(['description', 'examples', 'items', 'oneOf', 'example', 'default', 'title'])

interface Posted {
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: unknown } } }
}

const pointers = ({ json }: { json: { errors?: { pointer: string; detail: string }[] } }) =>
  json.errors?.map(({ pointer, detail }) => `${pointer} ${detail}`)

describe('POST /v1/decide', () => {
  it('answers with a decision, and logs it', async () => {
    const { post, bench } = httpBench()
    const { status, type, json } = await post('/v1/decide', { context: CONTEXT, decisionId: 'd1' })
    expect({ status, type }).toEqual({ status: 200, type: 'application/json; charset=utf-8' })
    expect(json).toMatchObject({ decisionId: 'd1', policy: { name: 'shop-offer' }, servedBy: 'policy' })
    expect(bench.decisions).toMatchObject([{ decisionId: 'd1', slots: [{ propensity: json.propensity }] }])
  })

  it('takes the id from `Idempotency-Key`, and answers the same again', async () => {
    const { post, bench } = httpBench()
    const key = { 'idempotency-key': 'k1' }
    const first = await post('/v1/decide', { context: CONTEXT }, key)
    expect(first.json.decisionId).toBe('k1')
    expect((await post('/v1/decide', { context: CONTEXT }, key)).json).toEqual(first.json)
    expect(bench.decisions).toHaveLength(1)
    const other = await post('/v1/decide', { context: { ...CONTEXT, level: 1 } }, key)
    expect(other).toMatchObject({ status: 409, json: { type: 'https://dap.dev/problems/conflict' } })
    expect(await post('/v1/decide', { decisionId: 'k2' }, key)).toMatchObject({ status: 400 })
    expect(await post('/v1/decide', {}, { 'idempotency-key': 'k'.repeat(129) })).toMatchObject({ status: 400 })
  })

  it('names every fault of the body at its pointer', async () => {
    const { post } = httpBench()
    const shape = await post('/v1/decide', { contxt: {}, policy: 7, decisionId: '' })
    expect(shape).toMatchObject({ status: 400, type: 'application/problem+json; charset=utf-8' })
    expect(pointers(shape)?.sort()).toEqual([
      '/contxt is not a field; did you mean `context`?',
      '/decisionId must have at least 1 character',
      '/policy must be string',
    ])
    const context = await post('/v1/decide', { context: { level: 0, platform: 'tv', 'a/b~c': 1 } })
    expect(pointers(context)).toEqual([
      '/context/a~1b~0c is not a field of this policy',
      '/context/playerId is missing and has no default',
      '/context/level must be at least 1',
      '/context/platform must be one of ios, android',
    ])
    expect(pointers(await post('/v1/decide', '{"policy":"a","policy":"b","context":{"level":1,"level":2}}'))).toEqual([
      '/policy is there more than once',
      '/context/level is there more than once',
    ])
    expect(pointers(await post('/v1/decide', '{"decisionId":"s\\ud800"}'))).toEqual([
      '/decisionId has half of a surrogate pair',
    ])
    expect(pointers(await post('/v1/decide', { context: [] }))).toEqual(['/context must be object or null'])
    expect(pointers(await post('/v1/decide', '7'))).toEqual([' must be object'])
  })

  it.each([
    ['{"context":{"level":5},}', 'unexpected "}" at line 1, column 24'],
    ['{\n  "a": tru }', 'unexpected "t" at line 2, column 8'],
    ['{"a":1', 'it ends too early, at line 1, column 7'],
    ['', 'it ends too early, at line 1, column 1'],
    ['{"a":"\u0001"}', 'unexpected "\\"" at line 1, column 6'],
    ['{"a":01}', 'unexpected "1" at line 1, column 7'],
    ['[1,]', 'unexpected "]" at line 1, column 4'],
    ['{"a":1}}', 'unexpected "}" at line 1, column 8'],
    ["{'a':1}", 'unexpected "\'" at line 1, column 2'],
  ])('says where %j stops being JSON', async (body, where) => {
    const { json, status } = await httpBench().post('/v1/decide', body)
    expect({ status, detail: json.detail }).toEqual({ status: 400, detail: `the body is not JSON: ${where}` })
  })

  it('wants the name of a policy where there are several', async () => {
    const { post } = httpBench({ on: twoPolicies() })
    expect(pointers(await post('/v1/decide', { context: CONTEXT }))).toEqual([
      '/policy is needed: 2 policies are served here',
    ])
    expect(await post('/v1/decide', { policy: 'shop-ofer' })).toMatchObject({ status: 404 })
    expect(await post('/v1/decide', { policy: 'other', context: CONTEXT })).toMatchObject({ status: 200 })
  })

  it('names what is wrong with the shape, the context and the actions at once, each place once', async () => {
    const learner = { type: 'linear', l2: 1, intercept: true, shared: true } as const
    const algorithm = { learner, exploration: { type: 'thompson', scale: 1 } } as const
    const actions = { from: 'request', max: 2, features: { price: { type: 'number' } } } as const
    const on = bench([served({ actions, features: [{ action: 'price' }], algorithm })])
    const body = {
      contxt: 1,
      deferActivation: 'yes',
      baseline: '',
      exclude: Array.from({ length: 1001 }, () => 'x'),
      context: { ...CONTEXT, level: 0 },
      actions: [
        { id: 'a', features: { price: '1' } },
        { id: 'b', feature: 1, features: { price: 1 } },
      ],
    }
    const faults = [
      '/contxt is not a field; did you mean `context`?',
      '/actions/1/feature is not a field; did you mean `features`?',
      '/exclude must have at most 1,000 items',
      '/baseline must have at least 1 character',
      '/deferActivation must be boolean',
      '/context/level must be at least 1',
      '/actions/0/features/price must be a finite number, not a string',
    ]
    const { post } = httpBench({ on })
    expect(pointers(await post('/v1/decide', body))).toEqual(faults)
    const batch = await post('/v1/decide:batch', { requests: [5, body] })
    expect(pointers(batch)).toEqual(['/requests/0 must be object', ...faults.map(fault => `/requests/1${fault}`)])
    expect(pointers(await post('/v1/decide', { policy: 5, contxt: 1 }))).toEqual([
      '/contxt is not a field; did you mean `context`?',
      '/policy must be string',
    ])
    expect(pointers(await post('/v1/decide:batch', { requests: 5 }))).toEqual(['/requests must be array'])
  })

  it('has words of its own for every limit that a request can break', () => {
    const keywords = new Set<string>()
    const walk = (schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null) return
      for (const [keyword, value] of Object.entries(schema)) {
        if (keyword === '$ref') walk(openapi.components.schemas[String(value).split('/').at(-1) as string])
        else if (keyword === 'properties') for (const each of Object.values(value)) walk(each)
        else {
          if (!SAYS_NOTHING.has(keyword)) keywords.add(keyword)
          if (keyword === 'items' || keyword === 'oneOf') for (const each of [value].flat()) walk(each)
        }
      }
    }
    for (const { post } of Object.values(openapi.paths) as { readonly post?: Posted }[]) {
      walk(post?.requestBody?.content['application/json'].schema)
    }
    expect(keywords.size).toBeGreaterThan(5)
    for (const keyword of keywords) {
      const validation = [{ keyword, instancePath: '/a', schemaPath: '', params: { limit: 3, message: 'NOT' } }]
      expect(problemOf({ validation })?.errors?.[0].detail, keyword).not.toMatch(/NOT|is not valid/)
    }
  })

  it('explains when it is asked to', async () => {
    const { json } = await httpBench().post('/v1/decide', { context: CONTEXT, explain: true })
    expect(json.explanation.actions.map((action: { id: string }) => action.id)).toEqual([
      'none',
      'gold-small',
      'bundle-mid',
    ])
  })

  it('refuses while nothing can be logged, and says when to try again', async () => {
    const { post, bench } = httpBench()
    bench.admission = 0
    const answer = await post('/v1/decide', { context: CONTEXT })
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, json: { status: 503 } })
  })
})

describe('batches', () => {
  it('are decided in order', async () => {
    const { post, bench } = httpBench()
    const requests = ['a', 'b', 'c'].map(decisionId => ({ decisionId, context: CONTEXT }))
    const { status, json } = await post('/v1/decide:batch', { requests })
    expect(status).toBe(200)
    expect(json.decisions.map((d: { decisionId: string }) => d.decisionId)).toEqual(['a', 'b', 'c'])
    expect(bench.decisions).toHaveLength(3)
  })

  it('are all or none, with the pointers of the body that was sent', async () => {
    const { post, bench } = httpBench()
    const requests = [{ context: CONTEXT }, { context: { ...CONTEXT, level: 0 } }]
    const batch = await post('/v1/decide:batch', { requests })
    expect(batch.json.detail).toBe('/requests/1/context/level must be at least 1')
    expect(pointers(batch)).toEqual(['/requests/1/context/level must be at least 1'])
    expect(pointers(await post('/predict', { instances: requests }))).toEqual([
      '/instances/1/context/level must be at least 1',
    ])
    expect(pointers(await post('/v1/decide:batch', { requests: [{ ctx: 1 }] }))).toEqual([
      '/requests/0/ctx is not a field',
    ])
    expect(bench.decisions).toEqual([])
  })

  it('are refused when they are too long', async () => {
    const { post, bench } = httpBench({ limits: { batch: 2 } })
    const requests = Array.from({ length: 3 }, () => ({ context: CONTEXT }))
    expect(await post('/v1/decide:batch', { requests })).toMatchObject({ status: 413 })
    const rewards = requests.map(() => ({ decisionId: 'a', value: 1 }))
    expect(pointers(await post('/v1/rewards', { rewards }))).toEqual(['/rewards must have at most 2 items'])
    expect([bench.decisions, bench.rewards]).toEqual([[], []])
  })

  it('come from Vertex AI as instances, with parameters that are not read', async () => {
    const { post } = httpBench()
    const { status, json } = await post('/predict', { instances: [{ context: CONTEXT }], parameters: { a: 1 } })
    expect({ status, count: json.predictions.length }).toEqual({ status: 200, count: 1 })
  })
})

describe('rewards and activations', () => {
  it('come one at a time or in lists', async () => {
    const { post, bench } = httpBench()
    expect(await post('/v1/rewards', { decisionId: 'd1', value: 1 })).toMatchObject({
      status: 202,
      json: { accepted: 1 },
    })
    const rewards = [
      { decisionId: 'd1', value: 0, rewardId: 'r1', name: 'purchase', slot: 0 },
      { decisionId: 'd2', value: 1, ts: '2026-11-22T18:15:53+01:00' },
    ]
    expect(await post('/v1/rewards', { rewards })).toMatchObject({ status: 202, json: { accepted: 2 } })
    expect(await post('/v1/activations', { decisionId: 'd1' })).toMatchObject({ status: 202 })
    expect(await post('/v1/activations', { activations: [{ decisionId: 'd2' }] })).toMatchObject({ status: 202 })
    expect(bench.rewards.map(({ decisionId, kind }) => [decisionId, kind])).toEqual([
      ['d1', undefined],
      ['d1', undefined],
      ['d2', undefined],
      ['d1', 'activation'],
      ['d2', 'activation'],
    ])
  })

  it('have faults where they were sent', async () => {
    const { post, bench } = httpBench()
    expect(pointers(await post('/v1/rewards', { decisionId: 'd1' }))).toEqual(['/value is missing'])
    expect(pointers(await post('/v1/rewards', { rewards: [{ value: 1 }, { decisionId: 'd', value: '1' }] }))).toEqual([
      '/rewards/0/decisionId is missing',
      '/rewards/1/value must be number',
    ])
    expect(pointers(await post('/v1/rewards', { decisionId: 'd', value: 1, ts: 'now' }))).toEqual([
      '/ts must be an RFC 3339 time, such as 2026-11-22T18:15:53Z',
    ])
    expect(pointers(await post('/v1/rewards', '[]'))).toEqual([' must be object'])
    await post('/v1/decide', { decisionId: 'mine', context: CONTEXT })
    const binary = await post('/v1/rewards', { decisionId: 'mine', value: 2 })
    expect(pointers(binary)?.[0]).toMatch(/^\/value is outside the range: `purchase` is binary: 0 or 1$/)
    expect(binary.json.detail).toMatch(/^\/value is outside/)
    expect(bench.rewards).toEqual([])
  })
})

describe('what is served', () => {
  it('is listed and described', async () => {
    const { get, bench } = httpBench({ on: twoPolicies() })
    bench.killed.add('other')
    const { json } = await get('/v1/policies')
    expect(json.policies).toMatchObject([
      { name: 'shop-offer', mode: 'online', killed: false, snapshot: null },
      { name: 'other', killed: true },
    ])
    const one = await get('/v1/policies/shop-offer')
    expect(one.json).toMatchObject({
      unit: 'playerId',
      actions: [{ id: 'none' }, { id: 'gold-small' }, { id: 'bundle-mid' }],
      context: { required: ['playerId', 'platform'], additionalProperties: false },
    })
    expect((await get('/v1/policies/shop-ofer')).json).toMatchObject({
      status: 404,
      detail: 'did you mean `shop-offer`?',
    })
  })

  it('is ready while there is no reason against it', async () => {
    const { get, unready } = httpBench({ parts: { routes: { predict: '/p', health: '/vertex/health' } } })
    expect(await get('/readyz')).toMatchObject({ status: 200, json: { ready: true, reasons: [] } })
    unready.push('no policy is loaded')
    for (const path of ['/readyz', '/vertex/health']) {
      expect(await get(path)).toMatchObject({ status: 503, json: { ready: false, reasons: ['no policy is loaded'] } })
    }
    expect(await get('/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } })
  })

  it('shares a health route that Vertex AI chose as one that is there already', async () => {
    const { get } = httpBench({ parts: { routes: { predict: '/predict', health: '/healthz' } } })
    expect(await get('/healthz')).toMatchObject({ status: 200 })
  })
})

describe('requests to nowhere', () => {
  it('are told what was perhaps meant, or which methods there are', async () => {
    const { get, post } = httpBench()
    expect(await post('/v1/decid?secret=1', {})).toMatchObject({
      status: 404,
      json: { detail: 'did you mean `/v1/decide`?' },
    })
    expect(await get('/v1/decide:batch')).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(await post('/v1/policies/shop-offer', {})).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
    expect(await get('/%zz')).toMatchObject({ status: 404 })
    expect(await get('/../../etc/passwd')).toMatchObject({ status: 404 })
  })

  it('are refused with another content type', async () => {
    const { post } = httpBench()
    for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded']) {
      expect(await post('/v1/decide', 'a=1', { 'content-type': type })).toMatchObject({
        status: 415,
        json: { status: 415 },
      })
    }
    expect(
      await post('/v1/decide', { context: CONTEXT }, { 'content-type': 'application/json; charset=utf-8' }),
    ).toMatchObject({
      status: 200,
    })
  })
})

describe('a bug', () => {
  it('is a 500 that tells nothing but an id, under which it is reported', async () => {
    const bench = twoPolicies()
    const broken = { ...bench.engine, decide: () => raise('/home/secret/path') }
    const { post, bugs } = httpBench({ on: bench, parts: { engine: broken } })
    const answer = await post('/v1/decide', { policy: 'other' })
    expect(answer).toMatchObject({ status: 500, json: { detail: 'the server has logged it under bug-0' } })
    expect(answer.text).not.toContain('secret')
    expect(bugs).toMatchObject([{ id: 'bug-0', error: { message: '/home/secret/path' } }])
  })
})

describe('GET /metrics', () => {
  it('counts what happened, by label', async () => {
    const { get, post, metrics } = httpBench()
    await post('/v1/decide', { context: CONTEXT })
    await post('/v1/decide', '{')
    await get('/nowhere')
    const { observer } = metrics
    for (const latencyUs of [1_500, 2_500]) observer.decided('p', 'holdout', 'none', latencyUs)
    observer.agreed('p', false)
    observer.shed('p')
    observer.repeated('decision', true)
    observer.rewarded('activation')
    const { text, type } = await get('/metrics')
    expect(type).toContain('text/plain')
    expect(text).toContain('dap_decisions_total{policy="p",served_by="holdout",action="none"} 2')
    expect(text).toContain('dap_decision_duration_seconds_bucket{le="0.0025"} 2')
    expect(text).toContain('dap_agreement_total{policy="p",agrees="false"} 1')
    expect(text).toContain('dap_log_shed_total{policy="p"} 1')
    expect(text).toContain('dap_repeated_total{kind="decision",conflict="true"} 1')
    expect(text).toContain('dap_rewards_total{kind="activation"} 1')
    expect(metrics.totals).toEqual({ decisions: 2, rewards: 1 })
    expect(text).toContain('dap_http_requests_total{route="/v1/decide",status="200"} 1')
    expect(text).toContain('dap_http_requests_total{route="/v1/decide",status="400"} 1')
    expect(text).toContain('dap_http_requests_total{route="none",status="404"} 1')
    expect(text).toContain('dap_log_records_total{stream="decisions"} 5')
    expect(text).toContain('dap_log_failures_total 3')
    expect(text).toContain('dap_log_queue_bytes 7')
    expect(text).toContain('dap_ready 1')
    expect(text).toContain('dap_policy_info{policy="shop-offer",digest="sha256:test",snapshot=""} 1')
    expect(text).toContain('process_cpu_seconds_total')
  })
})

function raise(message: string): never {
  throw new Error(message)
}
