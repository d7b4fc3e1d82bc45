import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DapError, FileError } from '../../errors.ts'
import type { Appended, Files, Followed, FoundFile, Unread, Walked } from '../../host.ts'
import { isInside } from '../../paths.ts'

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
          throw new FileError(path, file => `${file} has ${size} bytes, more than the ${maxBytes} that are read here`)
        }
        const bytes = fs.readFileSync(path)
        try {
          return utf8.decode(bytes)
        } catch (cause) {
          throw new FileError(path, file => `${file} is not UTF-8 text`, { cause })
        }
      }),
    bytes: path => attempt('read', path, () => fs.readFileSync(path)),
    write: (path, content) =>
      attempt('write', path, () => {
        const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.dap-tmp`)
        fs.mkdirSync(dirname(path), { recursive: true })
        try {
          fs.writeFileSync(temporary, content, { flag: 'wx', flush: true })
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
    appended: async (path, since) => attempt('read', path, () => appended(path, since)),
    exists: async path => unlessAbsent(() => fs.lstatSync(path)) !== undefined,
    isFolder: async path => unlessAbsent(() => fs.statSync(path))?.isDirectory() === true,
    walk: (folder, within = []) => attempt('list', folder, () => walk(folder, within)),
    follow: (path, within) =>
      attempt('follow', path, () => follow(path, join(fs.realpathSync(dirname(path)), basename(path)), within)),
    real: path => attempt('resolve', path, () => fs.realpathSync(path)),
    disk: path => path,
    digest: path =>
      attempt('read', path, async () => {
        const hash = createHash('sha256')
        for await (const chunk of fs.createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
        return hash.digest('hex')
      }),
    stamp: path => attempt('read', path, () => stampOf(path)),
  }
}

/** Undefined where there is nothing; below a file there is nothing, either. */
function unlessAbsent<Stat>(look: () => Stat): Stat | undefined {
  try {
    return look()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** `Files.stamp`, at once. */
export function stampOf(path: string): string {
  const stat = unlessAbsent(() => fs.statSync(path, { bigint: true }))
  return stat === undefined ? '' : [stat.mtimeNs, stat.ctimeNs, stat.size, stat.ino].join(' ')
}

const APPENDED_BYTES = 1 << 20

function appended(path: string, since: Appended | 'end' | undefined): Appended | undefined {
  const fd = unlessAbsent(() => fs.openSync(path, 'r'))
  if (fd === undefined) return undefined
  try {
    const { dev, ino, size } = fs.fstatSync(fd)
    const file = `${dev} ${ino}`
    if (since === 'end') return { bytes: new Uint8Array(), from: size, to: size, file }
    const from = since?.file === file && since.to <= size ? since.to : 0
    const bytes = new Uint8Array(Math.min(APPENDED_BYTES, size - from))
    const read = fs.readSync(fd, bytes, 0, bytes.length, from)
    return { bytes: bytes.subarray(0, read), from, to: from + read, file }
  } finally {
    fs.closeSync(fd)
  }
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

/** A folder that several links lead to is listed for each of them. A few folders of links to one another would be millions of paths. */
const maxAgain = (folders: number): number => 10 * (folders + 100)

function walk(folder: string, within: readonly string[]): Walked {
  const direct: FoundFile[] = []
  const linked: FoundFile[] = []
  const unread: Unread[] = []
  const hidden: string[] = []
  const start = fs.realpathSync(folder)
  const roots = [start, ...within]
  /** Real paths of the folders that have been entered, and of those that the walk is in: a link back to one of these is a circle. */
  const entered = new Set<string>()
  const open = new Set<string>()
  let again = 0
  list(folder, start, fs.readdirSync(start, { withFileTypes: true }), direct)
  return { files: [...direct, ...linked], unread, hidden }

  function enter(path: string, real: string, found: FoundFile[]): void {
    if (open.has(real)) return
    if (entered.has(real) && ++again > maxAgain(entered.size)) {
      throw new DapError(`links below \`${folder}\` lead to the same folders again and again`, {
        hint: 'remove links that lead to folders of links',
      })
    }
    try {
      list(path, real, fs.readdirSync(real, { withFileTypes: true }), found)
    } catch (error) {
      if (error instanceof DapError) throw error
      const reason = `the folder cannot be listed: ${reasonOf(error)}`
      unread.push({ path, real, why: 'unlisted', folder: true, reason })
    }
  }

  function list(path: string, real: string, entries: fs.Dirent[], found: FoundFile[]): void {
    entered.add(real)
    open.add(real)
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const at = join(path, entry.name)
      if (entry.name === 'node_modules') continue
      if (entry.name.startsWith('.')) hidden.push(at)
      else if (entry.isSymbolicLink()) {
        const followed = follow(at, join(real, entry.name), roots)
        if ('why' in followed) unread.push(followed)
        else if (followed.folder) enter(at, followed.real, linked)
        else if (followed.file) linked.push({ path: at, real: followed.real })
      } else if (entry.isDirectory()) enter(at, join(real, entry.name), found)
      else if (entry.isFile()) found.push({ path: at, real: join(real, entry.name) })
    }
    open.delete(real)
  }
}

/** What a path leads to: a file or a folder, or neither. `real` is the path with the links of its folder resolved. */
function follow(path: string, real: string, roots: readonly string[]): Followed | Unread {
  try {
    const target = fs.realpathSync(path)
    const stat = fs.statSync(target)
    if (roots.some(root => isInside(root, target)))
      return { real: target, folder: stat.isDirectory(), file: stat.isFile() }
    return { path, real, why: 'outside', folder: stat.isDirectory(), reason: `the link leads out, to \`${target}\`` }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'there is nothing where it leads' : reasonOf(error)
    return { path, real, why: 'broken', folder: undefined, reason: `the link cannot be followed: ${reason}` }
  }
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
export async function attempt<T>(verb: string, path: string, operation: () => T | Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    if (cause instanceof DapError) throw cause
    throw new FileError(path, file => `cannot ${verb} ${file}: ${reasonOf(cause)}`, { cause })
  }
}

function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return REASONS[code] ?? message
}
