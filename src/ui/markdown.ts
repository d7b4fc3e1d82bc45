/** Markdown for GitHub and its like: of texts that anybody may have written, nothing is markup but what stands between backticks. */

import type { Grid } from './table.ts'

/** A comment of GitHub holds 65,536 characters. */
export const MAX_CHARACTERS = 60_000

/** As many texts as fit, and a last one in place of those that do not. */
export function upTo(characters: number, texts: readonly string[], separator: string, rest: string): string {
  let size = 0
  const end = texts.findIndex(text => {
    size += text.length + separator.length
    return size > characters
  })
  return (end === -1 ? texts : [...texts.slice(0, end), rest]).join(separator)
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
export function code(text: string): string {
  if (text === '') return ''
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return longest === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`
}

/** A sentence: what stands between backticks stays code, everything else is only text, and mentions nobody. */
export function prose(text: string): string {
  const parts = text.split('`')
  return parts
    .map((part, i) => {
      if (i % 2 === 1 && i < parts.length - 1) return code(part)
      const escaped = part.replace(/[\\*_{}[\]()<>#|~!&:$.]/g, '\\$&').replaceAll('@', '@\u200b')
      return i === parts.length - 1 && i % 2 === 1 ? `\\\`${escaped}` : escaped
    })
    .join('')
}

export const html = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('@', '&#64;')
