import { readFileSync } from 'node:fs'
import { mkdtemp, symlink } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

describe('the packed package', () => {
  let folder = ''
  beforeAll(async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'dap-pack-'))
    const options = ['pack', '--ignore-scripts', '--json', '--pack-destination', temporary]
    await execa('npm', options, { cwd: PACKAGE_ROOT })
    await execa('tar', ['-xzf', `dap-${version}.tgz`], { cwd: temporary })
    folder = join(temporary, 'package')
    // What npm would install beside it.
    await symlink(join(PACKAGE_ROOT, 'node_modules'), join(folder, 'node_modules'))
  })
  const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string }
  const dap = (...words: string[]) => execa(process.execPath, [join(folder, 'bin/dap.js'), ...words], { reject: false })

  it('runs', async () => {
    expect(await dap('--version')).toMatchObject({ exitCode: 0, stdout: version, stderr: '' })
    const help = await dap('serve', '--help')
    expect(help).toMatchObject({ exitCode: 0, stderr: '' })
    expect(help.stdout).toContain('--bundle')
  })

  it('has its templates and schemas', async () => {
    const shop = join(await mkdtemp(join(tmpdir(), 'dap-pack-')), 'shop')
    expect(await dap('init', shop, '--template', 'bandit')).toMatchObject({ exitCode: 0 })
    expect(readFileSync(join(shop, 'Dockerfile'), 'utf8')).toContain('FROM node:24-slim')
    expect(await dap('bundle', 'shop-offer', '-C', shop)).toMatchObject({ exitCode: 0 })
  })

  it('runs no script when it is installed', () => {
    const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { scripts: object }
    expect(Object.keys(scripts).filter(name => /^(pre|post)?install$/.test(name))).toEqual([])
  })
})

describe('the Dockerfile of the templates', () => {
  const read = (template: string) => readFileSync(join(PACKAGE_ROOT, 'templates', template, 'Dockerfile'), 'utf8')
  const text = read('bandit')

  it('is one', () => {
    expect(read('contextual-bandit')).toBe(text)
  })

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
