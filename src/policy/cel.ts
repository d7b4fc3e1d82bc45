import type { Environment } from '@marcbachmann/cel-js'
import { didYouMean } from '../diagnostics.ts'
import { DapError } from '../errors.ts'
import { CONTEXT_TYPES } from '../generated/cel-types.ts'
import type { ContextField, PolicySpec } from '../kinds.ts'
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

/** One checked context with its defaults filled in: field → value. */
export type ContextValues = Readonly<Record<string, number | string | boolean | readonly number[]>>

export type CompiledRule<T> = { readonly run: (context: ContextValues) => T } | { readonly fault: CelFault }

/**
 * Type-checks a CEL expression over `ctx` and makes it runnable. `ctx` has exactly the context's fields: integer is `int`,
 * number `double`, string `string`, boolean `bool`, a vector `list<double>`. With `double` an `int` result is converted.
 *
 * The language is a profile of CEL: every operator, `double == int` besides, and the functions of `CONTEXT_FUNCTIONS`; no regular
 * expressions, no nested macros, bounded size: the expression is untrusted, and no rule can run for long.
 *
 * `run` is not reentrant and throws a `DapError` where CEL has no value (division by zero, int overflow, index out of range).
 */
export function compileContextRule(expr: string, fields: PolicySpec['context'], result: 'bool'): CompiledRule<boolean>
export function compileContextRule(expr: string, fields: PolicySpec['context'], result: 'double'): CompiledRule<number>
export function compileContextRule(
  expr: string,
  fields: PolicySpec['context'],
  result: 'bool' | 'double',
): CompiledRule<boolean | number> {
  const checked = checkRule(contextEnvironment(fields), expr, {
    functions: CONTEXT_FUNCTIONS,
    variables: ['ctx'],
    results: result === 'bool' ? ['bool'] : ['double', 'int'],
    fieldsOf: () => Object.keys(fields),
    inspect: node => contextFault(node, fields),
  })
  if ('fault' in checked) return checked
  const { ast, evaluate } = checked
  // No object: a field may be called `constructor`.
  const ctx = new Map<string, unknown>()
  const bag = { ctx }
  const used = usedFields(ast)
  const integers = used.filter(name => fields[name].type === 'integer')
  const others = used.filter(name => fields[name].type !== 'integer')
  return {
    run(context) {
      for (const name of integers) ctx.set(name, BigInt(context[name] as number))
      for (const name of others) ctx.set(name, context[name])
      try {
        const value = evaluate(bag)
        return typeof value === 'bigint' ? Number(value) : (value as boolean | number)
      } catch (error) {
        throw new DapError(`the rule \`${expr}\` has no value: ${whyNoValue(error)}`, { cause: error })
      }
    },
  }
}

/** What a rule may call; macros included. */
export const CONTEXT_FUNCTIONS = [...PURE_FUNCTIONS, 'has', ...MACROS]
/** The environment made last: a policy's rules come one after the other, and it is the dear part of compiling them. */
let latest: { readonly fields: PolicySpec['context']; readonly environment: Environment } | undefined

function contextEnvironment(fields: PolicySpec['context']): Environment {
  if (latest?.fields !== fields) {
    const schema = Object.fromEntries(Object.entries(fields).map(([name, { type }]) => [name, CONTEXT_TYPES[type]]))
    latest = { fields, environment: createEnvironment().registerVariable({ name: 'ctx', schema }) }
  }
  return latest.environment
}

function usedFields(ast: Node): string[] {
  const used = new Set<string>()
  find(ast, node => {
    const name = field(node, 'ctx')
    if (name !== undefined) used.add(name)
    return undefined
  })
  return [...used]
}

/** What the type check lets pass: `has` of anything, the whole context as a value, strings outside an enum, indices beyond a vector's end. */
function contextFault(node: Node, fields: PolicySpec['context']): CelFault | undefined {
  if (node.op === 'call' && node.args[0] === 'has') return hasFault(node.args[1][0], fields)
  for (const child of children(node)) {
    if (child.op === 'id' && child.args === 'ctx' && field(node, 'ctx') === undefined) {
      const [example = 'field'] = Object.keys(fields)
      return {
        message: '`ctx` can only be used as `ctx.<field>`',
        offset: child.start,
        hint: `for example \`ctx.${example}\``,
      }
    }
  }
  if (node.op === '==' || node.op === '!=' || node.op === 'in') {
    const [left, right] = node.args
    return enumFault(left, right, fields) ?? (node.op === 'in' ? undefined : enumFault(right, left, fields))
  }
  if (node.op === '[]') {
    const vector = fieldOf(node.args[0], fields)
    if (vector?.type === 'array') return indexFault('vector', vector.maxItems, node.args[1])
  }
  return undefined
}

/** CEL asks no more of `has` than a name after a dot. */
function hasFault(asked: Node, fields: PolicySpec['context']): CelFault | undefined {
  const name = field(asked, 'ctx')
  if (name === undefined) {
    const [example = 'field'] = Object.keys(fields)
    const message = `\`has\` takes a field of the context, not \`${source(asked)}\``
    return { message, offset: asked.start, hint: `for example \`has(ctx.${example})\`` }
  }
  return Object.hasOwn(fields, name) ? undefined : noField('ctx', name, Object.keys(fields), asked.end - name.length)
}

function fieldOf(node: Node, fields: PolicySpec['context']): ContextField | undefined {
  const name = field(node, 'ctx')
  return name === undefined || !Object.hasOwn(fields, name) ? undefined : fields[name]
}

function enumFault(operand: Node, compared: Node, fields: PolicySpec['context']): CelFault | undefined {
  const declared = fieldOf(operand, fields)
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
