import type { Environment } from '@marcbachmann/cel-js'
import { didYouMean } from '../diagnostics.ts'
import { RESULT_TYPES } from '../generated/cel-types.ts'
import type { RuleSpec } from '../kinds.ts'
import type { EvaluationResult, RuleResult, SimulationResult } from '../results.ts'
import { children, literal, type Node, source } from './cel-ast.ts'
import { type CelFault, checkRule, createEnvironment, whyNoValue } from './cel-rule.ts'

/**
 * Judges a gate such as `candidate('new').estimate('dr').lift.lower >= -0.001` or `difference('new', 'old').estimate('dr').interval.lower >
 * 0.0`: `candidate(name)`, `difference(name, baseline)` and their `.estimate(name)` have the fields of `CandidateResult`,
 * `DifferenceOfCandidates`, `EstimateResult` and `DifferenceEstimate`, as `RESULT_TYPES` has them from the schema; bounds of lifts and
 * differences are those that hold for all candidates at once, where there are such. A gate also fails when it uses a refused candidate or
 * estimate, or a number that could not be computed. An estimate without a support of its own has the candidate's.
 */
export function judgeGate(rule: RuleSpec, result: Omit<EvaluationResult, 'gates' | 'passed'>): RuleResult {
  const { candidates, differences } = result
  const names = candidates.map(c => c.name)
  const find = (name: string) => candidates.find(candidate => candidate.name === name)
  const gated = (name: string) => {
    const candidate = find(name)
    if (candidate === undefined) return undefined
    const { support } = candidate
    const estimates = candidate.estimates.map(each => ({ support, ...gatedEstimate(each) }))
    return { slots: [], metrics: [], ...candidate, estimates }
  }
  const roots: Roots = {
    candidate: { type: 'Candidate', names, get: gated },
    difference: {
      type: 'Contrast',
      names,
      against: true,
      get: (name, baseline) => contrast(differences, name, baseline),
    },
  }
  const estimators = [...new Set(candidates.flatMap(c => c.estimates.map(estimate => estimate.estimator)))]
  return judge(rule, { roots, estimators }, (name, estimator) => {
    const candidate = find(name)
    if (candidate?.verdict === 'refuse') {
      return [`candidate \`${name}\` is refused`, candidate.reasons.join('; ')].filter(Boolean).join(': ')
    }
    const estimate = candidate?.estimates.find(each => each.estimator === estimator)
    if (estimate?.verdict !== 'refuse') return undefined
    return [`\`${estimator}\` of candidate \`${name}\` is refused`, estimate.reasons.join('; ')]
      .filter(Boolean)
      .join(': ')
  })
}

function gatedEstimate(estimate: EvaluationResult['candidates'][number]['estimates'][number]): typeof estimate {
  const { lift } = estimate
  return lift === null ? estimate : { ...estimate, lift: { ...lift, ...lift.simultaneous } }
}

/** A difference as gates see it, whichever of the two comes first in the result. */
function contrast(differences: EvaluationResult['differences'], candidate: string, baseline: string): unknown {
  const found = differences.find(d => [d.candidate, d.baseline].every(name => name === candidate || name === baseline))
  if (found === undefined || candidate === baseline) return undefined
  const sign = found.candidate === candidate ? 1 : -1
  const turned = <T extends { readonly lower: number; readonly upper: number }>(bounds: T): T =>
    sign === 1 ? bounds : { ...bounds, lower: -bounds.upper, upper: -bounds.lower }
  return {
    candidate,
    baseline,
    estimates: found.estimates.map(estimate => ({
      ...estimate,
      value: estimate.value === null ? null : sign * estimate.value,
      interval: estimate.interval && turned({ ...estimate.interval, ...estimate.simultaneous }),
    })),
  }
}

/**
 * Judges an expectation such as `policy('new').regret.upper < policy('uniform').regret.lower`: `policy(name)` and
 * `difference(name)` (that policy against the scenario's first) have the fields of `PolicyResult` and `DifferenceResult`.
 */
export function judgeExpectation(
  rule: RuleSpec,
  result: Omit<SimulationResult, 'expectations' | 'passed' | 'digest'>,
): RuleResult {
  const { policies, differences } = result
  // A result says it only where there is something to say.
  const served = policies.map(policy => ({ unservedShare: 0, slots: [], ...policy }))
  const roots: Roots = {
    policy: {
      type: 'Policy',
      names: served.map(p => p.name),
      get: name => served.find(p => p.name === name),
    },
    difference: {
      type: 'Difference',
      names: differences.map(d => d.policy),
      get: name => differences.find(d => d.policy === name),
    },
  }
  return judge(rule, { roots, estimators: [] }, () => undefined)
}

