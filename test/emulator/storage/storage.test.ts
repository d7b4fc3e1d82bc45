import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { thisProcess } from '../../../src/adapters/node/processes.ts'
import { startEmulator } from '../../../src/emulator/emulator.ts'
import { crc32c } from '../../../src/emulator/storage/object-store.ts'
import type { DapError } from '../../../src/errors.ts'
import { vertexClients } from '../../support/vertex-clients.ts'

async function emulated(data?: string) {
  const emulator = await startEmulator({ port: 0, seed: 1, ...(data === undefined ? {} : { data }) })
  const { storage, close } = await vertexClients(emulator.port)
  onTestFinished(async () => {
    await close()
    await emulator.stop()
  })
  return { emulator, storage, bucket: storage.bucket('saga-dap') }
}

async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-emulator-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Larger than the chunk that a resumable upload below is cut into, and of every byte. */
const LARGE = Buffer.from(Array.from({ length: 600_000 }, (_, i) => (i * 7 + (i >> 8)) & 255))

describe("Google's storage client", () => {
  it('writes in one request and in several, reads with checksums, and lists in pages', async () => {
    const { bucket } = await emulated()
    await bucket.file('dap/b.json').save('{"b": 1}', { resumable: false, contentType: 'application/json' })
    await bucket.file('dap/large.bin').save(LARGE, { resumable: true, validation: 'crc32c' })
    await bucket.file('dap/chunked.bin').save(LARGE, { resumable: true, chunkSize: 256 * 1024 })
    await bucket.file('dap/a b&c/é.json').save('x', { resumable: false, metadata: { metadata: { by: 'ann' } } })
    await bucket.file('other.json').save('', { resumable: false })

    const [text] = await bucket.file('dap/b.json').download()
    expect(text.toString()).toBe('{"b": 1}')
    for (const name of ['dap/large.bin', 'dap/chunked.bin']) {
      const [bytes] = await bucket.file(name).download({ validation: 'crc32c' })
      expect(bytes.equals(LARGE)).toBe(true)
    }
    const [part] = await bucket.file('dap/large.bin').download({ start: 10, end: 19 })
    expect(part.equals(LARGE.subarray(10, 20))).toBe(true)
    const [metadata] = await bucket.file('dap/b.json').getMetadata()
    expect(metadata).toMatchObject({
      ...{ name: 'dap/b.json', bucket: 'saga-dap', size: '8', contentType: 'application/json' },
      ...{ crc32c: crc32c(Buffer.from('{"b": 1}')), generation: expect.stringMatching(/^\d+$/) },
    })
    expect((await bucket.file('dap/a b&c/é.json').getMetadata())[0].metadata).toEqual({ by: 'ann' })

    const names = async (options: object) => (await bucket.getFiles(options))[0].map(({ name }) => name)
    expect(await names({ prefix: 'dap/' })).toEqual([
      'dap/a b&c/é.json',
      'dap/b.json',
      'dap/chunked.bin',
      'dap/large.bin',
    ])
    const pages: string[][] = []
    for (let query: object | null = { maxResults: 2, autoPaginate: false }; query !== null; ) {
      const [files, next]: [{ name: string }[], object | null, ...unknown[]] = await bucket.getFiles(query)
      pages.push(files.map(({ name }) => name))
      query = next
    }
    expect(pages).toEqual([['dap/a b&c/é.json', 'dap/b.json'], ['dap/chunked.bin', 'dap/large.bin'], ['other.json']])
    expect(await names({ delimiter: '/' })).toEqual(['other.json'])
    expect(await names({ prefix: 'nothing' })).toEqual([])
  })

  it('is refused where a precondition fails, and told that an object does not exist', async () => {
    const { emulator, bucket } = await emulated()
    const file = bucket.file('once.json')
    const once = { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }
    expect(await file.exists()).toEqual([false])
    await file.save('first', once)
    await expect(file.save('second', once)).rejects.toMatchObject({ code: 412 })
    const [{ generation }] = await file.getMetadata()
    await file.save('third', { resumable: false, preconditionOpts: { ifGenerationMatch: Number(generation) } })
    expect((await file.download())[0].toString()).toBe('third')
    await file.delete()
    await expect(file.delete()).rejects.toMatchObject({ code: 404 })
    await expect(file.download()).rejects.toMatchObject({ code: 404 })
    await file.delete({ ignoreNotFound: true })
    expect((await fetch(`${emulator.url}/storage/v1/b/saga-dap/o/%zz`)).status).toBe(400)
  })

  it('lets one of many writers at once win', async () => {
    const { bucket } = await emulated()
    const once = { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }
    const tries = Array.from({ length: 8 }, (_, i) => bucket.file('race').save(`writer ${i}`, once))
    const settled = await Promise.allSettled(tries)
    const winners = settled.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []))
    expect(winners).toHaveLength(1)
    expect((await bucket.file('race').download())[0].toString()).toBe(`writer ${winners[0]}`)
  })

  it('makes buckets, and finds those that a write has made', async () => {
    const { storage, bucket } = await emulated()
    expect(await bucket.exists()).toEqual([false])
    await bucket.file('a').save('a', { resumable: false })
    expect(await bucket.exists()).toEqual([true])
    await storage.createBucket('another')
    await expect(storage.createBucket('another')).rejects.toMatchObject({ code: 409 })
    expect((await storage.getBuckets())[0].map(({ name }) => name)).toEqual(['another', 'saga-dap'])
  })

  it('meets the faults that wait for it', async () => {
    const { emulator, storage } = await emulated()
    storage.retryOptions.autoRetry = false
    const file = storage.bucket('saga-dap').file('a')
    emulator.faults.add({ on: 'storage.put', fault: 'unavailable' })
    await expect(file.save('a', { resumable: false })).rejects.toMatchObject({ code: 503 })
    expect(await file.exists()).toEqual([false])
    emulator.faults.add({ on: 'storage.put', fault: 'lost-response' })
    await expect(file.save('a', { resumable: false })).rejects.toMatchObject({ code: 503 })
    expect(await file.exists()).toEqual([true])
  })
})

