import type { TextContext } from '../command.ts'
import type { DoctorCheck, DoctorResult } from '../results.ts'
import { cleaned } from './cloud.ts'
import { plural } from './numbers.ts'
import { wrap } from './wrap.ts'

const WORDS: Readonly<Record<DoctorCheck['state'], string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'failed',
  'not-checked': 'not checked',
}

/** A line a check, under the environment that it is about; what to do about it below. */
export function doctorText(untrusted: DoctorResult, { style, columns }: TextContext): string {
  const { checks, failed, warnings } = cleaned(untrusted)
  const paint = { ok: style.green, warning: style.yellow, failed: style.red, 'not-checked': style.dim }
  const state = Math.max(...Object.values(WORDS).map(word => word.length))
  const id = Math.max(...checks.map(each => each.id.length))
  const indent = ' '.repeat(state + id + 4)
  const line = (each: DoctorCheck) => [
    `${paint[each.state](WORDS[each.state])}${' '.repeat(state - WORDS[each.state].length)}  ${each.id.padEnd(id)}  ${wrap(each.found, columns, indent)}`,
    ...(each.mend === null
      ? []
      : [`${indent}${style.cyan('mend')}: ${wrap(each.mend, columns - 6, `${indent}      `)}`]),
  ]
  const groups = [...new Set(checks.map(({ environment }) => environment))].map(environment =>
    [
      ...(environment === null ? [] : [style.bold(`environment ${environment}`)]),
      ...checks.filter(each => each.environment === environment).flatMap(line),
    ].join('\n'),
  )
  const counts = [...(failed > 0 ? [`${failed} failed`] : []), ...(warnings > 0 ? [plural(warnings, 'warning')] : [])]
  return [...groups, counts.length === 0 ? 'nothing failed' : counts.join(', ')].join('\n\n')
}
