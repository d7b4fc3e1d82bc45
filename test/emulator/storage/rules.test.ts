import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'
import type { JsonObject } from '../../../src/emulator/ports.ts'
import { STORAGE_METHODS, type StorageMethod } from '../../../src/emulator/storage/api.ts'
import { crc32c } from '../../../src/emulator/storage/object-store.ts'
import { type VertexClients, vertexClients } from '../../support/vertex-clients.ts'

let emulator: Emulator
let clients: VertexClients
let serial = 0
/** Another bucket for every test. */
let B: string

beforeAll(async () => {
  emulator = await startEmulator({ port: 0, seed: 1 })
  clients = await vertexClients(emulator.port)
})
afterAll(async () => {
  await clients.close()
  await emulator.stop()
})
beforeEach(() => {
  B = `bucket-${++serial}`
})

interface Answer {
  readonly status: number
  readonly json: JsonObject
  readonly text: string
  readonly headers: Headers
}

async function ask(verb: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(`${emulator.url}/storage/v1/${path}`, {
    method: verb,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  const json = (text.startsWith('{') ? JSON.parse(text) : {}) as JsonObject
  return { status: answer.status, json, text, headers: answer.headers }
}

async function put(name: string, content: string | Buffer, fields: JsonObject = {}, query = '') {
  const bytes = Buffer.from(content)
  const head = `--x\r\ncontent-type: application/json\r\n\r\n${JSON.stringify({ name, ...fields })}\r\n--x\r\n\r\n`
  const answer = await fetch(`${emulator.url}/upload/storage/v1/b/${B}/o?uploadType=multipart${query}`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/related; boundary=x' },
    body: Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n--x--')]),
  })
  return { status: answer.status, json: (await answer.json()) as JsonObject }
}

const at = (name: string) => `b/${B}/o/${encodeURIComponent(name)}`
const get = async (name: string) => (await ask('GET', at(name))).json
const content = async (name: string) => (await ask('GET', `${at(name)}?alt=media`)).text
const status = async (...call: Parameters<typeof ask>) => (await ask(...call)).status

describe('what is not there', () => {
  it('[storage-unimplemented] is refused with 501, whatever the method, and nothing is done', async () => {
    await put('a', 'content')
    const before = await get('a')
    const absent = Object.entries<StorageMethod>(STORAGE_METHODS).filter(([, { reads }]) => reads === undefined)
    for (const [id, { verb, path }] of absent) {
      const place = path
        .replace('{bucket}', B)
        .replace('{object}', 'a')
        .replace(/\{\w+\}/, 'x')
        .replace(/\/\*$/, '')
      for (const each of verb === '*' ? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] : [verb]) {
        const { status, json } = await ask(each, place, each === 'GET' ? undefined : {})
        expect([id, status, (json.error as JsonObject).message]).toEqual([id, 501, expect.stringContaining(id)])
      }
    }
    // Neither other verbs, nor names that are not one part of the path, nor the XML API.
    for (const [verb, path] of [
      ['PATCH', 'b'],
      ['HEAD', at('a')],
      ['POST', `${at('a')}`],
      ['DELETE', `b/${B}/o`],
      ['GET', `b/${B}/o/folder/a`],
      ['GET', 'elsewhere'],
    ])
      expect([path, await status(verb, path)]).toEqual([path, 501])
    expect((await fetch(`${emulator.url}/${B}/a`)).status).toBe(501)
    expect((await fetch(`${emulator.url}/batch/storage/v1`, { method: 'POST' })).status).toBe(501)
    const key = { 'x-goog-encryption-algorithm': 'AES256' }
    expect(await status('GET', `${at('a')}?alt=media`, undefined, key)).toBe(501)
    for (const fields of [{ temporaryHold: true }, { retention: { mode: 'Locked' } }, { kmsKeyName: 'k' }])
      expect([fields, (await put('a', 'other', fields)).status, await status('PATCH', at('a'), fields)]).toEqual([
        fields,
        501,
        501,
      ])
    expect(await get('a')).toEqual(before)
  })

  it('[storage-parameters] does not act upon what it does not know', async () => {
    await put('a', 'content')
    const known = Object.entries<StorageMethod>(STORAGE_METHODS).filter(([, { reads }]) => reads !== undefined)
    for (const [id, { verb, path }] of known) {
      const upload = path.startsWith('upload/')
      const place = path.replace('upload/', '').replace('{bucket}', B).replace('{object}', 'a')
      const url = `${emulator.url}${upload ? '/upload' : ''}/storage/v1/${place.replaceAll(/\{\w+\}/g, 'x')}?softDeleted=true`
      const answer = await fetch(url, { method: verb })
      expect([id, answer.status]).toEqual([id, 501])
    }
    expect(await status('GET', `b/${B}/o?softDeleted=False&filter=&versions=true&projection=full&fields=items`)).toBe(
      200,
    )
    expect(await content('a')).toBe('content')
    expect((await ask('GET', `b/${B}/o`)).json.items).toHaveLength(1)
  })
})

