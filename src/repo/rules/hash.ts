import type { ContextField, HashFeature, HashSpec, PolicySpec } from '../../kinds.ts'
import { createBlock, type Values } from '../../policy/feature-block.ts'
import { EVERYTHING, fieldOf, isHash, isSingle, namespacesOf, OF_ACTION } from '../../policy/features.ts'
import type { HashedField } from '../../policy/hashed-features.ts'
import { MOST_BITS, sharedSlots } from '../../policy/hashing.ts'
import { isOffered, ownPool } from '../../policy/pool.ts'
import type { Fault, Path } from '../fault.ts'
import { list } from '../schema.ts'
import { duplicates, semantic } from './common.ts'

const FEATURES = ['spec', 'features']

/** `hash` under a learner that is not `hashed`. */
export function onlyHashed(learner: string, path: Path): Fault {
  const message = `the learner \`${learner}\` does not see hashes`
  return { ...semantic([...path, 'hash'], message, 'use the learner `hashed`, or name fields instead'), on: 'key' }
}

/** What the learner `hashed` sees: one `hash`, all that there is without it, and which fields are transformed before. */
export function* hashRules(spec: PolicySpec): Generator<Fault> {
  const features = spec.features ?? []
  const at = features.findIndex(isHash)
  const hash = (features[at] as HashFeature | undefined)?.hash ?? EVERYTHING
  // Of what the features do not say nothing but the learner can be shown.
  const path = at < 0 ? ['spec', 'algorithm', 'learner', 'type'] : [...FEATURES, at, 'hash']
  for (const [i, feature] of features.entries()) {
    const own = [...FEATURES, i]
    if (i !== at && isHash(feature)) {
      yield {
        ...semantic([...own, 'hash'], '`hash` is there twice', 'put the namespaces and pairs of both into one'),
        on: 'key',
      }
    } else if ('cross' in feature) {
      const message = 'products of fields are not for the learner `hashed`'
      yield {
        ...semantic([...own, 'cross'], message, 'say which namespaces are multiplied in `hash.pairs`'),
        on: 'key',
      }
    } else if ('slot' in feature) {
      const message = 'features of slots are not for the learner `hashed`'
      yield { ...semantic([...own, 'slot'], message, 'use `linear` with `shared: true`, or `logistic`'), on: 'key' }
    } else if (isSingle(feature)) {
      const [name, namespace] = 'field' in feature ? ['field', 'context' as const] : ['action', 'action' as const]
      if (!hash.namespaces.includes(namespace)) {
        const message = `\`${fieldOf(feature)}\` is of the namespace \`${namespace}\`, which is not hashed`
        yield semantic([...own, name], message, `add \`${namespace}\` to \`hash.namespaces\``)
      }
    }
  }
  yield* namespaceRules(hash, path)
  yield* scaleRules(spec, hash)
  yield* collisionRules(spec, hash, path)
}

function* namespaceRules({ namespaces, pairs }: HashSpec, path: Path): Generator<Fault> {
  yield* duplicates(namespaces, 'namespace', i => [...path, 'namespaces', i])
  yield* duplicates(
    pairs.map(pair => [...pair].sort().join(' × ')),
    'pair',
    i => [...path, 'pairs', i],
  )
  for (const [i, pair] of pairs.entries()) {
    for (const [j, name] of pair.entries()) {
      if (namespaces.includes(name)) continue
      const message = `there is no namespace \`${name}\` here`
      const hint = `add it to \`namespaces\`, which are ${list(namespaces)}`
      yield { code: 'reference', message, hint, path: [...path, 'pairs', i, j] }
    }
  }
  if (namespaces.includes('action')) return
  const message = 'no feature differs between actions: all would be worth the same'
  yield semantic([...path, 'namespaces'], message, 'add `action`, and the pair `[context, action]`')
}

/** A number as large as this weighs as much as so many texts. */
const LARGE = 10

/** A penalty is of weights, and the weight of a number is as small as the number is large. */
function* scaleRules(spec: PolicySpec, { namespaces }: HashSpec): Generator<Fault> {
  const { actions, context, features = [], unit } = spec
  const transformed = new Set(features.filter(isSingle).map(fieldOf))
  const numbers = [
    ...Object.entries(namespaces.includes('context') ? context : {}).map(
      ([name, field]) => ({ name, field, of: 'field', short: name, path: ['spec', 'context', name] }) as const,
    ),
    // Those of a list are as large as they are.
    ...Object.entries(namespaces.includes('action') && isOffered(actions) ? actions.features : {}).map(
      ([name, field]) => {
        const path = ['spec', 'actions', 'features', name]
        return { name: `${OF_ACTION}${name}`, field, of: 'action', short: name, path } as const
      },
    ),
  ]
  for (const { name, field, of, short, path } of numbers) {
    if (name === unit || transformed.has(name) || (field.type !== 'number' && field.type !== 'integer')) continue
    const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = field
    if (minimum >= -LARGE && maximum <= LARGE) continue
    yield {
      ...semantic(
        path,
        `\`${name}\` is hashed as it is, and may be so large that nothing else counts`,
        `list it among the features with a transform, such as \`{ ${of}: ${short}, transform: bucketize, edges: [1, 10, 100] }\`, or bound it by \`minimum\` and \`maximum\``,
      ),
      severity: 'warning',
    }
  }
}

/** Of all names that are known, more than this share a slot with another. */
const MOST_SHARED = 0.05

function* collisionRules(spec: PolicySpec, { bits, namespaces, pairs }: HashSpec, path: Path): Generator<Fault> {
  const names = new Map(
    namespacesOf(spec)
      .filter(({ name }) => namespaces.includes(name))
      .map(({ name, fields }) => [
        name,
        fields.reduce(
          (sum, field) => sum + knownNames(field, name === 'action' ? (ownPool(spec.actions)?.values ?? []) : []),
          0,
        ),
      ]),
  )
  const of = (name: 'context' | 'action') => names.get(name) ?? 0
  const products = pairs.map(([a, b]) => (a === b ? (of(a) * (of(a) - 1)) / 2 : of(a) * of(b)))
  const known = [...names.values(), ...products].reduce((sum, n) => sum + n, 0)
  const share = sharedSlots(known, 2 ** bits)
  if (share <= MOST_SHARED) return
  const enough = Array.from({ length: MOST_BITS - bits }, (_, i) => bits + 1 + i).find(
    more => sharedSlots(known, 2 ** more) <= MOST_SHARED,
  )
  const hint = enough === undefined ? 'leave out what has the most values, or pairs' : `\`bits: ${enough}\` is enough`
  const message = `of ${known} names and products that are known ${Math.round(100 * share)} % are expected to share one of 2^${bits} slots with another`
  yield { ...semantic(path.includes('hash') ? [...path, 'bits'] : path, message, hint), severity: 'warning' }
}

/** How many names a field is known to have: of free text, one. */
function knownNames({ path, field, transform, label }: HashedField, actions: readonly Values[]): number {
  if (field !== undefined && transform !== undefined) {
    try {
      return createBlock(transform, label, field).names.length
    } catch (error) {
      // What is wrong with it is said elsewhere.
      if (error instanceof RangeError) return 0
      throw error
    }
  }
  if (field !== undefined) return widthOf(field)
  const values = actions.flatMap(each => (Object.hasOwn(each, path) ? [each[path]] : []))
  return new Set(values.map(value => (typeof value === 'string' ? value : ''))).size
}

function widthOf(field: ContextField): number {
  if (field.type === 'array') return field.minItems
  return field.type === 'string' ? (field.enum?.length ?? 1) : 1
}
