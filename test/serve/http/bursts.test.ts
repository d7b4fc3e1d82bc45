import { expect, it } from 'vitest'
import { createBursts } from '../../../src/serve/http/bursts.ts'

const turn = () => new Promise(done => setImmediate(done))

it('does a stage of all before the next stage of any, in the order in which they came', async () => {
  const inBurst = createBursts()
  const done: string[] = []
  const add = (name: string) =>
    inBurst(() => {
      done.push(`begin ${name}`)
      return () => void done.push(`end ${name}`)
    })
  add('a')
  add('b')
  expect(done).toEqual([])
  await turn()
  expect(done).toEqual(['begin a', 'begin b', 'end a', 'end b'])
  add('c')
  await turn()
  expect(done.slice(4)).toEqual(['begin c', 'end c'])
})

it('keeps nobody waiting for all of many, and forgets none', async () => {
  const inBurst = createBursts()
  let [begun, ended] = [0, 0]
  let most = 0
  for (let i = 0; i < 100; i++) {
    inBurst(() => {
      begun++
      most = Math.max(most, begun - ended)
      return () => {
        // What comes while a burst goes on is for the next one.
        if (ended++ === 0) inBurst(() => () => void ended++)
      }
    })
  }
  // Three bursts in the middle of this turn, with one that came in the first of them.
  expect(begun).toBe(95)
  await turn()
  await turn()
  expect({ begun, ended, most }).toEqual({ begun: 100, ended: 101, most: 32 })
})
