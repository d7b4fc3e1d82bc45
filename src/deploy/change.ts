import type { Traffic } from './cloud.ts'
import type { Within } from './contents.ts'

/**
 * One step from actual to desired. Changes of a deployment are in the order in which they are applied; each is one request, or one
 * long-running operation, and doing it twice does no harm.
 */
export type Change = { readonly reason: string; readonly fields: readonly FieldChange[] } & (
  | { readonly kind: 'create-endpoint'; readonly endpoint: string }
  /** Display name, description, request log. */
  | { readonly kind: 'update-endpoint'; readonly endpoint: string }
  /** dap's own labels of the endpoint: whose it is and what dap remembers of it. They are somebody else's to lose, and ours to write. */
  | { readonly kind: 'label-endpoint'; readonly endpoint: string }
  /** The same, as the default version of the model has it. */
  | { readonly kind: 'label-model'; readonly model: string; readonly version: string }
  /** What was rolled back may come again. */
  | { readonly kind: 'release-hold'; readonly model: string }
  | { readonly kind: 'upload-bundle'; readonly object: string }
  | { readonly kind: 'upload-model'; readonly model: string; readonly digest: string }
  | { readonly kind: 'deploy-model'; readonly deployedModel: string }
  | { readonly kind: 'mutate-model'; readonly deployedModel: string }
  /** One unary write; `step` of the rollout, from 0, or absent where traffic goes back or everything at once. */
  | { readonly kind: 'shift-traffic'; readonly from: Traffic; readonly to: Traffic; readonly step?: number }
  /** Waits at a step while its gates are watched. */
  | { readonly kind: 'hold'; readonly step: number; readonly holdMs: number }
  /** The rollout is over: the version becomes the model's default, the labels say what is applied. */
  | { readonly kind: 'promote'; readonly deployedModel: string }
  | { readonly kind: 'undeploy-model'; readonly deployedModel: string }
  | { readonly kind: 'delete-endpoint'; readonly endpoint: string }
  | { readonly kind: 'delete-version'; readonly model: string; readonly version: string }
  | { readonly kind: 'delete-model'; readonly model: string }
)

export type ChangeKind = Change['kind']

/** Only what dap remembers for itself: nobody has to approve of it, and it may become necessary at any time. */
export const isMemory = ({ kind }: Change): boolean => kind === 'label-endpoint' || kind === 'label-model'

/** Values are as they are shown: short, and never secret. null: there was, or will be, none. */
export interface FieldChange {
  /** `resources.machineType`, `policy`, `image` */
  readonly field: string
  readonly before: string | null
  readonly after: string | null
  /** It cannot change in place: the deployed model is replaced. */
  readonly replaces: boolean
  /** Of a digest, where a plan knows it: what has changed in what it is the digest of. */
  readonly within?: Within
}
