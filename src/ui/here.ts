import type { TextContext } from '../command.ts'
import { printable } from '../diagnostics.ts'
import { kindWord } from '../kind-word.ts'
import type { HereResult } from '../results.ts'
import { cleaned } from './cloud.ts'
import { plural } from './numbers.ts'

/** Where you are, what is here, what next: a dozen lines at most. */
export function hereText(untrusted: HereResult, cwd: string, { style }: TextContext): string {
  const { root, project, branch, kinds, errors, warnings, next } = cleaned(untrusted)
  const on = branch === null ? '' : style.dim(`  on branch ${branch}`)
  const where =
    root === null
      ? [`no repository here: there is no \`dap.yaml\` in ${printable(cwd)} or above it`]
      : [`${style.bold(project ?? 'a repository without a Project')}  ${root}${on}`]
  const counts = kinds.map(({ kind, count }) => plural(count, kindWord(kind)))
  const faults = [
    ...(errors > 0 ? [style.red(plural(errors, 'error'))] : []),
    ...(warnings > 0 ? [style.yellow(plural(warnings, 'warning'))] : []),
  ]
  const here =
    root === null
      ? []
      : [
          ...lines(counts.length === 0 ? ['nothing but dap.yaml'] : counts),
          faults.join(', ') || style.green('all valid'),
        ]
  const steps = [...next, { command: 'dap help', why: 'every command' }]
  const width = Math.max(...steps.map(({ command }) => command.length))
  return [
    ...where,
    ...here,
    '',
    ...steps.map(
      ({ command, why }, i) =>
        `${style.dim(i === 0 ? 'next' : '    ')}  ${style.cyan(command)}${' '.repeat(width - command.length)}  ${why}`,
    ),
  ].join('\n')
}

/** Counts, three a line. */
function lines(counts: readonly string[]): string[] {
  const rows: string[] = []
  for (let i = 0; i < counts.length; i += 3) rows.push(counts.slice(i, i + 3).join(', '))
  return rows.map((row, i) => (i < rows.length - 1 ? `${row},` : row))
}
