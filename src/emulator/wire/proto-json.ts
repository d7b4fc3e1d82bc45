import type { protobuf } from 'google-gax'
import type { Json, JsonObject } from '../ports.ts'
import { RpcError } from '../ports.ts'
import { CODES } from '../rules.ts'

/**
 * Messages ↔ their proto3 JSON, by the types that protobufjs has loaded: https://protobuf.dev/programming-guides/json. Reading is strict and
 * in Google's words, since a field that does not exist is the mistake that people make. Decision 14 says why it is not Google's serializer.
 */

type Message = Record<string, unknown>

/** The bytes of a message. */
export function encode(type: protobuf.Type, json: JsonObject): Buffer {
  return Buffer.from(type.encode(readMessage(type, json, '') as Message).finish())
}

/** The proto3 JSON of a message's bytes; fields without presence are left out at their defaults. */
export function decode(type: protobuf.Type, bytes: Uint8Array): JsonObject {
  return writeMessage(type, type.decode(bytes) as unknown as Message) as JsonObject
}

/** The one spelling of a message's JSON: names in camelCase, enums by name, int64 as text. */
export function normalise(type: protobuf.Type, json: Json): JsonObject {
  return writeMessage(type, readMessage(type, json, '') as Message) as JsonObject
}

interface WellKnown {
  read(json: Json, at: string, type: protobuf.Type): unknown
  write(message: Message, type: protobuf.Type): Json
}

const isObject = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

