import { displayWidth } from './width.ts'

/** No sentence is wider, however wide the terminal is. */
const READABLE = 120

/** Breaks a sentence between words; every line but the first is indented. */
export function wrap(text: string, columns: number, indent: string): string {
  return lines(text, Math.min(columns, READABLE) - displayWidth(indent)).join(`\n${indent}`)
}

/**
 * Every line that is wider than the terminal, broken between words. What follows a label (`hint: `, `1. `, `note    `) stays beside it, so that
 * labels stay in sight. A word is never broken: what it says may have to be copied.
 */
export function fitted(text: string, columns: number): string {
  if (columns === Number.POSITIVE_INFINITY) return text
  return text
    .split('\n')
    .map(line => (displayWidth(line) <= columns ? line : fitLine(line, columns)))
    .join('\n')
}

function fitLine(line: string, columns: number): string {
  const margin = marginOf(line)
  const label = LABEL.exec(line)?.[0]
  const beside = label !== undefined && displayWidth(label) <= Math.min(LONGEST_LABEL, columns / 3)
  const kept = beside ? label : margin
  const hanging = beside
    ? displayWidth(label)
    : margin === ''
      ? 0
      : Math.min(margin.length + 2, Math.floor(columns / 3))
  const [first, ...rest] = lines(line.slice(kept.length), columns - displayWidth(kept), columns - hanging)
  return [kept + first, ...rest.map(each => ' '.repeat(hanging) + each)].join('\n')
}

const LONGEST_LABEL = 16

const marginOf = (line: string) => /^ */.exec(line)![0]

// Colours may stand around a label and what it says.
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour begins with
const LABEL = /^ *(?:\x1b\[\d+m)*(?:\d+\. +|[\w-]+(?:\x1b\[\d+m)*: *(?:\x1b\[\d+m)*(?= ) |\S+(?: \S+)? {2,})/

/** The first line may have another width than the rest. */
function lines(text: string, first: number, rest = first): string[] {
  const all: string[] = []
  let line = ''
  for (const word of text.trimStart().split(' ')) {
    const room = all.length === 0 ? first : rest
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > room) {
      all.push(line.trimEnd())
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...all, line]
}
