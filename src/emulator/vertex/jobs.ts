import { type JsonObject, RpcError } from '../ports.ts'
import { CODES } from '../rules.ts'
import type { OperationDoc } from '../state.ts'
import { newId, now, type Timing, type World } from './world.ts'

/** How the operations of one method run. */
export interface Job {
  /** Message of the operation's metadata. */
  readonly metadata: string
  steps(timing: Timing): readonly Step[]
  /** Writes what has been done, at once and whole; the result is the message that the operation answers with. */
  finish(world: World, operation: OperationDoc): JsonObject
  /** Undoes what steps have done outside the state, after a failure or a cancellation. */
  undo?(world: World, operation: OperationDoc): Promise<void>
}

export interface Step {
  readonly stage?: string
  readonly ms: number
  /** After that time; done again when the emulator is restarted later. */
  run?(world: World, operation: OperationDoc): Promise<void>
}

/** A request that was accepted: what is to be done to what. */
export interface Submission {
  readonly target: string
  readonly work: JsonObject
}

/** Runs operations; they outlive the process, since each can go on from its document. */
export interface Jobs {
  begin(method: string, submission: Submission, how: { readonly factor: number; readonly fault?: string }): OperationDoc
  /** Goes on with all that are not done. */
  resume(): void
  /** Ends it after the step that runs, with the error CANCELLED. */
  cancel(operation: OperationDoc): void
  /** Resolves when the operation is done, or after that many ms. */
  settled(name: string, ms: number): Promise<void>
  stop(): void
}

/** As many operations are remembered; of more, the oldest that are done are forgotten. */
const REMEMBERED = 2000

export function openJobs(world: World, jobs: Readonly<Record<string, Job>>, save: () => Promise<void>): Jobs {
  const { operations } = world.state
  const waiting = new Map<string, Set<() => void>>()
  const timers = new Set<() => void>()
  let stopped = false

  const write = (name: string, change: Partial<OperationDoc>): OperationDoc => {
    const operation = { ...(operations.get(name) as OperationDoc), ...change, updateTime: now(world) }
    operations.set(name, operation)
    return operation
  }
  const end = (name: string, change: Partial<OperationDoc>) => {
    write(name, { ...change, work: {}, done: true })
    // Nobody waits for this; a call waits for a save of its own, and says what is wrong with it. Stages are not worth one: after a kill
    // an operation begins anew.
    save().catch(() => {})
    for (const call of waiting.get(name) ?? []) call()
    waiting.delete(name)
  }
  const sleep = (ms: number) =>
    new Promise<void>(resolve => {
      const cancel = world.clock.after(ms, () => {
        timers.delete(cancel)
        resolve()
      })
      timers.add(cancel)
    })
  // rule: operation-cancel
  const checkCancelled = (name: string) => {
    if (operations.get(name)?.cancelling) throw new RpcError(CODES.CANCELLED, 'The operation was cancelled.')
  }

  async function run(name: string): Promise<void> {
    const operation = operations.get(name) as OperationDoc
    const job = jobs[operation.method]
    const steps = job.steps(world.timing)
    // What a step did outside the state is gone after a restart, so it is done again. rule: operation-resume
    const first = steps.findIndex((step, i) => i >= operation.step || step.run !== undefined)
    const ended = (stage: string) => steps[0].stage && stage
    try {
      for (let step = first; step < steps.length; step++) {
        const current = write(name, { step, stage: steps[step].stage })
        await sleep(steps[step].ms * operation.factor)
        if (stopped) return
        checkCancelled(name)
        await steps[step].run?.(world, current)
        if (stopped) return await job.undo?.(world, operation)
        checkCancelled(name)
      }
      end(name, { response: job.finish(world, operation), stage: ended('SUCCESSFULLY_DEPLOYED') })
    } catch (cause) {
      await job.undo?.(world, operation)
      if (stopped) return
      const cancelled = operations.get(name)?.cancelling
      end(name, { error: failure(cause), stage: ended(cancelled ? 'DEPLOYMENT_TERMINATED' : 'FAILED_TO_DEPLOY') })
    }
  }

  return {
    begin(method, { target, work }, { factor, fault }) {
      const name = `${target}/operations/${newId(world, 19)}`
      const time = now(world)
      const steps = jobs[method].steps(world.timing)
      const operation: OperationDoc = {
        name,
        method,
        target,
        work,
        createTime: time,
        updateTime: time,
        step: 0,
        ...(steps[0].stage && { stage: steps[0].stage }),
        done: false,
        factor,
        ...(fault && { fault }),
      }
      operations.set(name, operation)
      forget(operations)
      void run(name)
      return operations.get(name) as OperationDoc
    },
    resume() {
      for (const operation of [...operations.values()]) if (!operation.done) void run(operation.name)
    },
    cancel({ name, done }) {
      if (!done) write(name, { cancelling: true })
    },
    settled(name, ms) {
      if (operations.get(name)?.done !== false) return Promise.resolve()
      const calls = waiting.get(name) ?? new Set()
      waiting.set(name, calls)
      return Promise.race([new Promise<void>(resolve => calls.add(resolve)), sleep(ms)])
    },
    stop() {
      stopped = true
      for (const cancel of timers) cancel()
      for (const calls of waiting.values()) for (const call of calls) call()
    },
  }
}

function forget(operations: Map<string, OperationDoc>): void {
  if (operations.size <= REMEMBERED) return
  for (const [name, { done }] of operations)
    if (done) {
      operations.delete(name)
      return
    }
}

/** rule: operation-error */
function failure(cause: unknown): JsonObject {
  const { message } = cause as Error
  if (cause instanceof RpcError) return { code: cause.code, message, details: cause.details }
  return { code: CODES.INTERNAL, message: `Internal error of the emulator: ${message}` }
}
