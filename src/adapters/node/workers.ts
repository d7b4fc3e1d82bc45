import { type Transferable, Worker } from 'node:worker_threads'
import { DapError, InterruptedError } from '../../errors.ts'
import type { PlayInWorkers } from '../../host.ts'
import type { DecisionLog } from '../../log/rows/decision-log.ts'
import type { Replications } from '../../simulate/replicate.ts'
import type { Fold, Folded, FolderQuestion, PassAnswer, PassQuestion } from '../../train/fold.ts'

/** Worker threads that play replications; `entry` is what they run. An abort of `signal` ends them at once. */
export function simulationWorkers(entry: URL, signal: AbortSignal): PlayInWorkers {
  return async (plan, { workers, batch, files }, onPart) => {
    const { replications } = plan.scenario.spec
    const parts: Replications[] = []
    const threads = createThreads<Replications>(entry, { task: 'simulate', plan, files }, workers, signal)
    let next = 0
    try {
      await Promise.all(
        threads.map(async ({ ask }) => {
          while (next < replications) {
            const from = next
            next = Math.min(replications, from + batch)
            const part = await ask({ from, to: next })
            parts.push(part)
            onPart(part)
          }
        }),
      )
      return parts
    } finally {
      await end(threads)
    }
  }
}

/** Batches that a thread may have before it: one at work, one ready. */
const AHEAD = 2

/** Worker threads that fold batches of a log, and pass over them again: a batch stays with its thread. An abort of `signal` ends them at once. */
export function foldWorkers(entry: URL, workers: number, signal: AbortSignal): Fold {
  return (plan, batches) => {
    const threads = createThreads<unknown>(entry, { task: 'train', plan }, workers, signal)
    let count = 0

    /** What comes back for each question, in their order; the n-th is for the n-th thread. */
    async function* answers<Part>(
      questions: AsyncIterable<{ readonly asked: unknown; readonly transfer?: readonly Transferable[] }>,
    ): AsyncGenerator<Part> {
      const parts: Promise<Part>[] = []
      let n = 0
      for await (const { asked, transfer } of questions) {
        const part = threads[n++ % workers].ask(asked, transfer) as Promise<Part>
        // Awaited in its turn; until then nobody else is to take a failure for one that nobody handles.
        part.catch(() => {})
        parts.push(part)
        if (parts.length >= AHEAD * workers) yield (await parts.shift()) as Part
      }
      for (const part of parts) yield await part
    }

    async function* folded() {
      for await (const batch of batches) {
        count++
        yield { asked: batch, transfer: buffers(batch) }
      }
    }

    async function* batchNumbers(): AsyncGenerator<{ readonly asked: FolderQuestion }> {
      for (let n = 0; n < count; n++) yield { asked: { batch: Math.floor(n / workers) } }
    }

    return {
      [Symbol.asyncIterator]: () => answers<Folded>(folded()),
      async *pass<Q extends PassQuestion>(question: Q) {
        const begun: FolderQuestion = { question }
        await Promise.all(threads.map(({ ask }) => ask(begun)))
        yield* answers<PassAnswer<Q>>(batchNumbers())
      },
      end: () => end(threads),
    }
  }
}

/** What of a batch is handed over, not copied. */
function buffers({ row, action, propensity, reward, standsFor, columns }: DecisionLog): Transferable[] {
  const numbers = columns.flatMap(column => (column.type === 'number' ? [column.values] : []))
  return [row, action, propensity, reward, ...(standsFor === undefined ? [] : [standsFor]), ...numbers].map(
    ({ buffer }) => buffer as ArrayBuffer,
  )
}

interface Thread<Part> {
  /** Answers come in the order of the questions. */
  ask(question: unknown, transfer?: readonly Transferable[]): Promise<Part>
  end(): Promise<unknown>
}

type Answer<Part> = { readonly part: Part } | { readonly message: string; readonly hint?: string }

function createThreads<Part>(entry: URL, task: unknown, count: number, signal: AbortSignal): Thread<Part>[] {
  return Array.from({ length: count }, () => {
    const worker = new Worker(entry, { workerData: task })
    const waiting: { done(part: Part): void; fail(error: unknown): void }[] = []
    let failure: unknown
    const failAll = (error: unknown) => {
      failure = error
      for (const { fail } of waiting.splice(0)) fail(error)
    }
    const interrupt = () => failAll(new InterruptedError())
    worker.on('message', (answer: Answer<Part>) => {
      const asked = waiting.shift()
      if ('part' in answer) asked?.done(answer.part)
      else asked?.fail(new DapError(answer.message, { hint: answer.hint }))
    })
    worker.on('error', failAll)
    signal.addEventListener('abort', interrupt, { once: true })
    return {
      ask: (question, transfer = []) =>
        new Promise<Part>((done, fail) => {
          if (failure !== undefined || signal.aborted) return fail(failure ?? new InterruptedError())
          waiting.push({ done, fail })
          worker.postMessage(question, transfer)
        }),
      end() {
        signal.removeEventListener('abort', interrupt)
        return worker.terminate()
      },
    }
  })
}

async function end(threads: readonly Thread<unknown>[]): Promise<void> {
  await Promise.all(threads.map(thread => thread.end()))
}
