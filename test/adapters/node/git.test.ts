import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { gitBranch, gitCommit, gitHooks, gitOrigin } from '../../../src/adapters/node/git.ts'
import { decodeLabels, encodeLabels } from '../../../src/adapters/vertex/labels.ts'
import { commitText } from '../../../src/deploy/memory.ts'

let root: string
let folder: string

/** The machine's own settings change nothing here, and these repositories belong to whoever runs the tests. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dap-git-'))
  folder = join(root, 'shop')
  await mkdir(folder)
  vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1')
  vi.stubEnv('GIT_CONFIG_GLOBAL', join(root, 'gitconfig'))
  vi.stubEnv('GIT_CEILING_DIRECTORIES', root)
  vi.stubEnv('LC_ALL', 'de_DE.UTF-8')
  for (const name of ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE']) vi.stubEnv(name, undefined)
  await writeFile(join(root, 'gitconfig'), '[user]\nname = Ann\nemail = ann@example.com\n')
})
afterEach(() => void vi.unstubAllEnvs())

const git = (...words: string[]) =>
  execFileSync('git', ['-C', folder, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()

async function commit(format = 'sha1'): Promise<string> {
  git('init', '--quiet', `--object-format=${format}`)
  await writeFile(join(folder, 'dap.yaml'), 'kind: Project\n')
  git('add', '.')
  git('commit', '--quiet', '-m', 'first')
  return git('rev-parse', 'HEAD')
}

const refusal = (asked: string) =>
  gitCommit(asked).then(
    answer => Promise.reject(new Error(`it said ${JSON.stringify(answer)}`)),
    ({ name, message, hint, exitCode }) => ({ name, message, hint, exitCode }),
  )

describe.each([
  ['sha1', 40],
  ['sha256', 64],
])('a repository of %s', (format, digits) => {
  it('is at a commit, clean or dirty, which a label holds', async () => {
    const id = await commit(format)
    expect(id).toHaveLength(digits)
    expect(await gitCommit(folder)).toEqual({ id, dirty: false })
    await writeFile(join(folder, 'new.yaml'), '')
    expect(await gitCommit(folder)).toEqual({ id, dirty: true })
    git('add', '.')
    expect(await gitCommit(folder)).toEqual({ id, dirty: true })
    const whose = { project: 'shop', environment: 'local', deployment: 'offer' }
    for (const dirty of [false, true]) {
      const label = commitText({ id, dirty })
      const labels = encodeLabels({ ...whose, commit: label }, {})
      expect(labels['dap-commit']).toMatch(/^[0-9a-f]{40}(-dirty)?$/)
      expect(decodeLabels(labels).ours?.commit).toBe(label)
      expect(git('rev-parse', '--verify', `${label.slice(0, 40)}^{commit}`)).toBe(id)
    }
  })

  it('has none before its first commit', async () => {
    git('init', '--quiet', `--object-format=${format}`)
    expect(await gitCommit(folder)).toBeNull()
  })
})

describe('a folder', () => {
  it('of a repository is dirty only by what is below it, and not by what is ignored', async () => {
    const id = await commit()
    await mkdir(join(folder, 'part'))
    await writeFile(join(folder, 'part', 'a.yaml'), '')
    await writeFile(join(folder, '.gitignore'), 'ignored\n')
    git('add', '.')
    git('commit', '--quiet', '--amend', '-m', 'first')
    await writeFile(join(folder, 'beside.yaml'), '')
    await writeFile(join(folder, 'part', 'ignored'), '')
    const amended = git('rev-parse', 'HEAD')
    expect(amended).not.toBe(id)
    expect(await gitCommit(join(folder, 'part'))).toEqual({ id: amended, dirty: false })
    expect(await gitCommit(folder)).toEqual({ id: amended, dirty: true })
  })

  it('outside of any repository is at none', async () => {
    expect(await gitCommit(folder)).toBeNull()
  })

  it('of a bare repository, and `.git` itself, are at none', async () => {
    await commit()
    git('clone', '--quiet', '--bare', '.', join(root, 'bare'))
    expect(await gitCommit(join(root, 'bare'))).toBeNull()
    expect(await gitCommit(join(folder, '.git'))).toBeNull()
  })

  it('of a shallow clone, a worktree, a submodule, or with a detached head is at its commit', async () => {
    await commit()
    await writeFile(join(folder, 'second.yaml'), '')
    git('add', '.')
    git('commit', '--quiet', '-m', 'second')
    const id = git('rev-parse', 'HEAD')
    git('clone', '--quiet', '--depth', '1', `file://${folder}`, join(root, 'shallow'))
    git('worktree', 'add', '--quiet', '--detach', join(root, 'worktree'))
    const outer = join(root, 'outer')
    execFileSync('git', ['init', '--quiet', outer])
    const add = ['-C', outer, '-c', 'protocol.file.allow=always', 'submodule', 'add', '--quiet', folder, 'inner']
    execFileSync('git', add, { stdio: 'pipe' })
    for (const place of ['shallow', 'worktree', 'outer/inner'])
      expect({ place, commit: await gitCommit(join(root, place)) }).toEqual({ place, commit: { id, dirty: false } })
  })

  it('is only asked: nothing is written into its repository', async () => {
    const id = await commit()
    await rm(join(folder, 'dap.yaml'))
    await writeFile(join(folder, 'dap.yaml'), 'kind: Project\n')
    await writeFile(join(folder, '.git', 'index.lock'), '')
    const before = await readdir(join(folder, '.git'))
    expect(await gitCommit(folder)).toEqual({ id, dirty: false })
    expect(await readdir(join(folder, '.git'))).toEqual(before)
  })
})

describe('git that does not tell', () => {
  it('since somebody else owns the repository is quoted, with its own advice', async () => {
    await commit()
    // What another owner comes to, for whoever cannot give files away.
    vi.stubEnv('GIT_TEST_ASSUME_DIFFERENT_OWNER', '1')
    expect(await refusal(folder)).toEqual({
      name: 'DapError',
      message: `git does not tell the commit of \`${folder}\`: detected dubious ownership in repository at '${folder}'`,
      hint: `git config --global --add safe.directory ${folder}`,
      exitCode: 1,
    })
  })

  it.each([
    ['HEAD is nothing', async () => writeFile(join(folder, '.git', 'HEAD'), 'x'), 'not a git repository'],
    [
      'the index is nothing',
      async () => writeFile(join(folder, '.git', 'index'), 'x'),
      'index file smaller than expected',
    ],
    ['its settings are nothing', async () => writeFile(join(folder, '.git', 'config'), '[x'), 'bad config line'],
    ['objects are gone', async () => rm(join(folder, '.git', 'objects'), { recursive: true }), 'not a git repository'],
    [
      'the worktree has lost its repository',
      async () => writeFile(join(folder, 'gone', '.git'), 'gitdir: /none'),
      '/none',
    ],
  ])('since the repository is broken is quoted: %s', async (_, harm, said) => {
    await commit()
    await mkdir(join(folder, 'gone'))
    await harm()
    const where = said === '/none' ? join(folder, 'gone') : folder
    const { message, hint, exitCode } = await refusal(where)
    expect(message).toContain(`git does not tell the commit of \`${where}\`: `)
    expect(message).toContain(said)
    expect({ hint, exitCode }).toEqual({
      hint: `\`git -C ${where} status\` says the same until the repository is mended`,
      exitCode: 1,
    })
  })

  it('since it is not installed is missed only where there is a repository', async () => {
    await commit()
    vi.stubEnv('PATH', join(root, 'nothing'))
    expect(await gitCommit(root)).toBeNull()
    expect(await refusal(folder)).toEqual({
      name: 'DapError',
      message: `\`${folder}\` is a repository, and git is not installed`,
      hint: 'install git: what is deployed records the commit that it was made from',
      exitCode: 1,
    })
  })

  it('since it cannot be run is not taken for no commit', async () => {
    await commit()
    const bin = join(root, 'bin')
    await mkdir(bin)
    await writeFile(join(bin, 'git'), '#!/bin/sh\nkill -9 $$\n')
    await chmod(join(bin, 'git'), 0o755)
    vi.stubEnv('PATH', [bin, process.env.PATH].join(delimiter))
    expect((await refusal(folder)).message).toContain(`git does not tell the commit of \`${folder}\`: Command failed`)
  })
})

it('a branch is what is checked out, also before its first commit, and hooks are where git looks for them', async () => {
  expect(await gitBranch(folder)).toBeNull()
  expect(await gitHooks(folder)).toBeNull()
  await commit()
  git('checkout', '-q', '-b', 'offers')
  expect(await gitBranch(folder)).toBe('offers')
  expect(await gitHooks(folder)).toMatch(/\/\.git\/hooks$/)
  git('config', 'core.hooksPath', '/somewhere/else')
  expect(await gitHooks(folder)).toBe('/somewhere/else')
  git('checkout', '-q', '--detach')
  expect(await gitBranch(folder)).toBeNull()
})

it('an origin is where a repository was cloned from, if it was', async () => {
  expect(await gitOrigin(folder)).toBeNull()
  await commit()
  expect(await gitOrigin(folder)).toBeNull()
  git('remote', 'add', 'origin', 'git@github.com:games/shop.git')
  expect(await gitOrigin(folder)).toBe('git@github.com:games/shop.git')
})
