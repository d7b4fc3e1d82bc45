import type { FeatureSpec, ModelInput } from '../../kinds.ts'
import { fieldsOf, isHash, isOfModel, isSingle, OF_SLOT } from '../../policy/features.ts'
import type { Fault, Path } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { duplicates, filePath, milliseconds, semantic } from './common.ts'

/** What a Model says beside its files, of which `src/repo/models/` sees what is in them. */
export function* modelRules({ spec }: Resource<'Model'>, repository: Lookup): Generator<Fault> {
  const { runtime, inputs, calibration, parity, timeout, cache, listwise } = spec
  if (runtime.type === 'onnx') yield* filePath(runtime.file, ['spec', 'runtime', 'file'], repository)
  if (calibration !== undefined) yield* filePath(calibration.file, ['spec', 'calibration', 'file'], repository)
  if (parity !== undefined) yield* filePath(parity.file, ['spec', 'parity', 'file'], repository)
  const names = inputs.map(({ name }) => name)
  yield* duplicates(names, 'input', i => ['spec', 'inputs', i, 'name'])
  for (const [i, input] of inputs.entries()) yield* inputRules(input, ['spec', 'inputs', i])
  yield* calibrationRules(spec)
  const wait = milliseconds(timeout)
  if (wait < 1 || wait > LONGEST_MS) {
    yield semantic(['spec', 'timeout'], `\`timeout\` must be from 1ms to 10s, got \`${timeout}\``, TIMEOUT_HINT)
  }
  if (cache === undefined) return
  const kept = milliseconds(cache.ttl)
  if (kept < 1 || kept > LONGEST_KEPT_MS) {
    const message = `\`ttl\` must be from 1ms to 24h, got \`${cache.ttl}\``
    yield semantic(['spec', 'cache', 'ttl'], message, 'what a row says is asked for anew after that')
  }
  if (runtime.type === 'onnx') {
    const message = 'scores of a model in this process are made sooner than they are looked up'
    yield { ...semantic(['spec', 'cache'], message, 'take `cache` out'), severity: 'warning', on: 'key' }
  } else if (listwise) {
    const message = 'a score of a listwise model is of the whole list: rows cannot be kept one by one'
    yield { ...semantic(['spec', 'cache'], message, 'take `cache` out'), on: 'key' }
  }
}

const LONGEST_KEPT_MS = 24 * 3_600_000

const LONGEST_MS = 10_000

const TIMEOUT_HINT = 'whoever asks for a decision waits as long'

function* inputRules({ dtype, features }: ModelInput, path: Path): Generator<Fault> {
  for (const [j, feature] of features.entries()) {
    const at = [...path, 'features', j]
    const why = whyNone(feature)
    if (why !== undefined) yield semantic(at, ...why)
    if (dtype === 'float32' || dtype === 'float64' || !isSingle(feature)) continue
    if (feature.transform !== 'log1p' && feature.transform !== 'standardize') continue
    const message = `\`${feature.transform}\` makes fractions, and the input takes ${dtype}`
    yield semantic([...at, 'transform'], message, 'give the input `dtype: float32`, or take the number as it is')
  }
}

/** Why a feature cannot fill an input; undefined where it can. */
function whyNone(feature: FeatureSpec): readonly [string, string] | undefined {
  if (isHash(feature)) return ['`hash` is for the learner `hashed`', 'list the features that the model was trained on']
  if (isOfModel(feature)) return ['a Model is not fed with another', 'make one model of the two where they are trained']
  if (fieldsOf(feature).some(field => field.startsWith(OF_SLOT))) {
    return ['scores are asked for once a decision, and know no slot', 'take out what is of the slot']
  }
  return undefined
}

function* calibrationRules({ calibration, output }: Resource<'Model'>['spec']): Generator<Fault> {
  if (calibration === undefined) return
  const path = ['spec', 'calibration']
  const { type } = output
  if (type === 'gaussian' || type === 'heads' || type === 'embedding') {
    const message = `a calibration is of one score, and the output is \`${type}\``
    yield { ...semantic(path, message, 'calibrate it in the model'), on: 'key' }
  } else if (calibration.type === 'platt' && type === 'value') {
    const message = '`platt` is of probabilities, and the output is `value`'
    yield semantic([...path, 'type'], message, 'take `isotonic`, or say `output: { type: probability }`')
  }
}
