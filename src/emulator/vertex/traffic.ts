import type { Json } from '../ports.ts'
import { broken } from '../rules.ts'
import type { EndpointDoc, Split } from '../state.ts'

/** A split that an endpoint with these deployed models can have. */
export function checkSplit(value: Json | undefined, deployed: readonly string[], endpoint?: EndpointDoc): Split {
  const split = (value ?? {}) as Split
  const entries = Object.entries(split)
  if (entries.length === 0) return {}
  for (const [id, percent] of entries)
    if (!Number.isInteger(percent) || percent < 0 || percent > 100)
      throw broken('traffic-range', `The traffic of ${id} is ${percent}: a percentage is an integer from 0 to 100.`)
  const unknown = entries.map(([id]) => id).filter(id => !deployed.includes(id))
  if (unknown.length > 0) throw broken('traffic-unknown', `DeployedModel ID(s) [${unknown.join(', ')}] do not exist.`)
  const sum = entries.reduce((sum, [, percent]) => sum + percent, 0)
  if (sum !== 100) throw broken('traffic-sum', `The traffic split sums to ${sum}, not to 100.`)
  if (endpoint?.network && entries.filter(([, percent]) => percent > 0).length > 1)
    throw broken('traffic-private', 'Traffic splitting is not supported for endpoints that are peered with a network.')
  return split
}

/** Which deployed model gets the request that drew u in [0, 1). rule: traffic-absent */
export function drawn(split: Split, u: number): string | undefined {
  let sum = 0
  for (const [id, percent] of Object.entries(split)) {
    sum += percent
    if (100 * u < sum) return id
  }
  return undefined
}
