import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createIdSketch, createKinship, SKETCH_SIZE } from '../../src/log/id-sketch.ts'

const hashOf = (id: string) => Number(createHash('md5').update(id).digest().readBigUInt64LE(8) >> 11n)
const idsOf = (from: number, to: number, prefix = 'd') =>
  Array.from({ length: to - from }, (_, i) => `${prefix}${from + i}`)

function sketchOf(hashes: Iterable<number>): readonly number[] {
  const sketch = createIdSketch()
  for (const hash of hashes) sketch.add(hash)
  return sketch.hashes()
}

function kinshipOf(learnt: readonly string[], log: readonly string[]) {
  const { see, kinship } = createKinship(sketchOf(learnt.map(hashOf)))
  for (const id of log) see(hashOf(id))
  return kinship()
}

const hashes = fc.array(fc.integer({ min: 0, max: 2 ** 53 - 1 }), { maxLength: 400 })

describe('the sketch of ids', () => {
  it('is the smallest hashes, each once, whatever the order', () => {
    fc.assert(
      fc.property(hashes, all => {
        const smallest = [...new Set(all)].sort((a, b) => a - b).slice(0, SKETCH_SIZE)
        expect(sketchOf(all)).toEqual(smallest)
        expect(sketchOf([...all, ...all].reverse())).toEqual(smallest)
      }),
    )
  })

  it('of two parts, merged, is that of the whole', () => {
    fc.assert(
      fc.property(hashes, hashes, (one, other) => {
        expect(sketchOf([...sketchOf(one), ...sketchOf(other)])).toEqual(sketchOf([...one, ...other]))
      }),
    )
  })

  it('has no row without an id', () => expect(sketchOf([Number.NaN, 3, Number.NaN])).toEqual([3]))
})

describe('a log beside the ids that were learnt', () => {
  const learnt = idsOf(0, 20_000)

  it.each([
    ['in another order', [...learnt].reverse()],
    ['longer', idsOf(0, 60_000)],
    ['a part of it', idsOf(5_000, 8_000)],
    ['moved on', idsOf(15_000, 35_000)],
  ])('is the same decisions where it is %s', (_, log) => expect(kinshipOf(learnt, log)).toBe('shared'))

  it('is other decisions where none of enough is known', () => {
    expect(kinshipOf(learnt, idsOf(20_000, 40_000))).toBe('other')
    expect(kinshipOf(learnt, idsOf(0, 20_000, 'e'))).toBe('other')
  })

  it('says nothing where too few would show it', () => {
    expect(kinshipOf(learnt, idsOf(20_000, 20_100))).toBe('unclear')
    expect(kinshipOf(learnt, [])).toBe('unclear')
  })

  it('is known in every id where the sketch has them all', () => {
    expect(kinshipOf(idsOf(0, SKETCH_SIZE - 1), idsOf(500, 501))).toBe('other')
    expect(kinshipOf(idsOf(0, SKETCH_SIZE - 1), ['d7', 'x'])).toBe('shared')
    expect(kinshipOf(idsOf(0, SKETCH_SIZE - 1), [])).toBe('unclear')
  })

  it.each([29, 30])('needs 30 strangers below the largest hash: %i', strangers => {
    const { see, kinship } = createKinship(Array.from({ length: SKETCH_SIZE }, (_, i) => 2 * i))
    for (let i = 0; i < strangers; i++) expect(see(2 * i + 1)).toBe(false)
    see(2 * SKETCH_SIZE + 1)
    expect(kinship()).toBe(strangers < 30 ? 'unclear' : 'other')
  })
})
