import { delimiter, dirname, join, relative, resolve, sep } from 'node:path'
import { DapError, FileError, UsageError } from '../../errors.ts'
import type { FoundFile, Host, Unread } from '../../host.ts'
import { InvalidFilesError } from '../../invalid-files.ts'
import { kindWord } from '../../kind-word.ts'
import type { Kind, ProjectSpec } from '../../kinds.ts'
import { isInside } from '../../paths.ts'
import { brokenFiles } from '../../repo/declarations.ts'
import { projectSettings, type Readers, repositoryOf } from '../../repo/repository.ts'
import type { NamedKind, Repository, Resource } from '../../repo/resource.ts'
import { parseSource, type SourceFile } from '../../repo/source.ts'
import { createReadSet } from './action-sets.ts'
import { filesOnce, mayHold, unreadHint } from './found-files.ts'
import { createReadModel } from './models.ts'
import type { NamedFile } from './named-files.ts'

export const PROJECT_FILE = 'dap.yaml'

/** A config repository on disk, loaded. */
export interface Opened {
  /** Absolute, links resolved. */
  readonly root: string
  /** Where files that the repository names may lie, links resolved: itself, and the `dataRoots` that are inside it or confirmed. */
  readonly roots: readonly string[]
  readonly sources: readonly Source[]
  /** The files of sets of actions and of Models, as far as they could be read; and how they are. */
  readonly data: readonly NamedFile[]
  readonly readers: Required<Readers>
  /** Absolute paths in the Project's folders that are read by nobody: hidden files and folders, and JSON. */
  readonly passedOver: readonly string[]
  readonly repository: Repository
}

/** A file of resources. */
export type Source = SourceFile & {
  /** Absolute, links resolved where they can be. */
  readonly real: string
}

/** What a Project's folders hold. Paths are absolute. */
export interface ProjectFiles {
  readonly files: readonly FoundFile[]
  readonly unread: readonly Unread[]
  readonly passedOver: readonly string[]
  /** The folders that are not there, as the Project writes them. */
  readonly absent: ReadonlySet<string>
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
  const project = await projectSource(host, root)
  const parsed = await parseSource(project)
  const spec = projectSettings(parsed)
  const roots = await rootsOf(host, root, spec)
  const { files, unread, passedOver, absent } = await projectFiles(host, { root, roots }, spec.folders)
  const found = files.filter(({ real }) => real !== project.real)
  const others = [
    ...(await Promise.all(found.map(file => readSource(host, root, file)))),
    ...unread.map(each => notRead(root, each)),
  ]
  const data: NamedFile[] = []
  const readers = createReaders(host, { root, roots, repository: { project: spec } }, file => data.push(file))
  const sources = [parsed, ...(await Promise.all(others.map(parseSource)))]
  const repository = await repositoryOf(sources, { absent, ...readers })
  return { root, roots, sources: [project, ...others], data, readers, passedOver, repository }
}

/** What reads the files that resources name, and tells which. */
export function createReaders(
  host: Host,
  place: Parameters<typeof dataFile>[1],
  onFile: (file: NamedFile) => void,
): Required<Readers> {
  const find = (path: string) => dataFile(host, place, path)
  return {
    readSet: createReadSet(host, place.root, find, onFile),
    readModel: createReadModel(host, find, onFile),
  }
}

/** dap.yaml, unless it is a link that leads out. */
async function projectSource(host: Host, root: string): Promise<Source> {
  const path = join(root, PROJECT_FILE)
  const followed = await host.files.follow(path, [root])
  return 'why' in followed ? notRead(root, followed) : readSource(host, root, { path, real: followed.real })
}

/** The YAML files of a project's folders, each once. A folder that leaves the repository is a diagnostic of dap.yaml, and is not looked into. */
export async function projectFiles(
  host: Host,
  { root, roots }: Pick<Opened, 'root' | 'roots'>,
  folders: readonly string[],
): Promise<ProjectFiles> {
  const found: FoundFile[] = []
  const unread = new Map<string, Unread>()
  const passedOver: string[] = []
  const absent = new Set<string>()
  for (const each of folders) {
    const folder = resolve(root, each)
    if (!isInside(root, folder)) continue
    if (!(await host.files.exists(folder))) {
      absent.add(each)
      continue
    }
    const followed = await host.files.follow(folder, roots)
    if ('why' in followed) unread.set(folder, followed)
    else if (!followed.folder) unread.set(folder, { path: folder, real: folder, ...NO_FOLDER })
    if ('why' in followed || !followed.folder) continue
    const walked = await host.files.walk(folder, roots)
    found.push(...walked.files.filter(({ path }) => isYaml(path)))
    for (const each of walked.unread) if (mayHold(each, isYaml)) unread.set(each.path, each)
    passedOver.push(...walked.hidden, ...walked.files.flatMap(({ path }) => (/\.json$/i.test(path) ? path : [])))
  }
  return { files: filesOnce(found), unread: [...unread.values()], passedOver: [...new Set(passedOver)], absent }
}

const NO_FOLDER = {
  why: 'unlisted',
  folder: false,
  reason: 'it is no folder, and `spec.folders` of dap.yaml lists it',
} as const

export const isYaml = (path: string): boolean => /\.ya?ml$/i.test(path)

export async function readSource(host: Host, root: string, { path, real }: FoundFile): Promise<Source> {
  const name = displayPath(root, path)
  try {
    return { path: name, real, text: await host.files.read(path) }
  } catch (error) {
    if (!(error instanceof FileError)) throw error
    return { path: name, real, unreadable: error.saying('the file') }
  }
}

