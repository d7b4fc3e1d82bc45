import type { JsonObject } from '../ports.ts'
import { isOff, notEmulated } from './api.ts'
import { objectResource } from './fields.ts'
import type { StoredObject } from './object-store.ts'
import { invalid } from './refusal.ts'

const MOST = 1000

/** How many a page may have. */
function pageSize(query: URLSearchParams): number {
  const asked = query.get('maxResults') ?? String(MOST)
  if (!/^[1-9]\d*$/.test(asked)) throw invalid(`maxResults is a number from 1 on, not ${asked}`)
  return Math.min(Number(asked), MOST)
}

interface ListPage<T> {
  readonly items: readonly T[]
  readonly prefixes: readonly string[]
  readonly nextPageToken?: string
}

/** One page of what is sorted by name; the token is the last name of the page before. rule: storage-list */
export function storagePage<T>(all: readonly T[], nameOf: (item: T) => string, query: URLSearchParams): ListPage<T> {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const trailing = !isOff(query.get('includeTrailingDelimiter'))
  const after = query.get('pageToken') ?? ''
  const [first, end] = [query.get('startOffset') ?? '', query.get('endOffset')]
  const glob = globOf(query, delimiter)
  const most = pageSize(query)
  const items: T[] = []
  const prefixes = new Set<string>()
  let last = ''
  for (const item of all) {
    const name = nameOf(item)
    if (!name.startsWith(prefix) || name <= after || name < first || (end !== null && name >= end)) continue
    if (glob?.test(name) === false) continue
    const cut = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length)
    const folder = cut < 0 ? undefined : name.slice(0, cut + delimiter.length)
    const listed = folder === undefined || (trailing && folder === name)
    const opens = folder !== undefined && !prefixes.has(folder)
    if (listed || opens) {
      // An item that stands for its folder, too, may make a page one longer: the two belong together.
      if (items.length + prefixes.size >= most) return { items, prefixes: [...prefixes], nextPageToken: last }
      if (listed) items.push(item)
      if (opens) prefixes.add(folder)
    }
    last = name
  }
  return { items, prefixes: [...prefixes] }
}

export function objectList(objects: readonly StoredObject[], query: URLSearchParams): JsonObject {
  const { items, prefixes, ...next } = storagePage(objects, ({ name }) => name, query)
  return {
    kind: 'storage#objects',
    ...(items.length > 0 ? { items: items.map(objectResource) } : {}),
    ...(prefixes.length > 0 ? { prefixes } : {}),
    ...next,
  }
}

function globOf(query: URLSearchParams, delimiter: string): RegExp | undefined {
  const glob = query.get('matchGlob')
  if (glob === null) return undefined
  if (delimiter !== '') throw notEmulated('`matchGlob` together with `delimiter`')
  try {
    return new RegExp(`^${globPattern(glob)}$`, 'su')
  } catch {
    throw invalid(`matchGlob is no pattern: ${glob}`)
  }
}

const GLOB: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' }
const PIECE = /\*\*\/|\*\*|\*|\?|\[[!^]?[^\]]+\]|\\?./gs

function globPattern(glob: string): string {
  let depth = 0
  return glob.replaceAll(PIECE, piece => {
    if (piece in GLOB) return GLOB[piece]
    const [, not, members] = /^\[([!^]?)(.+)\]$/s.exec(piece) ?? []
    if (members !== undefined) return `[${not && '^/'}${members.replaceAll(/[\\^[]/g, '\\$&')}]`
    if (piece === '{') depth++
    else if (depth === 0 || !['}', ','].includes(piece))
      return piece.at(-1)?.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&') ?? ''
    if (piece === '}') depth--
    return { '{': '(?:', '}': ')' }[piece] ?? '|'
  })
}
