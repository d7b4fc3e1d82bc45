import type { Change } from '../generated/types.ts'

/**
 * `Change`: one step from actual to desired. Changes of a deployment are in the order in which they are applied; each is one request, or one
 * long-running operation, and doing it twice does no harm.
 */
export type { Change, FieldChange } from '../generated/types.ts'

export type ChangeKind = Change['kind']

/** Only what dap remembers for itself: nobody has to approve of it, and it may become necessary at any time. */
export const isMemory = ({ kind }: Change): boolean => kind === 'label-endpoint' || kind === 'label-model'
