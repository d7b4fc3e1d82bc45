import { createHash } from 'node:crypto'
import { defineCommand } from '../command.ts'
import { DapError, ExitCode } from '../errors.ts'
import { type EvaluationPlan, evaluate } from '../evaluate/evaluate.ts'
import type { Host } from '../host.ts'
import type { CandidateSpec } from '../kinds.ts'
import { createPolicy, type Policy } from '../policy/policy.ts'
import { loadSnapshot } from '../policy/snapshot.ts'
import type { Resource } from '../repo/repository.ts'
import type { EvaluationResult } from '../results.ts'
import { evaluationText } from '../ui/evaluation.ts'
import { dataFile, type Opened, openRepository, requireResource, requireValid } from './repository.ts'

interface Options {
  readonly evaluation: string | undefined
}

export const evaluateCommand = defineCommand<Options, EvaluationResult>({
  declare: command =>
    command
      .argument('[evaluation]', 'name of an Evaluation; may be left out when there is only one')
      .addHelpText(
        'after',
        '\nA candidate that the log cannot answer for gets the verdict `refuse` and shows no number; every gate that\nuses it fails. `dap explain Evaluation.spec` says what can be judged and how.\n\nexit codes: 0 every gate passed, 1 one did not or the log has bad rows, 3 usage',
      ),

  options: ([evaluation]) => ({ evaluation }),

  async run({ evaluation: name }, host, report) {
    const opened = await openRepository(host)
    const plan = await planOf(host, opened, requireResource(opened, 'Evaluation', name))
    const progress = (rows: number) => report({ type: 'progress', unit: 'rows', done: rows })
    return evaluate(plan, await host.tables(), progress, host.signal)
  },

  text: evaluationText,
  json: result => result,
  exitCode: result => (result.passed ? ExitCode.done : ExitCode.no),
})

/** Everything that the Evaluation names, found and loaded. */
async function planOf(host: Host, opened: Opened, evaluation: Resource<'Evaluation'>): Promise<EvaluationPlan> {
  requireValid(opened, [evaluation.file])
  const dataset = requireResource(opened, 'Dataset', evaluation.spec.dataset)
  const { actions, files } = dataset.spec
  const actionsPolicy =
    actions !== undefined && 'policy' in actions ? requireResource(opened, 'Policy', actions.policy) : undefined
  requireValid(opened, [dataset.file, ...(actionsPolicy ? [actionsPolicy.file] : [])])

  const paths = await Promise.all(files.map(file => dataFile(host, opened, file)))
  const digests = await Promise.all(paths.map(path => host.files.digest(path)))
  const policies = new Map<string, Policy>()
  const tables = new Map<string, string>()
  for (const candidate of evaluation.spec.candidates) {
    if ('policy' in candidate) policies.set(candidate.name, await candidatePolicy(host, opened, candidate))
    if ('table' in candidate) tables.set(candidate.name, await dataFile(host, opened, candidate.table.file))
  }
  return {
    name: evaluation.name,
    dataset: {
      name: dataset.name,
      digest: createHash('sha256').update(digests.join('\n')).digest('hex'),
      spec: dataset.spec,
      paths,
      policyActions: actionsPolicy?.spec.actions.map(({ id }) => id),
    },
    spec: evaluation.spec,
    policies,
    tables,
  }
}

/** The policy of a candidate, with its snapshot or knowing nothing yet. */
async function candidatePolicy(
  host: Host,
  opened: Opened,
  candidate: Extract<CandidateSpec, { policy: string }>,
): Promise<Policy> {
  const resource = requireResource(opened, 'Policy', candidate.policy)
  requireValid(opened, [resource.file])
  const policy = createPolicy(resource.name, resource.spec, resource.digest)
  const { snapshot: file } = candidate
  if (file === undefined) return policy
  const text = await host.files.read(await dataFile(host, opened, file))
  const loaded = loadSnapshot(policy, parseJson(text, file))
  if ('faults' in loaded) {
    throw new DapError(`snapshot \`${file}\` does not fit policy \`${resource.name}\`: ${loaded.faults.join('; ')}`, {
      hint: 'take a new snapshot, or name the policy that this one was taken of',
    })
  }
  return policy
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DapError(`snapshot \`${file}\` is not JSON`, { cause })
  }
}
