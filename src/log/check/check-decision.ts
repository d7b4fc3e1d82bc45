import { DRAW_SCHEME, drawIndex, drawUniform } from '../../policy/draw.ts'
import type { Context, Policy } from '../../policy/policy.ts'
import type { Pool } from '../../policy/pool.ts'
import type { LogFaultCode } from '../records/fault.ts'
import type { DecisionRecord } from '../records/records.ts'
import { poolOf } from '../records/replay.ts'

export type Report = (code: LogFaultCode, message: string) => void

/** Probabilities are sums of rounded numbers. */
const SUM_TOLERANCE = 1e-9
const FLOOR_TOLERANCE = 1e-12

/** What the actions and propensities of a decision record must be to be used at all, whoever drew from them and how. */
export function checkChoice({ eligible, excluded, slots }: DecisionRecord, report: Report): void {
  const [{ action, propensity, propensities }] = slots
  const listed = new Set<string>()
  for (const { id } of eligible) {
    if (listed.has(id)) report('eligible', `\`${id}\` is listed twice`)
    listed.add(id)
  }
  for (const { id } of excluded) {
    if (listed.has(id)) report('eligible', `\`${id}\` is listed twice`)
    listed.add(id)
  }
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
  checkChoice(record, report)
  const { decisionId, eligible, randomness } = record
  const [{ action, propensities, floor, slot }] = record.slots
  if (action !== null && propensities.length !== eligible.length) return
  const least = Math.min(...propensities)
  if (record.served.by === 'policy' && least < floor - FLOOR_TOLERANCE) {
    report('floor', `a propensity of ${least} is below the floor of ${floor}`)
  }
  if (randomness.scheme !== DRAW_SCHEME) {
    report('scheme', `the draw \`${randomness.scheme}\` is unknown, and was not recomputed`)
  } else {
    const u = drawUniform(randomness.salt, decisionId, slot)
    if (u !== randomness.u) report('u', `u is ${randomness.u}, and ${u} by salt, decision and slot`)
    const drawn = sumOf(propensities) > 0 ? eligible[drawIndex(propensities, randomness.u)].id : undefined
    if (action !== null && drawn !== action) report('draw', `u = ${randomness.u} draws \`${drawn}\`, not \`${action}\``)
  }
  checkServed(record, report)
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((total, p) => total + p, 0)

/** The policy, a holdout and a fallback serve their own choice; a mode that serves the caller's baseline says so. */
function checkServed(record: DecisionRecord, report: Report): void {
  const { mode, served, excluded } = record
  const [{ action, propensity, baseline }] = record.slots
  const { by } = served
  if (mode !== 'online' && (by === 'policy' || by === 'holdout')) {
    report('served', `served by \`${by}\` in the mode \`${mode}\`, which serves the caller's baseline`)
  }
  if (mode !== 'online' && by === 'override' && baseline === undefined) {
    report('served', `no \`baseline\` in the mode \`${mode}\`, which serves it`)
  }
  if ((by === 'holdout' || by === 'fallback') && propensity !== 1) {
    report('served', `a ${by} is certain, and the propensity is ${propensity}`)
  }
  // An override may go with no action: the caller did what it would, and dap would have done nothing.
  if (action === null ? by !== 'none' && by !== 'override' : by === 'none') {
    report(
      'served',
      `served by \`${by}\`, and ${action === null ? 'there is no action' : `the action is \`${action}\``}`,
    )
  }
  if (action === null && by === 'override' && baseline === undefined) {
    report('served', 'served by `override`, and there is neither an action nor a `baseline`')
  }
  const rule = by === 'override' ? excluded.find(({ id }) => id === baseline)?.by : undefined
  if (rule !== undefined) {
    report('baseline', `the caller served its baseline \`${baseline}\`, which is excluded by \`${rule}\``)
  }
}

/** What the policy that made the decision says beside: its actions, fields, salt and floor. */
export function checkAgainstPolicy(record: DecisionRecord, policy: Policy, report: Report): void {
  const { eligible, excluded, context, unit, randomness, served } = record
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
  const floor = policy.floor(eligible.length)
  if (served.by === 'policy' && record.slots[0].floor !== floor) {
    report('floor', `the floor is ${record.slots[0].floor}, and ${floor} by the policy`)
  }
}

/** What the policy's rules exclude in the context is not what dap served, nor what it could have. */
function checkRules(
  record: DecisionRecord,
  policy: Policy,
  { context, pool }: { readonly context: Context; readonly pool: Pool },
  report: Report,
): void {
  const { eligible, excluded, served } = record
  const [{ action, baseline }] = record.slots
  const indices = new Int32Array(pool.ids.length)
  const count = policy.eligibility.writeCertain(context, indices, pool)
  const ruled = policy.eligibleSet(indices, count, pool).excluded
  const could = new Set(eligible.map(({ id }) => id))
  const wrong = ruled.filter(({ id }) => could.has(id))
  if (wrong.length > 0) {
    const { id, by } = wrong.find(each => each.id === action) ?? wrong[0]
    report(
      'excluded',
      `${id === action ? 'the action' : 'the eligible'} \`${id}\` is excluded by the policy's \`${by}\``,
    )
  }
  const rule = ruled.find(({ id }) => id === baseline)?.by
  if (served.by === 'override' && rule !== undefined && !excluded.some(({ id }) => id === baseline)) {
    report('baseline', `the caller served its baseline \`${baseline}\`, which is excluded by the policy's \`${rule}\``)
  }
}
