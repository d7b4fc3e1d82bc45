import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import policySchema from '../../schemas/policy.schema.json' with { type: 'json' }
import { murmur3 } from '../../src/math/murmur.ts'
import { stream } from '../../src/math/rng.ts'
import {
  createScatter,
  createScore,
  createSpread,
  createTouches,
  type Hashing,
  hashName,
  MOST_BITS,
  mostTouches,
  namespaceSeed,
  pairHash,
  rowLength,
  sharedSlots,
} from '../../src/policy/hashing.ts'

/**
 * VowpalWabbit 9.11.9's hash_space and hash_feature at -b 24: the hash of the namespace, then a feature's last 24 bits by the default `--hash strings` and by
 * `--hash all`.
 */
const VOWPAL_WABBIT: readonly (readonly [
  namespace: string,
  feature: string,
  seed: number,
  strings: number,
  all: number,
])[] = [
  ['FromUrl', 'devicemobile_phone', 2800129035, 13716957, 13716957],
  ['i', 'constant', 2165993515, 26051, 26051],
  ['i', 'idA', 2165993515, 2147499, 2147499],
  ['j', 'topicnews', 3396622905, 2490633, 2490633],
  ['a', '12345', 1009084850, 2464235, 12619782],
  ['a', '007', 1009084850, 2451897, 12806357],
  ['a', '3.5', 1009084850, 13354221, 13354221],
  ['ü', 'naïve', 2017519274, 14823043, 14823043],
  ['Time', 'todnight', 2854191800, 14895857, 14895857],
  ['', 'x', 0, 10132251, 10132251],
  ['a', '', 1009084850, 2451890, 1447540],
  ['ns', '  pad', 3567900184, 11465627, 11766493],
]

const MASK = 0xffffff

describe('names are hashed as VowpalWabbit hashes them', () => {
  it.each(VOWPAL_WABBIT)('%j %j', (namespace, feature, seed, strings, all) => {
    expect(namespaceSeed(namespace, 'strings') >>> 0).toBe(seed)
    expect(hashName(feature, namespaceSeed(namespace, 'strings'), 'strings') & MASK).toBe(strings)
    expect(hashName(feature, namespaceSeed(namespace)) & MASK).toBe(all)
  })

  it('and so are products of two', () => {
    expect(pairHash(2986370499 | 0, 2904949001 | 0) & 0x3ffff).toBe(143600)
  })
})

it('no state may have more bits than a file', () => {
  expect(policySchema.$defs.HashSpec.properties.bits.maximum).toBe(MOST_BITS)
})

describe('murmur3', () => {
  it('hashes the bytes of UTF-8, whatever the text', () => {
    const rng = stream(1)
    const alphabet = [
      'a',
      'Z',
      ' ',
      'é',
      'ß',
      '€',
      '日',
      '\uffff',
      '😀',
      '\u{10ffff}',
      '\u0000',
      '\u007f',
      '\u0080',
      '\u07ff',
      '\u0800',
      '\ud800',
      '\udfff',
    ]
    for (let i = 0; i < 2000; i++) {
      const text = Array.from(
        { length: Math.floor(rng.uniform() * 12) },
        () => alphabet[Math.floor(rng.uniform() * alphabet.length)],
      ).join('')
      const seed = rng.uint32()
      expect(murmur3(text, seed)).toBe(ofBytes(new TextEncoder().encode(text), seed))
    }
  })
})

