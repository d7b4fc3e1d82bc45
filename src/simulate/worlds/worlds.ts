import type { TermSpec, WorldSpec } from '../../kinds.ts'
import { inOrder, named } from '../../policy/definition.ts'
import type { Fields } from '../../policy/world-fields.ts'
import type { World, WorldDefinition } from '../world.ts'
import * as worlds from './all.ts'

export const WORLDS: readonly WorldDefinition[] = inOrder<WorldDefinition>(worlds)

export const worldOf = ({ type }: Pick<WorldSpec, 'type'>): WorldDefinition => named(WORLDS, type, 'world')

/** What the world says that each action brings, and where. */
export function termsOf(spec: WorldSpec): { readonly key: string; readonly terms: Readonly<Record<string, TermSpec>> } {
  const { terms: key } = worldOf(spec)
  return { key, terms: (spec as Readonly<Record<string, unknown>>)[key] as Readonly<Record<string, TermSpec>> }
}

/** @throws DapError where a term does not compile or names what the context has not. */
export function createWorld(spec: WorldSpec, fields: Fields): World {
  return worldOf(spec).create(spec, fields)
}
