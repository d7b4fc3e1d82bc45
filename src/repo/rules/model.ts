import type { FeatureSpec, ModelSpec } from '../../kinds.ts'
import { fieldsOf, OF_SLOT } from '../../policy/features.ts'
import type { Fault, Path } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { duplicates, filePath, milliseconds, semantic } from './common.ts'

/** What a Model says beside its files, of which `src/repo/models/` sees what is in them. */
export function* modelRules({ spec }: Resource<'Model'>, repository: Lookup): Generator<Fault> {
  const { runtime, inputs, calibration, parity, timeout, cache } = spec
  if (runtime.type === 'onnx') yield* filePath(runtime.file, ['spec', 'runtime', 'file'], repository)
  if (calibration !== undefined) yield* filePath(calibration.file, ['spec', 'calibration', 'file'], repository)
  if (parity !== undefined) yield* filePath(parity.file, ['spec', 'parity', 'file'], repository)
  yield* duplicates(
    inputs.map(({ name }) => name),
    'input',
    i => ['spec', 'inputs', i, 'name'],
  )
  for (const [i, { features }] of inputs.entries()) {
    for (const [j, feature] of features.entries()) yield* featureRules(feature, ['spec', 'inputs', i, 'features', j])
  }
  yield* calibrationRules(spec)
  yield* durationRule(timeout, ['spec', 'timeout'], 1, 10_000)
  if (cache === undefined) return
  yield* durationRule(cache.ttl, ['spec', 'cache', 'ttl'], 1, 24 * 3600_000)
  if (runtime.type === 'onnx') {
    const message = 'scores of a model in this process are made sooner than they are looked up'
    yield { ...semantic(['spec', 'cache'], message, 'take `cache` out'), severity: 'warning', on: 'key' }
  } else if (spec.listwise) {
    const message = 'a score of a listwise model is of the whole list: rows cannot be kept one by one'
    yield { ...semantic(['spec', 'cache'], message, 'take `cache` out'), on: 'key' }
  }
}

/** What goes into a model is of contexts and actions. */
function* featureRules(feature: FeatureSpec, path: Path): Generator<Fault> {
  const key = 'hash' in feature ? 'hash' : 'model' in feature ? 'model' : 'slot' in feature ? 'slot' : undefined
  if (key !== undefined) {
    const whats = { hash: 'hashes', model: 'what another Model gives', slot: 'features of slots' }
    const message = `${whats[key]} cannot go into a model: its inputs are made of contexts and actions`
    yield { ...semantic([...path, key], message, 'use `field`, `action` or `cross`'), on: 'key' }
  } else if (fieldsOf(feature).some(name => name.startsWith(OF_SLOT))) {
    const message = 'features of slots cannot go into a model: it scores an action once for all slots'
    yield semantic([...path, 'cross'], message, 'take it out')
  }
}

/** A calibration is of one score. */
function* calibrationRules({ calibration, output }: ModelSpec): Generator<Fault> {
  if (calibration === undefined) return
  if (output.type === 'gaussian' || output.type === 'heads' || output.type === 'embedding') {
    const message = `a calibration is of one score, and the output is ${output.type === 'gaussian' ? 'a mean and its deviation' : output.type === 'heads' ? 'heads' : 'an embedding'}`
    yield { ...semantic(['spec', 'calibration'], message, 'take it out'), on: 'key' }
  } else if (calibration.type === 'platt' && output.type === 'value') {
    const message = '`platt` is of probabilities and log-odds, and the output is a value'
    yield semantic(['spec', 'calibration', 'type'], message, 'use `isotonic`')
  }
}

function* durationRule(duration: string, path: Path, least: number, most: number): Generator<Fault> {
  const ms = milliseconds(duration)
  if (ms >= least && ms <= most) return
  const [shortest, longest] = [least, most].map(each =>
    each < 1000 ? `${each}ms` : each < 3600_000 ? `${each / 1000}s` : `${each / 3600_000}h`,
  )
  yield semantic(path, `\`${path.at(-1)}\` is ${duration}`, `from ${shortest} to ${longest}`)
}
