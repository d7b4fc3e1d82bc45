/** Markdown for GitHub and its like: of texts that anybody may have written, nothing is markup but what stands between backticks. */

import { plural } from './numbers.ts'
import type { Grid } from './table.ts'

/** A comment of GitHub holds 65,536 characters. */
export const MAX_CHARACTERS = 60_000

/** Of one text, and of what is folded up of one thing, however many there are. */
const MAX_TEXT = 400
const MIN_DETAILS = 1_500

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

/** What is folded up: a line of HTML, and Markdown in paragraphs. */
export interface Details {
  readonly summary: string
  readonly parts: readonly string[]
}

/** Each in its share of the characters, cut at whole lines; where there are too many, the first ones, and how many are not there. */
export function folded(details: readonly Details[], characters: number, where: string): string[] {
  const texts: string[] = []
  let free = characters
  for (const [i, { summary, parts }] of details.entries()) {
    if (free < MIN_DETAILS) return [...texts, `${details.length - i} more are ${where}.`]
    const open = `<details><summary>${summary}</summary>`
    const lines = parts
      .filter(part => part !== '')
      .join('\n\n')
      .split('\n')
    const share = Math.max(free / (details.length - i), MIN_DETAILS) - open.length
    const text = [
      open,
      upTo(share, lines, '\n', more => `\n… and ${plural(more, 'more line')} ${where}`),
      '</details>',
    ].join('\n\n')
    texts.push(text)
    free -= text.length + 2
  }
  return texts
}

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
