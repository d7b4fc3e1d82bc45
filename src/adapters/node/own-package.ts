import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { OwnPackage, PackageManifest, Tarball } from '../../host.ts'
import { tarball } from './tarball.ts'

interface Manifest extends PackageManifest {
  readonly files: readonly string[]
}

/** dap's package as it is installed in a folder. */
export async function ownPackage(folder: string): Promise<OwnPackage> {
  const manifest = await json<Manifest>(join(folder, 'package.json'))
  return {
    manifest,
    locked: await json(join(folder, 'dist', 'locked.json')),
    registryIntegrity: await registryIntegrity(folder, manifest),
    pack: () => pack(folder, manifest),
  }
}

async function json<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T
}

/**
 * npm notes in the folder of packages where it had each from. It writes no such note for global packages, nor do other package managers:
 * then nobody knows, and dap packs itself.
 */
async function registryIntegrity(folder: string, { name, version }: PackageManifest): Promise<string | undefined> {
  const notes = join(folder, ...name.split('/').map(() => '..'), '.package-lock.json')
  if (!existsSync(notes)) return undefined
  const entry = (await json<{ readonly packages?: Readonly<Record<string, Note>> }>(notes)).packages?.[
    `node_modules/${name}`
  ]
  if (entry === undefined || entry.version !== version) return undefined
  return entry.resolved === undefined || isRegistrys(entry.resolved, name, version) ? entry.integrity : undefined
}

interface Note {
  readonly version?: string
  /** Where it came from; npm leaves it out for a registry with the setting `omit-lockfile-registry-resolved`. */
  readonly resolved?: string
  readonly integrity?: string
}

/** Registries, whichever host they have, give tarballs by one path. */
function isRegistrys(url: string, name: string, version: string): boolean {
  return /^https?:/.test(url) && new URL(url).pathname.endsWith(`/${name}/-/${basename(name)}-${version}.tgz`)
}

/**
 * The tarball that `npm pack` makes, file by file. npm itself is not asked: version 10 runs the script `prepare` of a folder, whatever it is
 * told, and that would build dap anew while it runs, or fail where it is installed.
 */
async function pack(folder: string, { name, version, files }: Manifest): Promise<Tarball> {
  const own = (await readdir(folder)).filter(file => /^(package\.json|(readme|licen[cs]e)(\..*)?)$/i.test(file))
  const below = await Promise.all(
    files.map(async each => {
      const entries = await readdir(join(folder, each), { recursive: true, withFileTypes: true })
      return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
    }),
  )
  const paths = [...own.map(file => join(folder, file)), ...below.flat()]
  const packed = await Promise.all(
    paths.map(async path => ({
      path: `package/${path
        .slice(folder.length)
        .replace(/^[\\/]/, '')
        .replaceAll('\\', '/')}`,
      bytes: await readFile(path),
      executable: ((await stat(path)).mode & 0o111) !== 0,
    })),
  )
  const bytes = tarball(packed.sort((a, b) => (a.path < b.path ? -1 : 1)))
  return {
    filename: `${name.replace('@', '').replace('/', '-')}-${version}.tgz`,
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    bytes,
  }
}
