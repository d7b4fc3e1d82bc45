import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Endpoint, ModelVersion } from '../../src/deploy/cloud.ts'
import {
  decodeLabels,
  type EndpointLabels,
  encodeLabels,
  identityOf,
  rememberingLabels,
  versionLabels,
} from '../../src/deploy/labels.ts'
import { endpointId, formerId, modelId } from '../../src/deploy/names.ts'
import { type Declared, isOurs, ownedOf, recalled } from '../../src/deploy/ownership.ts'
import { TARGET, wanted } from './support.ts'

const { projectId, project, environment } = TARGET
const THEIRS = 's5p99qts43rwvwch'
const DECLARED: readonly Declared[] = [{ deployment: 'shop-offer', before: [] }]
const OURS = identityOf({ deployment: 'shop-offer' }, TARGET)
const OLDER = { project, environment, deployment: 'shop-offer' }

const endpoint = (id: string, labels: Partial<EndpointLabels>, foreign = {}): Endpoint => ({
  id,
  etag: '1',
  displayName: id,
  description: '',
  labels: encodeLabels(labels as EndpointLabels, foreign),
  dedicated: true,
  requestLog: null,
  traffic: {},
  deployedModels: [],
  host: null,
})

const version = (model: string, labels: Readonly<Record<string, string>>, aliases = ['default']): ModelVersion => ({
  model,
  version: '1',
  aliases,
  displayName: model,
  etag: '1',
  labels,
  created: 0,
})

const look = (endpoints: readonly Endpoint[], models: readonly ModelVersion[] = [], declared = DECLARED) => {
  const owned = ownedOf(endpoints, models, TARGET, declared)
  return {
    endpoints: owned.endpoints.map(({ id }) => id),
    models: owned.models.map(({ model }) => model),
    lost: [...owned.lost],
    foreign: owned.foreign.map(({ id, owner }) => `${id}: ${owner}`),
  }
}

const NOTHING = { endpoints: [], models: [], lost: [], foreign: [] }

describe('an endpoint', () => {
  it('whose labels name this repository is its own, whatever its id, its names, and what Git declares', () => {
    const owned = { ...OURS, project: 'other', environment: 'staging', deployment: 'gone' }
    expect(look([endpoint('4711', owned)], [], [])).toEqual({ ...NOTHING, endpoints: ['4711'] })
  })

  it('whose labels name another repository is that one’s, also under our names and our id', () => {
    const id = endpointId({ owner: projectId, environment, deployment: 'shop-offer' })
    const theirs = { ...OURS, owner: THEIRS }
    expect(look([endpoint(id, theirs)])).toEqual({ ...NOTHING, foreign: [`${id}: ${THEIRS}`] })
    // Under other names it is nobody's business here.
    expect(look([endpoint(id, { ...theirs, deployment: 'other' })])).toEqual(NOTHING)
    expect(look([endpoint(id, { ...theirs, environment: 'staging' })])).toEqual(NOTHING)
  })

  it.each([
    ['the id of today', endpointId({ owner: projectId, environment, deployment: 'shop-offer' })],
    ['its numeric form', endpointId({ owner: projectId, environment, deployment: 'shop-offer' }, 'numeric')],
    ['the id of before there were ids of projects', formerId(project, environment, 'shop-offer')],
  ])('without labels of dap is ours by %s', (_, id) => {
    const read = ownedOf([endpoint(id, {}, { team: 'games' })], [], TARGET, DECLARED)
    expect([...read.lost]).toEqual([id])
    expect(read.endpoints.map(({ labels }) => decodeLabels(labels))).toEqual([
      { ours: OURS, foreign: { team: 'games' } },
    ])
    expect(look([endpoint(id, {})], [], [])).toEqual(NOTHING)
  })

  it('without labels of dap is ours by the id that it had under a name of before', () => {
    const id = endpointId({ owner: projectId, environment: 'staging', deployment: 'old-offer' })
    const before = [{ environment: 'staging', deployment: 'old-offer' }]
    const read = ownedOf([endpoint(id, {})], [], TARGET, [{ deployment: 'shop-offer', before }])
    expect(read.endpoints.map(({ labels }) => decodeLabels(labels).ours)).toEqual([
      { ...OURS, environment: 'staging', deployment: 'old-offer' },
    ])
  })

  it('without labels of dap is ours by a version that serves on it, with all that it remembers', () => {
    const remembered = { ...OURS, stable: '5', hold: 'a'.repeat(32), digest: 'b'.repeat(32) }
    const own = version('handmade', rememberingLabels({}, '4711', remembered))
    const read = ownedOf([endpoint('4711', {}, { team: 'games' })], [own], TARGET, [])
    expect(read.endpoints.map(({ labels }) => decodeLabels(labels))).toEqual([
      { ours: remembered, foreign: { team: 'games' } },
    ])
    const older = version('handmade', rememberingLabels({}, '4711', OLDER))
    expect(look([endpoint('4711', {})], [older], []).endpoints).toEqual([])
  })

  it('without labels of dap is another repository’s where what serves on it says so, also under our id', () => {
    const id = endpointId({ owner: projectId, environment, deployment: 'shop-offer' })
    const [ours, theirs] = [projectId, THEIRS].map(owner =>
      version(`of-${owner}`, rememberingLabels({}, id, { ...OURS, owner })),
    )
    const serving = { id: '5', displayName: 'v1', version: '1', machineType: '', serviceAccount: null, created: 0 }
    const scale = { minReplicas: 1, maxReplicas: 1, targetCpu: 60 }
    const serves = ({ model }: ModelVersion): Endpoint => ({
      ...endpoint(id, {}),
      deployedModels: [{ ...serving, model, scale, available: 1 }],
    })
    expect(look([endpoint(id, {})], [theirs])).toEqual({ ...NOTHING, foreign: [`${id}: ${THEIRS}`] })
    // What served before it was adopted may say so still.
    for (const models of [
      [ours, theirs],
      [theirs, ours],
    ]) {
      expect(look([serves(theirs)], models)).toMatchObject({ endpoints: [], foreign: [`${id}: ${THEIRS}`] })
      expect(look([serves(ours)], models)).toMatchObject({ endpoints: [id], foreign: [] })
    }
  })

  it('that is older than the ids of projects is claimed under a name that Git declares alone', () => {
    const older = endpoint('4711', OLDER)
    expect(look([older])).toEqual({ ...NOTHING, endpoints: ['4711'] })
    expect(look([older], [], [])).toEqual(NOTHING)
    expect(look([older], [], [{ deployment: 'other', before: [OLDER] }])).toEqual({ ...NOTHING, endpoints: ['4711'] })
    // Of another project's name it is another's.
    const casino = endpoint('4711', { ...OLDER, project: 'casino' })
    expect(look([casino])).toEqual({ ...NOTHING, foreign: ['4711: null'] })
  })
})

