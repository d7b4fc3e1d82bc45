import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { vertexBucket } from '../../../src/adapters/vertex/bucket.ts'
import type { Place } from '../../../src/deploy/routes.ts'

const PLACE: Place = { target: 'vertex', project: 'shop-ml', region: 'europe-west1', bucket: 'shop-dap' }
const NAME = 'dap/bundles/shop offer-0123456789ab/bundle.json'

const undo: (() => void)[] = []
afterEach(() => {
  for (const each of undo.splice(0)) each()
})

/** The bucket of an emulator that answers like this. */
async function bucketOf(answer: RequestListener) {
  const server = createServer(answer)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  undo.push(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return vertexBucket(PLACE, url, () => Promise.reject(new Error('nobody should ask for credentials')))
}

describe('an object', () => {
  it('is asked for by its name, with credentials where it is in the real cloud', async () => {
    const asked: (readonly [string, RequestInit['headers']])[] = []
    vi.stubGlobal('fetch', async (url: string, { headers }: RequestInit) => {
      asked.push([url, headers])
      return new Response('{}')
    })
    undo.push(() => vi.unstubAllGlobals())
    const headers = new Headers({ authorization: 'Bearer token' })
    expect(await vertexBucket(PLACE, null, async () => headers).getArtefact(NAME, 10)).toBe('{}')
    const object = 'dap%2Fbundles%2Fshop%20offer-0123456789ab%2Fbundle.json'
    expect(asked).toEqual([[`https://storage.googleapis.com/storage/v1/b/shop-dap/o/${object}?alt=media`, headers]])
  })

  it('that has no end is left alone once it is larger than was asked for', async () => {
    let closed: Promise<unknown> = Promise.reject(new Error('nothing was asked for'))
    closed.catch(() => {})
    const { getArtefact } = await bucketOf((_, response) => {
      closed = new Promise(done => response.on('close', done))
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', write)
      write()
    })
    expect(await getArtefact(NAME, 1_000_000)).toBeUndefined()
    await closed
  })

  it('is an error with a status and a hint where it is refused, and where nobody answers', async () => {
    const refused = await bucketOf((_, response) =>
      response.writeHead(403).end('ci@shop-ml has no storage.objects.get'),
    )
    await expect(refused.getArtefact(NAME, 10)).rejects.toMatchObject({
      name: 'CloudError',
      status: 'PERMISSION_DENIED',
      message: 'PERMISSION_DENIED: ci@shop-ml has no storage.objects.get',
      hint: expect.stringContaining('roles/storage.objectAdmin on gs://shop-dap'),
    })
    const broken = await bucketOf(request => request.socket.destroy())
    await expect(broken.getArtefact(NAME, 10)).rejects.toMatchObject({ name: 'CloudError', status: 'UNAVAILABLE' })
    const torn = await bucketOf((request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{', () => request.socket.destroy())
    })
    await expect(torn.getArtefact(NAME, 100)).rejects.toMatchObject({ name: 'CloudError', status: 'UNAVAILABLE' })
  })
})