/** The reference, over bytes in blocks of four. */
function ofBytes(bytes: Uint8Array, seed: number): number {
  const rotl = (x: number, r: number) => (x << r) | (x >>> (32 - r))
  const mix = (k: number) => Math.imul(rotl(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let h = seed | 0
  const blocks = Math.floor(bytes.length / 4)
  for (let i = 0; i < blocks; i++) h = (Math.imul(rotl(h ^ mix(view.getInt32(4 * i, true)), 13), 5) + 0xe6546b64) | 0
  let k = 0
  for (let i = bytes.length - 1; i >= 4 * blocks; i--) k = (k << 8) | bytes[i]
  if (bytes.length > 4 * blocks) h ^= mix(k)
  h ^= bytes.length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

describe('a row of hashed features', () => {
  const hashing: Hashing = {
    bits: 18,
    ends: [2, 5],
    pairs: [
      [0, 1],
      [1, 1],
    ],
  }
  // Hashes, then values: 2 features of the one namespace, 3 of the other.
  const x = Float64Array.of(11, 12, 21, 22, 23, 1, 2, 3, 0, 5)

  it('touches its features, and the products of the pairs, each two once; what has no value is left out', () => {
    const hashes = new Int32Array(mostTouches(hashing))
    const values = new Float64Array(hashes.length)
    const n = createSpread(hashing)(x, 0, hashes, values)
    const expected = [
      [11, 1],
      [12, 2],
      [21, 3],
      [23, 5],
      [pairHash(11, 21), 3],
      [pairHash(11, 23), 5],
      [pairHash(12, 21), 6],
      [pairHash(12, 23), 10],
      [pairHash(21, 23), 15],
    ]
    expect(Array.from({ length: n }, (_, i) => [hashes[i], values[i]])).toEqual(expected)
    expect(rowLength(hashing)).toBe(x.length)
  })

  it('is summed on the way to what its touches are worth', () => {
    const weights = Float64Array.from({ length: 1 << 18 }, (_, i) => Math.sin(i))
    const hashes = new Int32Array(mostTouches(hashing))
    const values = new Float64Array(hashes.length)
    const n = createSpread(hashing)(x, 0, hashes, values)
    const sum = Array.from({ length: n }, (_, i) => weights[hashes[i] & 0x3ffff] * values[i]).reduce((a, b) => a + b)
    expect(createScore(hashing)(x, 0, weights)).toBeCloseTo(sum, 12)
  })

  it('is the same by slot, whether it is listed, summed or spread over them, however many meet in one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 18 }),
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { maxLength: 4 }),
        fc.nat(),
        (bits, sizes, wanted, seed) => {
          const rng = stream(seed, 'row')
          let end = 0
          const ends = sizes.map(size => (end += size))
          const pairs = wanted
            .filter(pair => Math.max(...pair) < sizes.length)
            .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
          const of: Hashing = { bits, ends, pairs }
          const hash = () => rng.uint32() | 0
          const number = () => (rng.uniform() < 0.2 ? 0 : Math.round(8 * rng.uniform() - 4) / 4)
          const rows = Float64Array.from({ length: 3 * 2 * end }, (_, i) => (i % (2 * end) < end ? hash() : number()))
          const weights = Float64Array.from({ length: 1 << bits }, () => rng.uniform())
          const [hashes, slots] = [new Int32Array(mostTouches(of)), new Int32Array(mostTouches(of))]
          const [each, met] = [new Float64Array(hashes.length), new Float64Array(hashes.length)]
          const [spread, touches] = [createSpread(of), createTouches(of)]
          const [score, scatter] = [createScore(of), createScatter(of)]
          for (let at = 0; at < rows.length; at += 2 * end) {
            const bySlot = new Map<number, number>()
            for (let i = 0, n = spread(rows, at, hashes, each); i < n; i++) {
              const slot = hashes[i] & (weights.length - 1)
              bySlot.set(slot, (bySlot.get(slot) ?? 0) + each[i])
            }
            const n = touches(rows, at, slots, met)
            // Quarters add up exactly.
            expect(Array.from({ length: n }, (_, i) => [slots[i], met[i]])).toEqual([...bySlot])
            const sum = [...bySlot].reduce((all, [slot, value]) => all + weights[slot] * value, 0)
            expect(score(rows, at, weights)).toBeCloseTo(sum, 9)
            const to = new Float64Array(weights.length)
            scatter(rows, at, 0.5, to)
            for (const [slot, value] of bySlot) expect(to[slot]).toBe(value / 2)
            expect(to.reduce((all, each) => all + each, 0)).toBeCloseTo(
              [...bySlot.values()].reduce((a, b) => a + b, 0) / 2,
              9,
            )
          }
        },
      ),
    )
  })

  it('knows after more rows than it can number which slots the last one touched', () => {
    const touches = createTouches(hashing)
    const slots = new Int32Array(mostTouches(hashing))
    const values = new Float64Array(slots.length)
    const other = x.map((value, i) => (i < 5 ? value + 100 : value))
    const first = touches(x, 0, slots, values)
    for (let row = 0; row < 0xffff - 1; row++) touches(other, 0, slots, values)
    for (const row of [x, x, other]) expect(touches(row, 0, slots, values)).toBe(first)
  })

  it('touches no more than it says, which is what it touches where everything has a value', () => {
    const full = x.map((value, i) => (i < 5 ? value : 1))
    const hashes = new Int32Array(100)
    // And the intercept.
    expect(1 + createSpread(hashing)(full, 0, hashes, new Float64Array(100))).toBe(mostTouches(hashing))
  })
})

it('of 100,000 names in 2^18 slots 32 % share one', () => {
  expect(sharedSlots(100_000, 262_144)).toBeCloseTo(0.3171, 4)
  const taken = new Map<number, number>()
  const rng = stream(2)
  for (let i = 0; i < 100_000; i++) {
    const slot = hashName(`name ${rng.uint32()} ${i}`, 7) & 0x3ffff
    taken.set(slot, (taken.get(slot) ?? 0) + 1)
  }
  const sharing = [...taken.values()].filter(n => n > 1).reduce((sum, n) => sum + n, 0)
  expect(sharing / 100_000).toBeCloseTo(0.317, 2)
})
