import { type ExecFileException, execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Commit } from '../../deploy/wanted/plan.ts'
import { DapError } from '../../errors.ts'

/**
 * The commit that a folder is at, and whether files below it differ; null outside a repository, before its first commit, and where no files
 * are checked out. A DapError where there is one that git does not tell: what is deployed without its commit would pass for nobody's.
 */
export async function gitCommit(folder: string): Promise<Commit | null> {
  const { failure, stdout, stderr } = await status(folder)
  const [, id] = /^# branch\.oid (\S+)$/m.exec(stdout) ?? []
  if (id !== undefined && (failure === null || failure.code === TOO_LONG)) {
    return id === '(initial)' ? null : { id, dirty: /^[^#\n]/m.test(stdout) }
  }
  const there = repositoryOf(folder)
  if (failure?.code === 'ENOENT') {
    if (there === undefined) return null
    throw new DapError(`\`${there}\` is a repository, and git is not installed`, {
      hint: 'install git: what is deployed records the commit that it was made from',
    })
  }
  const [, said] = /^fatal: (.*)$/m.exec(stderr) ?? []
  if (said === NO_FILES || (there === undefined && said?.startsWith('not a git repository'))) return null
  const [advice] = /git config --global --add safe\.directory .*/.exec(stderr) ?? []
  throw new DapError(`git does not tell the commit of \`${folder}\`: ${said ?? (failure?.message || stderr)}`, {
    hint: advice ?? `\`git -C ${folder} status\` says the same until the repository is mended`,
    cause: failure,
  })
}

/** Where the repository of a folder was cloned from; null where git does not know of such a place. */
export const gitOrigin = (folder: string) => said(folder, 'config', '--get', 'remote.origin.url')

/** The branch that is checked out; null where none is, or git does not tell. */
export const gitBranch = (folder: string) => said(folder, 'symbolic-ref', '--quiet', '--short', 'HEAD')

/** The folder of the hooks that it runs; null where it has none. */
export const gitHooks = (folder: string) => said(folder, 'rev-parse', '--path-format=absolute', '--git-path', 'hooks')

/** What git prints; null where it prints nothing, or fails. */
function said(folder: string, ...words: readonly string[]): Promise<string | null> {
  return new Promise(done => {
    execFile('git', ['-C', folder, ...words], (failure, stdout) =>
      done(failure === null ? stdout.trim() || null : null),
    )
  })
}

/** Of a bare repository, and of what is in `.git` itself. */
const NO_FILES = 'this operation must be run in a work tree'
/** There are more changes than are read: it is dirty, which is all that is asked. */
const TOO_LONG = 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'
const MOST_READ = 1 << 26

interface Answer {
  readonly failure: ExecFileException | null
  readonly stdout: string
  readonly stderr: string
}

/** `# branch.oid <commit>` and other lines with a `#`, then a line for each file that differs. git-status(1), porcelain format version 2. */
function status(folder: string): Promise<Answer> {
  const words = ['-C', folder, 'status', '--porcelain=v2', '--branch', '--', '.']
  // In English, since its words are read; and nothing is written into a repository that is only asked.
  const env = { ...process.env, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' }
  return new Promise(done => {
    execFile('git', words, { env, maxBuffer: MOST_READ }, (failure, stdout, stderr) =>
      done({ failure, stdout, stderr }),
    )
  })
}

/** The nearest folder, from this one upwards, with a `.git`: a folder, or of a worktree and a submodule a file. */
function repositoryOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at
    if (at === dirname(at)) return undefined
  }
}
