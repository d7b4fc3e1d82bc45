import { expect, it } from 'vitest'
import { remember, rememberNumbers } from '../../../src/log/rows/remember.ts'

it('remembers so many answers, and then begins anew', () => {
  const asked: number[] = []
  const answer = remember(2, (key: number) => {
    asked.push(key)
    return { key }
  })
  const [one, two] = [1, 2].map(answer)
  expect([1, 2, 1].map(answer)).toEqual([one, two, one])
  expect(asked).toEqual([1, 2])
  expect([3, 3, 1].map(answer).map(({ key }) => key)).toEqual([3, 3, 1])
  expect(asked).toEqual([1, 2, 3, 1])
})

it('remembers by the numbers themselves, whoever writes to them later, and tells those of one hash apart', () => {
  const asked: number[][] = []
  const answer = rememberNumbers(2, numbers => {
    asked.push([...numbers])
    return { first: numbers[0] }
  })
  const numbers = Float64Array.of(0.25, 0.75)
  const one = answer(numbers)
  numbers[0] = 0.5
  expect(answer(numbers).first).toBe(0.5)
  expect(answer(Float64Array.of(0.25, 0.75))).toBe(one)
  expect(answer(Float64Array.of(0, 0.25, 0.75).subarray(1))).toBe(one)
  expect(answer(Float64Array.of(0.25, 0.75, 0)).first).toBe(0.25)
  expect(asked).toEqual([
    [0.25, 0.75],
    [0.5, 0.75],
    [0.25, 0.75, 0],
  ])

  // Another low word, and the high word that undoes it.
  const state = (low: number) => Math.imul(0x811c9dc5 ^ low, 0x01000193)
  const words = new Uint32Array(Float64Array.of(0.3).buffer)
  const low = words[0] ^ 1
  const same = new Float64Array(Uint32Array.of(low, words[1] ^ state(words[0]) ^ state(low)).buffer)
  expect(answer(Float64Array.of(0.3)).first).toBe(0.3)
  expect(answer(same).first).toBe(same[0])
  expect(answer(Float64Array.of(0.3)).first).toBe(0.3)
})
