import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cloudObjects } from '../../src/adapters/objects.ts'
import { bundleLoader } from '../../src/commands/serve/sources.ts'
import type { Host } from '../../src/host.ts'
import { bundleText, createBundle } from '../../src/policy/bundle.ts'
import { resourceDigest } from '../../src/policy/digest.ts'
import { createPolicy } from '../../src/policy/policy.ts'
import { createPolicySource } from '../../src/serve/deciding/policies.ts'
import { policySpec } from '../policy/support.ts'

interface Stored {
  text: string
  generation: number
}

/** A bucket behind as much of Cloud Storage's JSON API as a list and a read need; the client is the real one. */
async function bucket(objects: Record<string, Stored>): Promise<void> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://bucket')
    const [, name] = /\/o\/([^?]+)$/.exec(url.pathname) ?? []
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    const metadata = (key: string) => ({
      name: key,
      bucket: 'saga-dap',
      generation: String(objects[key].generation),
      size: String(objects[key].text.length),
    })
    if (!url.pathname.includes('/b/saga-dap/')) return answer(404, { error: { code: 404, message: 'no such bucket' } })
    if (name === undefined) {
      const prefix = url.searchParams.get('prefix') ?? ''
      return answer(200, {
        items: Object.keys(objects)
          .filter(key => key.startsWith(prefix))
          .map(metadata),
      })
    }
    const key = decodeURIComponent(name)
    if (!(key in objects)) return answer(404, { error: { code: 404, message: 'no such object' } })
    if (url.searchParams.get('alt') !== 'media') return answer(200, metadata(key))
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(objects[key].text)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const before = process.env['STORAGE_EMULATOR_HOST']
  process.env['STORAGE_EMULATOR_HOST'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  onTestFinished(() => {
    if (before === undefined) delete process.env['STORAGE_EMULATOR_HOST']
    else process.env['STORAGE_EMULATOR_HOST'] = before
    server.close()
  })
}

function bundle(name: string): string {
  const spec = policySpec()
  return bundleText(createBundle(createPolicy(name, spec, resourceDigest('Policy', name, spec)), null, '0.2.0'))
}

const host = { cwd: '/', objects: cloudObjects } as unknown as Host

describe('Cloud Storage', () => {
  it('gives the bundles below a folder, and another stamp when one is written anew', async () => {
    const objects: Record<string, Stored> = {
      'models/offer-1/bundle.json': { text: bundle('offer'), generation: 1 },
      'models/bundle.json': { text: bundle('level'), generation: 1 },
      'models/offer-1/other.json': { text: '{}', generation: 1 },
      'models/a/b/c/bundle.json': { text: bundle('deep'), generation: 1 },
      'models-of-others/bundle.json': { text: bundle('theirs'), generation: 1 },
    }
    await bucket(objects)
    const loader = bundleLoader(host, 'gs://saga-dap/models')
    const { policies, faults } = await loader.load()
    expect({ names: [...policies.keys()].sort(), faults }).toEqual({ names: ['level', 'offer'], faults: [] })
    const stamp = await loader.stamp()
    expect(await loader.stamp()).toBe(stamp)
    objects['models/bundle.json'] = { text: bundle('level'), generation: 2 }
    expect(await loader.stamp()).not.toBe(stamp)
    const one = await bundleLoader(host, 'gs://saga-dap/models/offer-1/bundle.json').load()
    expect([...one.policies.keys()]).toEqual(['offer'])
  })

  it('says what is wrong with what is there', async () => {
    await bucket({
      'a/bundle.json': { text: '{"schema": ', generation: 1 },
      'b/bundle.json': { text: bundle('offer').replace('playerId', 'userId'), generation: 1 },
    })
    const faultsOf = async (uri: string) => (await bundleLoader(host, uri).load()).faults
    expect(await faultsOf('gs://saga-dap/a')).toEqual([
      expect.stringMatching(/^bundle `gs:\/\/saga-dap\/a\/bundle.json`: it is not JSON: /),
    ])
    expect(await faultsOf('gs://saga-dap/b')).toEqual([expect.stringContaining("the bundle's content is sha256:")])
    expect(await faultsOf('gs://saga-dap/c')).toEqual(['there is no bundle.json in `gs://saga-dap/c`'])
    await expect(bundleLoader(host, 'gs://another/a').load()).rejects.toThrow(
      'cannot read `gs://another/a`: it does not exist',
    )
    await expect(bundleLoader(host, 'gs://').load()).rejects.toThrow('`gs://` is no place in Cloud Storage')
  })

  it('says what to do where it cannot be read, now and whenever what is wrong is new', async () => {
    await bucket({})
    const source = createPolicySource({ loader: bundleLoader(host, 'gs://another/a'), pollMs: 1000 })
    expect(await source.reload()).toMatchObject({
      faults: ['cannot read `gs://another/a`: it does not exist'],
      hint: expect.stringContaining('roles/storage.objectViewer'),
    })
    expect(await source.reload()).toEqual({ changed: [], faults: [], hint: undefined })
  })

  it('reads no object that is too large', async () => {
    await bucket({ 'large.json': { text: 'x'.repeat(100), generation: 1 } })
    const objects = await cloudObjects()
    expect(await objects.read('gs://saga-dap/large.json', 100)).toHaveLength(100)
    await expect(objects.read('gs://saga-dap/large.json', 99)).rejects.toThrow('has 100 bytes, more than the 99')
  })
})
