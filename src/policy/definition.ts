/**
 * What a learner, an exploration, a world or an estimator says of itself in its one file. Schemas, rules, `dap explain`, the README's table
 * and the contract suites are made from it.
 */
export interface Definition {
  /** What files call it. */
  readonly type: string
  /** Where lists show it: the lowest first. */
  readonly order: number
}

/** One whose `type` is a branch of a union in a schema, with options of its own. */
export interface ConfiguredDefinition extends Definition {
  readonly description: string
  /** Its options, as JSON Schema (see `schemas/`). */
  readonly options: Readonly<Record<string, OptionSchema>>
  /** The options that have no default and must be there. */
  readonly required?: readonly string[]
}

export interface OptionSchema {
  readonly type: 'number' | 'integer' | 'boolean' | 'string' | 'object'
  readonly description: string
  readonly [keyword: string]: unknown
}

/** The definitions of a file whose exports they are. */
export function inOrder<T extends Definition>(definitions: Readonly<Record<string, T>>): readonly T[] {
  return Object.values(definitions).sort((a, b) => a.order - b.order || (a.type < b.type ? -1 : 1))
}

/** The definition that a file names; validation has refused other names before. */
export function named<T extends Definition>(definitions: readonly T[], type: string, what: string): T {
  const found = definitions.find(definition => definition.type === type)
  if (found === undefined) throw new RangeError(`there is no ${what} \`${type}\``)
  return found
}

/** The rewards that something can do with: any number, or those in [0, 1] alone. */
export type Rewards = 'any' | 'unit'

/** `what` needs rewards in [0, 1]. */
export function requireUnit(what: string, reward: number): void {
  if (!(reward >= 0 && reward <= 1)) throw new RangeError(`${what}: the reward ${reward} is not in [0, 1]`)
}
