import type { OptionSchema } from '../../policy/definition.ts'

/** A term that may depend on the context, as `schemas/scenario.schema.json` has it. */
export const TERM = { $ref: '#/$defs/TermSpec' } as const

/** The option of worlds whose means are probabilities: they are of clicks in a list then. */
export const CLICK: OptionSchema = {
  $ref: '#/$defs/ClickSpec',
  description:
    'How lists are clicked: each action is clicked with its probability where it is looked at. For policies that decide lists, which are played in no world without it; a single decision is a list of one slot.',
  examples: [{ type: 'pbm', examination: [1, 0.6, 0.4, 0.3] }],
}

/** The option that says of each action what it brings. */
export function termsOption(description: string, term: object, example: object): OptionSchema {
  return {
    type: 'object',
    description,
    propertyNames: { pattern: '^[^\\u0000-\\u001f\\u007f/]{1,128}$' },
    additionalProperties: term,
    minProperties: 1,
    maxProperties: 1000,
    examples: [example],
  }
}

/** 1 when the round's uniform is below the mean, else 0. */
export const binaryReward = (_action: number, mean: number, chance: number): number => (chance < mean ? 1 : 0)
