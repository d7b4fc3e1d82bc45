import { type Environment, EvaluationError } from '@marcbachmann/cel-js'
import { didYouMean } from '../diagnostics.ts'
import type { RuleSpec } from '../kinds.ts'
import type { EvaluationResult, RuleResult, SimulationResult } from '../results.ts'
import { children, literal, type Node, source } from './cel-ast.ts'
import { type CelFault, checkRule, createEnvironment } from './cel-rule.ts'

/**
 * Judges a gate such as `candidate('new').estimate('dr').lift.lower >= -0.001`: `candidate(name)` and its `.estimate(name)`
 * have the fields of `CandidateResult` and `EstimateResult` that are no lists. A gate also fails when it uses a refused
 * candidate or a number that could not be computed.
 */
export function judgeGate(rule: RuleSpec, result: Omit<EvaluationResult, 'gates' | 'passed'>): RuleResult {
  const { candidates } = result
  const find = (name: string) => candidates.find(candidate => candidate.name === name)
  const roots: Roots = { candidate: { type: 'Candidate', names: candidates.map(c => c.name), get: find } }
  const estimators = [...new Set(candidates.flatMap(c => c.estimates.map(estimate => estimate.estimator)))]
  return judge(rule, { roots, estimators }, name => {
    const candidate = find(name)
    if (candidate?.verdict !== 'refuse') return undefined
    return [`candidate \`${name}\` is refused`, candidate.reasons.join('; ')].filter(Boolean).join(': ')
  })
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
  const roots: Roots = {
    policy: { type: 'Policy', names: policies.map(p => p.name), get: name => policies.find(p => p.name === name) },
    difference: {
      type: 'Difference',
      names: differences.map(d => d.policy),
      get: name => differences.find(d => d.policy === name),
    },
  }
  return judge(rule, { roots, estimators: [] }, () => undefined)
}

/** What is wrong with a gate over these candidates and estimators, before there is a result. */
export function checkGate(
  expr: string,
  candidates: readonly string[],
  estimators: readonly string[],
): CelFault | undefined {
  const checked = check(expr, { roots: { candidate: { type: 'Candidate', names: candidates } }, estimators })
  return 'fault' in checked ? checked.fault : undefined
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
  readonly get?: (name: string) => unknown
}

const numbers = (...names: string[]) => Object.fromEntries(names.map(name => [name, 'double']))

const TYPES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Measured: numbers('mean', 'lower', 'upper', 'q05', 'q50', 'q95'),
  Checkpoint: { t: 'double', reward: 'Measured', regret: 'Measured' },
  Policy: {
    name: 'string',
    reward: 'Measured',
    regret: 'Measured',
    bestActionShare: 'Measured',
    actionShares: 'map<string, double>',
    checkpoints: 'list<Checkpoint>',
  },
  Difference: { policy: 'string', baseline: 'string', reward: 'Measured', regret: 'Measured' },
  Support: numbers(
    'effectiveSampleSize',
    'maxWeight',
    'maxWeightShare',
    'meanWeight',
    'positiveCount',
    'rowsWithoutSupport',
    'unsupportedMass',
    'rows',
  ),
  Candidate: { name: 'string', verdict: 'string', support: 'Support' },
  Interval: { method: 'string', ...numbers('level', 'lower', 'upper') },
  Lift: numbers('value', 'lower', 'upper', 'relative'),
  Estimate: { estimator: 'string', ...numbers('value', 'standardError'), interval: 'Interval', lift: 'Lift' },
}

/** The library tells a type by its constructor. */
const CONSTRUCTORS = new Map(Object.keys(TYPES).map(type => [type, { [type]: class {} }[type]]))

function typed(type: string, value: unknown): unknown {
  const item = /^list<(\w+)>$/.exec(type)?.[1]
  if (item !== undefined) return (value as unknown[]).map(each => typed(item, each))
  if (!Object.hasOwn(TYPES, type) || value === null || value === undefined) return value
  const fields = Object.entries(TYPES[type]).map(([name, of]) => [
    name,
    typed(of, (value as Record<string, unknown>)[name]),
  ])
  return Object.assign(new (CONSTRUCTORS.get(type)!)(), Object.fromEntries(fields))
}

