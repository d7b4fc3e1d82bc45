import type { ActionSpec, PolicySpec } from '../../kinds.ts'
import { compileContextRule } from '../../policy/cel.ts'
import { modelsOf } from '../../policy/model-outputs.ts'
import { capacityOf, FIRST_ELIGIBLE, fieldsOfActions, isListed, isOffered, isSet, listed } from '../../policy/pool.ts'
import { isBaseline } from '../../simulate/baselines.ts'
import type { Fault, Path } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { algorithmRules } from './algorithm.ts'
import { celFault, duplicates, known, semantic } from './common.ts'
import { contextRules } from './context.ts'
import { decisionRules } from './decision.ts'
import { featureRules } from './features.ts'
import { scorerRules } from './scorer.ts'

export function* policyRules({ name, spec }: Resource<'Policy'>, repository: Lookup): Generator<Fault> {
  if (isBaseline(name)) {
    yield semantic(
      ['metadata', 'name'],
      `the name \`${name}\` is taken: it is a built-in policy of Scenarios`,
      `call it otherwise, for example \`my-${name}\``,
    )
  }
  yield* contextRules(spec.context, ['spec', 'context'])
  yield* unitRules(spec)
  // Of a set that is not there, or has faults of its own, nothing is known: what it is named by is a fault already.
  if (isSet(spec.actions) && spec.actions.pool === undefined) return
  if (spec.scorer === undefined && modelsOf(spec).length > 0) return
  yield* scorerRules(spec, repository)
  if (spec.algorithm.learner.type !== 'model') yield* featureRules(spec)
  yield* actionRules(spec)
  yield* actionFeatureRules(spec)
  yield* algorithmRules(spec)
  yield* decisionRules(spec)
  yield* guardrailRules(spec)
}

function* unitRules({ unit, context }: PolicySpec): Generator<Fault> {
  if (unit === undefined) return
  const path = ['spec', 'unit']
  yield* known(unit, Object.keys(context), 'context field', path)
  const field = context[unit]
  if (field !== undefined && field.type !== 'string' && field.type !== 'integer') {
    yield semantic(
      path,
      `the unit must be a string or an integer field, but \`${unit}\` is of type ${field.type}`,
      `name the field that says who or what is decided for, such as a user's id`,
    )
  }
}

function* actionRules({ actions, context }: PolicySpec): Generator<Fault> {
  const fields = fieldsOfActions(actions)
  if (!isListed(actions)) {
    if (isOffered(actions)) yield* contextRules(actions.features, ['spec', 'actions', 'features'])
    yield* ruleRules(actions.eligible, ['spec', 'actions', 'eligible'])
    return
  }
  const ids = actions.map(action => action.id)
  yield* duplicates(ids, 'action', i => ['spec', 'actions', i, 'id'])
  for (const [i, { eligible }] of actions.entries()) yield* ruleRules(eligible, ['spec', 'actions', i, 'eligible'])

  function* ruleRules(expr: string | undefined, path: Path): Generator<Fault> {
    const rule = expr === undefined ? undefined : compileContextRule(expr, context, 'bool', fields)
    if (rule !== undefined && 'fault' in rule) yield celFault(rule.fault, path)
  }
}

