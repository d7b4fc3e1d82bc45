import { FEATURES_FROM } from '../../evaluate/embedding.ts'
import { estimatorName, typeName } from '../../evaluate/estimators/estimator.ts'
import { ESTIMATORS, estimatorType, MOST_COMPARED } from '../../evaluate/estimators/estimators.ts'
import { LIST_ESTIMATORS, listEstimator, OF_LISTS } from '../../evaluate/lists/estimators/list-estimators.ts'
import { rewardModelPolicy } from '../../evaluate/reward-model-policy.ts'
import type { CandidateSpec, DatasetSpec, EstimatorSpec, EvaluationSpec, PolicySpec } from '../../kinds.ts'
import { fieldsOfActions, isListed, isOffered, listed } from '../../policy/pool.ts'
import { checkGate } from '../../policy/result-rules.ts'
import type { Fault, Path } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { celFault, duplicates, filePath, known, semantic } from './common.ts'
import { inputRules } from './features.ts'

export function* evaluationRules({ spec }: Resource<'Evaluation'>, repository: Lookup): Generator<Fault> {
  const { dataset, candidates, estimators, gates } = spec
  const data = repository.get('Dataset', dataset)?.spec
  const actions = actionsOf(data, repository)
  const names = candidates.map(candidate => candidate.name)
  yield* duplicates(names, 'candidate', i => ['spec', 'candidates', i, 'name'])
  for (const [i, candidate] of candidates.entries()) {
    yield* candidateRules(candidate, actions, ['spec', 'candidates', i], repository)
    yield* learntFromRules(candidate, data, ['spec', 'candidates', i])
  }
  const named = estimators.map(estimatorName)
  yield* duplicates(named, 'estimator', i => ['spec', 'estimators', i])
  const ofLists = estimators.filter(each => listEstimator(each) !== undefined)
  if (ofLists.length > 0) yield* listRules(spec, data, repository)
  else {
    yield* singleRules(spec, data, repository)
    yield* propensityRules(estimators, data)
    yield* rewardModelRules(spec, data, repository)
  }
  yield* estimatorRules(estimators)
  yield* embeddingRules(spec, data, repository)
  yield* duplicates(
    gates.map(rule => rule.id),
    'rule',
    i => ['spec', 'gates', i, 'id'],
  )
  for (const [i, { expr }] of gates.entries()) {
    const path = ['spec', 'gates', i, 'expr']
    const gate = checkGate(expr, names, named)
    if ('fault' in gate) yield celFault(gate.fault, path)
    else yield* gateRules(gate, spec, path)
  }
}

/** Where the dataset lists them; undefined where they are those observed. */
function actionsOf(dataset: DatasetSpec | undefined, repository: Lookup): readonly string[] | undefined {
  const actions = dataset?.actions
  if (actions === undefined) return undefined
  if ('policy' in actions) {
    const named = repository.get('Policy', actions.policy)?.spec.actions
    return named === undefined || isOffered(named) ? undefined : listed(named).map(({ id }) => id)
  }
  if (!('range' in actions)) return actions
  const [first, last] = actions.range
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => String(first + i))
}

function* candidateRules(
  candidate: CandidateSpec,
  actions: readonly string[] | undefined,
  path: Path,
  repository: Lookup,
): Generator<Fault> {
  if ('policy' in candidate) {
    if (candidate.snapshot !== undefined) yield* filePath(candidate.snapshot, [...path, 'snapshot'], repository)
  } else if ('fixed' in candidate) {
    if (actions !== undefined) yield* known(candidate.fixed, actions, 'action', [...path, 'fixed'])
  } else if ('table' in candidate) {
    yield* filePath(candidate.table.file, [...path, 'table', 'file'], repository)
  } else if ('probabilities' in candidate) {
    const { probabilities } = candidate
    if ('columns' in probabilities) yield* columnsRules(probabilities.columns, [...path, 'probabilities', 'columns'])
  } else if ('scores' in candidate) {
    yield* columnsRules(candidate.scores.columns, [...path, 'scores', 'columns'])
  }
}

