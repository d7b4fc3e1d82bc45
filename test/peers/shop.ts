import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

const DAP = join(PACKAGE_ROOT, 'bin/dap.js')

/** A new repository that is served by a process of its own. */
export interface Shop {
  readonly url: string
  /** Ends the server, at the second call does nothing; what `dap log check` says of its log then. */
  end(): Promise<{ readonly code: number | undefined; readonly check: CheckResult }>
}

interface CheckResult {
  readonly passed: boolean
  readonly faults: readonly object[]
  readonly decisions: number
  readonly activations: number
  readonly joined: number
}

export async function openShop(): Promise<Shop> {
  const folder = await mkdtemp(join(tmpdir(), 'dap-shop-'))
  await execa(process.execPath, [DAP, 'init', 'shop', '--template', 'contextual-bandit'], { cwd: folder })
  const cwd = join(folder, 'shop')
  const server = execa(process.execPath, [DAP, 'serve', '--port', '0'], { cwd, reject: false })
  let stderr = ''
  const url = await new Promise<string>((found, fail) => {
    server.stderr.on('data', data => {
      stderr += data
      const [, said] = /"url":"(http:[^"]*)"/.exec(stderr) ?? []
      if (said !== undefined) found(said)
    })
    server.then(({ exitCode }) => fail(new Error(`the server ended with ${exitCode}: ${stderr}`)), fail)
  })

  async function end() {
    server.kill('SIGTERM')
    const { exitCode: code } = await server
    const { stdout } = await execa(process.execPath, [DAP, 'log', 'check', 'logs', '--json'], { cwd, reject: false })
    await rm(folder, { recursive: true, force: true })
    return { code, check: JSON.parse(stdout) as CheckResult }
  }
  let ending: ReturnType<typeof end> | undefined
  return {
    url,
    end() {
      ending ??= end()
      return ending
    },
  }
}
