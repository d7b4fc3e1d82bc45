import type { Environment } from '@marcbachmann/cel-js'
import { didYouMean } from '../diagnostics.ts'
import { DapError } from '../errors.ts'
import { CONTEXT_TYPES } from '../generated/cel-types.ts'
import type { ContextField } from '../kinds.ts'
import { children, field, find, literal, type Node, some, source } from './cel-ast.ts'
import {
  type CelFault,
  checkRule,
  createEnvironment,
  indexFault,
  MACROS,
  noField,
  PURE_FUNCTIONS,
  whyNoValue,
} from './cel-rule.ts'

export type { CelFault } from './cel-rule.ts'

/** One checked context, or action, with its defaults filled in: field → value. */
export type ContextValues = Readonly<Record<string, number | string | boolean | readonly number[]>>

export type CompiledRule<T> =
  | { readonly run: (context: ContextValues, action?: ContextValues) => T }
  | { readonly fault: CelFault }

type Fields = Readonly<Record<string, ContextField>>

/**
 * Type-checks a CEL expression over `ctx` and, where `action` says what actions have, over `action`, and makes it runnable. `ctx` has exactly
 * the context's fields: integer is `int`, number `double`, string `string`, boolean `bool`, a vector `list<double>`; `action` those of actions.
 * With `double` an `int` result is converted.
 *
 * The language is a profile of CEL: every operator, `double == int` besides, and the functions of `CONTEXT_FUNCTIONS`; no regular
 * expressions, no nested macros, bounded size: the expression is untrusted, and no rule can run for long.
 *
 * `run` is not reentrant and throws a `DapError` where CEL has no value (division by zero, int overflow, index out of range).
 */
export function compileContextRule(expr: string, fields: Fields, result: 'bool', action?: Fields): CompiledRule<boolean>
export function compileContextRule(
  expr: string,
  fields: Fields,
  result: 'double',
  action?: Fields,
): CompiledRule<number>
export function compileContextRule(
  expr: string,
  fields: Fields,
  result: 'bool' | 'double',
  action?: Fields,
): CompiledRule<boolean | number> {
  const bags: Bags = action === undefined ? { ctx: fields } : { ctx: fields, action }
  const checked = checkRule(contextEnvironment(bags), expr, {
    functions: CONTEXT_FUNCTIONS,
    variables: Object.keys(bags),
    results: result === 'bool' ? ['bool'] : ['double', 'int'],
    fieldsOf: operand => Object.keys(bags[operand?.op === 'id' && operand.args === 'action' ? 'action' : 'ctx'] ?? {}),
    inspect: node => bagFault(node, bags),
  })
  if ('fault' in checked) return checked
  const { ast, evaluate } = checked
  const ctx = bagOf(ast, 'ctx', fields)
  const offered = action === undefined ? undefined : bagOf(ast, 'action', action)
  const bag = offered === undefined ? { ctx: ctx.values } : { ctx: ctx.values, action: offered.values }
  return {
    run(context, action) {
      ctx.fill(context)
      if (action !== undefined) offered?.fill(action)
      try {
        const value = evaluate(bag)
        return typeof value === 'bigint' ? Number(value) : (value as boolean | number)
      } catch (error) {
        throw new DapError(`the rule \`${expr}\` has no value: ${whyNoValue(error)}`, { cause: error })
      }
    },
  }
}

/** Variable → its fields. */
type Bags = { readonly ctx: Fields; readonly action?: Fields }

/** What an expression reads of one variable. */
function bagOf(ast: Node, variable: keyof Bags, fields: Fields) {
  // No object: a field may be called `constructor`.
  const values = new Map<string, unknown>()
  const used = usedFields(ast, variable)
  const integers = used.filter(name => fields[name].type === 'integer')
  const others = used.filter(name => fields[name].type !== 'integer')
  return {
    values,
    fill(given: ContextValues) {
      for (const name of integers) values.set(name, BigInt(given[name] as number))
      for (const name of others) values.set(name, given[name])
    },
  }
}