/** What a candidate is said to have learnt must be of use on the log. */
function* learntFromRules(candidate: CandidateSpec, data: DatasetSpec | undefined, path: Path): Generator<Fault> {
  if (!('learntFrom' in candidate) || candidate.learntFrom === undefined) return
  const { learntFrom } = candidate
  const at = [...path, 'learntFrom']
  if ('policy' in candidate && candidate.snapshot === undefined) {
    const fault = semantic(at, 'a policy without a `snapshot` has learnt nothing', 'take out `learntFrom`')
    yield { ...fault, on: 'key' }
    return
  }
  if (typeof learntFrom === 'string') return
  const { from, until, heldOut } = learntFrom
  for (const [name, time] of Object.entries({ from, until })) {
    if (time !== undefined && Number.isNaN(Date.parse(time)))
      yield semantic([...at, name], `\`${time}\` is no time`, 'for example `2026-03-01T00:00:00Z`')
  }
  if (from !== undefined && until !== undefined && Date.parse(from) > Date.parse(until)) {
    yield semantic([...at, 'from'], '`from` is later than `until`', 'swap them, or correct one of them')
  }
  if (data === undefined || data.format === 'dap') return
  if ((from ?? until) !== undefined && data.mapping?.ts === undefined) {
    const hint = 'name the column of the times at `mapping.ts` of the Dataset'
    yield semantic(
      [...at, from === undefined ? 'until' : 'from'],
      'the log has no times that this could be held against',
      hint,
    )
  }
  if (heldOut !== undefined && data.mapping?.unit === undefined && data.mapping?.decisionId === undefined) {
    const hint = 'name their column at `mapping.unit` of the Dataset'
    yield semantic([...at, 'heldOut'], 'the log has no units, so none that were held out', hint)
  }
}

function* columnsRules(columns: string, path: Path): Generator<Fault> {
  if (columns.includes('{action}')) return
  yield semantic(
    path,
    `\`${columns}\` names one column for all actions`,
    'write `{action}` where the id of the action stands',
  )
}

/** What a gate is judged by must be unbiased, and there. */
function* gateRules(
  { estimators: used, compares }: { readonly estimators: readonly string[]; readonly compares: boolean },
  { estimators, candidates }: EvaluationSpec,
  path: Path,
): Generator<Fault> {
  for (const spec of estimators) {
    if (!used.includes(estimatorName(spec)) || listEstimator(spec) !== undefined || !estimatorType(spec).biased)
      continue
    const message = `the gate is judged by \`${estimatorName(spec)}\`, which is biased: its interval does not count by how much`
    yield { ...semantic(path, message, 'judge by `dr`, `sndr`, `snips` or `ips`'), severity: 'warning' }
  }
  if (compares && candidates.length > MOST_COMPARED) {
    yield semantic(
      path,
      `there are ${candidates.length} candidates, and no more than ${MOST_COMPARED} are compared with each other`,
      'leave the others to an Evaluation of their own',
    )
  }
}

/** λ belongs to estimators that cut weights. */
function* estimatorRules(estimators: readonly EstimatorSpec[]): Generator<Fault> {
  const cutting = ESTIMATORS.filter(({ lambda }) => lambda !== undefined).map(({ type }) => `\`${type}\``)
  for (const [i, spec] of estimators.entries()) {
    const named = estimatorName(spec)
    if (
      typeof spec !== 'string' &&
      named !== spec.type &&
      [...ESTIMATORS, ...LIST_ESTIMATORS].some(({ type }) => type === named)
    ) {
      yield semantic(
        ['spec', 'estimators', i, 'name'],
        `\`${named}\` is another estimator`,
        'give it a name of its own',
      )
    }
    if (typeof spec === 'string' || spec.lambda === undefined) continue
    if (listEstimator(spec) === undefined && estimatorType(spec).lambda !== undefined) continue
    yield semantic(
      ['spec', 'estimators', i, 'lambda'],
      `the estimator \`${spec.type}\` has no \`lambda\``,
      `${cutting.join(', ')} have one`,
    )
  }
}

