import type { Cloud, Place } from './deploy/routes.ts'
import type { Processes } from './deploy/runs.ts'
import type { Commit } from './deploy/wanted/plan.ts'
import type { ModelSpec } from './kinds.ts'
import type { TableWriter, WrittenColumn } from './log/table-writer.ts'
import type { Tables } from './log/tables.ts'
import type { Runtime } from './models/runtime.ts'
import type { Replications } from './simulate/replicate.ts'
import type { SimulationPlan } from './simulate/simulate.ts'
import type { Fold } from './train/fold.ts'

/** Everything a command may touch of the outside world. Commands get it as a value, so tests hand them another. */
export interface Host {
  /** Absolute; `-C` has been applied. */
  readonly cwd: string
  /** dap's own. */
  readonly version: string
  /** Where dap itself is installed: the folder of `templates/` and `schemas/`. */
  readonly packageRoot: string
  readonly files: Files
  readonly terminal: Terminal
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal
  /** The reader of decision logs; loads its native library on first use. */
  tables(options?: TablesOptions): Promise<Tables>
  /**
   * Writes a table as Parquet at an absolute path, with `about`, key to text, among what the file says of itself; loads the same library. A DapError where
   * nothing can be written there.
   */
  writeTable(
    path: string,
    columns: readonly WrittenColumn[],
    about: Readonly<Record<string, string>>,
    options?: TablesOptions,
  ): Promise<TableWriter>
  /** What runs the models of policies; loads what each kind of them needs on first use. */
  models(): Promise<ModelRunner>
  /** Cloud Storage; loads its client on first use. */
  objects(): Promise<Objects>
  /** Vertex AI and its bucket in one place; loads Google's clients on first use. */
  cloud(place: Place): Promise<Cloud>
  /** Builders of the server's image; loads what runs them on first use. */
  images(): Promise<Images>
  /** dap's own package, for repositories that install it. */
  ownPackage(): Promise<OwnPackage>
  /** This process as others see it in locks and journals: 8 hex digits of its own, and a person and a machine, or a CI job. */
  readonly run: { readonly id: string; readonly owner: string }
  /** This process among all, as locks name it, and what became of others. */
  processes(): Promise<Processes>
  /** The commit that the folder's repository is at; null where there is none, a DapError where git does not tell. Paths that `git status` would ignore do not make it dirty. */
  commit(folder: string): Promise<Commit | null>
  /** The address that the folder's repository was cloned from; null where there is none. */
  origin(folder: string): Promise<string | null>
  /** The branch that is checked out in a folder; null where there is none, or git does not tell. */
  branch(folder: string): Promise<string | null>
  /** The folder's repository as Git has it at a revision, under the same paths; a UsageError where there is none. To be closed. */
  filesAt(folder: string, revision: string): Promise<PastFiles>
  /** The folder of Git's hooks for a folder; null where there is no repository. */
  hooks(folder: string): Promise<string | null>
  /** The first line that a program prints at `--version`; null where it is not installed. */
  programVersion(name: string): Promise<string | null>
  /** What this machine has for a folder. */
  machine(folder: string): Promise<Machine>
  /** How many threads can compute at once. */
  readonly cores: number
  /** Plays all replications of a plan in worker threads; absent where there are none. */
  readonly playInWorkers?: PlayInWorkers
  /** Folds the rows of a log in that many worker threads; absent where there are none. */
  foldInWorkers?(workers: number): Promise<Fold>
  /** Asks for one of several values; only where the terminal is interactive. */
  choose(question: string, choices: readonly Choice[]): Promise<string>
  /** Asks for a line of text; only where the terminal is interactive. */
  ask(question: LineQuestion): Promise<string>
  /** Asks for a yes or a no; Enter alone is no. Only where the terminal is interactive. */
  agree(question: string): Promise<boolean>
  /** Milliseconds since 1970. */
  now(): number
  /** The variable of the process's environment. */
  /** All that is piped to stdin, as text. */
  input(): Promise<string>
  environment(name: string): string | undefined
  /** Of all variables of the process's environment. */
  environmentNames(): readonly string[]
  /** Writes to stdout and stderr while a command runs, for a server; resolves when the reader has taken it, rejects when it is gone. */
  readonly output: { out(text: string): Promise<void>; err(text: string): Promise<void> }
  /** Resolves after that long, or rejects with an InterruptedError when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Lets pending signals, timers and drawing have their turn in the middle of a long computation. */
  breathe(): Promise<void>
}

