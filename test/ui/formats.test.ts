import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { github } from '../../src/ui/formats/github.ts'
import { junit } from '../../src/ui/formats/junit.ts'
import { markdown } from '../../src/ui/formats/markdown.ts'
import { type Case, type Finding, findingsOf, outcomeOf, type Report } from '../../src/ui/formats/report.ts'
import { RULES, type RuleId, ruleUri } from '../../src/ui/formats/rules.ts'
import { sarif } from '../../src/ui/formats/sarif.ts'
import { anyReport, sarifFaults } from '../support/reports.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

const report = (...cases: readonly Case[]): Report => ({ summary: '2 files checked: 1 error', folder: '/repo', cases })

const fault: Finding = {
  rule: 'schema',
  level: 'error',
  message: 'must be a number, got `x<y`',
  hint: '5 %, or 0.05',
  place: { file: 'policies/a, b.yaml', region: { line: 3, column: 5, length: 4 } },
}

describe('SARIF', () => {
  const runOf = (of: Report) => JSON.parse(sarif(of, 'log check', '1.2.3')).runs[0]

  it('has a result with its region for each finding, relative to the root of the sources', () => {
    expect(runOf(report({ suite: 'validate', name: 'a', findings: [fault] })).results).toMatchInlineSnapshot(`
      [
        {
          "level": "error",
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "policies/a%2C%20b.yaml",
                  "uriBaseId": "%SRCROOT%",
                },
                "region": {
                  "endColumn": 9,
                  "startColumn": 5,
                  "startLine": 3,
                },
              },
            },
          ],
          "message": {
            "text": "must be a number, got \`x<y\`
      hint: 5 %, or 0.05",
          },
          "partialFingerprints": {
            "dapFault/v1": "76fac0ec2b44c7a31d5b1f02720b055b:1",
          },
          "ruleId": "schema",
          "ruleIndex": 2,
        },
      ]
    `)
  })

  it('describes every rule, and leads to a page that is there', async () => {
    const { rules } = runOf(report()).tool.driver
    expect(rules.map(({ id }: { id: string }) => id)).toEqual(Object.keys(RULES))
    for (const { id, helpUri } of rules as { id: RuleId; helpUri: string }[]) {
      expect(helpUri).toBe(ruleUri(id))
      const [path, anchor] = helpUri.replace('https://dap.dev/', '').split('#')
      const page = await readFile(`${PACKAGE_ROOT}/${path}`, 'utf8')
      expect(page.split('\n').filter(line => line === `### ${anchor}`)).toHaveLength(1)
    }
  })

  it('is valid by the schema of OASIS, and loses nothing, whatever names and messages are', () => {
    fc.assert(
      fc.property(anyReport, of => {
        const made = JSON.parse(sarif(of, 'validate', '1.2.3'))
        expect(sarifFaults(made)).toEqual([])
        const [run] = made.runs
        const found = findingsOf(of)
        const placed = found.filter(({ place }) => place !== undefined)
        expect(run.invocations[0].toolExecutionNotifications).toHaveLength(found.length - placed.length)
        expect(run.results).toHaveLength(placed.length)
        for (const [i, { rule, level, message, place }] of placed.entries()) {
          const result = run.results[i]
          expect(result).toMatchObject({ ruleId: rule, level })
          expect(run.tool.driver.rules[result.ruleIndex].id).toBe(rule)
          expect(result.message.text.startsWith(message)).toBe(true)
          const { artifactLocation, region } = result.locations[0].physicalLocation
          expect(decodeURIComponent(artifactLocation.uri)).toBe(Buffer.from(place!.file).toString())
          expect(region?.startLine).toBe(place!.region?.line)
        }
      }),
    )
  })

  it('knows a fault again when its file is edited above it, and tells two of a kind apart', () => {
    fc.assert(
      fc.property(anyReport, fc.nat(1000), (of, lines) => {
        const moved: Report = {
          ...of,
          cases: of.cases.map(each => ({
            ...each,
            findings: each.findings.map(finding => ({
              ...finding,
              ...(finding.place?.region && {
                place: {
                  ...finding.place,
                  region: { ...finding.place.region, line: finding.place.region.line + lines },
                },
              }),
            })),
          })),
        }
        const prints = (which: Report) =>
          runOf(which).results.map((each: { partialFingerprints: object }) => JSON.stringify(each.partialFingerprints))
        expect(prints(moved)).toEqual(prints(of))
        expect(new Set(prints(of)).size).toBe(prints(of).length)
      }),
    )
  })
})

