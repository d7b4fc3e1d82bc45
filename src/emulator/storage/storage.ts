import type { Fault } from '../faults.ts'
import type { JsonObject } from '../ports.ts'
import { type HttpReply, type HttpRequest, type HttpRoute, jsonReply, parseBody } from '../wire/http.ts'
import { isOff, notEmulated, type StorageCallId, storageCall } from './api.ts'
import { checkConditions, checkEtags, notMet, numberOf } from './conditions.ts'
import { bucketFields, bucketResource, changedBucket, changedObject, objectFields, objectResource } from './fields.ts'
import { objectList, storagePage } from './list.ts'
import { media } from './media.ts'
import type { ObjectFields, ObjectStore, StoredBucket, StoredObject } from './object-store.ts'
import { invalid, StorageRefusal } from './refusal.ts'
import { storageUploads } from './upload.ts'

type Handler = (request: HttpRequest, path: Readonly<Record<string, string>>) => Promise<HttpReply>

/** As many as one object may be composed of at once. */
const MOST_SOURCES = 32

/**
 * Cloud Storage's JSON API, as far as `STORAGE_METHODS` says. With `STORAGE_EMULATOR_HOST` Google's own client leaves `/storage/v1` out,
 * but not when it uploads. A bucket is made when something is first written to it.
 */
