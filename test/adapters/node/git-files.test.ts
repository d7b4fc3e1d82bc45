import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { nodeFiles } from '../../../src/adapters/node/files.ts'
import { gitFilesAt } from '../../../src/adapters/node/git-files.ts'

describe('the files of a repository at a revision', () => {
  let top: string

  const git = (...words: string[]) =>
    execFileSync('git', ['-C', top, '-c', 'user.name=ann', '-c', 'user.email=ann@example.com', ...words], {
      encoding: 'utf8',
    })
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(top, path)), { recursive: true })
    writeFileSync(join(top, path), text)
  }
  const at = async (revision: string, folder = top) => {
    const past = await gitFilesAt(folder, revision, nodeFiles())
    onTestFinished(past.close)
    return past.files
  }

  beforeEach(() => {
    top = realpathSync(mkdtempSync(join(tmpdir(), 'dap-git-files-')))
    onTestFinished(() => rmSync(top, { recursive: true }))
    for (const name of ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE']) vi.stubEnv(name, undefined)
    onTestFinished(() => void vi.unstubAllEnvs())
    git('init', '--quiet')
    write('shop/dap.yaml', 'before')
    write('shop/data/a.csv', 'a')
    write('shop/gone.yaml', 'gone')
    symlinkSync('data', join(top, 'shop/link'))
    git('add', '.')
    git('commit', '--quiet', '-m', 'first')
    git('tag', 'first')
  })

  it('are what they were, under the paths that they have', async () => {
    write('shop/dap.yaml', 'after')
    rmSync(join(top, 'shop/gone.yaml'))
    write('shop/new.yaml', 'new')
    const files = await at('first', join(top, 'shop'))
    const path = (name: string) => join(top, 'shop', name)
    expect(await files.read(path('dap.yaml'))).toBe('before')
    expect(await files.read(path('gone.yaml'))).toBe('gone')
    expect(await files.exists(path('new.yaml'))).toBe(false)
    expect(await files.real(path('link/a.csv'))).toBe(path('data/a.csv'))
    expect(await files.follow(path('link'), [path('')])).toMatchObject({ real: path('data'), folder: true })
    const { files: found, unread } = await files.walk(path(''), [path('.')])
    expect(found.map(each => each.path).sort()).toEqual(['dap.yaml', 'data/a.csv', 'gone.yaml', 'link/a.csv'].map(path))
    expect(found.every(({ real }) => real.startsWith(path('')))).toBe(true)
    expect(unread).toEqual([])
    expect(await files.digest(path('data/a.csv'))).toBe(await nodeFiles().digest(path('data/a.csv')))
  })

  it('leave those outside as they are, and the repository, too', async () => {
    const outside = realpathSync(mkdtempSync(join(tmpdir(), 'dap-outside-')))
    onTestFinished(() => rmSync(outside, { recursive: true }))
    writeFileSync(join(outside, 'log.csv'), 'x')
    write('staged.yaml', 'staged')
    git('add', 'staged.yaml')
    const before = [git('status', '--porcelain'), readFileSync(join(top, '.git/index'))]
    const temporary = mkdtempSync(join(outside, 'temporary'))
    vi.stubEnv('TMPDIR', temporary)
    const past = await gitFilesAt(top, 'HEAD', nodeFiles())
    expect(await past.files.read(join(outside, 'log.csv'))).toBe('x')
    expect(readdirSync(temporary)).toHaveLength(1)
    await past.close()
    expect(readdirSync(temporary)).toEqual([])
    expect([git('status', '--porcelain'), readFileSync(join(top, '.git/index'))]).toEqual(before)
  })

  it('are refused outside a repository, and for a revision that is no commit', async () => {
    const outside = realpathSync(mkdtempSync(join(tmpdir(), 'dap-outside-')))
    onTestFinished(() => rmSync(outside, { recursive: true }))
    await expect(at('HEAD', outside)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining('is in no Git repository'),
    })
    for (const revision of ['nope', '', '--help', 'HEAD^{tree}', 'first:shop/dap.yaml']) {
      await expect(at(revision)).rejects.toMatchObject({
        name: 'UsageError',
        message: `Git has no commit \`${revision}\``,
      })
    }
  })
})
