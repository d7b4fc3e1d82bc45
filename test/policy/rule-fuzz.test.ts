import { describe, expect, it } from 'vitest'
import { DapError } from '../../src/errors.ts'
import type { PolicySpec } from '../../src/kinds.ts'
import { type Rng, stream } from '../../src/math/rng.ts'
import { type CelFault, compileContextRule } from '../../src/policy/cel.ts'
import { checkExpectation, checkGate, judgeExpectation, judgeGate } from '../../src/policy/result-rules.ts'
import type {
  CandidateResult,
  EstimateResult,
  EvaluationResult,
  Measured,
  SimulationResult,
} from '../../src/results.ts'
import { randomExpression, type Vocabulary } from '../support/expressions.ts'
import { CONTEXT_FIELDS, evaluationOf, simulationOf } from '../support/rule-results.ts'

/** In each of the three languages. What they throw, or say without knowing why, is a bug; what they refuse is refused at a place. */
const EXPRESSIONS = 100_000

describe('whatever is written as a rule', () => {
  it(`of a context is a fault or runs: ${EXPRESSIONS} random expressions`, () => {
    const rng = stream(11, 'context rules')
    const counts = { faults: 0, values: 0, none: 0 }
    for (let i = 0; i < EXPRESSIONS; i++) {
      const type = i % 2 === 0 ? 'bool' : 'double'
      const expr = randomExpression(rng, type, CONTEXT_WORDS)
      const rule =
        type === 'bool' ? compileContextRule(expr, FIELDS, 'bool') : compileContextRule(expr, FIELDS, 'double')
      if ('fault' in rule) {
        counts.faults++
        explained(expr, rule.fault)
        continue
      }
      try {
        const value = rule.run(randomContext(rng))
        if (typeof value !== (type === 'bool' ? 'boolean' : 'number')) throw new Error(`${expr} gives ${value}`)
        counts.values++
      } catch (error) {
        if (!(error instanceof DapError) || UNEXPLAINED.test(error.message)) throw new Error(expr, { cause: error })
        counts.none++
      }
    }
    // The generator is worth something: all three outcomes are common.
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(EXPRESSIONS / 50)
  })

  it(`as a gate is a fault or is judged: ${EXPRESSIONS} random expressions`, () => {
    const rng = stream(11, 'gates')
    const passed = judgeAll(rng, GATE_WORDS, expr => {
      const checked = checkGate(expr, ['new', 'old', 'bad'], ['dr', 'ips'])
      return 'fault' in checked ? checked.fault : judgeGate({ id: 'rule', expr }, randomEvaluation(rng))
    })
    expect(passed).toBeGreaterThan(EXPRESSIONS / 50)
  })

  it(`as an expectation is a fault or is judged: ${EXPRESSIONS} random expressions`, () => {
    const rng = stream(11, 'expectations')
    const passed = judgeAll(rng, EXPECTATION_WORDS, expr => {
      const fault = checkExpectation(expr, ['new', 'old'])
      return fault ?? judgeExpectation({ id: 'rule', expr }, randomSimulation(rng))
    })
    expect(passed).toBeGreaterThan(EXPRESSIONS / 50)
  })
})

/** What is said of an expression at which the library failed in a way that dap does not know. */
const UNEXPLAINED = /the rule language cannot/

function explained(expr: string, { message, offset }: CelFault): void {
  const placed = offset !== undefined && offset >= 0 && offset <= expr.length
  if (!placed || UNEXPLAINED.test(message)) throw new Error(`${expr} is refused at ${offset}: ${message}`)
}

/** How many passed. */
function judgeAll(
  rng: Rng,
  words: Vocabulary,
  judge: (expr: string) => CelFault | { readonly passed: boolean; readonly reason?: string },
): number {
  let passed = 0
  for (let i = 0; i < EXPRESSIONS; i++) {
    const expr = randomExpression(rng, 'bool', words)
    const judged = judge(expr)
    if (!('passed' in judged)) explained(expr, judged)
    else if (judged.passed) passed++
    else if (judged.reason === undefined || UNEXPLAINED.test(judged.reason)) {
      throw new Error(`${expr} fails: ${judged.reason}`)
    }
  }
  return passed
}

const FIELDS: PolicySpec['context'] = {
  ...CONTEXT_FIELDS,
  ...JSON.parse('{ "constructor": { "type": "number" } }'),
}

const CONTEXT_WORDS: Vocabulary = {
  known: {
    int: ['ctx.level'],
    double: ['ctx.spend', 'ctx.constructor', 'ctx.taste[0]', "ctx['spend']"],
    string: ['ctx.platform', 'ctx.name', "ctx['name']"],
    bool: ['ctx.vip', 'has(ctx.vip)', 'has(ctx.constructor)'],
    list: ['ctx.taste'],
  },
  functions: [
    ...['size', 'int', 'double', 'string', 'startsWith', 'endsWith', 'contains'],
    ...['has', 'exists', 'all', 'exists_one'],
  ],
  wrong: [
    ...['ctx', 'ctx.country', 'ctx.toString', 'ctx.__proto__', 'ctx.platform.x', 'level', "ctx['valueOf']"],
    ...['ctx.taste[2]', "candidate('x')"],
  ],
}

const one = <T>(rng: Rng, of: readonly T[]): T => of[Math.floor(rng.uniform() * of.length)]

