import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRecord, timestampOf } from '../../../src/log/records/read-record.ts'
import { mutations } from '../../support/mutations.ts'
import { published, publishedValidator } from '../../support/published.ts'

interface Schema {
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
}

function* objects(schema: Schema): Generator<Schema> {
  if (schema.properties !== undefined) yield schema
  for (const property of Object.values(schema.properties ?? {})) yield* objects(property)
  if (schema.items !== undefined) yield* objects(schema.items)
  for (const definition of Object.values(schema.$defs ?? {})) yield* objects(definition)
}

const faultOf = (value: unknown) => {
  const read = readRecord(JSON.stringify(value))
  return 'fault' in read ? `${read.fault.code}: ${read.fault.message}` : undefined
}

describe.each(['decision', 'reward'])('the published schema of a %s', name => {
  const schema = published<Schema>(name)
  const valid = publishedValidator(name)
  const examples = schema.examples as readonly Record<string, unknown>[]

  it('describes every property, shows a value of it, and allows no others', () => {
    for (const each of objects(schema)) {
      expect(each.additionalProperties).toBe(false)
      for (const [key, property] of Object.entries(each.properties ?? {})) {
        expect(property.description, key).toBeTruthy()
        expect(property.examples, key).not.toBeUndefined()
      }
    }
  })

  it('accepts its examples, as the reader does', () => {
    for (const example of examples) {
      expect(valid(example)).toBe(true)
      expect(faultOf(example)).toBeUndefined()
    }
  })

  it('is what the reader checks, whatever is changed', () => {
    let refused = 0
    const changed = fc.oneof(...examples.map(mutations))
    fc.assert(
      fc.property(
        changed,
        fc.constantFrom<object[]>({}, { ts: '2026-02-29T24:00:00Z' }, { ts: '2026-12-31T23:59:59.5Z' }),
        (record, more) => {
          const value = JSON.parse(JSON.stringify({ ...(record as object), ...more }))
          const fault = faultOf(value)
          expect(fault === undefined, `${fault} ${JSON.stringify(value)}`).toBe(valid(value))
          if (fault !== undefined) refused++
        },
      ),
      { numRuns: 5000 },
    )
    expect(refused).toBeGreaterThan(1000)
  })
})

const decision = published<Schema>('decision').examples?.[0] as Readonly<Record<string, object>>

describe('reading a record', () => {
  it('says what is wrong and where', () => {
    const [slot] = decision['slots'] as unknown as readonly object[]
    expect([
      faultOf({ ...decision, context: undefined }),
      faultOf({ ...decision, decisionID: 'd1' }),
      faultOf({ ...decision, slots: [{ ...slot, propensity: 1.5 }] }),
      faultOf({ ...decision, slots: [{ ...slot, propensities: [0.5, '0.5'] }] }),
      faultOf({ ...decision, ts: '2026-01-01' }),
      faultOf({ ...decision, schema: 'dap.decision/v9' }),
      faultOf([]),
      faultOf({ schema: 'dap.reward/v1', rewardId: 'r', decisionId: 'd', ts: '2026-01-01T00:00:00Z' }),
    ]).toMatchInlineSnapshot(`
      [
        "shape: \`context\` is missing",
        "shape: \`decisionID\` is no field of this record",
        "propensity: \`slots[0].propensity\` must be in (0, 1], not 1.5",
        "propensity: \`slots[0].propensities[1]\` must be in [0, 1], not a string",
        "timestamp: \`ts\` must be a time in UTC such as "2026-01-01T00:00:00.000Z"",
        "schema: has the schema "dap.decision/v9"; known are dap.decision/v1, dap.decision/v2, dap.reward/v1",
        "schema: has no \`schema\`; known are dap.decision/v1, dap.decision/v2, dap.reward/v1",
        "value: \`value\` is missing",
      ]
    `)
  })

  it('takes no number that JSON cannot hold', () => {
    const reward =
      '{"schema":"dap.reward/v1","rewardId":"r","decisionId":"d","ts":"2026-01-01T00:00:00Z","value":1e999}'
    expect(readRecord(reward)).toMatchObject({
      fault: { code: 'value', message: '`value` must be a finite number, not Infinity' },
    })
  })

  it('is harmed neither by prototype keys nor by nesting', () => {
    const text = JSON.stringify(decision)
    expect(readRecord(text.replace('"mode"', '"__proto__":{"polluted":1},"mode"'))).toHaveProperty(
      'fault.code',
      'shape',
    )
    expect(readRecord(text.replace('"level":12', '"__proto__":{"polluted":1}'))).toHaveProperty('decision')
    expect({}).not.toHaveProperty('polluted')
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`
    expect(readRecord(text.replace('"level":12', `"level":${deep}`))).toHaveProperty('fault.code', 'shape')
    expect(readRecord(deep)).toHaveProperty('fault.code', 'schema')
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), text => {
        expect(readRecord(text)).toHaveProperty('fault')
      }),
    )
  })
})

describe('a timestamp', () => {
  it('is a day that there is', () => {
    expect(timestampOf('2026-02-28T23:59:59.999Z')).toBe(Date.UTC(2026, 1, 28, 23, 59, 59, 999))
    expect(timestampOf('2024-02-29T00:00:00Z')).toBe(Date.UTC(2024, 1, 29))
    expect(timestampOf('2026-02-29T00:00:00Z')).toBeNaN()
    expect(timestampOf('2026-04-31T00:00:00Z')).toBeNaN()
  })
})