describe('buckets', () => {
  it('[storage-bucket-made] are made by the first write', async () => {
    expect([await status('GET', `b/${B}`), (await ask('GET', `b/${B}/o`)).json.items]).toEqual([404, undefined])
    await put('a', '')
    expect(await status('GET', `b/${B}`)).toBe(200)
  })

  it('[storage-bucket-delete] are deleted when they are empty', async () => {
    await put('a', '')
    expect(await status('DELETE', `b/${B}`)).toBe(409)
    expect(await status('GET', at('a'))).toBe(200)
    await ask('DELETE', at('a'))
    expect(await status('DELETE', `b/${B}?ifMetagenerationMatch=7`)).toBe(412)
    expect([await status('DELETE', `b/${B}`), await status('DELETE', `b/${B}`)]).toEqual([204, 404])
  })

  it('[storage-bucket-fields] keep what was said of them, and refuse what would change their objects', async () => {
    const bucket = clients.storage.bucket(B)
    await clients.storage.createBucket(B, { location: 'us-central1', storageClass: 'NEARLINE' })
    await bucket.setLabels({ team: 'shop', old: 'x' })
    await bucket.setMetadata({ labels: { old: null } })
    expect((await bucket.getMetadata())[0]).toMatchObject({
      ...{ location: 'US-CENTRAL1', storageClass: 'NEARLINE', labels: { team: 'shop' }, metageneration: '3' },
    })
    for (const said of [
      { versioning: { enabled: true } },
      { lifecycle: { rule: [{ action: { type: 'Delete' }, condition: { age: 1 } }] } },
      { softDeletePolicy: { retentionDurationSeconds: '604800' } },
      { defaultEventBasedHold: true },
    ]) {
      const refused = [await status('PATCH', `b/${B}`, said), await status('POST', 'b', { name: 'other', ...said })]
      expect([said, ...refused]).toEqual([said, 501, 501])
    }
    const off = {
      versioning: { enabled: false },
      lifecycle: { rule: [] },
      softDeletePolicy: { retentionDurationSeconds: 0 },
    }
    expect(await status('PATCH', `b/${B}`, off)).toBe(200)
    expect(await status('PATCH', `b/${B}`, { location: 'EU' })).toBe(400)
    const { json } = await ask('PUT', `b/${B}`, { labels: { a: 'b' } })
    expect([json.labels, json.location, json.storageClass]).toEqual([{ a: 'b' }, 'US-CENTRAL1', 'STANDARD'])
  })
})

