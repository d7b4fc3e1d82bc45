import type { ModelCurve, ModelSpec, PolicySpec, Scorer } from '../../kinds.ts'
import { canonicalJson, textDigest } from '../../policy/digest.ts'
import { modelsOf } from '../../policy/model-outputs.ts'
import type { Fault } from '../fault.ts'
import type { Models } from './take-models.ts'

/**
 * The policy with the Model that it names, unless it has taken it in, as that of a bundle has, so that its digest is that of all that it says; undefined
 * where that is not known.
 */
export function withModel(spec: PolicySpec, models: Models): PolicySpec | undefined {
  const [named] = modelsOf(spec)
  if (named === undefined) return spec
  if (!models.has(named.name)) return spec.scorer === undefined ? undefined : spec
  const scorer = scorerNamed(named.name, models)
  return scorer && { ...spec, scorer }
}

/** What the Model of this name says, with its files; undefined where that is not known. */
export function scorerNamed(name: string, models: Models): Scorer | undefined {
  const known = models.get(name)
  return known === undefined || 'files' in known ? undefined : scorerOf(name, known.model.spec, known.curve)
}

/** What a policy takes in of a Model: all that its decisions depend on. */
function scorerOf(name: string, spec: ModelSpec, curve?: ModelCurve): Scorer {
  const { parity: _, provenance: __, ...used } = spec
  return { name, digest: scoresDigest(spec, curve), ...used, ...(curve === undefined ? {} : { curve }) }
}

/** Of all that scores depend on: the model, what goes in, what is made of what comes out. Where the model is to be found is no part of it where its digest is known. */
function scoresDigest({ runtime, inputs, output, listwise, calibration }: ModelSpec, curve?: ModelCurve): string {
  const { type, digest, ...where } = runtime
  const which = digest === undefined ? { type, ...where } : { digest }
  return textDigest(
    canonicalJson({
      which,
      inputs,
      output,
      listwise,
      ...(calibration === undefined ? {} : { calibration: calibration.type, curve: { ...curve } }),
    }),
  )
}

/** In a repository the Model's own file says it, and nothing else. */
export function scorerFault({ scorer }: PolicySpec): Fault | undefined {
  if (scorer === undefined) return undefined
  const message = '`scorer` is what dap writes into bundles: in a repository the file of the Model says it'
  return { code: 'unknown-key', message, hint: 'take it out', path: ['spec', 'scorer'], on: 'key' }
}
