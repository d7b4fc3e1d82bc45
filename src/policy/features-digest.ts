import type { ModelInput } from '../kinds.ts'
import { canonicalJson, textDigest } from './digest.ts'
import type { Features } from './features.ts'

/**
 * Digest of what a model is trained on: by input its name, its type and what each column is, in order, as `dap dataset export --features` writes it and
 * a policy makes it. Another order, another value of an enum, another transform: another digest.
 */
export function featuresDigest(
  inputs: readonly Pick<ModelInput, 'name' | 'dtype'>[],
  features: readonly Pick<Features, 'names'>[],
): string {
  return textDigest(canonicalJson(inputs.map(({ name, dtype }, i) => ({ name, dtype, columns: features[i].names }))))
}