function randomContext(rng: Rng) {
  const number = () => one(rng, [0, -0, 1, -1.5, 1e308, 5e-324, 20 * rng.uniform()])
  return {
    level: one(rng, [0, 1, -7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]),
    spend: number(),
    platform: one(rng, ['ios', 'android']),
    name: one(rng, ['', 'x', '12', '__proto__', '😀']),
    vip: rng.uniform() < 0.5,
    taste: [number(), number()],
    constructor: number(),
  } as unknown as Readonly<Record<string, number>>
}

const GATE_WORDS: Vocabulary = {
  known: {
    double: [
      "candidate('new').estimate('dr').lift.lower",
      "candidate('new').support.rows",
      "difference('new', 'old').estimate('dr').value",
      "candidate('old').estimate('ips').value",
      "difference('old', 'new').estimate('ips').interval.upper",
    ],
    string: ["candidate('new').verdict", "candidate('bad').name"],
  },
  functions: ['candidate', 'difference', 'estimate', 'size', 'double'],
  wrong: [
    ...["candidate('new')", "candidate(candidate('new').name)", "candidate('x').support.rows", 'candidate()'],
    ...["candidate('new').constructor", "candidate('new')['constructor']", "candidate('new').toString.x"],
    ...["candidate('new').estimate('x').value", "candidate('new').estimate()", "candidate('bad').support.rows"],
    ...["difference('new', 'new').candidate", "policy('x')"],
  ],
}

const NUMBERS = [0, 1, -0.01, 1000, Number.NaN, Number.POSITIVE_INFINITY]

function randomEvaluation(rng: Rng): Omit<EvaluationResult, 'gates' | 'passed'> {
  const number = () => one(rng, NUMBERS)
  const bounds = () => ({ lower: number(), upper: number() })
  const interval = () => one(rng, [null, { method: 'gaussian', level: 0.95, ...bounds() }])
  const estimate = (estimator: string): EstimateResult => ({
    estimator,
    verdict: one(rng, ['ok', 'caution', 'refuse']),
    reasons: [],
    value: one(rng, [null, number()]),
    standardError: one(rng, [null, number()]),
    interval: interval(),
    lift: one(rng, [null, { value: number(), ...bounds(), simultaneous: one(rng, [null, bounds()]), relative: null }]),
  })
  const support = () => ({
    effectiveSampleSize: number(),
    maxWeight: number(),
    maxWeightShare: number(),
    meanWeight: number(),
    positiveCount: number(),
    rowsWithoutSupport: number(),
    unsupportedMass: number(),
    rows: number(),
  })
  const candidate = (name: string, verdict: CandidateResult['verdict']): CandidateResult => ({
    name,
    verdict,
    reasons: [],
    learntFrom: 'nothing',
    support: one(rng, [null, support()]),
    estimates: ['dr', 'ips'].map(estimate),
  })
  const pair = () => ({
    candidate: 'old',
    baseline: 'new',
    estimates: ['dr', 'ips'].map(estimator => ({
      estimator,
      value: one(rng, [null, number()]),
      standardError: number(),
      interval: interval(),
      simultaneous: one(rng, [null, bounds()]),
    })),
  })
  return evaluationOf({
    candidates: [candidate('new', 'ok'), candidate('old', 'caution'), candidate('bad', 'refuse')],
    differences: one(rng, [[], [pair()]]),
  })
}

const EXPECTATION_WORDS: Vocabulary = {
  known: {
    double: [
      "policy('new').reward.mean",
      "policy('old').regret.upper",
      "difference('old').reward.lower",
      "policy('new').actionShares.a",
      "policy('new').actionShares['constructor']",
      "policy('new').checkpoints[0].t",
    ],
    string: ["policy('new').name", "difference('old').baseline"],
    int: ["size(policy('new').checkpoints)"],
    list: ["policy('new').checkpoints", "policy('new').actionShares"],
  },
  functions: ['policy', 'difference', 'size', 'double'],
  wrong: [
    ...["policy('new')", "policy('new').actionShares.b", "policy('new').actionShares.constructor", 'policy', 'ctx.x'],
    ...["policy('new').actionShares.toString", "policy('x').reward.mean", "difference('new').reward.mean"],
    ...["policy('new').checkpoints[5].t", "policy('new').checkpoints.t", "policy('new').valueOf", 'policy(1)'],
    ...["policy('new', 'old')", "policy('new').checkpoints[1 - 1].t"],
  ],
}

function randomSimulation(rng: Rng): Omit<SimulationResult, 'expectations' | 'passed' | 'digest'> {
  const measured = (): Measured => {
    const [mean, lower, upper, q05, q50, q95] = Array.from({ length: 6 }, () => one(rng, NUMBERS))
    return { mean, lower, upper, q05, q50, q95 }
  }
  return simulationOf({
    policies: ['new', 'old'].map(name => ({
      name,
      reward: measured(),
      regret: measured(),
      bestActionShare: measured(),
      actionShares: one<Record<string, number>>(rng, [{ a: 0.25 }, JSON.parse('{ "a": 1, "constructor": 0 }')]),
      checkpoints: one(rng, [[], [{ t: 50, reward: measured(), regret: measured() }]]),
    })),
    differences: [{ policy: 'old', baseline: 'new', reward: measured(), regret: measured() }],
  })
}
