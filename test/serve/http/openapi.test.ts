import { describe, expect, expectTypeOf, it } from 'vitest'
import type { components } from '../../../src/generated/api.d.ts'
import type * as api from '../../../src/serve/api.ts'
import type { TokenTable } from '../../../src/serve/door/tokens.ts'
import { DEFAULT_LIMITS } from '../../../src/serve/http/app.ts'
import { ajv, conforms, document, type Response } from '../declared.ts'
import { type Answer, CONTEXT, type HttpBench, httpBench } from '../http-support.ts'
import { bench, served } from '../support.ts'

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, ...operation })),
)

const REWARD = { decisionId: 'd', value: 1 }

/** A good body of each route that takes one, and one whose meaning is wrong. */
const BODIES: Readonly<Record<string, readonly [good: object, bad: object, unknownPolicy?: object]>> = {
  '/v1/decide': [{ context: CONTEXT }, { context: {} }, { policy: 'nobody' }],
  '/v1/decide:batch': [{ requests: [{ context: CONTEXT }] }, { requests: [{}] }, { requests: [{ policy: 'nobody' }] }],
  '/predict': [{ instances: [{ context: CONTEXT }] }, { instances: [{}] }, { instances: [{ policy: 'nobody' }] }],
  '/v1/rewards': [REWARD, { rewards: [{}] }],
  '/v1/activations': [{ decisionId: 'd' }, { activation: 'd' }],
  '/ofrep/v1/evaluate/flags/shop-offer': [{ context: { ...CONTEXT, targetingKey: 'p' } }, { context: {} }],
  '/ofrep/v1/evaluate/flags/nobody': [{ context: CONTEXT }, {}],
  '/ofrep/v1/evaluate/flags': [{ context: CONTEXT }, { context: 7 }],
}

const ID = { decisionId: 'twice', context: CONTEXT }
const OTHER = { decisionId: 'twice', context: { ...CONTEXT, level: 1 } }
const CONFLICTS: Readonly<Record<string, readonly [path: string, first: object, second: object]>> = {
  '/v1/decide': ['/v1/decide', ID, OTHER],
  '/v1/decide:batch': ['/v1/decide:batch', { requests: [ID] }, { requests: [OTHER] }],
  '/predict': ['/predict', { instances: [ID] }, { instances: [OTHER] }],
  '/v1/rewards': ['/v1/rewards', { rewardId: 'r', ...REWARD }, { rewardId: 'r', ...REWARD, value: 0 }],
}

/** Knows a token that may do nothing. */
const FOR_NOTHING: TokenTable = {
  size: 1,
  find: presented =>
    presented === 'known'
      ? { name: 'idle', sha256: Buffer.alloc(32), may: new Set(), policies: undefined, expiresAt: undefined }
      : undefined,
}

/** Gets a real response of that status from a real server. */
async function provoke(operation: string, status: string): Promise<Answer> {
  const [method, template] = operation.split(' ')
  const path = template.replace('{name}', 'shop-offer').replace('{key}', 'shop-offer')
  const broken = { decide: fail, decideAll: fail, reward: fail, activate: fail, policyOf: fail }
  const on = bench()
  const server = (parts = {}, limits = {}) => httpBench({ on, parts, limits })
  if (status === '401' || status === '403') {
    const closed = server({ tokens: { table: FOR_NOTHING } })
    const headers: Record<string, string> = status === '401' ? {} : { authorization: 'Bearer known' }
    return method === 'GET' ? closed.get(path, headers) : closed.post(path, BODIES[path][0], headers)
  }
  if (status === '429') {
    const limited = server({}, { client: { rate: 1 } })
    const ask = () => (method === 'GET' ? limited.get(path) : limited.post(path, BODIES[path][0]))
    await ask()
    return ask()
  }
  if (method === 'GET') {
    const plain = server()
    if (status === '404') return plain.get(template.replace('{name}', 'nobody'))
    if (status === '503') plain.unready.push('why not')
    return plain.get(path)
  }
  const [good, bad, unknownPolicy] = BODIES[path]
  switch (status) {
    case '304': {
      const plain = server()
      return plain.post(path, good, { 'if-none-match': String((await plain.post(path, good)).headers['etag']) })
    }
    case '400':
      return server().post(path, bad)
    case '404':
      return unknownPolicy === undefined
        ? server().post(template.replace('{key}', 'nobody'), good)
        : server().post(path, unknownPolicy)
    case '409': {
      const plain = server()
      const [, first, second] = CONFLICTS[path] ?? ['', good, { context: { ...CONTEXT, level: 1 } }]
      const key = CONFLICTS[path] === undefined ? { 'idempotency-key': 'twice' } : undefined
      await plain.post(path, first, key)
      return plain.post(path, second, key)
    }
    case '413':
      return server({}, { body: 10 }).post(path, good)
    case '415':
      return server().post(path, 'a', { 'content-type': 'text/plain' })
    case '500':
      return server({ engine: broken }).post(path, good)
    case '503':
      on.admission = 0
      return server().post(path, good)
    default:
      return server().post(path, good)
  }
}

