import { cleaned } from '../cloud.ts'
import { code, folded, html, MAX_CHARACTERS, prose, row, upTo } from '../markdown.ts'
import { placeText } from './place.ts'
import { type Case, type Finding, findingsOf, type Outcome, outcomeOf, type Report } from './report.ts'

/** For a step's summary or a comment: what failed first, then what passed, folded. */
export function markdown(untrusted: Report, command: string): string {
  const report = cleaned(untrusted)
  const { summary, cases } = report
  const findings = findingsOf(report)
  const head = `### ${prose(`dap ${command}`)}: ${prose(summary)}`
  const left = (MAX_CHARACTERS - head.length) / 2
  const found = findings.length === 0 ? [] : [tableOf(['', 'where', 'what'], findings.map(findingRow), left)]
  const all =
    cases.length === 0 ? [] : [folded(html(tally(cases)), [tableOf(['', 'of', 'case'], cases.map(caseRow), left)])]
  return `${[head, ...found, ...all].join('\n\n')}\n`
}

const SIGNS: Readonly<Record<Outcome, string>> = { passed: '✓', failed: '✗', error: '✗', skipped: '–' }

const caseRow = (each: Case) => {
  const why = each.skipped === undefined ? '' : `: ${prose(each.skipped)}`
  return row(SIGNS[outcomeOf(each)], code(each.suite), `${code(each.name)}${why}`)
}

function findingRow({ level, rule, message, hint, place, of }: Finding & { readonly of: Case }): string {
  const where = place === undefined ? `${of.suite}: ${of.name}` : placeText(place)
  const what = `${prose(message)} ${code(rule)}${hint === undefined ? '' : `<br>hint: ${prose(hint)}`}`
  return row(level === 'error' ? '✗' : '⚠', code(where), what)
}

/** `12 passed, 1 failed` */
function tally(cases: readonly Case[]): string {
  const words = { passed: 'passed', failed: 'failed', error: 'broke off', skipped: 'skipped' }
  return Object.entries(words)
    .map(([outcome, word]) => [cases.filter(each => outcomeOf(each) === outcome).length, word] as const)
    .flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`]))
    .join(', ')
}

function tableOf(titles: readonly string[], rows: readonly string[], characters: number): string {
  const rest = (more: number) => row('…', '', `${more} more are in the other formats.`)
  return [row(...titles), `|${'---|'.repeat(titles.length)}`, upTo(characters, rows, '\n', rest)].join('\n')
}
