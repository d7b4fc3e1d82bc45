import type { ContextFault } from '../../policy/context.ts'
import { type DecidedSlot, type Decision, type DecisionRequest, decide } from '../../policy/decide.ts'
import { outputsOf } from '../../policy/model-outputs.ts'
import type { Policy } from '../../policy/policy.ts'
import { BY_REQUEST, type Pool } from '../../policy/pool.ts'
import { servedOf } from './decision-record.ts'
import { baselinesOf, type DecisionRecord, EXCLUDED_BASELINE, IMPOSED } from './records.ts'
import { slotVectors } from './slot-vectors.ts'

export type { ReplayResult } from '../../generated/types.ts'

/** Does a logged decision come out the same again, bit for bit? */
export interface Replay {
  readonly same: boolean
  /** What differs: its place in the record, what was logged, what comes out now. */
  readonly differences: readonly { readonly at: string; readonly logged: unknown; readonly recomputed: unknown }[]
}

/**
 * Recomputes a decision with the policy and the snapshot that the record names; that they are the right ones is for the caller to
 * see to. What the server imposed (a kill switch, a timeout, another mode) is taken as given: only who was served and the draw of
 * its one action are then recomputed.
 */
export function replay(policy: Policy, record: DecisionRecord): Replay {
  const { served, decisionId, context, mode } = record
  const imposed = imposedOn(record)
  const pool = askedPool(policy, record)
  const again = 'faults' in pool ? pool : decide(policy, { decisionId, context, pool, imposed })
  if ('faults' in again) {
    const recomputed = again.faults.map(({ pointer, message }) => `${pointer} ${message}`).join('; ')
    const [at, logged] = 'faults' in pool ? ['eligible', record.eligible] : ['context', context]
    return { same: false, differences: [{ at, logged, recomputed }] }
  }
  const servedAgain = servedOf(again, mode, baselinesOf(record))
  const pairs: readonly (readonly [at: string, logged: unknown, recomputed: unknown])[] = [
    ['policy.name', record.policy.name, again.policy.name],
    ['policy.digest', record.policy.digest, again.policy.digest],
    ['unit', record.unit, again.unit],
    ['eligible', record.eligible.map(({ id }) => id), again.eligible],
    ['excluded', record.excluded.map(({ id, by }) => ({ id, by })), again.excluded],
    ...slotPairs(record, again),
    ['model', record.model, again.model],
    ['randomness', record.randomness, again.randomness],
    ['served.by', served.by, servedAgain.by],
    ['served.reason', served.reason, servedAgain.reason],
  ]
  const differences = pairs
    .filter(([, logged, recomputed]) => JSON.stringify(logged) !== JSON.stringify(recomputed))
    .map(([at, logged, recomputed]) => ({ at, logged, recomputed }))
  return { same: differences.length === 0, differences }
}

/** Slot by slot; what only the caller had in its list was not decided. */
function* slotPairs(record: DecisionRecord, again: Decision): Generator<readonly [string, unknown, unknown]> {
  const slots: readonly DecidedSlot[] = again.slots ?? [{ ...again, slot: 0, u: again.randomness.u }]
  const vectors = slotVectors(record)
  const decided = record.slots.findLastIndex(({ action }) => action !== null) + 1
  for (let k = 0; k < Math.max(decided, slots.length); k++) {
    const logged = record.slots.at(k)
    const now = slots.at(k)
    const at = (name: string) => `slots[${k}].${name}`
    yield [at('action'), logged?.action, now?.action]
    yield [at('propensity'), logged?.propensity, now?.propensity]
    yield [at('propensities'), logged && vectors[k], now?.propensities]
    yield [at('floor'), logged?.floor, now?.floor]
    if (k > 0) yield [at('u'), logged?.u, now?.u]
  }
  yield ['list.scores', record.list?.scores, again.scores]
}

/**
 * What the decision was between. Of a request's actions the eligible ones are in their order; where among them the excluded ones were is not
 * known, and does not matter to what was decided.
 */
export function poolOf(
  policy: Policy,
  { eligible, excluded, ts }: Pick<DecisionRecord, 'eligible' | 'excluded' | 'ts'>,
): Pool | { readonly faults: readonly ContextFault[] } {
  const exclude = excluded.filter(({ by }) => by === BY_REQUEST).map(({ id }) => id)
  if (policy.pool !== undefined) return policy.offer({ exclude, at: Date.parse(ts) })
  const actions = [...eligible, ...excluded].map(
    ({ id, features }: DecisionRecord['excluded'][number] | DecisionRecord['eligible'][number]) => ({ id, features }),
  )
  return policy.offer({ actions, exclude })
}

/**
 * That pool with what the policy's Model said, as the record has it: a model's digits differ between machines, so that they are an input of the
 * decision. Without them, where the policy has a Model, nothing can be decided again.
 */
function askedPool(policy: Policy, record: DecisionRecord): ReturnType<typeof poolOf> {
  const pool = poolOf(policy, record)
  const { scorer } = policy.spec
  const { model, eligible } = record
  if ('faults' in pool || scorer === undefined || model === undefined) return pool
  if (model.failure !== undefined) return { ...pool, outputs: { failure: model.failure } }
  const indices = eligible.map(({ id }) => pool.ids.indexOf(id))
  if (model.outputs === undefined || indices.includes(-1)) return pool
  const outputs = outputsOf(scorer, model.outputs, indices, pool.ids.length)
  return outputs === undefined ? pool : { ...pool, outputs }
}

/** What the server imposed, as far as the record tells: the policy knows nothing of it. */
function imposedOn(record: DecisionRecord): DecisionRequest['imposed'] {
  const { mode, served, slots } = record
  const { by } = served
  const reason = (served.reason ?? '').replace(new RegExp(`: ${EXCLUDED_BASELINE}$`), '').replace(`${mode}: `, '')
  const known: readonly string[] = Object.values(IMPOSED)
  if (by === 'policy' || by === 'holdout' || !(mode === 'logging-only' || known.includes(reason))) return undefined
  if (by !== 'override') return { reason }
  const own = baselinesOf(record)
  return { actions: own.length > 0 ? own : slots.flatMap(({ action }) => action ?? []), reason }
}
