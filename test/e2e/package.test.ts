import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:http'
import { builtinModules } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { execa } from 'execa'
import { beforeAll, describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
  readonly version: string
  readonly files: readonly string[]
  readonly scripts: object
  readonly dependencies: object
  readonly optionalDependencies?: object
  readonly peerDependencies: object
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>
}

describe('the packed package', () => {
  let tarball = ''
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dap-pack-'))
    await execa('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: PACKAGE_ROOT })
    tarball = join(folder, `dap-platform-dap-${manifest.version}.tgz`)
  })
  const judged = (program: string, ...words: string[]) =>
    execa(join(PACKAGE_ROOT, 'node_modules/.bin', program), words, { cwd: PACKAGE_ROOT, reject: false, all: true })

  it('is one that programs can depend on, by the word of publint', async () => {
    const { exitCode, all } = await judged('publint', 'run', tarball, '--strict')
    expect(exitCode, all).toBe(0)
    expect(all).toContain('All good!')
  })

  it('has types that are found wherever its code is, by the word of attw', async () => {
    const { exitCode, all } = await judged('attw', tarball, '--profile', 'esm-only')
    expect(exitCode, all).toBe(0)
  })

  it('runs no script when it is installed', () => {
    expect(Object.keys(manifest.scripts).filter(name => /^(pre|post)?install$/.test(name))).toEqual([])
  })
})

describe('the package without what npm installs with it', () => {
  it('checks a repository and makes one, and says of the rest what is missing and what to do', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dap-alone-'))
    for (const name of ['package.json', ...manifest.files])
      await cp(join(PACKAGE_ROOT, name), join(folder, 'package', name), { recursive: true })
    const dap = (...words: string[]) =>
      execa(process.execPath, [join(folder, 'package/bin/dap.js'), ...words], { cwd: folder, reject: false })
    expect(await dap('init', 'shop', '--template', 'bandit')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await dap('validate', '-C', 'shop')).toMatchObject({ exitCode: 0, stdout: '10 files checked: all valid' })
    const lacking = [
      [['evaluate', '-C', 'shop'], '`@duckdb/node-api`'],
      [['emulator', '--port', '0'], '`@google-cloud/aiplatform` and `google-gax`'],
    ] as const
    for (const [words, names] of lacking) {
      const { exitCode, stderr } = await dap(...words)
      expect(exitCode, stderr).toBe(1)
      const [error, hint, ...more] = stderr.split('\n')
      expect(error).toMatch(`error: dap cannot load ${names}: Cannot find package `)
      expect(hint).toMatch('hint: install dap again with all that it depends on')
      expect(more).toEqual([])
    }
    await dap('new', 'model', 'score', '-C', 'shop')
    expect(await dap('validate', '-C', 'shop')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('`onnxruntime-node` is not installed'),
    })
    expect(await dap('model', 'check', '-C', 'shop')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^error: dap cannot load `onnxruntime-node`: Cannot find package .*\nhint: `ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@/,
      ),
    })
    expect(await dap('serve', '--bundle', 'gs://bucket/bundles', '--port', '0')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('dap cannot load `@google-cloud/storage`: Cannot find package '),
    })
  })
})

describe('what npm installs with the package', () => {
  /** The packages that built code loads at run time. */
  async function loaded(): Promise<string[]> {
    const { metafile } = await build({
      entryPoints: ['main', 'worker', 'index', 'duckdb', 'client'].map(name => join(PACKAGE_ROOT, `dist/${name}.js`)),
      ...{ bundle: true, format: 'esm', platform: 'node', packages: 'external' },
      ...{ outdir: tmpdir(), write: false, metafile: true, logLevel: 'error' },
    })
    return Object.values(metafile.inputs).flatMap(({ imports }) =>
      imports.filter(each => each.external === true && !builtinModules.includes(each.path)).map(({ path }) => path),
    )
  }

  /** Those whose types the library's types name. */
  function typed(): string[] {
    const folder = join(PACKAGE_ROOT, 'dist/types')
    const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.d.ts'))
      .map(file => readFileSync(join(folder, file), 'utf8'))
    return texts.flatMap(text => [...text.matchAll(/(?:\bfrom |\bimport\()'([^.'][^']*)'/g)].map(([, name]) => name))
  }

  const packageOf = (path: string) => /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path

  it('is all that its built code loads and its types name but for what somebody asks for by itself, and nothing else', async () => {
    const needed = [...(await loaded()), ...typed()].filter(path => !path.startsWith('node:')).map(packageOf)
    // ink asks for its debugger where a variable of the environment says so.
    const names = new Set(needed.filter(name => name !== 'react-devtools-core'))
    const { dependencies, peerDependencies } = manifest
    expect(Object.keys({ ...dependencies, ...peerDependencies }).sort()).toEqual([...names].sort())
  })

  it('is never left out: npm installs nothing that may be missing, and of what it does not install nothing unasked', () => {
    expect(manifest.optionalDependencies).toBeUndefined()
    expect(Object.values(manifest.peerDependenciesMeta)).toEqual([{ optional: true }])
    const locked = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'dist/locked.json'), 'utf8')) as object
    expect(Object.keys(locked).filter(folder => /onnx/.test(folder))).toEqual([])
  })
})

describe('the Dockerfile of the templates', () => {
  const of = (template: string) => join(PACKAGE_ROOT, 'templates', template, 'Dockerfile')
  const text = readFileSync(of('_every'), 'utf8')

  it.each(['bandit', 'contextual-bandit', 'personalisation', 'recommendation'])(
    'is one: %s has none of its own',
    template => {
      expect(existsSync(of(template))).toBe(false)
    },
  )

  it('starts the server without a shell and as nobody in particular', () => {
    expect(text.match(/^ENTRYPOINT (.*)$/m)?.[1]).toBe('["dap", "serve"]')
    expect(text.match(/^USER (.*)$/m)?.[1]).toBe('node')
  })

  it('is healthy exactly while /readyz says so', async () => {
    const [, ...command] = JSON.parse(text.match(/^ {2}CMD (.*)$/m)?.[1] ?? '[]') as string[]
    let status = 200
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/readyz' ? status : 404).end()
    })
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const AIP_HTTP_PORT = String((server.address() as AddressInfo).port)
    const check = async () =>
      (await execa(process.execPath, command, { reject: false, env: { AIP_HTTP_PORT } })).exitCode
    expect(await check()).toBe(0)
    status = 503
    expect(await check()).toBe(1)
    server.closeAllConnections()
    await new Promise(done => server.close(done))
    expect(await check()).toBe(1)
  })
})
