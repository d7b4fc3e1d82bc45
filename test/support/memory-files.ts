import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { DapError } from '../../src/errors.ts'
import type { Files } from '../../src/host.ts'

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
    exists: async path => all.has(path) || below(path).length > 0,
    isFolder: async path => (elsewhere(path) ? fallback.files.isFolder(path) : below(path).length > 0),
    walk: async folder =>
      elsewhere(folder)
        ? fallback.files.walk(folder)
        : below(folder)
            .filter(path => !/\/(\.|node_modules)/.test(path.slice(folder.length)))
            .sort(),
    real: async path => path,
    async digest(path) {
      const text = all.get(path)
      if (text === undefined) throw missing(dirname(path))
      return createHash('sha256').update(text).digest('hex')
    },
    stamp: async path => all.get(path) ?? '',
  }
}
