import type { ContextField, FeatureSpec, LearnerSpec, PolicySpec } from '../../kinds.ts'
import { learnerOf } from '../../policy/algorithm.ts'
import { createBlock } from '../../policy/feature-block.ts'
import {
  actionFields,
  defaultFeatures,
  fieldOf,
  isHash,
  isOfAction,
  isOfModel,
  isSingle,
  OF_ACTION,
  OF_SLOT,
  type SingleFeature,
  slotFields,
} from '../../policy/features.ts'
import { forgetsBy, forgettingOf } from '../../policy/forgetting.ts'
import type { FeatureNeeds } from '../../policy/learner.ts'
import { widthOf as outputWidth, seesActions } from '../../policy/model-outputs.ts'
import { isOffered, listed } from '../../policy/pool.ts'
import { MAX_NUMBERS } from '../../policy/snapshot-format.ts'
import type { Fault, Path } from '../fault.ts'
import { list } from '../schema.ts'
import { known, semantic } from './common.ts'
import { hashRules, onlyHashed } from './hash.ts'
import { otherLearner } from './other-learner.ts'

const LEARNER = ['spec', 'algorithm', 'learner']

/** What a learner sees: of the context, and of the actions where they share it. */
export function* featureRules(spec: PolicySpec): Generator<Fault> {
  const { learner } = spec.algorithm
  const definition = learnerOf(learner)
  const needs = definition.features?.(learner)
  const fields = { ...spec.context, ...actionFields(spec.actions), ...slotFields(spec.decision) }
  for (const [i, feature] of (spec.features ?? []).entries()) {
    const path = ['spec', 'features', i]
    if (isHash(feature)) {
      if (needs?.hashed !== true) yield onlyHashed(learner.type, path)
      continue
    }
    if (isOfModel(feature)) continue
    yield* isSingle(feature) ? singleRules(feature, fields, spec, path) : crossRules(feature.cross, fields, spec, path)
    if (needs?.shared === false && !isOffered(spec.actions) && isOfAction(feature)) {
      const message = `\`${learner.type}\` has a model an action, to which what is said of the action is always the same`
      const key = isSingle(feature) ? 'action' : 'cross'
      yield { ...semantic([...path, key], message, 'set `shared: true` on the learner'), on: 'key' }
    }
  }
  if (needs === undefined) {
    if (spec.features === undefined) return
    const other = otherLearner(spec, each => each.learns && each.features !== undefined)
    const instead = other === undefined ? '' : `, or use ${other}`
    const message = `the learner \`${learner.type}\` does not look at the context: \`features\` are not used`
    yield { ...semantic(['spec', 'features'], message, `take them out${instead}`), severity: 'warning', on: 'key' }
    return
  }
  if (needs.hashed === true) {
    yield* hashRules(spec)
    return
  }
  if (needs.own === true) yield* partsRules(spec, needs)
  else if (needs.shared) yield* sharedRules(spec)
  else if (spec.features === undefined && defaultFeatures(spec.context).length === 0) {
    const other = otherLearner(spec, each => each.learns && each.features === undefined)
    const instead = other === undefined ? '' : `, or use ${other}`
    yield semantic(
      [...LEARNER, 'type'],
      `the learner \`${learner.type}\` needs a context to learn from, and this one has nothing usable`,
      `declare a number, a boolean, an enum or a vector${instead}`,
    )
  }
  yield* sizeRules(spec, fields, needs)
}

/** What a Model wants in one of its inputs: can this policy make it of its own fields? */
export function* inputRules(spec: PolicySpec, features: readonly FeatureSpec[]): Generator<Fault> {
  const fields = { ...spec.context, ...actionFields(spec.actions) }
  const own = { ...spec, features: [...features] }
  for (const feature of features) {
    if (isHash(feature) || isOfModel(feature)) continue
    yield* isSingle(feature) ? singleRules(feature, fields, own, []) : crossRules(feature.cross, fields, own, [])
  }
}

type Fields = Readonly<Record<string, ContextField>>

