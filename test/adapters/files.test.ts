import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { nodeFiles } from '../../src/adapters/files.ts'

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

  it('replaces a file whole, makes its folders, and leaves nothing behind when it cannot', async () => {
    const at = await folder()
    await files.write(join(at, 'x', 'y.txt'), 'one')
    await files.write(join(at, 'x', 'y.txt'), 'two')
    expect(await readFile(join(at, 'x', 'y.txt'), 'utf8')).toBe('two')
    await mkdir(join(at, 'z.txt'))
    await expect(files.write(join(at, 'z.txt'), 'three')).rejects.toThrow('cannot write')
    expect((await readdir(at)).sort()).toEqual(['x', 'z.txt'])
  })

  it('walks in order, past hidden folders, links and node_modules', async () => {
    const at = await folder()
    for (const name of ['b', 'a/deep', '.git', 'node_modules/x']) await mkdir(join(at, name), { recursive: true })
    for (const name of ['b/2', 'a/deep/1', '.git/HEAD', 'node_modules/x/y', '.hidden'])
      await writeFile(join(at, name), '')
    await symlink('/', join(at, 'link'))
    expect(await files.walk(at)).toEqual([join(at, 'a/deep/1'), join(at, 'b/2')])
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
