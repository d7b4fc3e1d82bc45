import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTokens, type TokenSource } from '../../../src/serve/door/tokens.ts'
import { CONTEXT, httpBench, twoPolicies } from '../http-support.ts'
import { NOW } from '../support.ts'

const sha256 = (token: string) => createHash('sha256').update(token).digest('hex')

/** Each token is called what it is for. */
const TOKENS = {
  all: { may: ['decide', 'reward', 'read', 'metrics'], policies: ['*'] },
  shop: { may: ['decide', 'reward', 'read'], policies: ['shop-offer', 'retired'] },
  rewards: { may: ['reward'], policies: ['*'] },
  prometheus: { may: ['metrics'], policies: ['*'] },
  brief: { may: ['decide'], policies: ['*'], expires: new Date(NOW + 1_000).toISOString() },
}

function source(tokens: object): TokenSource {
  const named = Object.entries(tokens).map(([name, entry]) => [name, { sha256: sha256(`${name}-secret`), ...entry }])
  const read = readTokens({ tokens: Object.fromEntries(named) })
  if ('faults' in read) throw new Error(JSON.stringify(read.faults))
  return read
}

const guarded = () => {
  const on = twoPolicies()
  const clock = { now: () => NOW + on.time, monotonic: () => on.time }
  return httpBench({
    on,
    parts: { tokens: source(TOKENS), clock, routes: { predict: '/predict', health: '/vertex/health' } },
  })
}

const by = (name: string) => ({ authorization: `Bearer ${name}-secret` })

const SHOP = { policy: 'shop-offer', context: CONTEXT }
const OTHER = { policy: 'other', context: CONTEXT }
const FLAGS = '/ofrep/v1/evaluate/flags'

/** Every route, with a good request; the words after it are the tokens that it takes, all of them. */
const ROUTES: readonly (readonly [
  method: 'GET' | 'POST' | 'HEAD',
  path: string,
  body: object | undefined,
  takes: readonly string[],
])[] = [
  ['POST', '/v1/decide', SHOP, ['all', 'shop', 'brief']],
  ['POST', '/v1/decide', OTHER, ['all', 'brief']],
  ['POST', '/v1/decide:batch', { requests: [SHOP] }, ['all', 'shop', 'brief']],
  ['POST', '/v1/decide:batch', { requests: [SHOP, OTHER] }, ['all', 'brief']],
  ['POST', '/predict', { instances: [SHOP] }, ['all', 'shop', 'brief']],
  ['POST', '/predict', { instances: [OTHER, SHOP] }, ['all', 'brief']],
  ['POST', `${FLAGS}/shop-offer`, { context: CONTEXT }, ['all', 'shop', 'brief']],
  ['POST', `${FLAGS}/other`, { context: CONTEXT }, ['all', 'brief']],
  ['POST', FLAGS, { context: CONTEXT }, ['all', 'shop', 'brief']],
  ['POST', '/v1/rewards', { decisionId: 'of-nobody', value: 1 }, ['all', 'shop', 'rewards']],
  ['POST', '/v1/activations', { activations: [{ decisionId: 'of-nobody' }] }, ['all', 'shop', 'rewards']],
  ['GET', '/v1/policies', undefined, ['all', 'shop']],
  ['HEAD', '/v1/policies', undefined, ['all', 'shop']],
  ['GET', '/v1/policies/shop-offer', undefined, ['all', 'shop']],
  ['GET', '/v1/policies/other', undefined, ['all']],
  ['GET', '/metrics', undefined, ['all', 'prometheus']],
  ['GET', '/healthz', undefined, Object.keys(TOKENS)],
  ['GET', '/readyz', undefined, Object.keys(TOKENS)],
  ['GET', '/vertex/health', undefined, Object.keys(TOKENS)],
]

