import { randomUUID } from 'node:crypto'
import type { Fault } from './faults.ts'
import { type HttpReply, type HttpRequest, type HttpRoute, jsonReply, parseBody } from './http.ts'
import type { NewObject, ObjectStore, StoredObject } from './object-store.ts'
import type { Json, JsonObject } from './ports.ts'

/** What Cloud Storage's JSON API refuses, in its own form. */
class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly reason: string

  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

interface Upload {
  readonly object: NewObject
  readonly query: URLSearchParams
  readonly parts: Buffer[]
}

/**
 * As much of Cloud Storage's JSON API as a client needs to write, read, list and delete objects. With `STORAGE_EMULATOR_HOST` Google's own
 * client leaves `/storage/v1` out, but not when it uploads. A bucket is made when something is first written to it.
 */
export function storageRoute(store: ObjectStore, fault: (point: string) => Fault | undefined): HttpRoute {
  const uploads = new Map<string, Upload>()

  function wanted(bucket: string, name: string, query: URLSearchParams): StoredObject {
    const object = store.find(bucket, name)
    const generation = query.get('generation')
    if (object === undefined || (generation !== null && generation !== String(object.generation)))
      throw new Refusal(404, 'notFound', `No such object: ${bucket}/${name}`)
    precondition(object, query)
    return object
  }

  async function write(object: NewObject, bytes: Buffer, query: URLSearchParams): Promise<HttpReply> {
    if (object.name === '') throw new Refusal(400, 'required', 'Required')
    const stored = await store.write(object, bytes, before => precondition(before, query))
    return jsonReply(200, resource(stored))
  }

  async function upload(request: HttpRequest, bucket: string): Promise<HttpReply> {
    const { query, headers, body } = request
    const named = { bucket, name: query.get('name') ?? '' }
    const id = query.get('upload_id')
    const kind = query.get('uploadType')
    if (kind === 'resumable' && id === null) {
      const said = described(named, parseBody(body))
      const type = headers['x-upload-content-type']
      const object = { ...said, contentType: said.contentType ?? (typeof type === 'string' ? type : undefined) }
      precondition(store.find(bucket, object.name), query)
      const session = randomUUID()
      uploads.set(session, { object, query, parts: [] })
      const own = new URLSearchParams([...query, ['upload_id', session]])
      const place = `${request.origin}${request.path}?${own}`
      return { status: 200, headers: { location: place, 'x-guploader-uploadid': session } }
    }
    if (id !== null) return resume(request, id)
    if (kind === 'multipart') {
      const [description, content] = multipart(headers['content-type'] ?? '', body)
      const said = described(named, parseBody(description.body))
      return write({ ...said, contentType: said.contentType ?? content.type }, content.body, query)
    }
    return write({ ...named, contentType: headers['content-type'] }, body, query)
  }

  async function resume({ verb, headers, body }: HttpRequest, id: string): Promise<HttpReply> {
    const session = uploads.get(id)
    if (session === undefined) throw new Refusal(404, 'notFound', 'No such upload session')
    if (verb === 'DELETE') {
      uploads.delete(id)
      return { status: 499 }
    }
    const [, from, to, total] = /^bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? []
    const before = session.parts.reduce((sum, part) => sum + part.length, 0)
    if (from !== undefined && Number(from) !== before) throw new Refusal(400, 'invalid', `expected byte ${before}`)
    if (body.length > 0) session.parts.push(body)
    const have = before + body.length
    // Without a range, and with one of no end, the request is all that comes; else the total says whether it was the last.
    if (headers['content-range'] !== undefined && to !== '*' && total !== String(have)) {
      return { status: 308, headers: have > 0 ? { range: `bytes=0-${have - 1}` } : {} }
    }
    uploads.delete(id)
    return write(session.object, Buffer.concat(session.parts), session.query)
  }

  async function object({ verb, query, headers }: HttpRequest, bucket: string, name: string): Promise<HttpReply> {
    const found = wanted(bucket, name, query)
    if (verb === 'DELETE') {
      await store.delete(found)
      return { status: 204 }
    }
    if (query.get('alt') !== 'media') return jsonReply(200, resource(found))
    return media(found, await store.read(found), headers.range)
  }

  async function objects(request: HttpRequest, bucket: string, uploading: boolean, name: string): Promise<HttpReply> {
    if (uploading) return upload(request, bucket)
    if (name !== '') return object(request, bucket, name)
    return jsonReply(200, listing(store.list(bucket), request.query))
  }

  async function buckets({ verb, body }: HttpRequest): Promise<HttpReply> {
    if (verb === 'GET') return jsonReply(200, { kind: 'storage#buckets', items: store.buckets().map(bucketResource) })
    const { name } = (parseBody(body) ?? {}) as { name?: unknown }
    if (typeof name !== 'string' || name === '') throw new Refusal(400, 'required', 'Required')
    if (!(await store.createBucket(name)))
      throw new Refusal(409, 'conflict', 'Your previous request to create the named bucket succeeded')
    return jsonReply(200, bucketResource(name))
  }

  return async request => {
    const match = /^(\/upload)?(?:\/download)?(?:\/storage\/v1)?\/b(\/.*)?$/.exec(request.path)
    if (match === null) return undefined
    const [, uploading, rest = ''] = match
    try {
      const [bucket = '', kind, ...name] = rest.slice(1).split('/').map(decoded)
      if (bucket === '') return await buckets(request)
      if (kind === undefined) {
        if (!store.buckets().includes(bucket))
          throw new Refusal(404, 'notFound', 'The specified bucket does not exist.')
        return jsonReply(200, bucketResource(bucket))
      }
      if (kind !== 'o') return undefined
      const going = fault(request.verb === 'GET' ? 'storage.get' : 'storage.put')?.fault
      if (going === 'quota') throw new Refusal(429, 'rateLimitExceeded', 'The rate of requests is too high.')
      if (going === 'unavailable') throw new Refusal(503, 'backendError', 'Backend Error')
      const reply = await objects(request, bucket, uploading !== undefined, name.join('/'))
      if (going === 'lost-response') throw new Refusal(503, 'backendError', 'Backend Error')
      return reply
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { status, reason, message } = error
      const errors = [{ domain: 'global', reason, message }]
      return jsonReply(status, { error: { code: status, message, errors } })
    }
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new Refusal(400, 'invalid', `the path is not valid: ${segment}`)
  }
}