function fail(): never {
  throw new Error('broken on purpose')
}

describe('schemas/openapi.yaml', () => {
  const cases = operations.flatMap(({ name, responses }) =>
    Object.entries(responses).map(([status, response]) => ({ name, status, response })),
  )

  it.each(cases)('$name answers $status as it says', async ({ name, status, response }) => {
    const answer = await provoke(name, status)
    expect(answer.status, answer.text).toBe(Number(status))
    conforms(answer, response)
  })

  const deciding = Object.keys(BODIES).filter(path => /decide|predict|ofrep/.test(path) && !path.endsWith('nobody'))
  it.each(deciding)('says what %s answers where the rules let nothing be served', async path => {
    const on = bench([served({ actions: [{ id: 'gold', eligible: 'ctx.level >= 50' }] })])
    const answer = await httpBench({ on }).post(path, BODIES[path][0])
    expect(answer.status).toBe(200)
    expect(answer.text).toContain('"servedBy":"none"')
    expect(answer.text).toContain(path.includes('ofrep') ? '"reason":"DEFAULT"' : '"action":null,"propensity":null')
    conforms(answer, operationOf(path)?.['post'].responses['200'] as Response)
  })

  const operationOf = (path: string) =>
    Object.entries(document.paths).find(([known]) => known.replace('{key}', 'shop-offer') === path)?.[1]
  const taking = Object.keys(BODIES).filter(path => !path.endsWith('nobody'))
  it.each(taking)('has the right words for too many requests at %s', async path => {
    const answer = await httpBench({ limits: { inWork: 0 } }).post(path, BODIES[path][0])
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    conforms(answer, operationOf(path)?.['post'].responses['503'] as Response)
  })

  it('lists every route that the server has, and the server every one that it lists', async () => {
    expect(await routesOf(httpBench())).toEqual(operations.map(({ name }) => name).sort())
  })

  it('lists the methods that a wrong one is answered with, and HEAD wherever there is GET', async () => {
    const { app } = httpBench()
    for (const [path, methods] of Object.entries(document.paths)) {
      const url = path.replace('{name}', 'shop-offer').replace('{key}', 'shop-offer')
      const { statusCode, headers } = await app.inject({ method: 'DELETE', url })
      const listed = Object.keys(methods).map(method => method.toUpperCase())
      const allow = listed.includes('GET') ? [...listed, 'HEAD'] : listed
      expect({ url, statusCode, allow: headers.allow }).toEqual({ url, statusCode: 405, allow: allow.join(', ') })
    }
  })

  it('asks for a token everywhere but of probes, and says what happens without one', () => {
    const without = (...statuses: string[]) =>
      operations.filter(({ responses }) => !statuses.every(status => status in responses))
    const open = without('401', '403')
    expect(open.map(({ name }) => name)).toEqual(['GET /healthz', 'GET /readyz'])
    expect(without('429').map(({ name }) => name)).toEqual(['GET /healthz', 'GET /readyz', 'GET /metrics'])
    const exempt = operations.filter(({ security }) => security?.length === 0)
    expect(exempt).toEqual(open)
    expect(document.security).toEqual([{}, { bearer: [] }])
  })

  it('has examples that are what they are examples of', () => {
    const wrong = Object.entries(document.components.schemas).flatMap(([name, { examples = [] }]) => {
      const validate = ajv.getSchema(`openapi#/components/schemas/${name}`)
      return examples.filter(example => validate?.(example) !== true).map(example => ({ name, example }))
    })
    expect(wrong).toEqual([])
    expect(document.openapi).toBe('3.1.0')
  })

  it('means what it says: no comma of a sentence has made a key of its second half', () => {
    const keys = [...valuesIn(document)].filter(({ value }) => value === null || value === undefined)
    expect(keys).toEqual([])
  })

  it('has no choice without a name, and none whose branches share what they require', () => {
    const choices = [...valuesIn(document)].filter(({ path }) => /^(oneOf|anyOf|allOf)$/.test(path.at(-1) as string))
    const requiredBy = ({ $ref }: { readonly $ref: string }) =>
      (document.components.schemas[$ref.split('/').at(-1) as string] as { readonly required: string[] }).required
    for (const { path, value } of choices) {
      expect(path).toEqual(['components', 'schemas', expect.any(String), 'oneOf'])
      const names = (value as { readonly $ref: string }[]).flatMap(requiredBy)
      expect(new Set(names).size, path.join('/')).toBe(names.length)
    }
    expect(choices.map(({ path }) => path[2])).toEqual(['Rewards', 'Activations'])
  })

  it('says what the limits are', () => {
    expect(JSON.stringify(document)).toContain('by default 1,000')
    expect(DEFAULT_LIMITS.batch).toBe(1_000)
  })
})

