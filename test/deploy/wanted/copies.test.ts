import { describe, expect, it } from 'vitest'
import { remember } from '../../../src/deploy/doing/remember.ts'
import { partsOf } from '../../../src/deploy/parts.ts'
import type { ActualDeployment } from '../../../src/deploy/wanted/actual.ts'
import { currentRelease, toRemember } from '../../../src/deploy/wanted/copies.ts'
import { stream } from '../../../src/math/rng.ts'
import { memoryCloud } from '../../support/memory-vertex.ts'
import { apply, NOTHING, wanted } from '../support.ts'

const FIRST = wanted()
const MODEL = FIRST.model.id
const LIVE = apply(FIRST, NOTHING)
const ours = ({ endpoint }: ActualDeployment) => endpoint!.memory!
const current = currentRelease(LIVE.releases, MODEL)!

describe('what a current release remembers', () => {
  it('is all that is to be written only where it is not there yet', () => {
    expect(toRemember(current, LIVE.endpoint!, ours(LIVE), FIRST)).toBeUndefined()
    const hold = 'a'.repeat(32)
    const held = toRemember(current, LIVE.endpoint!, { ...ours(LIVE), hold }, FIRST)
    expect(held?.copy).toEqual({ ...current.copy, facts: { ...current.copy?.facts, hold } })
  })

  it('is written whole where the endpoint no longer says it, or somebody has edited it', () => {
    const { copy, whose } = toRemember(current, LIVE.endpoint!, ours(LIVE), undefined) ?? current
    const more = { ...copy!, facts: { ...copy!.facts, candidate: '77' } }
    for (const edited of [{ copy: more }, { intact: false }, { whose: undefined }, { copy: undefined }]) {
      expect(toRemember({ ...current, ...edited }, LIVE.endpoint!, ours(LIVE), FIRST)).toEqual({ copy, whose })
    }
  })

  it('what it is made of is put back where it is deployed as what Git says, and nowhere else', () => {
    const wiped = { ...current, whose: undefined, digest: undefined, parts: undefined, copy: undefined, intact: false }
    expect(toRemember(wiped, LIVE.endpoint!, ours(LIVE), FIRST)).toMatchObject({
      parts: partsOf(FIRST),
      copy: { facts: { stable: FIRST.deployed.id } },
    })
    for (const [endpoint, desired] of [
      [LIVE.endpoint!, undefined],
      [LIVE.endpoint!, wanted({ policy: 'second' })],
      [{ ...LIVE.endpoint!, workloads: [] }, FIRST],
      [{ ...LIVE.endpoint!, workloads: LIVE.endpoint!.workloads.map(each => ({ ...each, release: '7' })) }, FIRST],
    ] as const) {
      expect(toRemember(wiped, endpoint, ours(LIVE), desired)?.parts).toBeUndefined()
    }
  })

  it('is written again where somebody else wrote in between, and only to the current release', async () => {
    const { cloud, vertex, clock } = memoryCloud()
    const { id: _, digest: __, ...made } = FIRST.model
    for (const team of ['first', 'second']) {
      await vertex.uploadModel(MODEL, { ...made, labels: { team } })
      await clock.sleep(600_000)
    }
    const stale = await cloud.releasesOf(MODEL)
    await vertex.updateVersion(MODEL, '1', {
      etag: stale.find(each => each.id === '1')!.version,
      labels: { team: 'new' },
    })
    const patience = { clock, rng: stream(1, 'memory') }
    await remember({ cloud, shelf: MODEL, releases: stale }, LIVE.endpoint!, ours(LIVE), undefined, patience)
    const labels = Object.fromEntries((await vertex.listVersions(MODEL)).map(each => [each.version, each.labels]))
    expect(labels['1']).toMatchObject({ team: 'new', 'dap-endpoint': LIVE.endpoint!.id })
    expect(labels['2']).toEqual({ team: 'second' })
  })
})
