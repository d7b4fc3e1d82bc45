import type { Json, JsonObject, RpcError } from '../ports.ts'
import { broken } from '../rules.ts'
import type { Labels } from '../state.ts'

/** What an update may do to a field of a message; `operation`: only a method of its own changes it. */
export type FieldKind = 'mutable' | 'immutable' | 'output' | 'operation'
export type Fields = Readonly<Record<string, FieldKind>>

const MAX_NAME = 128
const MAX_LABEL = 64
const MAX_LABELS = 64

export function required(request: JsonObject, field: string): Json {
  const value = request[field]
  if (value === undefined || value === null || value === '')
    throw broken('required', `Required field ${snake(field)} is not set.`)
  return value
}

export const message = (request: JsonObject, field: string) => required(request, field) as JsonObject

/** The fields of a request's message that a client may set when it is made; rule: output-only. */
export function inputs(message: JsonObject, fields: Fields): JsonObject {
  return Object.fromEntries(Object.entries(message).filter(([field]) => fields[field] !== 'output' && field in fields))
}

export function checkName(message: JsonObject): void {
  const name = required(message, 'displayName')
  if ([...String(name)].length > MAX_NAME)
    throw broken('display-name', `display_name has more than ${MAX_NAME} characters.`)
}

export function checkLabels(value: Json | undefined): Labels {
  const labels = (value ?? {}) as Labels
  if (Object.keys(labels).length > MAX_LABELS) throw broken('label-count', `More than ${MAX_LABELS} labels.`)
  for (const [key, text] of Object.entries(labels)) {
    for (const part of [key, text])
      if ([...part].length > MAX_LABEL || !/^[\p{Ll}\p{Lo}\p{M}\p{N}_-]*$/u.test(part))
        throw broken('labels', `Invalid label "${key}": "${text}".`)
    if (!/^[\p{Ll}\p{Lo}]/u.test(key)) throw broken('label-key', `The label key "${key}" does not begin with a letter.`)
  }
  return labels
}

/** The paths of an update mask, each of a field that may be changed; `*` is all of these. An etag in it is left out. */
export function updatePaths(
  mask: Json | undefined,
  fields: Fields,
  refusal: (field: string) => RpcError = field => broken('immutable', `The field ${snake(field)} cannot be updated.`),
): readonly string[] {
  // rule: mask-all
  if (mask === '*') return Object.keys(fields).filter(field => fields[field] === 'mutable')
  return knownPaths(requiredMask(mask), fields).filter(path => {
    const field = path.split('.', 1)[0]
    if (field === 'etag') return false
    if (fields[field] !== 'mutable') throw refusal(field)
    return true
  })
}

export function requiredMask(mask: Json | undefined): string {
  if (typeof mask !== 'string' || mask === '') throw broken('mask-required', 'Required field update_mask is not set.')
  return mask
}

/** Fields whose entries have keys that a client chose. */
const MAPS = ['labels', 'trafficSplit']

function knownPaths(mask: string, fields: Fields): readonly string[] {
  const paths = mask.split(',')
  for (const path of paths) {
    const [field, ...rest] = path.split('.')
    if (!(field in fields) || (rest.length > 0 && MAPS.includes(field)))
      throw broken('mask-unknown', `Invalid field mask: there is no field "${snake(path)}".`)
  }
  return paths
}

/** `target` with the fields that the paths name as they are in `source`; what `source` lacks is cleared. rule: mask-required */
export function masked<T extends JsonObject>(target: T, source: JsonObject, paths: readonly string[]): T {
  let result: JsonObject = target
  for (const path of paths) result = withPath(result, source, path.split('.'))
  return result as T
}

function withPath(target: JsonObject, source: JsonObject | undefined, [field, ...rest]: readonly string[]): JsonObject {
  const value = source?.[field]
  if (rest.length === 0) return { ...target, [field]: value }
  return { ...target, [field]: withPath((target[field] ?? {}) as JsonObject, value as JsonObject | undefined, rest) }
}

/** rule: read-mask. A path into a list holds for each of its entries. */
export function readMasked(document: JsonObject, mask: Json | undefined, fields: Fields): JsonObject {
  if (typeof mask !== 'string' || mask === '' || mask === '*') return document
  const paths = knownPaths(mask, fields).map(path => path.split('.'))
  return only(document, paths)
}

function only(document: JsonObject, paths: readonly (readonly string[])[]): JsonObject {
  const result: Record<string, Json | undefined> = {}
  for (const field of new Set(paths.map(([head]) => head))) {
    const value = document[field]
    if (value === undefined) continue
    const inner = paths.filter(([head]) => head === field).map(([, ...rest]) => rest)
    const part = (item: Json): Json =>
      item !== null && typeof item === 'object' && !Array.isArray(item) ? only(item as JsonObject, inner) : item
    result[field] = inner.some(rest => rest.length === 0) ? value : Array.isArray(value) ? value.map(part) : part(value)
  }
  return result
}

/** An update that says which state it has seen must have seen this one. rule: etag-blind */
export function checkEtag(sent: Json | undefined, current: string): void {
  if (sent && sent !== current)
    throw broken('etag-mismatch', `The etag "${sent}" is not the current one: the resource was changed in between.`)
}

/** `90s`, `0.5s` → seconds; undefined where it is no Duration. */
export function seconds(duration: Json | undefined): number | undefined {
  const [, number] = /^(\d+(?:\.\d+)?)s$/.exec(String(duration)) ?? []
  return number === undefined ? undefined : Number(number)
}

/** Field names are snake_case in messages, as in Google's. */
export const snake = (path: string): string => path.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
export const camel = (path: string): string => path.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
