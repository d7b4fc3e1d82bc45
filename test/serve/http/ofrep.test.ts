import { OFREPProvider } from '@openfeature/ofrep-provider'
import { OpenFeature } from '@openfeature/server-sdk'
import { afterEach, describe, expect, it } from 'vitest'
import { activationHook, createClient } from '../../../src/client.ts'
import { CONTEXT, httpBench } from '../http-support.ts'
import { bench, served } from '../support.ts'

const FLAG = '/ofrep/v1/evaluate/flags/shop-offer'
const BULK = '/ofrep/v1/evaluate/flags'

/** Nobody who is asked for here may get it. */
const ADULTS = [{ id: 'gold', eligible: 'ctx.level >= 50' }]

/** A policy with features, a holdout of everybody, and one that needs a baseline. */
const several = () =>
  bench([
    served({ actions: [{ id: 'none' }, { id: 'gold', features: { price: 1.99, tier: 'a', big: true } }] }),
    served({ guardrails: { minProbability: 0, holdout: { fraction: 1, action: 'none' } } }, 'held'),
    served({ mode: 'shadow' }, 'shadowed'),
  ])

describe('one flag', () => {
  it('is a decision: the action is value and variant, the rest metadata', async () => {
    const { post, bench } = httpBench({ on: several() })
    const context = { targetingKey: 'p9', platform: 'ios', level: 41, browser: 'any', constructor: { a: 1 } }
    const { json, status } = await post(FLAG, { context })
    const [record] = bench.decisions
    expect(status).toBe(200)
    expect(record).toMatchObject({ unit: 'p9', context: { playerId: 'p9', platform: 'ios', level: 41 } })
    const features =
      record.slots[0].action === 'gold' ? { 'features.price': 1.99, 'features.tier': 'a', 'features.big': true } : {}
    expect(json).toEqual({
      key: 'shop-offer',
      value: record.slots[0].action,
      variant: record.slots[0].action,
      reason: 'SPLIT',
      metadata: {
        decisionId: record.decisionId,
        propensity: record.slots[0].propensity,
        policyDigest: 'sha256:test',
        servedBy: 'policy',
        ...features,
      },
    })
  })

  it('counts only once it is activated', async () => {
    const { post, bench } = httpBench()
    await post(FLAG, { context: CONTEXT })
    expect(bench.decisions[0].served).toEqual({ by: 'policy', activation: 'pending' })
  })

  it('takes the unit from the context where that names it', async () => {
    const { post, bench } = httpBench()
    await post(FLAG, { context: { ...CONTEXT, targetingKey: 'other' } })
    expect(bench.decisions[0].unit).toBe('p1')
  })

  it('takes a number for a unit only as JSON would write it, so that two keys are never one unit', async () => {
    const numbered = served({ context: { ...served().policy.spec.context, playerId: { type: 'integer' } } })
    const { post, bench: on } = httpBench({ on: bench([numbered]) })
    const ask = (targetingKey: string) => post(FLAG, { context: { targetingKey, platform: 'ios', level: 41 } })
    expect(await ask('12')).toMatchObject({ status: 200 })
    expect(on.decisions[0].context).toMatchObject({ playerId: 12 })
    for (const key of [' 12', '0xC', '1.2e1', '012', '12.0', 'p1']) {
      expect(await ask(key)).toMatchObject({ status: 400, json: { errorCode: 'INVALID_CONTEXT' } })
    }
  })

  it('says why it was not the policy', async () => {
    const { post, bench } = httpBench({ on: several() })
    expect((await post(`${BULK}/held`, { context: CONTEXT })).json.reason).toBe('TARGETING_MATCH')
    bench.killed.add('shop-offer')
    expect((await post(FLAG, { context: CONTEXT })).json).toMatchObject({
      reason: 'DISABLED',
      metadata: { servedBy: 'fallback' },
    })
  })

  it('has no value where nothing may be served', async () => {
    const { post, bench: self } = httpBench({ on: bench([served({ actions: ADULTS })]) })
    expect((await post(FLAG, { context: CONTEXT })).json).toEqual({
      key: 'shop-offer',
      reason: 'DEFAULT',
      metadata: { decisionId: self.decisions[0].decisionId, policyDigest: 'sha256:test', servedBy: 'none' },
    })
    expect((await post(BULK, { context: CONTEXT })).json.flags).toMatchObject([{ metadata: { servedBy: 'none' } }])
  })

  it('is the fallback, by default, after too long a wait', async () => {
    const on = bench()
    const late = { ...on.engine, decide: (request: object) => on.engine.decide(request, on.time - 5_000) }
    const { post } = httpBench({ on, parts: { engine: late } })
    expect((await post(FLAG, { context: CONTEXT })).json).toMatchObject({ reason: 'DEFAULT', value: 'none' })
  })

  it('has no pointer but those of its own attributes', async () => {
    const actions = { from: 'request', max: 3, features: { price: { type: 'number' } } } as const
    const learner = { type: 'linear', l2: 1, intercept: true, shared: true } as const
    const algorithm = { learner, exploration: { type: 'thompson', scale: 1 } } as const
    const on = bench([served({ actions, features: [{ action: 'price' }], algorithm })])
    const same = { id: 'a', features: { price: 1 } }
    const { json } = await httpBench({ on }).post(FLAG, {
      context: { ...CONTEXT, actions: [same, same], exclude: [1] },
    })
    expect(json.errorDetails).toBe(
      '/context/actions/1/id is that of the action at index 0, too; /context/exclude/0 must be a text',
    )
  })

  it('has the errors of the protocol', async () => {
    const { post } = httpBench({ on: several() })
    const error = async (path: string, body: unknown) => {
      const { status, json } = await post(path, body)
      return `${status} ${json.key} ${json.errorCode}: ${json.errorDetails}`
    }
    expect(await error(`${BULK}/nobody`, { context: {} })).toBe(
      '404 nobody FLAG_NOT_FOUND: no policy `nobody` is served',
    )
    expect(await error(`${BULK}/__proto__`, { context: {} })).toMatch('404 __proto__ FLAG_NOT_FOUND')
    expect(await error(FLAG, { context: { platform: 'ios' } })).toBe(
      '400 shop-offer TARGETING_KEY_MISSING: /context/playerId is missing and has no default',
    )
    expect(await error(FLAG, { context: { targetingKey: 'p', platform: 'tv' } })).toBe(
      '400 shop-offer INVALID_CONTEXT: /context/platform must be one of ios, android',
    )
    expect(await error(FLAG, {})).toMatch('400 shop-offer TARGETING_KEY_MISSING')
    expect(await error(FLAG, { context: [] })).toBe('400 shop-offer INVALID_CONTEXT: /context must be object')
    expect(await error(FLAG, '{')).toMatch(/^400 shop-offer PARSE_ERROR: the body is not JSON/)
    expect(await error(`${BULK}/shadowed`, { context: CONTEXT })).toMatch(
      '400 shadowed INVALID_CONTEXT: /baseline is needed',
    )
  })
})

