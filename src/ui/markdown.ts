/** Markdown for GitHub and its like: of texts that anybody may have written, nothing is markup but what stands between backticks. */

import type { Grid } from './table.ts'

/** A comment of GitHub holds 65,536 characters. */
export const MAX_CHARACTERS = 60_000

/** Of one text: it may be as long as whoever wrote it liked. */
const MAX_TEXT = 500

/** As many texts as fit, whole, and where some do not a last one that says how many. */
export function upTo(
  characters: number,
  texts: readonly string[],
  separator: string,
  rest: (more: number) => string,
): string {
  const sizes = texts.map(text => text.length + separator.length)
  if (sizes.reduce((sum, size) => sum + size, 0) <= characters) return texts.join(separator)
  let free = characters - rest(texts.length).length
  const end = sizes.findIndex(size => {
    free -= size
    return free < 0
  })
  return [...texts.slice(0, end), rest(texts.length - end)].join(separator)
}

/** A `|` ends a cell, also inside a code span, unless an odd number of backslashes stands before it. */
export const row = (...cells: readonly string[]) =>
  `| ${cells.map(cell => cell.replace(/(\\*)\|/g, (found, { length }: string) => (length % 2 === 0 ? `${found.slice(0, -1)}\\|` : found))).join(' | ')} |`

export function gridMarkdown({ columns, rows }: Grid): string {
  const align = columns.map(each => (each.align === 'right' ? '--:|' : '---|')).join('')
  return [
    row(...columns.map(each => prose(each.title))),
    `|${align}`,
    ...rows.map(cells => row(...cells.map(prose))),
  ].join('\n')
}

export const folded = (summary: string, parts: readonly string[]) =>
  [`<details><summary>${summary}</summary>`, ...parts.filter(part => part !== ''), '</details>'].join('\n\n')

/** A code span: neither Markdown nor mentions mean anything in it, and a fence longer than any inside ends it. */
export function code(long: string): string {
  if (long === '') return ''
  const text = shortened(long)
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`
}

/** A sentence: what stands between backticks stays code, everything else is only text, and mentions nobody. */
export function prose(text: string): string {
  const parts = shortened(text).split('`')
  return parts
    .map((part, i) => {
      if (i % 2 === 1 && i < parts.length - 1) return code(part)
      const escaped = part.replace(/[\\*_{}[\]()<>#|~!&:$.]/g, '\\$&').replaceAll('@', '@\u200b')
      return i === parts.length - 1 && i % 2 === 1 ? `\\\`${escaped}` : escaped
    })
    .join('')
}

/** Characters are counted as code points, so that none is cut in two. */
const shortened = (text: string) => (text.length <= MAX_TEXT ? text : `${[...text].slice(0, MAX_TEXT).join('')}…`)

export const html = (text: string) =>
  shortened(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('@', '&#64;')
