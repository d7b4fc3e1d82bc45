import { contextReader, contextSource } from '../../log/context-reader.ts'
import type { LogColumns } from '../../log/layout.ts'
import type { Context, Policy } from '../../policy/policy.ts'
import { type ActionSpace, type CellsCandidate, type RowsCandidate, requireAction } from './candidate.ts'
import { eligibleReader } from './columns.ts'
import { byEligible } from './simple.ts'

/**
 * A Policy as a candidate: the probabilities it would decide by, floor included, over what it and the log find eligible. A
 * policy that does not look at the context needs none of the log.
 */
export function policyCandidate(
  space: ActionSpace,
  policy: Policy,
  columns: LogColumns,
): CellsCandidate | RowsCandidate {
  const actionOf = Int32Array.from(policy.actions, id => requireAction(space, id))
  const eligible = new Int32Array(policy.actions.length)
  const probabilities = new Float64Array(policy.actions.length)
  const logged = new Uint8Array(space.ids.length)

  function write(context: Context, loggedEligible: Int32Array, out: Float64Array): void {
    logged.fill(0)
    for (const action of loggedEligible) logged[action] = 1
    const mine = policy.eligible(context, eligible)
    let count = 0
    for (let i = 0; i < mine; i++) if (logged[actionOf[eligible[i]]] === 1) eligible[count++] = eligible[i]
    out.fill(0)
    if (count === 0) return
    policy.probabilities(context, eligible, count, probabilities)
    for (let i = 0; i < count; i++) out[actionOf[eligible[i]]] = probabilities[eligible[i]]
  }

  const ignoresContext = policy.features.dimension === 0 && policy.eligibility.rules.every(rule => rule === undefined)
  if (ignoresContext) return byEligible(space, (loggedEligible, out) => write({}, loggedEligible, out))

  const { requests, bind } = contextReader(policy, contextSource(policy, columns))
  const eligibleAt = eligibleReader(space)
  return {
    kind: 'rows',
    columns: [...requests, ...(space.eligible === undefined ? [] : [{ column: space.eligible, type: 'key' } as const])],
    bind(columns) {
      const contextOf = bind(columns)
      const eligibleOf = eligibleAt(columns[requests.length])
      return (i, out) => write(contextOf(i), eligibleOf(i), out)
    },
  }
}
