import type { Fault } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { leaves, semantic } from './common.ts'

export function* projectRules({ spec }: Resource<'Project'>, repository: Lookup): Generator<Fault> {
  if (spec.projectId === undefined && repository.all('Deployment').length > 0) {
    const message = 'there are Deployments, and no `projectId` says whose they are: nothing can be deployed'
    yield { ...semantic(['spec'], message, '`dap init --new-id` writes one'), severity: 'warning', on: 'key' }
  }
  for (const [i, folder] of spec.folders.entries()) {
    if (!leaves(folder)) continue
    const hint = 'resources stay below the folder of dap.yaml; only data may be elsewhere, in `spec.dataRoots`'
    yield semantic(['spec', 'folders', i], `\`${folder}\` leaves the repository`, hint)
  }
}
