import { mkdtemp, readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { ownPackage } from '../../../src/adapters/node/own-package.ts'
import { tarball } from '../../../src/adapters/node/tarball.ts'
import { put } from '../../support/disk.ts'
import { PACKAGE_ROOT } from '../../support/run-dap.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'dap-own-package-'))

/** Every file of an unpacked tarball: its text, and whether it can be run. */
async function unpacked(path: string): Promise<Record<string, readonly [string, boolean]>> {
  const folder = await temporary()
  await execa('tar', ['-xzf', path, '-C', folder])
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  const known = files.map(async file => {
    const runs = ((await stat(file)).mode & 0o111) !== 0
    return [file.slice(folder.length + 1), [await readFile(file, 'latin1'), runs]] as const
  })
  return Object.fromEntries(await Promise.all(known))
}

describe("dap's own package", () => {
  it('packs itself as npm does, and the same bytes every time', async () => {
    const [mine, npms] = [await temporary(), await temporary()]
    const own = await ownPackage(PACKAGE_ROOT)
    const { filename, integrity, bytes } = await own.pack()
    await put(mine, filename, bytes)
    await execa('npm', ['pack', '--ignore-scripts', '--pack-destination', npms], { cwd: PACKAGE_ROOT })
    expect(await unpacked(join(mine, filename))).toEqual(await unpacked(join(npms, filename)))
    expect((await own.pack()).integrity).toBe(integrity)
    // npm calls the same bytes by the same name.
    const { stdout } = await execa('npm', ['pack', join(mine, filename), '--dry-run', '--json'], { cwd: npms })
    expect((JSON.parse(stdout) as readonly { integrity: string }[])[0].integrity).toBe(integrity)
  })

  describe('came from a registry', () => {
    const NAME = '@dap-platform/dap'
    const from = async (note: object | undefined, version = '1.2.3') => {
      const root = await temporary()
      const folder = join('node_modules', NAME)
      await put(root, join(folder, 'package.json'), JSON.stringify({ name: NAME, version, files: [] }))
      await put(root, join(folder, 'dist/locked.json'), '{}')
      const notes = JSON.stringify({ packages: note === undefined ? {} : { [`node_modules/${NAME}`]: note } })
      await put(root, 'node_modules/.package-lock.json', notes)
      return (await ownPackage(join(root, folder))).registryIntegrity
    }
    const note = { version: '1.2.3', integrity: 'sha512-x' }

    it.each([
      [{ ...note, resolved: `https://registry.npmjs.org/${NAME}/-/dap-1.2.3.tgz` }],
      [{ ...note, resolved: `http://mirror.example:8080/npm/${NAME}/-/dap-1.2.3.tgz` }],
      [note],
    ])('by what npm noted: %j', async each => {
      expect(await from(each)).toBe('sha512-x')
    })

    it.each([
      [undefined],
      [{ ...note, resolved: 'file:vendor/dap-platform-dap-1.2.3.tgz' }],
      [{ ...note, resolved: 'https://example.com/dap-1.2.3.tgz' }],
      [{ ...note, resolved: 'git+ssh://git@example.com/dap.git#0123456' }],
      [{ ...note, version: '1.2.4' }],
      [{ version: '1.2.3', resolved: '../../dap', link: true }],
      [{ resolved: '../../dap', link: true }],
    ])('unless npm noted something else, or nothing: %j', async each => {
      expect(await from(each)).toBeUndefined()
    })

    it('unless it is a checkout', async () => {
      expect((await ownPackage(PACKAGE_ROOT)).registryIntegrity).toBeUndefined()
    })
  })
})

it('a tarball holds no path that its format has no room for', () => {
  const file = { bytes: Buffer.from('x'), executable: false }
  expect(() => tarball([{ ...file, path: 'a'.repeat(100) }])).not.toThrow()
  expect(() => tarball([{ ...file, path: `${'a'.repeat(99)}é` }])).toThrow(RangeError)
})
