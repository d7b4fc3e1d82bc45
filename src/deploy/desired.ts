import type { NewDeployedModel, NewEndpoint, NewModelVersion, Place, Scale } from './cloud.ts'

/** What Git says of one deployment, down to the last field that will be written. */
export interface Desired {
  /** The Deployment's name. */
  readonly deployment: string
  readonly policy: { readonly name: string; readonly digest: string; readonly snapshot: string | null }
  readonly bundle: {
    readonly digest: string
    /** Name of the object in the bucket, by content: `dap/bundles/shop-offer-0123456789ab/bundle.json`. */
    readonly object: string
  }
  readonly endpoint: Omit<NewEndpoint, 'labels'> & { readonly id: string }
  readonly model: Omit<NewModelVersion, 'labels'> & {
    readonly id: string
    /** 32 hex digits over all that a version cannot change: equal digests are the same version. */
    readonly digest: string
  }
  /** Its id is made from the model's digest and all that a deployed model cannot change. */
  readonly deployed: Omit<NewDeployedModel, 'model' | 'version' | 'scale'>
  readonly scale: Scale
  readonly rollout: Rollout
  /** 32 hex digits over bundle, endpoint, model, deployed and scale: what `dap-digest` says once all of it is applied. */
  readonly digest: string
}

export interface Rollout {
  /** Ascending; the last is 100. */
  readonly steps: readonly { readonly percent: number; readonly holdMs: number }[]
  readonly gates: readonly Gate[]
  readonly onFailure: 'rollback' | 'pause'
  readonly rollbackWindowMs: number
}

export type Gate =
  | { readonly metric: 'errorRate'; readonly max: number }
  | { readonly metric: 'latencyP99'; readonly maxMs: number }

/** An environment, resolved: where, with what, and what is not to happen there. */
export interface Target {
  readonly environment: string
  /** The Project's name. */
  readonly project: string
  readonly place: Place
  readonly image: string
  readonly serviceAccount: string | null
  readonly protect: readonly ('delete' | 'undeploy')[]
  /** Machine type → price of one replica's hour, as the Environment declares it. */
  readonly prices: Readonly<Record<string, number>>
}
