import type { Fault } from '../fault.ts'
import type { Resource } from '../repository.ts'
import { semantic } from './common.ts'

export function* environmentRules({ spec }: Resource<'Environment'>): Generator<Fault> {
  const { target, gcp } = spec
  if (target === 'vertex' && gcp === undefined) {
    yield semantic(
      ['spec', 'target'],
      'the target `vertex` needs `gcp`',
      'it says which project, region, bucket and image',
    )
  }
  if (gcp !== undefined && !/@sha256:[0-9a-f]{64}$/.test(gcp.image)) {
    const message = 'the image must be pinned by digest, so that what was approved is what runs'
    yield semantic(['spec', 'gcp', 'image'], message, 'write `…@sha256:` and its 64 hexadecimal digits')
  }
}
