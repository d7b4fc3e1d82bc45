import { defineCommand, type ProgressEvent } from '../command.ts'
import { DapError } from '../errors.ts'
import { evaluate } from '../evaluate/evaluate.ts'
import type { EvaluationPlan } from '../evaluate/evaluation-plan.ts'
import { rewardModelPolicy } from '../evaluate/reward-model-policy.ts'
import { EVALUATIONS_RESULT_SCHEMA } from '../generated/names.ts'
import type { Host, TablesOptions } from '../host.ts'
import type { DatasetSpec, EvaluationSpec } from '../kinds.ts'
import { createPolicy } from '../policy/policy.ts'
import type { Resource } from '../repo/resource.ts'
import type { EvaluationResult } from '../results.ts'
import { evaluationMarkdown, evaluationText } from '../ui/evaluation.ts'
import { evidenceInputs, type Recorded, recordEvidence, recordedText } from './evidence/evidence.ts'
import { liftFigure } from './evidence/figures.ts'
import { createRuntimes } from './opening/model-shelf.ts'
import { type LoadedPolicy, loadPolicy } from './opening/policies.ts'
import { dataFile, type Opened, requireResource, requireValid } from './opening/repository.ts'
import { type DigestedDataset, openDataset } from './reading/dataset.ts'
import { declareTablesOptions, tablesOptions, watched } from './reading/tables-options.ts'
import { type Judged, presented } from './several/present.ts'
import { rulePlaces } from './several/rule-places.ts'
import { type Ran, runSelected } from './several/run.ts'
import { declareSelection, type Selection, selectionOf } from './several/selection.ts'

interface Options {
  /** Absent: all that are selected. */
  readonly evaluation?: string
  readonly selection: Selection
  readonly record: boolean
  readonly tables: TablesOptions
}

interface Evaluated extends Judged<EvaluationResult> {
  readonly recorded?: Recorded
}

export const evaluateCommand = defineCommand<Options, Ran<Evaluated>>({
  declare(command) {
    command.argument('[evaluation]', 'name of an Evaluation; default: all of them')
    declareSelection(command, 'Evaluation').option(
      '--record',
      'also write the outcome to evidence/, for the plan of a Deployment that asks for it',
    )
    declareTablesOptions(command).addHelpText(
      'after',
      '\nA candidate that the log cannot answer for gets the verdict `refuse` and shows no number; every gate that\nuses it fails. `dap explain Evaluation.spec` says what can be judged and how.\n\nexit codes: 0 every gate passed, 1 one did not or the log has bad rows, 3 usage',
    )
  },

  options: async ([evaluation], flags, host) => ({
    ...(evaluation === undefined ? {} : { evaluation }),
    selection: selectionOf(evaluation, flags),
    record: flags['record'] === true,
    tables: await tablesOptions(flags, host),
  }),

  run: ({ evaluation: name, selection, ...options }, host, report) =>
    runSelected(host, 'Evaluation', { name, selection }, (opened, each) =>
      evaluateOne(opened, each, options, host, report),
    ),

  ...presented<EvaluationResult, Evaluated>({
    kind: 'Evaluation',
    rule: 'gate',
    text({ result, recorded }, context) {
      const text = evaluationText(result, context)
      return recorded === undefined ? text : `${text}\n\n${recordedText(recorded)}`
    },
    markdown: ({ result }) => evaluationMarkdown(result),
    several: all => ({ schema: EVALUATIONS_RESULT_SCHEMA, ...all }),
  }),
})

/** One evaluation, found and made. */
async function evaluateOne(
  opened: Opened,
  name: string,
  { record, tables }: Pick<Options, 'record' | 'tables'>,
  host: Host,
  report: (event: ProgressEvent) => void,
): Promise<Evaluated> {
  const evaluation = requireResource(opened, 'Evaluation', name)
  const about = { kind: 'evaluation', name: evaluation.name } as const
  const inputs = record ? await evidenceInputs(host, opened, about) : []
  const policies = await candidatePolicies(host, opened, evaluation)
  const plan = await planOf(host, opened, evaluation, policies)
  const progress = (rows: number) => report({ type: 'progress', unit: 'rows', done: rows })
  const runtimes = createRuntimes(host, opened)
  const judging = { ...plan, openRuntime: runtimes.open }
  const result = await evaluate(
    judging,
    await host.tables({ ...tables, ...watched(report) }),
    progress,
    host.signal,
  ).finally(runtimes.close)
  await plan.dataset.requireUnchanged()
  const judged = { result, rules: result.gates, places: rulePlaces(opened, evaluation, result.gates) }
  if (!record) return judged
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
  return { ...judged, recorded }
}

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
    rewardModel: rewardModelOf(opened, evaluation.spec, dataset.spec),
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

/** The Model that predicts rewards, if one does, as a policy that decides by it. */
function rewardModelOf(opened: Opened, spec: EvaluationSpec, dataset: DatasetSpec): EvaluationPlan['rewardModel'] {
  if (spec.rewardModel?.type !== 'model') return undefined
  const { model: name } = spec.rewardModel
  const model = requireResource(opened, 'Model', name)
  const of = requireResource(opened, 'Policy', rewardModelPolicy(spec, dataset))
  requireValid(opened, [model.file, of.file])
  const scorer = opened.repository.scorer(name)
  if (scorer === undefined) throw new DapError(`what the files of the Model \`${name}\` say is not known`)
  const { features: _, guardrails, ...own } = of.spec
  const policy = createPolicy(
    of.name,
    {
      ...own,
      algorithm: { learner: { type: 'model', model: name }, exploration: { type: 'greedy', ties: 'first' } },
      guardrails: { minProbability: 0, fallback: guardrails.fallback },
      scorer,
    },
    of.digest,
  )
  return { policy, trainedOn: model.spec.provenance?.trainedOn }
}
