/** SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/ (sections by number below). */
import { hash } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Finding, type FindingPlace, findingsOf, outcomeOf, type Report } from './report.ts'
import { RULES, type RuleId, ruleUri } from './rules.ts'

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'

/** What files are relative to: wherever the reader has checked the repository out (3.14.14). */
const ROOT = '%SRCROOT%'

/** `version` is dap's own. */
export function sarif(report: Report, command: string, version: string): string {
  const ids = Object.keys(RULES) as RuleId[]
  const findings = findingsOf(report)
  const seen = new Map<string, number>()
  const results = findings
    .filter(({ place }) => place !== undefined)
    .map(finding => {
      const { rule: ruleId, level } = finding
      const text = textOf(finding)
      return {
        ruleId,
        ruleIndex: ids.indexOf(ruleId),
        level,
        message: { text },
        locations: [{ physicalLocation: locationOf(finding.place!) }],
        partialFingerprints: { 'dapFault/v1': fingerprint(finding, seen) },
      }
    })
  // A result without a place is one that readers refuse: what is of no file is said of the run (3.20.21).
  const notifications = findings
    .filter(({ place }) => place === undefined)
    .map(finding => ({
      level: finding.level,
      message: { text: textOf(finding) },
      associatedRule: { id: finding.rule, index: ids.indexOf(finding.rule) },
    }))
  const driver = {
    name: 'dap',
    version,
    informationUri: 'https://dap.dev',
    rules: ids.map(id => ({
      id,
      shortDescription: { text: RULES[id].text },
      help: { text: RULES[id].help },
      helpUri: ruleUri(id),
    })),
  }
  const run = {
    tool: { driver },
    // Runs of one category take each other's place (3.17.3).
    automationDetails: { id: `dap-${command.replaceAll(' ', '-')}/` },
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds: { [ROOT]: { description: { text: 'The folder of the Git repository' } } },
    invocations: [
      {
        executionSuccessful: !report.cases.some(each => outcomeOf(each) === 'error'),
        toolExecutionNotifications: notifications,
      },
    ],
    results,
  }
  return `${JSON.stringify({ $schema: SCHEMA, version: '2.1.0', runs: [run] }, null, 2)}\n`
}

const textOf = ({ message, hint }: Finding) => (hint === undefined ? message : `${message}\nhint: ${hint}`)

function locationOf({ file, region }: FindingPlace) {
  const artifactLocation = isAbsolute(file)
    ? { uri: pathToFileURL(file).href }
    : { uri: relativeUri(file), uriBaseId: ROOT }
  if (region === undefined) return { artifactLocation }
  const { line: startLine, column, length } = region
  const columns = column === undefined ? {} : { startColumn: column, endColumn: column + (length ?? 0) }
  return { artifactLocation, region: { startLine, ...columns } }
}

/** Half of a pair has no UTF-8. */
const relativeUri = (file: string) =>
  file
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .split('/')
    .map(encodeURIComponent)
    .join('/')

/** The same for the same fault wherever in its file it stands; the second of its like is another one. */
function fingerprint(
  { rule, message, place, of }: ReturnType<typeof findingsOf>[number],
  seen: Map<string, number>,
): string {
  const about = JSON.stringify([rule, place?.file, of.suite, of.name, message])
  const nth = (seen.get(about) ?? 0) + 1
  seen.set(about, nth)
  return `${hash('sha256', about, 'hex').slice(0, 32)}:${nth}`
}
