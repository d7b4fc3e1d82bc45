import { canonicalJson } from '../../policy/digest.ts'
import { type Change, isMemory } from '../change.ts'
import type { DeploymentPlan, Orphan, Plan } from './plan.ts'

export interface PlanComparison {
  /** All that is left to do was approved. */
  readonly equal: boolean
  /** Endpoints that were written to since, by deployment, without anything to be done about it. */
  readonly moved: readonly string[]
  readonly different: readonly { readonly deployment: string; readonly reason: string }[]
}

/** An approved plan and the one that Git and the cloud come to now. What is done already is no difference: the rest was approved as well. */
export function comparePlans(approved: Plan, fresh: Plan): PlanComparison {
  const moved: string[] = []
  const different: { deployment: string; reason: string }[] = []
  const elsewhere = !same(approved.environment, fresh.environment)
  for (const [name, before, after] of paired(approved.deployments, fresh.deployments, ({ deployment }) => deployment)) {
    const reason = elsewhere ? 'the environment is in another place now' : reasonOf(before, after)
    if (reason !== null) different.push({ deployment: name, reason })
    else if (before?.etag !== after?.etag) moved.push(name)
  }
  for (const [id, before, after] of paired(approved.orphans, fresh.orphans, ({ id }) => id)) {
    if (!isRest(after?.changes ?? [], before?.changes ?? [])) {
      const deployment = (after as Orphan).deployment ?? id
      different.push({ deployment, reason: 'deleting it was not approved like this' })
    }
  }
  return { equal: different.length === 0, moved, different }
}

export function planHasExpired({ header }: Plan, now: number): boolean {
  return Date.parse(header.expires) <= now
}

function reasonOf(before: DeploymentPlan | undefined, after: DeploymentPlan | undefined): string | null {
  if (before === undefined) return 'it was not in the plan'
  if (after === undefined) return 'Git no longer has it'
  if (!same(before.desired, after.desired)) return 'Git says something else than when the plan was made'
  if (after.changes.length === 0) return null
  const digests = ({ evidence }: DeploymentPlan) => evidence.map(({ kind, name, digest }) => [kind, name, digest])
  if (!same(digests(before), digests(after))) return 'its evidence is another than that of the plan'
  const [block] = after.blocked
  if (block !== undefined && before.blocked.length === 0) return block.reason
  const other = after.changes.find(change => !isMemory(change) && !before.changes.some(each => same(each, change)))
  if (other !== undefined) return `to ${other.kind} (${other.reason}) was not in the plan`
  return isRest(after.changes, before.changes) ? null : 'the changes are in another order'
}

/** Every change was approved, in that order; those that are missing have been done. */
function isRest(all: readonly Change[], approved: readonly Change[]): boolean {
  const changes = all.filter(change => !isMemory(change))
  let at = 0
  for (const change of approved) if (at < changes.length && same(change, changes[at])) at++
  return at === changes.length
}

function paired<T>(
  a: readonly T[],
  b: readonly T[],
  key: (each: T) => string,
): [string, T | undefined, T | undefined][] {
  const names = [...new Set([...a, ...b].map(key))].sort()
  return names.map(name => [name, a.find(each => key(each) === name), b.find(each => key(each) === name)])
}

const same = (a: unknown, b: unknown) => canonicalJson(a) === canonicalJson(b)
