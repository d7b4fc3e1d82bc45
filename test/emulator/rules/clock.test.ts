import { expect, it } from 'vitest'
import { virtualClock } from '../../../src/emulator/clock.ts'

it('a virtual clock runs what falls due in order, and what that asks for in the same time', async () => {
  const clock = virtualClock(0)
  const ran: string[] = []
  const note = (what: string) => () => void ran.push(`${what} at ${clock.now()}`)
  clock.after(20, note('late'))
  clock.after(10, note('first'))
  clock.after(10, note('second'))
  clock.after(15, () => clock.after(3, note('nested')))
  clock.after(200, note('never'))
  const cancel = clock.after(5, note('cancelled'))
  cancel()
  await clock.advance(100)
  expect(ran).toEqual(['first at 10', 'second at 10', 'nested at 18', 'late at 20'])
  expect(clock.now()).toBe(100)
})

it('a virtual clock lets promises settle before it goes on', async () => {
  const clock = virtualClock(0)
  const ran: number[] = []
  const loop = async () => {
    for (let i = 0; i < 3; i++) {
      await new Promise<void>(resolve => clock.after(10, resolve))
      ran.push(clock.now())
    }
  }
  const done = loop()
  await clock.advance(30)
  await done
  expect(ran).toEqual([10, 20, 30])
})

it('a virtual clock that two advance at the same time never runs backwards', async () => {
  const clock = virtualClock(0)
  const short = clock.advance(10)
  await Promise.all([clock.advance(1000), short])
  expect(clock.now()).toBe(1000)
})