describe('JUnit', () => {
  it('has a case for each thing looked at, and says why one fails, is skipped or could not be looked at', () => {
    const warning: Finding = { ...fault, level: 'warning' }
    const all = report(
      { suite: 'shop', name: 'fails', findings: [fault, fault] },
      { suite: 'shop', name: 'warns', findings: [warning] },
      { suite: 'shop', name: 'passes', findings: [] },
      { suite: 'shop', name: 'waits', findings: [], skipped: 'unchanged since main' },
      { suite: 'other', name: 'breaks', broke: true, findings: [{ rule: 'command', level: 'error', message: 'no' }] },
    )
    expect(`\n${junit(all, 'validate')}`).toMatchInlineSnapshot(`
      "
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="dap validate" tests="5" failures="1" errors="1">
        <testsuite name="shop" tests="4" failures="1" errors="0" skipped="1">
          <testcase name="fails" classname="shop">
            <failure message="must be a number, got \`x&lt;y\` (and 1 more)" type="schema">policies/a, b.yaml:3:5: error: must be a number, got \`x&lt;y\` [schema]
        hint: 5 %, or 0.05
      policies/a, b.yaml:3:5: error: must be a number, got \`x&lt;y\` [schema]
        hint: 5 %, or 0.05</failure>
          </testcase>
          <testcase name="warns" classname="shop">
            <system-out>policies/a, b.yaml:3:5: warning: must be a number, got \`x&lt;y\` [schema]
        hint: 5 %, or 0.05</system-out>
          </testcase>
          <testcase name="passes" classname="shop"/>
          <testcase name="waits" classname="shop">
            <skipped message="unchanged since main"/>
          </testcase>
        </testsuite>
        <testsuite name="other" tests="1" failures="0" errors="1" skipped="0">
          <testcase name="breaks" classname="other">
            <error message="no" type="command">error: no [command]</error>
          </testcase>
        </testsuite>
      </testsuites>
      "
    `)
  })

  it('is XML 1.0 that counts right, whatever names and messages are', () => {
    fc.assert(
      fc.property(anyReport, of => {
        const elements = parsed(junit(of, 'validate'))
        const named = (name: string) => elements.filter(each => each.name === name)
        expect(
          named('testcase')
            .map(({ attributes }) => attributes['name'])
            .sort(),
        ).toEqual(of.cases.map(({ name }) => visible(name)).sort())
        const count = (outcome: string) => of.cases.filter(each => outcomeOf(each) === outcome).length
        for (const [attribute, element, outcome] of COUNTED) {
          expect(named(element)).toHaveLength(count(outcome))
          const sum = named('testsuite').reduce((total, { attributes }) => total + Number(attributes[attribute]), 0)
          expect(sum).toBe(count(outcome))
        }
      }),
    )
  })
})

const COUNTED = [
  ['failures', 'failure', 'failed'],
  ['errors', 'error', 'error'],
  ['skipped', 'skipped', 'skipped'],
] as const

