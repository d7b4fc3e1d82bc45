import { TypeError as CelTypeError, Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js'
import { didYouMean } from '../diagnostics.ts'
import { LONGEST_RULE } from '../generated/names.ts'
import { children, find, literal, type Node, some, source, written } from './cel-ast.ts'

/** Why a rule is refused: one sentence without a full stop. */
export interface CelFault {
  readonly message: string
  /** 0-based position in the expression, in UTF-16 code units. */
  readonly offset?: number
  readonly hint: string
}

/** Functions that give the same for the same arguments. */
export const PURE_FUNCTIONS = ['size', 'int', 'double', 'string', 'startsWith', 'endsWith', 'contains']
export const MACROS: readonly string[] = ['exists', 'all', 'exists_one']
const LIMITS = { maxAstNodes: 300, maxDepth: 24, maxListElements: 100, maxMapEntries: 32, maxCallArguments: 4 }

/** A fresh CEL environment with this profile's limits, in which `double == int` compares numbers. */
export function createEnvironment(): Environment {
  return base.clone()
}

const base = new Environment({ limits: LIMITS }).registerOperator(
  'double == int',
  (a: number | bigint, b: number | bigint) => Number(a) === Number(b),
)

/** For parts of rules that are within the limits: `written` nests them deeper. */
const constants = base.clone({ limits: { maxDepth: Infinity } })

export interface RuleLanguage {
  readonly functions: readonly string[]
  readonly variables: readonly string[]
  /** CEL types that the expression may have. */
  readonly results: readonly string[]
  /** The field names that the operand of a `.name` could have had, for did-you-mean. */
  readonly fieldsOf: (operand: Node | undefined) => readonly string[]
  /** Looks at every node of an expression that has passed the type check. */
  readonly inspect?: (node: Node) => CelFault | undefined
}

export type CheckedRule =
  | { readonly ast: Node; readonly evaluate: (values: Record<string, unknown>) => unknown }
  | { readonly fault: CelFault }

/** Parses and type-checks an expression in an environment, within a language. */
export function checkRule(environment: Environment, expr: string, language: RuleLanguage): CheckedRule {
  if (expr.length > LONGEST_RULE)
    return {
      fault: {
        message: `the rule is longer than ${LONGEST_RULE} characters`,
        hint: 'split it, or write it in a simpler way',
      },
    }
  let rule: ReturnType<Environment['parse']>
  try {
    rule = environment.parse(expr)
  } catch (error) {
    return { fault: error instanceof ParseError ? parseFault(error, expr, language) : libraryFault(error) }
  }
  const refused = find(rule.ast, callFault(language))
  if (refused !== undefined) return { fault: refused }
  const check = rule.check()
  if (!check.valid) return { fault: typeFault(check.error, rule.ast, language) }
  const fault = constantFault(rule.ast) ?? find(rule.ast, node => language.inspect?.(node))
  if (fault !== undefined) return { fault }
  if (!language.results.includes(check.type!)) {
    const wanted = language.results.includes('bool') ? 'true or false' : 'a number'
    const hint =
      wanted === 'a number'
        ? 'write what its value is'
        : `compare it with something, for example \`${expr.trim()} > …\``
    return { fault: { message: `the rule must give ${wanted}, but gives ${typeName(check.type!)}`, offset: 0, hint } }
  }
  return { ast: rule.ast, evaluate: rule }
}

/** Why an expression that has passed every check has no value after all: in words, of whatever was thrown. */
export function whyNoValue(error: unknown): string {
  if (!(error instanceof EvaluationError)) return `the rule language cannot compute it (${String(error)})`
  const index = /^No such key: index out of bounds, index (-?\d+)/.exec(error.summary)
  return index === null ? sentence(error.summary) : `the list has no item ${index[1]}`
}

export function noField(owner: string, name: string, fields: readonly string[], offset: number | undefined): CelFault {
  const hint = didYouMean(name, fields) ?? (fields.length > 0 ? `it has ${some(fields)}` : 'it has none')
  return { message: `\`${owner}\` has no field \`${name}\``, offset, hint }
}

const INT64 = { from: -9_223_372_036_854_775_808n, to: 9_223_372_036_854_775_807n }

/** What has no value whatever the context is: numbers that CEL does not have, divisors of 0, items beyond a list, `int('x')`. */
function constantFault(node: Node): CelFault | undefined {
  if (node.op === 'value') return beyond(node.args) ? tooLarge(node) : undefined
  // The least of them is written as the opposite of a number that is too large.
  if (node.op === '-_' && node.args.op === 'value' && node.args.args === -INT64.from) return undefined
  for (const child of children(node)) {
    const fault = constantFault(child)
    if (fault !== undefined) return fault
  }
  if (node.op === 'list' || node.op === 'map') return undefined
  try {
    return operandFault(node) ?? (beyond(constant(node)) ? tooLarge(node) : undefined)
  } catch (error) {
    const hint = 'write its value, or take it out'
    return { message: `this has no value: ${whyNoValue(error)}`, offset: node.start, hint }
  }
}

function operandFault(node: Node): CelFault | undefined {
  if (node.op === '/' || node.op === '%') {
    const [, divisor] = node.args
    const value = constant(divisor)
    if (value === undefined || Number(value) !== 0) return undefined
    return {
      message: `${node.op === '/' ? 'division' : 'modulo'} by zero`,
      offset: divisor.start,
      hint: 'write a number that is not 0',
    }
  }
  if (node.op !== '[]' || node.args[0].op !== 'list') return undefined
  const [{ args: items }, index] = node.args
  return indexFault('list', items.length, index)
}

/** An index that is written out, and that nothing of that size has. */
export function indexFault(what: string, size: number, index: Node): CelFault | undefined {
  const at = constant(index)
  if (typeof at !== 'bigint' || (at >= 0n && at < BigInt(size))) return undefined
  const items = size === 1 ? '1 item' : `${size} items, the last is ${size - 1}`
  const message = size === 0 ? `the ${what} is empty` : `the ${what} has ${items}`
  return { message, offset: index.start, hint: size === 0 ? 'write its items' : 'the first item has the index 0' }
}

const beyond = (value: unknown) => typeof value === 'bigint' && (value < INT64.from || value > INT64.to)

function tooLarge(node: Node): CelFault {
  const hint = `whole numbers go from ${INT64.from} to ${INT64.to}, and doubles such as \`1e19\` farther`
  return { message: 'this is beyond the whole numbers', offset: node.start, hint }
}

/** The value of an expression of literals alone; undefined where it is another. Throws where such a one has no value. */
function constant(node: Node): unknown {
  if (node.op === 'value') return node.args
  return isConstant(node) ? constants.evaluate(written(node)) : undefined
}

function isConstant(node: Node): boolean {
  if (node.op === 'id') return false
  if ((node.op === 'call' || node.op === 'rcall') && !PURE_FUNCTIONS.includes(node.args[0])) return false
  return children(node).every(isConstant)
}

/** The library met something that it does not expect: it is the expression that has to be another one. */
function libraryFault(error: unknown, ast?: Node): CelFault {
  const empty =
    ast && find(ast, node => ((node.op === 'list' || node.op === 'map') && node.args.length === 0 ? node : undefined))
  if (empty !== undefined) {
    const message = `nothing says of what type the items of \`${source(empty)}\` are`
    return { message, offset: empty.start, hint: 'write at least one item' }
  }
  return {
    message: `the rule language cannot check this (${String(error)})`,
    offset: 0,
    hint: 'write it in a simpler way',
  }
}

const callFault =
  ({ functions }: RuleLanguage) =>
  (node: Node): CelFault | undefined => {
    if (node.op !== 'call' && node.op !== 'rcall') return undefined
    const name = node.args[0]
    if (!functions.includes(name)) {
      const hint = didYouMean(name, functions) ?? `rules can call ${functions.join(', ')}`
      return { message: `rules have no function \`${name}\``, offset: nameOffset(node, name), hint }
    }
    if (MACROS.includes(name) && children(node).some(child => find(child, inner => isMacro(inner) || undefined))) {
      const message = `\`${name}\` may not contain another \`${MACROS.join('`, `')}\``
      return { message, offset: node.start, hint: 'write them one after the other, with `&&` or `||`' }
    }
    return undefined
  }

const isMacro = (node: Node) => node.op === 'rcall' && MACROS.includes(node.args[0])

function nameOffset(node: Node, name: string): number {
  const from = node.op === 'rcall' ? node.args[1].end : node.start
  const at = node.input.indexOf(name, from)
  return at === -1 ? node.start : at
}

function parseFault(error: ParseError, expr: string, language: RuleLanguage): CelFault {
  const example = language.variables.includes('ctx') ? EXAMPLE : EXAMPLE_OF(language)
  const offset = Math.min(error.range?.start ?? 0, expr.length)
  if (expr.trim() === '') return { message: 'the rule is empty', offset: 0, hint: example }
  if (error.code === 'limit_exceeded') {
    return { message: 'the rule is too large or too deeply nested', offset, hint: 'write it in a simpler way' }
  }
  if (error.code === 'invalid_number') {
    return { message: 'a number that is too large', offset, hint: 'numbers end near 1.8e308' }
  }
  const fault = foreignFault(expr, offset) ?? missing(expr, offset)
  if (fault !== undefined) return fault
  if (offset >= expr.trimEnd().length && error.code !== 'unterminated_string') {
    return { message: 'the rule ends too early', offset, hint: 'write the rest of it' }
  }
  return { message: sentence(error.summary), offset, hint: example }
}

const EXAMPLE = "a rule looks like `ctx.age >= 16 && ctx.platform != 'web'`"

/** Operators of other languages, and what CEL writes. */
const FOREIGN: Readonly<Record<string, string>> = {
  and: '&&',
  or: '||',
  not: '!',
  '=': '==',
  '<>': '!=',
  '===': '==',
  '!==': '!=',
  '=>': '>=',
  '=<': '<=',
  '&': '&&',
  '|': '||',
}

/** An operator that CEL does not have, at the offset where a rule no longer makes sense, or just before it. */
function foreignFault(expr: string, offset: number): CelFault | undefined {
  for (const { 0: found, index } of expr.matchAll(/'[^']*'|"[^"]*"|[A-Za-z_][\w.]*|[=<>!&|]+/g)) {
    const operator = FOREIGN[found.toLowerCase()]
    if (operator === undefined || !Object.hasOwn(FOREIGN, found.toLowerCase())) continue
    if (index > offset || expr.slice(index + found.length, offset).trim() !== '') continue
    const hint = operator === '==' ? 'write `==` to compare' : `write \`${operator}\``
    return { message: `CEL has no \`${found}\``, offset: index, hint }
  }
  return undefined
}

/** What makes a rule readable where it is put in: a comma between two items, or what closes it at its end. */
function missing(expr: string, offset: number): CelFault | undefined {
  const rest = expr.slice(offset)
  const word = /^(?:(['"]).*?\1|[\w.]+)/.exec(rest)?.[0]
  if (word !== undefined && isReadable(`${expr.slice(0, offset)}, ${rest}`)) {
    return { message: `a comma is missing before \`${word}\``, offset, hint: `write \`, ${word}\`` }
  }
  const end = [')', ']', "'", '"', "']", '"]'].find(each => isReadable(expr.trimEnd() + each))
  return end === undefined ? undefined : { message: 'the rule ends too early', offset, hint: `end it with \`${end}\`` }
}

function isReadable(expr: string): boolean {
  try {
    base.parse(expr)
    return true
  } catch {
    return false
  }
}

/** The library's names of what it reads. */
const TOKENS: Readonly<Record<string, string>> = {
  EOF: 'the end',
  NUMBER: 'a number',
  STRING: 'a string',
  BYTES: 'bytes',
  BOOLEAN: 'true or false',
  NULL: 'null',
  IDENTIFIER: 'a name',
  PLUS: '`+`',
  MINUS: '`-`',
  MULTIPLY: '`*`',
  DIVIDE: '`/`',
  MODULO: '`%`',
  EQ: '`==`',
  NE: '`!=`',
  LT: '`<`',
  LE: '`<=`',
  GT: '`>`',
  GE: '`>=`',
  AND: '`&&`',
  OR: '`||`',
  NOT: '`!`',
  IN: '`in`',
  LPAREN: '`(`',
  RPAREN: '`)`',
  LBRACKET: '`[`',
  RBRACKET: '`]`',
  LBRACE: '`{`',
  RBRACE: '`}`',
  DOT: '`.`',
  COMMA: '`,`',
  COLON: '`:`',
  QUESTION: '`?`',
}

function typeFault(error: unknown, ast: Node, language: RuleLanguage): CelFault {
  if (!(error instanceof ParseError || error instanceof CelTypeError)) return libraryFault(error, ast)
  const offset = error.range?.start
  const text = error.summary
  if (error.code === 'no_such_key') {
    const name = text.slice(text.indexOf(': ') + 2)
    const access = offset === undefined ? undefined : find(ast, node => (names(node, name, offset) ? node : undefined))
    const operand = access?.op === '.' || access?.op === '[]' ? access.args[0] : undefined
    const owner = operand === undefined ? 'nothing' : source(operand)
    return noField(owner, name, language.fieldsOf(operand), offset)
  }
  if (error.code === 'unknown_variable') {
    const name = text.slice(text.indexOf(': ') + 2)
    const isField = language.variables.includes('ctx') && language.fieldsOf(undefined).includes(name)
    const near = didYouMean(name, [...language.variables, ...language.functions])
    const quoted = language.variables.includes('ctx') ? `if it is text, quote it: \`'${name}'\`` : undefined
    const hint = isField ? `write \`ctx.${name}\`` : (near ?? quoted ?? EXAMPLE_OF(language))
    return { message: `unknown name \`${name}\``, offset, hint }
  }
  const operator = /^no such overload: (\S+) (\S+) (\S+)$/.exec(text)
  if (operator !== null) {
    const [, left, op, right] = operator
    const numbers = [left, right].every(type => /\b(int|double)\b/.test(type))
    return {
      message: `\`${op}\` does not work between ${typeName(left)} and ${typeName(right)}`,
      offset,
      hint: numbers ? 'write whole numbers as `1.0`, and `double(x)` to convert an int' : operandHint(ast, op, offset),
    }
  }
  const unary = /^no such overload: ([!-])(.+)$/.exec(text)
  if (unary !== null) {
    const hint =
      unary[1] === '!' ? 'it turns true into false: compare first, as in `!(ctx.level > 3)`' : 'it takes a number'
    return { message: `\`${unary[1]}\` does not work on ${typeName(unary[2])}`, offset, hint }
  }
  const indexed = /^Cannot index type '(.+)'$/.exec(text)
  if (indexed !== null) {
    const hint = 'take out what follows it'
    return { message: `${typeName(indexed[1])} has neither fields nor items`, offset, hint }
  }
  if (error.code === 'invalid_macro_argument') {
    return { message: 'this is not what the function takes', offset, hint: macroHint(language) }
  }
  const call = /^found no matching overload for '(.+)'$/.exec(text)
  const hint = `rules can call ${language.functions.join(', ')}, each with what it is for`
  return { message: call === null ? sentence(text) : `there is no \`${call[1]}\``, offset, hint }
}

const EXAMPLE_OF = ({ variables, functions }: RuleLanguage) =>
  `a rule is made of ${[...variables, ...functions]
    .slice(0, 6)
    .map(name => `\`${name}\``)
    .join(', ')}, numbers and text in quotes`

/** What to do where an operator stands between what it cannot take: mostly a quote too many, or too few. */
function operandHint(ast: Node, operator: string, offset: number | undefined): string {
  const at = find(ast, node => (node.op === operator && node.start === offset ? (node as Binary) : undefined))
  const values = at?.args.map(literal) ?? []
  const text = values.find(value => typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value)))
  if (text !== undefined) return `write \`${String(text)}\` without quotes`
  const number = values.find(value => typeof value === 'bigint' || typeof value === 'number')
  if (number !== undefined && ['==', '!=', 'in'].includes(operator))
    return `if it is text, quote it: \`'${String(number)}'\``
  return 'both sides must be of one type'
}

interface Binary {
  readonly args: readonly [Node, Node]
}

function macroHint({ functions, variables: [variable], fieldsOf }: RuleLanguage): string {
  const [field = 'field'] = fieldsOf(undefined)
  return functions.includes('has')
    ? `for example \`has(${variable}.${field})\`, or \`${variable}.list.exists(item, item > 1.0)\``
    : 'for example `list.exists(item, item > 1.0)`'
}

function names(node: Node, name: string, offset: number): boolean {
  if (node.start > offset || node.end < offset) return false
  return (node.op === '.' && node.args[1] === name) || (node.op === '[]' && literal(node.args[1]) === name)
}

function typeName(type: string): string {
  const names: Record<string, string> = {
    int: 'an int',
    bool: 'a bool',
    null: 'null',
    $ctx: 'the whole context',
    $action: 'the whole action',
  }
  if (/^[A-Z]$/.test(type)) return 'something of which nothing says the type'
  return Object.hasOwn(names, type) ? names[type] : `a ${type.replaceAll('$', '')}`
}

function sentence(text: string): string {
  const plain = text
    .replace(/^(Expected |Unexpected )(?:token: )?([A-Z]+)(, got )?([A-Z]+)?$/, (_, start, one, got = '', other = '') =>
      [start, TOKENS[one] ?? one, got, TOKENS[other] ?? other].join(''),
    )
    .replace(/^(\w+\(\)) type error: (.+)$/, '$2 ($1)')
    .replaceAll('$ctx', 'the context')
    .replaceAll('$action', 'the action')
    .replace(/\.$/, '')
  return plain.charAt(0).toLowerCase() + plain.slice(1)
}
