import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bundled, readSchemas, type Schema } from '../../scripts/schema-files.ts'
import { shapeModule } from '../../scripts/shapes.ts'
import { bundleShape } from '../../src/generated/bundle-shape.ts'
import { decisionShape } from '../../src/generated/decision-shape.ts'
import { evidenceShape } from '../../src/generated/evidence-shape.ts'
import { planShape } from '../../src/generated/plan-shape.ts'
import { rewardShape } from '../../src/generated/reward-shape.ts'
import { snapshotShape } from '../../src/generated/snapshot-shape.ts'
import {
  byType,
  distinct,
  flag,
  keyed,
  list,
  nullOr,
  number,
  objects,
  one,
  pattern,
  type Shape,
  tagged,
  text,
} from '../../src/schema/shape.ts'
import { mutations } from '../support/mutations.ts'
import { publishedValidator } from '../support/published.ts'

/** Documents of a schema, every branch and every optional key among them. */
function documents(root: Schema): fc.Arbitrary<unknown> {
  const of = (schema: Schema): fc.Arbitrary<unknown> => {
    const { $ref, oneOf, anyOf = oneOf, type = 'string' } = schema
    if ($ref !== undefined) return of(root.$defs![$ref.slice('#/$defs/'.length)])
    if ('const' in schema) return fc.constant(schema.const)
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
    if (anyOf !== undefined) return fc.oneof(...anyOf.map(of))
    return typeof type === 'string' ? typed(type, schema) : fc.oneof(...type.map(each => of({ ...schema, type: each })))
  }
  const typed = (type: string, schema: Schema): fc.Arbitrary<unknown> => {
    const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, items = {}, minItems = 0, maxItems = 2 } = schema
    const [least, most] = [minimum ?? exclusiveMinimum ?? -1e6, maximum ?? exclusiveMaximum ?? 1e6]
    const { properties = {}, required = [], additionalProperties: rest } = schema
    switch (type) {
      case 'object': {
        const named = fc.record(
          Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, of(each)])),
          {
            requiredKeys: required as [],
          },
        )
        if (typeof rest !== 'object') return named
        return fc.dictionary(fc.constantFrom('1', '22', '333'), of(rest), { minKeys: 1, noNullPrototype: true })
      }
      case 'array': {
        const lengths = { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, 2)) }
        return schema.uniqueItems === true ? fc.uniqueArray(of(items), lengths) : fc.array(of(items), lengths)
      }
      case 'string':
        if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern))
        return fc.string({ minLength: schema.minLength, maxLength: Math.min(20, schema.maxLength ?? 20) })
      case 'integer':
        return fc.integer({ min: least, max: most })
      case 'number':
        return fc.double({
          ...{ min: least, minExcluded: exclusiveMinimum !== undefined },
          ...{ max: most, maxExcluded: exclusiveMaximum !== undefined, noNaN: true },
        })
      default:
        return type === 'boolean' ? fc.boolean() : fc.constant(null)
    }
  }
  return of(root)
}

const schemas = await readSchemas()

/** After defaults, as dap writes: what has one is there. Without conditions between fields, which are no shape. */
function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filled)
  if (typeof value !== 'object' || value === null) return value
  const { if: _, then: __, else: ___, ...rest } = value as Schema & Record<'if' | 'then' | 'else', unknown>
  const inner = Object.fromEntries(Object.entries(rest).map(([key, each]) => [key, filled(each)]))
  if (typeof rest.properties !== 'object' || typeof rest.type !== 'string') return inner
  const defaulted = Object.keys(rest.properties).filter(name => rest.properties?.[name].default !== undefined)
  return { ...inner, required: [...new Set([...(rest.required ?? []), ...defaulted])] }
}

/** `src/log/records/read-record.ts` says what one field of a record means for another. */
const WITH_CONDITIONS = ['decision', 'reward']
/** They have a learner, which is published as a policy may write it, and read as it is after defaults. */
const WITH_DEFAULTS = ['snapshot', 'bundle']

