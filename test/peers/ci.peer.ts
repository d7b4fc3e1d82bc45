/** The files that run dap in other people's CI: read by the linters of their systems, and run as those run them. */
import { chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { execa } from 'execa'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { releaseHooks } from '../../scripts/release-hooks.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { cachedFor } from './cache.ts'
import { needs } from './needs.ts'
import { pythonWith } from './python.ts'

const HERE = new URL('.', import.meta.url).pathname
const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12'
const MINUTES = 60_000

/** Its own folder for programs: the Node of these tests under the names that are looked for first, and no dap. */
let programs = ''
let environment: Readonly<Record<string, string>> = {}
const made: string[] = []

async function emptyFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `dap-${name}-`))
  made.push(folder)
  return folder
}

afterAll(() => Promise.all(made.map(folder => rm(folder, { recursive: true, force: true }))), 2 * MINUTES)

beforeAll(async () => {
  programs = await emptyFolder('programs')
  for (const name of ['node', 'nodejs']) await symlink(process.execPath, join(programs, name))
  const passedOn = Object.entries(process.env).filter(([name]) => /^(HOME|TMPDIR|https?_proxy|no_proxy)$/i.test(name))
  environment = {
    ...(Object.fromEntries(passedOn) as Record<string, string>),
    ...{ PATH: [programs, '/usr/local/bin:/usr/bin:/bin'].join(delimiter), CI: 'true' },
    ...{ npm_config_prefer_offline: 'true', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    ...{ GIT_AUTHOR_NAME: 'n', GIT_AUTHOR_EMAIL: 'n@example.com' },
    ...{ GIT_COMMITTER_NAME: 'n', GIT_COMMITTER_EMAIL: 'n@example.com' },
  }
})

function run(cwd: string, command: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return execa(command, [...words], {
    ...{ cwd, reject: false, stdin: 'ignore', extendEnv: false, all: true },
    env: { ...environment, ...env },
  })
}

type Ran = Promise<Awaited<ReturnType<typeof run>>>

/** Runs it to a good end. */
async function done(running: Ran): Promise<string> {
  const { exitCode, all, escapedCommand } = await running
  expect(exitCode, `${escapedCommand}\n${all}`).toBe(0)
  return all as string
}

/** A repository as `dap init` makes it, in Git. */
async function newRepository(...words: readonly string[]): Promise<string> {
  const folder = join(await emptyFolder('ci'), 'shop')
  const dap = [join(PACKAGE_ROOT, 'bin/dap.js'), 'init', folder, '--template', 'bandit', ...words]
  await done(run(dirname(folder), process.execPath, dap))
  await done(run(folder, 'git', ['init', '--quiet', '--initial-branch', 'main']))
  return folder
}

const git = (folder: string, ...words: readonly string[]) => done(run(folder, 'git', words))

async function actionlint(): Promise<string> {
  const folder = await cachedFor(ACTIONLINT, async made => {
    await execa('go', ['install', ACTIONLINT], { env: { GOBIN: made, GOFLAGS: '-trimpath' } })
  })
  return join(folder, 'actionlint')
}

const python = () => pythonWith(join(HERE, 'python/ci.txt'))
const zizmor = async () => join(dirname(await python()), 'zizmor')

/** Auditor is the strictest of its personas. */
const ZIZMOR = ['--offline', '--persona', 'auditor', '--strict-collection', '--collect', 'all', '--no-progress']

describe('the workflow of a new repository', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await newRepository()
  })
  /** What a linter says of a workflow that is not as it should be: it looks at all. */
  const spoilt = async (from: string | RegExp, to: string) => {
    const spoilt = await emptyFolder('spoilt')
    await cp(folder, spoilt, { recursive: true })
    const path = join(spoilt, '.github/workflows/dap.yaml')
    const text = await readFile(path, 'utf8')
    expect(text.replace(from, to)).not.toBe(text)
    await writeFile(path, text.replace(from, to))
    return spoilt
  }

  it('has no finding for actionlint', async context => {
    const command = await needs(context, actionlint)
    expect(await done(run(folder, command, []))).toBe('')
    expect(await run(await spoilt('needs: plan', 'needs: plans'), command, [])).toMatchObject({ exitCode: 1 })
  })

  it('has no finding for zizmor, of any severity', async context => {
    const command = await needs(context, zizmor)
    expect(await done(run(folder, command, [...ZIZMOR, '.']))).toContain('No findings to report')
    for (const [from, to] of [
      [/@[0-9a-f]{40} # v7.0.1/, '@v7'],
      ['persist-credentials: false', 'fetch-depth: 1'],
      ['permissions: {}', 'permissions: write-all'],
      ['issues/$PULL_REQUEST', `issues/$${'{{ github.head_ref }}'}`],
    ] as const) {
      const { exitCode, all } = await run(await spoilt(from, to), command, [...ZIZMOR, '.'])
      expect(exitCode, `${to}\n${all}`).toBeGreaterThan(0)
    }
  })
})

