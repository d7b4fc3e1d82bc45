import { DRAW_SCHEME, drawIndex, drawUniform } from '../../policy/draw.ts'
import { NOTHING } from '../../policy/lists/filling.ts'
import { isList } from '../../policy/lists/slots.ts'
import type { Context, Policy } from '../../policy/policy.ts'
import type { Pool } from '../../policy/pool.ts'
import type { LogFaultCode } from '../records/fault.ts'
import { baselinesOf, type DecisionRecord, type DecisionSlot } from '../records/records.ts'
import { poolOf } from '../records/replay.ts'
import { scoredVectors, slotVectors } from '../records/slot-vectors.ts'

import { modelFaults, outputFaults } from './check-outputs.ts'

export type Report = (code: LogFaultCode, message: string) => void

/** Probabilities are sums of rounded numbers. */
const SUM_TOLERANCE = 1e-9
const FLOOR_TOLERANCE = 1e-12

/**
 * What the actions and propensities of a decision record must be to be used at all, whoever drew from them and how. `vectors`: what its slots were
 * drawn from, as `slotVectors` has it.
 */
export function checkChoice(record: DecisionRecord, report: Report, vectors = slotVectors(record)): void {
  const { eligible, excluded, slots } = record
  const listed = new Set<string>()
  for (const { id } of [...eligible, ...excluded]) {
    if (listed.has(id)) report('eligible', `\`${id}\` is listed twice`)
    listed.add(id)
  }
  const scores = record.list?.scores
  if (scores !== undefined && scores.length !== eligible.length) {
    report('length', `${scores.length} scores for ${eligible.length} eligible actions`)
    return
  }
  /** Action → where it stands. */
  const above = new Map<string, number>()
  for (const [k, slot] of slots.entries()) {
    const told: Report = (code, message) => report(code, `${inSlot(record, k)}${message}`)
    if (slot.slot !== k) told('entry', `it is number ${slot.slot} of the slots, which are numbered from 0`)
    checkSlot(record, slot, vectors[k], told)
    for (const [at, { id }] of above.size === 0 ? [] : eligible.entries()) {
      const other = above.get(id)
      if (other === undefined || !(vectors[k][at] > 0)) continue
      told('ineligible', `\`${id}\` stands in slot ${other}, and could be drawn again`)
    }
    if (slot.action === null) continue
    const other = above.get(slot.action)
    if (other !== undefined) told('ineligible', `\`${slot.action}\` stands in slot ${other} already`)
    else above.set(slot.action, k)
  }
}

/** Of a list, where a fault is. */
const inSlot = ({ list, slots }: DecisionRecord, k: number): string =>
  list === undefined && slots.length === 1 ? '' : `slot ${k}: `

function checkSlot(
  { eligible, excluded }: DecisionRecord,
  { action, propensity }: DecisionSlot,
  propensities: readonly number[],
  report: Report,
): void {
  if (action === null) {
    if (propensity !== null) report('entry', `there is no action, and its propensity is ${propensity}`)
    if (propensities.length > 0) report('length', `there is no action, and ${propensities.length} propensities`)
    return
  }
  const at = eligible.findIndex(({ id }) => id === action)
  const rule = excluded.find(({ id }) => id === action)?.by
  if (rule !== undefined) report('excluded', `the action \`${action}\` is excluded by \`${rule}\``)
  else if (at < 0) report('ineligible', `the action \`${action}\` is not among the eligible`)
  if (propensities.length !== eligible.length) {
    report('length', `${propensities.length} propensities for ${eligible.length} eligible actions`)
    return
  }
  if (at >= 0 && propensities[at] !== propensity) {
    report('entry', `the propensity ${propensity} is not the action's entry of the propensities, ${propensities[at]}`)
  }
  const sum = sumOf(propensities)
  if (Math.abs(sum - 1) > SUM_TOLERANCE) report('sum', `the propensities sum to ${sum}`)
}