export function camelCase(name: string): string {
  return name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

const snakeCase = (path: string) => path.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/** A message whose JSON is that of its only field. */
const only = (name: string): WellKnown => ({
  read: (json, at, { fields, fullName }) => ({ [name]: readField(fields[name], json, at, fullName.slice(1)) }),
  write: (message, { fields }) => writeField(fields[name], message[name]),
})

/** The field of a Value by the type of its JSON. */
const VALUES: Readonly<Record<string, string>> = {
  boolean: 'boolValue',
  number: 'numberValue',
  string: 'stringValue',
  object: 'structValue',
}

const WRAPPED = ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes']

const SECONDS = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/
const TIME = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/

/** Digits after the point: none, three, six or nine. */
function fraction(nanos: number): string {
  if (nanos === 0) return ''
  const digits = String(nanos).padStart(9, '0')
  return `.${digits.endsWith('000000') ? digits.slice(0, 3) : digits.endsWith('000') ? digits.slice(0, 6) : digits}`
}

const nanosOf = (digits = '') => Number(digits.padEnd(9, '0'))

const WELL_KNOWN: Readonly<Record<string, WellKnown>> = {
  Timestamp: {
    read(json, at) {
      const [, date, digits, zone] = TIME.exec(String(json)) ?? []
      const seconds = Date.parse(`${date}${zone}`) / 1000
      if (date === undefined || Number.isNaN(seconds)) throw invalid(at, json, 'google.protobuf.Timestamp')
      return { seconds, nanos: nanosOf(digits) }
    },
    write: ({ seconds, nanos }) =>
      `${new Date(Number(seconds ?? 0) * 1000).toISOString().slice(0, 19)}${fraction(Number(nanos ?? 0))}Z`,
  },
  Duration: {
    read(json, at) {
      const [, sign, whole, digits] = SECONDS.exec(String(json)) ?? []
      if (whole === undefined) throw invalid(at, json, 'google.protobuf.Duration')
      const factor = sign === '-' ? -1 : 1
      return { seconds: factor * Number(whole), nanos: factor * nanosOf(digits) }
    },
    write({ seconds, nanos }) {
      const [whole, part] = [Number(seconds ?? 0), Number(nanos ?? 0)]
      const sign = whole < 0 || part < 0 ? '-' : ''
      return `${sign}${Math.abs(whole)}${fraction(Math.abs(part))}s`
    },
  },
  FieldMask: {
    read(json, at) {
      if (typeof json !== 'string') throw invalid(at, json, 'google.protobuf.FieldMask')
      return { paths: json.split(',').filter(Boolean).map(snakeCase) }
    },
    write: ({ paths }) => ((paths as string[] | undefined) ?? []).map(camelCase).join(','),
  },
  Struct: only('fields'),
  ListValue: only('values'),
  ...Object.fromEntries(WRAPPED.map(name => [`${name}Value`, only('value')])),
  Value: {
    read(json, at, { fields }) {
      if (json === null) return { nullValue: 0 }
      const kind = Array.isArray(json) ? 'listValue' : VALUES[typeof json]
      return { [kind]: readField(fields[kind], json, at) }
    },
    write(message, { fields }) {
      const kind = Object.keys(fields).find(name => Object.hasOwn(message, name)) ?? 'nullValue'
      return kind === 'nullValue' ? null : writeField(fields[kind], message[kind])
    },
  },
  Any: {
    read(json, at, { root }) {
      const url = isObject(json) ? json['@type'] : undefined
      if (typeof url !== 'string' || !isObject(json)) throw invalid(at, json, 'google.protobuf.Any')
      const type = typeAt(root, url)
      const { '@type': _, ...fields } = json
      const value = wellKnown(type) === undefined ? fields : (json['value'] ?? null)
      return { type_url: url, value: type.encode(readMessage(type, value, at) as Message).finish() }
    },
    write(message, { root }) {
      const url = String(message['type_url'] ?? '')
      if (url === '') return {}
      const type = typeAt(root, url)
      const value = writeMessage(type, type.decode((message['value'] ?? Buffer.alloc(0)) as Uint8Array) as never)
      return isObject(value) && wellKnown(type) === undefined ? { '@type': url, ...value } : { '@type': url, value }
    },
  },
}

const PREFIX = '.google.protobuf.'

function wellKnown({ fullName }: protobuf.Type): WellKnown | undefined {
  return fullName.startsWith(PREFIX) ? WELL_KNOWN[fullName.slice(PREFIX.length)] : undefined
}

function typeAt(root: protobuf.Root, url: string): protobuf.Type {
  try {
    return root.lookupType(url.slice(url.lastIndexOf('/') + 1))
  } catch {
    throw new RpcError(CODES.INVALID_ARGUMENT, `Invalid value (Any), the type ${url} is not known`)
  }
}

function readMessage(type: protobuf.Type, json: Json, at: string): unknown {
  const special = wellKnown(type)
  if (special !== undefined) return special.read(json, at, type)
  if (!isObject(json)) throw invalid(at, json, type.fullName.slice(1))
  const message: Message = {}
  for (const [name, value] of Object.entries(json)) {
    const field = fieldOf(type, name)
    if (field === undefined) throw unknownName(name, at)
    const place = at === '' ? name : `${at}.${name}`
    const { resolvedType } = field.resolve()
    if (value === undefined || (value === null && resolvedType?.fullName !== `${PREFIX}Value`)) continue
    message[field.name] = readField(field, value, place)
  }
  return message
}

/** By either spelling of its name. */
export function fieldOf({ fields }: protobuf.Type, name: string): protobuf.Field | undefined {
  const key = [name, camelCase(name)].find(each => Object.hasOwn(fields, each))
  return key === undefined ? undefined : fields[key]
}

/** `type` is what a value that is no map or no list is said not to be. */
function readField(field: protobuf.Field, json: Json, at: string, type?: string): unknown {
  if (field.map) {
    if (!isObject(json)) throw invalid(at, json, type ?? 'Map')
    return Object.fromEntries(
      Object.entries(json).map(([key, value]) => [key, readOne(field, value ?? null, `${at}[${key}]`)]),
    )
  }
  if (!field.repeated) return readOne(field, json, at)
  if (!Array.isArray(json)) throw invalid(at, json, type ?? 'repeated')
  return json.map((value: Json, i) => readOne(field, value, `${at}[${i}]`))
}

/** Google's protos have no other whole numbers. */
const WHOLE = /^(u?)int(32|64)$/

function readOne(field: protobuf.Field, json: Json, at: string): unknown {
  const { type, resolvedType } = field.resolve()
  if (resolvedType !== null && 'fields' in resolvedType) return readMessage(resolvedType as protobuf.Type, json, at)
  if (resolvedType !== null) {
    const { values } = resolvedType as protobuf.Enum
    const number = typeof json === 'number' ? json : /^-?\d+$/.test(String(json)) ? Number(json) : values[String(json)]
    if (number === undefined) throw invalid(at, json, resolvedType.fullName.slice(1))
    return number
  }
  if (type === 'string' && typeof json === 'string') return json
  if (type === 'bool' && typeof json === 'boolean') return json
  if (type === 'bytes' && typeof json === 'string') return Buffer.from(json, 'base64')
  const [, unsigned, bits] = WHOLE.exec(type) ?? []
  if (bits !== undefined && !isObject(json) && !Array.isArray(json) && /^-?\d+$/.test(String(json))) {
    const number = BigInt(String(json))
    const fits = unsigned ? BigInt.asUintN(Number(bits), number) : BigInt.asIntN(Number(bits), number)
    // 64 bits are text, as protobufjs takes them.
    if (fits === number) return bits === '64' ? String(number) : Number(number)
  }
  if (type === 'double' || type === 'float') {
    if (typeof json === 'number') return json
    if (typeof json === 'string' && json.trim() !== '' && (json === 'NaN' || !Number.isNaN(Number(json))))
      return Number(json)
  }
  throw invalid(at, json, type)
}

function writeMessage(type: protobuf.Type, message: Message): Json {
  const special = wellKnown(type)
  if (special !== undefined) return special.write(message, type)
  const json: Record<string, Json> = {}
  for (const name of Object.keys(message)) {
    const field = type.fields[name]
    const value = message[name]
    if (field === undefined || value === undefined || value === null) continue
    // The library fills in empty lists and maps, which on the wire are the same as none.
    if ((field.repeated || field.map) && Object.keys(value).length === 0) continue
    json[name] = writeField(field, value)
  }
  return json
}

function writeField(field: protobuf.Field, value: unknown): Json {
  if (field.map) {
    const entries = Object.entries(value as Message)
    return Object.fromEntries(entries.map(([key, each]) => [key, writeOne(field, each)]))
  }
  return Array.isArray(value) ? value.map(each => writeOne(field, each)) : writeOne(field, value)
}

function writeOne(field: protobuf.Field, value: unknown): Json {
  const { type, resolvedType } = field.resolve()
  if (resolvedType !== null && 'fields' in resolvedType)
    return writeMessage(resolvedType as protobuf.Type, value as Message)
  if (resolvedType !== null) return (resolvedType as protobuf.Enum).valuesById[value as number] ?? (value as number)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (type.endsWith('64')) return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return value as Json
}

const unknownName = (name: string, at: string) =>
  payload(`Unknown name "${name}"${at === '' ? '' : ` at '${at}'`}: Cannot find field.`)

const invalid = (at: string, json: Json, type: string) =>
  payload(`Invalid value at '${at}' (${type}), ${JSON.stringify(json)}`)

const payload = (what: string) => new RpcError(CODES.INVALID_ARGUMENT, `Invalid JSON payload received. ${what}`)
