/** Markdown as GitHub shows it, in lines that fit a terminal. */
import { dump } from 'js-yaml'
import { Document, isCollection, visit } from 'yaml'
import { wrap } from '../src/ui/wrap.ts'

/** Why nobody should edit what is made. */
export const NOTE = '<!-- Made from schemas/ by scripts/pages.ts: do not edit. -->'

/** What GitHub makes of a heading. */
export const anchor = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const COLUMNS = 120

/** Words that would begin a list, a heading or a quotation at the start of a line stay on the line before. */
export const wrapped = (text: string, indent = '') =>
  wrap(text.replace(/ (?=(?:[-+*#>]+|\d+[.)])(?: |$))/g, '\0'), COLUMNS, indent).replaceAll('\0', ' ')

/** An entry of a list: each part begins a line, which Markdown has to be told. */
export function item(...parts: readonly string[]): string {
  const lines = parts
    .filter(part => part !== '')
    .map(part => (part.startsWith('```') ? part.replaceAll('\n', '\n  ') : wrapped(part, '  ')))
  return `- ${lines.join('\\\n  ').replaceAll('\\\n  ```', '\n  ```')}`
}

/** A description as Markdown: what is not code loses its special signs. */
export const prose = (text: string) =>
  text.trim().replace(/(`[^`]*`)|[<*[\]\\]/g, (sign, quoted) => quoted ?? `\\${sign}`)

export const code = (text: string) => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``)

export const oneOf = (values: readonly string[]) =>
  values.length < 2 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`

export const flow = (value: unknown) => dump(value, { flowLevel: 0, flowBracketPadding: true, lineWidth: -1 }).trimEnd()

/** An example in a line, or as a block where that is too long. */
export function example(value: unknown): string[] {
  const line = flow(value)
  return line.length <= 80 || typeof value !== 'object' ? [`Example: ${code(line)}`] : ['Example:', fenced(value)]
}

/** How long a mapping or list may be to stand on one line. */
const SHORT = 60

/** As people write it: a document in blocks, with what is short on one line; the records of a log in JSON, as they are. */
export function fenced(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'schema' in value)
    return `\`\`\`json\n${pretty(value, '')}\n\`\`\``
  const document = new Document(value)
  visit(document, {
    Collection(_, node, path) {
      const short = JSON.stringify(isCollection(node) ? node.toJS(document) : null).length <= SHORT
      if (short && path.length > 1) node.flow = true
    },
  })
  return `\`\`\`yaml\n${document.toString({ lineWidth: 100 }).trimEnd()}\n\`\`\``
}

function pretty(value: unknown, indent: string): string {
  const line = JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ')
  if (typeof value !== 'object' || value === null || (line.length <= SHORT && indent !== '')) return line
  const inner = `${indent}  `
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const lines = Object.entries(value).map(([key, each]) => {
    const name = Array.isArray(value) ? '' : `${JSON.stringify(key)}: `
    return inner + name + pretty(each, inner)
  })
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`
}