describe('a model', () => {
  const id = modelId({ owner: projectId, environment, deployment: 'shop-offer' })
  const made = versionLabels(wanted(), TARGET, null)

  it('is ours by its labels, or without them by its id', () => {
    expect(look([], [version('any', made)]).models).toEqual(['any'])
    expect(look([], [version(id, { team: 'games' })]).models).toEqual([id])
    expect(look([], [version('any', { team: 'games' })]).models).toEqual([])
    expect(look([], [version(id, { ...made, 'dap-project-id': THEIRS })]).models).toEqual([])
  })
})

it('nothing is two repositories’, and labels decide before ids and models do', () => {
  const name = fc.constantFrom('shop-offer', 'other')
  const owner = fc.constantFrom(projectId, THEIRS, undefined)
  const things = fc.record({
    owner,
    name,
    project: fc.constantFrom(project, 'casino'),
    wiped: fc.boolean(),
    id: fc.constantFrom(
      '4711',
      ...[projectId, THEIRS].map(each => endpointId({ owner: each, environment, deployment: 'shop-offer' })),
    ),
    proof: owner,
  })
  fc.assert(
    fc.property(things, thing => {
      const labels = {
        ...(thing.owner && { owner: thing.owner }),
        project: thing.project,
        environment,
        deployment: thing.name,
      }
      const live = endpoint(thing.id, thing.wiped ? {} : labels)
      const proof = version('m', rememberingLabels({}, thing.id, { ...OURS, owner: thing.proof }))
      const [a, b] = [projectId, THEIRS].map(each =>
        ownedOf([live], [proof], { ...TARGET, projectId: each }, DECLARED).endpoints.map(({ labels: read }) => {
          const { ours } = decodeLabels(read)
          expect(isOurs(ours!, { ...TARGET, projectId: each })).toBe(true)
          return each
        }),
      )
      const claimed = [...a, ...b]
      const says = thing.wiped ? thing.proof : thing.owner
      if (says !== undefined) expect(claimed).toEqual([says])
      else if (thing.wiped) expect(claimed.length).toBe(thing.id === '4711' && thing.proof === undefined ? 0 : 1)
      else if (thing.project !== project) expect(claimed).toEqual([])
      else if (thing.proof !== undefined) expect(claimed.filter(each => each !== thing.proof)).toEqual([])
    }),
  )
})

describe('what is remembered of an endpoint', () => {
  const remembered = { ...OURS, stable: '5', candidate: '6' }
  const memory = version('m', rememberingLabels({}, '4711', remembered))

  it('is of the default version, and counts only where the endpoint says nothing', () => {
    const wiped = endpoint('4711', {}, { team: 'games' })
    expect(decodeLabels(recalled(wiped, [memory], OURS).labels)).toEqual({
      ours: remembered,
      foreign: { team: 'games' },
    })
    expect(decodeLabels(recalled(wiped, [{ ...memory, aliases: [] }], OURS).labels).ours).toEqual(OURS)
    const other = endpoint('4712', {})
    expect(decodeLabels(recalled(other, [memory], OURS).labels).ours).toEqual(OURS)
    const live = endpoint('4711', { ...OURS, stable: '7' })
    expect(recalled(live, [memory], OURS)).toBe(live)
  })
})
