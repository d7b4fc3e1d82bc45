const WORD = 0xffff_ffff_ffff_ffffn
const FACTOR = 0xd6e8_feb8_6659_fd93n

/**
 * The hash by which DuckDB puts texts into buckets: MurmurHash64A over words of 8 bytes, little-endian, the last one filled up with zeros,
 * from the seed 0xe17a1465 and the length; then Murmur's finaliser.
 */
export function unitHash(text: string): bigint {
  const bytes = Buffer.from(text)
  const words = Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)])
  let hash = 0xe17a_1465n ^ ((BigInt(bytes.length) * 0xc6a4_a793_5bd1_e995n) & WORD)
  for (let at = 0; at < words.length; at += 8) hash = ((hash ^ words.readBigUInt64LE(at)) * FACTOR) & WORD
  hash = ((hash ^ (hash >> 32n)) * FACTOR) & WORD
  hash = ((hash ^ (hash >> 32n)) * FACTOR) & WORD
  return hash ^ (hash >> 32n)
}