describe('the pipeline for GitLab', () => {
  it("is one by GitLab's schema, and its jobs stand in an order", async context => {
    const lock = await readFile(join(HERE, 'gitlab/package-lock.json'), 'utf8')
    const bin = await needs(context, () =>
      cachedFor(lock, async cwd => {
        for (const name of ['package.json', 'package-lock.json']) await cp(join(HERE, 'gitlab', name), join(cwd, name))
        await execa('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd })
      }),
    )
    const folder = await newRepository('--ci', 'gitlab')
    await git(folder, 'add', '.gitlab-ci.yml')
    await git(folder, 'commit', '--quiet', '--message', 'first')
    await git(folder, 'remote', 'add', 'origin', 'git@gitlab.com:games/shop.git')
    const command = join(bin, 'node_modules/.bin/gitlab-ci-local')
    const jobs = async (source: string) => {
      const variables = {
        ...{ CI_PIPELINE_SOURCE: source, CI_COMMIT_BRANCH: 'main', CI_DEFAULT_BRANCH: 'main' },
        ...{ CI_MERGE_REQUEST_SOURCE_PROJECT_ID: '1217', CI_PROJECT_ID: '1217' },
        ...{ DAP_WORKLOAD_IDENTITY_PROVIDER: 'p', DAP_NOTE_TOKEN: 't' },
      }
      const words = Object.entries(variables).flatMap(([name, value]) => ['--variable', `${name}=${value}`])
      const { stdout, exitCode, all } = await run(folder, command, ['--list-csv', '--no-color', ...words])
      expect(exitCode, all).toBe(0)
      const rows = (stdout as string).split('\n').filter(line => /^\w+;/.test(line) && !line.startsWith('name;'))
      return rows.map(line => line.split(';')[0])
    }
    expect(await jobs('merge_request_event')).toEqual(['check', 'plan', 'note'])
    expect(await jobs('push')).toEqual(['check', 'approved', 'deploy'])

    const path = join(folder, '.gitlab-ci.yml')
    await writeFile(path, (await readFile(path, 'utf8')).replace('when: always', 'when: ever'))
    const { exitCode, all } = await run(folder, command, ['--list'])
    expect(exitCode).not.toBe(0)
    expect(all).toContain('when')
  })
})

/** Written once: the tag that other repositories name. */
let hooks = ''
beforeAll(async () => {
  hooks = await emptyFolder('hooks')
  await git(hooks, 'init', '--quiet', '--bare')
  const before = { ...process.env }
  Object.assign(process.env, environment)
  try {
    const release = await releaseHooks(hooks)
    // Once more, and nothing is made.
    expect(await releaseHooks(hooks)).toEqual({ ...release, again: true })
    expect(release).toMatchObject({
      tags: [expect.stringMatching(/^v\d+\.\d+\.\d+$/), expect.stringMatching(/^v\d+$/)],
    })
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
    Object.assign(process.env, before)
  }
})

describe('pre-commit, from another repository', () => {
  // Its own script names the folder that the environment was made in, which has another name by now.
  const preCommitOf =
    (python: string) => (folder: string, words: readonly string[], env: Readonly<Record<string, string>>) =>
      run(folder, python, ['-m', 'pre_commit', ...words], env)
  const write = (folder: string, path: string, change: (text: string) => string) =>
    readFile(join(folder, path), 'utf8')
      .catch(() => '')
      .then(text => writeFile(join(folder, path), change(text)))

  it('checks every commit that changes a file of dap, and plays the scenarios before a push', {
    timeout: 5 * MINUTES,
  }, async context => {
    const preCommit = preCommitOf(await needs(context, python))
    const folder = await newRepository()
    const [version] = (await git(hooks, 'tag')).split('\n').reverse()
    const config = {
      repos: [{ repo: hooks, rev: version, hooks: [{ id: 'dap-validate' }, { id: 'dap-simulate' }] }],
    }
    await writeFile(join(folder, '.pre-commit-config.yaml'), JSON.stringify(config))
    const env = { PRE_COMMIT_HOME: await emptyFolder('pre-commit'), npm_config_prefer_offline: 'true' }
    const commit = (message: string) => run(folder, 'git', ['commit', '--all', '--message', message], env)

    const started = performance.now()
    await done(preCommit(folder, ['install', '--install-hooks', '-t', 'pre-commit', '-t', 'pre-push'], env))
    process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  to install the hooks\n`)

    await git(folder, 'add', '.')
    const first = await commit('first')
    expect(first.all).toMatch(/^dap validate\.+Passed$/m)
    expect(first).toMatchObject({ exitCode: 0 })

    // What is wrong is in a file that refers to the changed one.
    await write(folder, 'policies/shop-offer.yaml', text => text.replace('name: shop-offer\n', 'name: shop-offers\n'))
    const refused = await commit('second')
    expect(refused).toMatchObject({ exitCode: 1 })
    expect(refused.all).toMatch(/^dap validate\.+Failed$/m)
    expect(refused.all).toMatch(/^deployments\/local\/shop-offer\.yaml:\d+:\d+: error: /m)
    await git(folder, 'checkout', '--quiet', 'HEAD', '--', '.')

    await write(folder, 'notes.txt', () => 'a note')
    await git(folder, 'add', '.')
    expect((await commit('third')).all).toMatch(/^dap validate\.+\(no files to check\)Skipped$/m)

    const remote = await emptyFolder('remote')
    await git(remote, 'init', '--quiet', '--bare')
    const push = () => run(folder, 'git', ['push', remote, 'HEAD:main'], env)
    const pushed = await push()
    expect(pushed.all).toMatch(/^dap simulate\.+Passed$/m)
    expect(pushed).toMatchObject({ exitCode: 0 })
    await write(folder, 'scenarios/quiet-week.yaml', text => text.replace('mean > 0.5', 'mean > 0.999'))
    await commit('fourth')
    const held = await push()
    expect(held.all).toMatch(/^dap simulate\.+Failed$/m)
    expect(held).toMatchObject({ exitCode: 1 })
  })

  it('runs the dap that is on the path', async context => {
    const preCommit = preCommitOf(await needs(context, python))
    const folder = await newRepository()
    const [version] = (await git(hooks, 'tag')).split('\n').reverse()
    const config = { repos: [{ repo: hooks, rev: version, hooks: [{ id: 'dap-validate-system' }] }] }
    await writeFile(join(folder, '.pre-commit-config.yaml'), JSON.stringify(config))
    await git(folder, 'add', '.')
    const env = { PRE_COMMIT_HOME: await emptyFolder('pre-commit') }
    const bin = await emptyFolder('bin')
    await writeFile(join(bin, 'dap'), `#!/bin/sh\nexec node ${join(PACKAGE_ROOT, 'bin/dap.js')} "$@"\n`)
    await chmod(join(bin, 'dap'), 0o755)
    const PATH = [bin, environment['PATH']].join(delimiter)
    expect(await done(preCommit(folder, ['run'], { ...env, PATH }))).toMatch(/^dap validate\.+Passed$/m)
    expect(await preCommit(folder, ['run'], env)).toMatchObject({
      exitCode: 1,
      all: expect.stringContaining('`dap` not found'),
    })
  })

  it('works in a new repository by its own config, without dap on the path', {
    timeout: 5 * MINUTES,
  }, async context => {
    const preCommit = preCommitOf(await needs(context, python))
    const folder = await newRepository()
    const env = { PRE_COMMIT_HOME: await emptyFolder('pre-commit') }
    await git(folder, 'add', '.')
    expect(await done(preCommit(folder, ['run'], env))).toMatch(/^dap validate\.+Passed$/m)
    await write(folder, 'policies/shop-offer.yaml', text => text.replace('apiVersion: dap/v1', 'apiVersion: dap/v2'))
    await git(folder, 'add', '.')
    const refused = await preCommit(folder, ['run'], env)
    expect(refused).toMatchObject({ exitCode: 1 })
    expect(refused.all).toMatch(/^policies\/shop-offer\.yaml:\d+:\d+: error: /m)
  })
})

interface Action {
  readonly runs: {
    readonly steps: readonly { readonly run?: string; readonly env?: Readonly<Record<string, string>> }[]
  }
}

describe('the action', () => {
  /** Its steps, as a runner runs them. */
  async function act(action: string, inputs: Readonly<Record<'args' | 'working-directory', string>>, cwd: string) {
    const { runs } = load(await readFile(join(action, 'action.yml'), 'utf8')) as Action
    const [{ run: script = '', env = {} }] = runs.steps.filter(step => step.run !== undefined)
    const given = Object.entries(env).map(([name, value]) => {
      const [, input] = /^\$\{\{ inputs\.(\S+) \}\}$/.exec(value) ?? []
      expect(input !== undefined || value.endsWith('{{ github.action_path }}')).toBe(true)
      return [name, input === undefined ? action : inputs[input as keyof typeof inputs]]
    })
    const words = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script]
    return run(cwd, 'bash', words, Object.fromEntries(given))
  }

  it('has no finding for actionlint and zizmor', async context => {
    const command = await needs(context, zizmor)
    const folder = await emptyFolder('action')
    for (const name of ['action.yml', '.pre-commit-hooks.yaml']) await cp(join(PACKAGE_ROOT, name), join(folder, name))
    await git(folder, 'init', '--quiet')
    expect(await done(run(folder, command, [...ZIZMOR, '.']))).toContain('No findings to report')
    // Actionlint reads actions where a workflow uses them.
    const linter = await needs(context, actionlint)
    const use = (args: string) =>
      `on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [{ uses: ./, with: { ${args} } }] } }\n`
    await execa('mkdir', ['-p', join(folder, '.github/workflows')])
    await writeFile(join(folder, '.github/workflows/use.yaml'), use('args: validate'))
    expect(await done(run(folder, linter, []))).toBe('')
    await writeFile(join(folder, '.github/workflows/use.yaml'), use('arguments: validate'))
    expect((await run(folder, linter, [])).all).toContain('input "arguments" is not defined')
  })

  it('runs the dap that a repository pins', { timeout: 3 * MINUTES }, async () => {
    const folder = await newRepository()
    const inputs = { args: "validate 'policies/shop-offer.yaml'", 'working-directory': 'shop' }
    expect(await done(act(PACKAGE_ROOT, inputs, dirname(folder)))).toContain('1 file checked: all valid')
    const bad = await act(PACKAGE_ROOT, { ...inputs, args: 'validate nowhere' }, dirname(folder))
    expect(bad.exitCode).not.toBe(0)
    expect((await act(PACKAGE_ROOT, { ...inputs, args: "validate 'open" }, dirname(folder))).all).toContain('unmatched')
  })

  it('runs the dap of its own tag where a repository pins none', { timeout: 3 * MINUTES }, async () => {
    const folder = await newRepository()
    for (const name of ['package.json', 'package-lock.json', 'vendor'])
      await rm(join(folder, name), { recursive: true })
    const action = await emptyFolder('action')
    await git(action, 'clone', '--quiet', '--branch', 'v0', hooks, '.')
    const inputs = { args: 'validate\n--json', 'working-directory': '.' }
    expect(JSON.parse(await stdoutOf(act(action, inputs, folder)))).toMatchObject({ schema: 'dap.validation/v1' })
    const source = await emptyFolder('source')
    await cp(join(PACKAGE_ROOT, 'action.yml'), join(source, 'action.yml'))
    expect(await act(source, inputs, folder)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('::error') })
  })
})

async function stdoutOf(running: Ran): Promise<string> {
  const { stdout } = await running
  const text = stdout as string
  return text.slice(text.indexOf('{'))
}
