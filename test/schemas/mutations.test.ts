import { describe, expect, it } from 'vitest'
import { apiFiles, type Document } from '../../scripts/api-types.ts'
import { generated } from '../../scripts/generate.ts'
import { kindsOf } from '../../scripts/names.ts'
import { page } from '../../scripts/pages.ts'
import { readOpenApi, readSchemas, type Schema, type Schemas } from '../../scripts/schema-files.ts'
import { stream } from '../../src/math/rng.ts'

/**
 * A property is dropped, renamed, or given another type, in memory; what the build makes must follow, or the build must stop. Only then is a
 * schema the one description of what it describes.
 */
const schemas = await readSchemas()
const before = generated(schemas)
const openapi = await readOpenApi<Document>()

/** How many properties of each file are changed: all of the small ones, a seeded sample of the others. */
const SAMPLE = 8

/** A mapping whose properties are named, and a name of one. */
interface Place {
  readonly pointer: readonly string[]
  readonly name: string
}

/** Values, which may look like schemas, and conditions, which say of a property when it is needed, and nothing of what it is. */
const NO_SCHEMAS = ['examples', 'default', 'const', 'enum', 'if', 'then', 'else', 'not']

function* placesIn(schema: unknown, pointer: readonly string[] = []): Generator<Place> {
  if (typeof schema !== 'object' || schema === null) return
  for (const [key, inner] of Object.entries(schema)) {
    if (NO_SCHEMAS.includes(key)) continue
    const names = ['properties', '$defs', 'schemas'].includes(key)
    if (key === 'properties') for (const name of Object.keys(inner)) yield { pointer, name }
    for (const [name, each] of names ? Object.entries(inner as object) : [])
      yield* placesIn(each, [...pointer, key, name])
    if (!names) yield* placesIn(inner, [...pointer, key])
  }
}

type Mutable = { properties: Record<string, Schema>; required?: string[] }

const MUTATIONS: Readonly<Record<string, (owner: Mutable, name: string) => void>> = {
  dropped(owner, name) {
    delete owner.properties[name]
    owner.required = owner.required?.filter(each => each !== name)
  },
  renamed(owner, name) {
    owner.properties = Object.fromEntries(
      Object.entries(owner.properties).map(([key, value]) => [key === name ? `${name}Renamed` : key, value]),
    )
    owner.required = owner.required?.map(each => (each === name ? `${name}Renamed` : each))
  },
  retyped(owner, name) {
    const { description, type } = owner.properties[name]
    owner.properties[name] = { description, type: type === 'boolean' ? 'string' : 'boolean' }
  },
}

function mutated<T>(document: T, { pointer, name }: Place, mutate: (owner: Mutable, name: string) => void): T {
  const copy = structuredClone(document)
  const owner = pointer.reduce((at, key) => (at as Record<string, unknown>)[key], copy as unknown)
  mutate(owner as Mutable, name)
  return copy
}

function sampleOf(document: unknown, label: string): readonly Place[] {
  const rng = stream(14, label)
  const ranked = [...placesIn(document)].map(place => ({ place, rank: rng.uniform() }))
  ranked.sort((a, b) => a.rank - b.rank)
  return ranked.slice(0, SAMPLE).map(({ place }) => place)
}

const CASES = Object.keys(MUTATIONS)
const shown = ({ pointer, name }: Place) => [...pointer, 'properties', name].join('/')

/** What the build makes of changed schemas; undefined where it stops, since it needs what is gone. */
function built<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

/**
 * The file of `src/generated` that values are checked against where dap reads them: a kind's, or a record's, a plan's, a snapshot's. What dap
 * only prints has none: the compiler holds it to its type, and tests to its schema.
 */
function validatorOf(file: string): string | undefined {
  const stem = file.replace('.schema.json', '')
  if (kindsOf(schemas).some(kind => kind.toLowerCase() === stem)) return 'schemas.js'
  return Object.keys(before).find(made => made === `${stem}-shape.ts`)
}

describe.each(Object.keys(schemas))('%s', file => {
  const places = sampleOf(schemas[file], file)
  const pageBefore = page(file, schemas)
  const validator = validatorOf(file)

  it.each(CASES)('is followed by types, validators and pages where a property is %s', how => {
    for (const place of places) {
      const changed: Schemas = { ...schemas, [file]: mutated(schemas[file], place, MUTATIONS[how]) }
      const after = built(() => generated(changed))
      if (after === undefined) continue
      expect(after['types.ts'] === before['types.ts'], `types: ${shown(place)}`).toBe(false)
      expect(page(file, changed) === pageBefore, `page: ${shown(place)}`).toBe(false)
      if (validator === undefined) continue
      expect(after[validator] === before[validator], `${validator}: ${shown(place)}`).toBe(false)
    }
  })

  it('has properties to change', () => {
    expect(places.length).toBeGreaterThan(0)
  })
})

describe('openapi.yaml', () => {
  const made = apiFiles(openapi)

  // It has no page: `docs/server.md` says what requests mean, and `test/serve` plays what it says.
  it.each(CASES)('is followed by types and validators where a property is %s', how => {
    for (const place of placesIn(openapi)) {
      const after = built(() => apiFiles(mutated(openapi, place, MUTATIONS[how])))
      if (after === undefined) continue
      for (const file of ['api.d.ts', 'openapi.js']) {
        expect(after[file] === made[file], `${file}: ${shown(place)}`).toBe(false)
      }
    }
  })
})

describe('a change that means nothing', () => {
  it('changes nothing: what is made depends on schemas alone', () => {
    expect(generated(structuredClone(schemas))).toEqual(before)
  })
})
