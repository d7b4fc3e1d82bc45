import type { Json, JsonObject } from '../ports.ts'
import { RpcError } from '../ports.ts'
import { CODES } from '../rules.ts'
import { camelCase, fieldOf } from './proto-json.ts'
import type { HttpRule, MessageType, Method } from './protos.ts'

/** A request over HTTP that is one of a method of the API. */
export interface Transcoded {
  readonly method: Method
  /** The fields that the path and the query say. */
  fields(query: URLSearchParams): JsonObject
  /** As the rule has it: the field that the body is, `*`, or absent. */
  readonly body: string | undefined
}

/** Finds the method that a verb and a path mean, as google.api.http describes it. */
export function transcoder(methods: readonly Method[]): (verb: string, path: string) => Transcoded | undefined {
  const routes = methods.flatMap(method => method.http.map(rule => ({ method, rule, template: compile(rule.path) })))
  return (verb, path) => {
    for (const { method, rule, template } of routes) {
      const match = rule.verb === verb ? template.pattern.exec(path) : null
      if (match === null) continue
      const captured = template.variables.map((name, i) => [name, [decodeSegments(match[i + 1])]] as const)
      return { method, body: rule.body, fields: query => fieldsOf(method, rule, captured, query) }
    }
    return undefined
  }
}

interface Template {
  readonly pattern: RegExp
  /** The fields that are captured, in order. */
  readonly variables: readonly string[]
}

function compile(path: string): Template {
  const variables: string[] = []
  const segments = (text: string) =>
    text.replace(/\*\*|\*|[.+?^$()|[\]\\]/g, part => (part === '**' ? '[^:]+' : part === '*' ? '[^/:]+' : `\\${part}`))
  const source = path.replace(/\{([\w.]+)(?:=([^}]*))?\}|([^{]+)/g, (_, name?: string, inner = '*', rest?: string) => {
    if (name === undefined) return segments(rest ?? '')
    variables.push(name)
    return `(${segments(inner)})`
  })
  return { pattern: new RegExp(`^${source}$`), variables }
}

function decodeSegments(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new RpcError(CODES.INVALID_ARGUMENT, `the path is not valid: ${text}`)
  }
}

/** Parameters that every method of Google's has, and that say nothing of the request. */
const SYSTEM = /^(\$|(alt|key|fields|prettyPrint|access_token|oauth_token|callback|quotaUser|uploadType)$)/

function fieldsOf(
  { request }: Method,
  { body }: HttpRule,
  captured: readonly (readonly [name: string, values: readonly string[]])[],
  query: URLSearchParams,
): JsonObject {
  const fields: Record<string, Json> = {}
  const said = [...new Set(query.keys())].filter(name => !SYSTEM.test(name))
  if (body === '*' && said.length > 0) throw unknown(said[0])
  const asked = said.map(name => [name, query.getAll(name)] as const)
  for (const [name, values] of [...captured, ...asked]) put(request, fields, name.split('.'), values, name)
  return fields
}

function put(
  type: MessageType,
  into: Record<string, Json>,
  [name, ...rest]: readonly string[],
  values: readonly string[],
  parameter: string,
): void {
  const field = fieldOf(type, name)
  if (field === undefined) throw unknown(parameter)
  field.resolve()
  const { resolvedType } = field
  if (rest.length > 0) {
    if (resolvedType === null || !('fields' in resolvedType) || field.repeated) throw unknown(parameter)
    const inner = { ...(into[field.name] as JsonObject | undefined) } as Record<string, Json>
    put(resolvedType as MessageType, inner, rest, values, parameter)
    into[field.name] = inner
    return
  }
  const read = (text: string): Json => (field.type === 'bool' && /^(true|false)$/.test(text) ? text === 'true' : text)
  into[field.name] = field.repeated ? values.map(read) : read(values[values.length - 1])
}

const unknown = (name: string) =>
  new RpcError(
    CODES.INVALID_ARGUMENT,
    `Invalid JSON payload received. Unknown name "${name}": Cannot bind query parameter. Field '${camelCase(name)}' could not be found in request message.`,
  )

/** The request's message: what the path and query say, over what the body says. */
export function merged(fields: JsonObject, body: string | undefined, json: Json): JsonObject {
  if (body === undefined) return fields
  if (body === '*') return merge(json === null ? {} : (json as JsonObject), fields)
  return merge({ [camelCase(body)]: json }, fields)
}

function merge(under: JsonObject, over: JsonObject): JsonObject {
  if (typeof under !== 'object' || Array.isArray(under))
    throw new RpcError(CODES.INVALID_ARGUMENT, 'Invalid JSON payload received. The body is not an object.')
  const entries = Object.entries(over).map(([name, value]): [string, Json | undefined] => {
    const before = under[name]
    const deep = isPlain(before) && isPlain(value)
    return [name, deep ? merge(before, value) : value]
  })
  return { ...under, ...Object.fromEntries(entries) }
}

const isPlain = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json)
