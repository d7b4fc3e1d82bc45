import { type Document, isAlias, isMap, isScalar, isSeq } from 'yaml'
import type { Fault, Span } from './fault.ts'
import { composeFile } from './yaml.ts'

/** 1-based line and column; `length` counts code units of that line. */
export interface Place {
  readonly line: number
  readonly column: number
  readonly length: number
}

/** A place, and the text there. */
export interface Found extends Place {
  readonly text: string
}

export interface Locator {
  /** Of the document with that index, where a fault is, and how the value there is written if it stands without quotes. */
  readonly fault: (index: number, fault: Fault) => Found & { readonly written?: string }
  readonly span: (span: Span) => Found
}

/** Places in one text. Where its syntax trees are not known it is parsed, with positions, when the first fault is asked for: valid files never are. */
export function createLocator(text: string, trees?: readonly Document.Parsed[]): Locator {
  const lines = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.push(at + 1)
  let documents = trees

  function span({ from, to }: Span): Found {
    const start = Math.max(0, Math.min(from, text.length))
    let low = 0
    let high = lines.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (lines[middle] <= start) low = middle
      else high = middle - 1
    }
    let end = low + 1 < lines.length ? lines[low + 1] - 1 : text.length
    if (text[end - 1] === '\r') end--
    const length = Math.max(1, Math.min(to, end) - start)
    return { line: low + 1, column: start - lines[low] + 1, length, text: text.slice(start, start + length) }
  }

  return {
    span,
    fault(index, fault) {
      if (documents === undefined) {
        const composed = composeFile(text)
        documents = 'message' in composed ? [] : composed
      }
      const contents = documents[index]?.contents
      if (!contents) return span({ from: 0, to: 1 })
      const { spot, written } = find(contents, fault, text)
      return { ...span(spot), written }
    },
  }
}

type Ranged = { readonly range?: readonly [number, number, number] | null } | null | undefined

/** The deepest node on the fault's path that is there. */
function find(
  contents: unknown,
  { path, on, offset }: Fault,
  text: string,
): { readonly spot: Span; readonly written?: string } {
  const anchors = new Map<string, unknown>()
  let value: unknown = contents
  let key: unknown
  let spot = spanOf(value) ?? { from: 0, to: 1 }
  for (const [depth, step] of path.entries()) {
    if (isAlias(value)) value = anchored(contents, value.source, anchors)
    if (isMap(value)) {
      const pair = value.items.find(item => isScalar(item.key) && nameOf(item.key) === String(step))
      if (pair === undefined) return { spot }
      key = pair.key
      value = pair.value
    } else if (isSeq(value)) {
      key = undefined
      value = value.items[Number(step)]
    } else return { spot }
    const last = depth === path.length - 1
    const own = last && on !== 'key' ? spanOf(value) : undefined
    spot = own ?? spanOf(key) ?? spanOf(value) ?? spot
  }
  if (isAlias(value)) value = anchored(contents, value.source, anchors)
  if (!isScalar(value)) return { spot }
  const written = value.type === 'PLAIN' ? value.source : undefined
  if (offset === undefined || typeof value.value !== 'string') return { spot, written }
  return { spot: within(text, spot, value.value, offset), written }
}

/** The word at an offset of a string; the whole string where it is written with escapes or over several lines. */
function within(text: string, whole: Span, value: string, offset: number): Span {
  const at = text.slice(whole.from, whole.to).indexOf(value.trimEnd())
  if (at === -1 || value.trim() === '') return whole
  const from = whole.from + at + Math.min(offset, value.trimEnd().length)
  const word = /^(?:(['"]).*?\1|[\w.]+)/.exec(value.slice(offset))
  return { from, to: from + (word?.[0].length ?? 1) }
}

function spanOf(node: unknown): Span | undefined {
  const range = (node as Ranged)?.range
  return range && range[1] > range[0] ? { from: range[0], to: range[1] } : undefined
}

function nameOf(key: { readonly value: unknown; readonly source?: string }): string {
  return typeof key.value === 'string' ? key.value : String(key.source ?? key.value)
}

function anchored(contents: unknown, name: string, anchors: Map<string, unknown>): unknown {
  if (anchors.size === 0) collect(contents, anchors)
  return anchors.get(name)
}

function collect(node: unknown, anchors: Map<string, unknown>): void {
  const { anchor } = (node ?? {}) as { anchor?: string }
  if (anchor !== undefined) anchors.set(anchor, node)
  if (isMap(node)) for (const item of node.items) collect(item.value, anchors)
  else if (isSeq(node)) for (const item of node.items) collect(item, anchors)
}
