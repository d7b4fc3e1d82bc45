import { expect, it } from 'vitest'
import { createIds } from '../../../src/serve/ids/ids.ts'

it('makes ULIDs: the time in ten digits, chance in sixteen', () => {
  // The example of https://github.com/ulid/spec
  const id = createIds()(1_469_918_176_385)
  expect(id).toMatch(/^01ARYZ6S41[0-9A-HJKMNP-TV-Z]{16}$/)
  expect(createIds()(0)).toMatch(/^0{10}/)
  expect(createIds()(2 ** 48 - 1)).toMatch(/^7Z{9}/)
})

it('makes no id twice, and sorts them by time', () => {
  let now = 1_700_000_000_000
  const newId = createIds()
  const ids = Array.from({ length: 20_000 }, (_, i) => {
    if (i % 100 === 0) now++
    return newId(now)
  })
  expect(new Set(ids).size).toBe(20_000)
  const stamps = ids.map(id => id.slice(0, 10))
  expect(stamps).toEqual([...stamps].sort())
})

it('draws every digit of the chance evenly', () => {
  const newId = createIds()
  const counts = new Map<string, number>()
  for (let i = 0; i < 10_000; i++)
    for (const digit of newId(0).slice(10)) counts.set(digit, (counts.get(digit) ?? 0) + 1)
  // 5000 each; the standard deviation is 70
  expect([...counts.values()].every(count => Math.abs(count - 5_000) < 500)).toBe(true)
  expect(counts.size).toBe(32)
})
