import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Fault } from './faults.ts'
import type { Answer, Order, Outcome } from './runner.ts'

/** A fault that ends the process has been noticed. */
const DEATH: Outcome = { kind: 'failed', file: 'the end of the process', test: '' }

const LEFT_OUT = ['.git', 'node_modules', 'coverage']

/** A copy of the project in which faults are made and tests run. The project itself is only read. */
export interface Workshop {
  /** Runs tests on the code as it is. */
  run(tests: Order['tests']): Promise<Outcome>
  /** Runs them on the code with a fault, which is gone afterwards. */
  runWith(fault: Fault, tests: Order['tests']): Promise<Outcome>
  /** Ends what runs and removes the copy. */
  remove(): void
}

export function openWorkshop(root: string, workers: number): Workshop {
  const copy = mkdtempSync(join(tmpdir(), 'dap-mutations-'))
  cpSync(root, copy, {
    recursive: true,
    filter: path => !(dirname(path) === root && LEFT_OUT.includes(basename(path))),
  })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const temporary = join(copy, '.tmp')
  mkdirSync(temporary)
  let runner: ChildProcess | undefined

  async function start(): Promise<ChildProcess> {
    const child = fork(join(copy, 'bench/mutations/runner.ts'), {
      cwd: copy,
      // A group of its own, so that it can be ended with everything that the tests started.
      detached: true,
      env: { ...process.env, TMPDIR: temporary, MUTATION_WORKERS: String(workers) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const [ready] = await Promise.race([once(child, 'message'), once(child, 'exit')])
    if (ready !== 'ready') throw new Error('the process that runs tests does not start')
    return child
  }

  function stop(): void {
    const runs = runner?.exitCode === null && runner.signalCode === null
    if (runs) process.kill(-runner!.pid!, 'SIGKILL')
    runner = undefined
  }

  async function run(order: Order): Promise<Outcome> {
    runner ??= await start()
    runner.send(order)
    const { outcome, stuck } = await answerOf(runner)
    if (stuck) stop()
    return outcome
  }

  return {
    run: tests => run({ tests }),
    async runWith({ file, start, end, replacement }, tests) {
      const path = join(copy, file)
      const text = readFileSync(path, 'utf8')
      writeFileSync(path, text.slice(0, start) + replacement + text.slice(end))
      try {
        const order = { changed: file, tests }
        const outcome = await run(order)
        // DuckDB may end the process when a thread with a running query is cut off: whatever did it must do it again.
        return outcome === DEATH ? await run(order) : outcome
      } finally {
        writeFileSync(path, text)
      }
    },
    remove() {
      stop()
      rmSync(copy, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** What a runner says next; its end is an answer, too. */
async function answerOf(runner: ChildProcess): Promise<Answer> {
  const heard = new AbortController()
  const { signal } = heard
  try {
    return await Promise.race([
      once(runner, 'message', { signal }).then(([answer]) => answer as Answer),
      once(runner, 'exit', { signal }).then(() => ({ outcome: DEATH, stuck: true })),
    ])
  } finally {
    heard.abort()
  }
}