describe('all flags', () => {
  it('are decided, each for itself, and count only once they are activated', async () => {
    const { post, bench } = httpBench({ on: several() })
    const { json } = await post(BULK, { context: CONTEXT })
    expect(
      json.flags.map((flag: { key: string; reason?: string; errorCode?: string }) => [
        flag.key,
        flag.reason ?? flag.errorCode,
      ]),
    ).toEqual([
      ['shop-offer', 'SPLIT'],
      ['held', 'TARGETING_MATCH'],
      ['shadowed', 'INVALID_CONTEXT'],
    ])
    expect(bench.decisions.map(({ served }) => served.activation)).toEqual(['pending', 'pending'])
  })

  it('are not decided anew while nothing has changed', async () => {
    const { post, bench } = httpBench()
    const first = await post(BULK, { context: CONTEXT })
    const tag = String(first.headers['etag'])
    const again = (headers: Record<string, string>, context: object = CONTEXT) => post(BULK, { context }, headers)
    expect(await again({ 'if-none-match': tag })).toMatchObject({ status: 304, text: '', headers: { etag: tag } })
    expect(await again({ 'if-none-match': `"other", ${tag}` })).toMatchObject({ status: 304 })
    expect(bench.decisions).toHaveLength(1)
    expect(await again({ 'if-none-match': tag }, { ...CONTEXT, level: 3 })).toMatchObject({ status: 200 })
    bench.killed.add('shop-offer')
    expect(await again({ 'if-none-match': tag })).toMatchObject({ status: 200 })
  })
})