describe.each<[string, Shape]>([
  ['decision', decisionShape],
  ['reward', rewardShape],
  ['plan', planShape],
  ['snapshot', snapshotShape],
  ['bundle', bundleShape],
  ['evidence', evidenceShape],
])('the shape of a %s', (name, shape) => {
  const schema = filled(bundled(`${name}.schema.json`, schemas)) as Schema
  const oracle = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema)
  const published = publishedValidator(name)

  it('is that of its published schema, whatever is changed', () => {
    let [taken, refused] = [0, 0]
    const changed = documents(schema).chain(document => fc.oneof(fc.constant(document), mutations(document)))
    fc.assert(
      fc.property(changed, document => {
        const json = JSON.parse(JSON.stringify(document))
        const faults = shape(json)
        const told = `${JSON.stringify(faults)} ${JSON.stringify(json)}`
        expect(oracle(json), told).toBe(faults === undefined)
        if (faults === undefined) taken++
        else refused++
        if (faults === undefined && !WITH_CONDITIONS.includes(name)) expect(published(json), told).toBe(true)
        if (faults !== undefined && !WITH_DEFAULTS.includes(name)) expect(published(json), told).toBe(false)
      }),
      { numRuns: 3000 },
    )
    expect(taken).toBeGreaterThan(500)
    expect(refused).toBeGreaterThan(500)
  })
})

const object = objects('record')
const any = list(text())

const said = (shape: Shape, value: unknown) => shape(value)?.map(({ at, message }) => `${at}: ${message}`)

describe('a shape', () => {
  it('says what is wrong and where', () => {
    const all: readonly (readonly [Shape, unknown])[] = [
      [number({ minimum: 0, maximum: 1 }), 2],
      [number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }), 0],
      [number({ minimum: 0 }), -1],
      [number({ exclusiveMinimum: 0 }), 0],
      [number({ maximum: 9 }), 10],
      [number({ exclusiveMaximum: 9 }), 9],
      [number({}), '1'],
      [number({}), Number.POSITIVE_INFINITY],
      [number({}), Number.NaN],
      [number({ whole: true }), 0.5],
      [number({ whole: true, minimum: 1 }), 0],
      [number({ whole: true, minimum: 1, maximum: 9 }), 0.5],
      [flag, 1],
      [text(1), ''],
      [text(0, 1), 'ab'],
      [text(), null],
      [pattern('^a$', 'the first letter'), 'b'],
      [pattern('^a$', 'the first letter'), true],
      [one(['a', null]), 1],
      [list(text(), 1), []],
      [list(text(), 0, 1), ['a', 'b']],
      [distinct(any), ['a', 'a']],
      [byType({ number: number({}), object: object({}) }), []],
      [nullOr(list(list(number({})))), [[1], [2, null]]],
      [object({ b: any }, { a: one([1]) }), { a: 2 }],
      [object({}), { x: 1, y: 2 }],
      [object({ a: object({ b: any }) }), { a: { b: [1] } }],
      [object({}, {}, one([null])), { x: 1, y: null }],
      [keyed(object({}, {}, flag), 0, 2, '^a$'), { a: true, b: true }],
      [keyed(object({}, {}, flag), 1, 2), {}],
    ]
    expect(all.map(([shape, value]) => said(shape, value)?.join('; '))).toMatchInlineSnapshot(`
      [
        ": must be in [0, 1], not 2",
        ": must be in (0, 1), not 0",
        ": must be at least 0, not -1",
        ": must be above 0, not 0",
        ": must be at most 9, not 10",
        ": must be below 9, not 9",
        ": must be a finite number, not a string",
        ": must be a finite number, not Infinity",
        ": must be a finite number, not NaN",
        ": must be a whole number, not 0.5",
        ": must be a whole number of at least 1, not 0",
        ": must be a whole number in [1, 9], not 0.5",
        ": must be true or false, not 1",
        ": must not be empty",
        ": must have at most 1 characters",
        ": must be a string, not null",
        ": must be the first letter",
        ": must be the first letter, not true",
        ": must be one of "a", null",
        ": must have at least 1 entries, not 0",
        ": must have at most 1 entries, not 2",
        ": has "a" twice",
        ": must be a number or an object, not a list",
        "[1][1]: must be a finite number, not null",
        "b: is missing; a: must be one of 1",
        "x: is no field of this record; y: is no field of this record",
        "a.b[0]: must be a string, not 1",
        "x: must be one of null",
        "b: is no name that it can have",
        ": must have at least 1 entries, not 0",
      ]
    `)
  })

  it('takes 𝒳 for one character', () => {
    expect(said(text(0, 1), '𝒳')).toBeUndefined()
  })

  it('looks only at the branch that is meant', () => {
    const branches = tagged('kind', {
      a: object({ kind: one(['a']), x: text() }),
      b: object({ kind: one(['b']), y: text() }),
    })
    const all = [{ kind: 'b', y: '' }, { kind: 'b', y: 1 }, { kind: 'c' }, { kind: 'constructor' }, {}, null]
    expect(all.map(each => said(branches, each)?.join('; '))).toMatchInlineSnapshot(`
      [
        undefined,
        "y: must be a string, not 1",
        "kind: must be one of "a", "b"",
        "kind: must be one of "a", "b"",
        "kind: is missing",
        ": must be an object, not null",
      ]
    `)
  })

  it('says no more than anybody reads, of however many faults', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, 1]))
    const faults = said(list(object({}, {}, one([null]))), new Array(1000).fill(many))
    expect(faults!.length).toBeLessThan(20)
  })

  it('is harmed by no prototype', () => {
    const shape = object({ a: number({}) })
    expect(said(shape, JSON.parse('{"a":1,"__proto__":{"polluted":1}}'))).toEqual([
      '__proto__: is no field of this record',
    ])
    expect(said(shape, JSON.parse('{"__proto__":{"a":1}}'))).toEqual([
      'a: is missing',
      '__proto__: is no field of this record',
    ])
    expect(said(object({ constructor: text() }), {})).toEqual(['constructor: is missing'])
  })
})

