/** What a result depends on. Whoever writes a result down asks here, and so does whoever wants to know whether it still holds. */
import { DapError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import type { Resource } from '../../repo/resource.ts'
import type { CurrentInput, Input } from '../../results.ts'
import { isBaseline } from '../../simulate/baselines.ts'
import { inputTitle } from '../../titles.ts'
import { dataFile, type Opened, requireResource } from '../opening/repository.ts'
import { datasetFiles } from '../reading/dataset.ts'

/**
 * The resource itself and all that its results are made from, each once, in the order in which they are named: the resources that it names,
 * and theirs; the data of Datasets; the files of candidates. A resource is known by what it says after defaults, so that blanks, comments,
 * labels and descriptions are no inputs.
 */
export async function inputsOf(
  host: Host,
  opened: Opened,
  kind: keyof typeof INPUTS,
  name: string,
): Promise<readonly CurrentInput[]> {
  const inputs = new Map<string, CurrentInput>()
  for await (const input of INPUTS[kind]({ host, opened }, name)) inputs.set(inputTitle(input), input)
  return [...inputs.values()]
}

interface Place {
  readonly host: Host
  readonly opened: Opened
}

const INPUTS = { Policy: policyInputs, Dataset: datasetInputs, Scenario: scenarioInputs, Evaluation: evaluationInputs }

/** What a Model says is part of what a policy says that names it; its file is not. */
async function* policyInputs(place: Place, name: string): AsyncGenerator<CurrentInput> {
  const policy = requireResource(place.opened, 'Policy', name)
  yield said(policy)
  const { scorer } = policy.spec
  if (scorer?.runtime.type === 'onnx') yield modelFile(place, scorer.runtime.file)
}

/** Of one that predicts rewards, where it comes from counts, too. */
async function* modelInputs(place: Place, name: string): AsyncGenerator<CurrentInput> {
  const model = requireResource(place.opened, 'Model', name)
  const { runtime, calibration } = model.spec
  yield said(model)
  if (runtime.type === 'onnx') yield modelFile(place, runtime.file)
  if (calibration !== undefined) yield modelFile(place, calibration.file)
}

const modelFile = ({ host, opened }: Place, path: string): Promise<CurrentInput> =>
  digested({ kind: 'model-file', name: path }, async () => host.files.digest(await dataFile(host, opened, path)))

async function* datasetInputs({ host, opened }: Place, name: string): AsyncGenerator<CurrentInput> {
  const dataset = requireResource(opened, 'Dataset', name)
  const { actions } = dataset.spec
  yield said(dataset)
  yield digested({ kind: 'data', name }, async () => (await datasetFiles(host, opened, dataset.spec)).digest)
  if (actions !== undefined && 'policy' in actions) yield* policyInputs({ host, opened }, actions.policy)
}

/** All of a world stands in its Scenario. */
async function* scenarioInputs(place: Place, name: string): AsyncGenerator<CurrentInput> {
  const scenario = requireResource(place.opened, 'Scenario', name)
  yield said(scenario)
  for (const each of scenario.spec.policies) if (!isBaseline(each)) yield* policyInputs(place, each)
}

async function* evaluationInputs(place: Place, name: string): AsyncGenerator<CurrentInput> {
  const { host, opened } = place
  const evaluation = requireResource(opened, 'Evaluation', name)
  yield said(evaluation)
  yield* datasetInputs(place, evaluation.spec.dataset)
  const { rewardModel } = evaluation.spec
  if (rewardModel?.type === 'model') yield* modelInputs(place, rewardModel.model)
  for (const each of evaluation.spec.candidates) {
    const file = (kind: Input['kind'], path: string) =>
      digested({ kind, name: path, candidate: each.name }, async () =>
        host.files.digest(await dataFile(host, opened, path)),
      )
    if ('policy' in each) yield* policyInputs(place, each.policy)
    if ('snapshot' in each && each.snapshot !== undefined) yield file('snapshot', each.snapshot)
    if ('table' in each) yield file('table', each.table.file)
  }
}

const said = ({ kind, name, digest }: Resource): CurrentInput => ({
  kind: kind.toLowerCase() as Input['kind'],
  name,
  digest,
})

/** By the SHA-256 of its bytes, in hex. */
async function digested(input: Omit<Input, 'digest'>, bytes: () => Promise<string>): Promise<CurrentInput> {
  try {
    return { ...input, digest: `sha256:${await bytes()}` }
  } catch (error) {
    if (!(error instanceof DapError)) throw error
    return { ...input, digest: null }
  }
}
