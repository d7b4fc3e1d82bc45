import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import type { Case, Finding, FindingPlace, Report } from '../../src/ui/formats/report.ts'
import { RULES, type RuleId } from '../../src/ui/formats/rules.ts'

/** Any code unit, be it half of a pair; and what formats have signs of their own for. */
const ugly = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.string({ unit: fc.integer({ max: 0xffff }).map(code => String.fromCharCode(code)), maxLength: 3 }),
      fc.constantFrom(
        '::error file=x::',
        '%0A',
        ']]>',
        '<!--',
        '|',
        '`',
        '```',
        '\\',
        '\r\n',
        '\n',
        '{0}',
        '[x](1)',
        '&amp;',
        '@org',
      ),
    ),
    { maxLength: 5 },
  )
  .map(parts => parts.join(''))

/** A name that a file may have, below the report's folder. */
const file = ugly.map(text => `f${text.replaceAll(/[\0/]/g, '_')}`).map(name => `policies/${name}.yaml`)

const place: fc.Arbitrary<FindingPlace> = fc.record(
  {
    file,
    region: fc.record(
      {
        line: fc.integer({ min: 1, max: 1e6 }),
        column: fc.integer({ min: 1, max: 1e4 }),
        length: fc.integer({ min: 1, max: 100 }),
      },
      { requiredKeys: ['line'] },
    ),
  },
  { requiredKeys: ['file'] },
)

const finding: fc.Arbitrary<Finding> = fc.record(
  {
    rule: fc.constantFrom(...(Object.keys(RULES) as RuleId[])),
    level: fc.constantFrom('error' as const, 'warning' as const),
    message: ugly,
    hint: ugly,
    place,
  },
  { requiredKeys: ['rule', 'level', 'message'] },
)

const one: fc.Arbitrary<Case> = fc.oneof(
  fc.record({ suite: ugly, name: ugly, findings: fc.array(finding, { maxLength: 3 }) }),
  fc.record({ suite: ugly, name: ugly, findings: fc.constant([]), skipped: ugly }),
  fc.record({
    suite: ugly,
    name: ugly,
    broke: fc.constant(true as const),
    findings: fc.tuple(finding).map(([found]) => [{ ...found, level: 'error' as const }]),
  }),
)

/** Reports of what people, and others, may have written. */
export const anyReport: fc.Arbitrary<Report> = fc.record({
  summary: ugly,
  folder: fc.constant('/repo'),
  cases: fc.array(one, { maxLength: 6 }),
})

const isUri = (text: string) => URL.canParse(text)

// Draft 4, which differs from what Ajv reads in nothing that is used in it but the names of these two.
const {
  $schema: _,
  id: __,
  ...schema
} = JSON.parse(readFileSync(new URL('../golden/formats/sarif-schema-2.1.0.json', import.meta.url), 'utf8'))

const validate = new Ajv({
  strict: false,
  allErrors: true,
  formats: {
    uri: isUri,
    'uri-reference': text => URL.canParse(text, 'file:///') && !/[^\w\-.~:/?#[\]@!$&'()*+,;=%]/.test(text),
    'date-time': true,
  },
}).compile(schema)

/** What is wrong with a SARIF file by the schema of OASIS; empty: nothing. */
export const sarifFaults = (sarif: unknown): readonly unknown[] => (validate(sarif) ? [] : (validate.errors ?? []))