describe('a shape that is generated', () => {
  it('is code as a person would write it', () => {
    const schema: Schema = {
      type: 'object',
      required: ['kind'],
      additionalProperties: false,
      properties: {
        kind: { enum: ['a', 'b'] },
        share: { anyOf: [{ $ref: '#/$defs/Share' }, { type: 'null' }], description: 'How much.' },
        names: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 9, uniqueItems: true },
        size: { type: 'integer', minimum: 1, default: 1 },
        more: { type: 'object' },
      },
      $defs: { Share: { type: 'number', exclusiveMinimum: 0, maximum: 1 } },
    }
    expect(shapeModule('someShape', schema, 'thing')).toMatchInlineSnapshot(`
      "import { distinct, free, lazily, list, nullOr, number, objects, one, text, type Shape } from '../schema/shape.ts'

      export const someShape: Shape = lazily(() => {
      const object = objects("thing")
      const Share = number({"maximum":1,"exclusiveMinimum":0}, "Share")
      return object({ "kind": one(["a","b"]), "size": number({"whole":true,"minimum":1}) }, { "share": nullOr(Share), "names": distinct(list(text(), 1, 9)), "more": free })
      })
      "
    `)
  })

  it.each<[string, object]>([
    ['a keyword that is not checked', { type: 'string', format: 'uuid' }],
    ['a constraint beside a reference', { $ref: '#/$defs/A', minLength: 1, $defs: { A: { type: 'string' } } }],
    ['a pattern with a length', { type: 'string', pattern: '^a+$', maxLength: 3 }],
    ['anything at all', { description: 'Anything.' }],
    ['known keys with unknown ones', { type: 'object', properties: { a: { type: 'string' } } }],
    ['a shortest length', { type: 'string', minLength: 2 }],
    ['objects that differ', { type: 'array', items: { type: 'object' }, uniqueItems: true }],
    ['branches that nothing tells apart', { oneOf: [{ type: 'string' }, { type: 'string' }] }],
  ])('is not made of %s', (_, schema) => {
    expect(() => shapeModule('someShape', schema as Schema, 'thing')).toThrow()
  })
})
