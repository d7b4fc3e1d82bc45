import type { components } from '../../generated/api.d.ts'
import { contextSchema } from '../../policy/context-schema.ts'
import type { PolicySource, ServedPolicy } from '../deciding/policies.ts'

type Schemas = components['schemas']

/** What is served under one name now, in a line. */
export function summaryOf(source: PolicySource, { policy, snapshot }: ServedPolicy): Schemas['PolicySummary'] {
  const { name, digest, spec } = policy
  return { name, digest, snapshot, mode: spec.mode, killed: source.killed(name) }
}

/** The same with what a caller must know to ask it for a decision. */
export function descriptionOf(source: PolicySource, served: ServedPolicy): Schemas['PolicyDescription'] {
  const { unit, actions, context } = served.policy.spec
  return {
    ...summaryOf(source, served),
    ...(unit === undefined ? {} : { unit }),
    actions: actions.map(({ id, features }) => (features === undefined ? { id } : { id, features })),
    context: { ...contextSchema(context) },
  }
}