function notRead(root: string, unread: Unread): Source {
  const { path, real, reason } = unread
  return { path: displayPath(root, path), real, unreadable: reason, hint: unreadHint(unread) }
}

/** The repository's own folder, and of its `dataRoots` those that are inside it or that whoever runs dap has confirmed. */
async function rootsOf(host: Host, root: string, { dataRoots }: ProjectSpec): Promise<string[]> {
  const trusted = [root, ...(await confirmedRoots(host))]
  const declared = await realPaths(
    host,
    dataRoots.map(folder => resolve(root, folder)),
  )
  return [root, ...declared.filter(folder => trusted.some(each => isInside(each, folder)))]
}

/**
 * Folders outside the repository that may be read, links resolved. Whoever runs dap says so in its environment: dap.yaml may be that of a
 * pull request, which could name any folder of the machine that checks it.
 */
export function confirmedRoots(host: Host): Promise<string[]> {
  const folders = (host.environment('DAP_DATA_ROOTS') ?? '').split(delimiter).filter(folder => folder !== '')
  return realPaths(
    host,
    folders.map(folder => resolve(host.cwd, folder)),
  )
}

/** Of those that exist. */
async function realPaths(host: Host, paths: readonly string[]): Promise<string[]> {
  const real = []
  for (const path of paths) if (await host.files.exists(path)) real.push(await host.files.real(path))
  return real
}

/** Relative to the root, with forward slashes. */
export function displayPath(root: string, path: string): string {
  return relative(root, path).split(sep).join('/')
}

/**
 * The path of a data file or folder that a resource names: after every link has been followed, it lies in the repository or below one of
 * the project's `dataRoots`.
 */
export async function dataFile(
  host: Host,
  {
    root,
    roots,
    repository: { project },
  }: Pick<Opened, 'root' | 'roots'> & { readonly repository: { readonly project: Pick<ProjectSpec, 'dataRoots'> } },
  path: string,
): Promise<string> {
  const resolved = resolve(root, path)
  if (!(await host.files.exists(resolved))) {
    throw new DapError(`data file \`${path}\` does not exist`, { hint: 'paths are relative to the folder of dap.yaml' })
  }
  const followed = await host.files.follow(resolved, roots)
  if (!('why' in followed)) return resolved
  if (followed.why === 'broken') {
    throw new DapError(`data file \`${path}\` cannot be read: ${followed.reason}`, { hint: unreadHint(followed) })
  }
  const real = await host.files.real(resolved)
  for (const declared of project.dataRoots) {
    const [folder] = await realPaths(host, [resolve(root, declared)])
    if (folder === undefined || !isInside(folder, real)) continue
    throw new UsageError(
      `data file \`${path}\` is outside the repository, in \`${folder}\`, which nobody has confirmed`,
      {
        hint: `dap.yaml may be anybody's: DAP_DATA_ROOTS=${folder} in the environment says that dap may read there`,
      },
    )
  }
  throw new DapError(`data file \`${path}\` is outside the repository`, {
    hint: 'declare its folder in `spec.dataRoots` of dap.yaml',
  })
}

/**
 * The resource of that name. Without a name: the only one there is. Fails when it does not exist, or when its file or one
 * that it needs has errors.
 */
export function requireResource<K extends NamedKind>(opened: Opened, kind: K, name: string | undefined): Resource<K> {
  const { repository } = opened
  const all = repository.all(kind)
  const word = kindWord(kind)
  if (name === undefined) {
    if (all.length === 1) return all[0]
    const broken = brokenFiles(repository.declared(kind))
    if (all.length === 0 && broken.length > 0) throw invalid(opened, broken)
    throw all.length === 0
      ? new UsageError(`the repository has no valid ${word}`, {
          hint: `\`dap new ${word} NAME\` adds one`,
        })
      : new UsageError(`which ${word}?`, { hint: `one of ${all.map(r => `\`${r.name}\``).join(', ')}` })
  }
  const found = repository.get(kind, name)
  if (found !== undefined) return found
  requireUnbroken(opened, kind, name)
  throw new UsageError(`no ${word} \`${name}\``, {
    hint: repository.suggest(kind, name) ?? `\`dap new ${word} ${name}\` adds it`,
  })
}

/**
 * Stops a command where a file with errors declares the resource that it has not found, or may do so: that is what is wrong, and not the
 * name. A Deployment's is `environment/name`.
 */
export function requireUnbroken(opened: Opened, kind: Kind, name: string): void {
  const broken = brokenFiles(opened.repository.declared(kind), name)
  if (broken.length > 0) throw invalid(opened, broken)
}

/** Stops a command whose input files, or the project's own, have errors; warnings pass. */
export function requireValid(opened: Opened, files: Iterable<string>): void {
  const { repository } = opened
  const wanted = new Set([PROJECT_FILE, ...files])
  const broken = new Set(
    repository.diagnostics.filter(d => d.severity === 'error' && wanted.has(d.file)).map(d => d.file),
  )
  if (broken.size > 0) throw invalid(opened, [...broken].sort())
}

/** The error that stops a command for these files. */
export function invalid({ repository, sources, data }: Opened, files: readonly string[]): InvalidFilesError {
  return new InvalidFilesError(files, repository.diagnostics, [...sources, ...data])
}
