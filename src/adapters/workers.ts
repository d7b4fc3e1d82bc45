import { Worker } from 'node:worker_threads'
import { DapError, InterruptedError } from '../errors.ts'
import type { PlayInWorkers } from '../host.ts'
import type { Replications } from '../simulate/replicate.ts'

type Answer = { readonly part: Replications } | { readonly message: string; readonly hint?: string }

/** Worker threads that play replications; `entry` is what they run. An abort of `signal` ends them at once. */
export function simulationWorkers(entry: URL, signal: AbortSignal): PlayInWorkers {
  return async (plan, { workers, batch }, onPart) => {
    const { replications } = plan.scenario.spec
    const parts: Replications[] = []
    const threads: Worker[] = []
    let next = 0

    const work = () =>
      new Promise<void>((done, fail) => {
        const thread = new Worker(entry, { workerData: plan })
        threads.push(thread)
        const ask = () => {
          if (next >= replications) return done()
          const from = next
          next = Math.min(replications, from + batch)
          thread.postMessage({ from, to: next })
        }
        thread.on('message', (answer: Answer) => {
          if ('message' in answer) return fail(new DapError(answer.message, { hint: answer.hint }))
          parts.push(answer.part)
          onPart(answer.part)
          ask()
        })
        thread.on('error', fail)
        signal.addEventListener('abort', () => fail(new InterruptedError()), { once: true })
        ask()
      })

    try {
      await Promise.all(Array.from({ length: workers }, work))
      return parts
    } finally {
      await Promise.all(threads.map(thread => thread.terminate()))
    }
  }
}
