import type { Diagnostic } from '../../src/diagnostics.ts'
import { loadRepository } from '../../src/repo/repository.ts'
import { examplePolicy } from './policies.ts'

/** One line a diagnostic: `line:column code message | hint`, the file before it unless it is `file.yaml`. */
export async function diagnose(files: string | Readonly<Record<string, string>>): Promise<string[]> {
  const texts = typeof files === 'string' ? { 'file.yaml': files } : files
  const { diagnostics } = await loadRepository(Object.entries(texts).map(([path, text]) => ({ path, text })))
  return diagnostics.map(line)
}

export function line({ file, line, column, severity, code, message, hint }: Diagnostic): string {
  const place = `${file === 'file.yaml' ? '' : `${file}:`}${line}:${column}`
  return `${place} ${severity === 'warning' ? 'warning ' : ''}${code} ${message}${hint === undefined ? '' : ` | ${hint}`}`
}

/** The example policy with one piece of text replaced. */
export function policyWith(before: string, after: string): string {
  const text = examplePolicy(1)
  if (!text.includes(before)) throw new Error(`the example policy has no ${before}`)
  return text.replace(before, after)
}

/** A document from its kind, name and the lines of its spec. */
export function resource(kind: string, name: string, spec: string): string {
  const lines = spec.split('\n').map(text => `  ${text}`)
  return `apiVersion: dap/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n${lines.join('\n')}\n`
}
