import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, mkdir, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DapError } from '../errors.ts'
import type { Files } from '../host.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

export function nodeFiles(): Files {
  return {
    async read(path, maxBytes = 64 * 1024 * 1024) {
      const bytes = await attempt('read', path, async () => {
        const { size } = await stat(path)
        if (size > maxBytes)
          throw new DapError(`\`${path}\` has ${size} bytes, more than the ${maxBytes} that are read here`)
        return readFile(path)
      })
      try {
        return utf8.decode(bytes)
      } catch (cause) {
        throw new DapError(`\`${path}\` is not UTF-8 text`, { cause })
      }
    },
    async write(path, text) {
      const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.dap-tmp`)
      await attempt('write', path, async () => {
        await mkdir(dirname(path), { recursive: true })
        try {
          const file = await open(temporary, 'wx', 0o666)
          try {
            await file.writeFile(text)
            await file.sync()
          } finally {
            await file.close()
          }
          await rename(temporary, path)
        } catch (error) {
          await rm(temporary, { force: true })
          throw error
        }
      })
    },
    lines: path =>
      attempt('write', path, async () => {
        await mkdir(dirname(path), { recursive: true })
        const stream = (await open(path, 'w')).createWriteStream()
        let failure: Error | undefined
        stream.on('error', error => {
          failure = error
        })
        return {
          write: line => void stream.write(`${line}\n`),
          close: () =>
            attempt('write', path, async () => {
              await new Promise<void>(done => stream.end(() => done()))
              if (failure !== undefined) throw failure
            }),
        }
      }),
    exists: path =>
      lstat(path).then(
        () => true,
        () => false,
      ),
    isFolder: path =>
      stat(path).then(
        s => s.isDirectory(),
        () => false,
      ),
    walk: folder => attempt('list', folder, () => walk(folder)),
    real: path => attempt('resolve', path, () => realpath(path)),
    digest: path =>
      attempt('read', path, async () => {
        const hash = createHash('sha256')
        for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
        return hash.digest('hex')
      }),
  }
}

async function walk(folder: string): Promise<string[]> {
  const found: string[] = []
  const entries = await readdir(folder, { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) found.push(...(await walk(path)))
    else if (entry.isFile()) found.push(path)
  }
  return found
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
async function attempt<T>(verb: string, path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation()
  } catch (cause) {
    if (cause instanceof DapError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    throw new DapError(`cannot ${verb} \`${path}\`: ${REASONS[code ?? ''] ?? message}`, { cause })
  }
}
