import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClickSpec } from '../../src/kinds.ts'
import { CLICK_MODELS, clickModelOf } from '../../src/simulate/clicks/clicks.ts'
import { clicksContract, shownOf } from '../contracts/clicks.ts'
import { samplesOf } from '../support/definitions.ts'

for (const definition of CLICK_MODELS) {
  for (const spec of samplesOf<ClickSpec>(definition)) {
    clicksContract(JSON.stringify(spec), definition.create(spec))
  }
}
const create = (spec: ClickSpec) => clickModelOf(spec).create(spec)
// Where the first slot is not what people look at first, and where there is no looking on, or always.
clicksContract('pbm from the middle', create({ type: 'pbm', examination: [0.3, 1, 0.3, 0.9] }))
clicksContract('dcm to the end', create({ type: 'dcm', continuation: [1, 1, 0.2, 0] }))
clicksContract('list-wise of one each', create({ type: 'list-wise', same: 'genre', factor: 0 }))
clicksContract('list-wise of crowds', create({ type: 'list-wise', same: 'genre', factor: 0.1 }))

const expected = (spec: ClickSpec, q: readonly number[], kind: readonly number[] = q.map(() => 0)) => {
  const out = new Float64Array(q.length)
  create(spec).expected(shownOf(q.map((each, k) => ({ q: each, kind: kind[k] }))), out)
  return [...out]
}
const close = (numbers: readonly number[]) => numbers.map(each => expect.closeTo(each, 14))

describe('clicks by hand', () => {
  it('are q by examination', () => {
    expect(expected({ type: 'pbm', examination: [1, 0.5, 0.25] }, [0.5, 0.4, 0.2])).toEqual(close([0.5, 0.2, 0.05]))
    expect(expected({ type: 'pbm', examination: [1, 0.5] }, [0.5, 0.4, 0.2])).toEqual(close([0.5, 0.2, 0.1]))
  })

  it('are q until the first', () => {
    expect(expected({ type: 'cascade' }, [0.5, 0.4, 0.2])).toEqual(close([0.5, 0.5 * 0.4, 0.5 * 0.6 * 0.2]))
  })

  it('are q, and after one they may look on', () => {
    const dcm: ClickSpec = { type: 'dcm', continuation: [0.6, 0.5] }
    const second = 0.5 + 0.5 * 0.6
    expect(expected(dcm, [0.5, 0.4, 0.2])).toEqual(close([0.5, second * 0.4, second * (0.6 + 0.4 * 0.5) * 0.2]))
  })

  it('are less of what there is more of, above and below', () => {
    const listWise: ClickSpec = { type: 'list-wise', same: 'genre', factor: 0.5 }
    expect(expected(listWise, [0.4, 0.4, 0.2, 0.8], [0, 1, 0, 0])).toEqual(close([0.1, 0.4, 0.05, 0.2]))
  })
})

describe('what a slot gets', () => {
  const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  const slot = fc.tuple(uniform, uniform)
  const clicks = (spec: ClickSpec, slots: readonly (readonly [q: number, u: number])[]) => {
    const out = new Float64Array(slots.length)
    const shown = shownOf(slots.map(([q], kind) => ({ q, kind })))
    create(spec).draw(
      shown,
      Float64Array.from(slots, ([, u]) => u),
      out,
    )
    return [...out]
  }
  const five = fc.array(slot, { minLength: 5, maxLength: 5 })

  it('goes by what is shown there alone, by position', () => {
    fc.assert(
      fc.property(five, five, fc.nat(4), (one, other, k) => {
        const spec: ClickSpec = { type: 'pbm', examination: [1, 0.9, 0.5, 0.4, 0.3] }
        expect(clicks(spec, one.with(k, other[k]))[k]).toBe(clicks(spec, other)[k])
      }),
    )
  })

  it.each<ClickSpec>([{ type: 'cascade' }, { type: 'dcm', continuation: [0.7, 0.6, 0.5, 0.1] }])(
    'goes by what is shown there, and whether anybody comes so far: %j',
    spec => {
      fc.assert(
        fc.property(five, five, fc.nat(4), (one, other, k) => {
          // Whatever is below.
          expect(clicks(spec, [...one.slice(0, k + 1), ...other.slice(k + 1)]).slice(0, k + 1)).toEqual(
            clicks(spec, one).slice(0, k + 1),
          )
          // Without a click above everybody comes.
          const above = (slots: typeof one) =>
            clicks(spec, slots)
              .slice(0, k)
              .some(click => click === 1)
          const [a, b] = [one.with(k, other[k]), other]
          if (!above(a) && !above(b)) expect(clicks(spec, a)[k]).toBe(clicks(spec, b)[k])
        }),
      )
    },
  )

  it('of a cascade is one click a list at most', () => {
    fc.assert(
      fc.property(five, slots => {
        expect(clicks({ type: 'cascade' }, slots).filter(click => click === 1).length).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('dcm', () => {
  it('has no best list that anybody knows of where people rather look on further down', () => {
    const [misfit] =
      clickModelOf({ type: 'dcm' }).misfits?.({ type: 'dcm', continuation: [0.2, 0.2, 0.9] } as ClickSpec) ?? []
    expect(misfit).toMatchObject({ option: 'continuation', message: expect.stringContaining('rises from 0.2 to 0.9') })
    expect(
      clickModelOf({ type: 'dcm' }).misfits?.({ type: 'dcm', continuation: [0.9, 0.2, 0.2] } as ClickSpec),
    ).toEqual([])
  })
})
