import { type TypeError as CelTypeError, Environment, ParseError } from '@marcbachmann/cel-js'
import { didYouMean } from '../diagnostics.ts'
import { children, find, literal, type Node, some, source } from './cel-ast.ts'

/** Why a rule is refused: one sentence without a full stop. */
export interface CelFault {
  readonly message: string
  /** 0-based position in the expression, in UTF-16 code units. */
  readonly offset?: number
  readonly hint?: string
}

const MACROS: readonly string[] = ['exists', 'all', 'exists_one']
const MAX_LENGTH = 2000
const LIMITS = { maxAstNodes: 300, maxDepth: 24, maxListElements: 100, maxMapEntries: 32, maxCallArguments: 4 }

/** A fresh CEL environment with this profile's limits, in which `double == int` compares numbers. */
export function createEnvironment(): Environment {
  return base.clone()
}

const base = new Environment({ limits: LIMITS }).registerOperator(
  'double == int',
  (a: number | bigint, b: number | bigint) => Number(a) === Number(b),
)

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
  if (expr.length > MAX_LENGTH) return { fault: { message: `the rule is longer than ${MAX_LENGTH} characters` } }
  let rule: ReturnType<Environment['parse']>
  try {
    rule = environment.parse(expr)
  } catch (error) {
    if (error instanceof ParseError) return { fault: parseFault(error, expr) }
    throw error
  }
  const refused = find(rule.ast, node => callFault(node, language))
  if (refused !== undefined) return { fault: refused }
  const check = rule.check()
  if (!check.valid) return { fault: typeFault(check.error as ParseError | CelTypeError, rule.ast, language) }
  if (!language.results.includes(check.type!)) {
    const wanted = language.results.includes('bool') ? 'true or false' : 'a number'
    return { fault: { message: `the rule must give ${wanted}, but gives ${typeName(check.type!)}`, offset: 0 } }
  }
  const fault = language.inspect === undefined ? undefined : find(rule.ast, language.inspect)
  return fault === undefined ? { ast: rule.ast, evaluate: rule } : { fault }
}

function callFault(node: Node, { functions }: RuleLanguage): CelFault | undefined {
  if (node.op !== 'call' && node.op !== 'rcall') return undefined
  const name = node.args[0]
  if (!functions.includes(name)) {
    const hint = didYouMean(name, functions) ?? `rules can call ${functions.join(', ')}`
    return { message: `rules have no function \`${name}\``, offset: nameOffset(node, name), hint }
  }
  if (MACROS.includes(name) && children(node).some(child => find(child, inner => isMacro(inner) || undefined))) {
    return { message: `\`${name}\` may not contain another \`${MACROS.join('`, `')}\``, offset: node.start }
  }
  return undefined
}

const isMacro = (node: Node) => node.op === 'rcall' && MACROS.includes(node.args[0])

function nameOffset(node: Node, name: string): number {
  const from = node.op === 'rcall' ? node.args[1].end : node.start
  const at = node.input.indexOf(name, from)
  return at === -1 ? node.start : at
}

function parseFault(error: ParseError, expr: string): CelFault {
  const offset = Math.min(error.range?.start ?? 0, expr.length)
  if (expr.trim() === '') return { message: 'the rule is empty', offset: 0 }
  if (error.code === 'limit_exceeded') return { message: 'the rule is too large or too deeply nested', offset }
  if (offset >= expr.trimEnd().length && error.code !== 'unterminated_string') {
    return { message: 'the rule ends too early', offset }
  }
  const words = /\b(and|or|not)\b/.test(expr) ? 'CEL writes `&&`, `||` and `!`' : undefined
  const hint = expr[offset] === '=' ? 'write `==` to compare' : words
  return { message: sentence(error.summary), offset, hint }
}

function typeFault(error: ParseError | CelTypeError, ast: Node, language: RuleLanguage): CelFault {
  const offset = error.range?.start
  const text = error.summary
  if (error.code === 'no_such_key') {
    const name = text.slice(text.indexOf(': ') + 2)
    const access = offset === undefined ? undefined : find(ast, node => (names(node, name, offset) ? node : undefined))
    const operand = access?.op === '.' || access?.op === '[]' ? access.args[0] : undefined
    const owner = operand === undefined ? 'nothing' : source(operand)
    const fields = language.fieldsOf(operand)
    const hint = didYouMean(name, fields) ?? (fields.length > 0 ? `it has ${some(fields)}` : undefined)
    return { message: `\`${owner}\` has no field \`${name}\``, offset, hint }
  }
  if (error.code === 'unknown_variable') {
    const name = text.slice(text.indexOf(': ') + 2)
    const isField = language.variables.includes('ctx') && language.fieldsOf(undefined).includes(name)
    const hint = isField ? `write \`ctx.${name}\`` : didYouMean(name, [...language.variables, ...language.functions])
    return { message: `unknown name \`${name}\``, offset, hint }
  }
  const operator = /^no such overload: (\S+) (\S+) (\S+)$/.exec(text)
  if (operator !== null) {
    const [, left, op, right] = operator
    const numbers = [left, right].every(type => /\b(int|double)\b/.test(type))
    return {
      message: `\`${op}\` does not work between ${typeName(left)} and ${typeName(right)}`,
      offset,
      hint: numbers ? 'write whole numbers as `1.0`, and `double(x)` to convert an int' : undefined,
    }
  }
  const call = /^found no matching overload for '(.+)'$/.exec(text)
  return { message: call === null ? sentence(text) : `there is no \`${call[1]}\``, offset }
}

function names(node: Node, name: string, offset: number): boolean {
  if (node.start > offset || node.end < offset) return false
  return (node.op === '.' && node.args[1] === name) || (node.op === '[]' && literal(node.args[1]) === name)
}

function typeName(type: string): string {
  const names: Record<string, string> = { int: 'an int', bool: 'a bool', null: 'null', $ctx: 'the whole context' }
  return Object.hasOwn(names, type) ? names[type] : `a ${type.replaceAll('$', '')}`
}

function sentence(text: string): string {
  const plain = text.replaceAll('$ctx', 'the context').replace(/\.$/, '')
  return plain.charAt(0).toLowerCase() + plain.slice(1)
}
