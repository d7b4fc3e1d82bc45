import type { Diagnostic } from '../../diagnostics.ts'
import type { Host } from '../../host.ts'
import type { Resource } from '../../repo/resource.ts'
import type { Parity } from '../opening/parity.ts'
import type { Opened } from '../opening/repository.ts'
import { located } from './located.ts'

/** What running the parity rows of every Model shows; the runtime is loaded where there are any. */
export async function parityDiagnostics(host: Host, opened: Opened): Promise<Diagnostic[]> {
  const diagnostics: Diagnostic[] = []
  for (const model of opened.repository.all('Model')) {
    if (model.spec.parity === undefined) continue
    const { parityOf } = await import('../opening/parity.ts')
    const parity = await parityOf(host, opened, model)
    if (parity !== undefined) diagnostics.push(...(await faultsOfParity(opened, model, parity)))
  }
  return diagnostics
}

/** What is wrong with a Model by its parity rows, or why that is not known. */
async function faultsOfParity(
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
  const { parityFaults } = await import('../../models/parity.ts')
  const { BATCH_HINT } = await import('../../repo/models/read-model.ts')
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
