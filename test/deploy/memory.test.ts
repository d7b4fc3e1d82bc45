import { describe, expect, it } from 'vitest'
import type { ActualDeployment } from '../../src/deploy/actual.ts'
import { contentLabels, decodeLabels } from '../../src/deploy/labels.ts'
import { defaultVersion, remember, toRemember } from '../../src/deploy/memory.ts'
import { stream } from '../../src/math/rng.ts'
import { memoryCloud } from '../support/memory-vertex.ts'
import { apply, NOTHING, wanted } from './support.ts'

const FIRST = wanted()
const MODEL = FIRST.model.id
const LIVE = apply(FIRST, NOTHING)
const ours = ({ endpoint }: ActualDeployment) => decodeLabels(endpoint!.labels).ours!
const version = defaultVersion(LIVE.versions, MODEL)!

describe('what a default version remembers', () => {
  it('is all that is to be written only where it is not there yet', () => {
    expect(toRemember(version, LIVE.endpoint!, ours(LIVE), FIRST)).toBeUndefined()
    const held = { ...ours(LIVE), hold: 'a'.repeat(32) }
    expect(toRemember(version, LIVE.endpoint!, held, FIRST)).toEqual({
      ...version.labels,
      'dap-endpoint-hold': 'a'.repeat(32),
    })
  })

  it('keeps the labels of others, and loses what the endpoint no longer says', () => {
    const labels = { ...version.labels, team: 'games', 'dap-endpoint-candidate': '77' }
    expect(toRemember({ ...version, labels }, LIVE.endpoint!, ours(LIVE), FIRST)).toEqual({
      ...version.labels,
      team: 'games',
    })
  })

  it('what it is made of is put back where it is deployed as what Git says, and nowhere else', () => {
    const wiped = { ...version, labels: { team: 'games' } }
    expect(toRemember(wiped, LIVE.endpoint!, ours(LIVE), FIRST)).toMatchObject({
      team: 'games',
      ...contentLabels(FIRST),
      'dap-endpoint-stable': FIRST.deployed.id,
    })
    for (const [endpoint, desired] of [
      [LIVE.endpoint!, undefined],
      [LIVE.endpoint!, wanted({ policy: 'second' })],
      [{ ...LIVE.endpoint!, deployedModels: [] }, FIRST],
      [
        { ...LIVE.endpoint!, deployedModels: LIVE.endpoint!.deployedModels.map(each => ({ ...each, version: '7' })) },
        FIRST,
      ],
    ] as const) {
      expect(toRemember(wiped, endpoint, ours(LIVE), desired)).not.toHaveProperty('dap-digest')
    }
  })

  it('is written again where somebody else wrote in between, and only to the default version', async () => {
    const { cloud, vertex, clock } = memoryCloud()
    const { id: _, digest: __, ...made } = FIRST.model
    for (const team of ['first', 'second']) {
      await vertex.uploadModel(MODEL, { ...made, labels: { team } })
      await clock.sleep(600_000)
    }
    const stale = await cloud.listVersions(MODEL)
    await cloud.updateVersion(MODEL, '1', {
      etag: stale.find(each => each.version === '1')!.etag,
      labels: { team: 'new' },
    })
    const patience = { clock, rng: stream(1, 'memory') }
    await remember({ cloud, model: MODEL, versions: stale }, LIVE.endpoint!, ours(LIVE), undefined, patience)
    const labels = Object.fromEntries((await cloud.listVersions(MODEL)).map(each => [each.version, each.labels]))
    expect(labels['1']).toMatchObject({ team: 'new', 'dap-endpoint': LIVE.endpoint!.id })
    expect(labels['2']).toEqual({ team: 'second' })
  })
})
