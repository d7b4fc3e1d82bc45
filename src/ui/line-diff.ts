import { printable } from '../diagnostics.ts'
import type { Style } from './style.ts'

/** So many lines around a change. */
const AROUND = 2

/** The lines that differ, with their neighbours, as `diff -u` shows them without its heads. */
export function lineDiff(before: string, after: string, style: Style, columns: number): string {
  const lines = differences(linesOf(before), linesOf(after))
  const near = (i: number) => lines.slice(Math.max(0, i - AROUND), i + AROUND + 1).some(({ sign }) => sign !== ' ')
  const shown = (text: string) => printable(text).slice(0, Math.max(20, columns - 2))
  return lines
    .flatMap(({ sign, text }, i) => {
      if (!near(i)) return i > 0 && near(i - 1) && i < lines.length - 1 ? [style.dim('  …')] : []
      const line = `${sign} ${shown(text)}`.trimEnd()
      return [sign === '+' ? style.green(line) : sign === '-' ? style.red(line) : line]
    })
    .join('\n')
}

const linesOf = (text: string) => (text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/))

interface Line {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

/** What both begin and end with is the same; between them by the longest common subsequence. */
function differences(before: readonly string[], after: readonly string[]): Line[] {
  const least = Math.min(before.length, after.length)
  let start = 0
  while (start < least && before[start] === after[start]) start++
  let end = 0
  while (end < least - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const same = (lines: readonly string[]) => lines.map(text => ({ sign: ' ', text }) as const)
  const between = (lines: readonly string[]) => lines.slice(start, lines.length - end)
  return [
    ...same(before.slice(0, start)),
    ...changed(between(before), between(after)),
    ...same(before.slice(before.length - end)),
  ]
}

function changed(before: readonly string[], after: readonly string[]): Line[] {
  const longest = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1))
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      longest[i][j] =
        before[i] === after[j] ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1])
    }
  }
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      lines.push({ sign: ' ', text: before[i++] })
      j++
    } else if (i < before.length && (j === after.length || longest[i + 1][j] >= longest[i][j + 1])) {
      lines.push({ sign: '-', text: before[i++] })
    } else lines.push({ sign: '+', text: after[j++] })
  }
  return lines
}
