import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/emulator/ports.ts'
import { decode, encode, normalise } from '../../../src/emulator/wire/proto-json.ts'
import { loadMethods, type MessageType } from '../../../src/emulator/wire/protos.ts'

let typeNamed: (name: string) => MessageType
beforeAll(async () => {
  const [{ request }] = await loadMethods()
  typeNamed = name => request.root.lookupType(name)
})

const V1 = 'google.cloud.aiplatform.v1'
const time = fc
  .date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true })
  .map(date => date.toISOString().replace('.000Z', 'Z'))
const name = fc.stringMatching(/^[a-z][a-zA-Z0-9-]{0,8}$/)

/** JSON in its one spelling: what a double holds, no `__proto__` of a parser's. */
const value = fc.jsonValue({ maxDepth: 3, noUnicodeString: false }).filter(json => !JSON.stringify(json).includes('-0'))

const endpoint = fc.record(
  {
    displayName: fc.string({ unit: 'grapheme', minLength: 1 }),
    labels: fc.dictionary(name, fc.string(), { minKeys: 1 }),
    trafficSplit: fc.dictionary(fc.stringMatching(/^[1-9]\d{0,9}$/), fc.integer({ min: 1, max: 100 }), { minKeys: 1 }),
    createTime: time,
    clientConnectionConfig: fc.record({ inferenceTimeout: fc.integer({ min: -9999, max: 9999 }).map(s => `${s}s`) }),
    predictRequestResponseLoggingConfig: fc.record({
      enabled: fc.constant(true),
      samplingRate: fc.double({ min: 0.001, max: 1, noNaN: true }),
    }),
  },
  { requiredKeys: [] },
)

describe('messages and their JSON', () => {
  it('are the same there and back: endpoints, operations, masks, values', () => {
    const message = fc.oneof(
      fc.tuple(fc.constant(`${V1}.Endpoint`), endpoint),
      fc.tuple(
        fc.constant(`${V1}.UpdateEndpointRequest`),
        fc.record({
          endpoint,
          updateMask: fc.array(fc.constantFrom('labels', 'trafficSplit', 'a.bC')).map(m => m.join(',')),
        }),
      ),
      fc.tuple(
        fc.constant(`${V1}.PredictRequest`),
        fc.record({ endpoint: fc.constant('e'), instances: fc.array(value, { minLength: 1 }) }),
      ),
      fc.tuple(
        fc.constant('google.longrunning.Operation'),
        fc.record({
          name: fc.constant('o'),
          response: endpoint.map(each => ({ '@type': `type.googleapis.com/${V1}.Endpoint`, ...each })),
          metadata: time.map(value => ({ '@type': 'type.googleapis.com/google.protobuf.Timestamp', value })),
        }),
      ),
    )
    fc.assert(
      fc.property(message, ([type, json]) => {
        const bytes = encode(typeNamed(type), json as JsonObject)
        expect(decode(typeNamed(type), bytes)).toEqual(JSON.parse(JSON.stringify(json)))
      }),
      { numRuns: 300, seed: 7 },
    )
  })

  it('have int64 as text to the last digit, enums by name, and bytes in base64', () => {
    const operation = typeNamed(`${V1}.Model`)
    const least = '-9223372036854775808'
    expect(decode(operation, encode(operation, { versionUpdateTime: '2026-01-01T00:00:00.000000001Z' }))).toEqual({
      versionUpdateTime: '2026-01-01T00:00:00.000000001Z',
    })
    const options = typeNamed('google.protobuf.Int64Value')
    expect(normalise(typeNamed('google.protobuf.ListValue'), [1, 'a', null] as never)).toEqual([1, 'a', null])
    expect(decode(options, encode(options, least as never))).toBe(least)
    const natural = typeNamed('google.protobuf.UInt64Value')
    expect(decode(natural, encode(natural, '18446744073709551615' as never))).toBe('18446744073709551615')
    const metadata = typeNamed(`${V1}.DeployModelOperationMetadata`)
    expect(normalise(metadata, { deployment_stage: 5 })).toEqual({ deploymentStage: 'STARTING_DEPLOYMENT' })
    const body = typeNamed('google.api.HttpBody')
    expect(normalise(body, { data: '_-8=' })).toEqual({ data: '/+8=' })
  })

  /** What Google's serializer for Node takes, loses or makes something else of: decision 14. */
  it.for<[type: string, json: unknown, message: string]>([
    [`${V1}.Endpoint`, { displayNam: 'a' }, 'Unknown name "displayNam": Cannot find field.'],
    [`${V1}.Endpoint`, { labels: ['a'] }, `Invalid value at 'labels' (Map), ["a"]`],
    [`${V1}.Endpoint`, { encryptionSpec: 'x' }, `Invalid value at 'encryptionSpec' (${V1}.EncryptionSpec), "x"`],
    [`${V1}.Endpoint`, { trafficSplit: { a: 'x' } }, `Invalid value at 'trafficSplit[a]' (int32), "x"`],
    [`${V1}.Endpoint`, { trafficSplit: { a: 1.5 } }, `Invalid value at 'trafficSplit[a]' (int32), 1.5`],
    [`${V1}.Endpoint`, { trafficSplit: { a: 2147483648 } }, `Invalid value at 'trafficSplit[a]' (int32), 2147483648`],
    [
      `${V1}.Endpoint`,
      { createTime: '2026-13-41T00:00:00Z' },
      `Invalid value at 'createTime' (google.protobuf.Timesta`,
    ],
    [
      `${V1}.DeployModelOperationMetadata`,
      { deploymentStage: 'NO' },
      `Invalid value at 'deploymentStage' (${V1}.Deploy`,
    ],
    [`${V1}.PredictRequest`, { instances: 1 }, `Invalid value at 'instances' (repeated), 1`],
    ['google.protobuf.UInt64Value', '-1', `Invalid value at '' (uint64), "-1"`],
    ['google.protobuf.Int64Value', 1e21, `Invalid value at '' (int64), 1e+21`],
    ['google.protobuf.BoolValue', 'yes', `Invalid value at '' (bool), "yes"`],
    ['google.protobuf.Struct', [], `Invalid value at '' (google.protobuf.Struct), []`],
    ['google.protobuf.ListValue', {}, `Invalid value at '' (google.protobuf.ListValue), {}`],
  ])('of a %s that is %j are refused with the place', ([type, json, message]) => {
    expect(() => encode(typeNamed(type), json as JsonObject)).toThrow(`Invalid JSON payload received. ${message}`)
  })
})
