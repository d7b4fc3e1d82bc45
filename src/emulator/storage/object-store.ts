import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../ports.ts'

/** What a client may say of an object, when it writes it and later. */
export interface ObjectFields {
  readonly contentType?: string
  readonly cacheControl?: string
  readonly contentDisposition?: string
  readonly contentEncoding?: string
  readonly contentLanguage?: string
  /** RFC 3339 */
  readonly customTime?: string
  readonly storageClass?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** What Cloud Storage says of an object; times in ms since 1970, checksums in base64. */
export interface StoredObject {
  readonly bucket: string
  readonly name: string
  /** Rises with every write of the content. */
  readonly generation: number
  /** From 1 on, of each generation; rises with every change of the fields. */
  readonly metageneration: number
  readonly size: number
  /** An object that was composed has none. */
  readonly md5?: string
  readonly crc32c: string
  /** Of an object that was composed: of how many that were not. */
  readonly componentCount?: number
  readonly created: number
  readonly updated: number
  readonly fields: ObjectFields
}

export interface StoredBucket {
  readonly bucket: string
  readonly metageneration: number
  readonly created: number
  readonly updated: number
  /** What its owner said of it. */
  readonly fields: JsonObject
}

export interface NewObject {
  readonly bucket: string
  readonly name: string
  readonly fields: ObjectFields
  /** Only of one that is composed. */
  readonly componentCount?: number
}

/** Buckets and objects in a folder. Their names come from anywhere, so files are called by their digests. */
export interface ObjectStore {
  /** Sorted by name. */
  buckets(): readonly StoredBucket[]
  bucket(name: string): StoredBucket | undefined
  /** Undefined where it was there already. */
  createBucket(name: string, fields: JsonObject): Promise<StoredBucket | undefined>
  updateBucket(bucket: StoredBucket, fields: JsonObject): Promise<StoredBucket>
  deleteBucket(bucket: StoredBucket): Promise<void>
  find(bucket: string, name: string): StoredObject | undefined
  /** In the order of their names. */
  list(bucket: string): readonly StoredObject[]
  read(object: StoredObject): Promise<Buffer>
  /** Makes the bucket, too. `check` sees the object that is replaced, and may throw; nothing comes between it and the write. */
  write(object: NewObject, content: Buffer, check: (before: StoredObject | undefined) => void): Promise<StoredObject>
  /** The same content with other fields. */
  update(object: StoredObject, fields: ObjectFields): Promise<StoredObject>
  delete(object: StoredObject): Promise<void>
}

export async function openObjectStore(folder: string, now: () => number): Promise<ObjectStore> {
  await mkdir(folder, { recursive: true })
  const buckets = new Map<string, StoredBucket>()
  /** Bucket → name → object. */
  const objects = new Map<string, Map<string, StoredObject>>()
  const inBucket = (bucket: string) => {
    const all = objects.get(bucket) ?? new Map<string, StoredObject>()
    objects.set(bucket, all)
    return all
  }
  for (const file of (await readdir(folder)).filter(name => name.endsWith('.json'))) {
    const said = JSON.parse(await readFile(join(folder, file), 'utf8')) as StoredObject | StoredBucket
    if ('name' in said) inBucket(said.bucket).set(said.name, said)
    else buckets.set(said.bucket, said)
  }
  const generations = [...objects.values()].flatMap(all => [...all.values()].map(each => each.generation))
  let generation = Math.max(0, ...generations)

  /** Contents are by generation: a reader of the old one is not disturbed by the new one. */
  const content = ({ generation }: StoredObject) => join(folder, `${generation}.bin`)
  let saving: Promise<void> = Promise.resolve()
  /** Brings the description on the disk up to what is known by then: one at a time, so that the last word is the last written. */
  function saved(bucket: string, name?: string): Promise<void> {
    const key = name === undefined ? bucket : `${bucket}/${name}`
    const path = join(folder, `${createHash('sha256').update(key).digest('hex')}.json`)
    const save = async () => {
      const known = name === undefined ? buckets.get(bucket) : objects.get(bucket)?.get(name)
      if (known === undefined) return rm(path, { force: true })
      const part = `${path}.${randomUUID()}.part`
      await writeFile(part, JSON.stringify(known))
      await rename(part, path)
    }
    saving = saving.then(save, save)
    return saving
  }
  async function createBucket(name: string, fields: JsonObject): Promise<StoredBucket | undefined> {
    if (buckets.has(name)) return undefined
    const bucket = { bucket: name, metageneration: 1, created: now(), updated: now(), fields }
    buckets.set(name, bucket)
    await saved(name)
    return bucket
  }

  return {
    buckets: () => [...buckets.values()].sort((a, b) => (a.bucket < b.bucket ? -1 : 1)),
    bucket: name => buckets.get(name),
    createBucket,
    async updateBucket(before, fields) {
      const bucket = { ...before, fields, metageneration: before.metageneration + 1, updated: now() }
      buckets.set(bucket.bucket, bucket)
      await saved(bucket.bucket)
      return bucket
    },
    async deleteBucket({ bucket }) {
      buckets.delete(bucket)
      await saved(bucket)
    },
    find: (bucket, name) => objects.get(bucket)?.get(name),
    list: bucket => [...(objects.get(bucket)?.values() ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1)),
    read: object => readFile(content(object)),
    async write({ bucket, name, fields, componentCount }, bytes, check) {
      check(inBucket(bucket).get(name))
      // A clock may stand still, and generations still rise.
      generation = Math.max(generation + 1, now() * 1000)
      const object: StoredObject = {
        ...{ bucket, name, generation, metageneration: 1, size: bytes.length, crc32c: crc32c(bytes) },
        ...(componentCount === undefined
          ? { md5: createHash('md5').update(bytes).digest('base64') }
          : { componentCount }),
        ...{ created: now(), updated: now(), fields },
      }
      await writeFile(content(object), bytes)
      await createBucket(bucket, {}) // rule: storage-bucket-made
      const before = inBucket(bucket).get(name)
      check(before)
      inBucket(bucket).set(name, object)
      await saved(bucket, name)
      if (before !== undefined) await rm(content(before), { force: true })
      return object
    },
    async update(before, fields) {
      const object = { ...before, fields, metageneration: before.metageneration + 1, updated: now() }
      inBucket(object.bucket).set(object.name, object)
      await saved(object.bucket, object.name)
      return object
    },
    async delete(object) {
      objects.get(object.bucket)?.delete(object.name)
      await saved(object.bucket, object.name)
      await rm(content(object), { force: true })
    },
  }
}

/** Castagnoli's polynomial, reflected. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

/** Big-endian, in base64, as Cloud Storage gives it. */
export function crc32c(bytes: Uint8Array): string {
  let crc = 0xffffffff
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  const out = Buffer.alloc(4)
  out.writeUInt32BE((crc ^ 0xffffffff) >>> 0)
  return out.toString('base64')
}
