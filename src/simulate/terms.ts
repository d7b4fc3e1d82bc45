import { DapError } from '../errors.ts'
import type { TermSpec } from '../kinds.ts'
import { dot } from '../math/ridge.ts'
import { compileContextRule } from '../policy/cel.ts'
import type { Context } from '../policy/policy.ts'
import type { Fields } from '../policy/world-fields.ts'

/** One number an action, from the context. */
export interface Terms {
  readonly actions: readonly string[]
  /** Does any term look at the context? */
  readonly contextual: boolean
  /**
   * Writes the terms, in the order of `actions`, into out[offset … offset + K).
   * @throws DapError where a term is not a finite number.
   */
  readonly write: (context: Context, out: Float64Array, offset: number) => void
}

/** Field → its columns in the dense vector that weights are dotted with: one, one a component, or one a value. */
interface Column {
  readonly field: string
  readonly from: number
  readonly size: number
  /** Of an enum: its values, one column each. */
  readonly values?: readonly string[]
}

type WeightedTerm = Exclude<TermSpec, number | string>

/**
 * Compiles numbers, CEL expressions and weights; the weights of all actions become one row-major K × D matrix, so that a
 * round costs one encoding of the context and K dot products.
 *
 * @throws DapError where an expression does not compile or a weight does not fit its field.
 */
export function compileTerms(terms: Readonly<Record<string, TermSpec>>, fields: Fields): Terms {
  const actions = Object.keys(terms)
  const count = actions.length
  const weighted = actions.map(action => (typeof terms[action] === 'object' ? terms[action] : undefined))
  const { columns, width } = layOut(weighted, fields)
  const base = new Float64Array(count)
  const weights = new Float64Array(count * width)
  const rules: { action: number; run: (context: Context) => number }[] = []
  for (let k = 0; k < count; k++) {
    const term = terms[actions[k]]
    if (typeof term === 'number') base[k] = term
    else if (typeof term === 'string') rules.push({ action: k, run: compileRule(term, fields, actions[k]) })
    else {
      base[k] = term.intercept
      for (const column of columns) writeWeights(term, column, weights, k * width, actions[k])
    }
  }
  const x = new Float64Array(width)
  return {
    actions,
    contextual: width > 0 || rules.length > 0,
    write(context, out, offset) {
      encode(context, columns, x)
      for (let k = 0; k < count; k++) {
        out[offset + k] = base[k] + dot(x, weights, k * width, width)
      }
      for (let i = 0; i < rules.length; i++) out[offset + rules[i].action] = rules[i].run(context)
      for (let k = 0; k < count; k++) {
        if (!Number.isFinite(out[offset + k])) throw notFinite(actions[k], out[offset + k], context)
      }
    },
  }
}

function layOut(terms: readonly (WeightedTerm | undefined)[], fields: Fields): { columns: Column[]; width: number } {
  const names = new Set(terms.flatMap(term => Object.keys(term?.weights ?? {})))
  const columns: Column[] = []
  let width = 0
  for (const field of names) {
    const spec = fields[field]
    if (spec === undefined) {
      throw new DapError(`the world weighs \`${field}\`, which is no context field`, {
        hint: 'declare the field in a policy, or draw it in `population.context`',
      })
    }
    let column: Column = { field, from: width, size: 1 }
    if (spec.type === 'array') column = { field, from: width, size: spec.minItems }
    if (spec.type === 'string') {
      const values = [...new Set(terms.flatMap(term => Object.keys(term?.weights[field] ?? {})))]
      column = { field, from: width, size: values.length, values }
    }
    columns.push(column)
    width += column.size
  }
  return { columns, width }
}

function writeWeights(term: WeightedTerm, column: Column, out: Float64Array, row: number, action: string): void {
  if (!Object.hasOwn(term.weights, column.field)) return
  const weight = term.weights[column.field]
  const from = row + column.from
  if (column.values !== undefined && typeof weight === 'object' && !Array.isArray(weight)) {
    const byValue = weight as Readonly<Record<string, number>>
    column.values.forEach((value, i) => {
      if (Object.hasOwn(byValue, value)) out[from + i] = byValue[value]
    })
  } else if (column.values === undefined && Array.isArray(weight) && weight.length === column.size) {
    out.set(weight, from)
  } else if (column.values === undefined && typeof weight === 'number' && column.size === 1) {
    out[from] = weight
  } else {
    throw new DapError(`the weight of \`${column.field}\` for action \`${action}\` does not fit the field`, {
      hint: 'a number for a number or boolean, a list as long as a vector, a map from value to number for an enum',
    })
  }
}

function encode(context: Context, columns: readonly Column[], x: Float64Array): void {
  for (let c = 0; c < columns.length; c++) {
    const { field, from, size, values } = columns[c]
    const value = context[field]
    if (values !== undefined) {
      for (let i = 0; i < size; i++) x[from + i] = values[i] === value ? 1 : 0
    } else if (typeof value === 'object') {
      for (let i = 0; i < size; i++) x[from + i] = value[i]
    } else {
      x[from] = Number(value)
    }
  }
}

function compileRule(expr: string, fields: Fields, action: string): (context: Context) => number {
  const rule = compileContextRule(expr, fields, 'double')
  if ('fault' in rule) {
    throw new DapError(`the world's expression for action \`${action}\` is wrong: ${rule.fault.message}`, {
      hint: rule.fault.hint ?? 'run `dap validate`',
    })
  }
  return rule.run
}

function notFinite(action: string, value: number, context: Context): DapError {
  return new DapError(
    `the world gives action \`${action}\` the value ${value} in the context ${JSON.stringify(context)}`,
    {
      hint: "keep the world's terms finite for every context that the population can have",
    },
  )
}
