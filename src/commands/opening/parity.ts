import type { Diagnostic } from '../../diagnostics.ts'
import { DapError, InstallationError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { type ParityReport, parityFaults, runParity } from '../../models/parity.ts'
import { ModelFailure } from '../../models/runtime.ts'
import { BATCH_HINT } from '../../repo/models/read-model.ts'
import type { Resource } from '../../repo/resource.ts'
import { located } from './located.ts'
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

/** What is wrong with a Model by its parity rows, or why that is not known. */
export async function parityFaultsOf(
  opened: Opened,
  model: Resource<'Model'>,
  parity: Parity,
): Promise<readonly Diagnostic[]> {
  const { spec } = model
  if (spec.parity === undefined) return []
  if ('missing' in parity) {
    const message = `the rows of \`${spec.parity.file}\` were not run: \`onnxruntime-node\` is not installed`
    const { hint } = parity.missing
    return [
      await located(opened, model, { severity: 'warning', code: 'file', message, hint, path: ['spec', 'parity'] }),
    ]
  }
  if ('failed' in parity) {
    const { failed: message, hint = 'see that its rows are such as the model takes' } = parity
    return [await located(opened, model, { code: 'semantic', message, hint, path: ['spec', 'runtime', 'file'] })]
  }
  const diagnostics: Diagnostic[] = []
  for (const { kind, line, message } of parityFaults(parity.report, spec.parity.tolerance)) {
    if (kind === 'between') {
      const fault = { code: 'semantic', message, hint: BATCH_HINT, path: ['spec', 'runtime', 'file'] } as const
      diagnostics.push(await located(opened, model, fault))
    } else {
      const place = { file: spec.parity.file, line, column: 1, length: 1 }
      diagnostics.push({ severity: 'error', code: 'semantic', message, ...place, hint: EXPECTED_HINT })
    }
  }
  return diagnostics
}

const EXPECTED_HINT =
  'are the columns in the order of `inputs`, and is it this file that the rows were made with? Then write them anew'