export function storageRoute(store: ObjectStore, fault: (point: string) => Fault | undefined): HttpRoute {
  const uploads = storageUploads(store)

  function bucketOf(name: string, query: URLSearchParams, reading = false): StoredBucket {
    const bucket = store.bucket(name)
    if (bucket === undefined) throw new StorageRefusal(404, 'notFound', 'The specified bucket does not exist.')
    checkConditions(bucket, query, '', reading)
    return bucket
  }

  function objectOf({ bucket, object: name }: Readonly<Record<string, string>>, request: HttpRequest): StoredObject {
    const { verb, query, headers } = request
    const object = live(bucket, name, numberOf(query, 'generation'))
    checkConditions(object, query, '', verb === 'GET')
    checkEtags(object, headers, verb === 'GET')
    return object
  }

  function live(bucket: string, name: string, generation?: number): StoredObject {
    const object = store.find(bucket, name)
    if (object === undefined || (generation ?? object.generation) !== object.generation)
      throw new StorageRefusal(404, 'notFound', `No such object: ${bucket}/${name}`)
    return object
  }

  const changing =
    (how: 'patch' | 'replace'): Handler =>
    async (request, path) => {
      const object = objectOf(path, request)
      return jsonReply(
        200,
        objectResource(await store.update(object, changedObject(object, parseBody(request.body), how))),
      )
    }

  const changingBucket =
    (how: 'patch' | 'replace'): Handler =>
    async ({ query, body }, path) => {
      const bucket = bucketOf(path.bucket, query)
      const fields = changedBucket(bucket, parseBody(body), how)
      return jsonReply(200, bucketResource(await store.updateBucket(bucket, fields)))
    }

  /** The object under another name, with the fields of the body, or its own where that says nothing. rule: storage-copy */
  async function copied(
    { query, body }: HttpRequest,
    path: Readonly<Record<string, string>>,
  ): Promise<[StoredObject, StoredObject]> {
    const source = live(path.bucket, path.object, numberOf(query, 'sourceGeneration'))
    checkConditions(source, query, 'Source')
    const said = objectFields(parseBody(body))
    const copy = {
      bucket: path.to ?? path.bucket,
      name: path.as,
      fields: isOff(said) ? source.fields : said,
      componentCount: source.componentCount,
    }
    const stored = await store.write(copy, await store.read(source), before => checkConditions(before, query))
    return [source, stored]
  }

  /** rule: storage-compose */
  async function composed({ query, body }: HttpRequest, { bucket, object: name }: Readonly<Record<string, string>>) {
    const { sourceObjects, destination = null, ...rest } = (parseBody(body) ?? {}) as JsonObject
    if (!isOff({ ...rest, kind: null })) throw notEmulated(`\`${Object.keys(rest)}\` of objects.compose`)
    if (!Array.isArray(sourceObjects) || sourceObjects.length === 0 || sourceObjects.length > MOST_SOURCES)
      throw invalid(`sourceObjects has from 1 to ${MOST_SOURCES} objects`)
    const sources = (sourceObjects as readonly JsonObject[]).map(said => sourceOf(bucket, said))
    const contents = await Promise.all(sources.map(source => store.read(source)))
    const componentCount = sources.reduce((sum, source) => sum + (source.componentCount ?? 1), 0)
    const fields: ObjectFields = objectFields(destination)
    return store.write({ bucket, name, fields, componentCount }, Buffer.concat(contents), before =>
      checkConditions(before, query),
    )
  }

  function sourceOf(bucket: string, { name, generation, objectPreconditions }: JsonObject): StoredObject {
    const { ifGenerationMatch } = (objectPreconditions ?? {}) as JsonObject
    const source = live(bucket, String(name ?? ''), generation === undefined ? undefined : Number(generation))
    if (ifGenerationMatch !== undefined && Number(ifGenerationMatch) !== source.generation) throw notMet()
    return source
  }

  const handlers: Readonly<Record<StorageCallId, Handler>> = {
    async 'buckets.list'({ query }) {
      const { items, nextPageToken } = storagePage(store.buckets(), ({ bucket }) => bucket, query)
      return jsonReply(200, { kind: 'storage#buckets', items: items.map(bucketResource), nextPageToken })
    },
    async 'buckets.insert'({ body }) {
      const said = parseBody(body)
      const fields = bucketFields(said)
      const { name } = (said ?? {}) as { readonly name?: unknown }
      if (typeof name !== 'string' || name === '') throw new StorageRefusal(400, 'required', 'Required')
      const bucket = await store.createBucket(name, fields)
      if (bucket === undefined)
        throw new StorageRefusal(409, 'conflict', 'Your previous request to create the named bucket succeeded')
      return jsonReply(200, bucketResource(bucket))
    },
    'buckets.get': async ({ query }, { bucket }) => jsonReply(200, bucketResource(bucketOf(bucket, query, true))),
    'buckets.patch': changingBucket('patch'),
    'buckets.update': changingBucket('replace'),
    // rule: storage-bucket-delete
    async 'buckets.delete'({ query }, path) {
      const bucket = bucketOf(path.bucket, query)
      if (store.list(path.bucket).length > 0)
        throw new StorageRefusal(409, 'conflict', 'The bucket you tried to delete is not empty.')
      await store.deleteBucket(bucket)
      return { status: 204 }
    },
    'objects.list': async ({ query }, { bucket }) => jsonReply(200, objectList(store.list(bucket), query)),
    'objects.insert': (request, { bucket }) => uploads.insert(request, bucket),
    'objects.insert, a part': uploads.part,
    'objects.insert, cancelled': uploads.cancel,
    async 'objects.get'(request, path) {
      const object = objectOf(path, request)
      if (request.query.get('alt') !== 'media') return jsonReply(200, objectResource(object))
      return media(object, await store.read(object), request)
    },
    'objects.patch': changing('patch'),
    'objects.update': changing('replace'),
    async 'objects.delete'(request, path) {
      await store.delete(objectOf(path, request))
      return { status: 204 }
    },
    async 'objects.copy'(request, path) {
      const [, copy] = await copied(request, path)
      return jsonReply(200, objectResource(copy))
    },
    // rule: storage-rewrite
    async 'objects.rewrite'(request, path) {
      if (request.query.has('rewriteToken')) throw invalid('no rewrite goes on: each is done in one call')
      const [{ size }, copy] = await copied(request, path)
      const bytes = String(size)
      const done = { kind: 'storage#rewriteResponse', done: true, totalBytesRewritten: bytes, objectSize: bytes }
      return jsonReply(200, { ...done, resource: objectResource(copy) })
    },
    async 'objects.move'(request, path) {
      const [source, moved] = await copied(request, path)
      if (path.as !== path.object && store.find(path.bucket, path.object) === source) await store.delete(source)
      return jsonReply(200, objectResource(moved))
    },
    'objects.compose': async (request, path) => jsonReply(200, objectResource(await composed(request, path))),
  }

  return async request => {
    const place = /^(\/upload)?(?:\/download)?(?:\/storage\/v1)?\/(b(?:\/.*)?)$/.exec(request.path)
    const other = /^\/storage\/v1\/(.*)$/.exec(request.path)
    if (place === null && other === null) return undefined
    const path = place === null ? String(other?.[1]) : `${place[1] === undefined ? '' : 'upload/'}${place[2]}`
    try {
      return await answer(request, path)
    } catch (error) {
      if (!(error instanceof StorageRefusal)) throw error
      const { status, reason, message } = error
      const errors = [{ domain: 'global', reason, message }]
      return jsonReply(status, { error: { code: status, message, errors } })
    }
  }

  async function answer(request: HttpRequest, path: string): Promise<HttpReply> {
    const call = storageCall(request.verb, path, request.query)
    const secret = Object.keys(request.headers).find(name => /^x-goog-(copy-source-)?encryption-/.test(name))
    if (secret !== undefined) throw notEmulated(`the header ${secret}`)
    const handle = handlers[call.id]
    if (call.id.startsWith('buckets.')) return handle(request, call.path)
    const going = fault(request.verb === 'GET' ? 'storage.get' : 'storage.put')?.fault
    if (going === 'quota') throw new StorageRefusal(429, 'rateLimitExceeded', 'The rate of requests is too high.')
    if (going === 'unavailable') throw new StorageRefusal(503, 'backendError', 'Backend Error')
    const reply = await handle(request, call.path)
    if (going === 'lost-response') throw new StorageRefusal(503, 'backendError', 'Backend Error')
    return reply
  }
}
