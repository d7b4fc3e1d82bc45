import type { PolicySpec } from '../kinds.ts'
import { compileContextRule } from './cel.ts'
import type { Context } from './context.ts'

/** Which actions may be chosen in a context. */
export interface Eligibility {
  /** Writes the indices of the eligible actions, ascending, into `out` (K numbers); returns how many, which may be 0. */
  write(context: Context, out: Int32Array): number
  /** The same, but an action whose rule throws is not eligible: what nobody could tell is not allowed. Never throws. */
  writeCertain(context: Context, out: Int32Array): number
  /** By action, the rule that decides; undefined where none does. */
  readonly rules: readonly (string | undefined)[]
}

/** Compiles the actions' rules; a RangeError for one that does not, which validation refuses before. */
export function createEligibility(spec: Pick<PolicySpec, 'actions' | 'context'>): Eligibility {
  const rules = spec.actions.map(({ id, eligible }) => {
    if (eligible === undefined) return undefined
    const rule = compileContextRule(eligible, spec.context, 'bool')
    if ('fault' in rule) throw new RangeError(`action \`${id}\`: ${rule.fault.message}`)
    return rule.run
  })
  return {
    rules: spec.actions.map(({ eligible }) => eligible),
    write(context, out) {
      let count = 0
      for (let a = 0; a < rules.length; a++) {
        const run = rules[a]
        if (run === undefined || run(context)) out[count++] = a
      }
      return count
    },
    writeCertain(context, out) {
      let count = 0
      for (let a = 0; a < rules.length; a++) {
        const run = rules[a]
        if (run === undefined || holds(run, context)) out[count++] = a
      }
      return count
    },
  }
}

function holds(rule: (context: Context) => boolean, context: Context): boolean {
  try {
    return rule(context)
  } catch {
    return false
  }
}