function* singleRules(feature: SingleFeature, fields: Fields, spec: PolicySpec, path: Path): Generator<Fault> {
  const name = fieldOf(feature)
  const key = 'field' in feature ? 'field' : 'slot' in feature ? 'slot' : 'action'
  yield* nameRules(name, fields, spec, [...path, key])
  if (!Object.hasOwn(fields, name)) return
  const field = fields[name]
  const hashed = learnerOf(spec.algorithm.learner).features?.(spec.algorithm.learner).hashed === true
  const fault = hashed && feature.transform === undefined ? undefined : unfit(name, feature.transform, field)
  if (fault !== undefined) {
    yield semantic([...path, fault.what === 'field' ? key : 'transform'], fault.message, fault.hint)
    return
  }
  if (feature.transform === 'bucketize') {
    const at = feature.edges.findIndex((edge, i) => i > 0 && edge <= feature.edges[i - 1])
    if (at !== -1) {
      const hint = `\`${feature.edges[at - 1]}\` is before it: write them from the least to the greatest`
      yield semantic([...path, 'edges', at], 'edges must be ascending', hint)
    }
  }
  if (feature.transform === 'log1p') yield* logarithmRules(feature, field, spec, [...path, 'transform'])
}

function* crossRules(names: readonly string[], fields: Fields, spec: PolicySpec, path: Path): Generator<Fault> {
  for (const [i, name] of names.entries()) {
    const at = [...path, 'cross', i]
    yield* nameRules(name, fields, spec, at)
    if (!Object.hasOwn(fields, name)) continue
    const same = (spec.features ?? []).filter(isSingle).filter(each => fieldOf(each) === name)
    const fault = unfit(name, same[0]?.transform, fields[name])
    if (same.length > 1) {
      const message = `\`${name}\` is a feature ${same.length} times, and a product does not know which is meant`
      yield semantic(at, message, 'leave one of them')
    } else if (same.length === 0 && fault !== undefined) yield semantic(at, fault.message, fault.hint)
    if (names.indexOf(name) < i) {
      const hint = 'take one of them out'
      yield { code: 'duplicate', message: `\`${name}\` is in the product twice`, hint, path: at }
    }
  }
}

function* nameRules(name: string, fields: Fields, spec: PolicySpec, path: Path): Generator<Fault> {
  const { context, actions } = spec
  if (name.startsWith(OF_SLOT)) {
    yield* slotNameRules(name, fields, spec, path)
    return
  }
  if (!name.startsWith(OF_ACTION)) {
    yield* known(name, Object.keys(context), 'context field', path)
    return
  }
  const short = name.slice(OF_ACTION.length)
  if (
    short === 'id' &&
    listed(actions).some(({ features }) => features !== undefined && Object.hasOwn(features, 'id'))
  ) {
    yield semantic(path, '`id` is the id of the action, and a feature of its own has the same name', 'rename that one')
  }
  if (Object.hasOwn(fields, name)) return
  const ofList = listed(actions)
  const without = ofList.filter(({ features = {} }) => !Object.hasOwn(features, short)).map(({ id }) => id)
  if (without.length === ofList.length) {
    const names = Object.keys(fields).filter(each => each.startsWith(OF_ACTION))
    yield* known(
      path.at(-1) === 'action' ? short : name,
      path.at(-1) === 'action' ? names.map(each => each.slice(OF_ACTION.length)) : names,
      'feature of all actions',
      path,
    )
  } else if (without.length > 0) {
    const message = `not every action has a \`${short}\`: ${list(without.slice(0, 5))} ${without.length === 1 ? 'has' : 'have'} none`
    yield semantic(path, message, 'give every action one')
  } else {
    yield semantic(path, `\`${short}\` is not of one type in all actions`, 'write numbers without quotes')
  }
}

function* slotNameRules(name: string, fields: Fields, { decision }: PolicySpec, path: Path): Generator<Fault> {
  if (decision.type !== 'slots') {
    const message = 'features of slots are of declared ones, and a decision of this policy has none'
    yield semantic(path, message, 'take it out, or `decision: { type: slots, slots: [{ id: …, features: … }] }`')
    return
  }
  const short = path.at(-1) === 'slot'
  const called = (each: string) => (short ? each.slice(OF_SLOT.length) : each)
  const names = Object.keys(fields).filter(each => each.startsWith(OF_SLOT))
  yield* known(called(name), names.map(called), 'feature of all slots', path)
}

