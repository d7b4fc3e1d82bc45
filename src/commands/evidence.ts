import { join, relative } from 'node:path'
import type { Desired } from '../deploy/desired.ts'
import type { EvidenceInputs } from '../deploy/evidence.ts'
import { DapError } from '../errors.ts'
import type { Host } from '../host.ts'
import type { DeploymentSpec } from '../kinds.ts'
import { digestOf, fileText } from '../policy/digest.ts'
import { isRecord } from '../policy/snapshot-format.ts'
import type { Resource } from '../repo/repository.ts'
import type { Evidence, RuleResult } from '../results.ts'
import { plural } from '../ui/numbers.ts'
import { datasetFiles } from './dataset.ts'
import { readJson } from './policies.ts'
import { type Opened, requireResource } from './repository.ts'

/** What a run found out, and about what. */
export interface Finding extends Pick<Evidence, 'kind' | 'name' | 'resource' | 'policies' | 'dataset'> {
  /** Gates or expectations, judged. */
  readonly rules: readonly RuleResult[]
}

/** Evidence, and the file that it was written to, as the user would type it. */
export interface Recorded {
  readonly evidence: Evidence
  readonly path: string
}

/** Writes what a run found to `evidence/`, in the place of what an earlier one did. */
export async function recordEvidence(host: Host, root: string, { rules, ...about }: Finding): Promise<Recorded> {
  const failed = rules.filter(rule => !rule.passed).map(rule => rule.id)
  const sealed = { schema: SCHEMA, ...about, passed: failed.length === 0, failed, dap: host.version } as const
  const evidence: Evidence = { ...sealed, at: new Date(host.now()).toISOString(), digest: sealOf(sealed) }
  const path = evidencePath(root, about.kind, about.name)
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
  kind: Evidence['kind'],
  name: string,
): Promise<Evidence | undefined> {
  const path = evidencePath(root, kind, name)
  if (!(await host.files.exists(path))) return undefined
  const json = await readJson(host, path)
  if (isEvidence(json) && json.kind === kind && json.name === name && sealOf(json) === json.digest) return json
  throw new DapError(`\`${relative(host.cwd, path)}\` is not what was recorded`, {
    hint: `\`dap ${kind === 'scenario' ? 'simulate' : 'evaluate'} ${name} --record\` makes it anew`,
  })
}

/** What evidence has to be about to count for the Deployment, as the files are now; without a snapshot for a Scenario. */
export async function currentInputs(
  host: Host,
  opened: Opened,
  requirement: DeploymentSpec['evidence'][number],
  { digest: policy, snapshot }: Desired['policy'],
): Promise<EvidenceInputs> {
  if ('scenario' in requirement) {
    const { digest } = requireResource(opened, 'Scenario', requirement.scenario)
    return { resource: digest, policy, snapshot: null, dataset: null }
  }
  const evaluation = requireResource(opened, 'Evaluation', requirement.evaluation)
  return {
    resource: evaluationDigest(opened, evaluation),
    policy,
    snapshot,
    dataset: await datasetDigest(host, opened, evaluation.spec.dataset),
  }
}

/** Digest of an Evaluation and of its Dataset, whose mapping says what the data means. */
export function evaluationDigest(opened: Opened, { digest, spec }: Resource<'Evaluation'>): string {
  return digestOf([digest, requireResource(opened, 'Dataset', spec.dataset).digest])
}

const SCHEMA = 'dap.evidence/v1'

function evidencePath(root: string, kind: Evidence['kind'], name: string): string {
  return join(root, 'evidence', `${kind}-${name}.json`)
}

/** Many deployments may ask for evaluations on one dataset: its files are hashed once a run. */
const datasetDigests = new WeakMap<Opened, Map<string, Promise<string>>>()

function datasetDigest(host: Host, opened: Opened, name: string): Promise<string> {
  const known = datasetDigests.get(opened) ?? new Map<string, Promise<string>>()
  datasetDigests.set(opened, known)
  const digest =
    known.get(name) ??
    datasetFiles(host, opened, requireResource(opened, 'Dataset', name).spec).then(files => files.digest)
  known.set(name, digest)
  return digest
}

/** The digest of what evidence says. */
function sealOf(evidence: Omit<Evidence, 'at' | 'digest'>): string {
  const { schema, kind, name, resource, policies, dataset, passed, failed, dap } = evidence
  return digestOf({ schema, kind, name, resource, policies: policies.map(identity), dataset, passed, failed, dap })
}

const identity = ({ name, digest, snapshot }: Evidence['policies'][number]) => ({ name, digest, snapshot })

function isEvidence(json: unknown): json is Evidence {
  if (!isRecord(json)) return false
  const { schema, kind, name, resource, policies, dataset, passed, failed, at, dap, digest } = json
  return (
    schema === SCHEMA &&
    [kind, name, resource, at, dap, digest].every(isText) &&
    (dataset === null || isText(dataset)) &&
    typeof passed === 'boolean' &&
    Array.isArray(failed) &&
    failed.every(isText) &&
    Array.isArray(policies) &&
    policies.every(
      each =>
        isRecord(each) && isText(each.name) && isText(each.digest) && (each.snapshot === null || isText(each.snapshot)),
    ) &&
    !Number.isNaN(Date.parse(at as string))
  )
}

const isText = (value: unknown): value is string => typeof value === 'string'
