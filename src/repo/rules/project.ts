import type { Fault } from '../fault.ts'
import type { Resource } from '../repository.ts'
import { leaves, semantic } from './common.ts'

export function* projectRules({ spec }: Resource<'Project'>): Generator<Fault> {
  for (const [i, folder] of spec.folders.entries()) {
    if (!leaves(folder)) continue
    const hint = 'resources stay below the folder of dap.yaml; only data may be elsewhere, in `spec.dataRoots`'
    yield semantic(['spec', 'folders', i], `\`${folder}\` leaves the repository`, hint)
  }
}
