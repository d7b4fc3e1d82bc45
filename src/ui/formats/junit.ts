/** JUnit's XML as Jenkins, GitLab and others read it: of the shape of Jenkins' `junit-10.xsd`. */

import { placeText } from './place.ts'
import { type Case, type Finding, outcomeOf, type Report } from './report.ts'

export function junit({ cases }: Report, command: string): string {
  const suites = new Map<string, Case[]>()
  for (const each of cases) suites.set(each.suite, [...(suites.get(each.suite) ?? []), each])
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: `dap ${command}`, ...counts(cases, 'tests', 'failures', 'errors') })}>`,
    ...[...suites].flatMap(([name, members]) => [
      `  <testsuite ${attributes({ name, ...counts(members, 'tests', 'failures', 'errors', 'skipped') })}>`,
      ...members.map(caseText),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n')
}

const OUTCOMES = { failures: 'failed', errors: 'error', skipped: 'skipped' } as const

function counts(
  cases: readonly Case[],
  ...names: readonly ('tests' | keyof typeof OUTCOMES)[]
): Record<string, string> {
  const count = (name: (typeof names)[number]) =>
    name === 'tests' ? cases.length : cases.filter(each => outcomeOf(each) === OUTCOMES[name]).length
  return Object.fromEntries(names.map(name => [name, String(count(name))]))
}

function caseText(each: Case): string {
  const head = `    <testcase ${attributes({ name: each.name, classname: each.suite })}`
  const inside = insideOf(each)
  return inside === '' ? `${head}/>` : `${head}>\n      ${inside}\n    </testcase>`
}

function insideOf(each: Case): string {
  const { findings, skipped } = each
  if (skipped !== undefined) return `<skipped ${attributes({ message: skipped })}/>`
  if (findings.length === 0) return ''
  const said = xml(findings.map(findingText).join('\n'))
  const outcome = outcomeOf(each)
  if (outcome === 'passed') return `<system-out>${said}</system-out>`
  const [{ message, rule }, ...more] = findings.filter(({ level }) => level === 'error')
  const about = attributes({
    message: more.length === 0 ? message : `${message} (and ${more.length} more)`,
    type: rule,
  })
  const element = outcome === 'error' ? 'error' : 'failure'
  return `<${element} ${about}>${said}</${element}>`
}

function findingText({ rule, level, message, hint, place }: Finding): string {
  const where = place === undefined ? '' : `${placeText(place)}: `
  return `${where}${level}: ${message} [${rule}]${hint === undefined ? '' : `\n  hint: ${hint}`}`
}

const attributes = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `${name}="${xml(value).replace(/[\t\n\r]/g, sign => `&#${sign.charCodeAt(0)};`)}"`)
    .join(' ')

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#13;',
}

/** What XML 1.0 has no way to say, such as control characters and halves of a pair, is made visible. */
const xml = (text: string) =>
  text
    .replace(
      /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu,
      char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    .replace(/[&<>"'\r]/g, sign => ENTITIES[sign])