/** What a decision record must be to have been drawn as it says, whatever the policy. */
export function checkDecision(record: DecisionRecord, report: Report): void {
  const vectors = slotVectors(record)
  checkChoice(record, report, vectors)
  const { eligible, randomness, slots } = record
  if (randomness.scheme !== DRAW_SCHEME) {
    report('scheme', `the draw \`${randomness.scheme}\` is unknown, and was not recomputed`)
  }
  const scored = scoredVectors(record)
  for (const [k, slot] of slots.entries()) {
    const differs = scored?.[k].findIndex((p, at) => Math.abs(p - vectors[k][at]) > SUM_TOLERANCE) ?? -1
    if (scored !== undefined && differs >= 0) {
      const { id } = eligible[differs]
      report(
        'entry',
        `${inSlot(record, k)}\`${id}\` has ${vectors[k][differs]}, and ${scored[k][differs]} by the scores`,
      )
    }
    // What only the caller had in its list was not drawn.
    if (k > 0 && slot.action === null && slot.u === undefined) continue
    checkDraw(record, slot, vectors[k], (code, message) => report(code, `${inSlot(record, k)}${message}`))
  }
  checkServed(record, report)
  for (const message of outputFaults(record)) report('outputs', message)
}

function checkDraw(
  { decisionId, eligible, list, randomness, served }: DecisionRecord,
  { slot, action, floor, u = randomness.u }: DecisionSlot,
  propensities: readonly number[],
  report: Report,
): void {
  if (action !== null && propensities.length !== eligible.length) return
  // Of a list, 0 is what may not stand in the slot.
  const least = Math.min(...(list === undefined ? propensities : propensities.filter(p => p > 0)))
  if (served.by === 'policy' && least < floor - FLOOR_TOLERANCE) {
    report('floor', `a propensity of ${least} is below the floor of ${floor}`)
  }
  if (randomness.scheme !== DRAW_SCHEME) return
  const own = drawUniform(randomness.salt, decisionId, slot)
  if (own !== u) report('u', `u is ${u}, and ${own} by salt, decision and slot`)
  const drawn = sumOf(propensities) > 0 ? eligible[drawIndex(propensities, u)].id : undefined
  if (action !== null && drawn !== action) report('draw', `u = ${u} draws \`${drawn}\`, not \`${action}\``)
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((total, p) => total + p, 0)

/** The policy, a holdout and a fallback serve their own choice; a mode that serves the caller's baseline says so. */
function checkServed(record: DecisionRecord, report: Report): void {
  const { mode, served, excluded, slots } = record
  const { by } = served
  const baselines = baselinesOf(record)
  const first = slots.find(({ action }) => action !== null)
  if (mode !== 'online' && (by === 'policy' || by === 'holdout')) {
    report('served', `served by \`${by}\` in the mode \`${mode}\`, which serves the caller's baseline`)
  }
  if (mode !== 'online' && by === 'override' && baselines.length === 0) {
    report('served', `no \`baseline\` in the mode \`${mode}\`, which serves it`)
  }
  if (by === 'holdout' || by === 'fallback') {
    for (const [k, { action, propensity }] of slots.entries()) {
      if (propensity === 1 || (k > 0 && action === null)) continue
      report('served', `${inSlot(record, k)}a ${by} is certain, and the propensity is ${propensity}`)
    }
  }
  // An override may go with no action: the caller did what it would, and dap would have done nothing.
  if (first === undefined ? by !== 'none' && by !== 'override' : by === 'none') {
    report(
      'served',
      `served by \`${by}\`, and ${first === undefined ? 'there is no action' : `the action is \`${first.action}\``}`,
    )
  }
  if (first === undefined && by === 'override' && baselines.length === 0) {
    report('served', 'served by `override`, and there is neither an action nor a `baseline`')
  }
  if (by !== 'override') return
  for (const { id, by: rule } of excluded.filter(({ id }) => baselines.includes(id))) {
    report('baseline', `the caller served its baseline \`${id}\`, which is excluded by \`${rule}\``)
  }
}

