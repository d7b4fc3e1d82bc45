import { describe, expect, it } from 'vitest'
import { CONTEXT, type HttpOptions, httpBench } from '../http-support.ts'

const SHOP = 'https://shop.example'

const withOrigins = (corsOrigins: readonly string[], options: HttpOptions = {}) =>
  httpBench({ ...options, parts: { corsOrigins, ...options.parts } })

/** What a browser asks before it lets a page send JSON. */
async function preflight(corsOrigins: readonly string[], url: string, origin: string = SHOP, method = 'POST') {
  const { app } = withOrigins(corsOrigins)
  const headers = {
    origin,
    'access-control-request-method': method,
    'access-control-request-headers': 'authorization,content-type,idempotency-key',
  }
  return app.inject({ method: 'OPTIONS', url, headers })
}

describe('a page of another origin', () => {
  it.each([
    ['/v1/decide', 'POST'],
    ['/v1/decide:batch', 'POST'],
    ['/ofrep/v1/evaluate/flags/shop-offer', 'POST'],
    ['/v1/policies', 'GET, HEAD'],
    ['/healthz', 'GET, HEAD'],
  ])('may ask %s where its origin is allowed', async (url, methods) => {
    const answer = await preflight(['https://other.example', SHOP], url)
    expect(answer.statusCode).toBe(204)
    expect(answer.body).toBe('')
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': SHOP,
      'access-control-allow-methods': methods,
      'access-control-allow-headers': expect.stringMatching(
        /authorization.*content-type.*idempotency-key.*if-none-match/,
      ),
      'access-control-max-age': '7200',
      vary: 'origin',
    })
  })

  it('of any origin may where all are allowed, and no cache need tell them apart', async () => {
    const { headers, statusCode } = await preflight(['*'], '/v1/decide', 'null')
    expect(statusCode).toBe(204)
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*' })
    expect(headers).not.toHaveProperty('vary')
  })

  it('may not where it is not allowed, or where nobody is, or where there is nothing', async () => {
    const other = await preflight(['https://other.example'], '/v1/decide')
    expect(other).toMatchObject({ statusCode: 405, headers: { allow: 'POST', vary: 'origin' } })
    const nobody = await preflight([], '/v1/decide')
    expect(nobody).toMatchObject({ statusCode: 405, headers: { allow: 'POST' } })
    for (const { headers } of [other, nobody]) expect(Object.keys(headers).join()).not.toContain('access-control')
    expect(await preflight([SHOP], '/v1/decid')).toMatchObject({ statusCode: 404 })
  })

  it('can read every answer: what was decided, what was refused, and when to come back', async () => {
    const { post, get, bench, bugs } = withOrigins([SHOP])
    const headers = { origin: SHOP }
    const allowed = { 'access-control-allow-origin': SHOP, vary: 'origin' }
    expect(await post('/v1/decide', { context: CONTEXT }, headers)).toMatchObject({ status: 200, headers: allowed })
    expect(await post('/v1/decide', '{', headers)).toMatchObject({ status: 400, headers: allowed })
    expect(await post('/v1/decide', '', { ...headers, 'content-encoding': 'gzip' })).toMatchObject({
      status: 415,
      headers: allowed,
    })
    expect(await get('/nowhere', headers)).toMatchObject({ status: 404, headers: allowed })
    const bulk = await post('/ofrep/v1/evaluate/flags', { context: CONTEXT }, headers)
    const again = { ...headers, 'if-none-match': String(bulk.headers['etag']) }
    expect(await post('/ofrep/v1/evaluate/flags', { context: CONTEXT }, again)).toMatchObject({
      status: 304,
      headers: allowed,
    })
    bench.admission = 0
    expect(await post('/v1/decide', { context: CONTEXT }, headers)).toMatchObject({
      status: 503,
      headers: {
        ...allowed,
        'retry-after': '1',
        'access-control-expose-headers': expect.stringContaining('retry-after'),
      },
    })
    expect(bugs).toEqual([])
  })

  it('can read that there is too much to do', async () => {
    const { post } = withOrigins([SHOP], { limits: { inWork: 0 } })
    expect(await post('/v1/decide', {}, { origin: SHOP })).toMatchObject({
      status: 503,
      headers: { 'access-control-allow-origin': SHOP },
    })
  })

  it('is one that the answer does not name, where it is none of those allowed', async () => {
    const { post } = withOrigins([SHOP])
    const { headers, status } = await post('/v1/decide', { context: CONTEXT }, { origin: 'https://shop.example.evil' })
    expect(status).toBe(200)
    expect(Object.keys(headers).join()).not.toContain('access-control')
  })
})
