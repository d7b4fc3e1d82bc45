import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, realpath, rename, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeFiles } from '../../../src/adapters/node/files.ts'

const files = nodeFiles()
const folder = () => mkdtemp(join(tmpdir(), 'dap-files-'))

describe('files on disk', () => {
  it('reads UTF-8 and says why it cannot read anything else', async () => {
    const at = await folder()
    await writeFile(join(at, 'a.txt'), 'é\n')
    expect(await files.read(join(at, 'a.txt'))).toBe('é\n')
    await writeFile(join(at, 'b.txt'), Buffer.from([0xff, 0xfe]))
    await expect(files.read(join(at, 'b.txt'))).rejects.toThrow('is not UTF-8 text')
    await expect(files.read(join(at, 'a.txt'), 2)).rejects.toThrow('has 3 bytes, more than the 2 that are read here')
    await expect(files.read(join(at, 'c.txt'))).rejects.toThrow('it does not exist')
    await expect(files.read(at)).rejects.toThrow('it is a folder')
  })

  it('gives what was appended, and all of it where it is another file, or a shorter one', async () => {
    const at = join(await folder(), 'a.jsonl')
    const text = ({ bytes }: { readonly bytes: Uint8Array }) => Buffer.from(bytes).toString()
    expect(await files.appended(at)).toBeUndefined()
    await writeFile(at, 'one\n')
    const first = (await files.appended(at))!
    expect([text(first), first.from, first.to]).toEqual(['one\n', 0, 4])
    await writeFile(at, 'one\ntwo')
    expect(text((await files.appended(at, first))!)).toBe('two')
    const end = (await files.appended(at, 'end'))!
    expect([text(end), end.to, text((await files.appended(at, end))!)]).toEqual(['', 7, ''])
    await writeFile(at, 'new')
    expect(text((await files.appended(at, end))!)).toBe('new')
    const other = `${at}.other`
    await writeFile(other, 'quite another')
    await rename(other, at)
    expect(text((await files.appended(at, first))!)).toBe('quite another')
    await writeFile(at, 'x'.repeat((1 << 20) + 3))
    const most = (await files.appended(at))!
    expect([most.bytes.length, text((await files.appended(at, most))!)]).toEqual([1 << 20, 'xxx'])
  })

  it('replaces a file whole, makes its folders, and leaves nothing behind when it cannot', async () => {
    const at = await folder()
    await files.write(join(at, 'x', 'y.txt'), 'one')
    await files.write(join(at, 'x', 'y.txt'), 'two')
    expect(await readFile(join(at, 'x', 'y.txt'), 'utf8')).toBe('two')
    await mkdir(join(at, 'z.txt'))
    await expect(files.write(join(at, 'z.txt'), 'three')).rejects.toThrow('cannot write')
    expect((await readdir(at)).sort()).toEqual(['x', 'z.txt'])
  })

  it('walks in order, past hidden names and node_modules, and follows links to what may be read', async () => {
    const at = await realpath(await folder())
    for (const name of ['b', 'a/deep', '.git', 'node_modules/x', 'c']) await mkdir(join(at, name), { recursive: true })
    for (const name of ['b/2', 'a/deep/1', '.git/HEAD', 'node_modules/x/y', '.hidden'])
      await writeFile(join(at, name), '')
    for (const [to, path] of [
      ['../.git/HEAD', 'c/head'],
      ['../a', 'c/a'],
      ['..', 'c/up'],
      ['.', 'c/self'],
      ['/', 'c/out'],
      ['nothing', 'c/broken'],
      ['circle', 'c/circle'],
    ])
      await symlink(to, join(at, path))
    const { files: found, unread, hidden } = await files.walk(at)
    const shown = (path: string) => path.slice(at.length + 1)
    expect(found.map(({ path, real }) => `${shown(path)} ${shown(real)}`)).toEqual([
      'a/deep/1 a/deep/1',
      'b/2 b/2',
      'c/a/deep/1 a/deep/1',
      'c/head .git/HEAD',
    ])
    expect(unread.map(({ path, why, folder, reason }) => [shown(path), why, folder, reason])).toEqual([
      ['c/broken', 'broken', undefined, 'the link cannot be followed: there is nothing where it leads'],
      ['c/circle', 'broken', undefined, 'the link cannot be followed: its links go round in a circle'],
      ['c/out', 'outside', true, 'the link leads out, to `/`'],
    ])
    expect(hidden.map(shown)).toEqual(['.git', '.hidden'])
    // Below `c` alone a link up leads to the rest, which is outside unless it is allowed.
    expect((await files.walk(join(at, 'c'))).unread.map(({ path }) => shown(path))).toContain('c/up')
    const reals = (await files.walk(join(at, 'c'), [at])).files.map(({ real }) => shown(real))
    expect(new Set(reals)).toEqual(new Set(['a/deep/1', 'b/2', '.git/HEAD']))
  })

  it('walks to every file that names and links lead to, and says of every other link that it does not', async () => {
    const name = fc.constantFrom('a', 'b', 'c', '.h', 'node_modules')
    const place = fc.array(name, { minLength: 1, maxLength: 3 }).map(names => names.join('/'))
    const target = fc.oneof(place, fc.constantFrom('', 'x', '../out', '../out/f'))
    const made = fc.array(fc.oneof(place, fc.tuple(place, target)), { minLength: 1, maxLength: 14 })
    await fc.assert(
      fc.asyncProperty(made, async entries => {
        const top = await realpath(await folder())
        const at = join(top, 'in')
        for (const each of [at, join(top, 'out')]) await mkdir(each)
        await writeFile(join(top, 'out/f'), '')
        for (const entry of entries) {
          const [path, to] = typeof entry === 'string' ? [entry, undefined] : entry
          const file = join(at, path)
          try {
            await mkdir(dirname(file), { recursive: true })
            await (to === undefined ? writeFile(file, '', { flag: 'wx' }) : symlink(join(at, to), file))
          } catch {
            // Something else is there already.
          }
        }
        const { files: found, unread } = await files.walk(at)
        const expected = await reachable(at)
        expect(new Set(found.map(({ real }) => real))).toEqual(expected.files)
        for (const { path, real } of found) expect(await realpath(path)).toBe(real)
        const places = await Promise.all(
          unread.map(async ({ path }) => join(await realpath(dirname(path)), basename(path))),
        )
        expect(new Set(places)).toEqual(expected.unread)
      }),
      { numRuns: 150, seed: 11 },
    )
  })

  it('does not walk for ever where folders of links lead to one another', async () => {
    const at = await realpath(await folder())
    const names = Array.from({ length: 12 }, (_, i) => `f${i}`)
    for (const each of names) await mkdir(join(at, each))
    for (const each of names) for (const other of names) await symlink(join(at, other), join(at, each, other))
    await expect(files.walk(at)).rejects.toThrow('lead to the same folders again and again')
  })

  it('reads lines, packed or not, to the end or not at all', async () => {
    const at = join(await folder(), 'l.jsonl.gz')
    const all = Array.from({ length: 50_000 }, (_, i) => `{"line":${i}}`)
    const packed = gzipSync(`${all.slice(0, 20_000).join('\n')}\n`)
    const lines = async () => {
      const found: string[] = []
      for await (const some of files.readLines(at)) found.push(...some)
      return found
    }
    const rest = gzipSync(all.slice(20_000).join('\n'))
    await writeFile(at, Buffer.concat([packed, rest]))
    expect(await lines()).toEqual(all)
    await writeFile(at, Buffer.concat([packed, rest.subarray(0, -12)]))
    await expect(lines()).rejects.toThrow('the gzip data ends or is damaged here')
    const damaged = Buffer.concat([packed, rest])
    damaged[damaged.length - 6] ^= 1
    await writeFile(at, damaged)
    await expect(lines()).rejects.toThrow('the gzip data ends or is damaged here')
    await writeFile(at, all.join('\n'))
    expect(await lines()).toEqual(all)
    await expect(files.readLines(join(at, 'x'))[Symbol.asyncIterator]().next()).rejects.toThrow('is not a folder')
  })

  it('writes events line by line, and digests bytes', async () => {
    const at = await folder()
    const lines = await files.lines(join(at, 'events'))
    lines.write('1')
    lines.write('2')
    await lines.close()
    expect(await readFile(join(at, 'events'), 'utf8')).toBe('1\n2\n')
    expect(await files.digest(join(at, 'events'))).toBe(createHash('sha256').update('1\n2\n').digest('hex'))
  })
})

/** By looking into every folder once, whatever way leads to it: the files below a folder, and its links that lead out or nowhere. */
async function reachable(root: string): Promise<{ files: Set<string>; unread: Set<string> }> {
  const files = new Set<string>()
  const unread = new Set<string>()
  const folders = new Set([root])
  for (const at of folders) {
    for (const name of await readdir(at)) {
      if (name.startsWith('.') || name === 'node_modules') continue
      const path = join(at, name)
      const real = await realpath(path).catch(() => undefined)
      if (real === undefined || !`${real}/`.startsWith(`${root}/`)) unread.add(path)
      else if ((await stat(real)).isDirectory()) folders.add(real)
      else files.add(real)
    }
  }
  return { files, unread }
}
