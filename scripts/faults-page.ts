/** The page of what commands can find wrong: `docs/reference/faults.md`, which every rule of a SARIF file leads to. */
import { DIAGNOSTIC_HINTS, RESULT_RULES } from '../src/ui/formats/rule-texts.ts'
import { LOG_FAULT_HINTS } from '../src/ui/log-hints.ts'
import { NOTE, prose, wrapped } from './markdown.ts'
import { definition } from './names.ts'
import type { Schemas } from './schema-files.ts'

const ABOUT =
  'What `validate`, `log check`, `simulate`, `evaluate` and `plan` can find, under the ids that it has in ' +
  '[SARIF, JUnit and annotations](../formats.md). Ids stay: they can be counted and silenced by.'

export function faultsPage(schemas: Schemas): string {
  const texts = (ref: string, hints: Readonly<Record<string, string>>, prefix: string) =>
    (definition(ref, schemas).oneOf ?? []).map(({ const: code, description = '' }) =>
      section(`${prefix}${code}`, description, hints[String(code)]),
    )
  return `${[
    NOTE,
    '# What can be wrong',
    wrapped(ABOUT),
    '[All pages](README.md)',
    '## Files',
    'Diagnostics of `dap validate`, and of every command that reads a repository.',
    ...texts('validation-result.schema.json#/$defs/DiagnosticCode', DIAGNOSTIC_HINTS, ''),
    '## Logs',
    'Faults of records that `dap log check` finds. There the codes stand without `log-`.',
    ...texts('log-check-result.schema.json#/$defs/LogFaultCode', LOG_FAULT_HINTS, 'log-'),
    '## Results',
    'What a command finds that reads files without a fault.',
    ...Object.entries(RESULT_RULES).map(([id, { text, help }]) => section(id, text, help)),
  ].join('\n\n')}\n`
}

const section = (id: string, text: string, help: string) =>
  `### ${id}\n\n${wrapped(prose(text))}\n\n${wrapped(`What to do: ${prose(help)}.`)}`
