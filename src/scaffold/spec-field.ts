/** Edits of one field of a document's `spec` in the text of a file: everything else stays as it is, to the letter. */
import { type Document, isMap, isNode, isScalar, type Pair, parseAllDocuments, stringify, type YAMLMap } from 'yaml'

/** The documents of a text; undefined where one of them cannot be read. */
export function readDocuments(text: string): readonly Document.Parsed[] | undefined {
  const documents = parseAllDocuments(text)
  return Array.isArray(documents) && documents.every(({ errors }) => errors.length === 0) ? documents : undefined
}

/**
 * The text with another value of a text field, or without the field; a new one comes first. Undefined where that cannot be done by hand
 * alone: an alias, a value that is no scalar, a `spec` that is none.
 *
 * @param index The document's place in the file, from 0.
 * @param value Undefined takes the field out.
 */
export function withSpecField(text: string, index: number, key: string, value: string | undefined): string | undefined {
  const changed = edited(text, index, key, value)
  const written: unknown = changed && readDocuments(changed)?.[index]?.getIn(['spec', key])
  return written === value ? changed : undefined
}

type Insert = (from: number, to: number, piece: string) => string

function edited(text: string, index: number, key: string, value: string | undefined): string | undefined {
  const spec: unknown = readDocuments(text)?.[index]?.get('spec', true)
  const insert: Insert = (from, to, piece) => text.slice(0, from) + piece + text.slice(to)
  if (!isMap(spec) || !spec.range) return undefined
  const there = spec.items.findIndex(pair => isScalar(pair.key) && pair.key.value === key)
  if (value === undefined) return there === -1 ? text : without(text, spec, there, insert)
  if (there !== -1) return replaced(text, spec.items[there], value, insert)
  const [first] = spec.items
  if (first === undefined) return insert(spec.range[0], spec.range[1], `{ ${key}: ${plain(value)} }`)
  if (!isScalar(first.key) || !first.key.range) return undefined
  const [at] = first.key.range
  const indent = ' '.repeat(at - text.lastIndexOf('\n', at - 1) - 1)
  // JSON is YAML, too, and stays JSON.
  if (text[at] === '"') return insert(at, at, `"${key}": ${JSON.stringify(value)}, `)
  return insert(at, at, spec.flow ? `${key}: ${plain(value)}, ` : `${key}: ${plain(value)}\n${indent}`)
}

/** In quotes where YAML would read something else. */
const plain = (value: string) => stringify(value, { lineWidth: 0 }).trimEnd()

function replaced(text: string, { key, value }: Pair, now: string, insert: Insert): string | undefined {
  if (!isScalar(key) || !key.range || !isScalar(value) || !value.range) return undefined
  const [from, to] = value.range
  // A value that is missing may be placed behind a comment.
  const after = text.indexOf(':', key.range[1]) + 1
  const written = text[key.range[0]] === '"' ? JSON.stringify(now) : plain(now)
  return from === to ? insert(after, after, ` ${written}`) : insert(from, to, written)
}

/** Of a block whole lines go, and with them what is said at their end; of a flow what stands between two commas. */
function without(text: string, spec: YAMLMap, index: number, insert: Insert): string | undefined {
  const { key, value } = spec.items[index]
  // Without its only field a block would be no mapping.
  if (spec.items.length === 1) return undefined
  if (!isScalar(key) || !key.range || !isNode(value) || !value.range) return undefined
  const [start] = key.range
  const end = text.slice(0, value.range[1]).trimEnd().length
  if (spec.flow) {
    const comma = text.indexOf(',', end)
    const last = index === spec.items.length - 1
    return last ? insert(text.lastIndexOf(',', start), end, '') : insert(start, comma + 1 + blanks(text, comma + 1), '')
  }
  const line = text.lastIndexOf('\n', start - 1) + 1
  const next = text.indexOf('\n', end)
  return insert(line, next === -1 ? text.length : next + 1, '')
}

const blanks = (text: string, from: number) => /^ */.exec(text.slice(from))![0].length

/** One document of a text as a file of its own, with the comments before it. */
export function documentText(text: string, index: number): string | undefined {
  const documents = readDocuments(text)
  const document = documents?.[index]
  if (documents === undefined || document === undefined) return undefined
  if (documents.length === 1) return text
  const from = index === 0 ? 0 : documents[index - 1].range[2]
  const alone = text.slice(from, document.range[2]).replace(/^(?:\.\.\.|---)[^\S\n]*\n/, '')
  return readDocuments(alone)?.length === 1 ? alone : undefined
}
