import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { DapError } from '../../src/errors.ts'
import type { Files } from '../../src/host.ts'
import { isInside } from '../../src/paths.ts'

/** A file system in memory; folders exist when a file is below them. What `real` may reach lies under `fallback`'s prefix. */
export function memoryFiles(
  initial: Readonly<Record<string, string>>,
  fallback: { prefix: string; files: Files },
): Files & { readonly all: Map<string, string> } {
  const all = new Map(Object.entries(initial))
  const elsewhere = (path: string) => path.startsWith(fallback.prefix)
  const missing = (path: string) => new DapError(`cannot read \`${path}\`: it does not exist`)
  const below = (folder: string) => [...all.keys()].filter(path => path.startsWith(`${folder}/`))
  return {
    all,
    async read(path, maxBytes) {
      if (elsewhere(path)) return fallback.files.read(path, maxBytes)
      const text = all.get(path)
      if (text === undefined) throw missing(path)
      return text
    },
    bytes: async path => (elsewhere(path) ? fallback.files.bytes(path) : Buffer.from(all.get(path) ?? '', 'latin1')),
    async write(path, content) {
      all.set(path, typeof content === 'string' ? content : Buffer.from(content).toString('latin1'))
    },
    async rename(from, to) {
      all.set(to, await this.read(from))
      all.delete(from)
    },
    async lines(path) {
      all.set(path, '')
      return {
        write: line => void all.set(path, `${all.get(path)}${line}\n`),
        close: async () => {},
      }
    },
    async *readLines(path) {
      const lines = (await this.read(path)).split('\n')
      yield lines.at(-1) === '' ? lines.slice(0, -1) : lines
    },
    async appended(path, since) {
      const text = all.get(path)
      if (text === undefined) return undefined
      const whole = Buffer.from(text)
      if (since === 'end') return { bytes: new Uint8Array(), from: whole.length, to: whole.length, file: path }
      const from = since !== undefined && since.to <= whole.length ? since.to : 0
      return { bytes: whole.subarray(from), from, to: whole.length, file: path }
    },
    exists: async path => all.has(path) || below(path).length > 0,
    isFolder: async path => (elsewhere(path) ? fallback.files.isFolder(path) : below(path).length > 0),
    async walk(folder) {
      if (elsewhere(folder)) return fallback.files.walk(folder)
      const paths = below(folder)
        .filter(path => !path.slice(folder.length).split('/').includes('node_modules'))
        .sort()
      /** Up to the first name that begins with a dot. */
      const dotted = (path: string) => /^\/(?:[^./][^/]*\/)*\.[^/]*/.exec(path.slice(folder.length))?.[0]
      return {
        files: paths.filter(path => dotted(path) === undefined).map(path => ({ path, real: path })),
        unread: [],
        hidden: [...new Set(paths.flatMap(path => dotted(path) ?? []))].map(below => folder + below),
      }
    },
    async follow(path, within) {
      const folder = below(path).length > 0
      if (within.some(root => isInside(root, path))) return { real: path, folder, file: !folder }
      return { path, real: path, why: 'outside', folder, reason: `the link leads out, to \`${path}\`` }
    },
    real: async path => path,
    disk: path => path,
    async digest(path) {
      const text = all.get(path)
      if (text === undefined) throw missing(dirname(path))
      return createHash('sha256').update(text).digest('hex')
    },
    stamp: async path => all.get(path) ?? '',
  }
}
