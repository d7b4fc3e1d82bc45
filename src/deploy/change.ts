import type { Change } from '../generated/types.ts'

/**
 * `Change`: one step from actual to desired. Changes of a deployment are in the order in which they are applied; each is one write, or one
 * thing that takes its time, and doing it twice does no harm. The kinds have the words of Vertex AI, which plans were written in first.
 */
export type { Change, FieldChange } from '../generated/types.ts'

export type ChangeKind = Change['kind']

/** Only what dap remembers for itself: nobody has to approve of it, and it may become necessary at any time. */
export const isMemory = ({ kind }: Change): boolean => kind === 'label-endpoint' || kind === 'label-model'
