import type { ActionSpec, ContextField, PolicySpec, RequestActions, SetActions, SetPool } from '../kinds.ts'
import {
  type Context,
  type ContextFault,
  type ContextResult,
  createContextCheck,
  isLonger,
  pointerTo,
} from './context.ts'
import { createDatedPool } from './dated-pool.ts'
import type { Values } from './feature-block.ts'
import type { NoOutputs, Outputs } from './model-outputs.ts'

/**
 * The actions that one decision is between, in order; elsewhere they are indices of these lists. Those of a policy are always the same, unless
 * requests bring them.
 */
export interface Pool {
  readonly ids: readonly string[]
  /** As a record of the decision has them. */
  readonly entries: readonly Entry[]
  /** What features and rules see of each: its features, and its `id`. */
  readonly values: readonly Values[]
  /** Ids that must not be taken, whatever the rules say, and what bars each: the request, or the dates of a set. */
  readonly barred?: ReadonlyMap<string, string>
  /** What the policy's Model said of them in the context of the decision; absent of a policy without one, and before it was asked. */
  readonly outputs?: Outputs | NoOutputs
  /** Is it the same object decision after decision, so that what is made of it is worth remembering? */
  readonly lasting: boolean
}

export interface Entry {
  readonly id: string
  readonly features?: Readonly<Record<string, unknown>>
}

/** What is said of an action that the request itself excludes. */
export const BY_REQUEST = 'request'

/** What stands for the first action that the rules let be taken. */
export const FIRST_ELIGIBLE = 'first-eligible'

type Actions = PolicySpec['actions']

export const isListed = (actions: Actions): actions is readonly ActionSpec[] => Array.isArray(actions)

/** Does each request bring its own? */
export const isOffered = (actions: Actions): actions is RequestActions => 'from' in actions

/** Are they those of a set in a file? */
export const isSet = (actions: Actions): actions is SetActions => !isListed(actions) && !isOffered(actions)

/** Can some of them only be taken at times? */
export const isDated = (actions: Actions): boolean =>
  isSet(actions) && setOf(actions).list.some(({ from, until }) => from !== undefined || until !== undefined)

/** What the set says. A RangeError where its file has not been read, which whoever opens a repository does. */
function setOf({ set, pool }: SetActions): SetPool {
  if (pool === undefined) throw new RangeError(`the actions of the set \`${set}\` have not been read`)
  return pool
}

/** The actions that are known before any request: those of a list or of a set; none where requests bring them. */
export function listed(actions: Actions): readonly (Entry & Pick<ActionSpec, 'eligible'>)[] {
  if (isListed(actions)) return actions
  return isOffered(actions) ? [] : setOf(actions).list
}

/** The most actions that a decision can be between. */
export const capacityOf = (actions: Actions): number => (isOffered(actions) ? actions.max : listed(actions).length)

/** The pool of a policy that has actions of its own; undefined where requests bring them. */
export function ownPool(actions: Actions): Pool | undefined {
  if (isOffered(actions)) return undefined
  const own = listed(actions)
  return {
    ids: own.map(({ id }) => id),
    entries: own.map(({ id, features }) => (features === undefined ? { id } : { id, features })),
    values: own.map(({ id, features }) => ({ ...features, id }) as Values),
    lasting: true,
  }
}

/**
 * What is known of every action, as if it were a context: `id`, and the features that each of them has, always of one type. Text of a list is one
 * of the values that it has. Sets and requests declare theirs, so that these stay when actions come and go; ids can be any text there.
 */
export function fieldsOfActions(actions: Actions): Readonly<Record<string, ContextField>> {
  if (!isListed(actions)) return { id: { type: 'string' }, ...(isOffered(actions) ? actions : setOf(actions)).features }
  return commonFields((ownPool(actions) as Pool).values)
}

/** Of things listed in a policy, the features that each of them has, always of one type: text is one of the values that it has. */
export function commonFields(values: readonly Values[]): Readonly<Record<string, ContextField>> {
  const fields: Record<string, ContextField> = {}
  for (const name of Object.keys(values[0])) {
    const all = values.map(each => (Object.hasOwn(each, name) ? each[name] : undefined))
    const [type, ...others] = all.map(value => typeof value)
    if (others.some(other => other !== type)) continue
    if (type === 'string') fields[name] = { type, enum: [...new Set(all as string[])] }
    else if (type === 'number' || type === 'boolean') fields[name] = { type }
  }
  return fields
}

/** Of what is said of an action, the features that a policy knows: whoever said it may have known more. */
export function featuresKnownTo(actions: Actions): (said: object) => Readonly<Record<string, unknown>> {
  const { id: _, ...fields } = fieldsOfActions(actions)
  return said => Object.fromEntries(Object.entries(said).filter(([name]) => Object.hasOwn(fields, name)))
}

/** What a policy makes of features that somebody said of an action: those that it knows, checked, defaults filled in. */
export function createFeatureCheck(actions: Actions): (said: object) => ContextResult {
  const { id: _, ...fields } = fieldsOfActions(actions)
  const check = createContextCheck(fields)
  const pick = featuresKnownTo(actions)
  return said => check(pick(said))
}

