/** What each code of a diagnostic and of a log's fault means, as the schemas say it: for formats that describe what they found. */
import { definition } from './names.ts'
import type { Schemas } from './schema-files.ts'

/** Constant → the definition whose values it describes. */
const TABLES: Readonly<Record<string, string>> = {
  DIAGNOSTIC_TEXTS: 'validation-result.schema.json#/$defs/DiagnosticCode',
  LOG_FAULT_TEXTS: 'log-check-result.schema.json#/$defs/LogFaultCode',
}

export function faultTextsOf(schemas: Schemas): string {
  return Object.entries(TABLES)
    .map(([name, ref]) => {
      const texts = (definition(ref, schemas).oneOf ?? []).map(each => [each.const, each.description])
      return `export const ${name} = ${JSON.stringify(Object.fromEntries(texts))} as const\n`
    })
    .join('')
}
