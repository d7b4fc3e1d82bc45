import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { PACKAGE_ROOT } from '../support/run-dap.ts'
import { dapProcess } from '../support/served.ts'

const bin = join(PACKAGE_ROOT, 'bin', 'dap.js')

/** Writes the name of every Google package that is asked for to a file. */
const spy = (file: string) => `
  import { appendFileSync } from 'node:fs'
  import { registerHooks } from 'node:module'
  registerHooks({
    resolve(specifier, context, next) {
      if (/^(@google-cloud|google-|@grpc)/.test(specifier)) appendFileSync(${JSON.stringify(file)}, specifier + '\\n')
      return next(specifier, context)
    },
  })`

async function asked(cwd: string, ...words: readonly string[]) {
  const file = join(cwd, 'asked.txt')
  await writeFile(file, '')
  const hook = `data:text/javascript,${encodeURIComponent(spy(file))}`
  const { exitCode } = await execa(process.execPath, ['--import', hook, bin, ...words], {
    cwd,
    reject: false,
    stdin: 'ignore',
    env: { DAP_VERTEX_ENDPOINT: 'http://127.0.0.1:1' },
  })
  return { exitCode, packages: (await readFile(file, 'utf8')).split('\n').filter(Boolean) }
}

describe("Google's clients", () => {
  it('are loaded by what talks to a cloud, and by nothing else', async () => {
    const folder = join(await mkdtemp(join(tmpdir(), 'dap-google-')), 'shop')
    onTestFinished(() => rm(folder, { recursive: true }))
    await dapProcess(tmpdir(), 'init', folder, '--template', 'bandit')
    await writeFile(join(folder, 'plan.json'), '{"schema": "dap.plan/v1"}')
    for (const words of [
      ['validate'],
      ['simulate'],
      ['evaluate'],
      ['decide', 'shop-offer', '--context', '{"playerId": "p1"}'],
    ]) {
      expect({ words, ...(await asked(folder, ...words)) }).toEqual({ words, exitCode: 0, packages: [] })
    }
    expect(await asked(folder, 'plan', 'show', 'plan.json')).toEqual({ exitCode: 1, packages: [] })

    const { packages } = await asked(folder, 'emulator', 'exec', '--', 'dap', 'plan')
    expect(packages.some(name => /aiplatform|google-gax/.test(name))).toBe(true)
  })
})
