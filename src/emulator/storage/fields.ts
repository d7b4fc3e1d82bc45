import type { Json, JsonObject } from '../ports.ts'
import { isOff, notEmulated } from './api.ts'
import type { ObjectFields, StoredBucket, StoredObject } from './object-store.ts'
import { invalid } from './refusal.ts'

/** What becomes of the fields of a body: `kept` ones are stored and shown, `output` ones are for the service to say. All else is refused. */
interface Body {
  readonly of: string
  readonly kept: readonly string[]
  readonly output: readonly string[]
}

/** rule: storage-fields */
const OBJECT: Body = {
  of: 'an object',
  kept: [
    ...['contentType', 'cacheControl', 'contentDisposition', 'contentEncoding', 'contentLanguage', 'customTime'],
    ...['storageClass', 'metadata'],
  ],
  // Access lists are not among what is emulated, and nobody is asked who they are.
  output: [
    ...['kind', 'id', 'selfLink', 'mediaLink', 'name', 'bucket', 'generation', 'metageneration', 'size', 'etag'],
    ...['md5Hash', 'crc32c', 'componentCount', 'timeCreated', 'updated', 'timeStorageClassUpdated', 'timeFinalized'],
    ...['owner', 'acl'],
  ],
}

/** rule: storage-bucket-fields */
const BUCKET: Body = {
  of: 'a bucket',
  kept: ['location', 'storageClass', 'labels', 'iamConfiguration', 'cors', 'website', 'billing', 'rpo'],
  output: [
    ...['kind', 'id', 'selfLink', 'name', 'projectNumber', 'metageneration', 'generation', 'etag', 'timeCreated'],
    ...['updated', 'locationType', 'owner', 'acl', 'defaultObjectAcl', 'satisfiesPZS', 'satisfiesPZI'],
  ],
}

const MAPS = ['metadata', 'labels']

/** The fields that a body says, each checked; null ones are to be cleared. */
function saidOf(body: Json, { of, kept, output }: Body): JsonObject {
  if (body !== null && (typeof body !== 'object' || Array.isArray(body))) throw invalid(`the body is not ${of}`)
  const said = Object.entries((body ?? {}) as JsonObject)
  for (const [field, value] of said) {
    if (kept.includes(field)) checkField(field, value)
    else if (!output.includes(field) && !isOff(value)) throw notEmulated(`\`${field}\` of ${of}`)
  }
  return Object.fromEntries(said.filter(([field]) => kept.includes(field)))
}

function checkField(field: string, value: Json | undefined): void {
  if (value === null || ['iamConfiguration', 'cors', 'website', 'billing'].includes(field)) return
  if (MAPS.includes(field)) {
    const values = typeof value === 'object' && !Array.isArray(value) ? Object.values(value as JsonObject) : [0]
    if (values.some(each => each !== null && typeof each !== 'string')) throw invalid(`\`${field}\` maps text to text`)
  } else if (typeof value !== 'string') throw invalid(`\`${field}\` is a text`)
  else if (field === 'customTime' && Number.isNaN(Date.parse(value))) throw invalid(`\`${field}\` is no time: ${value}`)
}

/** `before` with what is said: a null clears a field, or an entry of a map. */
function merged(before: JsonObject, said: JsonObject): JsonObject {
  const result: Record<string, Json | undefined> = { ...before }
  for (const [field, value] of Object.entries(said))
    if (value === null) delete result[field]
    else if (MAPS.includes(field)) result[field] = merged((before[field] ?? {}) as JsonObject, value as JsonObject)
    else result[field] = value
  return result
}

/** Of a new object, or in the place of all that was said of it. */
export const objectFields = (body: Json): ObjectFields => merged({}, saidOf(body, OBJECT)) as ObjectFields

/** rule: storage-patch */
export function changedObject({ fields }: StoredObject, body: Json, how: 'patch' | 'replace'): ObjectFields {
  const { storageClass = fields.storageClass, ...said } = saidOf(body, OBJECT)
  if ((storageClass ?? STANDARD) !== (fields.storageClass ?? STANDARD))
    throw invalid('the storage class of an object is changed by rewriting it')
  return merged(how === 'patch' ? (fields as JsonObject) : { storageClass: fields.storageClass }, said) as ObjectFields
}

export const bucketFields = (body: Json): JsonObject => merged({}, saidOf(body, BUCKET))

export function changedBucket({ fields }: StoredBucket, body: Json, how: 'patch' | 'replace'): JsonObject {
  const said = saidOf(body, BUCKET)
  const location = locationOf(fields)
  if (locationOf({ location, ...said }) !== location) throw invalid('the location of a bucket is fixed')
  return merged(how === 'patch' ? fields : { location }, said)
}

const STANDARD = 'STANDARD'
const locationOf = ({ location }: JsonObject) => String(location ?? 'EUROPE-WEST1').toUpperCase()

const time = (ms: number) => new Date(ms).toISOString()
const text = (value: number) => String(value)

export const etagOf = ({ generation, metageneration }: StoredObject) =>
  Buffer.from(`${generation}/${metageneration}`).toString('base64')

export function objectResource(object: StoredObject): JsonObject {
  const { bucket, name, generation, metageneration, componentCount, fields } = object
  return {
    kind: 'storage#object',
    id: `${bucket}/${name}/${generation}`,
    ...{ name, bucket },
    generation: text(generation),
    metageneration: text(metageneration),
    contentType: 'application/octet-stream',
    storageClass: STANDARD,
    ...fields,
    size: text(object.size),
    ...(object.md5 === undefined ? {} : { md5Hash: object.md5 }),
    crc32c: object.crc32c,
    ...(componentCount === undefined ? {} : { componentCount }),
    etag: etagOf(object),
    timeCreated: time(object.created),
    updated: time(object.updated),
  }
}

export const bucketResource = ({ bucket, metageneration, created, updated, fields }: StoredBucket): JsonObject => ({
  kind: 'storage#bucket',
  id: bucket,
  name: bucket,
  metageneration: text(metageneration),
  etag: Buffer.from(text(metageneration)).toString('base64'),
  timeCreated: time(created),
  updated: time(updated),
  storageClass: STANDARD,
  ...fields,
  location: locationOf(fields),
})
