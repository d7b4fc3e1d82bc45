import type { Resource } from '../../repo/resource.ts'
import { isBaseline } from '../../simulate/baselines.ts'
import { type Opened, requireResource, requireValid } from './repository.ts'

/** The Scenario of that name, or the only one, with the policies that it plays, in its order; all of their files are valid. */
export function requireScenario(
  opened: Opened,
  name: string | undefined,
): { readonly scenario: Resource<'Scenario'>; readonly policies: readonly Resource<'Policy'>[] } {
  const scenario = requireResource(opened, 'Scenario', name)
  requireValid(opened, [scenario.file])
  const policies = scenario.spec.policies
    .filter(policy => !isBaseline(policy))
    .map(policy => requireResource(opened, 'Policy', policy))
  requireValid(
    opened,
    policies.map(policy => policy.file),
  )
  return { scenario, policies }
}
