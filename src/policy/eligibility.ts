import type { PolicySpec } from '../kinds.ts'
import { compileContextRule } from './cel.ts'
import type { Context } from './context.ts'
import { fieldsOfActions, isListed, ownPool, type Pool, requirePool } from './pool.ts'

/** Which actions may be chosen in a context. */
export interface Eligibility {
  /**
   * Writes the indices of the eligible actions of the pool, by default the policy's own, ascending, into `out`; returns how many, which may
   * be 0.
   */
  write(context: Context, out: Int32Array, pool?: Pool): number
  /** The same, but an action whose rule throws is not eligible: what nobody could tell is not allowed. Never throws. */
  writeCertain(context: Context, out: Int32Array, pool?: Pool): number
  /** Is there a rule at all? */
  readonly ruled: boolean
  /** The rule that decides about an action; undefined where none does. */
  rule(action: number): string | undefined
}

/** Compiles the actions' rules; a RangeError for one that does not, which validation refuses before. */
export function createEligibility({ actions, context: fields }: Pick<PolicySpec, 'actions' | 'context'>): Eligibility {
  const own = ownPool(actions)
  const ofActions = fieldsOfActions(actions)
  const compiled = (text: string | undefined, what: string) => {
    if (text === undefined) return undefined
    const rule = compileContextRule(text, fields, 'bool', ofActions)
    if ('fault' in rule) throw new RangeError(`${what}: ${rule.fault.message}`)
    return { text, run: rule.run }
  }
  const common = isListed(actions) ? undefined : compiled(actions.eligible, 'the rule of the actions')
  const single = isListed(actions) ? actions.map(({ id, eligible }) => compiled(eligible, `action \`${id}\``)) : []
  const ruled = common !== undefined || single.some(rule => rule !== undefined)

  function write(
    context: Context,
    out: Int32Array,
    pool: Pool | undefined,
    holds: (run: Run, context: Context, values: Context) => boolean,
  ): number {
    const { ids, values, barred } = requirePool(pool)
    const actions = ids.length
    let count = 0
    if (!ruled && barred === undefined) {
      for (; count < actions; count++) out[count] = count
      return count
    }
    for (let a = 0; a < actions; a++) {
      if (barred?.has(ids[a])) continue
      const rule = common ?? single[a]
      if (rule === undefined || holds(rule.run, context, values[a])) out[count++] = a
    }
    return count
  }

  return {
    ruled,
    rule: action => (common ?? single[action])?.text,
    write: (context, out, pool = own) => write(context, out, pool, surely),
    writeCertain: (context, out, pool = own) => write(context, out, pool, certainly),
  }
}

type Run = (context: Context, action: Context) => boolean

const surely = (run: Run, context: Context, values: Context): boolean => run(context, values)

function certainly(run: Run, context: Context, values: Context): boolean {
  try {
    return run(context, values)
  } catch {
    return false
  }
}
