/**
 * Writes a release into a Git repository, for who installs dap by Git and not by a registry: pre-commit's hooks, and the action.
 *
 *     node scripts/release-hooks.ts [REPOSITORY]      default: this one
 *
 * A commit on the branch `release` holds the files of the packed tarball, so dap is built in it, with a package.json that has nothing to
 * build, and a lock of what it needs. The tag of the version names it for good, the one of the major version moves on. Nothing is pushed.
 */
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ownPackage } from '../src/adapters/node/own-package.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const BRANCH = 'release'
/** What pre-commit and GitHub look for at the root. */
const FOR_OTHERS = ['.pre-commit-hooks.yaml', 'action.yml']

const run = promisify(execFile)

export interface Release {
  readonly commit: string
  /** Of the version, and of its major version. */
  readonly tags: readonly [string, string]
  /** It was there already. */
  readonly again: boolean
}

/** @param repository A folder with a `.git`, or a bare one. */
export async function releaseHooks(repository: string): Promise<Release> {
  const made = await mkdtemp(join(tmpdir(), 'dap-release-'))
  try {
    const tree = join(made, 'package')
    const version = await writeTree(made, tree)
    const gitDir = (await run('git', ['-C', repository, 'rev-parse', '--absolute-git-dir'])).stdout.trim()
    const env = { ...process.env, GIT_DIR: gitDir, GIT_WORK_TREE: tree, GIT_INDEX_FILE: join(made, 'index') }
    const git = async (...words: string[]) => (await run('git', words, { cwd: tree, env })).stdout.trim()
    const found = (ref: string) => git('rev-parse', '--verify', '--quiet', ref).catch(() => undefined)

    // Byte for byte, whatever the machine's settings make of ends of lines and of what is ignored.
    await git('-c', 'core.autocrlf=false', 'add', '--all', '--force', '.')
    const written = await git('write-tree')
    const tags = [`v${version}`, `v${version.split('.')[0]}`] as const
    const there = await found(`refs/tags/${tags[0]}^{commit}`)
    if (there !== undefined) {
      if ((await found(`${there}^{tree}`)) === written) return { commit: there, tags, again: true }
      throw new Error(
        `the tag ${tags[0]} is there, and is something else: a release stays what it is; raise the version`,
      )
    }
    const parent = await found(`refs/heads/${BRANCH}`)
    const parents = parent === undefined ? [] : ['-p', parent]
    const commit = await git('commit-tree', written, ...parents, '-m', `dap ${version}`)
    await git('update-ref', `refs/heads/${BRANCH}`, commit)
    await git('tag', tags[0], commit)
    await git('tag', '--force', tags[1], commit)
    return { commit, tags, again: false }
  } finally {
    await rm(made, { recursive: true, force: true })
  }
}

/** The files of the tarball and what others look for, in a folder; gives the version. */
async function writeTree(made: string, tree: string): Promise<string> {
  const own = await ownPackage(ROOT)
  const { filename, bytes } = await own.pack()
  await writeFile(join(made, filename), bytes)
  await run('tar', ['-xzf', filename], { cwd: made })
  for (const name of FOR_OTHERS) await copyFile(join(ROOT, name), join(tree, name))
  const manifest = JSON.parse(await readFile(join(tree, 'package.json'), 'utf8')) as Record<string, unknown>
  const { scripts: _, devDependencies: __, allowScripts: ___, publishConfig: ____, ...rest } = manifest
  const { name, version, license, dependencies, bin, engines } = own.manifest
  const packages = { '': { name, version, license, dependencies, bin, engines }, ...own.locked }
  await json(join(tree, 'package.json'), rest)
  await json(join(tree, 'npm-shrinkwrap.json'), { name, version, lockfileVersion: 3, requires: true, packages })
  return version
}

const json = (path: string, content: object) => writeFile(path, `${JSON.stringify(content, null, 2)}\n`)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const repository = resolve(process.argv[2] ?? ROOT)
  await import('./build.ts')
  const { commit, tags, again } = await releaseHooks(repository)
  const say = (text: string) => process.stdout.write(`${text}\n`)
  if (again) say(`${tags[0]} is there already: ${commit}`)
  else
    say(
      `${tags.join(' and ')} are ${commit}\nnext: git push origin ${BRANCH} ${tags[0]} && git push --force origin ${tags[1]}`,
    )
}
