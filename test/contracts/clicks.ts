import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import type { ClickModel } from '../../src/simulate/click-model.ts'

interface Listed {
  readonly q: number
  readonly kind: number
}

export function shownOf(list: readonly Listed[]) {
  return {
    slots: list.length,
    q: Float64Array.from(list, ({ q }) => q),
    kind: Int32Array.from(list, ({ kind }) => kind),
  }
}

/** Every list of `slots` of these, in every order. */
function* listsOf(actions: readonly Listed[], slots: number): Generator<readonly Listed[]> {
  if (slots === 0) yield []
  else
    for (const first of actions)
      for (const rest of listsOf(
        actions.filter(each => each !== first),
        slots - 1,
      ))
        yield [first, ...rest]
}

/** What every click model promises. */
export function clicksContract(name: string, model: ClickModel): void {
  const action = fc.record({
    q: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.5, 1)),
    kind: fc.nat(2),
  })
  const worth = (list: readonly Listed[]) => model.expected(shownOf(list), new Float64Array(list.length))

  describe(`${name} keeps the contract of a click model`, () => {
    it('has clicks as often as it says, slot by slot and in a list (z-test over 40,000 seeded draws)', () => {
      const rng = stream(5, name)
      for (let each = 0; each < 6; each++) {
        const slots = 1 + each
        // One of the slots is empty.
        const list = Array.from({ length: slots }, (_, k) =>
          each === 4 && k === 1 ? { q: 0, kind: -1 } : { q: rng.uniform(), kind: k % 2 },
        )
        const shown = shownOf(list)
        const expected = new Float64Array(slots)
        const total = model.expected(shown, expected)
        const [u, clicks, sums] = [new Float64Array(slots), new Float64Array(slots), new Float64Array(slots)]
        const draws = 40_000
        let [all, squares, miscounted] = [0, 0, 0]
        for (let i = 0; i < draws; i++) {
          for (let k = 0; k < slots; k++) u[k] = rng.uniform()
          const count = model.draw(shown, u, clicks)
          let left = count
          for (let k = 0; k < slots; k++) {
            sums[k] += clicks[k]
            left -= clicks[k]
          }
          if (left !== 0) miscounted++
          all += count
          squares += (count - total) * (count - total)
        }
        expect(miscounted).toBe(0)
        for (let k = 0; k < slots; k++) {
          const error = Math.sqrt((expected[k] * (1 - expected[k])) / draws)
          expect(Math.abs(sums[k] / draws - expected[k])).toBeLessThanOrEqual(4.5 * error)
        }
        expect(total).toBeCloseTo(
          expected.reduce((sum, p) => sum + p, 0),
          12,
        )
        expect(Math.abs(all / draws - total)).toBeLessThanOrEqual((4.5 * Math.sqrt(squares)) / draws)
      }
    })

    it('knows a list that none is better than', () => {
      fc.assert(
        fc.property(
          fc.array(action, { minLength: 1, maxLength: 6 }),
          fc.integer({ min: 1, max: 4 }),
          (actions, slots) => {
            const n = Math.min(slots, actions.length)
            const { q, kind } = shownOf(actions)
            const out = new Int32Array(slots).fill(-1)
            expect(model.best(q, kind, actions.length, slots, out)).toBe(n)
            const chosen = [...out.subarray(0, n)]
            expect(new Set(chosen).size).toBe(n)
            const best = worth(chosen.map(i => actions[i]))
            for (const list of listsOf(actions, n)) expect(worth(list)).toBeLessThanOrEqual(best + 1e-12)
          },
        ),
        { numRuns: 150 },
      )
    })

    it('has no click on an empty slot, and as many as 1 or 0 a slot', () => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(action, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), {
            maxLength: 6,
          }),
          slots => {
            const list = slots.map(([each], k) => (k % 3 === 1 ? { q: 0, kind: -1 } : each))
            const out = new Float64Array(list.length)
            model.draw(
              shownOf(list),
              Float64Array.from(slots, ([, u]) => u),
              out,
            )
            for (const [k, click] of out.entries()) expect(k % 3 === 1 ? [0] : [0, 1]).toContain(click)
          },
        ),
      )
    })
  })
}
