import type { Kind, Specs } from '../../kinds.ts'
import type { Fault } from '../fault.ts'
import { referencesOf } from '../references.ts'
import type { Lookup, Resource } from '../resource.ts'
import { actionSetRules } from './action-set.ts'
import { referenceRules } from './common.ts'
import { datasetRules } from './dataset.ts'
import { deploymentRules } from './deployment.ts'
import { environmentRules } from './environment.ts'
import { evaluationRules } from './evaluation.ts'
import { modelRules } from './model.ts'
import { policyRules } from './policy.ts'
import { projectRules } from './project.ts'
import { scenarioRules } from './scenario.ts'

/** Finds what is wrong with a resource of the right shape: CEL, what it names but for resources, and what cannot mean anything sensible. */
export type Rules<K extends Kind> = (resource: Resource<K>, repository: Lookup) => Iterable<Fault>

const RULES: { readonly [K in Kind]: Rules<K> } = {
  Project: projectRules,
  Environment: environmentRules,
  ActionSet: actionSetRules,
  Model: modelRules,
  Policy: policyRules,
  Scenario: scenarioRules,
  Dataset: datasetRules,
  Evaluation: evaluationRules,
  Deployment: deploymentRules,
}

export function* faultsOf<K extends Kind>(
  resource: Resource<K> & { readonly spec: Specs[K] },
  repository: Lookup,
): Generator<Fault> {
  for (const reference of referencesOf(resource)) {
    if (reference.taken !== true) yield* referenceRules(reference, repository)
  }
  yield* RULES[resource.kind](resource, repository)
}
