import { createFilling, NOTHING } from '../../policy/lists/filling.ts'
import { mixtureSlots } from '../../policy/lists/slots.ts'
import { createWalk, type Walk } from '../../policy/lists/walk.ts'
import type { DecisionRecord } from './records.ts'

type Listed = Pick<DecisionRecord, 'eligible' | 'slots' | 'list'>

/**
 * What each slot of a decision was drawn from, by eligible action: as it was logged, or where a long list's record has scores instead, recomputed from them, to
 * the same digits. Empty where there is neither, or not a score an action.
 */
export function slotVectors(record: Listed): readonly (readonly number[])[] {
  const { slots } = record
  const told = slots.every(({ propensities }) => propensities !== undefined) ? undefined : scoredVectors(record)
  return slots.map(({ propensities }, k) => propensities ?? told?.[k] ?? [])
}

/** What the scores of a record say that each of its slots was drawn from; undefined where there are none, or not one an action. */
export function scoredVectors({ eligible, slots, list }: Listed): readonly (readonly number[])[] | undefined {
  const scores = list?.scores
  if (scores?.length !== eligible.length) return undefined
  const count = eligible.length
  const places = new Map(eligible.map(({ id }, at) => [id, at]))
  const walk = mixtureWalk(scores, list?.uniform ?? 0, slots.length)
  const out = new Float64Array(count)
  return slots.map(({ action }) => {
    const left = walk.vector(out)
    walk.take((action === null ? undefined : places.get(action)) ?? NOTHING)
    return left === 0 ? [] : Array.from(out)
  })
}

/** The slots of a mixture of lists by these scores of its first one, and of lists by chance; where nothing else says what may stand where. */
export function mixtureWalk(scores: readonly number[], uniform: number, slots: number): Walk {
  const count = scores.length
  const filling = createFilling(count, slots)
  const choose = (_slot: number, _left: Int32Array, _count: number, out: Float64Array) => out.set(scores)
  const walk = createWalk(mixtureSlots(slots, uniform), filling, choose, () => undefined, count, true)
  filling.start(Int32Array.from(scores.keys()), count, undefined)
  walk.start()
  return walk
}
