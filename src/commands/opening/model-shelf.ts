import { basename, join } from 'node:path'
import { DapError, messageOf } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { guarded, type Timers } from '../../models/guard.ts'
import { type OpenModel, openModel, type Runs } from '../../models/open-model.ts'
import { ModelFailure } from '../../models/runtime.ts'
import { canonicalJson } from '../../policy/digest.ts'
import { milliseconds } from '../../policy/duration.ts'
import type { Policy } from '../../policy/policy.ts'

const TIMERS: Timers = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** So long a model may take for its first answers. */
const WARM_MS = 30_000

/** Opens the Models of policies, each runtime once as long as somebody uses it. */
export interface ModelShelf {
  /**
   * The Model that the policy names, opened and warm; undefined where it names none. A DapError where it cannot be run. One that a server has may not
   * answer yet: it is opened all the same, and `heard` says so.
   * @param find The path of a file that a Model names, or a DapError.
   */
  open(policy: Policy, find: (file: string) => Promise<string>): Promise<OpenModel | undefined>
  /** Closes what nobody has opened since the last time that this was asked. */
  settle(): Promise<void>
  close(): Promise<void>
}

export function createModelShelf(host: Host): ModelShelf {
  const runtimes = new Map<string, { readonly runs: Promise<Runs>; uses: number }>()

  async function runtimeOf(policy: Policy, find: (file: string) => Promise<string>): Promise<Runs> {
    const { runtime, output, name, timeout } = policy.spec.scorer!
    const key = canonicalJson({ runtime, output, timeout })
    let held = runtimes.get(key)
    if (held === undefined) {
      const opened = (async () => {
        const own = await (await host.models()).open({ runtime, output }, () => bytesOf(host, runtime, find))
        return { runtime: own, guard: guarded(own, milliseconds(timeout), TIMERS) }
      })()
      held = { runs: opened, uses: 0 }
      runtimes.set(key, held)
    }
    held.uses++
    try {
      return await held.runs
    } catch (error) {
      runtimes.delete(key)
      if (!(error instanceof DapError)) throw error
      throw new DapError(`the Model \`${name}\` cannot be used: ${error.message}`, { hint: error.hint, cause: error })
    }
  }

  return {
    async open(policy, find) {
      const { scorer } = policy.spec
      if (scorer === undefined) return undefined
      const model = openModel(policy, await runtimeOf(policy, find), TIMERS)
      try {
        await model.warmUp(AbortSignal.any([host.signal, AbortSignal.timeout(WARM_MS)]))
      } catch (error) {
        if (!(error instanceof ModelFailure)) throw error
        if (scorer.runtime.type === 'onnx') {
          throw new DapError(`the Model \`${scorer.name}\` does not score: ${messageOf(error)}`, {
            hint: `\`dap model check ${scorer.name}\` compares its inputs and its output with what the file has`,
          })
        }
      }
      return model
    },
    async settle() {
      for (const [key, held] of runtimes) {
        if (held.uses === 0) {
          runtimes.delete(key)
          await (await held.runs).runtime.close()
        } else held.uses = 0
      }
    },
    async close() {
      for (const { runs } of runtimes.values()) await (await runs).runtime.close()
      runtimes.clear()
    },
  }
}

/** Where the file of a Model is in the folder of a bundle. */
export const bundledModel = (file: string): string => join('models', basename(file))

async function bytesOf(
  host: Host,
  runtime: NonNullable<Policy['spec']['scorer']>['runtime'],
  find: (file: string) => Promise<string>,
): Promise<Uint8Array> {
  if (runtime.type !== 'onnx') throw new Error('a server has no file')
  return host.files.bytes(await find(runtime.file))
}
