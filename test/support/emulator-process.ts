import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { onTestFinished } from 'vitest'
import { PACKAGE_ROOT } from './run-dap.ts'
import { dapProcess } from './served.ts'

const bin = join(PACKAGE_ROOT, 'bin', 'dap.js')

/** What `dap init` writes, in a folder that is gone after the test. The holds of its rollout are a second each. */
export async function shopRepository(): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), 'dap-deploy-')), 'shop')
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await dapProcess(tmpdir(), 'init', folder, '--template', 'bandit')
  await editFile(folder, 'deployments/local/shop-offer.yaml', 'hold: 2s', 'hold: 1s')
  return folder
}

/** Replaces a text wherever it is in a file. */
export async function editFile(folder: string, file: string, from: string, to: string): Promise<void> {
  const path = join(folder, file)
  const text = await readFile(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`)
  await writeFile(path, text.replaceAll(from, to))
}

/** The built `dap emulator` for the repository in a folder, with a real server for every deployed model. */
export interface EmulatorProcess {
  readonly port: number
  readonly url: string
  /** The built dap, which finds this emulator, to its end. */
  dap(...words: readonly string[]): Promise<DapEnd>
  /** The same, while it runs. */
  start(words: readonly string[], options?: StartOptions): DapRun
  stop(): Promise<void>
}

export interface StartOptions {
  /** The CI job that owns it; else whoever runs the tests. */
  readonly job?: string
  /** Where it finds the emulator. */
  readonly url?: string
}

export interface DapRun {
  readonly ended: Promise<DapEnd>
  kill(signal: 'SIGKILL' | 'SIGTERM'): void
  /** The first line on stderr that is wanted, by its text and its number from 0; undefined if it ends without one. Lines are heard once. */
  heard(wanted: (line: string, index: number) => boolean): Promise<string | undefined>
}

export interface DapEnd {
  /** undefined: it was killed. */
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
  json<Result>(): Result
}

export async function startEmulatorProcess(folder: string, ...words: readonly string[]): Promise<EmulatorProcess> {
  const child = execa(
    process.execPath,
    [bin, 'emulator', '--port', '0', '--data', join(folder, '.emulator'), ...words],
    { cwd: folder, reject: false, stdin: 'ignore' },
  )
  const url = await new Promise<string>((done, fail) => {
    let said = ''
    child.stderr.on('data', data => {
      said += data
      const url = /DAP_VERTEX_ENDPOINT=(http:\S+)/.exec(said)?.[1]
      if (url !== undefined) done(url)
    })
    child.then(() => fail(new Error(`the emulator did not start: ${said}`)), fail)
  })
  const start = (words: readonly string[], options?: StartOptions) => startDap(folder, words, { url, ...options })
  return {
    port: Number(new URL(url).port),
    url,
    dap: (...words) => start(words).ended,
    start,
    async stop() {
      child.kill('SIGTERM')
      await child
    },
  }
}

function startDap(cwd: string, words: readonly string[], { url, job }: StartOptions): DapRun {
  const child = execa(process.execPath, [bin, ...words], {
    cwd,
    reject: false,
    stdin: 'ignore',
    env: { DAP_VERTEX_ENDPOINT: url, CI: 'true', GITHUB_RUN_ID: job, CI_JOB_ID: undefined, BUILD_ID: undefined },
  })
  const lines = createInterface({ input: child.stderr })[Symbol.asyncIterator]()
  let heard = 0
  return {
    ended: child.then(({ exitCode, stdout, stderr }) => ({
      code: exitCode,
      stdout,
      stderr,
      json: <Result>() => JSON.parse(stdout) as Result,
    })),
    kill: signal => void child.kill(signal),
    async heard(wanted) {
      for (;;) {
        const { value, done } = await lines.next()
        if (done || wanted(value, heard++)) return value
      }
    },
  }
}
