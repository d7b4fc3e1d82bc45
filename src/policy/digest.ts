import { sha256Hex } from '../math/sha256.ts'

/** Nothing that dap writes is nested this deep; what is comes from somebody who wants to see the stack overflow. */
const MAX_DEPTH = 64

/** `sha256:` and the hex digest of a JSON value, whatever the order of its keys. A RangeError for one nested too deeply. */
export function digestOf(value: unknown): string {
  return textDigest(canonicalJson(value))
}

let sha256 = sha256Hex

/** Lets a host that has a SHA-256 of its own digest by that. Of megabytes, which snapshots may be, Node's takes a tenth of the time. */
export function digestBy(hex: (text: string) => string): void {
  sha256 = hex
}

/** `sha256:` and the hex digest of a text. */
export function textDigest(text: string): string {
  return `sha256:${sha256(text)}`
}

/** The digest of what a resource says: its kind, its name and its spec after defaults. */
export function resourceDigest(kind: string, name: string, spec: unknown): string {
  return digestOf({ kind, metadata: { name }, spec })
}

/** A JSON value as the text of a file: the same value, the same bytes. */
export function fileText(value: unknown): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(value)), null, 2)}\n`
}

/** JSON without blanks, keys sorted, undefined values left out. */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new RangeError(`it is nested deeper than ${MAX_DEPTH} levels`)
  if (Array.isArray(value)) return `[${value.map(each => canonicalJson(each, depth + 1)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each, depth + 1)}`).join(',')}}`
}
