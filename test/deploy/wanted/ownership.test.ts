import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Identity, identityOf, type Memory } from '../../../src/deploy/memory.ts'
import { endpointId, formerId, modelId } from '../../../src/deploy/names.ts'
import type { Release, Route } from '../../../src/deploy/routes.ts'
import { type Declared, isOurs, ownedOf, recalled } from '../../../src/deploy/wanted/ownership.ts'
import { release } from '../../support/pure-cloud.ts'
import { TARGET } from '../support.ts'

const { projectId, project, environment } = TARGET
const THEIRS = 's5p99qts43rwvwch'
const DECLARED: readonly Declared[] = [{ deployment: 'shop-offer', before: [] }]
const OURS = identityOf({ deployment: 'shop-offer' }, TARGET)
const OLDER = { project, environment, deployment: 'shop-offer' }

/** One that says `memory`; where that is nothing, it was taken away. */
const endpoint = (id: string, memory: Identity | undefined): Route => ({
  ...{ id, version: '1', displayName: id, description: '', dedicated: true, requestLog: null, host: null, raw: {} },
  ...{ memory, intact: memory !== undefined, traffic: {}, workloads: [] },
})

const current = (shelf: string, more: Partial<Release>) => release(shelf, '1', { current: true, ...more })
/** A current release that remembers an endpoint. */
const remembering = (shelf: string, route: string, { owner, project, environment, deployment, ...facts }: Memory) =>
  current(shelf, { whose: { owner, project, environment, deployment }, copy: { route, facts }, intact: true })

const look = (endpoints: readonly Route[], releases: readonly Release[] = [], declared = DECLARED) => {
  const owned = ownedOf(endpoints, releases, TARGET, declared)
  return {
    endpoints: owned.endpoints.map(({ id }) => id),
    releases: owned.releases.map(({ shelf }) => shelf),
    lost: [...owned.lost],
    foreign: owned.foreign.map(({ id, owner }) => `${id}: ${owner}`),
  }
}

const NOTHING = { endpoints: [], releases: [], lost: [], foreign: [] }

describe('an endpoint', () => {
  it('that names this repository is its own, whatever its id, its names, and what Git declares', () => {
    const owned = { ...OURS, project: 'other', environment: 'staging', deployment: 'gone' }
    expect(look([endpoint('4711', owned)], [], [])).toEqual({ ...NOTHING, endpoints: ['4711'] })
  })

  it('that names another repository is that one’s, also under our names and our id', () => {
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
  ])('whose memory was taken away is ours by %s', (_, id) => {
    const read = ownedOf([endpoint(id, undefined)], [], TARGET, DECLARED)
    expect([...read.lost]).toEqual([id])
    expect(read.endpoints.map(({ memory }) => memory)).toEqual([OURS])
    expect(look([endpoint(id, undefined)], [], [])).toEqual(NOTHING)
  })

  it('whose memory was taken away is ours by the id that it had under a name of before', () => {
    const id = endpointId({ owner: projectId, environment: 'staging', deployment: 'old-offer' })
    const before = [{ environment: 'staging', deployment: 'old-offer' }]
    const read = ownedOf([endpoint(id, undefined)], [], TARGET, [{ deployment: 'shop-offer', before }])
    expect(read.endpoints.map(({ memory }) => memory)).toEqual([
      { ...OURS, environment: 'staging', deployment: 'old-offer' },
    ])
  })

  it('whose memory was taken away is ours by a version that serves on it, with all that it remembers', () => {
    const remembered = { ...OURS, stable: '5', hold: 'a'.repeat(32), digest: 'b'.repeat(32) }
    const own = remembering('handmade', '4711', remembered)
    const read = ownedOf([endpoint('4711', undefined)], [own], TARGET, [])
    expect(read.endpoints.map(({ memory }) => memory)).toEqual([remembered])
    const older = remembering('handmade', '4711', OLDER)
    expect(look([endpoint('4711', undefined)], [older], []).endpoints).toEqual([])
  })

  it('whose memory was taken away is another repository’s where what serves on it says so, also under our id', () => {
    const id = endpointId({ owner: projectId, environment, deployment: 'shop-offer' })
    const [ours, theirs] = [projectId, THEIRS].map(owner => remembering(`of-${owner}`, id, { ...OURS, owner }))
    const serving = { id: '5', displayName: 'v1', release: '1', machineType: '', serviceAccount: null, created: 0 }
    const scale = { minReplicas: 1, maxReplicas: 1, targetCpu: 60 }
    const serves = ({ shelf }: Release): Route => ({
      ...endpoint(id, undefined),
      workloads: [{ ...serving, shelf, scale, available: 1 }],
    })
    expect(look([endpoint(id, undefined)], [theirs])).toEqual({ ...NOTHING, foreign: [`${id}: ${THEIRS}`] })
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

describe('a release', () => {
  const id = modelId({ owner: projectId, environment, deployment: 'shop-offer' })
  const whose = OURS

  it('is ours by what it says, or else by its id', () => {
    expect(look([], [current('any', { whose })]).releases).toEqual(['any'])
    expect(look([], [current(id, {})]).releases).toEqual([id])
    expect(look([], [current('any', {})]).releases).toEqual([])
    expect(look([], [current(id, { whose: { ...whose, owner: THEIRS } })]).releases).toEqual([])
  })
})

it('nothing is two repositories’, and what an endpoint says decides before ids and releases do', () => {
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
      const whose = {
        ...(thing.owner && { owner: thing.owner }),
        project: thing.project,
        environment,
        deployment: thing.name,
      }
      const live = endpoint(thing.id, thing.wiped ? undefined : whose)
      const proof = remembering('m', thing.id, { ...OURS, owner: thing.proof })
      const [a, b] = [projectId, THEIRS].map(each =>
        ownedOf([live], [proof], { ...TARGET, projectId: each }, DECLARED).endpoints.map(({ memory }) => {
          expect(isOurs(memory!, { ...TARGET, projectId: each })).toBe(true)
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
  const memory = remembering('m', '4711', remembered)

  it('is of the current release, and counts only where the endpoint says nothing', () => {
    const wiped = endpoint('4711', undefined)
    expect(recalled(wiped, [memory], OURS).memory).toEqual(remembered)
    expect(recalled(wiped, [{ ...memory, current: false }], OURS).memory).toEqual(OURS)
    expect(recalled(endpoint('4712', undefined), [memory], OURS).memory).toEqual(OURS)
    const live = endpoint('4711', { ...OURS, deployment: 'other' })
    expect(recalled(live, [memory], OURS)).toBe(live)
  })
})
