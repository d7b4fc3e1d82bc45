import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { DapError, InterruptedError } from '../errors.ts'
import type { OwnPackage, PackageManifest, Tarball } from '../host.ts'

/** dap's package as it is installed in a folder; npm packs it. */
export async function ownPackage(folder: string, signal: AbortSignal): Promise<OwnPackage> {
  const manifest = await json<PackageManifest>(join(folder, 'package.json'))
  return {
    manifest,
    locked: await json(join(folder, 'dist', 'locked.json')),
    registryIntegrity: await registryIntegrity(folder, manifest),
    pack: () => pack(folder, signal),
  }
}

async function json<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, 'utf8')) as T
}

interface Entry {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
}

/**
 * npm notes in the folder of packages where it had each from. It writes no such note for global packages, nor do other package managers:
 * then nobody knows, and dap packs itself.
 */
async function registryIntegrity(folder: string, { name, version }: PackageManifest): Promise<string | undefined> {
  const packages = join(folder, '../'.repeat(name.split('/').length))
  const notes = join(packages, '.package-lock.json')
  if (!existsSync(notes)) return undefined
  const entry = (await json<{ packages?: Record<string, Entry> }>(notes)).packages?.[`node_modules/${name}`]
  if (entry === undefined || entry.version !== version || entry.link === true) return undefined
  // By this path a registry gives its tarballs, whichever host it has. With `omit-lockfile-registry-resolved` npm notes nothing of it.
  const path = `/${name}/-/${name.split('/').at(-1)}-${version}.tgz`
  return entry.resolved === undefined ||
    (/^https?:/.test(entry.resolved) && new URL(entry.resolved).pathname.endsWith(path))
    ? entry.integrity
    : undefined
}

async function pack(folder: string, signal: AbortSignal): Promise<Tarball> {
  const temporary = await mkdtemp(join(tmpdir(), 'dap-pack-'))
  try {
    const words = ['pack', folder, '--ignore-scripts', '--json', '--pack-destination', temporary]
    const result = await execa('npm', words, { cwd: temporary, cancelSignal: signal, stdin: 'ignore', reject: false })
    if (result.isCanceled || signal.aborted) throw new InterruptedError()
    if (result.code === 'ENOENT')
      throw new DapError('`npm` is not installed, which packs dap for the repository', { hint: 'npm comes with Node' })
    if (result.failed)
      throw new DapError(`\`npm pack\` of dap ended with ${result.exitCode ?? result.signal}`, {
        hint: result.stderr.split('\n').find(line => line.startsWith('npm error')),
      })
    const [{ filename, integrity }] = JSON.parse(result.stdout) as readonly Packed[]
    return { filename, integrity, bytes: await readFile(join(temporary, filename)) }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

interface Packed {
  readonly filename: string
  readonly integrity: string
}
