import type { PolicySpec } from '../../kinds.ts'
import { LEARNERS, learnerOf } from '../../policy/algorithm.ts'
import { compileContextRule } from '../../policy/cel.ts'
import type { LearnerDefinition } from '../../policy/learner.ts'
import { capacityOf, fieldsOfActions, isOffered, listed } from '../../policy/pool.ts'
import type { Fault, Path } from '../fault.ts'
import { celFault, duplicates, known, semantic } from './common.ts'

const PATH = ['spec', 'decision']

type Decision<T extends PolicySpec['decision']['type']> = Extract<PolicySpec['decision'], { readonly type: T }>

/** What a decision chooses: does it go with the actions, and with the guardrails? */
export function* decisionRules(spec: PolicySpec): Generator<Fault> {
  const { decision, reward, actions } = spec
  if (decision.type === 'ranking') yield* rankingRules(spec, decision)
  else if (decision.type === 'slots') yield* slotsRules(spec, decision)
  else if (reward.credit !== undefined) {
    const message = '`credit` is of lists, and a decision of this policy is one action'
    yield {
      ...semantic(['spec', 'reward', 'credit'], message, 'take it out, or `decision: { type: ranking, … }`'),
      on: 'key',
    }
  }
  const slots = decision.type === 'single' ? 1 : decision.type === 'ranking' ? decision.slots : decision.slots.length
  const most = capacityOf(actions)
  if (slots > 1 && most < slots) {
    const message = `there are ${slots} slots, and never more than ${most} ${most === 1 ? 'action' : 'actions'} to fill them`
    yield { ...semantic([...PATH, 'slots'], message, `at most ${most}, or more actions`), severity: 'warning' }
  }
  if (typeof reward.credit === 'object' && reward.credit.position.length > slots) {
    const message = `${reward.credit.position.length} places, and a decision has ${slots}`
    yield semantic(['spec', 'reward', 'credit', 'position'], message, 'a number a place, or fewer')
  }
  yield* positionRules(spec)
}

/** γ · x·θ is the value of γ · x for what is linear in x, and for nothing else. */
function* positionRules({ reward: { credit }, algorithm: { learner } }: PolicySpec): Generator<Fault> {
  const isLinear = ({ coefficients, link }: LearnerDefinition) => coefficients === true && link === undefined
  if (typeof credit !== 'object' || isLinear(learnerOf(learner))) return
  const able = LEARNERS.filter(isLinear).map(({ type }) => `\`${type}\``)
  const message = `\`credit.position\` multiplies features, and \`${learner.type}\` is not linear in them`
  const hint = `\`credit: examined\`, or a learner that is: ${able.join(' or ')}`
  yield semantic(['spec', 'reward', 'credit', 'position'], message, hint)
}

function* rankingRules(
  spec: PolicySpec,
  { slots, pins = [], quotas = [], uniform }: Decision<'ranking'>,
): Generator<Fault> {
  const { minProbability } = spec.guardrails
  if (minProbability > 0) {
    const message = 'a ranking explores by whole lists, and a floor of single actions is not kept'
    const hint = `take it out: \`decision.uniform\`, ${uniform} here, is the probability of a list by chance`
    yield semantic(['spec', 'guardrails', 'minProbability'], message, hint)
  }
  for (const [i, { slot, eligible }] of pins.entries()) {
    if (slot >= slots) {
      const message = `there is no slot ${slot}: the ${slots} slots are numbered from 0`
      yield semantic([...PATH, 'pins', i, 'slot'], message, `at most ${slots - 1}`)
    }
    yield* ruleRules(spec, eligible, [...PATH, 'pins', i, 'eligible'])
  }
  for (const [i, { eligible }] of quotas.entries()) yield* ruleRules(spec, eligible, [...PATH, 'quotas', i, 'eligible'])
}

function* ruleRules({ context, actions }: PolicySpec, expr: string, path: Path): Generator<Fault> {
  const rule = compileContextRule(expr, context, 'bool', fieldsOfActions(actions))
  if ('fault' in rule) yield celFault(rule.fault, path)
}

function* slotsRules({ actions }: PolicySpec, { slots }: Decision<'slots'>): Generator<Fault> {
  yield* duplicates(
    slots.map(({ id }) => id),
    'slot',
    i => [...PATH, 'slots', i, 'id'],
  )
  const ids = listed(actions).map(({ id }) => id)
  const most = capacityOf(actions)
  for (const [i, { actions: only, exclude, floor }] of slots.entries()) {
    const path = [...PATH, 'slots', i]
    if (!isOffered(actions)) {
      for (const [at, id] of (only ?? []).entries()) yield* known(id, ids, 'action', [...path, 'actions', at])
      for (const [at, id] of (exclude ?? []).entries()) yield* known(id, ids, 'action', [...path, 'exclude', at])
    }
    const both = (only ?? []).findIndex(id => exclude?.includes(id))
    if (both >= 0) {
      const message = `\`${only?.[both]}\` may stand in the slot, and is excluded from it`
      yield semantic([...path, 'actions', both], message, 'take it out of one of the two lists')
    }
    const count = only?.length ?? most
    if (floor !== undefined && floor * count > 1 + 1e-12) {
      const message = `a floor of ${floor} for each of ${count} actions does not fit: they sum to ${Number((floor * count).toPrecision(6))}`
      yield semantic([...path, 'floor'], message, `at most ${Math.floor(1e6 / count) / 1e6}`)
    }
  }
}
