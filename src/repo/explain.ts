import { didYouMean } from '../diagnostics.ts'
import { schemas } from '../generated/schemas.js'
import type { ExplanationResult, NamedAlgorithm } from '../generated/types.ts'
import { meansKind } from '../kind-word.ts'
import { KINDS } from '../kinds.ts'
import { PAIRS, type Pair } from '../policy/algorithm.ts'
import {
  boundsOf,
  branchesOf,
  fieldsOf,
  itemOf,
  type Place,
  property,
  summary,
  variantNames,
  variantsOf,
} from './describe.ts'
import { list, resolve, type Schema } from './schema.ts'

/** What a field of a kind means, from the kind's schema. */
export type Explanation = Omit<ExplanationResult, 'schema'>

export type Explained = { readonly explanation: Explanation } | { readonly message: string; readonly hint?: string }

/**
 * Explains `KIND` or `KIND.path.to.field`. Lists and maps are walked through (`Policy.spec.actions.eligible`), and so are the
 * shapes that a field may have, with or without their name (`Policy.spec.algorithm.learner.linear.l2`).
 */
export function explain(path: string): Explained {
  const [first, ...steps] = path.split('.').filter(step => step !== '')
  const kind = KINDS.find(each => meansKind(first ?? '', each))
  if (kind === undefined) {
    return {
      message: `there is no kind \`${first ?? ''}\``,
      hint: didYouMean(first ?? '', KINDS) ?? `one of ${KINDS.join(', ')}`,
    }
  }
  const root = schemas[kind]
  let at: Place = { name: kind, schema: root, required: true }
  let walked: string = kind
  for (const step of steps) {
    const next = enter(at.schema, step, root)
    if (next === undefined) {
      const names = stepsOf(at.schema, root)
      const known = names.length > 0 ? `known are ${list(names)}` : undefined
      return { message: `\`${walked}\` has no field \`${step}\``, hint: didYouMean(step, names) ?? known }
    }
    at = next
    walked += `.${next.name}`
  }
  const inner = itemOf(at.schema, root)
  const explanation: Explanation = {
    ...summary(at, root),
    path: walked,
    examples: at.schema.examples ?? [],
    bounds: boundsOf(at.schema, root),
    fields: fieldsOf(inner, root),
    variants: variantsOf(inner, root),
    ...(walked === ALGORITHM ? { algorithms: PAIRS.map(namedAlgorithm) } : {}),
  }
  return { explanation }
}

const ALGORITHM = 'Policy.spec.algorithm'

function namedAlgorithm({ learner, exploration, name }: Pair): NamedAlgorithm {
  return {
    learner: learner.type,
    exploration: exploration?.type ?? null,
    name: name?.name ?? null,
    paper: name?.paper ?? null,
  }
}

function enter(schema: Schema, step: string, root: Schema): Place | undefined {
  const inner = itemOf(schema, root)
  if (inner.properties !== undefined && Object.hasOwn(inner.properties, step)) return property(inner, step, root)
  const branches = branchesOf(inner, root)
  for (const branch of branches) if (branch.properties?.[step] !== undefined) return property(branch, step, root)
  for (const branch of branches) {
    if (variantNames(branch, inner, root).includes(step)) return { name: step, schema: branch, required: false }
  }
  for (const branch of branches) {
    const found = enter(branch, step, root)
    if (found !== undefined) return found
  }
  // Any other name is a key of a map.
  return schema.additionalProperties
    ? { name: step, schema: resolve(schema.additionalProperties, root), required: false }
    : undefined
}

function stepsOf(schema: Schema, root: Schema): string[] {
  const inner = itemOf(schema, root)
  const branches = branchesOf(inner, root)
  const own = [...Object.keys(inner.properties ?? {}), ...branches.flatMap(branch => variantNames(branch, inner, root))]
  return [...new Set([...own, ...branches.flatMap(branch => stepsOf(branch, root))])]
}
