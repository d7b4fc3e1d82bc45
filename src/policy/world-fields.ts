import type { ContextField, DistributionSpec, PolicySpec, ScenarioSpec } from '../kinds.ts'

export type Fields = Readonly<Record<string, ContextField>>

/**
 * The context of a scenario's world: every field that one of the policies declares (the first declaration counts), then
 * those that only the population names, as what they are drawn from. The world's terms see all of them, a policy its own.
 */
export function worldFields(
  policies: readonly Pick<PolicySpec, 'context'>[],
  population: Pick<NonNullable<ScenarioSpec['population']>, 'context'> | undefined,
): Fields {
  // Without a prototype no field name means anything but itself.
  const fields: Record<string, ContextField> = Object.create(null)
  for (const { context } of policies) {
    for (const [name, field] of Object.entries(context)) fields[name] ??= field
  }
  for (const [name, distribution] of Object.entries(population?.context ?? {})) {
    fields[name] ??= impliedField(distribution)
  }
  return fields
}

/** What a field is that no policy declares, as the world's terms see it. */
function impliedField(distribution: DistributionSpec): ContextField {
  if ('categorical' in distribution) return { type: 'string', enum: Object.keys(distribution.categorical) }
  if ('bernoulli' in distribution) return { type: 'boolean' }
  if ('poisson' in distribution || 'negativeBinomial' in distribution) return { type: 'integer' }
  if (!('constant' in distribution)) return { type: 'number' }
  const { constant } = distribution
  if (typeof constant === 'string') return { type: 'string', enum: [constant] }
  if (typeof constant === 'boolean') return { type: 'boolean' }
  if (typeof constant === 'number') return { type: 'number' }
  return { type: 'array', items: { type: 'number' }, minItems: constant.length, maxItems: constant.length }
}