/** What a feature cannot be made of, or not so. */
function unfit(
  name: string,
  transform: SingleFeature['transform'],
  field: ContextField,
): { readonly what: 'field' | 'transform'; readonly message: string; readonly hint: string } | undefined {
  if (field.type === 'string' && field.enum === undefined && name === `${OF_ACTION}id`) {
    const message =
      'actions of a set and of requests come and go, and their ids can be any text: no model can have a number for each'
    return { what: 'field', message, hint: 'tell them apart by their features' }
  }
  if (field.type === 'string' && field.enum === undefined) {
    const hint = `list the values of \`${name}\` as its \`enum\`, or take the feature out`
    return { what: 'field', message: `\`${name}\` is free text; only a string with \`enum\` can be a feature`, hint }
  }
  if (transform === undefined) return undefined
  const numeric = field.type === 'number' || field.type === 'integer'
  const fits =
    field.type === 'string' ? transform === 'one-hot' : numeric ? transform !== 'one-hot' : transform === 'identity'
  if (fits) return undefined
  const needs = transform === 'one-hot' ? 'a string with `enum`' : 'a number'
  const is = field.type === 'string' ? 'an enum' : `of type ${field.type}`
  const others = field.type === 'string' ? '`one-hot`' : numeric ? '`identity`, `log1p` or `bucketize`' : '`identity`'
  return {
    what: 'transform',
    message: `\`${transform}\` needs ${needs}, but \`${name}\` is ${is}`,
    hint: `use ${others}`,
  }
}

function* logarithmRules(
  feature: SingleFeature,
  field: ContextField,
  { actions }: PolicySpec,
  path: Path,
): Generator<Fault> {
  if ('action' in feature && !isOffered(actions)) {
    const low = listed(actions).find(({ features = {} }) => !(Number(features[feature.action]) > -1))
    if (low !== undefined) {
      const value = low.features?.[feature.action]
      yield semantic(
        path,
        `\`log1p\` has no value at −1 and below, and \`${feature.action}\` of \`${low.id}\` is ${value}`,
        'take the feature as it is, or mend that value',
      )
    }
    return
  }
  if ((field.type === 'number' || field.type === 'integer') && !(field.minimum! > -1)) {
    const name = 'field' in feature ? feature.field : 'slot' in feature ? feature.slot : feature.action
    const message = `\`log1p\` has no value at −1 and below, and \`${name}\` has no minimum above that`
    yield { ...semantic(path, message, `set \`minimum: 0\` on \`${name}\``), severity: 'warning' }
  }
}

/** Does a feature differ from action to action? What a Model gives does, if the Model sees the actions; if nobody knows, it may. */
const differsIn =
  ({ scorer }: Pick<PolicySpec, 'scorer'>) =>
  (feature: FeatureSpec): boolean =>
    isOfModel(feature) ? scorer === undefined || seesActions(scorer) : isOfAction(feature)

/** Actions that share a model are told apart by their features alone. */
function* sharedRules(spec: PolicySpec): Generator<Fault> {
  const { actions, features } = spec
  const path = [...LEARNER, 'shared']
  if (features === undefined) {
    yield semantic(
      path,
      'a model that actions share needs `features`',
      Array.isArray(actions)
        ? 'for example `features: [{ action: id }, { field: level }, { cross: [level, action.id] }]`'
        : 'for example `features: [{ action: genre }, { field: level }, { cross: [level, action.genre] }]`',
    )
  } else if (!features.some(differsIn(spec))) {
    // Ids of a set and of requests are no features: they come and go.
    const or = Array.isArray(actions) ? '`{ action: id }`, or ' : ''
    const hint = `add ${or}a feature of the actions, and products with what should matter to each differently`
    yield semantic(['spec', 'features'], 'no feature differs between actions: all would be worth the same', hint)
  }
}

