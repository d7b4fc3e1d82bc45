import type { TextContext } from '../command.ts'
import { printable } from '../diagnostics.ts'
import type { LogCheckResult, LogFault } from '../log/check/check.ts'
import { grouped, percent, plural } from './numbers.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** What the log holds, how many faults of which kind it has, and where the first ones are. */
export function logCheckText(result: LogCheckResult, context: TextContext): string {
  const { style } = context
  const { faults, passed } = result
  const parts = [`${plural(result.files, 'file')}: ${holds(result)}`, joins(result)]
  if (faults.length > 0) {
    parts.push(
      table(
        [{ title: 'fault' }, { title: 'severity' }, { title: 'records', align: 'right' }],
        faults.map(({ code, severity, count }) => [code, paint(severity, style)(severity), grouped(count)]),
        context,
      ),
      ...faults.map(fault => faultText(fault, style)),
    )
  }
  if (result.decisions === 0) parts.push(style.red(NO_DECISION))
  parts.push(passed ? style.green('the log passes') : style.red('the log does not pass'))
  return parts.join('\n\n')
}

/** What makes a log no log, whatever else is in it. */
export const NO_DECISION = 'no valid decision in the log'

const holds = ({ decisions, unserved, rewards, activations }: LogCheckResult): string =>
  [
    `${plural(decisions, 'decision')}${unserved === 0 ? '' : ` (for ${grouped(unserved)} nothing could be served)`}`,
    plural(rewards, 'reward'),
    ...(activations > 0 ? [plural(activations, 'activation')] : []),
  ].join(', ')

function joins({ joined, late, unused, orphans }: LogCheckResult): string {
  const share = joined + orphans === 0 ? '' : ` (${percent(orphans / (joined + orphans))})`
  return [
    `${grouped(joined)} joined to their decisions`,
    ...(late > 0 ? [`${grouped(late)} of them too late to count`] : []),
    ...(unused > 0 ? [`${grouped(unused)} that cannot be used`] : []),
    ...(orphans > 0 ? [`${plural(orphans, 'orphan')}${share}`] : []),
  ].join(', ')
}

function faultText({ code, severity, count, examples }: LogFault, style: Style): string {
  const places = examples.map(({ file, row, message }) => `  ${printable(`${file}:${row}`)}: ${printable(message)}`)
  const more = count > examples.length ? [`  and ${grouped(count - examples.length)} more`] : []
  const head = `${paint(severity, style)(severity)} ${style.bold(code)}`
  return [head, ...places, ...more, `  ${style.cyan('hint:')} ${HINTS[code]}`].join('\n')
}

const paint = (severity: LogFault['severity'], style: Style) => (severity === 'error' ? style.red : style.yellow)

const UNUSED = 'None of these is used, and `evaluate` and `train` leave out the decisions that they name'

const HINTS: Readonly<Record<LogFault['code'], string>> = {
  json: 'a writer that was stopped leaves a broken last line only; look for what else writes to this file',
  torn: 'a writer was killed here; everything before it is whole',
  schema: 'only records of these two schemas belong into the log; keep other files elsewhere',
  shape: 'schemas/decision.schema.json and schemas/reward.schema.json say what a record is',
  timestamp: 'times are RFC 3339 in UTC: 2026-01-31T23:59:59.000Z',
  repeated: 'a request was sent again, and decided the same; the earliest record counts',
  conflict:
    'two requests used one id, or replicas with different snapshots answered one; none of these records is used, nor are rewards for them',
  eligible: 'every action is listed once, as eligible or as excluded',
  ineligible: 'what was logged as the action is not what was drawn',
  excluded:
    'nobody may get what a rule excludes: look for who else served it, or for a dap from before fallbacks had to be eligible',
  length: 'propensities belong to the eligible actions one by one',
  propensity:
    'probabilities lie in [0, 1], that of a chosen action above 0; some writers log p + 1 or p of another action',
  sum: 'log the vector that was drawn from: after eligibility and floor, before nothing',
  entry: 'the logged propensity must be the one in the vector at the position of the action',
  floor: 'log the vector after the floor has been mixed in',
  scheme: 'the draw of this log can only be believed',
  u: 'the salt, the id or u were changed after the draw',
  draw: 'the vector was changed after the draw, or the action was: neither can be weighted by the other',
  served: 'only what the policy chose and what was then served may be logged as `served.by: policy`',
  baseline:
    'dap did not choose it: the caller does what the rules of the policy forbid, which is for the caller to mend',
  actions: 'the record names the digest of a policy that has other actions',
  context: 'contexts are logged as they were scored: checked, and with defaults',
  salt: 'the server must draw with the salt of the policy',
  'reward-repeated': 'a reward was sent again; it counts once, from the earliest `ts`',
  'reward-conflict': `two rewards used one id; give each its own, and a retry the same. ${UNUSED}`,
  value: 'a metric has a finite `value`, an activation none',
  range: `look for who sends them; a number of another kind has a name of its own. ${UNUSED}`,
  early: 'clocks differ a little; the reward counts as having come with its decision',
  'too-early': `a clock is wrong, or the reward names the wrong decision. ${UNUSED}`,
  orphan: 'their decisions are in other files, or were never logged; until then these rewards count for nothing',
}