function* guardrailRules({ actions, context, guardrails, unit, reward }: PolicySpec): Generator<Fault> {
  const { holdout, fallback, minProbability } = guardrails
  const ids = listed(actions).map(action => action.id)
  const most = capacityOf(actions)
  const path = ['spec', 'guardrails']
  const floors = most * minProbability
  if (floors > 1 + 1e-12) {
    const message = `a floor of ${minProbability} for each of ${most} actions does not fit: they sum to ${Number(floors.toPrecision(6))}`
    yield semantic([...path, 'minProbability'], message, `at most ${Math.floor(1e6 / most) / 1e6}`)
  } else if (floors >= 1 - 1e-12 && most > 1) {
    const message = `a floor of ${minProbability} for each of ${most} actions leaves nothing to choose: every action is alike`
    yield {
      ...semantic([...path, 'minProbability'], message, 'lower it, or use the learner `uniform`'),
      severity: 'warning',
    }
  }
  if (typeof fallback === 'string') yield* servedRules(fallback, [...path, 'fallback'])
  if (isListed(actions)) yield* fallbackRules(actions, fallback)
  else if (typeof fallback === 'string' && hasRule(actions, fallback)) {
    const message = `the fallback \`${fallback}\` has a rule or dates, and is served whatever the context and the time`
    yield forAll([...path, 'fallback'], message, `\`${FIRST_ELIGIBLE}\`: the first of the set that may be served`)
  }
  if (holdout !== undefined) {
    yield* servedRules(holdout.action, [...path, 'holdout', 'action'])
    if (hasRule(actions, holdout.action)) {
      yield forAll(
        [...path, 'holdout', 'action'],
        `the holdout's action \`${holdout.action}\` has a rule, and a unit is held out whatever its context`,
        forEverybody(actions) ??
          'an action without `eligible`, such as one that offers nothing, can be held out to everybody',
      )
    }
    if (unit === undefined)
      yield semantic([...path, 'holdout'], 'a holdout needs a `unit`, by whose hash it is drawn', unitHint(context))
  }

  /** What is served without being drawn: an action of the list, or the first that may be. */
  function* servedRules(id: string, path: Path): Generator<Fault> {
    if (id === FIRST_ELIGIBLE) return
    if (!isOffered(actions)) yield* known(id, [...ids, FIRST_ELIGIBLE], 'action', path)
    else {
      const message = `requests bring the actions, and nothing says that \`${id}\` is among them`
      yield semantic(path, message, `\`${FIRST_ELIGIBLE}\`: the first of the request's that may be served`)
    }
  }
  if (reward.type === 'binary' && reward.default !== 0 && reward.default !== 1) {
    yield semantic(
      ['spec', 'reward', 'default'],
      `a binary reward is 0 or 1, got \`${reward.default}\``,
      'rewards of other values are of `type: number`',
    )
  }
}

/** Names the first field that could be the unit. */
function unitHint(context: PolicySpec['context']): string {
  const [name] = Object.entries(context).find(([, { type, ...field }]) => type === 'string' && !('enum' in field)) ?? []
  return name === undefined
    ? 'declare the field that says who it is, such as `userId: { type: string }`, and name it at `spec.unit`'
    : `name the field that says who it is, for example \`unit: ${name}\``
}

/** A fallback is served to everybody, unasked: there must be nobody whom a rule keeps from it. */
function* fallbackRules(actions: readonly ActionSpec[], fallback: string | null | undefined): Generator<Fault> {
  const path = ['spec', 'guardrails', 'fallback']
  const free = forEverybody(actions, 'fallback: ')
  const hint = free ?? '`fallback: null` says that nothing is served then'
  if (fallback === undefined && actions[0].eligible !== undefined) {
    const message =
      free === undefined
        ? 'every action has a rule, so that none can be the fallback'
        : `the fallback would be the first action, \`${actions[0].id}\`, which has a rule: name another`
    yield forAll(path, message, hint)
  } else if (typeof fallback === 'string' && hasRule(actions, fallback)) {
    yield forAll(path, `the fallback \`${fallback}\` has a rule, and is served whatever the context`, hint)
  }
}

const forAll = (path: Path, message: string, hint: string): Fault => ({ code: 'eligibility', message, hint, path })

/** Is there anything that may exclude the action: a rule, or dates? */
function hasRule(actions: PolicySpec['actions'], id: string): boolean {
  if (isListed(actions)) return actions.find(action => action.id === id)?.eligible !== undefined
  if (isOffered(actions)) return false
  const row = actions.pool?.list.find(action => action.id === id)
  return row !== undefined && (actions.eligible !== undefined || row.from !== undefined || row.until !== undefined)
}

/** Names the actions that have no rule, in a hint; undefined where every action has one. */
function forEverybody(actions: PolicySpec['actions'], key = ''): string | undefined {
  const ids = listed(actions)
    .filter(({ id }) => !hasRule(actions, id))
    .map(({ id }) => `\`${key}${id}\``)
  if (ids.length === 0) return undefined
  return `${ids.slice(0, 5).join(' or ')} can be served to everybody`
}

/** A number in quotes where other actions have a number: whoever reads the log would have to tell them apart. */
function* actionFeatureRules(spec: PolicySpec): Generator<Fault> {
  const actions = isListed(spec.actions) ? spec.actions : []
  const numeric = new Map<string, string>()
  for (const { id, features = {} } of actions) {
    for (const [name, value] of Object.entries(features)) if (typeof value === 'number') numeric.set(name, id)
  }
  for (const [i, { features = {} }] of actions.entries()) {
    for (const [name, value] of Object.entries(features)) {
      const other = numeric.get(name)
      if (other === undefined || typeof value !== 'string' || value.trim() === '' || Number.isNaN(Number(value)))
        continue
      const message = `\`${name}\` is text here, and a number of \`${other}\``
      yield {
        ...semantic(['spec', 'actions', i, 'features', name], message, `write \`${value.trim()}\` without quotes`),
        severity: 'warning',
      }
    }
  }
}
