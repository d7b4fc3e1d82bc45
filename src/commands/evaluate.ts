import { defineCommand } from '../command.ts'
import { ExitCode } from '../errors.ts'
import { type EvaluationPlan, evaluate } from '../evaluate/evaluate.ts'
import type { Host } from '../host.ts'
import type { CandidateSpec } from '../kinds.ts'
import type { Policy } from '../policy/policy.ts'
import type { Resource } from '../repo/repository.ts'
import type { EvaluationResult } from '../results.ts'
import { evaluationText } from '../ui/evaluation.ts'
import { openDataset } from './dataset.ts'
import { loadPolicy } from './policies.ts'
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
  const dataset = await openDataset(host, opened, evaluation.spec.dataset)
  const policies = new Map<string, Policy>()
  const tables = new Map<string, string>()
  for (const candidate of evaluation.spec.candidates) {
    if ('policy' in candidate) policies.set(candidate.name, await candidatePolicy(host, opened, candidate))
    if ('table' in candidate) tables.set(candidate.name, await dataFile(host, opened, candidate.table.file))
  }
  return {
    name: evaluation.name,
    dataset,
    spec: evaluation.spec,
    policies,
    tables,
  }
}

/** The policy of a candidate, with its snapshot or knowing nothing yet. */
async function candidatePolicy(
  host: Host,
  opened: Opened,
  { policy: name, snapshot: file }: Extract<CandidateSpec, { policy: string }>,
): Promise<Policy> {
  const snapshot = file === undefined ? undefined : await dataFile(host, opened, file)
  return (await loadPolicy(host, opened, name, { snapshot })).policy
}
