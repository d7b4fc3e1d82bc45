/** What the tests ask of a kernel in an engine without a host: texts in, texts out, so that nothing else crosses. */
import * as functions from '../../src/math/elementary.ts'
import { stream } from '../../src/math/rng.ts'
import { type OpenBundle, readBundle } from '../../src/policy/bundle.ts'
import { decide } from '../../src/policy/decide.ts'
import { resourceDigest } from '../../src/policy/digest.ts'
import { explain } from '../../src/policy/explanation.ts'
import { snapshotText, takeSnapshot } from '../../src/policy/snapshot.ts'

let open: OpenBundle

export function load(bundle: string): string {
  const read = readBundle(JSON.parse(bundle))
  if ('faults' in read) return JSON.stringify(read.faults)
  open = read
  const { name, spec } = open.policy
  return JSON.stringify([open.digest, open.snapshot, resourceDigest('Policy', name, spec)])
}

export function decideText(decisionId: string, context: string): string {
  const decision = decide(open.policy, { decisionId, context: JSON.parse(context) })
  return JSON.stringify('faults' in decision ? decision : [decision, explain(open.policy, decision)])
}

/** What the policy knows after so many rewards that it drew. */
export function learn(rewards: number): string {
  const { learner, features, actions } = open.policy
  const rng = stream(15, 'learn')
  const x = new Float64Array(features.dimension)
  for (let i = 0; i < rewards; i++) {
    for (let j = 0; j < x.length; j++) x[j] = rng.uniform()
    learner.learn(rng.uint32() % actions.length, x, rng.uint32() & 1)
  }
  return snapshotText(takeSnapshot(open.policy))
}

/** Which of the functions are the engine's own. */
export const own: readonly boolean[] = [
  functions.exp === Math.exp,
  functions.expm1 === Math.expm1,
  functions.log === Math.log,
  functions.log1p === Math.log1p,
]
