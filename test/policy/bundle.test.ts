import { createHash } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bundle, bundleText, createBundle, readBundle } from '../../src/policy/bundle.ts'
import { contextSchema } from '../../src/policy/context-schema.ts'
import { decide } from '../../src/policy/decide.ts'
import { resourceDigest } from '../../src/policy/digest.ts'
import { createPolicy, type Policy } from '../../src/policy/policy.ts'
import { type Snapshot, snapshotDigest, snapshotText, takeSnapshot } from '../../src/policy/snapshot.ts'
import { mutations } from '../support/mutations.ts'
import { expectPublished } from '../support/published.ts'
import { policySpec } from './support.ts'

function digestedPolicy(): Policy {
  const spec = policySpec()
  return createPolicy('shop-offer', spec, resourceDigest('Policy', 'shop-offer', spec))
}

function taughtPolicy(): Policy {
  const policy = digestedPolicy()
  const x = new Float64Array(policy.features.dimension)
  for (let i = 0; i < 30; i++) {
    policy.features.write({ playerId: 'p', level: 10 + i, platform: 'ios', spend30d: i / 7 }, x)
    policy.learner.learn(i % 3, x, i % 2)
  }
  return policy
}

const throughText = (bundle: Bundle): unknown => JSON.parse(bundleText(bundle))

/** The bundle with other content, and the digest of that. */
function redigested(bundle: Bundle, changes: Record<string, unknown>): unknown {
  const { digest: _, ...content } = { ...bundle, ...changes }
  return { ...content, digest: `sha256:${createHash('sha256').update(JSON.stringify(content)).digest('hex')}` }
}

function nestedly(depth: number): object {
  let deep: object = {}
  for (let i = 0; i < depth; i++) deep = { deep }
  return deep
}

function faultsOf(json: unknown): readonly string[] {
  const result = readBundle(json)
  return 'faults' in result ? result.faults : []
}