/** Where each action has a model of its own beside the one that they share, there must be something for each. */
function* partsRules(spec: PolicySpec, { intercept }: FeatureNeeds): Generator<Fault> {
  const { algorithm, features, actions } = spec
  const differs = differsIn(spec)
  const { type } = algorithm.learner
  if (features === undefined || !features.some(differs)) {
    const path = features === undefined ? [...LEARNER, 'type'] : ['spec', 'features']
    const message = `no feature is of the actions, so that \`${type}\` has nothing that they share`
    const instead = isOffered(actions) ? '' : ', or use the learner `linear`, which has a model an action'
    const hint = `add a feature of the actions, such as \`{ action: id }\`${instead}`
    yield { ...semantic(path, message, hint), ...(features === undefined ? {} : { on: 'key' as const }) }
  } else if (!intercept && features.every(differs)) {
    const message = `every feature is of the actions, so that \`${type}\` has nothing for a model of each`
    const hint = 'set `intercept: true`, add a feature of the context, or use `linear` with `shared: true`'
    yield { ...semantic(['spec', 'features'], message, hint), on: 'key' }
  }
}

/** A dense model of more would not be decided with in time, nor fit into a snapshot. */
const MOST_COMPONENTS = 1000

function* sizeRules(spec: PolicySpec, fields: Fields, { intercept }: FeatureNeeds): Generator<Fault> {
  const { context, actions, algorithm, features = defaultFeatures(context) } = spec
  const widths = new Map<string, number>()
  const widthOf = (name: string, feature: SingleFeature | undefined): number => {
    if (!Object.hasOwn(fields, name)) return 0
    try {
      const width = createBlock(feature ?? {}, name, fields[name]).names.length
      widths.set(name, width)
      return width
    } catch (error) {
      if (error instanceof RangeError) return 0
      throw error
    }
  }
  const singles = features.filter(isSingle).map(feature => [feature, widthOf(fieldOf(feature), feature)] as const)
  const crosses = features.flatMap(feature =>
    isSingle(feature) || isHash(feature) || isOfModel(feature)
      ? []
      : [
          [
            feature,
            feature.cross.reduce((all, name) => all * (widths.get(name) ?? widthOf(name, undefined)), 1),
          ] as const,
        ],
  )
  const sum = (list: readonly (readonly [FeatureSpec, number])[]) => list.reduce((all, [, width]) => all + width, 0)
  const { scorer } = spec
  const given = features.flatMap(feature =>
    isOfModel(feature) && scorer !== undefined ? [[feature, outputWidth(scorer.output)] as const] : [],
  )
  const wide = [...singles, ...crosses, ...given]
  const components = sum(wide)
  const path = ['spec', 'features']
  const hint = 'cross fields of fewer values, or `bucketize` them'
  if (components > MOST_COMPONENTS) {
    yield semantic(path, `these features have ${components} components, more than ${MOST_COMPONENTS}`, hint)
    return
  }
  const { learner } = algorithm
  const one = intercept ? 1 : 0
  const models = Math.max(1, listed(actions).length)
  const own = one + sum(wide.filter(([feature]) => !differsIn(spec)(feature)))
  const size = [learner, models, one + components, own] as const
  const numbers = learnerOf(learner).numbers?.(...size) ?? 0
  if (numbers <= MAX_NUMBERS) {
    yield* bucketRules(...size)
    return
  }
  const message = `with these features and ${models} actions \`${learner.type}\` has ${numbers} numbers, more than ${MAX_NUMBERS}`
  yield semantic(path, message, hint)
}

/** Sums of all buckets are held while a learner that forgets learns: 256 MiB of them, as two numbers a sum. */
const MOST_SUMS = 2 * MAX_NUMBERS

function* bucketRules(learner: LearnerSpec, actions: number, dimension: number, own: number): Generator<Fault> {
  const [option, buckets] = [forgetsBy(learner), bucketsOf(learner)]
  if (option === undefined) return
  const { width, shared = 0 } = learnerOf(learner).sums(learner, actions, dimension, own)
  const sums = buckets * (actions * width + shared)
  if (sums <= MOST_SUMS) return
  const message = `with these features and ${actions} actions \`${learner.type}\` has ${sums} sums in ${buckets} buckets of time, more than ${MOST_SUMS}`
  const hint = `cross fields of fewer values, or take \`${option}\` out`
  yield { ...semantic([...LEARNER, option], message, hint), on: 'key' }
}

/** None where another rule has something to say of how it forgets. */
function bucketsOf(learner: LearnerSpec): number {
  try {
    return forgettingOf(learner)?.keep ?? 0
  } catch (error) {
    if (error instanceof RangeError) return 0
    throw error
  }
}
