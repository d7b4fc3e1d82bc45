import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { PATIENT } from '../serve/serving.ts'
import { PACKAGE_ROOT } from './run-dap.ts'

const bin = join(PACKAGE_ROOT, 'bin', 'dap.js')

/** The built binary, once. */
export function dapProcess(cwd: string, ...words: readonly string[]) {
  return execa(process.execPath, [bin, ...words], { cwd, reject: false, stdin: 'ignore', maxBuffer: 1 << 28 })
}

export interface ServerProcess {
  readonly url: string
  readonly pid: number
  /** SIGTERM, and the end of it. */
  stop(): Promise<void>
  /** SIGKILL: the end of it, without a word. */
  kill(): Promise<void>
}

/** The built `dap serve` in a folder, on a port of its own. */
export async function startServer(cwd: string, ...words: readonly string[]): Promise<ServerProcess> {
  const child = execa(process.execPath, [bin, 'serve', ...PATIENT, '--poll-ms', '50', ...words], {
    cwd,
    reject: false,
    stdin: 'ignore',
  })
  const url = await new Promise<string>((done, fail) => {
    let said = ''
    child.stderr.on('data', data => {
      said += data
      const line = said.split('\n').find(each => each.includes('"listening"') && each.endsWith('}'))
      if (line !== undefined) done((JSON.parse(line) as { url: string }).url)
    })
    child.then(() => fail(new Error(`the server did not start: ${said}`)), fail)
  })
  return {
    url,
    pid: child.pid as number,
    async stop() {
      child.kill('SIGTERM')
      await child
    },
    async kill() {
      child.kill('SIGKILL')
      await child
    },
  }
}

/** The whole lines of a log's folder, as they are. */
export async function wholeLines(folder: string, stream: 'decisions' | 'rewards'): Promise<string[]> {
  const files = (await readdir(folder)).filter(file => file.startsWith(stream)).sort()
  const texts = await Promise.all(files.map(file => readFile(join(folder, file), 'utf8')))
  return texts.flatMap(text => text.split('\n').slice(0, -1))
}