/** `0` asks for no object at all. */
function precondition(object: StoredObject | undefined, query: URLSearchParams): void {
  const generation = String(object?.generation ?? 0)
  const is = query.get('ifGenerationMatch')
  const not = query.get('ifGenerationNotMatch')
  if ((is !== null && is !== generation) || not === generation)
    throw new Refusal(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.')
}

function described(object: NewObject, json: Json): NewObject {
  const { name, contentType, metadata } = (json ?? {}) as {
    name?: string
    contentType?: string
    metadata?: Record<string, string>
  }
  return {
    ...object,
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof contentType === 'string' ? { contentType } : {}),
    ...(metadata === undefined ? {} : { metadata }),
  }
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
  if (parts.length < 2) throw new Refusal(400, 'parseError', 'the body is no multipart/related of two parts')
  return [parts[0], parts[1]]
}

function media(object: StoredObject, bytes: Buffer, range: string | undefined): HttpReply {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
  const [from, to] = [Number(first ?? 0), last ? Number(last) + 1 : bytes.length]
  if (first !== undefined && from >= bytes.length)
    throw new Refusal(416, 'requestedRangeNotSatisfiable', 'the range is beyond the object')
  const part = bytes.subarray(from, to)
  return {
    status: first === undefined ? 200 : 206,
    headers: {
      'content-type': object.contentType,
      'x-goog-generation': String(object.generation),
      'x-goog-stored-content-length': String(object.size),
      'x-goog-hash': `crc32c=${object.crc32c},md5=${object.md5}`,
      ...(first === undefined ? {} : { 'content-range': `bytes ${from}-${from + part.length - 1}/${bytes.length}` }),
    },
    body: part,
  }
}

const DEFAULT_PAGE = 1000

/** One page of a bucket; the token is the last name of the page before. */
function listing(objects: readonly StoredObject[], query: URLSearchParams): JsonObject {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter')
  const after = query.get('pageToken') ?? ''
  const most = Math.min(Number(query.get('maxResults') ?? DEFAULT_PAGE) || DEFAULT_PAGE, DEFAULT_PAGE)
  const items: JsonObject[] = []
  const prefixes = new Set<string>()
  let last = ''
  for (const object of objects) {
    const { name } = object
    if (!name.startsWith(prefix) || name <= after) continue
    const cut = delimiter ? name.indexOf(delimiter, prefix.length) : -1
    const folder = cut < 0 ? undefined : name.slice(0, cut + (delimiter ?? '').length)
    if (folder === undefined || !prefixes.has(folder)) {
      if (items.length + prefixes.size === most) return { ...page(items, prefixes), nextPageToken: last }
      if (folder === undefined) items.push(resource(object))
      else prefixes.add(folder)
    }
    last = name
  }
  return page(items, prefixes)
}

const page = (items: readonly JsonObject[], prefixes: ReadonlySet<string>): JsonObject => ({
  kind: 'storage#objects',
  ...(items.length > 0 ? { items } : {}),
  ...(prefixes.size > 0 ? { prefixes: [...prefixes] } : {}),
})

function resource(object: StoredObject): JsonObject {
  const time = new Date(object.created).toISOString()
  const generation = String(object.generation)
  return {
    kind: 'storage#object',
    id: `${object.bucket}/${object.name}/${generation}`,
    name: object.name,
    bucket: object.bucket,
    generation,
    metageneration: '1',
    contentType: object.contentType,
    storageClass: 'STANDARD',
    size: String(object.size),
    md5Hash: object.md5,
    crc32c: object.crc32c,
    etag: Buffer.from(generation).toString('base64'),
    timeCreated: time,
    updated: time,
    ...(Object.keys(object.metadata).length > 0 ? { metadata: object.metadata } : {}),
  }
}

const bucketResource = (name: string): JsonObject => ({
  kind: 'storage#bucket',
  id: name,
  name,
  location: 'EUROPE-WEST1',
  storageClass: 'STANDARD',
})