/** What actions have in common, the policies must say of each of them, and the log must have every propensity. */
function* embeddingRules(
  { estimators, candidates }: EvaluationSpec,
  data: DatasetSpec | undefined,
  repository: Lookup,
): Generator<Fault> {
  for (const [i, spec] of estimators.entries()) {
    const path = ['spec', 'estimators', i]
    const by = typeof spec === 'string' ? undefined : spec.by
    const needs = listEstimator(spec) === undefined && estimatorType(spec).by === true
    if (!needs) {
      if (by === undefined) continue
      const hint = `${ESTIMATORS.filter(each => each.by)
        .map(({ type }) => `\`${type}\``)
        .join(', ')} has one`
      yield semantic([...path, 'by'], `the estimator \`${typeName(spec)}\` has no \`by\``, hint)
      continue
    }
    const name = estimatorName(spec)
    if (by === undefined) {
      const hint = `for example \`{ type: ${typeName(spec)}, by: [genre] }\``
      yield semantic(path, `the estimator \`${name}\` needs the features of actions that it goes \`by\``, hint)
      continue
    }
    if (data !== undefined && data.format !== 'dap' && data.mapping?.propensities === undefined) {
      const message = `the estimator \`${name}\` needs the propensity of every action, and the log has that of the action taken`
      yield semantic(path, message, 'name the column of all propensities at `mapping.propensities` of the Dataset')
    }
    const fields = knownFeatures(data, candidates, repository)
    if (fields === undefined) continue
    if (Object.keys(fields).length === 0) {
      yield semantic([...path, 'by'], 'nobody says what the features of the actions are', FEATURES_FROM)
      continue
    }
    for (const [j, feature] of by.entries()) {
      const at = [...path, 'by', j]
      yield* known(feature, Object.keys(fields), 'feature of every action', at)
      const type = Object.hasOwn(fields, feature) ? fields[feature] : undefined
      if (type !== 'number' && type !== 'array') continue
      const what = type === 'array' ? 'a vector' : 'a number'
      const message = `the feature \`${feature}\` is ${what}: its values are not shared by several actions`
      yield semantic(at, message, 'go by text, true and false, or whole numbers: bring numbers into classes')
    }
  }
}

/**
 * Of the features that the policies here say of each of their actions, the types: the Dataset's policy comes first. Whole numbers of a list
 * are integers. Undefined where some policy is not known, and may say more.
 */
function knownFeatures(
  data: DatasetSpec | undefined,
  candidates: readonly CandidateSpec[],
  repository: Lookup,
): Readonly<Record<string, string>> | undefined {
  const own = data?.actions !== undefined && 'policy' in data.actions ? [data.actions.policy] : []
  const names = [...own, ...candidates.flatMap(each => ('policy' in each ? [each.policy] : []))]
  const policies = names.map(name => repository.get('Policy', name)?.spec)
  const known = policies.filter(spec => spec !== undefined)
  if (data === undefined || known.length < policies.length) return undefined
  const fields: Record<string, string> = {}
  for (const { actions } of known.reverse()) {
    const { id: _, ...said } = fieldsOfActions(actions)
    for (const [name, { type }] of Object.entries(said)) fields[name] = isWhole(actions, name) ? 'integer' : type
  }
  return fields
}

const isWhole = (actions: PolicySpec['actions'], name: string): boolean =>
  isListed(actions) && actions.every(({ features = {} }) => Number.isSafeInteger(features[name]))

/** Lists are judged by estimators of their own, on a log of lists, and so are policies that make them. */
function* listRules(
  { estimators, candidates, rewardModel }: EvaluationSpec,
  data: DatasetSpec | undefined,
  repository: Lookup,
): Generator<Fault> {
  const single = estimators.findIndex(spec => listEstimator(spec) === undefined)
  if (single >= 0) {
    const message = `\`${estimatorName(estimators[single])}\` is of decisions for one action, and others here are of lists`
    yield semantic(['spec', 'estimators', single], message, OF_LISTS)
    return
  }
  if (data !== undefined && data.format !== 'dap') {
    const hint = 'lists are judged on the decision log of dap itself, `format: dap`'
    yield semantic(['spec', 'estimators', 0], `a log of format ${data.format} has no lists`, hint)
  }
  for (const [i, candidate] of candidates.entries()) {
    const path = ['spec', 'candidates', i]
    if ('policy' in candidate) {
      const decision = repository.get('Policy', candidate.policy)?.spec.decision
      if (decision?.type !== 'single') continue
      const message = `policy \`${candidate.policy}\` makes no lists, and \`${estimatorName(estimators[0])}\` is of lists`
      yield semantic(
        [...path, 'policy'],
        message,
        'judge it by `ips`, `snips` or `dr`, or make it `decision: { type: ranking }`',
      )
    } else if (!('logging' in candidate || 'uniform' in candidate)) {
      const message = `\`${candidate.name}\` says nothing of lists`
      yield semantic(
        [...path, 'name'],
        message,
        'of lists a `policy`, `uniform: true` and `logging: true` can be judged',
      )
    }
  }
  const needy = estimators.findIndex(spec => listEstimator(spec)?.model)
  if (needy < 0 || rewardModel?.type === 'tabular') return
  yield semantic(
    ['spec', 'estimators', needy],
    `the estimator \`${estimatorName(estimators[needy])}\` needs a tabular \`rewardModel\``,
    'for example `rewardModel: { type: tabular, by: [action, slot] }`',
  )
}

