import { join, resolve, sep } from 'node:path'
import { DapError } from '../../errors.ts'
import type { FoundFile, Host } from '../../host.ts'
import type { DatasetSpec } from '../../kinds.ts'
import { readableSegments } from '../../log/records/segment-name.ts'
import { byCodeUnit, filesBelow } from '../opening/found-files.ts'
import { dataFile, displayPath, type Opened } from '../opening/repository.ts'
import { isPassedOver, readGlob } from './glob.ts'

/** Files of a log or of its rewards. */
export interface DataFiles {
  /** Absolute, each file once, by the path at which it was found. */
  readonly paths: readonly string[]
  /** Column → its value for each of `paths`, of folders called `key=value`; the empty text is a missing value. */
  readonly partitions?: ReadonlyMap<string, readonly string[]>
}

type Format = DatasetSpec['format']

/** How the names of files end that a folder stands for. */
const ENDINGS: Readonly<Record<Format, RegExp>> = {
  dap: /\.(jsonl|ndjson)(\.gz|\.zst)?$/i,
  jsonl: /\.(jsonl|ndjson)(\.gz|\.zst)?$/i,
  csv: /\.(csv|tsv)(\.gz|\.zst)?$/i,
  parquet: /\.parquet$/i,
}

const ENDING_HINTS: Readonly<Record<Format, string>> = {
  dap: '`.jsonl` and `.ndjson`, also with `.gz` or `.zst`',
  jsonl: '`.jsonl` and `.ndjson`, also with `.gz` or `.zst`',
  csv: '`.csv` and `.tsv`, also with `.gz` or `.zst`',
  parquet: '`.parquet`',
}

/**
 * The files that a Dataset's files, folders and globs come to: in the order of the entries, those of one entry in the order of
 * their paths. Whatever links lead to lies where files of the repository may be read.
 */
export async function findDataFiles(
  host: Host,
  opened: Opened,
  entries: readonly string[],
  format: Format,
): Promise<DataFiles> {
  const found = new Map<string, ReadonlyMap<string, string>>()
  const known = new Set<string>()
  for (const entry of entries) {
    for (const { path, real, below } of await filesOf(host, opened, entry, format)) {
      if (!known.has(real)) found.set(path, partitionOf(below))
      known.add(real)
    }
  }
  const paths = [...found.keys()]
  // What dap writes says all by itself, wherever it is kept.
  return { paths, ...(format === 'dap' ? {} : partitionsOf(opened.root, found)) }
}

/** The files that a folder stands for, sorted. Links may lead below the real paths `within`. */
export async function folderFiles(
  host: Host,
  folder: string,
  within: readonly string[],
  format: Format,
): Promise<FoundFile[]> {
  const below = (path: string) => displayPath(folder, path)
  const files = await filesBelow(
    host,
    folder,
    within,
    path => isData(below(path), format),
    path => !below(path).split('/').some(isPassedOver),
  )
  return readableSegments(files, ({ path }) => below(path))
}

/** Is a file, by its path below a folder, one that the folder stands for? */
function isData(below: string, format: Format): boolean {
  return ENDINGS[format].test(below) && !below.split('/').some(isPassedOver)
}

/** `a/b/c` → `a`, `a/b` */
function foldersOf(below: string): string[] {
  const names = below.split('/')
  return names.slice(1).map((_, i) => names.slice(0, i + 1).join('/'))
}

interface Found extends FoundFile {
  /** The path from the folder that was named on; of a named file nothing. */
  readonly below: string
}

async function filesOf(host: Host, opened: Opened, entry: string, format: Format): Promise<Found[]> {
  const glob = (await host.files.exists(resolve(opened.root, entry))) ? undefined : readGlob(entry)
  const foundBelow = (folder: string, files: readonly FoundFile[]) =>
    files.filter(outsideEvidence(opened, folder)).map(file => ({ ...file, below: displayPath(folder, file.path) }))
  if (glob === undefined) {
    const path = await dataFile(host, opened, entry)
    if (!(await host.files.isFolder(path))) return [{ path, real: await host.files.real(path), below: '' }]
    const files = foundBelow(path, await folderFiles(host, path, opened.roots, format))
    if (files.length > 0) return files
    throw new DapError(`the folder \`${entry}\` has no file of the format ${format}`, {
      hint: `a folder stands for the files below it whose names end in ${ENDING_HINTS[format]} and do not begin with \`.\` or \`_\``,
    })
  }
  const nothing = new DapError(`\`${entry}\` matches no file`, {
    hint: '`*` is part of one name, `**` any number of folders; paths are relative to the folder of dap.yaml',
  })
  if (!(await host.files.isFolder(resolve(opened.root, glob.folder)))) throw nothing
  const folder = await dataFile(host, opened, glob.folder)
  const wanted = (below: string) =>
    glob.matches(below) || (isData(below, format) && foldersOf(below).some(glob.matches))
  const files = foundBelow(
    folder,
    await filesBelow(
      host,
      folder,
      opened.roots,
      path => wanted(displayPath(folder, path)),
      path => glob.reaches(displayPath(folder, path)),
    ),
  )
  if (files.length === 0) throw nothing
  return readableSegments(files, ({ below }) => below).sort((a, b) => byCodeUnit(a.below, b.below))
}

/** What dap records about a log is no part of it. */
function outsideEvidence({ root }: Opened, folder: string): (file: FoundFile) => boolean {
  const evidence = join(root, 'evidence') + sep
  return ({ real }) => !real.startsWith(evidence) || folder.startsWith(evidence.slice(0, -1))
}

/** What Hive writes where the value of a partition is missing. */
const MISSING = '__HIVE_DEFAULT_PARTITION__'

/** Key → value of the folders called `key=value`. */
function partitionOf(below: string): ReadonlyMap<string, string> {
  const folders = below.split('/').slice(0, -1)
  return new Map(
    folders.flatMap(name => {
      const at = name.indexOf('=')
      const value = name.slice(at + 1)
      return at <= 0 ? [] : [[decoded(name.slice(0, at)), value === MISSING ? '' : decoded(value)] as const]
    }),
  )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function partitionsOf(
  root: string,
  files: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Pick<DataFiles, 'partitions'> {
  const [first, ...others] = files
  const keys = [...first[1].keys()]
  const other = others.find(([, values]) => values.size !== keys.length || keys.some(key => !values.has(key)))
  if (other !== undefined) {
    const by = ([path, values]: typeof first) =>
      `\`${displayPath(root, path)}\` ${values.size === 0 ? 'by nothing' : `by ${[...values.keys()].map(key => `\`${key}\``).join(', ')}`}`
    throw new DapError(`files of one log are partitioned differently: ${by(first)}, ${by(other)}`, {
      hint: 'name the folder above all folders called `key=value`, or give each kind of files its own Dataset',
    })
  }
  if (keys.length === 0) return {}
  return { partitions: new Map(keys.map(key => [key, [...files.values()].map(values => values.get(key) as string)])) }
}
