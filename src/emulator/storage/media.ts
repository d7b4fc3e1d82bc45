import { gunzipSync } from 'node:zlib'
import type { HttpReply, HttpRequest } from '../wire/http.ts'
import { etagOf } from './fields.ts'
import type { StoredObject } from './object-store.ts'
import { StorageRefusal } from './refusal.ts'

/** The content of an object, or a range of it. */
export function media(object: StoredObject, stored: Buffer, { headers }: HttpRequest): HttpReply {
  const { fields, generation, metageneration, size, crc32c, md5 } = object
  const unpacked = unpackedOf(object, stored, String(headers['accept-encoding'] ?? ''))
  const bytes = unpacked ?? stored
  // A range of what is unpacked on the way would be of other bytes: all of it is sent.
  const range = unpacked ? undefined : rangeOf(headers.range, bytes.length)
  const part = range ? bytes.subarray(range.from, range.to) : bytes
  const said = {
    'cache-control': fields.cacheControl,
    'content-disposition': fields.contentDisposition,
    'content-language': fields.contentLanguage,
    'content-encoding': unpacked ? undefined : fields.contentEncoding,
    'x-goog-stored-content-encoding': fields.contentEncoding ?? 'identity',
  }
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...Object.fromEntries(
        Object.entries(said).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
      ),
      'content-type': fields.contentType ?? 'application/octet-stream',
      etag: etagOf(object),
      'x-goog-generation': String(generation),
      'x-goog-metageneration': String(metageneration),
      'x-goog-stored-content-length': String(size),
      'x-goog-hash': `crc32c=${crc32c}${md5 === undefined ? '' : `,md5=${md5}`}`,
      ...(range && { 'content-range': `bytes ${range.from}-${range.to - 1}/${bytes.length}` }),
    },
    body: part,
  }
}

/** rule: storage-gzip. Undefined where the content is sent as it is. */
function unpackedOf({ fields }: StoredObject, stored: Buffer, accepted: string): Buffer | undefined {
  if (fields.contentEncoding !== 'gzip' || /\bgzip\b/.test(accepted)) return undefined
  if (/\bno-transform\b/.test(fields.cacheControl ?? '')) return undefined
  try {
    return gunzipSync(stored)
  } catch {
    return undefined // It only says that it is gzip.
  }
}

/** `bytes=0-9`, `bytes=10-`, `bytes=-5`. */
function rangeOf(header: string | undefined, length: number): { from: number; to: number } | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return undefined
  const from = first === '' ? Math.max(0, length - Number(last)) : Number(first)
  const to = first === '' || last === '' ? length : Math.min(Number(last) + 1, length)
  if (from >= to) throw new StorageRefusal(416, 'requestedRangeNotSatisfiable', 'the range is beyond the object')
  return { from, to }
}
