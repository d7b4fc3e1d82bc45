import type { Diagnostic } from '../../diagnostics.ts'
import type { Fault } from '../../repo/fault.ts'
import type { Resource } from '../../repo/resource.ts'
import type { Opened } from './repository.ts'

/** A fault of a resource that was found after the repository was loaded, at its place. */
export async function located(
  { sources }: Opened,
  { file, index }: Resource,
  fault: Omit<Fault, 'written' | 'mend'>,
): Promise<Diagnostic> {
  const { createLocator } = await import('../../repo/locate.ts')
  const { text = '' } = sources.find(source => source.path === file) ?? {}
  const { line, column, length } = createLocator(text).fault(index, fault)
  const { severity = 'error', code, message, hint } = fault
  return { severity, code, message, file, line, column, length, ...(hint === undefined ? {} : { hint }) }
}
