/** Installs as other machines do it: the packed tarball in an empty folder, without links, by the Node and the npm that are there. */
import { cp, lstat, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

/** The oldest Node that dap runs on, the one that it is developed with, and one that is too old; each with the npm that it brings. */
const OLDEST = { node: '22.12.0', npm: '10.9.0' }
const NEWEST = { node: '24.21.0', npm: '11.6.2' }
const TOO_OLD = { node: '20.19.0', npm: '10.8.2' }

interface Machine {
  /** Runs a line of a shell in a folder; its Node and npm are the first in PATH. */
  run(folder: string, line: string, env?: Readonly<Record<string, string>>): ReturnType<typeof shell>
}

const made: string[] = []

/** An empty folder; all of them go at the end, gigabytes of them. */
async function emptyFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `dap-${name}-`))
  made.push(folder)
  return folder
}

afterAll(() => Promise.all(made.map(folder => rm(folder, { recursive: true, force: true }))), 300_000)

async function machine({ node, npm }: typeof OLDEST): Promise<Machine> {
  const tools = await emptyFolder('tools')
  // node's own script fetches the binary, where npm lets it run.
  await writeFile(join(tools, 'package.json'), JSON.stringify({ private: true, allowScripts: { node: true } }))
  await execa('npm', ['install', `node@${node}`, `npm@${npm}`, ...QUIET], { cwd: tools })
  const path = [join(tools, 'node_modules/.bin'), '/usr/local/bin:/usr/bin:/bin'].join(delimiter)
  const here = { run: (folder: string, line: string, env = {}) => shell(folder, line, { PATH: path, ...env }) }
  expect((await here.run(tools, 'node --version && npm --version')).stdout).toBe(`v${node}\n${npm}`)
  return here
}

const QUIET = ['--no-audit', '--no-fund', '--prefer-offline']

function shell(cwd: string, line: string, env: Readonly<Record<string, string>>) {
  const passedOn = Object.entries(process.env).filter(([name]) => /^(HOME|TMPDIR|https?_proxy|no_proxy)$/i.test(name))
  return execa('bash', ['--noprofile', '--norc', '-ec', line], {
    ...{ cwd, reject: false, stdin: 'ignore', extendEnv: false, all: true },
    env: { ...Object.fromEntries(passedOn), CI: 'true', npm_config_prefer_offline: 'true', ...env },
  })
}

/** Runs it to a good end. */
async function done(running: ReturnType<typeof shell>): Promise<string> {
  const { exitCode, stdout, all, escapedCommand } = await running
  expect(exitCode, `${escapedCommand}\n${all}`).toBe(0)
  return stdout as string
}

