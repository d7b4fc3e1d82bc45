import type { PolicySpec, Scorer } from '../../kinds.ts'
import { explorationOf, learnerOf } from '../../policy/algorithm.ts'
import { createInputs } from '../../policy/features.ts'
import { featuresDigest } from '../../policy/features-digest.ts'
import { modelsOf, seesActions } from '../../policy/model-outputs.ts'
import type { Fault, Path } from '../fault.ts'
import type { Lookup } from '../resource.ts'
import { semantic } from './common.ts'
import { inputRules } from './features.ts'

/** What a policy names a Model for, and whether that can be had of it. */
export function* scorerRules(spec: PolicySpec, repository: Lookup): Generator<Fault> {
  const { scorer } = spec
  const [first, ...others] = modelsOf(spec)
  if (first === undefined || scorer === undefined) return
  for (const { name, path } of others) {
    if (name === first.name) continue
    const message = `a policy asks one Model, and names \`${first.name}\` already`
    yield semantic(['spec', ...path], message, 'put what both say into one Model, or take one of them out')
  }
  const path: Path = ['spec', ...first.path]
  let fits = true
  for (const { name, features } of scorer.inputs) {
    for (const { message, hint, severity } of inputRules(spec, features)) {
      fits &&= severity === 'warning'
      const where = `input \`${name}\` of the Model \`${scorer.name}\`: ${message}`
      yield { ...semantic(path, where, hint ?? 'change the Model, or the policy'), ...(severity && { severity }) }
    }
  }
  if (fits) yield* contractRules(spec, scorer, path, repository)
  if (spec.algorithm.learner.type === 'model') yield* learnerRules(spec, scorer)
  else yield* featureRules(spec, scorer, path)
}

/** The features that the Model was trained on are those that this policy makes of its own fields. */
function* contractRules(spec: PolicySpec, scorer: Scorer, path: Path, repository: Lookup): Generator<Fault> {
  const trained = repository.get('Model', scorer.name)?.spec.provenance?.features
  if (trained === undefined) return
  const own = featuresDigest(scorer.inputs, createInputs(spec, scorer))
  if (own === trained) return
  const message = `the Model \`${scorer.name}\` was trained on other features (${trained.slice(0, 19)}…) than this policy makes (${own.slice(0, 19)}…)`
  const hint =
    'export them again by `dap dataset export --features`, train on that, and write its digest into `provenance.features`'
  yield semantic(path, message, hint)
}

/** Scores, and what explores over them. */
function* learnerRules(
  { algorithm: { exploration }, guardrails, features, evaluation }: PolicySpec,
  scorer: Scorer,
): Generator<Fault> {
  const { name, output } = scorer
  const path = ['spec', 'algorithm', 'learner', 'model']
  if (features !== undefined) {
    const message = `the Model \`${name}\` says itself what goes into it: \`features\` are not used`
    yield { ...semantic(['spec', 'features'], message, 'take them out'), severity: 'warning', on: 'key' }
  }
  if (output.type === 'embedding') {
    const hint = `learn from it: \`learner: { type: linear, shared: true }\` and \`features: [{ model: ${name} }]\``
    yield semantic(
      path,
      `the output of \`${name}\` is an embedding, which says nothing of what an action is worth`,
      hint,
    )
    return
  }
  if (!seesActions(scorer)) {
    const message = `no input of \`${name}\` differs between actions: all would be worth the same`
    yield semantic(path, message, "add a feature of the actions to the Model's inputs, such as `{ action: genre }`")
  }
  if (exploration === undefined) return
  const at = ['spec', 'algorithm', 'exploration']
  const { needs } = explorationOf(exploration)
  if (needs.length > 0 && output.type !== 'gaussian' && output.type !== 'heads') {
    const message = `\`${exploration.type}\` needs to know how sure the Model is, and \`${name}\` gives one number, a ${output.type}`
    const hint =
      '`squarecb` and `epsilon-greedy` need no more; a Model whose output is `gaussian` or `heads` says how sure it is'
    yield semantic([...at, 'type'], message, hint)
  } else if (needs.length > 0 && output.type === 'gaussian' && output.deviation === 'aleatoric') {
    const message = `\`${exploration.type}\` would take the noise of rewards for what the Model \`${name}\` does not know: its deviation is aleatoric`
    yield semantic(
      [...at, 'type'],
      message,
      'use `squarecb` or `epsilon-greedy`, or a Model whose deviation is epistemic',
    )
  }
  if (exploration.type !== 'thompson' || output.type !== 'heads') return
  if (exploration.draws !== undefined) {
    const message = `the ${output.count} heads of \`${name}\` are all that it believes, and each is looked at: there is nothing to draw`
    yield semantic([...at, 'draws'], message, 'take out `draws`')
  } else if (guardrails.minProbability === 0 && evaluation !== 'none') {
    const message =
      'an action that no head has best has no probability: no log of it can ever be evaluated for what it leaves out'
    const hint = 'set `guardrails.minProbability`, or say `evaluation: none` if that is wanted'
    yield semantic([...at, 'type'], message, hint)
  }
}

/** What a learner of features sees of a Model. */
function* featureRules({ algorithm: { learner } }: PolicySpec, scorer: Scorer, path: Path): Generator<Fault> {
  const needs = learnerOf(learner).features?.(learner)
  if (needs === undefined || needs.hashed === true) {
    const message = `\`${learner.type}\` does not learn from what a Model gives`
    yield semantic(path, message, '`linear`, `hybrid` and `logistic` do')
  } else if (!needs.shared && seesActions(scorer)) {
    const message = `\`${learner.type}\` has a model an action, and \`${scorer.name}\` gives each action something else`
    yield { ...semantic(path, message, 'set `shared: true` on the learner'), on: 'key' }
  }
}
