import type { YamlFault } from './fault.ts'
import { asciiOf, lookAlike } from './look-alikes.ts'

/** A line that is written otherwise, and what is then to be said of it. */
interface Guess {
  /** The whole text with the line changed. */
  readonly text: string
  readonly fault: YamlFault
}

/**
 * What the writer meant where a text is no YAML: of a few changes of the faulty line the first after which the fault is gone. So nothing is
 * advised that does not help. `all`: the faults of the text, of which those before this one stay what they are.
 */
export function advise(
  text: string,
  fault: YamlFault,
  all: readonly YamlFault[],
  faultsOf: (text: string) => readonly YamlFault[],
): YamlFault {
  if (text.length > MAX_LENGTH) return fault
  const start = text.lastIndexOf('\n', fault.from - 1) + 1
  const end = text.indexOf('\n', fault.from)
  const line: Line = { text, start, end: end === -1 ? text.length : end, at: fault.from }
  const before = new Set(all.filter(({ from }) => from < fault.from).map(nameOf))
  let tried = 0
  for (const guess of guesses(line, fault)) {
    if (tried++ === MAX_GUESSES) break
    if (guess.text === text) continue
    const end = line.end + guess.text.length - text.length
    if (faultsOf(guess.text).every(each => each.from > end || before.has(nameOf(each)))) return guess.fault
  }
  return fault
}

const nameOf = ({ message, from }: YamlFault) => `${from} ${message}`

/** Each guess reads the text anew. */
const MAX_LENGTH = 1 << 16
const MAX_GUESSES = 20

interface Line {
  readonly text: string
  readonly start: number
  readonly end: number
  /** Where the fault is, in the text. */
  readonly at: number
}

function* guesses(line: Line, { message }: YamlFault): Generator<Guess> {
  yield* withAscii(line)
  yield* withBlank(line)
  // Of tags and aliases the fault says what YAML reads.
  yield* withQuotes(line, /^YAML tags|^no anchor/.test(message) ? message : undefined)
  yield* withComma(line)
  yield* withBracket(line)
  yield* withIndent(line)
}

const written = ({ text, start, end }: Line) => text.slice(start, end).trimEnd()

const changed = ({ text, start, end }: Line, line: string) => text.slice(0, start) + line + text.slice(end)

const BLANKLESS = /^(\s*(?:- +)*[\w-]+):(?=[^\s:])/

function* withAscii(line: Line): Generator<Guess> {
  const now = written(line)
  const ascii = asciiOf(now)
  if (ascii === now) return
  const at = [...ascii].findIndex((char, i) => char !== [...now][i])
  const from = line.start + [...now].slice(0, at === -1 ? ascii.length : at).join('').length
  const message = lookAlike(now) ?? 'a character is not what it looks like'
  for (const meant of [ascii, ascii.replace(BLANKLESS, '$1: ')]) {
    const fault = { message, hint: `write \`${meant.trim()}\``, from, to: from + 1 }
    yield { text: changed(line, meant), fault }
  }
}

function* withBlank(line: Line): Generator<Guess> {
  const now = written(line)
  const [all, key = ''] = BLANKLESS.exec(now) ?? []
  if (all === undefined) return
  const meant = now.replace(BLANKLESS, '$1: ')
  const from = line.start + all.length - 1
  const message = `there is no blank after \`${key.trim()}:\``
  yield { text: changed(line, meant), fault: { message, hint: `write \`${meant.trim()}\``, from, to: from + 1 } }
}

/** The value of a key in quotes: its end is that of the line, or before brackets that close what was opened earlier. */
function* withQuotes(line: Line, told: string | undefined): Generator<Guess> {
  const now = written(line)
  const keys = [...now.matchAll(/([\w-]+):[ \t]+/g)].filter(key => line.start + key.index + key[0].length <= line.at)
  for (const { 0: all, 1: key, index } of keys.reverse()) {
    const from = index + all.length
    const closers = /[\s}\]]*$/.exec(now)![0].length
    for (let to = now.length - closers; to <= now.length; to++) {
      const value = now.slice(from, to).trimEnd()
      if (value === '' || /^[[{]|,\s*[\w-]+:\s/.test(value) || CLOSER.test(value)) continue
      if (NEXT_KEY.test(value) && isOpen(now.slice(0, index))) continue
      const quoted = /["\\]/.test(value) ? `'${value.replaceAll("'", "''")}'` : `"${value}"`
      const fault = {
        message: told ?? `YAML takes this value of \`${key}\` for something else than text`,
        hint: `${told === undefined ? 'quote it' : 'if it is text, quote it'}: \`${key}: ${quoted}\``,
        from: line.start + from,
        to: line.start + from + value.length,
      }
      yield { text: changed(line, now.slice(0, from) + quoted + now.slice(from + value.length)), fault }
    }
  }
}

/** One word or number, and then a key: of a flow mapping, it is a comma that is missing. */
const NEXT_KEY = /^\S+\s+[\w-]+:\s/
/** A bracket that nothing in the value has opened is no part of it. */
const CLOSER = /^[^[{]*[\]}]$/

const isOpen = (text: string): boolean => text.split('{').length > text.split('}').length

function* withComma(line: Line): Generator<Guess> {
  const now = written(line)
  for (const { index, 1: blank, 2: key } of now.matchAll(/(?<=[\w"'}\]])(\s+)([\w-]+):\s/g)) {
    const from = line.start + index + blank.length
    const fault = {
      message: `there is no comma before \`${key}\``,
      hint: `write \`, ${key}: …\``,
      from,
      to: from + key.length,
    }
    yield { text: changed(line, `${now.slice(0, index)},${now.slice(index)}`), fault }
  }
}

/** Of the line before: its bracket is missed only here. */
function* withBracket(line: Line): Generator<Guess> {
  const before = lineBefore(line)
  if (before === undefined) return
  const now = written(before)
  for (const [open, close] of ['{}', '[]']) {
    const at = now.lastIndexOf(open)
    if (at === -1 || now.split(open).length <= now.split(close).length) continue
    const meant = `${now} ${close}`
    const from = before.start + at
    const fault = { message: `this \`${open}\` is not closed`, hint: `write \`${meant.trim()}\``, from, to: from + 1 }
    yield { text: changed(before, meant), fault }
  }
}

function* withIndent(line: Line): Generator<Guess> {
  const before = lineBefore(line)
  if (before === undefined) return
  const [now, model] = [written(line), written(before)]
  const indent = /^ */.exec(model)![0]
  const from = line.start + now.search(/\S|$/)
  const number = line.text.slice(0, before.end).split('\n').length
  const fault = {
    message: 'this is indented otherwise than what it belongs to',
    hint: `indent it like line ${number}`,
    from,
    to: from + 1,
  }
  yield { text: changed(line, indent + now.trimStart()), fault }
}

function lineBefore({ text, start }: Line): Line | undefined {
  if (start === 0) return undefined
  const from = text.lastIndexOf('\n', start - 2) + 1
  return { text, start: from, end: start - 1, at: from }
}
