import { type Diagnostic, printable } from '../diagnostics.ts'
import { plural } from './numbers.ts'
import type { Style } from './style.ts'

/** One diagnostic: place and sentence, the lines of the file around it with a caret, the hint. `source` is the file's lines. */
export function diagnosticText(
  diagnostic: Diagnostic,
  source: readonly string[] | undefined,
  style: Style,
  columns = Number.POSITIVE_INFINITY,
): string {
  const { severity, code, message, file, line, column, hint } = diagnostic
  const place = line === 0 ? file : `${file}:${line}:${column}`
  const paint = severity === 'error' ? style.red : style.yellow
  const lines = [`${style.bold(printable(place))}: ${paint(severity)}: ${printable(message)} ${style.dim(`[${code}]`)}`]
  if (source !== undefined && line > 0) lines.push(...codeFrame(source, diagnostic, style, paint, columns))
  if (hint) lines.push(`  ${style.cyan('hint:')} ${printable(hint)}`)
  return lines.join('\n')
}

/** Lines longer than this, or than the terminal is wide, are cut around the caret: generated YAML can be one line of a megabyte. */
const MAX_COLUMNS = 120

function codeFrame(
  all: readonly string[],
  { line, column, length }: Diagnostic,
  style: Style,
  paint: (text: string) => string,
  columns: number,
): string[] {
  const from = Math.max(1, line - 1)
  const gutter = String(line).length
  const room = Math.max(20, Math.min(MAX_COLUMNS, columns - gutter - 5))
  const cut = column > room - Math.floor(room / 6) ? column - Math.floor(room / 3) : 0
  const frame: string[] = []
  for (let n = from; n <= line && n <= all.length; n++) {
    const text = printable((all[n - 1] ?? '').slice(cut, cut + room).replaceAll('\t', ' '))
    frame.push(`  ${style.dim(`${String(n).padStart(gutter)} │`)} ${text}`.trimEnd())
  }
  const width = Math.max(1, Math.min(length, (all[line - 1] ?? '').length - column + 1, room - (column - 1 - cut)))
  frame.push(`  ${style.dim(`${' '.repeat(gutter)} │`)} ${' '.repeat(column - 1 - cut)}${paint('^'.repeat(width))}`)
  return frame
}

/** `12 files checked: 2 errors, 1 warning`. */
export function diagnosticsSummary(files: number, diagnostics: readonly Diagnostic[], style: Style): string {
  const errors = diagnostics.filter(d => d.severity === 'error').length
  const warnings = diagnostics.length - errors
  const checked = `${plural(files, 'file')} checked`
  if (diagnostics.length === 0) return `${checked}: ${style.green('all valid')}`
  const counts = [
    ...(errors > 0 ? [style.red(plural(errors, 'error'))] : []),
    ...(warnings > 0 ? [style.yellow(plural(warnings, 'warning'))] : []),
  ]
  return `${checked}: ${counts.join(', ')}`
}
