import type { ContextField, FeatureSpec, ModelInput, PolicySpec } from '../../kinds.ts'
import { checkWidths } from '../../models/check-signature.ts'
import { createInputs, fieldOf, isSingle, OF_ACTION } from '../../policy/features.ts'
import { modelsOf } from '../../policy/model-outputs.ts'
import { fieldsOfActions, ownPool } from '../../policy/pool.ts'
import type { Fault } from '../fault.ts'
import type { KnownModel, Models } from './take-models.ts'

/**
 * What a Model asks of the policy that uses it, and does not get: its features are made of the policy's fields, so how wide they are, and whether they are whole,
 * is known there alone. The policy is one without other faults.
 */
export function* usedModelFaults(policy: PolicySpec, models: Models): Generator<Fault> {
  for (const { name, path } of modelsOf(policy)) {
    const known = models.get(name)
    if (known === undefined || 'files' in known) continue
    for (const { message, hint } of faultsOf(policy, known)) {
      yield { code: 'semantic', message: `the Model \`${name}\`: ${message}`, hint, path: ['spec', ...path] }
    }
  }
}

interface Words {
  readonly message: string
  readonly hint: string
}

function faultsOf(policy: PolicySpec, { model: { spec }, signature }: KnownModel): readonly Words[] {
  let widths: readonly number[]
  try {
    widths = createInputs(policy, spec).map(({ dimension }) => dimension)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return [{ message: error.message, hint: 'what a Model is fed with are fields of the policy, and of its actions' }]
  }
  return [
    ...spec.inputs.flatMap(input => fractions(policy, input)),
    ...(signature === undefined ? [] : checkWidths(spec, widths, signature)),
  ]
}

/** Numbers that need not be whole, where an input takes whole ones. */
function fractions({ context, actions }: PolicySpec, { name, dtype, features }: ModelInput): readonly Words[] {
  if (dtype === 'float32' || dtype === 'float64') return []
  const ofActions = fieldsOfActions(actions)
  const listed = ownPool(actions)?.values ?? []

  /** Of actions that are listed it is seen that their numbers are whole: nothing declares it. */
  function fields(of: string): ContextField | undefined {
    if (!of.startsWith(OF_ACTION)) return context[of]
    const key = of.slice(OF_ACTION.length)
    const field = Object.hasOwn(ofActions, key) ? ofActions[key] : undefined
    const isWhole = listed.length > 0 && listed.every(values => Number.isInteger(values[key]))
    return field?.type === 'number' && isWhole ? { ...field, type: 'integer' } : field
  }

  return features.filter(isSingle).flatMap(feature => {
    const of = fieldOf(feature)
    const wrong = whyNotWhole(feature, fields(of), dtype)
    return wrong === undefined
      ? []
      : [{ message: `\`${of}\` ${wrong}, and \`${name}\` takes ${dtype}`, hint: WHOLE[dtype] }]
  })
}

const WHOLE = {
  int32: 'declare it as `type: integer`, or give the model another type',
  int64: 'declare it as `type: integer`, or give the model another type',
  bool: 'take a boolean, or `transform: one-hot` or `bucketize`',
} as const

function whyNotWhole(
  { transform }: FeatureSpec & { readonly transform?: string },
  field: ContextField | undefined,
  dtype: keyof typeof WHOLE,
): string | undefined {
  if (transform === 'one-hot' || transform === 'bucketize' || field === undefined) return undefined
  if (field.type === 'string' || field.type === 'boolean') return undefined
  if (field.type === 'integer') return dtype === 'bool' ? 'is a number' : undefined
  return dtype === 'bool' ? 'is a number' : 'need not be a whole number'
}