describe("OpenFeature's own client", () => {
  afterEach(() => {
    OpenFeature.clearHooks()
    return OpenFeature.close()
  })

  it("gets the caller's own default where nothing may be served", async () => {
    const { listen, bench: self } = httpBench({ on: bench([served({ actions: ADULTS })]) })
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: await listen() }))
    const context = { targetingKey: 'p7', platform: 'android', level: 12 }
    expect(await OpenFeature.getClient().getStringValue('shop-offer', 'my own', context)).toBe('my own')
    expect(self.decisions.map(({ served: { by } }) => by)).toEqual(['none'])
  })

  it('activates what it shows, and nothing else: no flag of another type, none that fails, none of other providers', async () => {
    const { listen, bench } = httpBench({ on: several() })
    const baseUrl = await listen()
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl }))
    const dap = createClient({ baseUrl })
    OpenFeature.addHooks(activationHook(dap))
    const client = OpenFeature.getClient()
    const context = { targetingKey: 'p7', platform: 'android', level: 12 }
    const shown = [
      await client.getStringDetails('shop-offer', 'mine', context),
      await client.getStringDetails('held', 'mine', context),
    ]
    await client.getBooleanValue('shop-offer', true, context)
    await client.getNumberValue('shop-offer', 7, context)
    await client.getObjectValue('shop-offer', {}, context)
    await client.getStringValue('shadowed', 'mine', context)
    await client.getStringValue('nobody', 'mine', context)
    const elsewhere = { flagMetadata: { decisionId: 'of another provider' } }
    activationHook(dap).after({}, elsewhere)
    activationHook(dap).after({}, {})
    expect(await dap.close()).toEqual({ unsent: 0 })
    expect(bench.decisions).toHaveLength(5)
    expect(bench.rewards.map(({ kind, decisionId }) => [kind, decisionId])).toEqual(
      shown.map(({ flagMetadata }) => ['activation', flagMetadata['decisionId']]),
    )
  })

  it('gets decisions, errors and defaults', async () => {
    const { listen, bench } = httpBench({ on: several() })
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: await listen() }))
    const client = OpenFeature.getClient()
    const context = { targetingKey: 'p7', platform: 'android', level: 12, locale: 'sv' }
    const details = await client.getStringDetails('shop-offer', 'mine', context)
    const [record] = bench.decisions
    expect(details).toMatchObject({
      value: record.slots[0].action,
      variant: record.slots[0].action,
      reason: 'SPLIT',
      flagMetadata: {
        decisionId: record.decisionId,
        propensity: record.slots[0].propensity,
        policyDigest: 'sha256:test',
      },
    })
    expect(record.unit).toBe('p7')
    expect(await client.getStringDetails('nobody', 'mine', context)).toMatchObject({
      value: 'mine',
      errorCode: 'FLAG_NOT_FOUND',
    })
    expect(await client.getStringDetails('shop-offer', 'mine', { platform: 'ios' })).toMatchObject({
      value: 'mine',
      errorCode: 'TARGETING_KEY_MISSING',
    })
    expect(await client.getNumberDetails('shop-offer', 1, context)).toMatchObject({
      value: 1,
      errorCode: 'TYPE_MISMATCH',
    })
    bench.admission = 0
    expect(await client.getStringValue('shop-offer', 'mine', context)).toBe('mine')
  })
})
