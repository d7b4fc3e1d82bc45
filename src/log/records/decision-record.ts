import type { Decision } from '../../policy/decide.ts'
import type { Policy } from '../../policy/policy.ts'
import { isSet, type Pool, requirePool } from '../../policy/pool.ts'
import {
  type DecisionRecord,
  type DecisionSlot,
  EXCLUDED_BASELINE,
  type Mode,
  OF_POLICY,
  OF_REQUEST,
  type ServedBy,
} from './records.ts'

/** What a record says beside the decision itself. */
export interface RecordFacts {
  readonly ts: string
  readonly mode: Mode
  /** Digest of the snapshot that the learner was loaded from. */
  readonly snapshot: string | null
  readonly runtime: string
  readonly latencyUs: number
  readonly logProbability: number
  /** What the caller would have done, slot by slot. */
  readonly baselines?: readonly string[]
  /** Does the decision count only once it has been activated? */
  readonly deferred?: boolean
  readonly traceparent?: string
}

/** The log's record of a decision, made of the policy's own actions or of a request's. What many records share is one object, for `recordText`. */
export function decisionRecord(
  policy: Policy,
  decision: Decision,
  facts: RecordFacts,
  pool: Pool | undefined = policy.pool,
): DecisionRecord {
  const { mode, baselines = [] } = facts
  const slots = slotsOf(decision, baselines)
  const served: DecisionRecord['served'] = servedOf(decision, mode, baselines)
  return {
    schema: policy.pool === undefined ? OF_REQUEST : OF_POLICY,
    decisionId: decision.decisionId,
    ts: facts.ts,
    mode,
    policy: whoOf(policy, facts),
    unit: decision.unit,
    context: decision.context,
    defaulted: decision.defaulted.length === 0 ? undefined : decision.defaulted,
    eligible: isSet(policy.spec.actions)
      ? namedOf(pool, slots, decision.eligible)
      : eligibleOf(pool, decision.eligible),
    excluded: policy.pool === undefined ? described(pool, decision.excluded) : decision.excluded,
    slots,
    list: listOf(policy, decision),
    model: decision.model,
    randomness: decision.randomness,
    served: facts.deferred ? { ...served, activation: 'pending' } : served,
    logProbability: facts.logProbability,
    latencyUs: facts.latencyUs,
    traceparent: facts.traceparent,
  }
}

/** Of more numbers than these the vectors of a list are left out of its record, where scores tell them. */
const MOST_NUMBERS = 500

/** The caller's list may be longer than dap's. */
function slotsOf(decision: Decision, baselines: readonly string[]): readonly DecisionSlot[] {
  const { slots, scores, eligible } = decision
  if (slots === undefined) {
    const { action, propensity, propensities, floor } = decision
    return [{ slot: 0, action, propensity, propensities, floor, baseline: baselines[0] }]
  }
  const told = scores !== undefined && eligible.length * slots.length > MOST_NUMBERS
  return Array.from({ length: Math.max(slots.length, baselines.length) }, (_, slot): DecisionSlot => {
    const baseline = baselines.at(slot)
    if (slot >= slots.length) return { slot, action: null, propensity: null, propensities: [], floor: 0, baseline }
    const { action, propensity, propensities, floor, u } = slots[slot]
    return {
      slot,
      action,
      propensity,
      propensities: told ? undefined : propensities,
      floor,
      u: slot === 0 ? undefined : u,
      baseline,
    }
  })
}

function listOf(policy: Policy, { slots, scores }: Decision): DecisionRecord['list'] {
  if (slots === undefined) return undefined
  const { uniform } = policy.slots
  return uniform === undefined ? { design: 'floors' } : { design: 'mixture', uniform, scores }
}

/**
 * Who is served. In the modes that serve the caller's baseline the policy's choice is recorded all the same, but as an override, so
 * that no evaluation takes the reward for the policy's; and where the rules exclude what the caller does, the reason says so.
 */
export function servedOf(
  { eligible, excluded, servedBy, reason }: Pick<Decision, 'eligible' | 'excluded' | 'servedBy' | 'reason'>,
  mode: Mode,
  baselines: readonly string[],
): { readonly by: ServedBy; readonly reason?: string } {
  const forbidden = mode !== 'online' && excluded.some(({ id }) => baselines.includes(id))
  if (mode === 'online' || !(forbidden || eligible.some(id => baselines.includes(id)))) {
    return reason === undefined ? { by: servedBy } : { by: servedBy, reason }
  }
  const reasons = [mode === 'logging-only' ? undefined : mode, reason, forbidden ? EXCLUDED_BASELINE : undefined]
  return { by: 'override', reason: reasons.filter(each => each !== undefined).join(': ') }
}

const whos = new WeakMap<Policy, DecisionRecord['policy']>()

function whoOf(policy: Policy, { snapshot, runtime }: RecordFacts): DecisionRecord['policy'] {
  const last = whos.get(policy)
  if (last !== undefined && last.snapshot === snapshot && last.runtime === runtime) return last
  const who = { name: policy.name, digest: policy.digest, snapshot, runtime }
  whos.set(policy, who)
  return who
}

const eligibles = new WeakMap<readonly string[], DecisionRecord['eligible']>()

function eligibleOf(pool: Pool | undefined, ids: readonly string[]): DecisionRecord['eligible'] {
  const known = eligibles.get(ids)
  if (known !== undefined) return known
  const wanted = new Set(ids)
  const entries = requirePool(pool).entries.filter(({ id }) => wanted.has(id))
  eligibles.set(ids, entries)
  return entries
}

const names = new WeakMap<readonly string[], DecisionRecord['eligible']>()

/**
 * Those of a set are thousands, whose features the policy's digest stands for: a record has the features of what was taken, and of what the
 * caller would have, since that is what it is answered by.
 */
function namedOf(
  pool: Pool | undefined,
  slots: readonly DecisionSlot[],
  ids: readonly string[],
): DecisionRecord['eligible'] {
  const bare = names.get(ids) ?? ids.map(id => ({ id }))
  names.set(ids, bare)
  const entries = [...bare]
  for (const id of new Set(slots.flatMap(({ action, baseline }) => [action, baseline]))) {
    const at = id === null || id === undefined ? -1 : ids.indexOf(id)
    const known = pool?.entries.find(each => each.id === id)
    if (at >= 0 && known !== undefined) entries[at] = known
  }
  return entries
}

/** What the request brought is nowhere else, also where the rules exclude it. */
function described(pool: Pool | undefined, excluded: Decision['excluded']): DecisionRecord['excluded'] {
  if (excluded.length === 0) return excluded
  const known = new Map(pool?.entries.map(({ id, features }) => [id, features]))
  return excluded.map(each => ({ ...each, features: known.get(each.id) }))
}
