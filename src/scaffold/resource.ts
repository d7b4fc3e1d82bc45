import type { ContextField, DistributionSpec, PolicySpec } from '../kinds.ts'

/** What a new Scenario needs to know of the policy that it plays. */
export interface PlayedPolicy {
  readonly name: string
  readonly spec: PolicySpec
}

/** The answers of the Scenario skeleton: a world in which the policy, and `uniform`, can play at once. */
export function scenarioAnswers(policy: PlayedPolicy | undefined): Record<string, string> {
  if (policy === undefined)
    return { world: bernoulli([{ id: 'control' }, { id: 'treatment' }]), population: '', policies: 'uniform' }
  const { actions, context, unit } = policy.spec
  const fields = Object.entries(context).filter(([name]) => name !== unit)
  const population =
    fields.length === 0
      ? ''
      : `  population:\n    context:\n${fields.map(([name, field]) => `      ${name}: ${flow(plausible(field))}\n`).join('')}`
  return {
    world: 'from' in actions ? catalogue(actions.features) : 'set' in actions ? ITEMS : bernoulli(actions),
    population,
    policies: `${policy.name}, uniform`,
  }
}

/** Each action a little better than the one before it. */
function bernoulli(actions: readonly { readonly id: string }[]): string {
  const means = actions.map(({ id }, i) => [id, Number((0.05 + (0.05 * i) / actions.length).toFixed(3))])
  return `    type: bernoulli\n    means: ${flow(Object.fromEntries(means))}`
}

/** What an item is worth is its own. */
const WORTH = ['    logit: -2.5', '    effects: [{ of: [action.id], sd: 0.5 }]']

/** The items are those of a set. */
const ITEMS = ['    type: catalogue', ...WORTH].join('\n')

/** What requests may bring. */
function catalogue(features: Readonly<Record<string, ContextField>>): string {
  const drawn = Object.entries(features).map(([name, field]) => [name, plausible(field)])
  return [
    '    type: catalogue',
    '    items: 200',
    '    offered: 10',
    `    features: ${flow(Object.fromEntries(drawn))}`,
    ...WORTH,
  ].join('\n')
}

/** Some distribution that the field allows. */
function plausible(field: ContextField): DistributionSpec {
  switch (field.type) {
    case 'string':
      if (field.enum === undefined) return { constant: 'x' }
      return { categorical: shares(field.enum) }
    case 'boolean':
      return { bernoulli: { p: 0.5 } }
    case 'array':
      return { normal: { mean: 0, sd: 1 } }
    default: {
      const min = field.minimum ?? Math.min(0, field.maximum ?? 0)
      return { uniform: { min, max: field.maximum ?? min + 10 } }
    }
  }
}

/** Equal shares that sum to exactly 1 when read back: the last takes what rounding leaves. */
function shares(values: readonly string[]): Record<string, number> {
  const share = Number((1 / values.length).toFixed(4))
  return Object.fromEntries(
    values.map((value, i) => [
      value,
      i < values.length - 1 ? share : Number((1 - share * (values.length - 1)).toFixed(4)),
    ]),
  )
}

/** A value as YAML on one line; every key and string is quoted where it needs to be. */
function flow(value: unknown): string {
  if (value === null || typeof value !== 'object')
    return typeof value === 'string' && !PLAIN.test(value) ? JSON.stringify(value) : String(value)
  const entries = Object.entries(value).map(
    ([key, item]) => `${PLAIN.test(key) ? key : JSON.stringify(key)}: ${flow(item)}`,
  )
  return `{ ${entries.join(', ')} }`
}

/** Words that YAML reads as themselves, whatever the schema: letters first, and none of its keywords. */
const PLAIN = /^(?!(?:true|false|null|yes|no|on|off|y|n|~)$)[A-Za-z][A-Za-z0-9_-]*$/i