/** What a rule may call; macros included. */
export const CONTEXT_FUNCTIONS = [...PURE_FUNCTIONS, 'has', ...MACROS]
/** The environment made last: a policy's rules come one after the other, and it is the dear part of compiling them. */
let latest: { readonly bags: Bags; readonly environment: Environment } | undefined

function contextEnvironment(bags: Bags): Environment {
  if (latest?.bags.ctx !== bags.ctx || latest.bags.action !== bags.action) {
    const environment = createEnvironment()
    for (const [name, fields] of Object.entries(bags)) {
      const schema = Object.fromEntries(Object.entries(fields).map(([field, { type }]) => [field, CONTEXT_TYPES[type]]))
      environment.registerVariable({ name, schema })
    }
    latest = { bags, environment }
  }
  return latest.environment
}

function usedFields(ast: Node, variable: keyof Bags): string[] {
  const used = new Set<string>()
  find(ast, node => {
    const name = field(node, variable)
    if (name !== undefined) used.add(name)
    return undefined
  })
  return [...used]
}

/** What the type check lets pass: `has` of anything, the whole context as a value, strings outside an enum, indices beyond a vector's end. */
function bagFault(node: Node, bags: Bags): CelFault | undefined {
  if (node.op === 'call' && node.args[0] === 'has') return hasFault(node.args[1][0], bags)
  for (const child of children(node)) {
    if (child.op !== 'id' || !isBag(child.args, bags) || field(node, child.args) !== undefined) continue
    const [example = 'field'] = Object.keys(bags[child.args] ?? {})
    return {
      message: `\`${child.args}\` can only be used as \`${child.args}.<field>\``,
      offset: child.start,
      hint: `for example \`${child.args}.${example}\``,
    }
  }
  if (node.op === '==' || node.op === '!=' || node.op === 'in') {
    const [left, right] = node.args
    return enumFault(left, right, bags) ?? (node.op === 'in' ? undefined : enumFault(right, left, bags))
  }
  if (node.op === '[]') {
    const vector = fieldOf(node.args[0], bags)
    if (vector?.type === 'array') return indexFault('vector', vector.maxItems, node.args[1])
  }
  return undefined
}

const isBag = (name: unknown, bags: Bags): name is keyof Bags => typeof name === 'string' && Object.hasOwn(bags, name)

/** CEL asks no more of `has` than a name after a dot. */
function hasFault(asked: Node, bags: Bags): CelFault | undefined {
  const named = namedBy(asked, bags)
  if (named === undefined) {
    const [example = 'field'] = Object.keys(bags.ctx)
    const message = `\`has\` takes a field of the context, not \`${source(asked)}\``
    return { message, offset: asked.start, hint: `for example \`has(ctx.${example})\`` }
  }
  const { variable, name, fields } = named
  return Object.hasOwn(fields, name) ? undefined : noField(variable, name, Object.keys(fields), asked.end - name.length)
}

/** The field that a node names, and of what. */
function namedBy(node: Node, bags: Bags): { variable: string; name: string; fields: Fields } | undefined {
  for (const [variable, fields] of Object.entries(bags)) {
    const name = field(node, variable)
    if (name !== undefined) return { variable, name, fields }
  }
  return undefined
}

function fieldOf(node: Node, bags: Bags): ContextField | undefined {
  const named = namedBy(node, bags)
  return named === undefined || !Object.hasOwn(named.fields, named.name) ? undefined : named.fields[named.name]
}

function enumFault(operand: Node, compared: Node, bags: Bags): CelFault | undefined {
  const declared = fieldOf(operand, bags)
  if (declared?.type !== 'string' || declared.enum === undefined) return undefined
  for (const item of compared.op === 'list' ? compared.args : [compared]) {
    const value = literal(item)
    if (typeof value !== 'string' || declared.enum.includes(value)) continue
    const owner = source(operand)
    const hint = didYouMean(value, declared.enum) ?? `its values are ${some(declared.enum)}`
    return { message: `\`${owner}\` is never \`${value}\``, offset: item.start, hint }
  }
  return undefined
}
