import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Pace, paced, paceText } from '../../src/ui/live/pace.ts'

type Point = readonly [time: number, done: number]

const paceOf = (unit: string, total: number | undefined, points: readonly Point[]) =>
  points.reduce<Pace | undefined>(
    (pace, [time, done]) => paced(pace, { type: 'progress', unit, done, total }, time),
    undefined,
  )!

const steady = (perMs: number, until: number, every = 100): Point[] =>
  Array.from({ length: until / every + 1 }, (_, i) => [i * every, i * every * perMs])

describe('the pace of a run', () => {
  it('says how much, how fast and how long', () => {
    expect(paceText(paceOf('rows', undefined, steady(8_100, 1500)))).toBe('12.2 M rows · 8.1 M/s')
    expect(paceText(paceOf('rows', 45e6, steady(8_100, 1500)))).toBe('12.2 M of 45.0 M rows · 8.1 M/s · 5 s left')
    expect(paceText(paceOf('replications', 200, steady(0.05, 2000)))).toBe('100 of 200 replications · 50/s · 2 s left')
    expect(paceText(paceOf('records', 1e6, steady(0.5, 20_000)))).toBe(
      '10,000 of 1.0 M records · 500/s · 33 min 0 s left',
    )
  })

  it('says no rate in the first second', () => {
    expect(paceText(paceOf('rows', 1e6, steady(10, 900)))).toBe('9,000 of 1.0 M rows')
    expect(paceText(paceOf('rows', 1e6, [[5000, 7]]))).toBe('7 of 1.0 M rows')
  })

  it('begins anew with another unit, and where the count goes back', () => {
    const lines = paceOf('lines', undefined, steady(10, 3000))
    expect(paceText(paced(lines, { type: 'progress', unit: 'rows', done: 5 }, 3100))).toBe('5 rows')
    expect(paceText(paced(lines, { type: 'progress', unit: 'lines', done: 5 }, 3100))).toBe('5 lines')
  })

  it('follows a change of speed, and is not thrown by one batch', () => {
    const slower = [...steady(10, 5000), [5500, 50_500] as Point]
    expect(rateOf(paceOf('rows', undefined, slower))).toBeGreaterThan(8)
    const slow = Array.from({ length: 200 }, (_, i): Point => [5000 + i * 100, 50_000 + i * 100])
    expect(rateOf(paceOf('rows', undefined, [...steady(10, 5000), ...slow]))).toBeCloseTo(1, 0)
  })

  it('is never negative, nor no number, whatever comes', () => {
    const step = fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: -1000, max: 1e9 }))
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1 }),
        fc.option(fc.integer({ min: 0, max: 1e9 }), { nil: undefined }),
        (steps, total) => {
          let time = 0
          let done = 0
          const points = steps.map(([ms, more]): Point => {
            time += ms
            done = Math.max(0, done + more)
            return [time, done]
          })
          for (let n = 1; n <= points.length; n++)
            expect(paceText(paceOf('rows', total, points.slice(0, n)))).not.toMatch(/-|NaN|Infinity|e\+/)
        },
      ),
    )
  })
})

const rateOf = ({ rate, weight }: Pace) => rate / weight
