import type { TextContext } from '../command.ts'
import { printable } from '../diagnostics.ts'
import type { LogCheckResult, LogFault } from '../log/check/check.ts'
import { LOG_FAULT_HINTS } from './log-hints.ts'
import { grouped, percent, plural } from './numbers.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** What the log holds, how many faults of which kind it has, and where the first ones are. */
export function logCheckText(result: LogCheckResult, context: TextContext): string {
  const { style } = context
  const { faults, passed } = result
  const parts = [heldText(result), joins(result)]
  const { withoutOutputs } = result
  if (withoutOutputs !== undefined) {
    parts.push(
      `${plural(withoutOutputs, 'decision')} without what the Model gave (\`log: false\`): nobody can recompute them, nor learn from what it gave`,
    )
  }
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
  parts.push((passed ? style.green : style.red)(verdictText(result)))
  return parts.join('\n\n')
}

/** What makes a log no log, whatever else is in it. */
export const NO_DECISION = 'no valid decision in the log'

/** `2 files: 10,000 decisions, 9,870 rewards: the log passes` */
export const logSummary = (result: LogCheckResult) => `${heldText(result)}: ${verdictText(result)}`

const heldText = (result: LogCheckResult) => `${plural(result.files, 'file')}: ${holds(result)}`

const verdictText = ({ passed }: LogCheckResult) => (passed ? 'the log passes' : 'the log does not pass')

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
  return [head, ...places, ...more, `  ${style.cyan('hint:')} ${LOG_FAULT_HINTS[code]}`].join('\n')
}

const paint = (severity: LogFault['severity'], style: Style) => (severity === 'error' ? style.red : style.yellow)
