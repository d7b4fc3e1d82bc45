import type { Diagnostic } from '../../diagnostics.ts'
import type { Host } from '../../host.ts'
import type { Opened } from '../opening/repository.ts'

/** What running the parity rows of every Model shows; the runtime is loaded where there are any. */
export async function parityDiagnostics(host: Host, opened: Opened): Promise<Diagnostic[]> {
  const diagnostics: Diagnostic[] = []
  for (const model of opened.repository.all('Model')) {
    if (model.spec.parity === undefined) continue
    const { parityFaultsOf, parityOf } = await import('../opening/parity.ts')
    const parity = await parityOf(host, opened, model)
    if (parity !== undefined) diagnostics.push(...(await parityFaultsOf(opened, model, parity)))
  }
  return diagnostics
}
