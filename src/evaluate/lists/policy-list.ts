import { contextReader, contextSource } from '../../log/rows/context-reader.ts'
import type { LogColumns } from '../../log/rows/layout.ts'
import type { LoggedList } from '../../log/rows/list-reader.ts'
import { offeredReader } from '../../log/rows/offered-reader.ts'
import type { ValueColumn } from '../../log/tables.ts'
import type { OpenRuntime } from '../../models/score-ahead.ts'
import { NOTHING } from '../../policy/lists/filling.ts'
import type { Walk } from '../../policy/lists/walk.ts'
import type { Context, Policy } from '../../policy/policy.ts'
import type { Pool } from '../../policy/pool.ts'
import { type AskedRow, createAskedRows } from '../candidates/asked.ts'
import { type ActionSpace, requireAction } from '../candidates/candidate.ts'
import { idReader, type Situation, situationReader } from '../candidates/policy.ts'
import type { CandidateList, ListCandidate } from './list-candidate.ts'
import { evenMarginals, rememberedMixture, tellsAll, visitedMarginals } from './marginals.ts'

/**
 * A Policy as a candidate: the lists that it would make of what it and the log find eligible, given what stands above. One whose
 * probabilities are seeded by the decision has those of the decision that was logged.
 */
export function policyList(
  policy: Policy,
  space: ActionSpace,
  columns: LogColumns,
  slots: number,
  open?: OpenRuntime,
): ListCandidate {
  if (policy.spec.scorer !== undefined) return modelList(policy, space, columns, slots, open)
  const { offered } = columns
  const contexts = contextReader(policy, contextSource(policy, columns))
  const seeded = policy.exploration.seeded === true
  const judged = createCandidateList(policy, slots)
  const ids = seeded ? [idReader(columns.decisionId)] : []
  if (offered !== undefined) {
    return {
      columns: [offeredReader(policy, offered), contexts, ...ids],
      bind(read) {
        const [pools, situations, names] = read.map(column => (column as ValueColumn).values)
        return (i, _, eligible) => {
          const [pool, context] = [pools[i] as Pool, situations[i] as Context]
          const count = policy.eligibility.writeCertain(context, judged.mine, pool)
          // The actions of a request are the places.
          judged.placeAt.set(judged.mine)
          return judged.open(context, count, eligible.length, names?.[i] as string | undefined, pool)
        }
      },
    }
  }
  const actionOf = Int32Array.from(policy.actions, id => requireAction(space, id))
  const placeOf = new Int32Array(space.ids.length)
  return {
    columns: [situationReader(policy, contexts), ...ids],
    bind(read) {
      const [situations, names] = read.map(column => (column as ValueColumn).values)
      return (i, _, eligible) => {
        const { context, eligible: may } = situations[i] as Situation
        placeOf.fill(-1)
        for (let place = 0; place < eligible.length; place++) placeOf[eligible[place]] = place
        let count = 0
        for (let j = 0; j < may.length; j++) {
          const place = placeOf[actionOf[may[j]]]
          if (place < 0) continue
          judged.mine[count] = may[j]
          judged.placeAt[count++] = place
        }
        return judged.open(context, count, eligible.length, names?.[i] as string | undefined)
      }
    },
  }
}

/** Of a policy that decides by what a Model says, or by what it has learnt from that. */
function modelList(
  policy: Policy,
  space: ActionSpace,
  columns: LogColumns,
  slots: number,
  open: OpenRuntime | undefined,
): ListCandidate {
  const { reader, actionOf, ...model } = createAskedRows(policy, space, columns, open)
  const judged = createCandidateList(policy, slots)
  const placeOf = new Int32Array(space.ids.length)
  return {
    columns: [reader, ...(policy.exploration.seeded === true ? [idReader(columns.decisionId)] : [])],
    model,
    bind(read) {
      const [rows, names] = read.map(column => (column as ValueColumn).values)
      return (i, _, eligible) => {
        const { context, eligible: mine, pool } = rows[i] as AskedRow
        for (let place = 0; place < eligible.length; place++) placeOf[eligible[place]] = place
        judged.mine.set(mine)
        for (const [j, a] of mine.entries()) judged.placeAt[j] = placeOf[actionOf === undefined ? a : actionOf[a]]
        return judged.open(context, mine.length, eligible.length, names?.[i] as string | undefined, pool)
      }
    },
  }
}

/**
 * The lists of a policy, one decision at a time. `mine` and `placeAt`: where the actions that it finds eligible are to be written, and their
 * places.
 */
function createCandidateList(policy: Policy, slots: number) {
  const mine = new Int32Array(policy.capacity)
  const placeAt = new Int32Array(policy.capacity)
  const vector = new Float64Array(policy.capacity)
  const mixture = rememberedMixture(slots)
  /** Place → the policy's own action; −1: what it does not know. */
  let actionAt = new Int32Array(0)
  let count = 0
  let places = 0
  let walk: Walk

  const list: CandidateList = {
    vector(out) {
      const left = walk.vector(vector)
      out.fill(0, 0, places)
      if (left > 0) for (let j = 0; j < count; j++) out[placeAt[j]] = vector[mine[j]]
      return left
    },
    take: place => walk.take(place < 0 || actionAt[place] < 0 ? NOTHING : actionAt[place]),
    back: () => walk.back(),
    marginals() {
      if (walk.vector(vector) === 0) return new Float64Array(slots * places)
      const { scores } = walk
      const own = scores && Float64Array.from({ length: count }, (_, j) => scores[mine[j]])
      if (own === undefined || !tellsAll(own, slots)) return visitedMarginals(list, places, slots)
      const found = mixture(own, policy.slots.uniform ?? 0)
      const out = new Float64Array(slots * places)
      for (let k = 0; k * count < found.length; k++) {
        for (let j = 0; j < count; j++) out[k * places + placeAt[j]] = found[k * count + j]
      }
      return out
    },
  }

  function open(
    context: Context,
    eligible: number,
    all: number,
    decisionId: string | undefined,
    pool?: Pool,
  ): CandidateList {
    count = eligible
    places = all
    if (actionAt.length < places) actionAt = new Int32Array(places)
    actionAt.fill(-1)
    for (let j = 0; j < count; j++) actionAt[placeAt[j]] = mine[j]
    walk = policy.walk(context, mine, count, decisionId, pool)
    return list
  }
  return { mine, placeAt, open }
}

/** All that the log could put into a slot alike, slot after slot. */
export function uniformList(slots: number): ListCandidate {
  let logged: LoggedList
  let places = 0
  let slot = 0
  const list: CandidateList = {
    vector(out) {
      const { vectors } = logged
      const first = slot * places
      let left = 0
      if (first === vectors.length) return 0
      for (let at = first; at < first + places; at++) if (vectors[at] > 0) left++
      const share = 1 / left
      for (let a = 0; a < places; a++) out[a] = vectors[first + a] > 0 ? share : 0
      return left
    },
    take: () => slot++,
    back: () => slot--,
    marginals: () => uniformMarginals(logged, places, slots),
  }
  return {
    columns: [],
    bind: () => (_, row, eligible) => {
      logged = row
      places = eligible.length
      slot = 0
      return list
    },
  }
}

/** Where anything that stands nowhere else may stand in every slot, as in mixtures without rules. */
const uniformMarginals = ({ mixture }: LoggedList, places: number, slots: number) =>
  mixture === undefined ? undefined : evenMarginals(places, slots)
