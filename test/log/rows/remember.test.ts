import { expect, it } from 'vitest'
import { remember } from '../../../src/log/rows/remember.ts'

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
