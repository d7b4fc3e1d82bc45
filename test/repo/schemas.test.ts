import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RESOURCE_NAME } from '../../src/commands/arguments.ts'
import { schemas } from '../../src/generated/schemas.js'
import { KINDS } from '../../src/kinds.ts'
import type { Schema } from '../../src/repo/schema.ts'
import { fillDefaults, shapeFaults } from '../../src/repo/shape.ts'
import { mutations } from '../support/mutations.ts'

/** Every schema inside a schema, with the JSON pointer to it. */
function* walk(schema: Schema, at: string): Generator<[string, Schema]> {
  yield [at, schema]
  for (const [name, inner] of Object.entries({ ...schema.properties })) yield* walk(inner, `${at}/properties/${name}`)
  for (const [name, inner] of Object.entries({ ...schema.$defs })) yield* walk(inner, `${at}/$defs/${name}`)
  for (const [i, inner] of (schema.oneOf ?? []).entries()) yield* walk(inner, `${at}/oneOf/${i}`)
  if (schema.items !== undefined) yield* walk(schema.items, `${at}/items`)
  if (schema.additionalProperties) yield* walk(schema.additionalProperties, `${at}/additionalProperties`)
}

const all = (kind: (typeof KINDS)[number]) => [...walk(schemas[kind], '#')]

describe.each(KINDS)('the schema of %s', kind => {
  it('allows the names that init and new allow', () => {
    expect(schemas[kind].properties?.metadata.properties?.name.pattern).toBe(RESOURCE_NAME.source)
  })

  it('describes every property', () => {
    const silent = all(kind).flatMap(([at, schema]) =>
      Object.entries({ ...schema.properties }).flatMap(([name, property]) =>
        property.description ? [] : [`${at}/${name}`],
      ),
    )
    expect(silent).toEqual([])
  })

  it('shows a value of every property: an example or the values allowed', () => {
    const bare = all(kind).flatMap(([at, schema]) =>
      Object.entries({ ...schema.properties }).flatMap(([name, property]) =>
        (property.examples ?? property.enum ?? property.const) === undefined ? [`${at}/${name}`] : [],
      ),
    )
    expect(bare).toEqual([])
  })

  it('knows every key of every mapping, and bounds every list and string', () => {
    for (const [at, schema] of all(kind)) {
      if (schema.type === 'object' && schema.oneOf === undefined) expect(schema.additionalProperties, at).toBeDefined()
      if (schema.type === 'array') expect(schema.maxItems, at).toBeDefined()
      if (schema.type === 'string' && schema.enum === undefined) {
        expect(schema.maxLength ?? schema.pattern, at).toBeDefined()
      }
    }
  })

  it('accepts its own examples', () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
    const validate = ajv.compile(schemas[kind])
    for (const example of schemas[kind].examples ?? []) {
      validate(example)
      expect(validate.errors).toBeNull()
    }
    for (const [at, { $ref, $defs: _, ...schema }] of all(kind)) {
      if (schema.examples === undefined || at === '#' || $ref !== undefined) continue
      const own = new Ajv2020({ strict: false }).compile({ ...schema, $defs: schemas[kind].$defs })
      for (const example of schema.examples) expect(own(example), `${at} ${JSON.stringify(example)}`).toBe(true)
      if (schema.default !== undefined) expect(own(schema.default), `${at} default`).toBe(true)
    }
  })

  it('is explained by faults exactly where ajv refuses a document', () => {
    const example = schemas[kind].examples![0]
    const valid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schemas[kind])
    fc.assert(
      fc.property(mutations(example), document => {
        const faults = shapeFaults(document, schemas[kind])
        expect(faults.length === 0, JSON.stringify(faults)).toBe(valid(document))
      }),
      { numRuns: 1000 },
    )
  })

  it('is still satisfied once defaults are filled in, and filling them in again changes nothing', () => {
    const once = fillDefaults(structuredClone(schemas[kind].examples![0]), schemas[kind])
    expect(shapeFaults(once, schemas[kind])).toEqual([])
    expect(fillDefaults(structuredClone(once), schemas[kind])).toEqual(once)
  })
})