describe('the data folder', () => {
  it('keeps objects over a restart, whatever their names', async () => {
    const data = await dataFolder()
    const names = ['../../escape', '/etc/passwd', 'a/../b', '.', 'con', 'x'.repeat(900), 'emulator.pid']
    const first = await startEmulator({ port: 0, seed: 1, data })
    const clients = await vertexClients(first.port)
    for (const name of names) {
      const body = JSON.stringify(name)
      const query = new URLSearchParams({ name, uploadType: 'media' })
      const answer = await fetch(`${first.url}/upload/storage/v1/b/saga-dap/o?${query}`, { method: 'POST', body })
      expect(answer.status).toBe(200)
    }
    await clients.storage.bucket('saga-dap').setLabels({ team: 'shop' })
    await clients.storage.bucket('saga-dap').file('con').setMetadata({ cacheControl: 'no-store' })
    await clients.close()
    await first.stop()
    expect((await readdir(data)).sort()).toEqual(['objects', 'request-log', 'state.json'])

    const { bucket } = await emulated(data)
    expect((await bucket.getMetadata())[0]).toMatchObject({ labels: { team: 'shop' }, metageneration: '2' })
    const [{ cacheControl, metageneration }] = await bucket.file('con').getMetadata()
    expect([cacheControl, metageneration]).toEqual(['no-store', '2'])
    const [files] = await bucket.getFiles()
    expect(files.map(({ name }) => name)).toEqual([...names].sort())
    const [kept] = await bucket.file('../../escape').download()
    expect(kept.toString()).toBe('"../../escape"')
  })

  it('belongs to one emulator at a time, and outlives a killed one', async () => {
    const data = await dataFolder()
    const first = await startEmulator({ port: 0, seed: 1, data })
    await expect(startEmulator({ port: 0, seed: 1, data })).rejects.toThrow(
      `\`${data}\` is in use by the emulator with the process id ${process.pid}`,
    )
    await first.stop()
    expect(await readdir(data)).not.toContainEqual(expect.stringMatching(/^emulator\.pid/))
  })

  it.each([
    ['a process that is gone', { ...thisProcess(), pid: 999_999_999 }],
    ['another that has its number by now', { ...thisProcess(), started: '0' }],
    ['nothing that can be read', '{"host'],
    ['a number alone', process.pid],
  ])('is taken over from %s', async (_, owner) => {
    const data = await dataFolder()
    await writeFile(join(data, 'emulator.pid'), typeof owner === 'string' ? owner : JSON.stringify(owner))
    const second = await startEmulator({ port: 0, seed: 1, data })
    onTestFinished(() => second.stop())
    expect(JSON.parse(await readFile(join(data, 'emulator.pid'), 'utf8'))).toEqual(thisProcess())
  })

  it('is not taken from a process that cannot be seen from here', async () => {
    const data = await dataFolder()
    await writeFile(join(data, 'emulator.pid'), JSON.stringify({ ...thisProcess(), host: 'elsewhere' }))
    const error = await startEmulator({ port: 0, seed: 1, data }).catch((error: DapError) => error)
    expect(error).toMatchObject({
      message: `\`${data}\` is in use by the emulator with the process id ${process.pid} on \`elsewhere\``,
      hint: `stop that one, or take another folder with --data; if it does not run any more, remove \`${join(data, 'emulator.pid')}\``,
    })
  })

  it('is free again when the emulator could not start in it', async () => {
    const data = await dataFolder()
    const other = await startEmulator({ port: 0, seed: 1 })
    onTestFinished(() => other.stop())
    await expect(startEmulator({ port: other.port, seed: 1, data })).rejects.toThrow(`port ${other.port} is in use`)
    await writeFile(join(data, 'state.json'), '{"endpoints')
    await expect(startEmulator({ port: 0, seed: 1, data })).rejects.toThrow(`${join(data, 'state.json')}\` is not JSON`)
    await rm(join(data, 'state.json'))
    await (await startEmulator({ port: 0, seed: 1, data })).stop()
  })
})

describe('CRC-32C', () => {
  it('of the standard check string is e3069283', () => {
    expect(Buffer.from(crc32c(Buffer.from('123456789')), 'base64').toString('hex')).toBe('e3069283')
  })
})
