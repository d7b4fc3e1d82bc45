import { hash } from 'node:crypto'
import type { JsonObject } from '../ports.ts'
import { broken } from '../rules.ts'
import { camel } from './fields.ts'
import { compileFilter, type FilterShape } from './filters.ts'

/** What a list can be filtered and ordered by. */
export interface ListShape extends FilterShape {
  readonly orders: readonly string[]
}

export interface Page {
  readonly items: readonly JsonObject[]
  readonly nextPageToken: string
}

const DEFAULT_PAGE = 100
const MAX_PAGE = 1000

/** One page of those documents that pass the request's filter, in its order; `all` must come in an order that does not change. */
export function page(
  all: readonly JsonObject[],
  request: JsonObject,
  shape: ListShape,
  key: (document: JsonObject) => string = document => String(document.name),
): Page {
  const passes = compileFilter(String(request.filter ?? ''), shape)
  const order = compileOrder(String(request.orderBy ?? ''), shape)
  const compare = (a: JsonObject, b: JsonObject) => order(a, b) || compareText(key(a), key(b))
  const documents = all.filter(passes)
  if (request.orderBy) documents.sort(compare)

  const size = Number(request.pageSize ?? 0)
  if (size < 0) throw broken('page-size', `page_size is ${size}.`)
  const query = hash('sha256', JSON.stringify([request.parent, request.name, request.filter, request.orderBy])).slice(
    0,
    16,
  )
  const start = request.pageToken ? after(documents, String(request.pageToken), query, key) : 0
  const items = documents.slice(start, start + Math.min(size || DEFAULT_PAGE, MAX_PAGE))
  const end = start + items.length
  const token = end < documents.length ? JSON.stringify([query, end, key(documents[end])]) : ''
  return { items, nextPageToken: Buffer.from(token).toString('base64url') }
}

/** The place of the document that a token names; where it is gone, the place where it was. */
function after(documents: readonly JsonObject[], token: string, query: string, key: (d: JsonObject) => string): number {
  try {
    const [of, index, name] = JSON.parse(Buffer.from(token, 'base64url').toString()) as [string, number, string]
    if (of === query) {
      const found = documents.findIndex(document => key(document) === name)
      return found === -1 ? index : found
    }
  } catch {}
  throw broken('page-token', 'Invalid page token.')
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

function compileOrder(text: string, shape: ListShape): (a: JsonObject, b: JsonObject) => number {
  const terms = text
    .split(',')
    .filter(term => term.trim() !== '')
    .map(term => {
      const [, field, direction] = /^\s*(\w+)(?:\s+(asc|desc))?\s*$/.exec(term) ?? []
      if (field === undefined || !shape.orders.includes(camel(field)))
        throw broken('order-by', `Invalid order_by "${text}".`)
      return { field: camel(field), sign: direction === 'desc' ? -1 : 1 }
    })
  return (a, b) => {
    for (const { field, sign } of terms) {
      const difference = sign * compareText(String(a[field] ?? ''), String(b[field] ?? ''))
      if (difference !== 0) return difference
    }
    return 0
  }
}