let tarball = ''
const { version } = JSON.parse(await readFile(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string }

beforeAll(async () => {
  const folder = await emptyFolder('pack')
  await execa('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: PACKAGE_ROOT })
  tarball = join(folder, `dap-platform-dap-${version}.tgz`)
})

describe.each([OLDEST, NEWEST])('the tarball, installed with Node $node and npm $npm', versions => {
  let here: Machine
  let folder = ''
  let shop = ''
  const dap = (words: string) => done(here.run(shop, `npx --no-install dap ${words}`))
  beforeAll(async () => {
    here = await machine(versions)
    folder = await emptyFolder('install')
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
    await done(here.run(folder, `npm install ${tarball}`))
    // A repository below finds what is installed above, as a workspace's does.
    shop = join(folder, 'shop')
  })

  it('is no link, and brings all that it needs', async () => {
    const installed = await lstat(join(folder, 'node_modules/@dap-platform/dap'))
    expect(installed.isDirectory()).toBe(true)
    expect(await done(here.run(folder, 'npx --no-install dap --version'))).toBe(version)
  })

  it('makes a repository, checks it, plays it and judges it', async () => {
    const said = await done(here.run(folder, 'npx --no-install dap init shop --template contextual-bandit'))
    expect(said).toContain(`pins @dap-platform/dap ${version} as the tarball`)
    expect(await dap('validate')).toBe('10 files checked: all valid')
    expect(await dap('simulate --replications 40')).toContain('2 expectations passed')
    expect(await dap('evaluate')).toContain('2 gates passed')
  })

  it('plans', async () => {
    expect(await dap('emulator exec -- dap plan --env local')).toContain('1 to create')
  })

  it('serves, until it is stopped', async () => {
    const { action, code } = await served(here, shop, 'exec ../node_modules/.bin/dap serve --port 0', {})
    expect(action).toMatch(/^(none|gold-small|bundle)$/)
    expect(code).toBe(0)
  })

  it('is a library', async () => {
    const program = `
      import { createPolicy } from '@dap-platform/dap'
      import { openTables } from '@dap-platform/dap/duckdb'
      import { createClient } from '@dap-platform/dap/client'
      console.log(typeof createPolicy, typeof openTables, typeof createClient)`
    await writeFile(join(folder, 'program.js'), program)
    expect(await done(here.run(folder, 'node program.js'))).toBe('function function function')
  })

  it('is installed again by who clones the repository that it made', async () => {
    const clone = join(await emptyFolder('clone'), 'shop')
    await cp(shop, clone, { recursive: true })
    await done(here.run(clone, 'npm ci --ignore-scripts'))
    expect(await done(here.run(clone, 'npx --no-install dap validate'))).toBe('10 files checked: all valid')
    await done(here.run(clone, 'npx --no-install dap bundle shop-offer'))

    // And by its Dockerfile: what is copied before dap is installed, that command, and the server.
    const image = await emptyFolder('image')
    const dockerfile = await readFile(join(clone, 'Dockerfile'), 'utf8')
    const [stage] = dockerfile.split(/^FROM node:24-slim$/m)
    for (const [, words] of stage.matchAll(/^COPY (.*)$/gm)) {
      const names = words.split(' ')
      const into = names.pop() as string
      for (const name of names)
        await cp(join(clone, name), join(image, into === './' ? name : into), { recursive: true })
    }
    const [, install] = /^RUN (.*)$/m.exec(stage) ?? []
    await done(here.run(image, install))
    const { action } = await served(here, image, 'exec node_modules/.bin/dap serve --log stdout', {
      AIP_STORAGE_URI: join(clone, 'bundles'),
      AIP_HTTP_PORT: '0',
    })
    expect(action).toMatch(/^(none|gold-small|bundle)$/)
  })
})

/** One decision of a server, and how it ended. */
async function served(here: Machine, folder: string, line: string, env: Readonly<Record<string, string>>) {
  const server = here.run(folder, line, env)
  onTestFinished(() => void server.kill('SIGKILL'))
  const url = await new Promise<string>((found, fail) => {
    let said = ''
    server.stderr?.on('data', data => {
      said += data
      const url = /"url":"([^"]+)"/.exec(said)?.[1]
      if (url !== undefined) found(url)
    })
    server.then(({ all }) => fail(new Error(`the server did not start: ${all}`)), fail)
  })
  const body = JSON.stringify({ policy: 'shop-offer', context: { playerId: 'p1', level: 30, platform: 'ios' } })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/v1/decide`, { method: 'POST', headers, body })
  const { action } = (await answer.json()) as { readonly action: string }
  server.kill('SIGTERM')
  return { action, code: (await server).exitCode }
}

describe(`Node ${TOO_OLD.node}`, () => {
  let here: Machine
  beforeAll(async () => {
    here = await machine(TOO_OLD)
  })

  it('is told what dap needs, and can have it', async () => {
    const folder = await emptyFolder('old')
    await writeFile(join(folder, 'package.json'), '{ "private": true, "allowScripts": { "node": true } }')
    await done(here.run(folder, `npm install ${tarball}`))
    const refused = await here.run(folder, 'npx --no-install dap validate')
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' })
    expect(refused.stderr).toMatch(/^error: dap needs Node >= 22.12, this is 20.19.0\nhint: install a current Node /)
    const [, words] = /by `(npm install [^`]*)`/.exec(refused.stderr as string) ?? []
    await done(here.run(folder, words))
    expect(await done(here.run(folder, 'npx --no-install dap --version'))).toBe(version)
  })

  it('installs all that a checkout needs, without its development dependencies, too', async () => {
    const folder = await emptyFolder('checkout')
    for (const name of ['package.json', 'package-lock.json', 'scripts', 'bin', 'dist'])
      await cp(join(PACKAGE_ROOT, name), join(folder, name), { recursive: true })
    await done(here.run(folder, 'npm ci --omit=dev'))
    const load = `for (const name of Object.keys(JSON.parse(readFileSync('package.json')).dependencies)) createRequire(process.cwd() + '/').resolve(name)`
    await writeFile(join(folder, 'load.mjs'), `import{createRequire}from'module';import{readFileSync}from'fs';${load}`)
    await done(here.run(folder, 'node load.mjs'))
  })
})

describe('a registry that has dap', () => {
  it('is what a new repository pins, by version and content', async () => {
    const bytes = await readFile(tarball)
    const folder = await emptyFolder('registry')
    const { stdout } = await execa('npm', ['pack', tarball, '--dry-run', '--json'], { cwd: folder })
    const [{ integrity }] = JSON.parse(stdout) as readonly { readonly integrity: string }[]
    const packed = await execa('tar', ['-xzOf', tarball, 'package/package.json'])
    const registry = createServer((request, response) => {
      const root = `http://${request.headers.host}`
      const path = `/@dap-platform/dap/-/dap-${version}.tgz`
      if (request.url === path) return void response.end(bytes)
      const one = { ...(JSON.parse(packed.stdout) as object), dist: { tarball: `${root}${path}`, integrity } }
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({ name: '@dap-platform/dap', 'dist-tags': { latest: version }, versions: { [version]: one } }),
      )
    })
    await new Promise<void>(up => registry.listen(0, '127.0.0.1', up))
    onTestFinished(() => {
      registry.closeAllConnections()
      registry.close()
    })
    const settings = `@dap-platform:registry=http://127.0.0.1:${(registry.address() as AddressInfo).port}/\n`
    const env = { PATH: process.env['PATH'] as string }
    await writeFile(join(folder, '.npmrc'), settings)
    await writeFile(join(folder, 'package.json'), '{ "private": true }')
    await done(shell(folder, 'npm install @dap-platform/dap', env))
    const said = await done(shell(folder, 'npx --no-install dap init shop --template bandit', env))
    expect(said).toContain(`\`package.json\` pins @dap-platform/dap ${version}, as the registry has it`)

    const shop = join(await emptyFolder('pinned'), 'shop')
    await cp(join(folder, 'shop'), shop, { recursive: true })
    await writeFile(join(shop, '.npmrc'), settings)
    const lock = await readFile(join(shop, 'package-lock.json'), 'utf8')
    expect(JSON.parse(lock).packages['node_modules/@dap-platform/dap']).toMatchObject({ version, integrity })
    await done(shell(shop, 'npm ci --ignore-scripts', env))
    expect(await done(shell(shop, 'npx --no-install dap validate', env))).toBe('10 files checked: all valid')

    // Who swaps the package is found out.
    await writeFile(join(shop, 'package-lock.json'), lock.replace(integrity, `sha512-${'A'.repeat(86)}==`))
    expect((await shell(shop, 'npm ci --ignore-scripts', env)).all).toContain('EINTEGRITY')
  })
})
