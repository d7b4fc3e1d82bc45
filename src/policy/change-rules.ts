/** Rules of a repository about what a plan changes: `rules/NAME.cel`. */
import { didYouMean } from '../diagnostics.ts'
import { CHANGE_TYPES, CHANGE_WORDS } from '../generated/cel-types.ts'
import type { PlannedChange, RuleFinding } from '../generated/types.ts'
import { literal, type Node } from './cel-ast.ts'
import { type CelFault, checkRule, createEnvironment, MACROS, PURE_FUNCTIONS, whyNoValue } from './cel-rule.ts'

export interface ChangeRule {
  readonly name: string
  readonly level: RuleFinding['level']
  /** What whoever meets it is told. */
  readonly message: string
  /** Why it applies to a change, or undefined. A rule that has no value there applies, and says why: it cannot be known that it does not. */
  applies(change: PlannedChange, environment: string): string | undefined
}

const LEVELS: readonly RuleFinding['level'][] = ['warn', 'block']

/**
 * The rule of a file. Comments before the expression are its message, and one of them may be `// level: warn`; else it blocks. Offsets of
 * faults are those of the text.
 */
export function readChangeRule(name: string, text: string): ChangeRule | { readonly fault: CelFault } {
  const head = /^(?:\s*\/\/[^\n]*(?:\n|$))*/.exec(text)![0]
  let level: RuleFinding['level'] = 'block'
  const said: string[] = []
  for (const { 1: comment, index } of head.matchAll(/\/\/([^\n]*)/g)) {
    const [, word] = /^\s*level:\s*(.*?)\s*$/.exec(comment) ?? []
    if (word === undefined) said.push(comment.trim())
    else {
      const known = LEVELS.find(each => each === word)
      if (known === undefined) {
        const hint = didYouMean(word, LEVELS) ?? `one of ${LEVELS.join(', ')}`
        return { fault: { message: `there is no level \`${word}\``, offset: text.indexOf(word, index + 2), hint } }
      }
      level = known
    }
  }
  // Comments stay as wide as they are, so that offsets do.
  const expr = text.replace(/(^|\n)([^\S\n]*\/\/[^\n]*)/g, (_, before, comment) => before + ' '.repeat(comment.length))
  const checked = checkRule(environment, expr, {
    functions: [...PURE_FUNCTIONS, ...MACROS],
    variables: Object.keys(VARIABLES),
    results: ['bool'],
    fieldsOf: operand => Object.keys(CHANGE_TYPES[typeOf(operand)]),
    inspect: wordFault,
  })
  if ('fault' in checked) return checked
  const message = said.filter(line => line !== '').join(' ') || expr.trim().replace(/\s+/g, ' ')
  return {
    ...{ name, level, message },
    applies(change, environment) {
      try {
        return checked.evaluate({ change: typed('PlannedChange', change), environment }) === true ? message : undefined
      } catch (error) {
        return `${message} (it has no value here: ${whyNoValue(error)})`
      }
    },
  }
}

const VARIABLES = { change: 'PlannedChange', environment: 'string' } as const

/** The library tells a type by its constructor. */
const CONSTRUCTORS = new Map(Object.keys(CHANGE_TYPES).map(type => [type, { [type]: class {} }[type]]))

const environment = createEnvironment()
for (const [type, fields] of Object.entries(CHANGE_TYPES)) {
  environment.registerType(type, { ctor: CONSTRUCTORS.get(type)!, fields })
}
for (const [name, type] of Object.entries(VARIABLES)) environment.registerVariable(name, type)

/** What is not the change itself is one of its evidence. */
const typeOf = (operand: Node | undefined) =>
  operand?.op === 'id' && operand.args === 'change' ? VARIABLES.change : 'PlannedEvidence'

function typed(type: string, value: unknown): unknown {
  const item = /^list<(\w+)>$/.exec(type)?.[1]
  if (item !== undefined) return (value as readonly unknown[]).map(each => typed(item, each))
  if (type === 'int') return BigInt(value as number)
  if (!Object.hasOwn(CHANGE_TYPES, type)) return value
  const fields = Object.entries(CHANGE_TYPES[type]).map(([name, of]) => [
    name,
    typed(of, (value as Record<string, unknown>)[name]),
  ])
  return Object.assign(new (CONSTRUCTORS.get(type)!)(), Object.fromEntries(fields))
}

/** `change.kind == 'remove'` would never be true, and nobody would be told. */
function wordFault(node: Node): CelFault | undefined {
  if (node.op !== '==' && node.op !== '!=') return undefined
  const [left, right] = node.args
  for (const [read, other] of [
    [left, right],
    [right, left],
  ]) {
    const word = literal(other)
    if (read.op !== '.' || typeof word !== 'string') continue
    const words = CHANGE_WORDS[typeOf(read.args[0])][read.args[1]]
    if (words === undefined || words.includes(word)) continue
    const hint = didYouMean(word, words) ?? `one of ${words.join(', ')}`
    return { message: `\`${read.args[1]}\` is never \`${word}\``, offset: other.start, hint }
  }
  return undefined
}
