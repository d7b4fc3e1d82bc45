import { createHash, randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Json, JsonObject } from '../ports.ts'
import { type HttpReply, type HttpRequest, jsonReply, parseBody } from '../wire/http.ts'
import { checkConditions } from './conditions.ts'
import { objectFields, objectResource } from './fields.ts'
import { crc32c, type NewObject, type ObjectStore } from './object-store.ts'
import { invalid, StorageRefusal } from './refusal.ts'

/** What is to be written, before its content has come. */
interface Upload extends NewObject {
  /** Checksums that the content must have. */
  readonly hashes: Hashes
}

interface Hashes {
  readonly md5?: string
  readonly crc32c?: string
}

interface Session {
  readonly upload: Upload
  readonly query: URLSearchParams
  readonly parts: Buffer[]
}

/** objects.insert: in one request, in one of two parts, or in many requests. Unfinished ones do not outlive the emulator. */
export function storageUploads(store: ObjectStore) {
  const sessions = new Map<string, Session>()

  async function write(upload: Upload, content: Buffer, { query, headers }: Pick<HttpRequest, 'query' | 'headers'>) {
    if (upload.name === '') throw new StorageRefusal(400, 'required', 'Required')
    checkHashes(upload.hashes, content)
    checkHashes(hashesOf(headers), content)
    const stored = await store.write(upload, content, before => checkConditions(before, query))
    return jsonReply(200, objectResource(stored))
  }

  function begin(upload: Upload, { query, origin, path }: HttpRequest): HttpReply {
    checkConditions(store.find(upload.bucket, upload.name), query)
    const id = randomUUID()
    sessions.set(id, { upload, query, parts: [] })
    const own = new URLSearchParams([...query, ['upload_id', id]])
    return {
      status: 200,
      headers: { location: `${origin}${path}?${own}`, 'x-guploader-uploadid': id },
    }
  }

  function sessionOf(query: URLSearchParams): readonly [string, Session] {
    const id = query.get('upload_id') ?? ''
    const session = sessions.get(id)
    if (session === undefined) throw new StorageRefusal(404, 'notFound', 'No such upload session')
    return [id, session]
  }

  return {
    async insert(request: HttpRequest, bucket: string): Promise<HttpReply> {
      const { query, headers, body } = request
      if (query.get('upload_id') !== null) return this.part(request)
      const kind = query.get('uploadType') ?? 'media'
      if (kind === 'media') return write(described(bucket, null, query, headers['content-type']), body, request)
      if (kind === 'resumable') {
        const type = headers['x-upload-content-type']
        return begin(described(bucket, parseBody(body), query, typeof type === 'string' ? type : undefined), request)
      }
      if (kind !== 'multipart') throw invalid(`uploadType is media, multipart or resumable, not ${kind}`)
      const [description, content] = multipart(headers['content-type'] ?? '', body)
      return write(described(bucket, parseBody(description.body), query, content.type), content.body, request)
    },
    async part({ query, headers, body }: HttpRequest): Promise<HttpReply> {
      const [id, session] = sessionOf(query)
      const [, from, to, total] = /^bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? []
      const before = session.parts.reduce((sum, part) => sum + part.length, 0)
      if (from !== undefined && Number(from) !== before) throw invalid(`expected byte ${before}`)
      if (body.length > 0) session.parts.push(body)
      const have = before + body.length
      // Without a range, and with one of no end, the request is all that comes; else the total says whether it was the last.
      if (headers['content-range'] !== undefined && to !== '*' && total !== String(have)) {
        return { status: 308, headers: have > 0 ? { range: `bytes=0-${have - 1}` } : {} }
      }
      sessions.delete(id)
      return write(session.upload, Buffer.concat(session.parts), { query: session.query, headers })
    },
    async cancel({ query }: HttpRequest): Promise<HttpReply> {
      const [id] = sessionOf(query)
      sessions.delete(id)
      return { status: 499 }
    },
  }
}

/** The object that the request's body, its query and the type of its content speak of. */
function described(bucket: string, json: Json, query: URLSearchParams, type: string | undefined): Upload {
  const fields = objectFields(json)
  const { name = query.get('name'), md5Hash, crc32c } = (json ?? {}) as JsonObject
  if (name !== null && typeof name !== 'string') throw invalid('`name` is a text')
  const contentType = fields.contentType ?? type
  const contentEncoding = query.get('contentEncoding') ?? fields.contentEncoding
  return {
    bucket,
    name: name ?? '',
    fields: {
      ...fields,
      ...(contentType === undefined ? {} : { contentType }),
      ...(contentEncoding === undefined ? {} : { contentEncoding }),
    },
    hashes: {
      ...(typeof md5Hash === 'string' ? { md5: md5Hash } : {}),
      ...(typeof crc32c === 'string' ? { crc32c } : {}),
    },
  }
}

/** `crc32c=…,md5=…` */
function hashesOf(headers: IncomingHttpHeaders): Hashes {
  const said = String(headers['x-goog-hash'] ?? '')
    .split(',')
    .map(each => /^\s*(\w+)=(.*)$/.exec(each) ?? [])
  return Object.fromEntries(
    said.filter(([, name]) => name !== undefined).map(([, name, value]) => [name, value.trim()]),
  )
}

/** rule: storage-checksums */
function checkHashes(wanted: Hashes, content: Buffer): void {
  const md5 = createHash('md5').update(content).digest('base64')
  if ((wanted.md5 ?? md5) !== md5)
    throw invalid(`Provided MD5 hash "${wanted.md5}" doesn't match calculated MD5 hash "${md5}".`)
  const crc = crc32c(content)
  if ((wanted.crc32c ?? crc) !== crc)
    throw invalid(`Provided CRC32C "${wanted.crc32c}" doesn't match calculated CRC32C "${crc}".`)
}

interface Part {
  readonly type: string | undefined
  readonly body: Buffer
}

/** The two parts of a multipart/related body: the object's description and its content. */
function multipart(contentType: string, body: Buffer): [Part, Part] {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? []
  const boundary = Buffer.from(`--${quoted ?? plain}`)
  const parts: Part[] = []
  let at = body.indexOf(boundary)
  while (at >= 0 && parts.length < 2) {
    const end = body.indexOf(Buffer.concat([Buffer.from('\r\n'), boundary]), at + boundary.length)
    const head = body.indexOf('\r\n\r\n', at)
    if (end < 0 || head < 0 || head > end) break
    const [, type] = /^content-type:\s*(.+)$/im.exec(body.toString('latin1', at, head)) ?? []
    parts.push({ type: type?.trim(), body: body.subarray(head + 4, end) })
    at = end + 2
  }
  if (parts.length < 2) throw new StorageRefusal(400, 'parseError', 'the body is no multipart/related of two parts')
  return [parts[0], parts[1]]
}
