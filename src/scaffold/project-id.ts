/** A repository's own name: nothing that people choose, so that no two repositories have the same. */
import { isMap, isScalar, parseDocument } from 'yaml'

/** The `projectId` that the text of a `dap.yaml` has. */
export function projectIdOf(text: string): string | undefined {
  const id: unknown = parseDocument(text).getIn(['spec', 'projectId'])
  return typeof id === 'string' ? id : undefined
}

/** The text of a `dap.yaml` with another one, and everything else as it is, to the letter; undefined where it has no `spec`. */
export function withProjectId(text: string, id: string): string | undefined {
  const document = parseDocument(text)
  const spec: unknown = document.get('spec', true)
  const insert = (from: number, to: number, piece: string) => text.slice(0, from) + piece + text.slice(to)
  if (document.errors.length > 0 || !isMap(spec) || !spec.range) return undefined
  const there = document.getIn(['spec', 'projectId'], true)
  if (isScalar(there) && there.range) return insert(there.range[0], there.range[1], id)
  const [first] = spec.items
  if (first === undefined) return insert(spec.range[0], spec.range[1], `{ projectId: ${id} }`)
  if (!isScalar(first.key) || !first.key.range) return undefined
  const [at] = first.key.range
  const indent = ' '.repeat(at - text.lastIndexOf('\n', at - 1) - 1)
  return insert(at, at, spec.flow ? `projectId: ${id}, ` : `projectId: ${id}\n${indent}`)
}
