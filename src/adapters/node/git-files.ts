import { type ExecFileException, execFile } from 'node:child_process'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { DapError, UsageError } from '../../errors.ts'
import type { Files, PastFiles } from '../../host.ts'
import { isInside } from '../../paths.ts'

/**
 * The repository of a folder at a revision: checked out into a temporary folder, by Git itself, so that links and filters (line ends, large
 * files) are what they would be in a working tree; and read under the paths that it has now. Neither the index nor the working tree is touched.
 */
export async function gitFilesAt(folder: string, revision: string, now: Files): Promise<PastFiles> {
  const top = await git(folder, ['rev-parse', '--show-toplevel']).catch((error: GitError) => {
    const why = error.missing ? 'git is not installed' : `\`${folder}\` is in no Git repository`
    throw new UsageError(`nothing can be compared with \`${revision}\`: ${why}`, {
      hint: error.missing ? 'install git' : '--changed-since needs one',
      cause: error,
    })
  })
  const commit = await git(folder, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${revision}^{commit}`,
  ]).catch(cause => {
    throw new UsageError(`Git has no commit \`${revision}\``, {
      hint: 'fetch it first: CI often clones the last commit alone, `fetch-depth: 0` of actions/checkout all of them',
      cause,
    })
  })
  const made = await realpath(await mkdtemp(join(tmpdir(), 'dap-past-')))
  const close = () => rm(made, { recursive: true, force: true })
  try {
    const env = { GIT_INDEX_FILE: join(made, 'index') }
    const tree = join(made, 'tree')
    await git(top, ['read-tree', commit], env)
    await git(top, ['checkout-index', '--all', '--quiet', `--prefix=${tree}/`], env)
    return { files: moved(now, top, tree), close }
  } catch (cause) {
    await close()
    throw new DapError(`git does not check out \`${revision}\`: ${(cause as Error).message}`, { cause })
  }
}

/** Files whose paths in one folder are those of another. */
function moved(files: Files, from: string, to: string): Files {
  const there = (path: string) => (isInside(from, path) ? join(to, relative(from, path)) : path)
  const back = (path: string) => (isInside(to, path) ? join(from, relative(to, path)) : path)
  const found = <Found extends { readonly path: string; readonly real: string }>(each: Found) => ({
    ...each,
    path: back(each.path),
    real: back(each.real),
  })
  const refuse = () => Promise.reject(new Error('what was is not written'))
  return {
    read: (path, maxBytes) => files.read(there(path), maxBytes),
    bytes: path => files.bytes(there(path)),
    write: refuse,
    rename: refuse,
    lines: refuse,
    readLines: path => files.readLines(there(path)),
    exists: path => files.exists(there(path)),
    isFolder: path => files.isFolder(there(path)),
    async walk(folder, within) {
      const { files: all, unread, hidden } = await files.walk(there(folder), within?.map(there))
      return { files: all.map(found), unread: unread.map(found), hidden: hidden.map(back) }
    },
    async follow(path, within) {
      const followed = await files.follow(there(path), within.map(there))
      return 'why' in followed ? found(followed) : { ...followed, real: back(followed.real) }
    },
    real: async path => back(await files.real(there(path))),
    disk: path => files.disk(there(path)),
    digest: path => files.digest(there(path)),
    stamp: path => files.stamp(there(path)),
    appended: () => Promise.reject(new Error('what was does not grow')),
  }
}

class GitError extends Error {
  readonly missing: boolean

  constructor(cause: ExecFileException, stderr: string) {
    super(
      stderr
        .trim()
        .split('\n')
        .at(-1)
        ?.replace(/^fatal: /, '') || cause.message,
      { cause },
    )
    this.missing = cause.code === 'ENOENT'
  }
}

/** What git says, without its last line end. */
function git(folder: string, words: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', ...variables }
  return new Promise((done, fail) => {
    execFile('git', ['-C', folder, ...words], { env, maxBuffer: 1 << 26 }, (failure, stdout, stderr) =>
      failure === null ? done(stdout.replace(/\n$/, '')) : fail(new GitError(failure, stderr)),
    )
  })
}