export interface Machine {
  /** The version of Node that dap runs on. */
  readonly node: string
  /** Bytes that can be had, in memory, on the disk of the folder, and on that of temporary files. */
  readonly memory: number
  readonly disk: number
  readonly temporary: number
}

/** What the reader of logs may take up. */
export interface TablesOptions {
  /** The most memory that it may hold, in bytes; default: 1 GB. */
  readonly memory?: number
  /** Where it puts what does not fit, absolute; default: the system's temporary folder. */
  readonly folder?: string
  /** Told of what is done before rows come: of lines looked through, of rows joined. */
  readonly onProgress?: (progress: { readonly unit: string; readonly done: number; readonly total?: number }) => void
}

/** The bytes of Models that are in files, by the digest that policies know them by. */
export type ModelFiles = ReadonlyMap<string, Uint8Array>

/** `onPart` hears of every batch of replications as it is done, in any order. */
export type PlayInWorkers = (
  plan: SimulationPlan,
  options: { readonly workers: number; readonly batch: number; readonly files: ModelFiles },
  onPart: (part: Replications) => void,
) => Promise<Replications[]>

/** Paths are absolute. Every method throws a DapError that names the path when it cannot do what it says. */
export interface Files {
  /** The text of a UTF-8 file of at most `maxBytes`. */
  read(path: string, maxBytes?: number): Promise<string>
  /** All of a file that is no text. */
  bytes(path: string): Promise<Uint8Array>
  /** Writes to a temporary file beside it, then renames: readers see the old text or the new, never a part. */
  write(path: string, content: string | Uint8Array): Promise<void>
  /** Gives a file another name, in place of the file that had it. */
  rename(from: string, to: string): Promise<void>
  /** A new file that grows line by line, for events that somebody watches while they come. */
  lines(path: string): Promise<{ write(line: string): void; close(): Promise<void> }>
  /** Lines of a UTF-8 file of any size, decompressed (gzip, zstd), in batches, without their ends; a last line without an end is a line, too. */
  readLines(path: string): AsyncIterable<readonly string[]>
  /**
   * What was appended to a file since, at most a megabyte at a time; from its start where it is another file than then, or has become
   * shorter. `end`: nothing of what is there. Undefined where there is no file.
   */
  appended(path: string, since?: Appended | 'end'): Promise<Appended | undefined>
  exists(path: string): Promise<boolean>
  isFolder(path: string): Promise<boolean>
  /** What lies below a folder; links are followed as far as they lead to what is in it or in one of the real paths `within`. */
  walk(folder: string, within?: readonly string[]): Promise<Walked>
  /** What a path leads to, if it is in one of the real paths `within`. */
  follow(path: string, within: readonly string[]): Promise<Followed | Unread>
  /** The path with every link resolved. */
  real(path: string): Promise<string>
  /** Where the file is on the disk, for what reads there by itself: files of an earlier time are elsewhere. */
  disk(path: string): string
  /** Lower-case hex of the SHA-256 of the file's bytes. */
  digest(path: string): Promise<string>
  /** Another text whenever the file has been written, replaced or removed since; cheap, for whoever watches it. */
  stamp(path: string): Promise<string>
}

/** Files of an earlier time. What is outside the repository is as it is now. */
export interface PastFiles {
  readonly files: Files
  close(): Promise<void>
}

/** A stretch of a file that grows. */
export interface Appended {
  readonly bytes: Uint8Array
  /** Where it begins and ends, in bytes. */
  readonly from: number
  readonly to: number
  /** By which the file is told from another one at the same path. */
  readonly file: string
}

/** What lies below a folder, except what is called `node_modules`. */
export interface Walked {
  /** Every file by each path that leads to it: first those to which no link does. */
  readonly files: readonly FoundFile[]
  readonly unread: readonly Unread[]
  /** Files, folders and links whose names begin with a dot. Nothing of them is among `files`. */
  readonly hidden: readonly string[]
}

