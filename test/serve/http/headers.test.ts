import { once } from 'node:events'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CONTEXT, httpBench } from '../http-support.ts'

const GOOD = JSON.stringify({ context: CONTEXT })

/** Sends exactly these header lines, in pairs, and this body. */
async function send(
  base: string,
  method: string,
  path: string,
  headers: readonly string[],
  body: string | Buffer = '',
) {
  const sent = request(base + path, { method, headers: ['host', 'a', ...headers], setHost: false })
  sent.end(body)
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const part of response) text += part
  return { status: response.statusCode as number, headers: response.headers, text }
}

const JSON_BODY = ['content-type', 'application/json', 'content-length', String(GOOD.length)]

describe('headers', () => {
  it.each([
    ['host', ['host', 'b'], 400],
    ['idempotency-key', ['Idempotency-Key', 'a', 'idempotency-key', 'b'], 400],
    ['idempotency-key', ['idempotency-key', 'a', 'Idempotency-Key', 'a'], 400],
    ['authorization', ['authorization', 'Bearer a', 'authorization', 'Bearer b'], 400],
    ['content-type', ['content-type', 'application/json'], 400],
    ['content-encoding', ['content-encoding', 'identity', 'content-encoding', 'gzip'], 400],
    ['origin', ['origin', 'http://a', 'origin', 'http://b'], 400],
  ])('that may be there once are refused when %s is there again: %j', async (name, more, status) => {
    const { listen, bench } = httpBench()
    const base = await listen()
    const answer = await send(base, 'POST', '/v1/decide', [...JSON_BODY, ...more], GOOD)
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.text).detail).toBe(`the header \`${name}\` is there more than once`)
    expect(bench.decisions).toEqual([])
  })

  it('are all looked at, however many come before the one that is repeated', async () => {
    const { listen, bench } = httpBench()
    const many = Array.from({ length: 2_500 }, () => ['a', '']).flat()
    const more = ['idempotency-key', 'a', 'idempotency-key', 'b']
    const answer = await send(await listen(), 'POST', '/v1/decide', [...JSON_BODY, ...many, ...more], GOOD)
    expect(answer.status).toBe(400)
    expect(bench.decisions).toEqual([])
  })

  it('that are lists, or mean nothing here, may be there as often as they like', async () => {
    const { listen } = httpBench()
    const more = ['accept', 'a/b', 'accept', 'c/d', 'x', '1', 'X', '2', '__proto__', '1', 'if-none-match', '"a"']
    expect(await send(await listen(), 'POST', '/v1/decide', [...JSON_BODY, ...more], GOOD)).toMatchObject({
      status: 200,
    })
  })

  it.each([
    ['application/json', 200],
    ['application/json; charset=utf-8', 200],
    ['Application/JSON;charset="UTF8"', 200],
    ['application/json; charset=us-ascii', 200],
    ['application/json; profile="a;charset=b"; charset=utf-8', 415],
    ['application/json; charset=utf-16', 415],
    ['application/json; charset=utf-8; charset=utf-16', 415],
    ['application/json; charset="iso-8859-1"', 415],
    ['application/json; charset=', 415],
    ['application/jsonp', 415],
    ['text/json', 415],
  ])('say what a body is: %s', async (type, status) => {
    const { post } = httpBench()
    expect((await post('/v1/decide', GOOD, { 'content-type': type })).status).toBe(status)
  })

  it('say how a body is packed, which must be not at all', async () => {
    const { listen, bench } = httpBench()
    const base = await listen()
    const packed = gzipSync(GOOD)
    const lines = ['content-type', 'application/json', 'content-length', String(packed.length)]
    const answer = await send(base, 'POST', '/v1/decide', [...lines, 'content-encoding', 'gzip'], packed)
    expect(answer).toMatchObject({
      status: 415,
      headers: { 'content-type': 'application/problem+json; charset=utf-8' },
    })
    expect(JSON.parse(answer.text).detail).toBe('send the body as it is, without `content-encoding`')
    expect(bench.decisions).toEqual([])
    expect(await send(base, 'POST', '/v1/decide', [...JSON_BODY, 'content-encoding', 'Identity'], GOOD)).toMatchObject({
      status: 200,
    })
  })

  it('carry ids of ASCII alone, since nobody knows how others are written there', async () => {
    const { listen, bench } = httpBench()
    const base = await listen()
    for (const key of ['é', 'a\tb']) {
      const answer = await send(base, 'POST', '/v1/decide', [...JSON_BODY, 'idempotency-key', key], GOOD)
      expect(answer.status).toBe(400)
      expect(JSON.parse(answer.text).errors[0].detail).toContain('ASCII')
    }
    expect(bench.decisions).toEqual([])
  })
})

describe('bytes that are not UTF-8', () => {
  it('are refused, wherever in the body they are', async () => {
    const { listen, bench } = httpBench()
    const base = await listen()
    const bad = fc.constantFrom(
      [0xc0, 0xaf],
      [0xc1, 0xbf],
      [0xff],
      [0xed, 0xa0, 0x80],
      [0xe2, 0x82],
      [0xf5, 0x80, 0x80, 0x80],
    )
    await fc.assert(
      fc.asyncProperty(bad, fc.nat(10), async (bytes, at) => {
        const body = Buffer.from('{"decisionId":"0123456789","context":{}}')
        const start = body.indexOf('0123456789') + at
        const sent = Buffer.concat([body.subarray(0, start), Buffer.from(bytes), body.subarray(start)])
        const lines = ['content-type', 'application/json', 'content-length', String(sent.length)]
        const answer = await send(base, 'POST', '/v1/decide', lines, sent)
        expect(answer.status).toBe(400)
        expect(JSON.parse(answer.text).detail).toBe('the body is not UTF-8')
      }),
      { numRuns: 40 },
    )
    expect(bench.decisions).toEqual([])
  })
})

describe('HEAD', () => {
  it.each(['/healthz', '/readyz', '/metrics', '/v1/policies', '/v1/policies/shop-offer', '/v1/policies/nobody'])(
    'says of %s what GET says, without the body',
    async path => {
      const { listen } = httpBench()
      const base = await listen()
      const get = await send(base, 'GET', path, [])
      const head = await send(base, 'HEAD', path, [])
      const { date: _, ...same } = get.headers
      const { 'content-length': length, ...others } = same
      // Metrics count the request before this one, so their length differs.
      const expected = path === '/metrics' ? others : { ...others, 'content-length': length }
      expect({ status: head.status, text: head.text }).toEqual({ status: get.status, text: '' })
      expect(head.headers).toMatchObject(expected)
    },
  )

  it('is what a path without GET does not take', async () => {
    const { listen } = httpBench()
    expect(await send(await listen(), 'HEAD', '/v1/decide', [])).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
      text: '',
    })
  })
})

describe('paths', () => {
  it.each([
    '/v1/policies/%zz',
    '/v1/policies/%',
    '/v1/policies/%ed%a0%80',
    '/v1/policies/%c0%af',
    '/%ff',
    '/v1/policies/%00',
  ])('%s leads nowhere', async path => {
    const { listen, bugs } = httpBench()
    const { status, text } = await send(await listen(), 'GET', path, [])
    expect(status).toBe(404)
    expect(JSON.parse(text).status).toBe(404)
    expect(bugs).toEqual([])
  })

  it('of flags lead nowhere, either', async () => {
    const { listen, bugs } = httpBench()
    const answer = await send(await listen(), 'POST', '/ofrep/v1/evaluate/flags/%c0%af', JSON_BODY, GOOD)
    expect(answer.status).toBe(404)
    expect(bugs).toEqual([])
  })
})