/** Of what XML cannot say at all the test asks only that it is replaced. */
const ILLEGAL = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu
const visible = (text: string) =>
  text.replace(ILLEGAL, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Elements in order, with what their attributes say; throws for what is not well-formed. */
function parsed(xml: string): { readonly name: string; readonly attributes: Readonly<Record<string, string>> }[] {
  expect(xml.match(ILLEGAL)).toBeNull()
  const body = xml.replace('<?xml version="1.0" encoding="UTF-8"?>', '')
  const elements: { name: string; attributes: Record<string, string> }[] = []
  const open: string[] = []
  let end = 0
  for (const { 0: tag, 1: closing, 2: name, 3: inside, 4: empty, index } of body.matchAll(
    /<(\/?)([a-z-]+)((?:\s+[a-z]+="[^"<]*")*)\s*(\/?)>/g,
  )) {
    unescaped(body.slice(end, index))
    end = index + tag.length
    if (closing === '/') expect(open.pop()).toBe(name)
    else {
      const attributes = [...inside.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, key, value]) => {
        // Read as a blank, unless it is written by its number.
        expect(value).not.toMatch(/[\t\n\r]/)
        return [key, unescaped(value)]
      })
      elements.push({ name, attributes: Object.fromEntries(attributes) })
      if (empty === '') open.push(name)
    }
  }
  expect(open).toEqual([])
  expect(body.slice(end).trim()).toBe('')
  return elements
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescaped(text: string): string {
  expect(text).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot|apos|#\d+);)/)
  return text.replace(/&(?:#(\d+)|(\w+));/g, (_, code, name) =>
    code ? String.fromCharCode(Number(code)) : ENTITIES[name],
  )
}

describe('annotations of GitHub', () => {
  it('stand on the line, and the summary says what GitHub does not show', () => {
    const many = Array.from({ length: 11 }, () => fault)
    const lines = github(report({ suite: 'validate', name: 'a', findings: many }), 'validate').split('\n')
    expect(lines).toHaveLength(13)
    expect(lines.slice(10).join('\n')).toMatchInlineSnapshot(`
      "::error file=policies/a%2C b.yaml,line=3,endLine=3,col=5,endColumn=9,title=dap%3A schema::must be a number, got \`x<y\`%0Ahint: 5 %25, or 0.05
      ::notice title=dap validate::2 files checked: 1 error; 1 error more in the log of this step
      "
    `)
  })

  it('are one line each, which the runner reads back as it was, whatever names and messages are', () => {
    fc.assert(
      fc.property(anyReport, of => {
        const read = github(of, 'validate').trimEnd().split('\n').map(annotation)
        const found = findingsOf(of)
        expect(read.map(({ level }) => level)).toEqual([...found.map(({ level }) => level), 'notice'])
        for (const [i, { place }] of found.entries()) {
          expect(read[i].properties['file']).toBe(place?.file)
          expect(read[i].properties['line']).toBe(place?.region && String(place.region.line))
        }
      }),
    )
  })
})

/** As the runner of GitHub Actions reads a line. */
function annotation(line: string) {
  const [, level, said, message] = /^::(\w+) (.*?)::(.*)$/s.exec(line)!
  const data = (text: string) => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
  const properties = said.split(',').map(each => {
    const [name, ...value] = each.split('=')
    return [name, data(value.join('=').replaceAll('%3A', ':').replaceAll('%2C', ','))]
  })
  return { level, properties: Object.fromEntries(properties) as Record<string, string>, message: data(message) }
}

describe('Markdown', () => {
  it('says what is wrong, and folds the rest', () => {
    const all = report(
      { suite: 'validate', name: 'a|b', findings: [fault] },
      { suite: 'validate', name: 'c', findings: [], skipped: 'unchanged' },
    )
    expect(`\n${markdown(all, 'validate')}`).toMatchInlineSnapshot(`
      "
      ### dap validate: 2 files checked\\: 1 error

      |  | where | what |
      |---|---|---|
      | ✗ | \`policies/a, b.yaml:3:5\` | must be a number, got \`x<y\` \`schema\`<br>hint: 5 %, or 0\\.05 |

      <details><summary>1 failed, 1 skipped</summary>

      |  | of | case |
      |---|---|---|
      | ✗ | \`validate\` | \`a\\|b\` |
      | – | \`validate\` | \`c\`: unchanged |

      </details>
      "
    `)
  })

  it('keeps every cell in its row and column, and fits a comment, whatever names and messages are', () => {
    const cells = (row: string) => row.replace(/\\[\\|]/g, '').split('|').length
    fc.assert(
      fc.property(anyReport, of => {
        const text = markdown(of, 'validate')
        const rows = text.split('\n').filter(line => line.startsWith('|'))
        expect(rows.filter(row => cells(row) !== 5)).toEqual([])
        const tables = [findingsOf(of).length, of.cases.length].filter(count => count > 0)
        expect(rows).toHaveLength(tables.reduce((sum, count) => sum + count + 2, 0))
      }),
    )
    const many = Array.from({ length: 5000 }, (_, i): Case => ({ suite: 'validate', name: `${i}`, findings: [fault] }))
    expect(markdown(report(...many), 'validate').length).toBeLessThan(65_536)
  })
})