export interface FoundFile {
  readonly path: string
  /** With every link resolved: the same for two paths of one file. */
  readonly real: string
}

/** A path after every link was followed. */
export interface Followed {
  readonly real: string
  readonly folder: boolean
  /** Neither a folder nor something else, such as a socket. */
  readonly file: boolean
}

/** Of which nobody knows what it holds. */
export interface Unread {
  readonly path: string
  /** Where it is itself: the same for two paths of one link. */
  readonly real: string
  /** A link that leads to nothing or in a circle; one that leads out of what may be read; a folder that cannot be listed. */
  readonly why: 'broken' | 'outside' | 'unlisted'
  /** Undefined where nothing is known of what the link led to. */
  readonly folder: boolean | undefined
  /** A sentence without a full stop. */
  readonly reason: string
}

/** Runs models, in this process or by asking the servers that have them. */
export interface ModelRunner {
  /** @param bytes Of a model that is in a file: all of it. A DapError where it cannot be run. */
  open(model: Pick<ModelSpec, 'runtime' | 'output'>, bytes: () => Promise<Uint8Array>): Promise<Runtime>
}

/** Objects at `gs://` URIs. Every method throws a DapError that names the URI when it cannot do what it says. */
export interface Objects {
  /** Those whose URI begins with this one; `stamp` is another text whenever the object was written anew. */
  list(uri: string): Promise<readonly { readonly uri: string; readonly stamp: string }[]>
  /** The text of an object of at most `maxBytes`. */
  read(uri: string, maxBytes: number): Promise<string>
}

/** dap's own package. */
export interface OwnPackage {
  readonly manifest: PackageManifest
  /** What npm installs with it: entries of a lock file, by the folder that each is installed in. */
  readonly locked: Readonly<Record<string, object>>
  /** By what a registry's tarball of this version is known; undefined where this dap came from none, or nobody knows. */
  readonly registryIntegrity: string | undefined
  /** The package as the tarball that npm would make of it. */
  pack(): Promise<Tarball>
}

/** What of a `package.json` is repeated in a lock file. */
export interface PackageManifest {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
  readonly engines: Readonly<Record<string, string>>
}

export interface Tarball {
  readonly filename: string
  /** `sha512-…`, by which npm knows it again. */
  readonly integrity: string
  readonly bytes: Uint8Array
}

/** Images of the server. */
export interface Images {
  /** Builds one, and says what the builder prints. A DapError where it cannot; nothing of it stays on this machine but the image. */
  build(
    request: ImageRequest,
    say: (text: string) => Promise<void>,
  ): Promise<{
    readonly builder: 'docker' | 'cloud-build'
    /** `sha256:…`, as the registry has it; null where it was not pushed. */
    readonly digest: string | null
  }>
}

/** What an image is made of, whatever it holds beside that. */
export const IMAGE_FILES = ['Dockerfile', 'package.json', 'package-lock.json'] as const

export interface ImageRequest {
  /** Absent: docker, if it is installed. */
  readonly builder: 'docker' | 'cloud-build' | undefined
  /** The folder of `Dockerfile`, of `package.json` with its lock file, and perhaps of `vendor/` and `bundles/`; absolute. */
  readonly folder: string
  /** The image's name without tag and digest. */
  readonly repository: string
  readonly tag: string
  /** Cloud Build always pushes. */
  readonly push: boolean
  /** The cloud project that Cloud Build runs in. */
  readonly project: string
}

export interface LineQuestion {
  readonly question: string
  /** What Enter alone means. */
  readonly standard: string
  /** Why a text will not do; undefined where it will. */
  check(text: string): string | undefined
}

export interface Choice {
  readonly value: string
  readonly description: string
}

export interface Terminal {
  /** May questions be asked and live views be drawn? stdin and stderr are terminals, and this is not CI. */
  readonly interactive: boolean
  readonly color: boolean
  /** How wide it is; Infinity where results go elsewhere. */
  readonly columns: number
}
