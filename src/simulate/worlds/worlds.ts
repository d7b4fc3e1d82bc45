import type { ClickSpec, PolicySpec, TermSpec, WorldSpec } from '../../kinds.ts'
import { inOrder, named } from '../../policy/definition.ts'
import { fieldsOfActions, isListed, isSet, listed, ownPool } from '../../policy/pool.ts'
import { type Fields, worldFields } from '../../policy/world-fields.ts'
import { clickModelOf } from '../clicks/clicks.ts'
import type { Clicks, World, WorldDefinition } from '../world.ts'
import * as worlds from './all.ts'

export const WORLDS: readonly WorldDefinition[] = inOrder<WorldDefinition>(worlds)

export const worldOf = ({ type }: Pick<WorldSpec, 'type'>): WorldDefinition => named(WORLDS, type, 'world')

/** What the world says that each action brings, and where; undefined of one that offers others in each round. */
export function termsOf(
  spec: WorldSpec,
): { readonly key: string; readonly terms: Readonly<Record<string, TermSpec>> } | undefined {
  const { terms: key } = worldOf(spec)
  if (key === undefined) return undefined
  return { key, terms: (spec as Readonly<Record<string, unknown>>)[key] as Readonly<Record<string, TermSpec>> }
}

/** @throws DapError where a term does not compile or names what the context has not. */
export function createWorld(spec: WorldSpec, fields: Fields, policies: readonly PolicySpec[] = []): World {
  const set = policies.find(({ actions }) => isSet(actions))
  const world = worldOf(spec).create(spec, fields, offeredFields(policies, spec), set && ownPool(set.actions))
  const click = clickOf(spec)
  return click === undefined ? world : { ...world, clicks: createClicks(click, world, policies) }
}

/** How the world says that lists are clicked; undefined of one that does not. */
export const clickOf = (spec: WorldSpec): ClickSpec | undefined => ('click' in spec ? spec.click : undefined)

function createClicks(spec: ClickSpec, { actions }: World, policies: readonly PolicySpec[]): Clicks {
  const model = clickModelOf(spec).create(spec)
  const { same } = model
  if (same === undefined) return { model, valueOf: () => undefined }
  const own = new Map(policies.flatMap(each => listed(each.actions)).map(({ id, features }) => [id, features?.[same]]))
  return {
    model,
    valueOf: (action, pool) => (pool === undefined ? own.get(actions[action]) : pool.values[action][same]),
  }
}

/** The features of what a world offers: those that the policies declare, then those that it alone draws. */
export function offeredFields(policies: readonly PolicySpec[], spec: WorldSpec): Fields {
  const declared = policies.flatMap(({ actions }) => {
    if (isListed(actions)) return []
    const { id: _, ...context } = fieldsOfActions(actions)
    return [{ context }]
  })
  return worldFields(declared, spec.type === 'catalogue' ? { context: spec.features } : undefined)
}
