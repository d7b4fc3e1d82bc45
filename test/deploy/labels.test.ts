import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeLabels,
  type EndpointLabels,
  encodeLabels,
  heldLabels,
  isHeldVersion,
  readVersionLabels,
  rememberedLabels,
  rememberingLabels,
  versionLabels,
  versionParts,
} from '../../src/deploy/labels.ts'
import { CONTEXT, TARGET, wanted } from './support.ts'

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/)
const digest = fc.stringMatching(/^[0-9a-f]{32}$/)
const id = fc.stringMatching(/^[1-9][0-9]{0,9}$/)
const seconds = fc.nat(9_999_999_999)
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const process = fc.record({
  host: fc.stringMatching(/^[0-9a-f]{16}$/),
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  started: fc.option(fc.stringMatching(/^[a-z0-9-]{1,32}$/)),
})
const traffic = fc.oneof(
  fc.constant({}),
  id.map(only => ({ [only]: 100 })),
  fc
    .tuple(id, id, fc.integer({ min: 1, max: 99 }))
    .map(([a, b, p]) => (a === b ? { [a]: 100 } : { [a]: p, [b]: 100 - p })),
)

const ours: fc.Arbitrary<EndpointLabels> = fc.record({
  owner: some(fc.stringMatching(/^[a-z0-9]{8,40}$/)),
  project: name,
  environment: name,
  deployment: name,
  digest: some(digest),
  commit: some(fc.stringMatching(/^[0-9a-f]{40}(-dirty)?$/)),
  origin: some(fc.stringMatching(/^[0-9a-f]{16}$/)),
  stable: some(id),
  candidate: some(id),
  candidateDigest: some(digest),
  previous: some(id),
  previousDigest: some(digest),
  previousVersion: some(id),
  warmUntil: some(seconds),
  traffic: some(traffic),
  scale: some(fc.record({ minReplicas: fc.nat(1000), maxReplicas: fc.nat(1000), targetCpu: fc.nat(100) })),
  step: some(
    fc.record({ index: fc.nat(49), since: seconds, state: fc.constantFrom('holding' as const, 'passed', 'paused') }),
  ),
  hold: some(fc.oneof(digest, id)),
  lock: some(
    fc.record(
      { run: fc.stringMatching(/^[0-9a-f]{8}$/), expires: seconds, owner: name, process: some(process) },
      { requiredKeys: ['run', 'expires', 'owner'] },
    ),
  ),
})

const foreign = fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), fc.stringMatching(/^[a-z0-9_-]{0,9}$/), { maxKeys: 3 })

describe('labels of an endpoint', () => {
  it('are read as they were written, beside those of others', () => {
    fc.assert(
      fc.property(ours, foreign, (labels, others) => {
        const encoded = encodeLabels(labels, others)
        expect(decodeLabels(encoded)).toEqual({ ours: JSON.parse(JSON.stringify(labels)), foreign: others })
        for (const [key, value] of Object.entries(encoded)) {
          expect(key).toMatch(/^[a-z][a-z0-9_-]{0,62}$/)
          expect(value).toMatch(/^[a-z0-9_-]{0,63}$/)
        }
      }),
    )
  })

  it('may be edited by hand: what makes no sense reads as absent', () => {
    const keys = Object.keys(encodeLabels(fc.sample(ours, { numRuns: 1, seed: 1 })[0], {}))
    fc.assert(
      fc.property(ours, fc.constantFrom(...keys), fc.string({ maxLength: 70 }), (labels, key, value) => {
        const read = decodeLabels({ ...encodeLabels(labels, {}), [key]: value })
        const again = read.ours && decodeLabels(encodeLabels(read.ours, read.foreign)).ours
        if (key !== 'dap-lock-owner') expect(again).toEqual(read.ours)
      }),
    )
    const labels = { 'dap-project': 'games', 'dap-env': 'prod', 'dap-deployment': 'shop-offer' }
    const broken = { 'dap-traffic': '12-x', 'dap-step': '0-now', 'dap-scale': '2', 'dap-stable': 'v1', 'dap-lock': '' }
    expect(decodeLabels({ ...labels, ...broken }).ours).toEqual({
      project: 'games',
      environment: 'prod',
      deployment: 'shop-offer',
    })
  })

  it('belong to nobody without a project, an environment and a deployment', () => {
    expect(decodeLabels({ 'dap-project': 'games', team: 'shop' })).toEqual({
      ours: undefined,
      foreign: { team: 'shop' },
    })
  })

  it('do not remember a split of more models than fit', () => {
    const labels = { project: 'games', environment: 'prod', deployment: 'shop-offer' }
    const five = Object.fromEntries([1, 2, 3, 4, 5].map(i => [`${i}000000000`, 20]))
    expect(decodeLabels(encodeLabels({ ...labels, traffic: five }, {})).ours).toEqual(labels)
  })
})