describe('objects', () => {
  const FIELDS = {
    contentType: 'text/csv',
    cacheControl: 'no-store',
    contentDisposition: 'attachment',
    contentLanguage: 'de',
    customTime: '2026-01-01T00:00:00Z',
    storageClass: 'COLDLINE',
    metadata: { by: 'ann', at: 'work' },
  }

  it('[storage-fields] keep what was said of them, over every way of uploading and in downloads', async () => {
    const file = clients.storage.bucket(B).file('a')
    for (const resumable of [false, true]) {
      await file.save('x', { resumable, metadata: FIELDS })
      expect((await file.getMetadata())[0]).toMatchObject({ ...FIELDS, size: '1', metageneration: '1' })
    }
    const { headers } = await ask('GET', `${at('a')}?alt=media`)
    expect(Object.fromEntries(headers)).toMatchObject({
      ...{ 'content-type': 'text/csv', 'cache-control': 'no-store', 'content-disposition': 'attachment' },
      ...{ 'content-language': 'de', 'x-goog-metageneration': '1' },
    })
    for (const bad of [{ contentType: 1 }, { metadata: 'x' }, { metadata: { a: 1 } }, { customTime: 'soon' }])
      expect([bad, (await put('a', '', bad as JsonObject)).status]).toEqual([bad, 400])
  })

  it('are read in ranges', async () => {
    await put('a', '0123456789')
    const range = async (range: string) => {
      const { status, text, headers } = await ask('GET', `${at('a')}?alt=media`, undefined, { range })
      return [status, status === 206 && text, headers.get('content-range')]
    }
    expect(await range('bytes=2-4')).toEqual([206, '234', 'bytes 2-4/10'])
    expect(await range('bytes=8-99')).toEqual([206, '89', 'bytes 8-9/10'])
    expect(await range('bytes=7-')).toEqual([206, '789', 'bytes 7-9/10'])
    expect(await range('bytes=-3')).toEqual([206, '789', 'bytes 7-9/10'])
    expect(await range('bytes=-99')).toEqual([206, '0123456789', 'bytes 0-9/10'])
    expect((await range('bytes=10-'))[0]).toBe(416)
  })

  it('are read whole while they are replaced, copied and composed', async () => {
    await put('a', 'x'.repeat(1000))
    const letters = [...'bcdefghijklmnopqrst']
    const answers = await Promise.all(
      letters.flatMap(letter => [
        put('a', letter.repeat(1000)),
        ask('GET', `${at('a')}?alt=media`),
        ask('POST', `${at('a')}/copyTo/${at('b')}`),
        ask('POST', `${at('c')}/compose`, { sourceObjects: [{ name: 'a' }] }),
      ]),
    )
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    for (const name of ['a', 'b', 'c']) expect(await content(name)).toMatch(/^(.)\1{999}$/)
  })

  it('[storage-patch] are changed by what a patch names', async () => {
    const { json: before } = await put('a', 'content', FIELDS)
    const { status: patched, json } = await ask('PATCH', at('a'), {
      contentType: 'text/plain',
      cacheControl: null,
      metadata: { by: 'bob', at: null, more: '' },
    })
    const { cacheControl: _, ...rest } = FIELDS
    expect([patched, json.cacheControl]).toEqual([200, undefined])
    expect(json).toMatchObject({ ...rest, contentType: 'text/plain', metadata: { by: 'bob', more: '' } })
    expect([json.generation, json.metageneration]).toEqual([before.generation, '2'])
    expect(json.etag).not.toBe(before.etag)
    expect(await get('a')).toEqual(json)
    const { json: replaced } = await ask('PUT', at('a'), { contentLanguage: 'en' })
    expect(replaced).toMatchObject({ contentLanguage: 'en', storageClass: 'COLDLINE', metageneration: '3' })
    expect([replaced.metadata, replaced.contentDisposition]).toEqual([undefined, undefined])
    expect(await content('a')).toBe('content')
    expect(await status('PATCH', at('a'), { storageClass: 'STANDARD' })).toBe(400)
    expect(await status('PATCH', at('nobody'), {})).toBe(404)
    const file = clients.storage.bucket(B).file('a')
    await file.setMetadata({ contentType: 'text/html', metadata: { client: 'node' } })
    expect(await get('a')).toMatchObject({ contentType: 'text/html', metadata: { client: 'node' } })
  })

  it('[storage-conditions] are read and written only where the conditions hold', async () => {
    const { generation, etag } = (await put('a', 'one')).json
    await ask('PATCH', at('a'), { contentType: 'text/plain' })
    const other = String(Number(generation) + 1)
    const conditions: [string, boolean][] = [
      [`ifGenerationMatch=${generation}`, true],
      [`ifGenerationMatch=${other}`, false],
      ['ifGenerationMatch=0', false],
      [`ifGenerationNotMatch=${other}`, true],
      [`ifGenerationNotMatch=${generation}`, false],
      ['ifMetagenerationMatch=2', true],
      ['ifMetagenerationMatch=1', false],
      ['ifMetagenerationNotMatch=1', true],
      ['ifMetagenerationNotMatch=2', false],
      [`ifGenerationMatch=${generation}&ifMetagenerationMatch=1`, false],
    ]
    for (const [condition, holds] of conditions) {
      const seen = condition.includes('Not') ? 304 : 412
      expect([condition, await status('GET', `${at('a')}?${condition}`)]).toEqual([condition, holds ? 200 : seen])
      if (holds) continue
      const source = condition.replaceAll('if', 'ifSource')
      const refused = [
        await status('PATCH', `${at('a')}?${condition}`, { contentType: 'x' }),
        await status('PUT', `${at('a')}?${condition}`, {}),
        await status('DELETE', `${at('a')}?${condition}`),
        (await put('a', 'two', {}, `&${condition}`)).status,
        await status('POST', `${at('a')}/copyTo/${at('b')}?${source}`),
        await status('POST', `${at('a')}/rewriteTo/${at('a')}?${condition}`),
        await status('POST', `${at('a')}/moveTo/o/b?${source}`),
        await status('POST', `${at('a')}/compose?${condition}`, { sourceObjects: [{ name: 'a' }] }),
      ]
      expect([condition, ...refused]).toEqual([condition, ...refused.map(() => 412)])
    }
    expect(await get('a')).toMatchObject({ contentType: 'text/plain', generation, metageneration: '2' })
    expect(await status('GET', at('b'))).toBe(404)
    const current = String((await get('a')).etag)
    expect(await status('GET', at('a'), undefined, { 'if-none-match': current })).toBe(304)
    expect(await status('DELETE', at('a'), undefined, { 'if-match': String(etag) })).toBe(412)
    expect(await status('GET', `${at('a')}?ifGenerationMatch=one`)).toBe(400)
    expect(await status('GET', `${at('a')}?generation=${other}`)).toBe(404)
    expect(await status('DELETE', at('a'), undefined, { 'if-match': current })).toBe(204)
  })

  it('[storage-checksums] have the content that was meant', async () => {
    const crc = crc32c(Buffer.from('content'))
    expect((await put('a', 'content', { crc32c: crc })).status).toBe(200)
    expect((await put('a', 'contents', { crc32c: crc })).status).toBe(400)
    expect((await put('a', 'contents', { md5Hash: 'AAAA' })).status).toBe(400)
    const media = async (body: string) => {
      const url = `${emulator.url}/upload/storage/v1/b/${B}/o?uploadType=media&name=a`
      return (await fetch(url, { method: 'POST', body, headers: { 'x-goog-hash': `crc32c=${crc}` } })).status
    }
    expect([await media('content'), await media('contents')]).toEqual([200, 400])
    expect(await content('a')).toBe('content')
  })

  it('[storage-gzip] are unpacked for who cannot', async () => {
    const packed = gzipSync('content')
    await put('a', packed, { contentEncoding: 'gzip' })
    const identity = { 'accept-encoding': 'identity' }
    const plain = await ask('GET', `${at('a')}?alt=media`, undefined, identity)
    expect([plain.text, plain.headers.get('content-encoding')]).toEqual(['content', null])
    const { headers } = await ask('GET', `${at('a')}?alt=media`, undefined, { 'accept-encoding': 'gzip' })
    expect([headers.get('content-encoding'), headers.get('x-goog-stored-content-length')]).toEqual([
      'gzip',
      String(packed.length),
    ])
    await put('b', packed, { contentEncoding: 'gzip', cacheControl: 'no-transform' })
    expect((await ask('GET', `${at('b')}?alt=media`, undefined, identity)).headers.get('content-encoding')).toBe('gzip')
    await put('c', 'no gzip', { contentEncoding: 'gzip' })
    // It is sent as what it says it is; that this client cannot unpack it is not the emulator's fault.
    const lying = await fetch(`${emulator.url}/storage/v1/${at('c')}?alt=media`)
    expect(lying.status).toBe(200)
    await lying.body?.cancel().catch(() => {})
    expect((await clients.storage.bucket(B).file('a').download())[0].toString()).toBe('content')
  })

  it('[storage-copy] are copied with their fields, or with others, and moved', async () => {
    await put('a/1', 'content', FIELDS)
    const copy = await ask('POST', `${at('a/1')}/copyTo/b/${B}-copy/o/${encodeURIComponent('b/2')}`)
    expect(copy.json).toMatchObject({ ...FIELDS, bucket: `${B}-copy`, name: 'b/2', size: '7', metageneration: '1' })
    await ask('POST', `${at('a/1')}/copyTo/${at('b')}`, { contentType: 'text/plain' })
    const { contentType, metadata, cacheControl } = await get('b')
    expect([contentType, metadata, cacheControl]).toEqual(['text/plain', undefined, undefined])
    expect(await content('b')).toBe('content')
    expect((await ask('POST', `${at('a/1')}/moveTo/o/c`)).json).toMatchObject({ ...FIELDS, name: 'c' })
    expect([await status('GET', at('a/1')), await content('c')]).toEqual([404, 'content'])
    expect(await status('POST', `${at('a/1')}/copyTo/${at('b')}`)).toBe(404)
  })

  it('[storage-rewrite] are rewritten in one call', async () => {
    const bucket = clients.storage.bucket(B)
    await bucket.file('a').save('content', { resumable: false, metadata: FIELDS })
    const [copy, answer] = await bucket.file('a').copy(bucket.file('b'))
    expect(answer).toMatchObject({ done: true, totalBytesRewritten: '7', objectSize: '7', resource: { name: 'b' } })
    expect((await copy.getMetadata())[0]).toMatchObject(FIELDS)
    await bucket.file('a').setStorageClass('standard')
    expect((await bucket.file('a').getMetadata())[0]).toMatchObject({ storageClass: 'STANDARD', metageneration: '1' })
    await bucket.file('b').move('c')
    expect([await status('GET', at('b')), await content('c')]).toEqual([404, 'content'])
    expect(await status('POST', `${at('c')}/rewriteTo/${at('d')}?rewriteToken=x`)).toBe(400)
  })

  it('[storage-compose] are composed of up to 32', async () => {
    const bucket = clients.storage.bucket(B)
    await Promise.all(['a', 'b', 'c'].map(name => bucket.file(name).save(name, { resumable: false })))
    await bucket.combine(['a', 'b'], 'ab.txt')
    const [metadata] = await bucket.file('ab.txt').getMetadata()
    expect(metadata).toMatchObject({ componentCount: 2, size: '2', crc32c: crc32c(Buffer.from('ab')) })
    expect([metadata.md5Hash, metadata.contentType]).toEqual([undefined, 'text/plain'])
    const compose = (sourceObjects: readonly unknown[], rest: object = {}) =>
      ask('POST', `${at('all')}/compose`, { sourceObjects, ...rest })
    const { json } = await compose([{ name: 'ab.txt' }, { name: 'c' }, { name: 'a' }], { destination: FIELDS })
    expect(json).toMatchObject({ ...FIELDS, componentCount: 4 })
    expect(await content('all')).toBe('abca')
    expect((await compose(Array(32).fill({ name: 'a' }))).status).toBe(200)
    for (const [sources, refused] of [
      [[], 400],
      [Array(33).fill({ name: 'a' }), 400],
      [[{ name: 'nobody' }], 404],
      [[{ name: 'a', generation: '1' }], 404],
      [[{ name: 'a', objectPreconditions: { ifGenerationMatch: '1' } }], 412],
    ] as const)
      expect([sources, (await compose(sources)).status]).toEqual([sources, refused])
    expect((await compose([{ name: 'a' }], { deleteSourceObjects: true })).status).toBe(501)
    expect(await content('all')).toBe('a'.repeat(32))
  })
})

