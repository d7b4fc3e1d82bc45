import { DapError, InstallationError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { type ParityReport, runParity } from '../../models/parity.ts'
import { ModelFailure } from '../../models/runtime.ts'
import type { Resource } from '../../repo/resource.ts'
import { dataFile, type Opened } from './repository.ts'

/** What became of running the rows of a Model whose outputs are known. */
export type Parity =
  /** `about`: the runtime. */
  | { readonly about: string; readonly report: ParityReport; readonly seconds: number }
  /** The runtime is not installed: nothing is known. */
  | { readonly missing: InstallationError }
  /** It does not load, or does not run. */
  | { readonly failed: string; readonly hint?: string }

/** Runs the parity rows of a Model of ONNX whose files have no faults; undefined where it has none, and of a model on a server, which is not asked. */
export async function parityOf(host: Host, opened: Opened, model: Resource<'Model'>): Promise<Parity | undefined> {
  const { spec } = model
  const { rows, faults, cells } = await opened.readers.readModel(model)
  if (spec.runtime.type !== 'onnx' || rows === undefined || faults.length + cells.length > 0) return undefined
  const path = await dataFile(host, opened, spec.runtime.file)
  const started = host.now()
  try {
    const runtime = await (await host.models()).open(spec, async () => host.files.bytes(path))
    try {
      const report = await runParity(spec, rows, runtime, host.signal)
      return { about: runtime.about, report, seconds: (host.now() - started) / 1000 }
    } finally {
      await runtime.close()
    }
  } catch (error) {
    if (error instanceof InstallationError) return { missing: error }
    if (error instanceof ModelFailure) return { failed: `the model fails: ${error.message}` }
    if (!(error instanceof DapError)) throw error
    return { failed: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }
  }
}
