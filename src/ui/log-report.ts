import type { FileErrors, LogCheckResult } from '../log/check/check.ts'
import type { Case, Finding, Report } from './formats/report.ts'
import { logSummary, NO_DECISION } from './log-check.ts'
import { LOG_FAULT_HINTS } from './log-hints.ts'
import { plural } from './numbers.ts'

/** A case for each file, with the first faults of each kind, and how many more it has of those that make it fail. */
export function logReport(
  result: LogCheckResult,
  folder: string,
  files: readonly string[],
  errors: FileErrors,
): Report {
  const suite = 'log'
  const cases: Case[] = files.map(file => ({ suite, name: file, findings: findingsIn(file, result, errors) }))
  if (result.decisions === 0) {
    cases.push({ suite, name: 'decisions', findings: [{ rule: 'log-empty', level: 'error', message: NO_DECISION }] })
  }
  return { summary: logSummary(result), folder, cases }
}

function findingsIn(file: string, { faults }: LogCheckResult, errors: FileErrors): Finding[] {
  return faults.flatMap(({ code, severity: level, examples }) => {
    const shown = examples.filter(each => each.file === file)
    const more = (errors.get(file)?.get(code) ?? shown.length) - shown.length
    const finding = (message: string, place: Finding['place']): Finding => ({
      rule: `log-${code}`,
      level,
      message,
      hint: LOG_FAULT_HINTS[code],
      place,
    })
    return [
      ...shown.map(({ row, message }) => finding(message, { file, region: { line: row } })),
      ...(more > 0
        ? [finding(`${plural(more, 'record')}${shown.length > 0 ? ' more' : ''} with this fault`, { file })]
        : []),
    ]
  })
}
