import type { DecisionRecord, DecisionSlot } from './records.ts'

/** A list as the column of a log has it: its slots, and how they were drawn. */
export type ListText = NonNullable<DecisionRecord['list']> & {
  readonly slots: readonly (DecisionSlot & { readonly features?: object })[]
}

/** Reads it. */
export const parseList = (text: string): ListText => JSON.parse(text) as ListText