/** What a gate over these candidates and estimators asks for, or what is wrong with it, before there is a result. */
export function checkGate(
  expr: string,
  candidates: readonly string[],
  estimators: readonly string[],
): { readonly fault: CelFault } | { readonly estimators: readonly string[]; readonly compares: boolean } {
  const roots: Roots = {
    candidate: { type: 'Candidate', names: candidates },
    difference: { type: 'Contrast', names: candidates, against: true },
  }
  const world = { roots, estimators }
  const checked = check(expr, world)
  if ('fault' in checked) return checked
  const read = quantities(checked.ast, world).map(node => resolve(node, world))
  return {
    estimators: [...new Set(read.flatMap(({ estimator }) => estimator ?? []))],
    compares: read.some(({ names }) => names.length > 1),
  }
}

/** What is wrong with an expectation of a scenario that plays these policies, the first being the baseline. */
export function checkExpectation(expr: string, policies: readonly string[]): CelFault | undefined {
  const roots: Roots = {
    policy: { type: 'Policy', names: policies },
    difference: { type: 'Difference', names: policies.slice(1) },
  }
  const checked = check(expr, { roots, estimators: [] })
  return 'fault' in checked ? checked.fault : undefined
}

interface World {
  readonly roots: Roots
  readonly estimators: readonly string[]
}
/** Function → what it gives and for which names. */
type Roots = Readonly<Record<string, Root>>
interface Root {
  readonly type: string
  readonly names: readonly string[]
  /** It takes a second name, what the first is compared with. */
  readonly against?: boolean
  readonly get?: (name: string, against: string) => unknown
}

/** What an object has under that name, its prototype left out: names come from rules. */
function own<T>(object: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined
}

/** The library tells a type by its constructor. */
const CONSTRUCTORS = new Map(Object.keys(RESULT_TYPES).map(type => [type, { [type]: class {} }[type]]))

function typed(type: string, value: unknown): unknown {
  if (value === null || value === undefined) return value
  const item = /^list<(\w+)>$/.exec(type)?.[1]
  if (item !== undefined) return (value as unknown[]).map(each => typed(item, each))
  // No object: an action may be called `constructor`.
  if (type.startsWith('map<')) return new Map(Object.entries(value))
  if (!Object.hasOwn(RESULT_TYPES, type)) return value
  const fields = Object.entries(RESULT_TYPES[type]).map(([name, of]) => [
    name,
    typed(of, (value as Record<string, unknown>)[name]),
  ])
  return Object.assign(new (CONSTRUCTORS.get(type)!)(), Object.fromEntries(fields))
}

/** Why a result must not be used: that of a name, or of one estimator of it. */
type Refusal = (name: string, estimator: string | undefined) => string | undefined

function judge(rule: RuleSpec, world: World, refusal: Refusal): RuleResult {
  const { id, expr } = rule
  const failed = (reason: string): RuleResult => ({ id, expr, passed: false, reason })
  const checked = check(expr, world)
  if ('fault' in checked) return failed(checked.fault.message)
  const read = new Map<string, unknown>()
  for (const node of quantities(checked.ast, world)) {
    const { names, estimator, value, missing } = resolve(node, world)
    for (const name of names) {
      const refused = refusal(name, estimator)
      if (refused !== undefined) return failed(refused)
    }
    if (missing !== undefined) return failed(`${missing} could not be computed`)
    read.set(source(node), value)
  }
  try {
    if (checked.evaluate({}) === true) return { id, expr, passed: true }
  } catch (error) {
    return failed(`the rule has no value: ${whyNoValue(error)}`)
  }
  const quoted = [...read].map(([text, value]) => `${text} is ${quote(value)}`)
  return failed(quoted.length === 0 ? 'the rule is false' : quoted.join(', '))
}

const quote = (value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(6)) : JSON.stringify(value))

function check(expr: string, world: World) {
  return checkRule(readerOf(world.roots).environment, expr, {
    functions: [...Object.keys(world.roots), ...('candidate' in world.roots ? ['estimate'] : []), 'size', 'double'],
    variables: [],
    results: ['bool'],
    fieldsOf: operand => Object.keys(own(RESULT_TYPES, operand === undefined ? '' : typeOf(operand, world)) ?? {}),
    inspect: node => nameFault(node, world),
  })
}

/** An environment, and the roots that its functions read while a rule is evaluated. */
interface Reader {
  readonly environment: Environment
  roots: Roots
}

/** By the types of the roots: a reader is the dear part of checking a rule, and there are two kinds of them. */
const readers = new Map<string, Reader>()

function readerOf(roots: Roots): Reader {
  const key = Object.values(roots)
    .map(root => root.type)
    .join()
  const known = readers.get(key)
  if (known !== undefined) return Object.assign(known, { roots })
  const environment = createEnvironment()
  const reader = { environment, roots }
  for (const [type, fields] of Object.entries(RESULT_TYPES)) {
    environment.registerType(type, { ctor: CONSTRUCTORS.get(type)!, fields })
  }
  for (const [name, { type, against }] of Object.entries(roots)) {
    const parameters = against === true ? 'string, string' : 'string'
    environment.registerFunction(`${name}(${parameters}): ${type}`, (key: string, other: string) => {
      const value = reader.roots[name].get?.(key, other)
      return Object.assign(typed(type, value) as object, { [origin]: value })
    })
    const estimate = own(ESTIMATES, type)
    if (estimate === undefined) continue
    environment.registerFunction(`${type}.estimate(string): ${estimate}`, (owner: Estimated, of: string) =>
      typed(estimate, estimateOf(owner[origin], of)),
    )
  }
  readers.set(key, reader)
  return reader
}

