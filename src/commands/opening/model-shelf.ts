import { basename, join } from 'node:path'
import { DapError, messageOf } from '../../errors.ts'
import type { Host, ModelFiles } from '../../host.ts'
import type { PolicySpec, Scorer } from '../../kinds.ts'
import { guarded, type Timers } from '../../models/guard.ts'
import { type OpenModel, openModel, type Runs } from '../../models/open-model.ts'
import { ModelFailure, type Runtime } from '../../models/runtime.ts'
import { canonicalJson } from '../../policy/digest.ts'
import { milliseconds } from '../../policy/duration.ts'
import type { Policy } from '../../policy/policy.ts'
import { dataFile, type Opened } from './repository.ts'

const TIMERS: Timers = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** So long a model may take for its first answers. */
const WARM_MS = 30_000

/** Opens the Models of policies, each runtime once as long as somebody has it open. */
export interface ModelShelf {
  /**
   * The Model that the policy names, opened and warm; undefined where it names none. A DapError where it cannot be run. One that a server has may not
   * answer yet: it is opened all the same, and `heard` says so.
   * @param find The path of a file that a Model names, or a DapError.
   */
  open(policy: Policy, find: Find): Promise<OpenModel | undefined>
}

export function createModelShelf(host: Host): ModelShelf {
  const held = new Map<string, { readonly runs: Promise<Runs>; users: number }>()

  return {
    async open(policy, find) {
      const { scorer } = policy.spec
      if (scorer === undefined) return undefined
      const { runtime, inputs, output, timeout } = scorer
      const key = canonicalJson({ runtime, inputs, output, timeout })
      const made = async () => {
        const own = await openRuntime(host, policy, find)
        return { runtime: own, guard: guarded(own, milliseconds(timeout), TIMERS), heard: false }
      }
      const shared = held.get(key) ?? { runs: made(), users: 0 }
      held.set(key, shared)
      shared.users++
      const release = async () => {
        if (--shared.users > 0) return
        held.delete(key)
        await (await shared.runs).runtime.close()
      }
      const runs = await shared.runs.catch(error => {
        held.delete(key)
        throw error
      })
      const model = openModel(policy, runs, TIMERS, release)
      if (runs.heard) return model
      try {
        await model.warmUp(AbortSignal.any([host.signal, AbortSignal.timeout(WARM_MS)]))
      } catch (error) {
        if (!(error instanceof ModelFailure)) throw error
        if (runtime.type === 'onnx') {
          await model.close()
          throw new DapError(`the Model \`${scorer.name}\` does not score: ${messageOf(error)}`, {
            hint: `\`dap model check ${scorer.name}\` compares its inputs and its output with what the file has`,
          })
        }
      }
      return model
    },
  }
}

/** What runs Models for whoever scores many decisions at once, as simulations and evaluations do: each is opened when it is first asked for. */
export interface Runtimes {
  open(policy: Policy): Promise<Runtime>
  close(): Promise<void>
}

export function createRuntimes(host: Host, opened: Opened): Runtimes {
  const known = new Map<string, Promise<Runtime>>()
  return {
    open(policy) {
      const { runtime: where, output } = policy.spec.scorer ?? {}
      const key = canonicalJson({ where, output })
      const runtime = known.get(key) ?? openRuntime(host, policy, file => dataFile(host, opened, file))
      known.set(key, runtime)
      return runtime
    },
    async close() {
      for (const each of await Promise.allSettled(known.values())) {
        if (each.status === 'fulfilled') await each.value.close()
      }
      known.clear()
    },
  }
}

/** The files of the Models of policies, for threads that open them by themselves. */
export async function modelFiles(host: Host, opened: Opened, specs: readonly PolicySpec[]): Promise<ModelFiles> {
  const files = new Map<string, Uint8Array>()
  for (const { scorer } of specs) {
    if (scorer?.runtime.type !== 'onnx' || files.has(scorer.digest)) continue
    files.set(scorer.digest, await host.files.bytes(await dataFile(host, opened, scorer.runtime.file)))
  }
  return files
}

async function openRuntime(host: Host, policy: Policy, find: Find): Promise<Runtime> {
  const { scorer } = policy.spec
  if (scorer === undefined) throw new RangeError(`the policy \`${policy.name}\` has no Model`)
  const { name, runtime, output } = scorer
  try {
    return await (await host.models()).open({ runtime, output }, () => bytesOf(host, runtime, find))
  } catch (error) {
    if (!(error instanceof DapError)) throw error
    throw new DapError(`the Model \`${name}\` cannot be used: ${error.message}`, { hint: error.hint, cause: error })
  }
}

/** Where the file of a Model is in the folder of a bundle. */
export const bundledModel = (file: string): string => join('models', basename(file))

type Find = (file: string) => Promise<string>

async function bytesOf(host: Host, runtime: Scorer['runtime'], find: Find): Promise<Uint8Array> {
  if (runtime.type !== 'onnx') throw new Error('a server has no file')
  return host.files.bytes(await find(runtime.file))
}
