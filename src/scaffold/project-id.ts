/** A repository's own name: nothing that people choose, so that no two repositories have the same. */
import { type Document, isMap, isScalar, parseAllDocuments } from 'yaml'

/** The `projectId` that the text of a `dap.yaml` has. */
export function projectIdOf(text: string): string | undefined {
  const id: unknown = projectIn(text)?.getIn(['spec', 'projectId'])
  return typeof id === 'string' ? id : undefined
}

/** The document of the Project, where all of them can be read. */
function projectIn(text: string): Document.Parsed | undefined {
  const documents = parseAllDocuments(text)
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) return undefined
  return documents.find(document => document.get('kind') === 'Project') ?? documents[0]
}

/** The text of a `dap.yaml` with another one, and everything else as it is, to the letter; undefined where it cannot be read. */
export function withProjectId(text: string, id: string): string | undefined {
  const changed = insertedInto(text, id)
  return changed !== undefined && projectIdOf(changed) === id ? changed : undefined
}

function insertedInto(text: string, id: string): string | undefined {
  const spec: unknown = projectIn(text)?.get('spec', true)
  const insert = (from: number, to: number, piece: string) => text.slice(0, from) + piece + text.slice(to)
  if (!isMap(spec) || !spec.range) return undefined
  const there = spec.items.find(({ key }) => isScalar(key) && key.value === 'projectId')
  if (there !== undefined) {
    const { key, value } = there
    if (!isScalar(key) || !key.range || !isScalar(value) || !value.range) return undefined
    const [from, to] = value.range
    // A value that is missing may be placed behind a comment.
    const after = text.indexOf(':', key.range[1]) + 1
    // JSON is YAML, too, and stays JSON.
    const written = text[key.range[0]] === '"' ? `"${id}"` : id
    return from === to ? insert(after, after, ` ${written}`) : insert(from, to, written)
  }
  const [first] = spec.items
  if (first === undefined) return insert(spec.range[0], spec.range[1], `{ projectId: ${id} }`)
  if (!isScalar(first.key) || !first.key.range) return undefined
  const [at] = first.key.range
  const indent = ' '.repeat(at - text.lastIndexOf('\n', at - 1) - 1)
  if (text[at] === '"') return insert(at, at, `"projectId": "${id}", `)
  return insert(at, at, spec.flow ? `projectId: ${id}, ` : `projectId: ${id}\n${indent}`)
}