function judge(rule: RuleSpec, world: World, refusal: (name: string) => string | undefined): RuleResult {
  const { id, expr } = rule
  const failed = (reason: string): RuleResult => ({ id, expr, passed: false, reason })
  const checked = check(expr, world)
  if ('fault' in checked) return failed(checked.fault.message)
  const read = new Map<string, unknown>()
  for (const node of quantities(checked.ast, world)) {
    const { name, value, missing } = resolve(node, world)
    const refused = refusal(name)
    if (refused !== undefined) return failed(refused)
    if (missing !== undefined) return failed(`${missing} could not be computed`)
    read.set(source(node), value)
  }
  try {
    if (checked.evaluate({}) === true) return { id, expr, passed: true }
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error
    return failed(`the rule has no value: ${error.summary}`)
  }
  const quoted = [...read].map(([text, value]) => `${text} is ${quote(value)}`)
  return failed(quoted.length === 0 ? 'the rule is false' : quoted.join(', '))
}

const quote = (value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(6)) : JSON.stringify(value))

function check(expr: string, world: World) {
  return checkRule(environment(world), expr, {
    functions: [...Object.keys(world.roots), ...('candidate' in world.roots ? ['estimate'] : []), 'size', 'double'],
    variables: [],
    results: ['bool'],
    fieldsOf: operand => Object.keys(TYPES[operand === undefined ? '' : typeOf(operand, world)] ?? {}),
    inspect: node => nameFault(node, world),
  })
}

function environment({ roots }: World): Environment {
  const built = createEnvironment()
  for (const [type, fields] of Object.entries(TYPES))
    built.registerType(type, { ctor: CONSTRUCTORS.get(type)!, fields })
  for (const [name, { type, get }] of Object.entries(roots)) {
    built.registerFunction(`${name}(string): ${type}`, (key: string) => {
      const value = get?.(key)
      return Object.assign(typed(type, value) as object, { [origin]: value })
    })
  }
  if ('candidate' in roots) {
    built.registerFunction('Candidate.estimate(string): Estimate', (candidate: Estimated, name: string) =>
      typed('Estimate', estimateOf(candidate[origin], name)),
    )
  }
  return built
}

/** The result that a typed value was made from. */
const origin = Symbol('origin')
interface Estimated {
  readonly [origin]: unknown
}

function estimateOf(candidate: unknown, name: string): unknown {
  return (candidate as EvaluationResult['candidates'][number]).estimates.find(each => each.estimator === name)
}

/** Names must be written out, so that a typo is known before anything runs. */
function nameFault(node: Node, { roots, estimators }: World): CelFault | undefined {
  const [what, names, argument] =
    node.op === 'call' && Object.hasOwn(roots, node.args[0])
      ? [node.args[0], roots[node.args[0]].names, node.args[1][0]]
      : node.op === 'rcall' && node.args[0] === 'estimate'
        ? ['estimator', estimators, node.args[2][0]]
        : [undefined, [], undefined]
  if (what === undefined || argument === undefined) return undefined
  const name = literal(argument)
  if (typeof name !== 'string') return { message: `the ${what}'s name must be written out`, offset: argument.start }
  if (names.includes(name)) return undefined
  const known = names.length === 0 ? undefined : `there ${names.length === 1 ? 'is' : 'are'} \`${names.join('`, `')}\``
  return {
    message: `there is no ${what} \`${name}\` here`,
    offset: argument.start,
    hint: didYouMean(name, names) ?? known,
  }
}

/** The CEL type of a node that reads a result, '' for any other. */
function typeOf(node: Node, world: World): string {
  if (node.op === 'call') return world.roots[node.args[0]]?.type ?? ''
  if (node.op === 'rcall') return node.args[0] === 'estimate' ? 'Estimate' : ''
  if (node.op === '.') return TYPES[typeOf(node.args[0], world)]?.[node.args[1]] ?? ''
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
  readonly name: string
  readonly value: unknown
  /** The part of the expression that is null or not a number in the result. */
  readonly missing?: string
}

function resolve(node: Node, world: World): Read {
  if (node.op === 'call') {
    const name = String(literal(node.args[1][0]))
    return { name, value: world.roots[node.args[0]].get?.(name) }
  }
  const owner = resolve(node.op === 'rcall' ? node.args[1] : (node.args as [Node, unknown])[0], world)
  if (owner.missing !== undefined) return owner
  const value =
    node.op === 'rcall'
      ? estimateOf(owner.value, String(literal(node.args[2][0])))
      : (owner.value as Record<string, unknown>)[keyOf(node)]
  const computed = value !== null && value !== undefined && !Number.isNaN(value)
  return { name: owner.name, value, missing: computed ? undefined : source(node) }
}

function keyOf(node: Node): string {
  const [, key] = node.args as [Node, string | Node]
  return typeof key === 'string' ? key : String(literal(key))
}
