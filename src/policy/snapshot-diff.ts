import { canonicalJson } from './digest.ts'
import type { ActionKnowledge, SnapshotDescription } from './snapshot-describe.ts'

/** What is different between two snapshots; `dap snapshot diff --json`. */
export interface SnapshotDiff {
  readonly schema: 'dap.snapshot-diff/v1'
  readonly before: string
  readonly after: string
  /** Both have one digest. */
  readonly same: boolean
  /** What is not about a single action: `policy.digest`, `count`, `data.rows`, … */
  readonly facts: readonly { readonly name: string; readonly before: unknown; readonly after: unknown }[]
  /** The largest change first. Those that are the same in both are left out. */
  readonly actions: readonly ActionDiff[]
}

export interface ActionDiff {
  readonly id: string
  readonly status: 'added' | 'removed' | 'changed'
  readonly count: Change
  /** Of a learner without features. */
  readonly value?: Change
  /** By feature, the largest change first; of features that both have, those that changed. */
  readonly coefficients?: readonly (Change & { readonly feature: string })[]
}

/** null where there is no number on that side. */
export interface Change {
  readonly before: number | null
  readonly after: number | null
}

export function diffSnapshots(before: SnapshotDescription, after: SnapshotDescription): SnapshotDiff {
  const ids = [...new Set([...before.actions, ...after.actions].map(({ id }) => id))]
  const find = ({ actions }: SnapshotDescription, id: string) => actions.find(action => action.id === id)
  return {
    schema: 'dap.snapshot-diff/v1',
    before: before.digest,
    after: after.digest,
    same: before.digest === after.digest,
    facts: factDiffs(before, after),
    actions: ids
      .map(id => actionDiff(id, find(before, id), find(after, id)))
      .filter(diff => diff.status !== 'changed' || hasChanged(diff))
      .sort((a, b) => sizeOf(b) - sizeOf(a)),
  }
}

function factDiffs(before: SnapshotDescription, after: SnapshotDescription): SnapshotDiff['facts'] {
  const [then, now] = [factsOf(before), factsOf(after)]
  return Object.keys(then)
    .filter(name => canonicalJson(then[name]) !== canonicalJson(now[name]))
    .map(name => ({ name, before: then[name], after: now[name] }))
}

function factsOf({ dap, policy, learner, count, data, features }: SnapshotDescription): Record<string, unknown> {
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
  const old = new Map(then?.coefficients?.map(({ feature, value }) => [feature, value]))
  const coefficients = (now?.coefficients ?? [])
    .flatMap(({ feature, value }) => (old.has(feature) ? [{ feature, before: old.get(feature)!, after: value }] : []))
    .filter(differs)
    .sort((a, b) => distance(b) - distance(a))
  return { ...known, coefficients }
}

const differs = ({ before, after }: Change) => before !== after

const hasChanged = ({ count, value, coefficients }: ActionDiff) =>
  differs(count) || (value !== undefined && differs(value)) || (coefficients ?? []).length > 0

const distance = ({ before, after }: Change) => Math.abs((after ?? 0) - (before ?? 0))

/** How far an action moved. One that came or went moved further than any that stayed. */
function sizeOf({ status, value, coefficients }: ActionDiff): number {
  if (status !== 'changed') return Number.MAX_VALUE
  return Math.max(
    value === undefined ? 0 : distance(value),
    coefficients?.[0] === undefined ? 0 : distance(coefficients[0]),
  )
}
