/** A repository's own name: nothing that people choose, so that no two repositories have the same. */
import { isMap, isScalar, parseDocument } from 'yaml'

/** The `projectId` that the text of a `dap.yaml` has. */
export function projectIdOf(text: string): string | undefined {
  const document = parseDocument(text)
  const id: unknown = document.errors.length > 0 ? undefined : document.getIn(['spec', 'projectId'])
  return typeof id === 'string' ? id : undefined
}

/** The text of a `dap.yaml` with another one, and everything else as it is, to the letter; undefined where it cannot be read. */
export function withProjectId(text: string, id: string): string | undefined {
  const changed = insertedInto(text, id)
  return changed !== undefined && projectIdOf(changed) === id ? changed : undefined
}

function insertedInto(text: string, id: string): string | undefined {
  const document = parseDocument(text)
  const spec: unknown = document.get('spec', true)
  const insert = (from: number, to: number, piece: string) => text.slice(0, from) + piece + text.slice(to)
  if (document.errors.length > 0 || !isMap(spec) || !spec.range) return undefined
  const there = spec.items.find(({ key }) => isScalar(key) && key.value === 'projectId')
  if (there !== undefined) {
    const { key, value } = there
    if (!isScalar(key) || !key.range || !isScalar(value) || !value.range) return undefined
    const [from, to] = value.range
    // A value that is missing may be placed behind a comment.
    const after = text.indexOf(':', key.range[1]) + 1
    return from === to ? insert(after, after, ` ${id}`) : insert(from, to, id)
  }
  const [first] = spec.items
  if (first === undefined) return insert(spec.range[0], spec.range[1], `{ projectId: ${id} }`)
  if (!isScalar(first.key) || !first.key.range) return undefined
  const [at] = first.key.range
  const indent = ' '.repeat(at - text.lastIndexOf('\n', at - 1) - 1)
  return insert(at, at, spec.flow ? `projectId: ${id}, ` : `projectId: ${id}\n${indent}`)
}
