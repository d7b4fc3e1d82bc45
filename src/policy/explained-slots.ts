import type { ExplainedAction, ExplainedSlot } from '../generated/types.ts'
import type { PolicySpec } from '../kinds.ts'
import type { DecidedSlot, Decision } from './decide.ts'
import { type Filling, NOTHING } from './lists/filling.ts'
import type { Places } from './lists/slots.ts'
import type { Policy } from './policy.ts'
import type { Pool } from './pool.ts'

export type { ExplainedSlot } from '../generated/types.ts'

/** What the policy thought of the candidates of one slot, by action of the pool. */
interface Thought {
  readonly deliberate: number
  readonly values: readonly number[]
  readonly widths: readonly number[]
  /** Of each action that may stand there, what the exploration chose before chance was added. */
  probability(propensity: number): number | undefined
}

/**
 * Explains each slot of a list that this policy, in this state, has just decided: what could stand there, given what stands above, and what the rules of
 * places kept out.
 *
 * @param featuresOf What a learner that actions share sees of an action in a slot; undefined where that is not of the slot.
 */
export function explainSlots(
  policy: Policy,
  decision: Decision,
  pool: Pool,
  featuresOf: ((action: number, slot: number) => ExplainedAction['features']) | undefined,
): readonly ExplainedSlot[] {
  const { slots = [], context, eligible, servedBy, randomness, decisionId } = decision
  const places = new Map(pool.ids.map((id, at) => [id, at]))
  const indices = Int32Array.from(eligible, id => places.get(id) ?? NOTHING)
  const taken = slots.map(({ action }) => (action === null ? NOTHING : (places.get(action) ?? NOTHING)))
  const thoughts = servedBy === 'policy' ? thoughtsOf(policy, decision, pool, indices, taken) : []
  const rules = policy.slots.open(context, pool, true)
  const filling = policy.fill(context, indices, indices.length, pool)
  return slots.map(({ slot, action, propensities, u }, k) => {
    const left = filling.left.slice(0, filling.open())
    const thought = thoughts.at(k)
    let from = 0
    const candidates = Array.from(left, (a): ExplainedAction => {
      const id = pool.ids[a]
      const propensity = propensities.at(indices.indexOf(a))
      if (action === null || propensity === undefined) return { id }
      const interval = { propensity, from, to: from + propensity }
      from += propensity
      if (thought === undefined) return { id, ...interval }
      const probability = thought.probability(propensity)
      const features = featuresOf?.(a, k)
      return {
        id,
        value: finite(thought.values[a]),
        width: finite(thought.widths[a]),
        ...(probability === undefined ? {} : { probability }),
        ...interval,
        ...(features === undefined ? {} : { features }),
      }
    })
    const above = taken.slice(0, k).filter(a => a !== NOTHING)
    const out = Array.from(indices).filter(a => !left.includes(a) && !above.includes(a))
    const keptOut = out.map(a => ({ id: pool.ids[a], ...barOf(a, k, rules, filling, policy.spec.decision) }))
    const name = policy.slots.ids.at(k)
    filling.take(taken[k])
    return {
      slot,
      ...(name === undefined ? {} : { id: name }),
      action,
      above: above.map(a => pool.ids[a]),
      ...(thought === undefined ? {} : { deliberate: thought.deliberate }),
      candidates,
      keptOut,
      draw: { key: `${randomness.salt}/${decisionId}/${k}`, u },
    }
  })
}

/** Walks down the list as it was decided. */
function thoughtsOf(
  policy: Policy,
  { context, decisionId, slots = [] }: Decision,
  pool: Pool,
  indices: Int32Array,
  taken: readonly number[],
): readonly (Thought | undefined)[] {
  const walk = policy.walk(context, indices, indices.length, decisionId, pool)
  const vector = new Float64Array(pool.ids.length)
  return slots.map((_: DecidedSlot, k) => {
    const count = walk.vector(vector)
    const { deliberate } = walk
    const { value, width } = policy.learner
    const thought = {
      deliberate,
      values: Array.from(value.subarray(0, pool.ids.length)),
      widths: Array.from(width.subarray(0, pool.ids.length)),
      probability: (propensity: number) =>
        deliberate > 0 ? Math.min(1, Math.max(0, (propensity - (1 - deliberate) / count) / deliberate)) : undefined,
    }
    walk.take(taken[k])
    return count === 0 ? undefined : thought
  })
}

/** What keeps an action that is left out of a slot. Where neither its lists nor a quota does, other actions answer a pin. */
function barOf(
  action: number,
  slot: number,
  rules: Places | undefined,
  filling: Filling,
  decision: PolicySpec['decision'],
): Pick<ExplainedSlot['keptOut'][number], 'by' | 'rule'> {
  if (rules?.only.at(slot)?.[action] === 0) return { by: 'slot' }
  const spent = filling.spent(action)
  if (spent < 0) return { by: 'pin' }
  const quotas = decision.type === 'ranking' ? (decision.quotas ?? []) : []
  return { by: 'quota', rule: quotas[spent].eligible }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
