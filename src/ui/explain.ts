import { dump } from 'js-yaml'
import type { TextContext } from '../command.ts'
import type { FieldSummary, ListedTopic, NamedAlgorithm } from '../generated/types.ts'
import type { Explanation } from '../repo/explain.ts'
import type { Topic } from '../repo/topics.ts'
import type { Style } from './style.ts'
import { displayWidth } from './width.ts'
import { wrap } from './wrap.ts'

/** What is read is not wider, however wide the terminal is, or where it is not known. */
const READABLE = 100

/** What a kind or a field means, as a page: its sentence, its type and default, its fields or shapes, an example. */
export function explanationText(explanation: Explanation, context: TextContext): string {
  const { style } = context
  const columns = Math.min(context.columns, READABLE)
  const { path, description, type, required, bounds, allowed, examples, fields, variants, algorithms } = explanation
  const facts = [type, ...bounds, ...(required ? ['required'] : [])].join(', ')
  const parts = [`${style.bold(path)}  ${style.dim(facts)}`, wrap(description, columns, '')]
  if ('default' in explanation) parts.push(`default: ${inline(explanation.default)}`)
  if (allowed.length > 0) parts.push(`allowed: ${allowed.map(inline).join(', ')}`)
  if (fields.length > 0) parts.push(fieldList('fields', fields, style, columns))
  for (const variant of variants) {
    const head = `${style.cyan(variant.name)}${variant.description === '' ? '' : `: ${variant.description}`}`
    parts.push(variant.fields.length === 0 ? head : `${head}\n${rows(variant.fields, style, columns)}`)
  }
  if (algorithms !== undefined) parts.push(algorithmList(algorithms, style))
  if (examples.length > 0) parts.push(`example: ${inline(examples[0])}`)
  return parts.filter(part => part !== '').join('\n\n')
}

/** What a word means: its sentences, how it is written, what it has, where there is more. */
export function topicText({ name, description, example, types, see }: Topic, context: TextContext): string {
  const { style } = context
  const columns = Math.min(context.columns, READABLE)
  const width = Math.max(0, ...types.flatMap(({ fields }) => fields.map(field => field.name.length)))
  return [
    style.bold(name),
    wrap(description, columns, ''),
    example.replaceAll(/^(?=.)/gm, '  '),
    ...types.map(({ name: type, fields }) =>
      [`${type}:`, ...fields.map(field => `  ${style.cyan(field.name.padEnd(width))}  ${field.type}`)].join('\n'),
    ),
    ['more:', ...see.map(path => `  dap explain ${path.includes('(') ? `'${path}'` : path}`)].join('\n'),
  ].join('\n\n')
}

/** Kinds and topics, a line each. */
export function topicsText(
  { kinds, topics }: { readonly kinds: readonly ListedTopic[]; readonly topics: readonly ListedTopic[] },
  context: TextContext,
): string {
  const columns = Math.min(context.columns, READABLE)
  const { style } = context
  const width = Math.max(...[...kinds, ...topics].map(({ name }) => displayWidth(name)))
  const indent = ' '.repeat(width + 4)
  const list = (all: readonly ListedTopic[]) =>
    all.map(({ name, description }) => `  ${style.cyan(name.padEnd(width))}  ${wrap(description, columns, indent)}`)
  return [
    ['kinds of files:', ...list(kinds)].join('\n'),
    ['topics:', ...list(topics)].join('\n'),
    wrap(
      '`dap explain KIND.path.to.field` says what a field means, and `dap explain TOPIC` more of a topic.',
      columns,
      '',
    ),
  ].join('\n\n')
}

function fieldList(title: string, fields: readonly FieldSummary[], style: Style, columns: number): string {
  return `${title}:\n${rows(fields, style, columns)}`
}

function rows(fields: readonly FieldSummary[], style: Style, columns: number): string {
  const width = Math.max(...fields.map(field => field.name.length))
  return fields
    .map(field => {
      const { name, description, type, required, allowed } = field
      const facts = [
        allowed.length > 0 ? allowed.map(inline).join(' | ') : type,
        ...(required ? ['required'] : []),
        ...('default' in field ? [`default ${inline(field.default)}`] : []),
      ].join(', ')
      const indent = ' '.repeat(width + 4)
      return `  ${style.cyan(name.padEnd(width))}  ${wrap(description, columns, indent)}\n${indent}${style.dim(facts)}`
    })
    .join('\n')
}

/** One line an algorithm; a learner's name stands beside its first. */
function algorithmList(algorithms: readonly NamedAlgorithm[], style: Style): string {
  const cells = algorithms.map(({ learner, exploration, name, paper }, i) => {
    const first = algorithms[i - 1]?.learner !== learner
    const called = [name ?? '', ...(paper === null ? [] : [style.dim(`(${paper})`)])].join(' ')
    return [first ? learner : '', exploration ?? 'alone', called] as const
  })
  const width = (at: 0 | 1) => Math.max(...cells.map(row => row[at].length))
  const [learners, explorations] = [width(0), width(1)]
  const lines = cells.map(([learner, exploration, called]) =>
    `  ${style.cyan(learner.padEnd(learners))}  ${exploration.padEnd(explorations)}  ${called}`.trimEnd(),
  )
  return ['learner × exploration:', ...lines].join('\n')
}

/** A value as YAML: on one line if it is short, else as a block below. */
function inline(value: unknown): string {
  const line = dump(value, { flowLevel: 0, flowBracketPadding: true, lineWidth: -1 }).trimEnd()
  if (line.length <= 80) return line
  const block = dump(value, { lineWidth: 100 }).trimEnd()
  return `\n${block.replaceAll(/^/gm, '  ')}`
}