/** A policy that makes lists, or made the log of lists, is not judged as one of single decisions. */
function* singleRules(
  { candidates }: EvaluationSpec,
  data: DatasetSpec | undefined,
  repository: Lookup,
): Generator<Fault> {
  const makesLists = (name: string) => {
    const decision = repository.get('Policy', name)?.spec.decision
    return decision !== undefined && decision.type !== 'single'
  }
  for (const [i, candidate] of candidates.entries()) {
    if (!('policy' in candidate) || !makesLists(candidate.policy)) continue
    const message = `policy \`${candidate.policy}\` makes lists, and the estimators are of decisions for one action`
    yield semantic(['spec', 'candidates', i, 'policy'], message, OF_LISTS)
    return
  }
  const actions = data?.format === 'dap' ? data.actions : undefined
  if (actions === undefined || !('policy' in actions) || !makesLists(actions.policy)) return
  yield semantic(
    ['spec', 'dataset'],
    'the Dataset is of lists, and the estimators are of decisions for one action',
    OF_LISTS,
  )
}

/** Without propensities nothing can be weighted by them. */
function* propensityRules(estimators: readonly EstimatorSpec[], data: DatasetSpec | undefined): Generator<Fault> {
  if (data?.propensity !== 'unknown') return
  const weighted = estimators.findIndex(spec => estimatorType(spec).propensities)
  if (weighted === -1) return
  const without = ESTIMATORS.filter(({ propensities }) => !propensities).map(({ type }) => type)
  yield semantic(
    ['spec', 'estimators', weighted],
    `the estimator \`${estimatorName(estimators[weighted])}\` needs propensities, and the Dataset says that its log has none`,
    `\`estimators: [${without.join(', ')}]\`, with a \`rewardModel\`, is all that such a log allows`,
  )
}

function* rewardModelRules(spec: EvaluationSpec, data: DatasetSpec | undefined, repository: Lookup): Generator<Fault> {
  const { estimators, rewardModel } = spec
  const needy = estimators.findIndex(spec => estimatorType(spec).model)
  if (rewardModel === undefined) {
    if (needy === -1) return
    const hint = 'for example `rewardModel: { type: tabular, by: [action] }`'
    yield semantic(
      ['spec', 'estimators', needy],
      `the estimator \`${estimatorName(estimators[needy])}\` needs a \`rewardModel\``,
      hint,
    )
    return
  }
  const path = ['spec', 'rewardModel']
  if (rewardModel.type === 'columns') yield* columnsRules(rewardModel.columns, [...path, 'columns'])
  else if (rewardModel.type === 'model') yield* scoredRules(rewardModel.model, spec, data, repository)
  else if (
    rewardModel.crossFit.by === 'unit' &&
    data !== undefined &&
    data.format !== 'dap' &&
    data.mapping?.unit === undefined
  ) {
    yield semantic(
      [...path, 'crossFit', 'by'],
      'folds by unit need the units of the log',
      'name their column at `mapping.unit` of the Dataset',
    )
  }
}

/** A Model that predicts rewards says what an action is worth, and its inputs can be made of a policy's context and actions. */
function* scoredRules(
  name: string,
  spec: EvaluationSpec,
  data: DatasetSpec | undefined,
  repository: Lookup,
): Generator<Fault> {
  const path = ['spec', 'rewardModel', 'model']
  const model = repository.get('Model', name)?.spec
  if (model?.output.type === 'embedding') {
    const message = `the output of \`${name}\` is an embedding, which says nothing of what an action is worth`
    yield semantic(path, message, 'name a Model whose output is a `probability`, a `logit` or a `value`')
  }
  const named = rewardModelPolicy(spec, data)
  if (named === undefined) {
    const message = `nothing says of which actions \`${name}\` is to predict rewards: neither the Dataset nor a candidate names a policy`
    yield semantic(path, message, 'name the policy that made the log at `actions: { policy: NAME }` of the Dataset')
    return
  }
  const policy = repository.get('Policy', named)?.spec
  if (model === undefined || policy === undefined) return
  for (const { name: input, features } of model.inputs) {
    for (const { message, hint, severity } of inputRules(policy, features)) {
      const where = `input \`${input}\` of the Model \`${name}\` for policy \`${named}\`: ${message}`
      yield { ...semantic(path, where, hint ?? 'change the Model'), ...(severity && { severity }) }
    }
  }
}
