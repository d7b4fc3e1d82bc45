import type { components } from '../../generated/api.d.ts'
import type { PolicySpec } from '../../kinds.ts'
import type { OpenModel } from '../../models/open-model.ts'
import { contextSchema } from '../../policy/context-schema.ts'
import { isList } from '../../policy/lists/slots.ts'
import { isOffered, ownPool } from '../../policy/pool.ts'
import type { PolicySource, ServedPolicy } from '../deciding/policies.ts'

type Schemas = components['schemas']

/** What is served under one name now, in a line. */
export function summaryOf(source: PolicySource, { policy, snapshot }: ServedPolicy): Schemas['PolicySummary'] {
  const { name, digest, spec } = policy
  return { name, digest, snapshot, mode: spec.mode, killed: source.killed(name) }
}

/** The same with what a caller must know to ask it for a decision. */
export function descriptionOf(source: PolicySource, served: ServedPolicy): Schemas['PolicyDescription'] {
  const { slots, spec } = served.policy
  const { model } = served
  const { unit, actions, context } = spec
  const { count, ids } = slots
  return {
    ...summaryOf(source, served),
    ...(unit === undefined ? {} : { unit }),
    ...offerOf(actions),
    ...(isList(spec) ? { slots: { count, ...(ids.length === 0 ? {} : { ids: [...ids] }) } } : {}),
    context: { ...contextSchema(context) },
    ...(model === undefined ? {} : { model: modelOf(model) }),
  }
}

function modelOf(model: OpenModel): Schemas['PolicyDescription']['model'] {
  const { name, digest } = model.scorer
  return { name, digest, about: model.about, heard: model.heard, breaker: model.state() }
}

/** The actions of a policy, or what a request must say of its own. */
function offerOf(actions: PolicySpec['actions']): Pick<Schemas['PolicyDescription'], 'actions' | 'actionsOfRequest'> {
  if (!isOffered(actions)) return { actions: [...(ownPool(actions)?.entries ?? [])] }
  const { max, features } = actions
  return { actions: [], actionsOfRequest: { max, features: { ...contextSchema(features) } } }
}
