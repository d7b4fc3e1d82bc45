import { describe, expect, it } from 'vitest'
import { READS, type VertexApi } from '../../src/adapters/vertex/api.ts'
import { CloudError } from '../../src/deploy/cloud-error.ts'
import { readPatiently } from '../../src/deploy/reads.ts'
import { stream } from '../../src/math/rng.ts'
import { faulty } from '../support/faults.ts'
import { memoryCloud } from '../support/memory-vertex.ts'
import { vertexOf } from '../support/over-vertex.ts'

type Call = (...args: readonly unknown[]) => Promise<unknown>

const methods = Object.keys(memoryCloud().vertex).filter(key => key !== 'place') as Exclude<keyof VertexApi, 'place'>[]

/** A cloud that is always busy, and how often it was asked. */
function busy() {
  const { cloud, clock } = memoryCloud()
  let calls = 0
  const before = () => {
    calls++
    throw new CloudError('UNAVAILABLE', 'no')
  }
  return { cloud: faulty(cloud, { before }), patience: { clock, rng: stream(1, 'reads') }, calls: () => calls }
}

describe('a cloud that reads patiently', () => {
  it.each(methods)('tries a read again, and nothing else: %s', async method => {
    const { cloud, patience, calls } = busy()
    const call = readPatiently(vertexOf(cloud), READS, patience)[method] as Call
    await expect(call('x', 'y', 0, 1)).rejects.toMatchObject({ status: 'UNAVAILABLE' })
    expect(calls()).toBe(/^(get|list|running|requests)/.test(method) ? 11 : 1)
  })

  it('has one patience however often it is given one, and none for who wants none', async () => {
    const { cloud, patience, calls } = busy()
    const told: number[] = []
    const twice = cloud.patiently(patience).patiently({ ...patience, onRetry: (_, tried) => told.push(tried) })
    await twice.getRoute('x').catch(() => {})
    expect({ calls: calls(), told: told.length }).toEqual({ calls: 11, told: 10 })
    await twice
      .patiently(undefined)
      .getRoute('x')
      .catch(() => {})
    expect(calls()).toBe(12)
  })
})