/** An action as it was known when it was taken, which the policy may say otherwise by now: a pool of that alone. */
export const poolOfOne = (id: string, features: Context): Pool => ({
  ids: [id],
  entries: [{ id, features }],
  values: [{ ...features, id }],
  lasting: false,
})

/** The pool that there must be: of a policy whose actions requests bring, nobody has one before they do. */
export function requirePool(pool: Pool | undefined): Pool {
  if (pool === undefined) throw new RangeError('the actions of the request are needed')
  return pool
}

export interface Offer {
  /** The request's list of ids and features, as it came in. */
  readonly actions?: unknown
  /** A list of ids that must not be taken, as it came in. */
  readonly exclude?: unknown
  /** When the decision is made, in milliseconds since 1970. Without it the dates of a set are not looked at. */
  readonly at?: number
}

/** A request's pool, or what is wrong with its actions: pointers begin with `/actions` or `/exclude`. */
export type OpenOffer = (offer: Offer) => Pool | { readonly faults: readonly ContextFault[] }

const LONGEST_ID = 256
const MOST_EXCLUDED = 1000

/** Makes the pools of requests: the policy's own, or of what they bring, checked, defaults filled in. Every fault is found at once. */
export function createOfferCheck(actions: Actions): OpenOffer {
  const own = ownPool(actions)
  if (own !== undefined) {
    const poolAt = createDatedPool(own, isSet(actions) ? setOf(actions).list : [])
    return ({ actions: given, exclude, at }) => {
      if (isMissing(given)) return without(poolAt(at), exclude)
      return { faults: [...fault('', 'are not of the request: this policy lists its own'), ...excludeFaults(exclude)] }
    }
  }
  const { max, features } = actions as RequestActions
  const check = createContextCheck(features)
  return ({ actions: given, exclude }) => {
    if (!Array.isArray(given) || given.length === 0 || given.length > max) {
      const message = isMissing(given)
        ? 'are needed: a list of ids and features, for example [{"id": "level-7"}]'
        : !Array.isArray(given)
          ? 'must be a list'
          : given.length === 0
            ? 'must have at least 1 action'
            : `must have at most ${max}, not ${given.length}`
      return { faults: [...fault('', message), ...excludeFaults(exclude)] }
    }
    const faults: ContextFault[] = []
    const at = (i: number, pointer: string, message: string) =>
      faults.push({ pointer: `/actions/${i}${pointer}`, message })
    const places = new Map<string, number>()
    const entries: Entry[] = []
    const values: Values[] = []
    for (const [i, each] of (given as readonly unknown[]).entries()) {
      if (typeof each !== 'object' || each === null || Array.isArray(each)) {
        at(i, '', 'must be an object with an `id`')
        continue
      }
      const { id, features: known = {}, ...others } = each as { id?: unknown; features?: unknown }
      for (const name of Object.keys(others)) at(i, pointerTo(name), 'is neither `id` nor `features`')
      const named = typeof id === 'string' && id !== '' && !isLonger(id, LONGEST_ID)
      if (!named) at(i, '/id', `must be a text of 1 to ${LONGEST_ID} characters`)
      const first = named ? places.get(id) : undefined
      if (first !== undefined) at(i, '/id', `is that of the action at index ${first}, too`)
      else if (named) places.set(id, i)
      const checked = check(known ?? {})
      if ('faults' in checked) {
        for (const { pointer, message } of checked.faults) {
          at(i, `/features${pointer}`, message.replace('a field of this policy', 'a feature of its actions'))
        }
        continue
      }
      if (!named) continue
      entries.push({ id, features: checked.context })
      values.push({ ...checked.context, id })
    }
    if (faults.length > 0) return { faults: [...faults, ...excludeFaults(exclude)] }
    return without({ ids: entries.map(({ id }) => id), entries, values, lasting: false }, exclude)
  }
}

const fault = (pointer: string, message: string): readonly ContextFault[] => [
  { pointer: `/actions${pointer}`, message },
]

const isMissing = (given: unknown): given is undefined | null => given === undefined || given === null

function excludeFaults(exclude: unknown): readonly ContextFault[] {
  if (isMissing(exclude)) return []
  if (!Array.isArray(exclude)) return [{ pointer: '/exclude', message: 'must be a list of ids' }]
  if (exclude.length > MOST_EXCLUDED) {
    return [{ pointer: '/exclude', message: `must have at most ${MOST_EXCLUDED} ids, not ${exclude.length}` }]
  }
  return exclude.flatMap((id: unknown, i) =>
    typeof id === 'string' ? [] : [{ pointer: `/exclude/${i}`, message: 'must be a text' }],
  )
}

/** The pool, with what the request excludes. */
function without(pool: Pool, exclude: unknown): ReturnType<OpenOffer> {
  const faults = excludeFaults(exclude)
  if (faults.length > 0) return { faults }
  const ids = (exclude ?? []) as readonly string[]
  if (ids.length === 0) return pool
  const barred = new Map([...(pool.barred ?? []), ...ids.map(id => [id, BY_REQUEST] as const)])
  return { ...pool, barred, lasting: false }
}
