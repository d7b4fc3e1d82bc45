import { EVIDENCE_SCHEMA } from '../../generated/names.ts'
import type { EvidenceState } from '../../generated/types.ts'
import type { DeploymentSpec } from '../../kinds.ts'
import { milliseconds } from '../../policy/duration.ts'
import type { CurrentInput, Evidence, JudgedPolicy } from '../../results.ts'
import { inputTitle } from '../../titles.ts'
import type { Desired } from './desired.ts'

/** A file that another version of dap recorded: nobody knows what it depends on. */
export interface OtherFormat {
  /** `dap.evidence/v1` */
  readonly schema: string
}

/** What evidence has to be about to count. */
export interface Wanted {
  /** What the deployment serves. */
  readonly policy: Desired['policy']
  /** All that the result depends on, as it is now. */
  readonly inputs: readonly CurrentInput[]
}

type Kind = EvidenceState['kind']

/** The command that records it. */
export const evidenceCommand = (kind: Kind, name: string) =>
  `dap ${kind === 'evaluation' ? 'evaluate' : 'simulate'} ${name} --record`

export const evidenceAsked = (
  item: DeploymentSpec['evidence'][number],
): { readonly kind: Kind; readonly name: string } =>
  'evaluation' in item ? { kind: 'evaluation', name: item.evaluation } : { kind: 'scenario', name: item.scenario }

/** What a deployment asks for, against what was recorded: evidence counts while nothing that it depends on has changed. */
export function checkEvidence(
  item: DeploymentSpec['evidence'][number],
  recorded: Evidence | OtherFormat | undefined,
  wanted: Wanted,
  now: number,
): EvidenceState {
  const { kind, name } = evidenceAsked(item)
  const asked = { kind, name, digest: null, figure: null, command: evidenceCommand(kind, name) } as const
  if (recorded === undefined) return { ...asked, state: 'missing', reason: 'it has not been recorded' }
  if (!isReadable(recorded)) {
    const reason = `another dap recorded it, as ${recorded.schema}; this one reads ${EVIDENCE_SCHEMA}, which names all inputs`
    return { ...asked, state: 'stale', reason }
  }
  const { digest, passed, failed, policies } = recorded
  const judged = policies.find(each => isAbout(each, recorded, wanted))
  const changed = changesSince(recorded, wanted.inputs)
  const about = changed.length > 0 || judged !== undefined ? [] : [notAbout(recorded, wanted)]
  const stale = [...changed, ...about, ...timing(recorded, item.maxAge, now)]
  if (stale.length > 0) return { ...asked, digest, state: 'stale', reason: stale.join('; ') }
  const found = { ...asked, digest, figure: judged?.figure ?? null }
  if (!passed) return { ...found, state: 'failed', reason: `it does not hold: ${failed.join(', ')}` }
  return { ...found, state: 'passed', reason: null }
}

export const isReadable = (recorded: Evidence | OtherFormat): recorded is Evidence =>
  recorded.schema === EVIDENCE_SCHEMA

/** A scenario learns for itself: it has no use for a snapshot. */
function isAbout({ digest, snapshot }: JudgedPolicy, { kind }: Evidence, { policy }: Wanted): boolean {
  return digest === policy.digest && (kind === 'scenario' || snapshot === policy.snapshot)
}

/** As many as a reader wants to know of at once. */
const MOST_REASONS = 5

/** What is no longer as it was when something was recorded, a sentence each. */
export function changesSince({ kind, inputs }: Evidence, current: readonly CurrentInput[]): string[] {
  const now = new Map(current.map(input => [inputTitle(input), input.digest]))
  const changed = inputs.flatMap(input => {
    const title = inputTitle(input)
    const digest = now.get(title)
    if (!now.delete(title) || digest === input.digest) return []
    const what = input.kind === kind ? `the ${kind}` : title
    return [digest === null ? `${what} is gone, or cannot be read` : `${what} has changed since`]
  })
  // Where nothing that it names has changed, nothing else is depended on; unless whoever recorded it knew of fewer inputs.
  const reasons = changed.length > 0 ? changed : [...now.keys()].map(title => `it does not name ${title}`)
  const more = reasons.length - MOST_REASONS
  return more > 0 ? [...reasons.slice(0, MOST_REASONS), `and ${more} more`] : reasons
}

function notAbout({ kind }: Evidence, { policy: { name, snapshot } }: Wanted): string {
  const which = kind === 'scenario' ? '' : snapshot === null ? ' without a snapshot' : ' with this snapshot'
  return `it is not about policy \`${name}\`${which}`
}

/** ms that two clocks may be apart: one machine records, another plans, and either may be a little off. */
const CLOCKS_APART = 5 * 60_000

function timing({ at }: Evidence, maxAge: string | undefined, now: number): string[] {
  const age = now - Date.parse(at)
  if (age < -CLOCKS_APART) return [`it says that it was recorded at ${at}, which is yet to come`]
  return maxAge !== undefined && age > milliseconds(maxAge) ? [`it is older than ${maxAge}`] : []
}