/** What the policy that made the decision says beside: its actions, fields, salt and floor. */
export function checkAgainstPolicy(record: DecisionRecord, policy: Policy, report: Report): void {
  const { eligible, excluded, context, unit, randomness } = record
  const logged = new Set([...eligible, ...excluded].map(({ id }) => id))
  if (policy.pool !== undefined) {
    const known = new Set(policy.actions)
    for (const id of logged) if (!known.has(id)) report('actions', `the policy has no action \`${id}\``)
    for (const id of policy.actions)
      if (!logged.has(id)) report('actions', `the policy's action \`${id}\` is not listed`)
  }
  const pool = poolOf(policy, record)
  if ('faults' in pool) {
    const [{ pointer, message }] = pool.faults
    report('actions', `\`${pointer.slice(1)}\` ${message}`)
    return
  }
  const checked = policy.context(context)
  if ('faults' in checked) {
    const [{ pointer, message }] = checked.faults
    report('context', `\`context${pointer}\` ${message}`)
  } else if (checked.defaulted.length > 0) {
    report('context', `\`context/${checked.defaulted[0]}\` is missing: contexts are logged with their defaults`)
  } else {
    const own = policy.unit(checked.context)
    if (own !== unit)
      report('context', `the unit is ${JSON.stringify(unit)}, and ${JSON.stringify(own)} by the context`)
    checkRules(record, policy, { context: checked.context, pool }, report)
  }
  if (randomness.salt !== policy.salt)
    report('salt', `the salt is \`${randomness.salt}\`, and the policy's \`${policy.salt}\``)
  for (const message of modelFaults(record, policy.spec.scorer)) report('outputs', message)
  const { uniform } = policy.slots
  const design = designText(record.list)
  const own = designText({ design: uniform === undefined ? 'floors' : 'mixture', uniform })
  if (isList(policy.spec) && design !== own) report('floor', `\`list\` says ${design}, and the policy ${own}`)
  if (!('faults' in checked)) checkSlots(record, policy, { context: checked.context, pool }, report)
}

const designText = (list: DecisionRecord['list']): string =>
  list === undefined ? 'nothing' : `${list.design}${list.uniform === undefined ? '' : `, uniform: ${list.uniform}`}`

/** What the policy lets stand in each slot, given what stands above it, and what it promises there. */
function checkSlots(record: DecisionRecord, policy: Policy, { context, pool }: Known, report: Report): void {
  const { eligible, slots, served } = record
  const drawn = served.by === 'policy'
  const indices = Int32Array.from(eligible, ({ id }) => pool.ids.indexOf(id)).sort()
  if (indices[0] < 0) return
  const filling = policy.fill(context, indices, indices.length, pool)
  for (const [k, { action, floor }] of slots.entries()) {
    if (k >= policy.slots.count) {
      // The caller's own list may be longer.
      if (action !== null) report('length', `slot ${k}: a decision of the policy has at most ${policy.slots.count}`)
      return
    }
    const left = filling.left.subarray(0, filling.open())
    const at = action === null ? NOTHING : pool.ids.indexOf(action)
    if (at !== NOTHING && !left.includes(at)) {
      report('excluded', `${inSlot(record, k)}\`${action}\` may not stand there by the policy`)
    }
    const promised = policy.slots.floor(k, left.length)
    if (drawn && at !== NOTHING && floor !== promised) {
      report('floor', `${inSlot(record, k)}the floor is ${floor}, and ${promised} by the policy`)
    }
    filling.take(at)
  }
  const { ids, count } = policy.slots
  if (drawn && slots.length < count && (ids.length > 0 || filling.open() > 0)) {
    report('length', `there is no slot ${slots.length}, which the policy would have filled`)
  }
}

interface Known {
  readonly context: Context
  readonly pool: Pool
}

/** What the policy's rules exclude in the context is not what dap served, nor what it could have. */
function checkRules(record: DecisionRecord, policy: Policy, { context, pool }: Known, report: Report): void {
  const { eligible, excluded, served, slots } = record
  const actions = new Set(slots.map(({ action }) => action))
  const indices = new Int32Array(pool.ids.length)
  const count = policy.eligibility.writeCertain(context, indices, pool)
  const ruled = policy.eligibleSet(indices, count, pool).excluded
  const could = new Set(eligible.map(({ id }) => id))
  const wrong = ruled.filter(({ id }) => could.has(id))
  if (wrong.length > 0) {
    const { id, by } = wrong.find(each => actions.has(each.id)) ?? wrong[0]
    report(
      'excluded',
      `${actions.has(id) ? 'the action' : 'the eligible'} \`${id}\` is excluded by the policy's \`${by}\``,
    )
  }
  if (served.by !== 'override') return
  const baselines = baselinesOf(record)
  for (const { id, by } of ruled.filter(({ id }) => baselines.includes(id))) {
    if (excluded.some(each => each.id === id)) continue
    report('baseline', `the caller served its baseline \`${id}\`, which is excluded by the policy's \`${by}\``)
  }
}
