import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FeatureSpec, PolicySpec } from '../../src/kinds.ts'
import type { Context } from '../../src/policy/context.ts'
import { createFeatures, type Features } from '../../src/policy/features.ts'

const context: PolicySpec['context'] = {
  id: { type: 'string' },
  level: { type: 'integer' },
  platform: { type: 'string', enum: ['ios', 'android'] },
  vip: { type: 'boolean' },
  taste: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 },
}
const example: Context = { id: 'p1', level: 3, platform: 'android', vip: true, taste: [0.5, -2] }

function create(features?: readonly FeatureSpec[], intercept = false): Features {
  return createFeatures({
    context,
    actions: [{ id: 'one' }],
    features,
    decision: { type: 'single' },
    algorithm: { learner: { type: 'linear', l2: 1, intercept } },
  })
}

/** Name → component. */
function written(features: Features, values: Context = example): Record<string, number> {
  const x = new Float64Array(features.dimension).fill(Number.NaN)
  features.write(values, x)
  return Object.fromEntries(features.names.map((name, i) => [name, x[i]]))
}

describe('features', () => {
  it('are by default every number, boolean, enum and vector, after an intercept', () => {
    expect(written(create(undefined, true))).toEqual({
      intercept: 1,
      level: 3,
      'platform=ios': 0,
      'platform=android': 1,
      vip: 1,
      'taste[0]': 0.5,
      'taste[1]': -2,
    })
  })

  it('transform', () => {
    const features = create([
      { field: 'level', transform: 'log1p' },
      { field: 'level', transform: 'standardize', mean: 1, sd: 4 },
      { field: 'level', transform: 'bucketize', edges: [2, 3, 5] },
      { field: 'vip', transform: 'one-hot' },
      { field: 'taste', transform: 'standardize', mean: 0, sd: 2 },
    ])
    expect(written(features)).toEqual({
      'log1p(level)': Math.log1p(3),
      '(level-1)/4': 0.5,
      'level<2': 0,
      '2<=level<3': 0,
      '3<=level<5': 1,
      'level>=5': 0,
      'vip=false': 0,
      'vip=true': 1,
      '(taste-0)/2[0]': 0.25,
      '(taste-0)/2[1]': -1,
    })
  })

  it('transform every entry of a vector, and nothing beside it', () => {
    const features = create([{ field: 'vip' }, { field: 'taste', transform: 'log1p' }])
    expect(written(features, { ...example, taste: [0.5, 2] })).toEqual({
      vip: 1,
      'log1p(taste)[0]': Math.log1p(0.5),
      'log1p(taste)[1]': Math.log1p(2),
    })
  })

  it('are none for a learner that ignores the context', () => {
    const features = createFeatures({
      context,
      actions: [{ id: 'one' }],
      decision: { type: 'single' },
      algorithm: { learner: { type: 'mean' } },
    })
    expect(features).toMatchObject({ dimension: 0, names: [] })
  })

  it('fill the whole vector, and exactly one bucket, whatever the value', () => {
    const edges = fc.uniqueArray(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 6 })
    const value = fc.double({ noNaN: true, noDefaultInfinity: true })
    fc.assert(
      fc.property(edges, value, (list, level) => {
        const sorted = [...new Set(list.map(e => e + 0))].sort((a, b) => a - b)
        const x = Object.values(
          written(create([{ field: 'level', transform: 'bucketize', edges: sorted }]), { ...example, level }),
        )
        expect(x).toHaveLength(sorted.length + 1)
        expect(x.indexOf(1)).toBe(sorted.filter(edge => level >= edge).length)
        expect(x.reduce((sum, v) => sum + v, 0)).toBe(1)
      }),
    )
  })

  it('refuse a value that log1p has no answer for', () => {
    const features = create([{ field: 'level', transform: 'log1p' }])
    expect(() => features.write({ ...example, level: -1 }, new Float64Array(1))).toThrow(RangeError)
  })

  it.each<FeatureSpec>([
    { field: 'nobody' },
    { field: '__proto__' },
    { field: 'id' },
    { field: 'level', transform: 'one-hot' },
    { field: 'platform', transform: 'log1p' },
    { field: 'taste', transform: 'bucketize', edges: [1] },
    { field: 'level', transform: 'bucketize', edges: [2, 1] },
    { field: 'level', transform: 'standardize', mean: 0, sd: 0 },
  ])('refuse what cannot work: %o', feature => {
    expect(() => create([feature])).toThrow(RangeError)
  })
})