describe('labels of a default version', () => {
  const own = fc.constantFrom({}, versionLabels(wanted(), TARGET, CONTEXT.commit))
  const endpoint = fc.constantFrom('dap-shop-offer-ab4ca260', '4711')

  it('remember all that the endpoint’s say but its traffic and its lock, beside their own and those of others', () => {
    fc.assert(
      fc.property(ours, own, foreign, endpoint, (labels, made, others, id) => {
        const { traffic: _, lock: __, ...rest } = JSON.parse(JSON.stringify(labels))
        const encoded = rememberingLabels({ ...made, ...others }, id, labels)
        // Whose it was, of a version that was made before there were ids, is what it is still.
        const owner = labels.owner ?? (made as Readonly<Record<string, string>>)['dap-project-id']
        expect(rememberedLabels(encoded, id)).toEqual({ ...rest, ...(owner && { owner }) })
        expect(rememberedLabels(encoded, 'another')).toBeUndefined()
        expect(encoded).toMatchObject(others)
        expect(readVersionLabels(encoded)).toEqual(readVersionLabels(made))
        expect(rememberingLabels(encoded, id, labels)).toEqual(encoded)
        expect(Object.keys(encoded).length).toBeLessThanOrEqual(64)
        for (const [key, value] of Object.entries(encoded)) {
          expect(key).toMatch(/^[a-z][a-z0-9_-]{0,62}$/)
          expect(value).toMatch(/^[a-z0-9_-]{0,63}$/)
        }
      }),
    )
  })

  it('say nothing that was not said to them last', () => {
    fc.assert(
      fc.property(ours, ours, (before, after) => {
        const twice = rememberingLabels(rememberingLabels({}, '4711', before), '4711', { ...after, owner: 'q7m2vx4t' })
        expect(twice).toEqual(rememberingLabels({}, '4711', { ...after, owner: 'q7m2vx4t' }))
      }),
    )
  })

  it('may be edited by hand: what makes no sense reads as absent', () => {
    const remembering = rememberingLabels({}, '4711', { ...IDENTITY, stable: '5', hold: '6' })
    const broken = { ...remembering, 'dap-endpoint-stable': 'v1', 'dap-endpoint-hold': 'all' }
    expect(rememberedLabels(broken, '4711')).toEqual(IDENTITY)
    expect(rememberedLabels({ 'dap-endpoint': '4711', team: 'games' }, '4711')).toBeUndefined()
  })

  it('say of one that was rolled back that it is held, until it is released', () => {
    const held = heldLabels({ team: 'games' }, true)
    expect([isHeldVersion(held), isHeldVersion({ team: 'games' })]).toEqual([true, false])
    expect(heldLabels(held, false)).toEqual({ team: 'games' })
  })
})

const IDENTITY = { project: 'games', environment: 'prod', deployment: 'shop-offer' }

it('labels of a version say what it is made of', () => {
  for (const desired of [wanted(), wanted({ snapshot: 'learnt' })]) {
    const labels = versionLabels(desired, TARGET, CONTEXT.commit)
    expect(readVersionLabels(labels)).toEqual(versionParts(desired))
    expect(Object.values(labels).every(value => /^[a-z0-9_-]{1,63}$/.test(value))).toBe(true)
  }
  expect(readVersionLabels({ 'dap-digest': 'by hand' })).toBeUndefined()
})