interface Found {
  readonly path: readonly string[]
  readonly value: unknown
}

/** Everything in a document, with the keys that lead to it. Examples are left out: they may be anything. */
function* valuesIn(value: unknown, path: readonly string[] = []): Generator<Found> {
  yield { path, value }
  if (typeof value !== 'object' || value === null || path.at(-1)?.startsWith('example')) return
  for (const [key, inner] of Object.entries(value)) yield* valuesIn(inner, [...path, key])
}

/** From fastify's picture of its routes; every GET is a HEAD, too. */
async function routesOf({ app }: HttpBench): Promise<string[]> {
  await app.ready()
  const stack: string[] = []
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap(line => {
      const found = /^(.*?[├└]── )(\S+) \((\w+)(?:, HEAD)?\)$/.exec(line)
      if (found === null) return []
      const [, indent, part, method] = found
      const depth = indent.length / 4 - 1
      stack.length = depth
      stack.push(part)
      return [`${method} ${stack.join('').replace('/:name', '/{name}').replace('/:key', '/{key}')}`]
    })
    .sort()
}

/** Lists of generated types can be written to, because openapi-fetch cannot take others. */
type Fixed<T> = T extends (infer E)[]
  ? readonly Fixed<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Fixed<T[K]> }
    : T
type Generated<Name extends keyof components['schemas']> = Fixed<components['schemas'][Name]>

describe('the types of src/serve/api.ts', () => {
  it('are those of the document', () => {
    expectTypeOf<Generated<'DecideRequest'>>().toEqualTypeOf<api.DecideRequest>()
    expectTypeOf<Generated<'DecideAnswer'>>().toEqualTypeOf<Fixed<api.DecideAnswer>>()
    expectTypeOf<Generated<'RewardRequest'>>().toEqualTypeOf<api.RewardRequest>()
    expectTypeOf<Generated<'ActivationRequest'>>().toEqualTypeOf<api.ActivationRequest>()
    expectTypeOf<Generated<'Accepted'>>().toEqualTypeOf<api.Accepted>()
    expectTypeOf<Generated<'Problem'>>().toEqualTypeOf<Fixed<api.Problem>>()
  })
})
