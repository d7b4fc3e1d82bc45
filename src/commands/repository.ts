import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { DapError, UsageError } from '../errors.ts'
import type { Host } from '../host.ts'
import { InvalidFilesError } from '../invalid-files.ts'
import { loadRepository, type NamedKind, type Repository, type Resource, type SourceFile } from '../repo/repository.ts'

export const PROJECT_FILE = 'dap.yaml'

/** A config repository on disk, loaded. */
export interface Opened {
  /** Absolute, links resolved. */
  readonly root: string
  readonly sources: readonly SourceFile[]
  readonly repository: Repository
}

/** The nearest folder, from the working one upwards, that has a `dap.yaml`. */
export async function findRoot(host: Host): Promise<string | undefined> {
  for (let folder = host.cwd; ; folder = dirname(folder)) {
    if (await host.files.exists(join(folder, PROJECT_FILE))) return host.files.real(folder)
    if (folder === dirname(folder)) return undefined
  }
}

/** Loads the repository around the working folder, whose root may be known already; a UsageError where there is none. */
export async function openRepository(host: Host, known?: string): Promise<Opened> {
  const root = known ?? (await findRoot(host))
  if (root === undefined) {
    throw new UsageError(`no \`${PROJECT_FILE}\` in this folder or above it`, {
      hint: '`dap init DIR` makes a config repository; -C DIR names one',
    })
  }
  const project = await readSource(host, root, join(root, PROJECT_FILE))
  const { folders } = (await loadRepository([project])).project
  const sources = [project, ...(await readSources(host, root, await projectFiles(host, root, folders)))]
  return { root, sources, repository: await loadRepository(sources) }
}

/** The YAML files of a project's folders. One that leaves the repository is a diagnostic of dap.yaml, and is not looked into. */
export async function projectFiles(host: Host, root: string, folders: readonly string[]): Promise<string[]> {
  const inside = folders.map(folder => resolve(root, folder)).filter(folder => contains(root, folder))
  const paths = await Promise.all(inside.map(folder => yamlFiles(host, folder)))
  return [...new Set(paths.flat())]
}

/** The YAML files of a folder that may not exist. */
export async function yamlFiles(host: Host, folder: string): Promise<string[]> {
  if (!(await host.files.isFolder(folder))) return []
  return (await host.files.walk(folder)).filter(path => /\.ya?ml$/.test(path))
}

export async function readSources(host: Host, root: string, paths: readonly string[]): Promise<SourceFile[]> {
  return Promise.all(paths.map(path => readSource(host, root, path)))
}

async function readSource(host: Host, root: string, path: string): Promise<SourceFile> {
  const name = displayPath(root, path)
  try {
    return { path: name, text: await host.files.read(path) }
  } catch (error) {
    if (!(error instanceof DapError)) throw error
    return { path: name, unreadable: error.message }
  }
}

/** Relative to the root, with forward slashes. */
export function displayPath(root: string, path: string): string {
  return relative(root, path).split(sep).join('/')
}

function contains(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}

/**
 * A data file that a resource names: inside the repository or below one of the project's `dataRoots`, also after every link
 * has been followed.
 */
export async function dataFile(host: Host, { root, repository }: Opened, path: string): Promise<string> {
  const resolved = resolve(root, path)
  if (!(await host.files.exists(resolved))) {
    throw new DapError(`data file \`${path}\` does not exist`, { hint: 'paths are relative to the folder of dap.yaml' })
  }
  const real = await host.files.real(resolved)
  const roots = [root]
  for (const folder of repository.project.dataRoots) {
    const dataRoot = resolve(root, folder)
    if (await host.files.exists(dataRoot)) roots.push(await host.files.real(dataRoot))
  }
  if (!roots.some(folder => contains(folder, real))) {
    throw new DapError(`data file \`${path}\` is outside the repository`, {
      hint: 'declare its folder in `spec.dataRoots` of dap.yaml',
    })
  }
  return real
}

/**
 * The resource of that name. Without a name: the only one there is. Fails when it does not exist, or when its file or one
 * that it needs has errors.
 */
export function requireResource<K extends NamedKind>(
  { repository }: Opened,
  kind: K,
  name: string | undefined,
): Resource<K> {
  const all = repository.all(kind)
  const word = kind.toLowerCase()
  if (name === undefined) {
    if (all.length === 1) return all[0]
    throw all.length === 0
      ? new UsageError(`the repository has no valid ${word}`, {
          hint: `\`dap new ${word} NAME\` adds one; \`dap validate\` says what is wrong with a broken one`,
        })
      : new UsageError(`which ${word}?`, { hint: `one of ${all.map(r => `\`${r.name}\``).join(', ')}` })
  }
  const found = repository.get(kind, name)
  if (found !== undefined) return found
  const file = repository.declaredIn(kind, name)
  if (file !== undefined) throw new InvalidFilesError([file], repository.diagnostics)
  throw new UsageError(`no ${word} \`${name}\``, {
    hint: repository.suggest(kind, name) ?? `\`dap new ${word} ${name}\` adds it`,
  })
}

/** Stops a command whose input files, or the project's own, have errors; warnings pass. */
export function requireValid({ repository }: Opened, files: Iterable<string>): void {
  const wanted = new Set([PROJECT_FILE, ...files])
  const broken = new Set(
    repository.diagnostics.filter(d => d.severity === 'error' && wanted.has(d.file)).map(d => d.file),
  )
  if (broken.size > 0) throw new InvalidFilesError([...broken].sort(), repository.diagnostics)
}
