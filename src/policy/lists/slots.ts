import type { ContextField, PolicySpec } from '../../kinds.ts'
import { compileContextRule } from '../cel.ts'
import type { Context } from '../context.ts'
import type { Values } from '../feature-block.ts'
import { commonFields, fieldsOfActions, type Pool } from '../pool.ts'

/** The slots of a policy's decisions, and what may stand in each. A single decision has one, which takes any action. */
export interface Slots {
  /** The most that a decision has. */
  readonly count: number
  /** What declared slots are called; none of a ranking, whose slots are places, nor of a single decision. */
  readonly ids: readonly string[]
  /** The probability of a list by chance alone; undefined where every slot has a floor of its own instead. */
  readonly uniform: number | undefined
  /** The least probability that a slot promises each of `left` actions, whatever stands above it. */
  floor(slot: number, left: number): number
  /**
   * What may stand where in one decision; undefined where everything may. A rule that has no value throws, unless it is to be `certain`: then what
   * nobody could tell is pinned nowhere, and counts against every quota.
   */
  open(context: Context, pool: Pool, certain?: boolean): Places | undefined
}

/** By index of the pool's actions: 1 for those that are meant. */
export type Mask = Uint8Array

/** What may stand where in one decision, beside that nothing stands anywhere twice. */
export interface Places {
  /** By slot: what may stand there; undefined where anything may. */
  readonly only: readonly (Mask | undefined)[]
  /** By slot: what must stand there while any of it is left. */
  readonly pinned: readonly (Mask | undefined)[]
  readonly quotas: readonly { readonly of: Mask; readonly max: number }[]
}

type Described = Pick<PolicySpec, 'decision' | 'actions' | 'context' | 'guardrails'>

/** Is a decision more than one action? */
export const isList = ({ decision }: Pick<PolicySpec, 'decision'>): boolean => decision.type !== 'single'

/** The slots of a policy. A RangeError for a rule that does not compile, which validation refuses before. */
export function createSlots(spec: Described): Slots {
  const { decision } = spec
  const { minProbability } = spec.guardrails
  const least = (f: number, left: number) => (f * left < 1 ? f : 1 / left)
  const single = {
    count: 1,
    ids: [],
    uniform: undefined,
    floor: (_: number, left: number) => least(minProbability, left),
    open: () => undefined,
  }
  if (decision.type === 'single') return single
  if (decision.type === 'ranking') {
    return mixtureSlots(decision.slots, decision.uniform, rankingPlaces(spec))
  }
  const { slots } = decision
  return {
    ...single,
    count: slots.length,
    ids: slots.map(({ id }) => id),
    floor: (slot, left) => least(slots[slot].floor ?? minProbability, left),
    open: declaredPlaces(slots),
  }
}

/** The places of a ranking, a mixture of lists. */
export const mixtureSlots = (count: number, uniform: number, open: Slots['open'] = () => undefined): Slots => ({
  count,
  ids: [],
  uniform,
  floor: (slot, left) => (slot === 0 ? uniform / left : 0),
  open,
})

/** What features see of each declared slot: its features, and its `id`. */
export function slotValues(decision: PolicySpec['decision']): readonly Values[] {
  return decision.type === 'slots' ? decision.slots.map(({ id, features }) => ({ ...features, id }) as Values) : []
}

/** What is known of every slot, as if it were a context: `id`, and the features that each of them has; nothing of places. */
export function fieldsOfSlots(decision: PolicySpec['decision']): Readonly<Record<string, ContextField>> {
  return decision.type === 'slots' ? commonFields(slotValues(decision)) : {}
}

function rankingPlaces(spec: Described): Slots['open'] {
  const { slots: count, pins = [], quotas = [] } = spec.decision as Extract<PolicySpec['decision'], { type: 'ranking' }>
  if (pins.length + quotas.length === 0) return () => undefined
  const fields = fieldsOfActions(spec.actions)
  const compiled = (expr: string) => {
    const rule = compileContextRule(expr, spec.context, 'bool', fields)
    if ('fault' in rule) throw new RangeError(rule.fault.message)
    return rule.run
  }
  const pinRules = pins.map(({ slot, eligible }) => ({ slot, run: compiled(eligible) }))
  const quotaRules = quotas.map(({ eligible, max }) => ({ run: compiled(eligible), max }))
  return (context, { values }, certain = false) => {
    const maskOf = (run: (typeof pinRules)[number]['run'], unknown: boolean): Mask =>
      Uint8Array.from(values, each => {
        try {
          return Number(run(context, each))
        } catch (error) {
          if (certain) return Number(unknown)
          throw error
        }
      })
    const pinned = Array.from({ length: count }, (_, slot): Mask | undefined => {
      const rules = pinRules.filter(pin => pin.slot === slot)
      if (rules.length === 0) return undefined
      return rules.map(({ run }) => maskOf(run, false)).reduce((a, b) => a.map((each, i) => each & b[i]))
    })
    return { only: [], pinned, quotas: quotaRules.map(({ run, max }) => ({ of: maskOf(run, true), max })) }
  }
}

/** Of lasting pools what is found once is remembered. */
function declaredPlaces(slots: Extract<PolicySpec['decision'], { type: 'slots' }>['slots']): Slots['open'] {
  if (slots.every(({ actions, exclude }) => actions === undefined && exclude === undefined)) return () => undefined
  const sets = slots.map(({ actions, exclude }) => ({
    actions: actions && new Set(actions),
    exclude: exclude && new Set(exclude),
  }))
  const known = new WeakMap<readonly string[], Places>()
  return (_, { ids, lasting }) => {
    const before = known.get(ids)
    if (before !== undefined) return before
    const only = sets.map(({ actions, exclude }): Mask | undefined =>
      actions === undefined && exclude === undefined
        ? undefined
        : Uint8Array.from(ids, id => Number((actions?.has(id) ?? true) && exclude?.has(id) !== true)),
    )
    const places = { only, pinned: [], quotas: [] }
    if (lasting) known.set(ids, places)
    return places
  }
}
