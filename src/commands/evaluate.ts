import { defineCommand } from '../command.ts'
import { ExitCode } from '../errors.ts'
import { evaluate } from '../evaluate/evaluate.ts'
import type { EvaluationPlan } from '../evaluate/evaluation-plan.ts'
import type { Host, TablesOptions } from '../host.ts'
import type { Resource } from '../repo/resource.ts'
import type { EvaluationResult } from '../results.ts'
import { evaluationText } from '../ui/evaluation.ts'
import { evidenceInputs, type Recorded, recordEvidence, recordedText } from './evidence/evidence.ts'
import { liftFigure } from './evidence/figures.ts'
import { type LoadedPolicy, loadPolicy } from './opening/policies.ts'
import { dataFile, type Opened, openRepository, requireResource, requireValid } from './opening/repository.ts'
import { type DigestedDataset, openDataset } from './reading/dataset.ts'
import { declareTablesOptions, tablesOptions, watched } from './reading/tables-options.ts'

interface Options {
  readonly evaluation: string | undefined
  readonly record: boolean
  readonly tables: TablesOptions
}

interface Evaluated {
  readonly result: EvaluationResult
  readonly recorded?: Recorded
}

export const evaluateCommand = defineCommand<Options, Evaluated>({
  declare(command) {
    command
      .argument('[evaluation]', 'name of an Evaluation; may be left out when there is only one')
      .option('--record', 'also write the outcome to evidence/, for the plan of a Deployment that asks for it')
    declareTablesOptions(command).addHelpText(
      'after',
      '\nA candidate that the log cannot answer for gets the verdict `refuse` and shows no number; every gate that\nuses it fails. `dap explain Evaluation.spec` says what can be judged and how.\n\nexit codes: 0 every gate passed, 1 one did not or the log has bad rows, 3 usage',
    )
  },

  options: async ([evaluation], flags, host) => ({
    evaluation,
    record: flags['record'] === true,
    tables: await tablesOptions(flags, host),
  }),

  async run({ evaluation: name, record, tables }, host, report) {
    const opened = await openRepository(host)
    const evaluation = requireResource(opened, 'Evaluation', name)
    const about = { kind: 'evaluation', name: evaluation.name } as const
    const inputs = record ? await evidenceInputs(host, opened, about) : []
    const policies = await candidatePolicies(host, opened, evaluation)
    const plan = await planOf(host, opened, evaluation, policies)
    const progress = (rows: number) => report({ type: 'progress', unit: 'rows', done: rows })
    const result = await evaluate(plan, await host.tables({ ...tables, ...watched(report) }), progress, host.signal)
    await plan.dataset.requireUnchanged()
    if (!record) return { result }
    const figures = new Map(result.candidates.map(candidate => [candidate.name, liftFigure(candidate)]))
    const recorded = await recordEvidence(host, opened, {
      ...about,
      inputs,
      policies: [...policies].map(([candidate, { policy, snapshot }]) => ({
        name: policy.name,
        digest: policy.digest,
        snapshot,
        figure: figures.get(candidate) ?? null,
      })),
      rules: result.gates,
    })
    return { result, recorded }
  },

  text({ result, recorded }, context) {
    const text = evaluationText(result, context)
    return recorded === undefined ? text : `${text}\n\n${recordedText(recorded)}`
  },
  json: ({ result }) => result,
  exitCode: ({ result }) => (result.passed ? ExitCode.done : ExitCode.no),
})

/** Everything that the Evaluation names, found and loaded. */
async function planOf(
  host: Host,
  opened: Opened,
  evaluation: Resource<'Evaluation'>,
  policies: ReadonlyMap<string, LoadedPolicy>,
): Promise<EvaluationPlan & { readonly dataset: DigestedDataset }> {
  const dataset = await openDataset(host, opened, evaluation.spec.dataset)
  const tables = new Map<string, string>()
  for (const candidate of evaluation.spec.candidates) {
    if ('table' in candidate) tables.set(candidate.name, await dataFile(host, opened, candidate.table.file))
  }
  return {
    name: evaluation.name,
    dataset,
    spec: evaluation.spec,
    policies: new Map([...policies].map(([candidate, { policy }]) => [candidate, policy])),
    learntFrom: new Map(
      [...policies].flatMap(([candidate, { learntFrom }]) =>
        learntFrom === undefined ? [] : [[candidate, learntFrom] as const],
      ),
    ),
    tables,
  }
}

/** Candidate's name → its policy, with its snapshot or knowing nothing yet. */
async function candidatePolicies(
  host: Host,
  opened: Opened,
  { spec, file }: Resource<'Evaluation'>,
): Promise<ReadonlyMap<string, LoadedPolicy>> {
  requireValid(opened, [file])
  const policies = new Map<string, LoadedPolicy>()
  for (const candidate of spec.candidates) {
    if (!('policy' in candidate)) continue
    const snapshot = candidate.snapshot && (await dataFile(host, opened, candidate.snapshot))
    policies.set(candidate.name, await loadPolicy(host, opened, candidate.policy, { snapshot }))
  }
  return policies
}
