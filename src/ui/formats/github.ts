/** Workflow commands of GitHub Actions, which show findings on the lines of a pull request. */
import { printable } from '../../diagnostics.ts'
import { plural } from '../numbers.ts'
import { type Finding, findingsOf, type Report } from './report.ts'

/** GitHub shows so many errors of a step, and so many warnings. */
const SHOWN = 10

/** A line for each finding, errors first; and one with the summary, since GitHub shows but the first ten of each level. */
export function github(report: Report, command: string): string {
  const findings = findingsOf(report)
  const beyond = (['error', 'warning'] as const).flatMap(level => {
    const more = findings.filter(each => each.level === level).length - SHOWN
    return more > 0 ? [plural(more, level)] : []
  })
  const rest = beyond.length === 0 ? '' : `; ${beyond.join(' and ')} more in the log of this step`
  const notice = annotation('notice', { title: `dap ${command}` }, `${report.summary}${rest}`)
  return `${[...findings.map(finding => findingLine(finding)), notice].join('\n')}\n`
}

function findingLine({ rule, level, message, hint, place }: Finding): string {
  const { line, column, length = 0 } = place?.region ?? {}
  const properties = {
    file: place?.file,
    line,
    endLine: line,
    col: column,
    endColumn: column === undefined ? undefined : column + length,
    title: `dap: ${rule}`,
  }
  return annotation(level, properties, hint === undefined ? message : `${message}\nhint: ${hint}`)
}

function annotation(
  level: 'error' | 'warning' | 'notice',
  properties: Readonly<Record<string, string | number | undefined>>,
  message: string,
): string {
  const said = Object.entries(properties).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${escaped(String(value)).replaceAll(':', '%3A').replaceAll(',', '%2C')}`],
  )
  return `::${level} ${said.join(',')}::${escaped(printable(message))}`
}

const escaped = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