describe('with tokens', () => {
  it.each(ROUTES)('%s %s %j takes those that are for it', async (method, url, payload, takes) => {
    const { app, bugs } = guarded()
    const probe = takes.length === Object.keys(TOKENS).length
    const statusOf = async (headers: Record<string, string>) =>
      (await app.inject({ method, url, payload, headers })).statusCode
    for (const name of Object.keys(TOKENS)) {
      const status = await statusOf(by(name))
      expect({ name, status }).toEqual({
        name,
        status: takes.includes(name) ? (url.startsWith('/v1/re') || url.startsWith('/v1/act') ? 202 : 200) : 403,
      })
    }
    for (const headers of [{}, by('nobody'), { authorization: 'Basic YTpi' }, { authorization: 'Bearer ' }]) {
      expect(await statusOf(headers)).toBe(probe ? 200 : 401)
    }
    expect(bugs).toEqual([])
  })

  it('everything that is no probe needs one', async () => {
    const { app } = guarded()
    await app.ready()
    const listed = new Set(ROUTES.map(([, path]) => path.replace('other', 'shop-offer')))
    const routes = app.printRoutes({ commonPrefix: false, includeMeta: false }).match(/\((GET|POST)/g)
    expect(routes?.length).toBe(listed.size)
  })

  it('a client is told how to show one, and that one has expired', async () => {
    const { post, bench } = guarded()
    const none = await post('/v1/decide', SHOP)
    expect(none).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="dap"' },
      json: { type: 'https://dap.dev/problems/unauthorized', detail: 'send `authorization: Bearer TOKEN`' },
    })
    expect(await post('/v1/decide', SHOP, { authorization: 'bearer brief-secret' })).toMatchObject({ status: 200 })
    bench.time = 1_000
    expect(await post('/v1/decide', SHOP, by('brief'))).toMatchObject({
      status: 401,
      json: { detail: 'the token has expired' },
    })
    expect(await post(FLAGS, { context: CONTEXT })).toMatchObject({ status: 401, json: { errorCode: 'GENERAL' } })
    expect(await post(`${FLAGS}/other`, { context: CONTEXT }, by('shop'))).toMatchObject({
      status: 403,
      json: { key: 'other', errorCode: 'GENERAL', errorDetails: 'the token `shop` is not for policy `other`' },
    })
  })

  it('a client sees only the policies of its own', async () => {
    const { post, get, bench } = guarded()
    const names = async (name: string) =>
      (await get('/v1/policies', by(name))).json.policies.map((p: { name: string }) => p.name)
    expect(await names('shop')).toEqual(['shop-offer'])
    expect(await names('all')).toEqual(['shop-offer', 'other'])
    const bulk = await post(FLAGS, { context: CONTEXT }, by('shop'))
    expect(bulk.json.flags.map((flag: { key: string }) => flag.key)).toEqual(['shop-offer'])
    expect(bench.decisions.map(({ policy }) => policy.name)).toEqual(['shop-offer'])
    const tag = String((await post(FLAGS, { context: CONTEXT }, by('all'))).headers['etag'])
    expect(await post(FLAGS, { context: CONTEXT }, { ...by('shop'), 'if-none-match': tag })).toMatchObject({
      status: 200,
    })
    for (const path of ['/v1/policies/retired', '/v1/policies/othr', `${FLAGS}/retired`]) {
      const { text } = path.startsWith('/v1') ? await get(path, by('shop')) : await post(path, {}, by('shop'))
      expect(text).not.toContain('`other`')
    }
    const retired = await post('/v1/decide', { policy: 'retired' }, by('shop'))
    expect(retired).toMatchObject({ status: 404, json: { detail: 'no policy `retired` is served' } })
  })

  it('nothing of a batch is done where one of its policies is not covered', async () => {
    const { post, bench } = guarded()
    expect(await post('/v1/decide:batch', { requests: [SHOP, OTHER] }, by('shop'))).toMatchObject({ status: 403 })
    await post('/v1/decide', { ...OTHER, decisionId: 'd1' }, by('all'))
    await post('/v1/decide', { ...SHOP, decisionId: 'd2' }, by('all'))
    const rewards = ['d2', 'd1'].map(decisionId => ({ decisionId, value: 1 }))
    expect(await post('/v1/rewards', { rewards }, by('shop'))).toMatchObject({
      status: 403,
      json: { detail: 'the token `shop` is not for policy `other`' },
    })
    expect(await post('/v1/activations', { decisionId: 'd1' }, by('shop'))).toMatchObject({ status: 403 })
    expect(bench.rewards).toEqual([])
    expect(await post('/v1/rewards', rewards[0], by('shop'))).toMatchObject({ status: 202 })
    expect(await post('/v1/rewards', { rewards }, by('rewards'))).toMatchObject({ status: 202 })
  })

  it('a request without a policy is about the only one that is served', async () => {
    const on = twoPolicies()
    on.policies.delete('shop-offer')
    const { post } = httpBench({ on, parts: { tokens: source(TOKENS) } })
    expect(await post('/v1/decide', { context: CONTEXT }, by('shop'))).toMatchObject({ status: 403 })
    expect(await post('/v1/decide', { context: CONTEXT }, by('all'))).toMatchObject({ status: 200 })
  })

  it('no token is in an answer, in the metrics or in a bug', async () => {
    const { post, get, bugs, metricsText } = guarded()
    const texts: string[] = []
    for (const name of [...Object.keys(TOKENS), 'nobody']) {
      for (const answer of [
        await post('/v1/decide', {}, by(name)),
        await post(FLAGS, {}, by(name)),
        await get('/metrics', by(name)),
      ]) {
        texts.push(answer.text, JSON.stringify(answer.headers))
      }
    }
    const all = [...texts, await metricsText(), JSON.stringify(bugs)].join('\n')
    expect(all).not.toContain('-secret')
    expect(all).not.toContain(sha256('all-secret'))
  })
})

