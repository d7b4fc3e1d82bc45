import { SNAPSHOT_DIFF_RESULT_SCHEMA } from '../generated/names.ts'
import type { ActionDiff, NumberChange, SnapshotDiffResult } from '../generated/types.ts'
import { canonicalJson } from './digest.ts'
import type { ActionKnowledge, Coefficient, SnapshotShowResult } from './snapshot-describe.ts'

export type { ActionDiff, NumberChange, SnapshotDiffResult } from '../generated/types.ts'

export function diffSnapshots(before: SnapshotShowResult, after: SnapshotShowResult): SnapshotDiffResult {
  const ids = [...new Set([...before.actions, ...after.actions].map(({ id }) => id))]
  const find = ({ actions }: SnapshotShowResult, id: string) => actions.find(action => action.id === id)
  return {
    schema: SNAPSHOT_DIFF_RESULT_SCHEMA,
    before: before.digest,
    after: after.digest,
    same: before.digest === after.digest,
    facts: factDiffs(before, after),
    ...(after.coefficients === undefined
      ? {}
      : { coefficients: coefficientDiffs(before.coefficients, after.coefficients) }),
    actions: ids
      .map(id => actionDiff(id, find(before, id), find(after, id)))
      .filter(diff => diff.status !== 'changed' || hasChanged(diff))
      .sort((a, b) => sizeOf(b) - sizeOf(a)),
  }
}

function factDiffs(before: SnapshotShowResult, after: SnapshotShowResult): SnapshotDiffResult['facts'] {
  const [then, now] = [factsOf(before), factsOf(after)]
  return Object.keys(then)
    .filter(name => canonicalJson(then[name]) !== canonicalJson(now[name]))
    .map(name => ({ name, before: then[name], after: now[name] }))
}

function factsOf({ dap, policy, learner, count, data, features }: SnapshotShowResult): Record<string, unknown> {
  return {
    'policy.name': policy.name,
    'policy.digest': policy.digest,
    dap,
    learner,
    features,
    count,
    'data.dataset': data?.dataset ?? null,
    'data.digest': data?.digest ?? null,
    'data.rows': data?.rows ?? null,
    'data.from': data?.from ?? null,
    'data.to': data?.to ?? null,
    'data.until': data?.until ?? null,
    'data.heldOut': data?.heldOut ?? null,
    'data.remembered.at': data?.remembered?.at ?? null,
    'data.remembered.since': data?.remembered?.since ?? null,
    'data.remembered.rows': data?.remembered?.rows ?? null,
    'data.remembered.effectiveRows': data?.remembered?.effectiveRows ?? null,
  }
}

function actionDiff(id: string, then: ActionKnowledge | undefined, now: ActionKnowledge | undefined): ActionDiff {
  const known = {
    id,
    status: then === undefined ? 'added' : now === undefined ? 'removed' : 'changed',
    count: { before: then?.count ?? null, after: now?.count ?? null },
  } as const
  if ((now ?? then)?.coefficients === undefined) {
    return { ...known, value: { before: then?.value ?? null, after: now?.value ?? null } }
  }
  return { ...known, coefficients: coefficientDiffs(then?.coefficients, now?.coefficients) }
}

/** Of features that both have. */
function coefficientDiffs(
  then: readonly Coefficient[] = [],
  now: readonly Coefficient[] = [],
): NonNullable<ActionDiff['coefficients']> {
  const old = new Map(then.map(({ feature, value }) => [feature, value]))
  return now
    .flatMap(({ feature, value }) => (old.has(feature) ? [{ feature, before: old.get(feature)!, after: value }] : []))
    .filter(differs)
    .sort((a, b) => distance(b) - distance(a))
}

const differs = ({ before, after }: NumberChange) => before !== after

const hasChanged = ({ count, value, coefficients }: ActionDiff) =>
  differs(count) || (value !== undefined && differs(value)) || (coefficients ?? []).length > 0

const distance = ({ before, after }: NumberChange) => Math.abs((after ?? 0) - (before ?? 0))

/** How far an action moved. One that came or went moved further than any that stayed. */
function sizeOf({ status, value, coefficients }: ActionDiff): number {
  if (status !== 'changed') return Number.MAX_VALUE
  return Math.max(
    value === undefined ? 0 : distance(value),
    coefficients?.[0] === undefined ? 0 : distance(coefficients[0]),
  )
}
