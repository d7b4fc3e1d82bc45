import type { ModelOutput } from '../kinds.ts'
import type { Hashing } from './hashing.ts'

/** How the numbers of a row are laid out, where a learner must know. */
export interface Layout {
  /** So many components, the first ones, do not differ between actions, and each has a model of its own for them; absent without a shared one beside. */
  readonly own?: number
  /** Rows are hashes. */
  readonly hashing?: Hashing
  /** Rows are what a Model gives, which this is, and nothing else. */
  readonly output?: ModelOutput
}
