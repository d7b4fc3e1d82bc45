import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What Cloud Storage says of an object; times in ms since 1970, checksums in base64. */
export interface StoredObject {
  readonly bucket: string
  readonly name: string
  /** Rises with every write. */
  readonly generation: number
  readonly size: number
  readonly contentType: string
  readonly md5: string
  readonly crc32c: string
  readonly created: number
  readonly metadata: Readonly<Record<string, string>>
}

/** What a client may say of an object that it writes. */
export interface NewObject {
  readonly bucket: string
  readonly name: string
  readonly contentType?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** Buckets and objects in a folder. Their names come from anywhere, so files are called by their digests. */
export interface ObjectStore {
  /** Sorted. */
  buckets(): readonly string[]
  /** False where it was there already. */
  createBucket(name: string): Promise<boolean>
  find(bucket: string, name: string): StoredObject | undefined
  /** In the order of their names. */
  list(bucket: string): readonly StoredObject[]
  read(object: StoredObject): Promise<Buffer>
  /** Makes the bucket, too. `check` sees the object that is replaced, and may throw; nothing comes between it and the write. */
  write(object: NewObject, content: Buffer, check: (before: StoredObject | undefined) => void): Promise<StoredObject>
  delete(object: StoredObject): Promise<void>
}

export async function openObjectStore(folder: string, now: () => number): Promise<ObjectStore> {
  await mkdir(folder, { recursive: true })
  const buckets = new Map<string, Map<string, StoredObject>>()
  for (const file of (await readdir(folder)).filter(name => name.endsWith('.json'))) {
    const said = JSON.parse(await readFile(join(folder, file), 'utf8')) as StoredObject | { readonly bucket: string }
    const objects = buckets.get(said.bucket) ?? new Map<string, StoredObject>()
    if ('name' in said) objects.set(said.name, said)
    buckets.set(said.bucket, objects)
  }
  let generation = Math.max(0, ...[...buckets.values()].flatMap(all => [...all.values()].map(each => each.generation)))

  /** Contents are by generation: a reader of the old one is not disturbed by the new one. */
  const content = ({ generation }: StoredObject) => join(folder, `${generation}.bin`)
  const description = (bucket: string, name?: string) => {
    const key = name === undefined ? bucket : `${bucket}/${name}`
    return join(folder, `${createHash('sha256').update(key).digest('hex')}.json`)
  }
  async function save(path: string, bytes: string | Buffer): Promise<void> {
    const part = `${path}.${randomUUID()}.part`
    await writeFile(part, bytes)
    await rename(part, path)
  }
  async function createBucket(name: string): Promise<boolean> {
    if (buckets.has(name)) return false
    buckets.set(name, new Map())
    await save(description(name), JSON.stringify({ bucket: name }))
    return true
  }

  return {
    buckets: () => [...buckets.keys()].sort(),
    createBucket,
    find: (bucket, name) => buckets.get(bucket)?.get(name),
    list: bucket => [...(buckets.get(bucket)?.values() ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1)),
    read: object => readFile(content(object)),
    async write({ bucket, name, contentType = 'application/octet-stream', metadata = {} }, bytes, check) {
      await createBucket(bucket)
      const objects = buckets.get(bucket) as Map<string, StoredObject>
      check(objects.get(name))
      // A clock may stand still, and generations still rise.
      generation = Math.max(generation + 1, now() * 1000)
      const md5 = createHash('md5').update(bytes).digest('base64')
      const object: StoredObject = {
        ...{ bucket, name, generation, size: bytes.length, contentType, md5, crc32c: crc32c(bytes) },
        ...{ created: now(), metadata },
      }
      await writeFile(content(object), bytes)
      const before = objects.get(name)
      check(before)
      objects.set(name, object)
      await save(description(bucket, name), JSON.stringify(object))
      if (before !== undefined) await rm(content(before), { force: true })
      return object
    },
    async delete(object) {
      buckets.get(object.bucket)?.delete(object.name)
      await rm(description(object.bucket, object.name), { force: true })
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
