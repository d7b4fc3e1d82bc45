import type { DeploymentSpec } from '../kinds.ts'
import { milliseconds } from '../policy/duration.ts'
import type { Evidence } from '../results.ts'
import type { EvidenceState } from './plan.ts'

/** Digests as they are now. */
export interface EvidenceInputs {
  /** Of the Evaluation or the Scenario. */
  readonly resource: string
  readonly policy: string
  /** Of the deployment's snapshot; null: nothing is learnt yet. */
  readonly snapshot: string | null
  /** Of the data that an Evaluation reads; null for a Scenario. */
  readonly dataset: string | null
}

type Kind = EvidenceState['kind']

/** What a deployment asks for, against what was recorded: evidence counts while nothing that it is about has changed. */
export function checkEvidence(
  required: DeploymentSpec['evidence'],
  given: (kind: Kind, name: string) => Evidence | undefined,
  current: (kind: Kind, name: string) => EvidenceInputs,
  now: number,
): EvidenceState[] {
  return required.map(item => {
    const kind = 'evaluation' in item ? 'evaluation' : 'scenario'
    const name = 'evaluation' in item ? item.evaluation : item.scenario
    const found = given(kind, name)
    const command = `dap ${kind === 'evaluation' ? 'evaluate' : 'simulate'} ${name} --record`
    const state = { kind, name, digest: found?.digest ?? null, command } as const
    if (found === undefined) return { ...state, state: 'missing', reason: 'it has not been recorded' }
    const stale = [...staleness(found, current(kind, name)), ...age(found, item.maxAge, now)]
    if (stale.length > 0) return { ...state, state: 'stale', reason: stale.join('; ') }
    if (!found.passed) return { ...state, state: 'failed', reason: `it does not hold: ${found.failed.join(', ')}` }
    return { ...state, state: 'passed', reason: null }
  })
}

function staleness({ kind, resource, policies, dataset }: Evidence, current: EvidenceInputs): string[] {
  const reasons: string[] = []
  if (resource !== current.resource) reasons.push(`the ${kind} has changed since`)
  const judged = policies.filter(({ digest }) => digest === current.policy)
  if (judged.length === 0) reasons.push('the policy has changed since')
  // A scenario learns for itself: it has no use for a snapshot.
  else if (kind === 'evaluation' && !judged.some(({ snapshot }) => snapshot === current.snapshot)) {
    reasons.push('the snapshot has changed since')
  }
  if (dataset !== current.dataset) reasons.push('the data has changed since')
  return reasons
}

function age({ at }: Evidence, maxAge: string | undefined, now: number): string[] {
  return maxAge !== undefined && now - Date.parse(at) > milliseconds(maxAge) ? [`it is older than ${maxAge}`] : []
}
