import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  areIntact,
  decodeLabels,
  encodeLabels,
  newVersion,
  notedVersion,
  readVersion,
  withoutLock,
} from '../../../src/adapters/vertex/labels.ts'
import { factsOf, identityOf, type Memory } from '../../../src/deploy/memory.ts'
import { partsOf } from '../../../src/deploy/parts.ts'
import type { ReleaseNote } from '../../../src/deploy/routes.ts'
import { TARGET, wanted } from '../../deploy/support.ts'

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

const ours: fc.Arbitrary<Memory> = fc.record({
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

/** As dap has written them ever since; older ones read them. */
const WRITTEN: Memory = {
  ...{ owner: 'q7m2vx4t9kd3hs8w', project: 'shop', environment: 'prod', deployment: 'offer' },
  ...{ digest: '0'.repeat(32), commit: `${'c'.repeat(40)}-dirty`, origin: '0123456789abcdef' },
  ...{ stable: '4031772213', candidate: '1200345678', candidateDigest: '1'.repeat(32), warmUntil: 1795400000 },
  ...{ previous: '7482165151', previousDigest: '2'.repeat(32), previousVersion: '3', hold: '3'.repeat(32) },
  traffic: { '4031772213': 90, '1200345678': 10 },
  scale: { minReplicas: 2, maxReplicas: 10, targetCpu: 60 },
  step: { index: 1, since: 1795400000, state: 'holding' },
  lock: {
    ...{ run: '0000beef', expires: 1795400900, owner: 'Anna@laptop' },
    process: { host: '3fa9c1d2e4b50617', pid: 4711, started: '5e0b77f1-1234567' },
  },
}

const ON_ENDPOINT = {
  team: 'x',
  'dap-project-id': 'q7m2vx4t9kd3hs8w',
  'dap-project': 'shop',
  'dap-env': 'prod',
  'dap-deployment': 'offer',
  'dap-digest': '00000000000000000000000000000000',
  'dap-commit': 'cccccccccccccccccccccccccccccccccccccccc-dirty',
  'dap-origin': '0123456789abcdef',
  'dap-stable': '4031772213',
  'dap-candidate': '1200345678',
  'dap-candidate-digest': '11111111111111111111111111111111',
  'dap-previous': '7482165151',
  'dap-previous-digest': '22222222222222222222222222222222',
  'dap-previous-version': '3',
  'dap-warm-until': '1795400000',
  'dap-traffic': '1200345678-10_4031772213-90',
  'dap-scale': '2-10-60',
  'dap-step': '1-1795400000-holding',
  'dap-hold': '33333333333333333333333333333333',
  'dap-seal': '09f3c360348cf452',
  'dap-lock': '0000beef-1795400900',
  'dap-lock-owner': 'anna-laptop',
  'dap-lock-process': '3fa9c1d2e4b50617-4711-5e0b77f1-1234567',
}

const ON_VERSION = {
  team: 'x',
  'dap-digest': 'd',
  'dap-endpoint': 'dap-offer-1',
  'dap-project-id': 'q7m2vx4t9kd3hs8w',
  'dap-project': 'shop',
  'dap-env': 'prod',
  'dap-deployment': 'offer',
  'dap-endpoint-digest': '00000000000000000000000000000000',
  'dap-endpoint-commit': 'cccccccccccccccccccccccccccccccccccccccc-dirty',
  'dap-endpoint-origin': '0123456789abcdef',
  'dap-endpoint-stable': '4031772213',
  'dap-endpoint-candidate': '1200345678',
  'dap-endpoint-candidate-digest': '11111111111111111111111111111111',
  'dap-endpoint-previous': '7482165151',
  'dap-endpoint-previous-digest': '22222222222222222222222222222222',
  'dap-endpoint-previous-version': '3',
  'dap-endpoint-warm-until': '1795400000',
  'dap-endpoint-scale': '2-10-60',
  'dap-endpoint-step': '1-1795400000-holding',
  'dap-endpoint-hold': '33333333333333333333333333333333',
  'dap-held': 'true',
  'dap-held-7482165151': 'true',
}

it('labels are letter for letter those of every dap before', () => {
  expect(encodeLabels(WRITTEN, { team: 'x' })).toEqual(ON_ENDPOINT)
  const { owner, project, environment, deployment } = WRITTEN
  const note: ReleaseNote = {
    whose: { owner, project, environment, deployment },
    copy: { route: 'dap-offer-1', facts: factsOf(WRITTEN) },
    held: { whole: true, workloads: ['7482165151'] },
  }
  expect(notedVersion({ team: 'x', 'dap-digest': 'd' }, note)).toEqual(ON_VERSION)
  expect(areIntact(ON_ENDPOINT)).toBe(true)
  expect(readVersion(ON_VERSION)).toEqual({ ...note, digest: 'd', parts: undefined, intact: true })
})

describe('the lock of an endpoint', () => {
  it('is taken away from among labels that stay as they are, be they as dap wrote them or not', () => {
    const edited = { ...ON_ENDPOINT, 'dap-hold': 'zzz' }
    const { 'dap-lock': _, 'dap-lock-owner': __, 'dap-lock-process': ___, ...rest } = edited
    expect(withoutLock(edited)).toEqual(rest)
    expect([areIntact(withoutLock(ON_ENDPOINT)), areIntact(withoutLock(edited))]).toEqual([true, false])
  })
})

describe('labels of a version', () => {
  const identity = ({ owner, project, environment, deployment }: Memory) => ({
    owner,
    project,
    environment,
    deployment,
  })
  const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value))
  const route = fc.constantFrom('dap-shop-offer-ab4ca260', '4711')
  const held = fc.record({ whole: fc.boolean(), workloads: fc.uniqueArray(id, { maxLength: 3 }) })
  const made = [wanted(), wanted({ snapshot: 'learnt' })].map(desired =>
    newVersion({ whose: identityOf(desired, TARGET), parts: partsOf(desired), commit: 'c'.repeat(40) }),
  )

  it('are read as they were noted, beside their own and those of others', () => {
    fc.assert(
      fc.property(ours, fc.constantFrom({}, ...made), foreign, route, held, (memory, before, others, id, holds) => {
        const note = { whose: identity(memory), copy: { route: id, facts: factsOf(memory) }, held: holds }
        const labels = notedVersion({ ...before, ...others }, note)
        // Whose it was, of a version that was made before there were ids, is what it is still.
        const owner = memory.owner ?? (before as Readonly<Record<string, string>>)['dap-project-id']
        expect(readVersion(labels)).toEqual({
          ...plain({ copy: note.copy, held: holds, whose: { ...note.whose, owner } }),
          ...{ digest: readVersion(before).digest, parts: readVersion(before).parts, intact: true },
        })
        expect(labels).toMatchObject(others)
        expect(notedVersion(labels, note)).toEqual(labels)
        expect(Object.keys(labels).length).toBeLessThanOrEqual(64)
        for (const [key, value] of Object.entries(labels)) {
          expect(key).toMatch(/^[a-z][a-z0-9_-]{0,62}$/)
          expect(value).toMatch(/^[a-z0-9_-]{0,63}$/)
        }
      }),
    )
  })

  it('say nothing that was not noted last, and keep what a note does not name', () => {
    fc.assert(
      fc.property(ours, ours, held, (before, after, holds) => {
        const noteOf = (memory: Memory) => ({
          whose: { ...identity(memory), owner: 'q7m2vx4t' },
          copy: { route: '4711', facts: factsOf(memory) },
        })
        const once = notedVersion(notedVersion({ ...made[0], team: 'x' }, { held: holds }), noteOf(after))
        expect(notedVersion(notedVersion({ ...once }, noteOf(before)), noteOf(after))).toEqual(once)
        expect(readVersion(once).held).toEqual(holds)
        expect(notedVersion(once, { held: { whole: false, workloads: [] } })).toMatchObject({ team: 'x' })
      }),
    )
  })

  it('may be edited by hand: what makes no sense reads as absent, and is known to be no whole copy', () => {
    for (const [label, value] of [
      ['dap-endpoint-stable', 'v1'],
      ['dap-endpoint-hold', 'all'],
      ['dap-endpoint-x', '1'],
    ]) {
      const { copy, intact } = readVersion({ ...ON_VERSION, [label]: value })
      expect(intact).toBe(false)
      expect(Object.values(copy!.facts)).not.toContain(value)
    }
    expect(readVersion({ 'dap-digest': 'by hand' })).toMatchObject({ digest: 'by hand', parts: undefined })
    expect(readVersion({ team: 'games' })).toEqual({
      ...{ whose: undefined, digest: undefined, parts: undefined, copy: undefined, intact: false },
      held: { whole: false, workloads: [] },
    })
  })

  it('say what it is made of', () => {
    for (const desired of [wanted(), wanted({ snapshot: 'learnt' })]) {
      const parts = partsOf(desired)
      const labels = newVersion({ whose: identityOf(desired, TARGET), parts, commit: null })
      expect(readVersion(labels)).toMatchObject({ digest: parts.digest, parts, whose: identityOf(desired, TARGET) })
      expect(Object.values(labels).every(value => /^[a-z0-9_-]{1,63}$/.test(value))).toBe(true)
    }
  })
})