describe('a bundle', () => {
  it('decides what the policy that it was made of decides', () => {
    const policy = taughtPolicy()
    const snapshot = takeSnapshot(policy)
    const opened = readBundle(throughText(createBundle(policy, snapshot, '0.2.0')))
    if ('faults' in opened) throw new Error(opened.faults.join('; '))
    expect(opened.snapshot).toBe(snapshotDigest(snapshot))
    for (let i = 0; i < 20; i++) {
      const request = { decisionId: `d${i}`, context: { playerId: `p${i}`, level: 5 * i + 1, platform: 'ios' } }
      expect(decide(opened.policy, request)).toEqual(decide(policy, request))
    }
  })

  it('has no snapshot where nothing was learnt', () => {
    const bundle = createBundle(digestedPolicy(), null, '0.2.0')
    expect(readBundle(throughText(bundle))).toMatchObject({ snapshot: null, digest: bundle.digest })
  })

  it('is the same bytes for the same inputs', () => {
    const text = bundleText(createBundle(taughtPolicy(), takeSnapshot(taughtPolicy()), '0.2.0'))
    const fromFile = JSON.parse(snapshotText(takeSnapshot(taughtPolicy()))) as Snapshot
    expect(bundleText(createBundle(taughtPolicy(), fromFile, '0.2.0'))).toBe(text)
  })

  it('keeps the order of the context, which default features follow', () => {
    const { context } = policySpec()
    const spec = policySpec({ context: Object.fromEntries(Object.entries(context).reverse()) })
    const policy = createPolicy('shop-offer', spec, resourceDigest('Policy', 'shop-offer', spec))
    const opened = readBundle(throughText(createBundle(policy, takeSnapshot(policy), '0.2.0')))
    expect('faults' in opened ? opened.faults : opened.policy.features.names).toEqual(policy.features.names)
    expect(policy.features.names).not.toEqual(digestedPolicy().features.names)
  })

  it('is refused by another digest than its own, and by a policy digest that is not the policy’s', () => {
    const bundle = createBundle(digestedPolicy(), null, '0.2.0')
    expect(faultsOf({ ...bundle, dap: '0.3.0' })).toEqual([expect.stringContaining(`and it says "${bundle.digest}"`)])
    const policy = { ...bundle.policy, spec: { ...bundle.policy.spec, salt: 'changed' } }
    expect(faultsOf(redigested(bundle, { policy }))).toEqual([
      expect.stringContaining(`and the bundle says "${bundle.policy.digest}"`),
    ])
  })

  it('is refused without the name or the spec of its policy, or the version of dap, and with a snapshot that is none', () => {
    const bundle = createBundle(digestedPolicy(), null, '0.2.0')
    const { policy } = bundle
    const said = [
      { policy: 1 },
      { policy: { ...policy, name: 1 } },
      { policy: { ...policy, spec: 1 } },
      { dap: 1 },
      { snapshot: 1 },
      { snapshot: { ...takeSnapshot(digestedPolicy()), count: -1 } },
      { more: 1 },
    ].flatMap(changes => faultsOf(redigested(bundle, changes)))
    expect(said).toMatchInlineSnapshot(`
      [
        "\`policy\` must be an object, not 1",
        "\`policy.name\` must be a string, not 1",
        "\`policy.spec\` must be an object, not 1",
        "\`dap\` must be a string, not 1",
        "\`snapshot\` must be an object, not 1",
        "\`snapshot.count\` must be at least 0, not -1",
        "\`more\` is no field of this bundle",
      ]
    `)
    expect(faultsOf([])).toEqual(['the bundle is not an object'])
  })

  it('is refused with a snapshot of something else, an unknown version, or a schema that is not the policy’s', () => {
    const bundle = createBundle(digestedPolicy(), null, '0.2.0')
    const foreign = { ...takeSnapshot(digestedPolicy()), actions: ['a', 'b'] }
    expect(faultsOf(redigested(bundle, { snapshot: foreign }))).toEqual([
      'the snapshot does not fit: actions that the snapshot does not know: none, gold-small, bundle-mid',
      'the snapshot does not fit: actions that the policy no longer has: a, b',
    ])
    expect(faultsOf({ ...bundle, schema: 'dap.bundle/v9' })).toEqual([
      'the bundle\'s schema is "dap.bundle/v9"; this dap reads "dap.bundle/v1"',
    ])
    expect(faultsOf(redigested(bundle, { schemas: { context: {} } }))).toEqual([
      "`schemas.context` is not the schema of the policy's context",
    ])
  })

  it('is refused, and nothing is thrown, when it is junk that has the right digests', () => {
    const bundle = createBundle(taughtPolicy(), takeSnapshot(taughtPolicy()), '0.2.0')
    fc.assert(
      fc.property(mutations(throughText(bundle)), json => {
        expect(faultsOf(json).length > 0 || JSON.stringify(json) === JSON.stringify(bundle)).toBe(true)
        if (typeof json !== 'object' || json === null || Array.isArray(json)) return
        const changed = json as unknown as Bundle
        const { name, spec } = { ...changed.policy }
        const policy = { ...changed.policy, digest: resourceDigest('Policy', name, spec) }
        readBundle(redigested(changed, { policy }))
      }),
      { numRuns: 500 },
    )
    expect(faultsOf({ ...bundle, deep: nestedly(100_000) })).toEqual(['`deep` is no field of this bundle'])
    expect(faultsOf(redigested(bundle, { policy: { ...bundle.policy, spec: nestedly(2000) } }))).toEqual([
      '`policy.spec` is nested more than 16 deep',
    ])
  })

  it('has a published schema', () => {
    for (const snapshot of [null, takeSnapshot(taughtPolicy(), { dap: '0.2.0' })]) {
      expectPublished('bundle', throughText(createBundle(taughtPolicy(), snapshot, '0.2.0')))
    }
  })
})

describe('the schema of a context', () => {
  const { context } = policySpec({
    context: {
      ...policySpec().context,
      vip: { type: 'boolean', default: false },
      nickname: { type: 'string', maxLength: 3, default: 'x' },
      taste: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 },
    },
  })
  const check = createPolicy('p', policySpec({ context }), 'sha256:p').context
  const validate = new Ajv2020({ strict: true }).compile(contextSchema(context))

  it('accepts exactly the contexts that the policy accepts', () => {
    const good = { playerId: 'p', level: 3, platform: 'ios', vip: true, nickname: 'ab', taste: [0.5, 1] }
    expect(validate(good)).toBe(true)
    for (const name of Object.keys(good)) {
      const json = { ...good, [name]: null }
      expect([name, validate(json)]).toEqual([name, 'context' in check(json)])
    }
    let refused = 0
    fc.assert(
      fc.property(mutations(good), json => {
        const accepted = 'context' in check(json)
        if (!accepted) refused++
        expect(validate(json)).toBe(accepted)
      }),
      { numRuns: 1000 },
    )
    expect(refused).toBeGreaterThan(100)
  })
})
