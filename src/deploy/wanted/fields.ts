/** What differs between what runs and what Git says, in the words of the files. */
import { shortDigest } from '../../digest.ts'
import type { FieldChange } from '../change.ts'
import { partsOf } from '../parts.ts'
import type { Release, Route, Scale, Workload } from '../routes.ts'
import type { Desired } from './desired.ts'
import { requestLogText, SCALE_FIELDS, scaleText } from './drift.ts'
import { releaseOf } from './roles.ts'

export type Settings = Pick<Route, 'displayName' | 'description' | 'dedicated' | 'requestLog'>

/** Of the endpoint, in place. */
export function endpointFields({ endpoint }: Desired, live: Settings): FieldChange[] {
  return [
    ...changed('displayName', live.displayName, endpoint.displayName),
    ...changed('description', live.description, endpoint.description),
    ...changed('requestLog', requestLogText(live.requestLog), requestLogText(endpoint.requestLog)),
  ]
}

/** Of the endpoint, and nothing can change it. */
export function typeFields({ endpoint }: Desired, live: Settings): FieldChange[] {
  const type = ({ dedicated }: { dedicated: boolean }) => (dedicated ? 'dedicated' : 'shared')
  return changed('endpoint.type', type(live), type(endpoint))
}

export function scaleFields(before: Scale | undefined, after: Scale): FieldChange[] {
  return SCALE_FIELDS.flatMap(field => changed(`resources.${field}`, scaleText(before, field), scaleText(after, field)))
}

/** Of the deployed model: each of them replaces it. */
export function replacedFields(
  desired: Desired,
  live: Workload | undefined,
  releases: readonly Release[],
): FieldChange[] {
  const { id, displayName, machineType, serviceAccount } = desired.deployed
  if (live?.id === id) return []
  const fields = [
    ...versionFields(desired, live, releases),
    ...changed('resources.machineType', live?.machineType ?? null, machineType),
    ...changed('serviceAccount', live?.serviceAccount ?? null, serviceAccount),
  ]
  if (live === undefined) return fields
  if (fields.length === 0) fields.push(...changed('version', live.displayName, displayName))
  return fields.map(field => ({ ...field, replaces: true }))
}

/** Nothing for a live version that is not known, or that dap has not made: then nobody knows what it is made of. */
function versionFields(desired: Desired, live: Workload | undefined, releases: readonly Release[]): FieldChange[] {
  const version = releaseOf(releases, live)
  const before = version?.parts
  if (live !== undefined && before === undefined) return []
  const after = partsOf(desired)
  const fields = (['policy', 'snapshot', 'image'] as const).flatMap(part =>
    changed(part, short(before?.[part]), short(after[part])),
  )
  return fields.length > 0 ? fields : changed('bundle', short(before?.bundle), short(after.bundle))
}

function changed(field: string, before: string | null, after: string | null): FieldChange[] {
  return before === after ? [] : [{ field, before, after, replaces: false }]
}

const short = (digest: string | null | undefined) => (digest ? shortDigest(digest) : null)