describe('lists', () => {
  const NAMES = ['a', 'a/', 'a/b', 'a/c/d', 'ab', 'b.csv', 'b/x.csv', 'b/é.csv', 'c[1]']

  it('[storage-list] have what lies between the borders, in pages that leave nothing out', async () => {
    await Promise.all(NAMES.map(name => put(name, '')))
    const list = async (query: Record<string, string>) => {
      const seen: { items: string[]; prefixes: string[] } = { items: [], prefixes: [] }
      for (let token = ''; ; ) {
        const asked = new URLSearchParams({ ...query, pageToken: token })
        const { json } = await ask('GET', `b/${B}/o?${asked}`)
        seen.items.push(...((json.items ?? []) as JsonObject[]).map(({ name }) => String(name)))
        seen.prefixes.push(...((json.prefixes ?? []) as string[]))
        if (json.nextPageToken === undefined) return seen
        token = String(json.nextPageToken)
      }
    }
    const border = fc.constantFrom('', 'a', 'a/', 'a/c', 'b', 'b/x', 'zz')
    const query = fc.record({
      ...{ prefix: border, startOffset: border, endOffset: fc.constantFrom('a/c', 'b/x.csv', 'zz') },
      ...{ delimiter: fc.constantFrom('', '/'), maxResults: fc.constantFrom('1', '2', '3', '1000') },
      includeTrailingDelimiter: fc.constantFrom('true', 'True', 'false', 'False', ''),
    })
    await fc.assert(
      fc.asyncProperty(query, async asked => {
        const { prefix, startOffset, endOffset, delimiter, includeTrailingDelimiter } = asked
        const all = NAMES.filter(name => name.startsWith(prefix) && name >= startOffset && name < endOffset)
        const folderOf = (name: string) => {
          const cut = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length)
          return cut < 0 ? undefined : name.slice(0, cut + 1)
        }
        expect(await list(asked)).toEqual({
          items: all.filter(
            name => folderOf(name) === undefined || (/true/i.test(includeTrailingDelimiter) && folderOf(name) === name),
          ),
          prefixes: [...new Set(all.map(folderOf))].filter(folder => folder !== undefined),
        })
      }),
      { numRuns: 60 },
    )
    const globs: Record<string, string[]> = {
      '*': ['a', 'ab', 'b.csv', 'c[1]'],
      '**': NAMES,
      '**/*.csv': ['b.csv', 'b/x.csv', 'b/é.csv'],
      'b/?.csv': ['b/x.csv', 'b/é.csv'],
      'b/[!a-y].csv': ['b/é.csv'],
      '{a,b}/{b,x.csv}': ['a/b', 'b/x.csv'],
      'c\\[1\\]': ['c[1]'],
      'c[[]1]': ['c[1]'],
      'b.csv,': [],
      'b+csv': [],
    }
    for (const [matchGlob, items] of Object.entries(globs))
      expect([matchGlob, (await list({ matchGlob })).items]).toEqual([matchGlob, items])
    expect(await status('GET', `b/${B}/o?matchGlob=**&delimiter=/`)).toBe(501)
    for (const bad of ['matchGlob={a', 'maxResults=-1', 'maxResults=x', 'maxResults=0'])
      expect([bad, await status('GET', `b/${B}/o?${bad}`)]).toEqual([bad, 400])
    const buckets = async (prefix: string) =>
      ((await ask('GET', `b?prefix=${prefix}`)).json.items as JsonObject[]).map(({ name }) => name)
    expect([await buckets(B), await buckets('nobody')]).toEqual([[B], []])
  })
})
