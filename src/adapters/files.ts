import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { DapError } from '../errors.ts'
import type { Files } from '../host.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Files on disk. Config files are small and many: synchronous calls spare each the way through the thread pool, and a cold
 * start the loading of `node:fs/promises`. What may be large is streamed.
 */
export function nodeFiles(): Files {
  return {
    read: (path, maxBytes = 64 * 1024 * 1024) =>
      attempt('read', path, () => {
        const { size } = fs.statSync(path)
        if (size > maxBytes) {
          throw new DapError(`\`${path}\` has ${size} bytes, more than the ${maxBytes} that are read here`)
        }
        const bytes = fs.readFileSync(path)
        try {
          return utf8.decode(bytes)
        } catch (cause) {
          throw new DapError(`\`${path}\` is not UTF-8 text`, { cause })
        }
      }),
    write: (path, text) =>
      attempt('write', path, () => {
        const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.dap-tmp`)
        fs.mkdirSync(dirname(path), { recursive: true })
        try {
          fs.writeFileSync(temporary, text, { flag: 'wx', flush: true })
          fs.renameSync(temporary, path)
        } catch (error) {
          fs.rmSync(temporary, { force: true })
          throw error
        }
      }),
    rename: (from, to) => attempt('write', to, () => fs.renameSync(from, to)),
    lines: path =>
      attempt('write', path, () => {
        fs.mkdirSync(dirname(path), { recursive: true })
        const stream = fs.createWriteStream(path, { fd: fs.openSync(path, 'w') })
        let failure: Error | undefined
        stream.on('error', error => {
          failure = error
        })
        return {
          write: line => void stream.write(`${line}\n`),
          close: () =>
            attempt('write', path, async () => {
              await new Promise<void>((done, fail) =>
                stream.end((error?: Error | null) => (error ? fail(error) : done())),
              )
              if (failure !== undefined) throw failure
            }),
        }
      }),
    readLines,
    exists: async path => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined,
    isFolder: async path => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    walk: folder => attempt('list', folder, () => walk(folder)),
    real: path => attempt('resolve', path, () => fs.realpathSync(path)),
    digest: path =>
      attempt('read', path, async () => {
        const hash = createHash('sha256')
        for await (const chunk of fs.createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
        return hash.digest('hex')
      }),
    stamp: path => attempt('read', path, () => stampOf(path)),
  }
}

/** `Files.stamp`, at once. */
export function stampOf(path: string): string {
  const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? '' : [stat.mtimeNs, stat.ctimeNs, stat.size, stat.ino].join(' ')
}

async function* readLines(path: string): AsyncGenerator<readonly string[]> {
  const { linesOf } = await import('./text.ts')
  try {
    yield* linesOf(path, path)
  } catch (error) {
    await attempt('read', path, () => {
      throw error
    })
  }
}

function walk(folder: string): string[] {
  const entries = fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap(entry => {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? walk(path) : entry.isFile() ? [path] : []
  })
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk is read-only',
  ELOOP: 'its links go round in a circle',
}

/** Runs a file operation; what the operating system refuses becomes a sentence. */
async function attempt<T>(verb: string, path: string, operation: () => T | Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    if (cause instanceof DapError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    throw new DapError(`cannot ${verb} \`${path}\`: ${REASONS[code ?? ''] ?? message}`, { cause })
  }
}