/** Type → what its `.estimate(name)` gives. */
const ESTIMATES: Readonly<Record<string, string>> = { Candidate: 'Estimate', Contrast: 'ContrastEstimate' }

/** The result that a typed value was made from. */
const origin = Symbol('origin')
interface Estimated {
  readonly [origin]: unknown
}

function estimateOf(owner: unknown, name: string): unknown {
  return (owner as { estimates: readonly { estimator: string }[] } | undefined)?.estimates.find(
    each => each.estimator === name,
  )
}

/** Names must be written out, so that a typo is known before anything runs. */
function nameFault(node: Node, { roots, estimators }: World): CelFault | undefined {
  const root = node.op === 'call' && Object.hasOwn(roots, node.args[0]) ? roots[node.args[0]] : undefined
  const [what, names, given] =
    node.op === 'call' && root !== undefined
      ? [root.against === true ? 'candidate' : node.args[0], root.names, node.args[1]]
      : node.op === 'rcall' && node.args[0] === 'estimate'
        ? ['estimator', estimators, node.args[2].slice(0, 1)]
        : ['', [], []]
  for (const argument of given) {
    const fault = argumentFault(what, names, argument)
    if (fault !== undefined) return fault
  }
  const [one, other] = given.map(literal)
  if (given.length < 2 || one !== other) return undefined
  return {
    message: `\`${source(node)}\` compares a candidate with itself`,
    offset: node.start,
    hint: 'name another candidate',
  }
}

function argumentFault(what: string, names: readonly string[], argument: Node): CelFault | undefined {
  const name = literal(argument)
  if (typeof name !== 'string') {
    const hint = `for example \`'${names[0] ?? 'name'}'\``
    return { message: `the ${what}'s name must be written out`, offset: argument.start, hint }
  }
  if (names.includes(name)) return undefined
  const known =
    names.length === 0 ? 'there are none' : `there ${names.length === 1 ? 'is' : 'are'} \`${names.join('`, `')}\``
  return {
    message: `there is no ${what} \`${name}\` here`,
    offset: argument.start,
    hint: didYouMean(name, names) ?? known,
  }
}

/** The CEL type of a node that reads a result, '' for any other. */
function typeOf(node: Node, world: World): string {
  if (node.op === 'call') return own(world.roots, node.args[0])?.type ?? ''
  if (node.op === 'rcall') return node.args[0] === 'estimate' ? (own(ESTIMATES, typeOf(node.args[1], world)) ?? '') : ''
  if (node.op === '.') return own(own(RESULT_TYPES, typeOf(node.args[0], world)), node.args[1]) ?? ''
  if (node.op === '[]') return /^list<(\w+)>$/.exec(typeOf(node.args[0], world))?.[1] ?? ''
  return ''
}

/** The outermost nodes that read a result, such as `policy('a').regret.mean`. */
function quantities(node: Node, world: World): Node[] {
  if (isRead(node, world)) return [node]
  return children(node).flatMap(child => quantities(child, world))
}

function isRead(node: Node, world: World): boolean {
  if (node.op === 'call') return Object.hasOwn(world.roots, node.args[0])
  if (node.op === 'rcall') return node.args[0] === 'estimate'
  if (node.op === '.') return isRead(node.args[0], world)
  return node.op === '[]' && literal(node.args[1]) !== undefined && isRead(node.args[0], world)
}

interface Read {
  /** Of the candidates, policies or pairs that it is about, and of the estimator, if it is about one. */
  readonly names: readonly string[]
  readonly estimator?: string
  readonly value: unknown
  /** The part of the expression that is null or not a number in the result. */
  readonly missing?: string
}

function resolve(node: Node, world: World): Read {
  if (node.op === 'call') {
    const names = node.args[1].map(argument => String(literal(argument)))
    const value = world.roots[node.args[0]].get?.(names[0], names[1])
    return { names, value, missing: value === undefined ? source(node) : undefined }
  }
  const owner = resolve(node.op === 'rcall' ? node.args[1] : (node.args as [Node, unknown])[0], world)
  const estimator = node.op === 'rcall' ? String(literal(node.args[2][0])) : owner.estimator
  if (owner.missing !== undefined) return { ...owner, estimator }
  const value =
    node.op === 'rcall'
      ? estimateOf(owner.value, String(literal(node.args[2][0])))
      : own(owner.value as Record<string, unknown>, keyOf(node))
  const computed = value !== null && value !== undefined && !Number.isNaN(value)
  return { names: owner.names, estimator, value, missing: computed ? undefined : source(node) }
}

function keyOf(node: Node): string {
  const [, key] = node.args as [Node, string | Node]
  return typeof key === 'string' ? key : String(literal(key))
}
