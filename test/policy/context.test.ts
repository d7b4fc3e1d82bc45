import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../src/kinds.ts'
import { createContextCheck } from '../../src/policy/context.ts'

const fields: PolicySpec['context'] = {
  id: { type: 'string', maxLength: 3 },
  level: { type: 'integer', minimum: 1, maximum: 100, default: 1 },
  spend: { type: 'number', default: 0.5 },
  platform: { type: 'string', enum: ['ios', 'android'], default: 'ios' },
  vip: { type: 'boolean', default: false },
  taste: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2, default: [0, 0] },
}

function faults(input: unknown): string[] {
  const result = createContextCheck(fields)(input)
  return 'faults' in result ? result.faults.map(({ pointer, message }) => `${pointer} ${message}`) : []
}

describe('createContextCheck', () => {
  it('fills in defaults, in the order of the fields', () => {
    const result = createContextCheck(fields)({ vip: true, id: 'p1' })
    expect('context' in result && JSON.stringify(result.context)).toBe(
      '{"id":"p1","level":1,"spend":0.5,"platform":"ios","vip":true,"taste":[0,0]}',
    )
  })

  it('finds every fault at once, each with its place', () => {
    const input = {
      id: 'four',
      level: 0,
      spend: '1',
      platform: 'web',
      vip: 'yes',
      taste: [1, Number.NaN],
      'a/b~c': 1,
    }
    expect(faults(input)).toMatchInlineSnapshot(`
      [
        "/a~1b~0c is not a field of this policy",
        "/id must have at most 3 characters",
        "/level must be at least 1",
        "/spend must be a finite number, not a string",
        "/platform must be one of ios, android",
        "/vip must be a boolean, not a string",
        "/taste/1 must be a finite number, not NaN",
      ]
    `)
  })

  it('takes null and NaN for what is missing', () => {
    const input = { id: 'p1', level: null, spend: Number.NaN, platform: null, vip: null, taste: null }
    const { id } = input
    const check = createContextCheck(fields)
    expect(check(input)).toEqual(check({ id }))
    expect(check(input)).toMatchObject({ defaulted: ['level', 'spend', 'platform', 'vip', 'taste'] })
    expect(faults({ id: null })).toEqual(['/id is missing and has no default'])
    expect(faults({ id: Number.NaN, other: null })).toEqual([
      '/other is not a field of this policy',
      '/id is missing and has no default',
    ])
  })

  it('reports what is missing, and what is not an object at all', () => {
    expect(faults({})).toMatchInlineSnapshot(`
      [
        "/id is missing and has no default",
      ]
    `)
    expect([null, [], 'x', 7, undefined].map(faults)).toMatchInlineSnapshot(`
      [
        [
          " must be an object, not null",
        ],
        [
          " must be an object, not a list",
        ],
        [
          " must be an object, not a string",
        ],
        [
          " must be an object, not 7",
        ],
        [
          " must be an object, not nothing",
        ],
      ]
    `)
  })

  it('checks kinds of number', () => {
    expect(faults({ id: '', level: 1.5 })).toMatchInlineSnapshot(`
      [
        "/level must be an integer of at most 2^53 - 1",
      ]
    `)
    expect(faults({ id: '', level: 101, spend: Number.POSITIVE_INFINITY, taste: [1] })).toMatchInlineSnapshot(`
      [
        "/level must be at most 100",
        "/spend must be a finite number, not Infinity",
        "/taste must have 2 numbers, not 1",
      ]
    `)
  })

  it('takes both ends of a range', () => {
    expect([1, 100].flatMap(level => faults({ id: '', level }))).toEqual([])
    expect([0, 101].flatMap(level => faults({ id: '', level }))).toHaveLength(2)
  })

  it('takes no number whose squares, added up, are none', () => {
    expect([-1e30, 1e30].flatMap(spend => faults({ id: '', spend, taste: [spend, 0] }))).toEqual([])
    expect(faults({ id: '', spend: 1e308, taste: [0, -1.1e30] })).toEqual([
      '/spend must be within -1e30 and 1e30, not 1e+308',
      '/taste/1 must be within -1e30 and 1e30, not -1.1e+30',
    ])
  })

  it('counts characters, not code units', () => {
    expect(faults({ id: '😀😀😀' })).toEqual([])
  })

  it('takes `__proto__` and other inherited names for the unknown fields that they are', () => {
    const input: unknown = JSON.parse('{"id": "x", "__proto__": {"level": 7}, "constructor": 1}')
    expect(faults(input)).toMatchInlineSnapshot(`
      [
        "/__proto__ is not a field of this policy",
        "/constructor is not a field of this policy",
      ]
    `)
    const inherited = Object.create({ id: 'x' })
    expect(faults(inherited)).toEqual(['/id is missing and has no default'])
  })

  it('names every one of half a million unknown fields', () => {
    const input = Object.fromEntries(Array.from({ length: 500_000 }, (_, i) => [`k${i}`, 1]))
    expect(faults({ ...input, id: 'x' })).toHaveLength(500_000)
  })

  it('accepts its own output and leaves it as it is', () => {
    const inputs = fc.record(
      {
        id: fc.string({ maxLength: 3 }),
        level: fc.integer({ min: 1, max: 100 }),
        spend: fc.double({ min: -1e30, max: 1e30, noNaN: true }),
        platform: fc.constantFrom('ios', 'android'),
        vip: fc.boolean(),
        taste: fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.integer()),
      },
      { requiredKeys: ['id'] },
    )
    fc.assert(
      fc.property(inputs, input => {
        const once = createContextCheck(fields)(input)
        if (!('context' in once)) throw new Error(JSON.stringify(once.faults))
        expect(createContextCheck(fields)(once.context)).toEqual({ context: once.context, defaulted: [] })
        expect(once.context).toMatchObject(input)
      }),
    )
  })

  it('never throws, whatever comes in', () => {
    fc.assert(fc.property(fc.anything(), input => void createContextCheck(fields)(input)))
  })
})
