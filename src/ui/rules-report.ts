import type { RuleResult } from '../results.ts'
import type { Case, FindingPlace } from './formats/report.ts'

/** A case for each gate or expectation of a result; where there is none, one that says that it was found at all. */
export function ruleCases(
  rule: 'gate' | 'expectation',
  suite: string,
  rules: readonly RuleResult[],
  placeOf: (id: string) => FindingPlace | undefined,
): Case[] {
  if (rules.length === 0) return [{ suite, name: `no ${rule}`, findings: [] }]
  return rules.map(({ id, expr, passed, reason }) => {
    if (passed) return { suite, name: id, findings: [] }
    const message = `${rule} \`${id}\` of ${suite} failed: ${reason ?? expr}`
    const place = placeOf(id)
    return {
      suite,
      name: id,
      findings: [{ rule, level: 'error', message, hint: `it asks that ${expr}`, ...(place && { place }) }],
    }
  })
}