describe('a file of tokens', () => {
  const good = { sha256: sha256('a'), may: ['decide'], policies: ['*'] }

  it.each<[object | string, string]>([
    ['tokens', 'the file must have `tokens`'],
    [{ tokens: [] }, 'the file must have `tokens`'],
    [{ tokens: {}, tokns: {} }, 'tokns: this is not a field; did you mean `tokens`?'],
    [{ tokens: { 'a b': good } }, 'tokens/a b: a name must be of letters'],
    [{ tokens: { a: 'hunter2' } }, 'tokens/a: a token must be a mapping'],
    [{ tokens: { a: { ...good, token: 'hunter2' } } }, 'tokens/a/token: this is not a field; the fields are sha256'],
    [{ tokens: { a: { ...good, polices: [] } } }, 'did you mean `policies`?'],
    [{ tokens: { a: { ...good, sha256: 'hunter2' } } }, 'tokens/a/sha256: `sha256` must be the 64 hex digits'],
    [{ tokens: { a: good, b: good } }, 'tokens/b/sha256: another name has the same token'],
    [{ tokens: { a: { ...good, may: 'decide' } } }, 'tokens/a/may: `may` must be a list'],
    [{ tokens: { a: { ...good, may: [] } } }, 'tokens/a/may: `may` must be a list'],
    [
      { tokens: { a: { ...good, may: ['decide', 'hunter2'] } } },
      'tokens/a/may/1: an item of `may` must be a known word',
    ],
    [{ tokens: { a: { ...good, policies: undefined } } }, 'tokens/a/policies: `policies` must be a list'],
    [{ tokens: { a: { ...good, expires: '2027-06-30' } } }, 'tokens/a/expires: `expires` must be a time'],
    [{ tokens: { a: { ...good, expires: '2027-13-30T00:00:00Z' } } }, 'tokens/a/expires'],
    [{ tokens: Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`t${i}`, good])) }, 'more than 1000'],
  ])('with a fault is told of it: %j', (value, told) => {
    const read = readTokens(value)
    const faults = 'faults' in read ? read.faults : []
    expect(faults.map(({ path, message, hint }) => `${path.join('/')}: ${message}; ${hint}`).join('\n')).toContain(told)
    expect(faults.map(({ message, hint }) => message + hint).join()).not.toContain('hunter2')
  })

  it('finds a token by all of its hash', () => {
    for (const at of [8, 9, 40, 63]) {
      const digits = sha256('a').split('')
      digits[at] = digits[at] === '0' ? '1' : '0'
      const read = readTokens({ tokens: { a: { ...good, sha256: digits.join('') } } })
      expect('table' in read && read.table.find('a')).toBeUndefined()
    }
  })

  it('finds the token that was shown, and no other', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(names, fc.string(), (all, stranger) => {
        const { table } = source(Object.fromEntries(all.map(name => [name, { may: ['read'], policies: ['p'] }])))
        for (const name of all) expect(table.find(`${name}-secret`)?.name).toBe(name)
        expect(table.find(stranger)).toBeUndefined()
        expect(table.size).toBe(all.length)
      }),
      { numRuns: 30 },
    )
  })
})
