import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calibrate, readCurve } from '../../src/models/calibrate.ts'

describe('an isotonic curve', () => {
  const curve = { x: [0.1, 0.4, 0.9], y: [0.05, 0.3, 0.7] }

  it('goes through its points, straight between them and flat beyond', () => {
    const at = [0, 0.1, 0.25, 0.4, 0.65, 0.9, 1, Number.NEGATIVE_INFINITY].map(x => calibrate(curve, 'isotonic', x))
    const expected = [0.05, 0.05, 0.175, 0.3, 0.5, 0.7, 0.7, 0.05]
    for (const [i, value] of at.entries()) expect(value).toBeCloseTo(expected[i], 12)
    expect(calibrate(curve, 'isotonic', Number.NaN)).toBeNaN()
    expect(calibrate({ x: [0.5], y: [0.2] }, 'isotonic', 0.9)).toBe(0.2)
  })

  it('never falls, and never leaves its points', () => {
    const number = fc.double({ noNaN: true, min: -1e6, max: 1e6 })
    const points = fc.uniqueArray(number, { minLength: 1, maxLength: 20 }).chain(xs =>
      fc.record({
        x: fc.constant(xs.sort((a, b) => a - b)),
        y: fc.array(number, { minLength: xs.length, maxLength: xs.length }).map(ys => ys.sort((a, b) => a - b)),
      }),
    )
    fc.assert(
      fc.property(points, fc.tuple(number, number), ({ x, y }, scores) => {
        const read = readCurve('isotonic', { x, y })
        if (!('curve' in read)) return expect.fail(read.faults[0].message)
        const [low, high] = scores.sort((a, b) => a - b).map(each => calibrate(read.curve, 'isotonic', each))
        expect(low).toBeLessThanOrEqual(high)
        expect(low).toBeGreaterThanOrEqual(y[0])
        expect(high).toBeLessThanOrEqual(y[y.length - 1])
      }),
    )
  })
})

describe('Platt', () => {
  it('moves and stretches log-odds', () => {
    const logit = (p: number) => Math.log(p / (1 - p))
    for (const p of [1e-9, 0.2, 0.5, 0.99]) {
      const expected = 1 / (1 + Math.exp(-(1.5 * logit(p) - 0.2)))
      expect(calibrate({ slope: 1.5, intercept: -0.2 }, 'platt', p)).toBeCloseTo(expected, 12)
    }
  })

  it('leaves 0 and 1 as they are, and what is no probability without a number', () => {
    const at = (p: number) => calibrate({ slope: 2, intercept: 5 }, 'platt', p)
    expect([at(0), at(1), at(1.5), at(Number.NaN)]).toEqual([0, 1, NaN, NaN])
  })
})

describe('a file of a calibration', () => {
  it.each([
    ['isotonic', { x: [0, 1], y: [0.5, 0.5] }],
    ['platt', { slope: 1, intercept: 0 }],
  ] as const)('is a curve: %s', (type, value) => {
    expect(readCurve(type, value)).toEqual({ curve: value })
  })

  it.each([
    ['isotonic', [], [[], 'it is no JSON object']],
    ['isotonic', { x: [0] }, [['y'], '`y` is missing']],
    ['isotonic', { x: [], y: [0] }, [['x'], '`x` is no list of numbers']],
    ['isotonic', { x: [0, 0], y: [0, 1] }, [['x', 1], '`x[1]` is 0, after 0']],
    ['isotonic', { x: [0, 1, 2], y: [0, 1, 0.5] }, [['y', 2], '`y[2]` is 0.5, after 1']],
    ['isotonic', { x: [0, null], y: [0, 1] }, [['x', 1], '`x[1]` is no number']],
    ['isotonic', { x: [0, 1], y: [0] }, [['y'], '`x` has 2 numbers and `y` 1']],
    ['isotonic', { x: [0], y: [0], z: 1 }, [['z'], 'unknown key `z`']],
    ['platt', { slope: 1 }, [['intercept'], '`intercept` is missing']],
    ['platt', { slope: '1', intercept: 0 }, [['slope'], '`slope` is no number']],
    ['platt', { slope: -1, intercept: 0 }, [['slope'], expect.stringMatching(/not above 0/)]],
  ] as const)('is none: %s %j', (type, value, [path, message]) => {
    const read = readCurve(type, value)
    expect(read).toEqual({ faults: [{ path, message, hint: expect.any(String) }] })
  })
})
