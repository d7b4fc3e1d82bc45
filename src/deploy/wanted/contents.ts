import type { Within } from '../../generated/types.ts'
/** What has changed inside a policy and its snapshot since the version was made that serves. */
import { type Bundle, checkBundle } from '../../policy/bundle.ts'
import type { Snapshot, SnapshotData } from '../../policy/snapshot.ts'
import type { FieldChange } from '../change.ts'
import { CloudError } from '../cloud-error.ts'
import { bundleSuffix, digest32 } from '../names.ts'
import { type Parts, partsOf } from '../parts.ts'
import type { Artefacts } from '../routes.ts'
import { type Actual, actualOf, located } from './actual.ts'
import type { Desired } from './desired.ts'
import { releaseOf, rolesOf } from './roles.ts'
import { valueChanges } from './value-diff.ts'

export type { Within } from '../../generated/types.ts'

/** By the field of a plan that has their digests. */
export type Contents = Partial<Readonly<Record<'policy' | 'snapshot', Within>>>

/** Fields that a reader is shown of each. */
const MOST_FIELDS = 8
/** The bundle of a learner that knows a great deal may be larger: then digests have to do. */
const MAX_BUNDLE_BYTES = 16 * 1024 * 1024
/** Bundles that are read at the same time. */
const AT_ONCE = 8

/**
 * Deployment's name → what has changed inside, for those whose policy or snapshot is another than that of the version that serves, and
 * whose old bundle the bucket still has: one read for each of them, and none where nothing differs. `bundle` gives the text of the one that Git makes.
 */
export async function readContents(
  cloud: Artefacts,
  actual: Actual,
  deployments: readonly { readonly desired: Desired; readonly bundle: string }[],
): Promise<ReadonlyMap<string, Contents>> {
  const contents = new Map<string, Contents>()
  const entries = deployments.values()
  const reader = async () => {
    for (const { desired, bundle } of entries) {
      const version = replacedVersion(desired, actual)
      const served = version && (await servedBundle(cloud, version, actual))
      if (served !== undefined) contents.set(desired.deployment, changesWithin(served, JSON.parse(bundle) as Bundle))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, reader))
  return contents
}

/** Fields of a plan with what has changed inside of them. */
export function withContents(fields: readonly FieldChange[], contents: Contents = {}): FieldChange[] {
  return fields.map(field => {
    const within = field.field === 'policy' || field.field === 'snapshot' ? contents[field.field] : undefined
    return within === undefined ? field : { ...field, within }
  })
}

/** What the version is made of that Git replaces by another policy or snapshot, if there is such a version and dap has made it. */
function replacedVersion(git: Desired, actual: Actual): Parts | undefined {
  const desired = located(git, actual)
  const { endpoint, releases } = actualOf(actual, desired)
  const live = endpoint && rolesOf(endpoint, desired).stable
  const version = releaseOf(releases, live)
  const parts = version?.parts
  const wanted = partsOf(desired)
  return parts?.policy === wanted.policy && parts.snapshot === wanted.snapshot ? undefined : parts
}

/** The bundle of a version; undefined where the bucket has none that is what the version says. Its text may be anybody's. */
async function servedBundle(
  cloud: Artefacts,
  { bundle, policy }: Parts,
  { bundles }: Actual,
): Promise<Bundle | undefined> {
  const name = [...bundles].find(each => each.endsWith(bundleSuffix(bundle)))
  const text = name && (await cloud.getArtefact(name, MAX_BUNDLE_BYTES).catch(unreadable))
  const read = text ? checkBundle(parsed(text)) : undefined
  if (read === undefined || 'faults' in read) return undefined
  const isIt = digest32(read.bundle.digest) === bundle && digest32(read.bundle.policy.digest) === policy
  return isIt ? read.bundle : undefined
}

function unreadable(error: unknown): undefined {
  if (!(error instanceof CloudError)) throw error
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function changesWithin(before: Bundle, after: Bundle): Contents {
  const policy = ({ policy: { name, spec } }: Bundle) => ({ metadata: { name }, ...spec })
  return {
    ...within('policy', policy(before), policy(after)),
    ...within('snapshot', summary(before.snapshot), summary(after.snapshot)),
  }
}

function within(part: keyof Contents, before: unknown, after: unknown): Contents {
  const all = [...valueChanges(before, after)]
  return all.length === 0
    ? {}
    : { [part]: { fields: all.slice(0, MOST_FIELDS), more: Math.max(0, all.length - MOST_FIELDS) } }
}

/** How much was learnt, and from what: a learner's state is for machines. */
function summary(snapshot: Snapshot | null): object {
  if (snapshot === null) return {}
  const { count, data } = snapshot
  const { dataset, from, to }: Partial<SnapshotData> = data ?? {}
  const told = Object.entries({ dataset, from, to }).filter(([, value]) => value !== undefined)
  return { count, data: Object.fromEntries(told) }
}
