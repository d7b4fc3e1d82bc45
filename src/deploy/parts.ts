import type { Desired } from '../generated/types.ts'
import { digestOf } from '../policy/digest.ts'
import { digest32, digest32Of } from './names.ts'

/** What a release is made of, so that a plan can say what will be replaced: 32 hex digits each. */
export interface Parts {
  /** `Desired.model.digest` */
  readonly digest: string
  readonly bundle: string
  readonly policy: string
  readonly image: string
  /** null: nothing has been learnt yet. */
  readonly snapshot: string | null
}

/**
 * 32 hex digits of what a gate, an experiment or a person judges: what decides, whatever machines it runs on and however it is described.
 * A hold is about this.
 */
export function judgedDigest({ policy, snapshot, image }: Omit<Parts, 'digest' | 'bundle'>): string {
  return digest32Of({ policy, snapshot, image })
}

/** Of the release that Git asks for. */
export function partsOf({ model, bundle, policy }: Desired): Parts {
  return {
    digest: model.digest,
    bundle: digest32(bundle.digest),
    policy: digest32(policy.digest),
    image: digest32(imageDigest(model.image)),
    snapshot: policy.snapshot && digest32(policy.snapshot),
  }
}

const imageDigest = (image: string) => image.split('@')[1] ?? digestOf(image)
