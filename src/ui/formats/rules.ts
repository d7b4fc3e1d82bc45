/** What a finding can be of: ids that stay, for whoever counts or silences them. */
import type { DiagnosticCode } from '../../diagnostics.ts'
import { DIAGNOSTIC_TEXTS, LOG_FAULT_TEXTS } from '../../generated/fault-texts.ts'
import type { LogFault } from '../../log/check/check.ts'
import { LOG_FAULT_HINTS } from '../log-hints.ts'
import { DIAGNOSTIC_HINTS, RESULT_RULES } from './rule-texts.ts'

type LogCode = LogFault['code']

export type RuleId = DiagnosticCode | `log-${LogCode}` | keyof typeof RESULT_RULES

export interface Rule {
  /** What is found, in a sentence or two. */
  readonly text: string
  /** What to do about it. */
  readonly help: string
}

const described = <Code extends string, Prefix extends string>(
  texts: Readonly<Record<Code, string>>,
  hints: Readonly<Record<Code, string>>,
  prefix: Prefix,
) =>
  Object.fromEntries(
    (Object.keys(texts) as Code[]).map(code => [`${prefix}${code}`, { text: texts[code], help: hints[code] }]),
  ) as Record<`${Prefix}${Code}`, Rule>

export const RULES: Readonly<Record<RuleId, Rule>> = {
  ...described(DIAGNOSTIC_TEXTS, DIAGNOSTIC_HINTS, ''),
  ...described<LogCode, 'log-'>(LOG_FAULT_TEXTS, LOG_FAULT_HINTS, 'log-'),
  ...RESULT_RULES,
}

/** The page that `scripts/faults-page.ts` makes of all of them; each has a heading of its id. */
const PAGE = 'https://dap.dev/docs/reference/faults.md'

export const ruleUri = (rule: RuleId) => `${PAGE}#${rule}`
