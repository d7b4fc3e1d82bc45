import { join, relative } from 'node:path'
import { changesSince, evidenceCommand, isReadable, type OtherFormat } from '../../deploy/wanted/evidence.ts'
import { DapError } from '../../errors.ts'
import { evidenceShape } from '../../generated/evidence-shape.ts'
import { EVIDENCE_SCHEMA } from '../../generated/names.ts'
import type { Host } from '../../host.ts'
import { changedError } from '../../log/tables.ts'
import { digestOf, fileText } from '../../policy/digest.ts'
import type { CurrentInput, Evidence, RecordedEvidence, RuleResult } from '../../results.ts'
import { documentFaults } from '../../schema/document.ts'
import { isMapping } from '../../schema/shape.ts'
import { plural } from '../../ui/numbers.ts'
import { readJson } from '../opening/policies.ts'
import type { Opened } from '../opening/repository.ts'
import { inputsOf } from './inputs.ts'

/** What a run found out, and about what. */
export interface Finding extends Pick<Evidence, 'kind' | 'name' | 'policies'> {
  /** What it depends on, as it was before anything was read. */
  readonly inputs: readonly CurrentInput[]
  /** Gates or expectations, judged. */
  readonly rules: readonly RuleResult[]
}

/** Evidence, and the file that it was written to, as the user would type it. */
export interface Recorded {
  readonly evidence: Evidence
  readonly path: string
}

/** What evidence of that kind and name depends on, as it is now. */
export function evidenceInputs(
  host: Host,
  opened: Opened,
  { kind, name }: Pick<Evidence, 'kind' | 'name'>,
): Promise<readonly CurrentInput[]> {
  return inputsOf(host, opened, kind === 'evaluation' ? 'Evaluation' : 'Scenario', name)
}

/**
 * Writes what a run found to `evidence/`, in the place of what an earlier one did; a DapError where an input is not what it was before the
 * run, since nobody knows then which of the two was read.
 */
export async function recordEvidence(
  host: Host,
  opened: Opened,
  { kind, name, inputs: before, policies, rules }: Finding,
): Promise<Recorded> {
  const now = await evidenceInputs(host, opened, { kind, name })
  const inputs = before.map(({ digest, ...input }, i) => {
    if (digest === null || digest !== now[i].digest) throw changedError(input.name)
    return { ...input, digest }
  })
  const failed = rules.filter(rule => !rule.passed).map(rule => rule.id)
  const found = { schema: EVIDENCE_SCHEMA, kind, name, inputs, policies, passed: failed.length === 0, failed } as const
  const about = { ...found, dap: host.version }
  const dated = { ...about, digest: digestOf(about), at: new Date(host.now()).toISOString() }
  const evidence: Evidence = { ...dated, seal: digestOf(dated) }
  const path = evidencePath(opened.root, kind, name)
  await host.files.write(path, fileText(evidence))
  return { evidence, path: relative(host.cwd, path) }
}

export function recordedText({ evidence: { policies, failed, passed }, path }: Recorded): string {
  const names = [...new Set(policies.map(({ name }) => name))]
  const about = names.length === 0 ? 'no policy' : names.join(', ')
  return `recorded in ${path}: ${passed ? 'passed' : `${plural(failed.length, 'rule')} failed`}, as evidence about ${about}`
}

/** What was recorded last, if anything was; a DapError for a file that nobody recorded. */
export async function readEvidence(
  host: Host,
  root: string,
  { kind, name }: Pick<Evidence, 'kind' | 'name'>,
): Promise<Evidence | OtherFormat | undefined> {
  const path = evidencePath(root, kind, name)
  if (!(await host.files.exists(path))) return undefined
  const json = await readJson(host, path)
  if (isOtherFormat(json)) return json
  if (isEvidence(json) && json.kind === kind && json.name === name) return json
  throw new DapError(`\`${relative(host.cwd, path)}\` is not what was recorded`, {
    hint: `\`${evidenceCommand(kind, name)}\` makes it anew`,
  })
}

/** Was anything recorded at all? */
export const isRecorded = (
  host: Host,
  root: string,
  { kind, name }: Pick<Evidence, 'kind' | 'name'>,
): Promise<boolean> => host.files.exists(evidencePath(root, kind, name))

/** What was recorded last, and whether it still holds, whoever asks for it; nothing throws because of a file. */
export async function recordedState(
  host: Host,
  opened: Opened,
  about: Pick<Evidence, 'kind' | 'name'>,
): Promise<RecordedEvidence> {
  try {
    const recorded = await readEvidence(host, opened.root, about)
    if (recorded === undefined) return { state: 'none', at: null, reason: null }
    if (!isReadable(recorded))
      return { state: 'stale', at: null, reason: `another dap recorded it, as ${recorded.schema}` }
    const { at, passed, failed } = recorded
    const changed = changesSince(recorded, await evidenceInputs(host, opened, about))
    if (changed.length > 0) return { state: 'stale', at, reason: changed.join('; ') }
    return passed ? { state: 'passed', at, reason: null } : { state: 'failed', at, reason: failed.join(', ') }
  } catch (error) {
    if (!(error instanceof DapError)) throw error
    return { state: 'unknown', at: null, reason: error.message }
  }
}

function evidencePath(root: string, kind: Evidence['kind'], name: string): string {
  return join(root, 'evidence', `${kind}-${name}.json`)
}

function isOtherFormat(json: unknown): json is OtherFormat {
  return isMapping(json) && /^dap\.evidence\/v\d{1,4}$/.test(String(json.schema)) && json.schema !== EVIDENCE_SCHEMA
}

/** Its seal says that it is what was written, its shape that it was written by dap. */
function isEvidence(json: unknown): json is Evidence {
  if (documentFaults(json, 'evidence', EVIDENCE_SCHEMA, evidenceShape).length > 0) return false
  const { seal, ...dated } = json as Evidence
  const { digest, at: _, ...about } = dated
  return seal === digestOf(dated) && digest === digestOf(about)
}
