import type { Fault } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { semantic } from './common.ts'

export function* environmentRules({ name, spec }: Resource<'Environment'>, repository: Lookup): Generator<Fault> {
  const { gcp, moved } = spec
  const isToo = (other: Resource<'Environment'>) =>
    other.name !== name && other.spec.moved?.environment === moved?.environment
  if (moved?.environment !== undefined && repository.get('Environment', moved.environment) !== undefined) {
    const message = `\`moved\` says that this was \`${moved.environment}\`, which is there still`
    yield semantic(
      ['spec', 'moved', 'environment'],
      message,
      'take one of them out: two cannot have the same endpoints',
    )
  } else if (moved?.environment !== undefined && repository.all('Environment').some(isToo)) {
    const message = `another Environment was \`${moved.environment}\`, too`
    yield semantic(['spec', 'moved', 'environment'], message, 'only one of them keeps the endpoints')
  }
  const places = ['project', 'region'] as const
  const named = places.filter(part => moved?.[part] !== undefined)
  if (named.length > 0 && named.every(part => moved?.[part] === gcp?.[part])) {
    const message = `\`moved\` says where it is now`
    yield { ...semantic(['spec', 'moved'], message, 'it says where it was before'), on: 'key' }
  }
  if (gcp !== undefined && !/@sha256:[0-9a-f]{64}$/.test(gcp.image)) {
    const message = 'the image must be pinned by digest, so that what was approved is what runs'
    yield semantic(['spec', 'gcp', 'image'], message, 'write `…@sha256:` and its 64 hexadecimal digits')
  }
}
