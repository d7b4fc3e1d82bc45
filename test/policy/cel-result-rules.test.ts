import { describe, expect, it } from 'vitest'
import { LEFT_OUT } from '../../scripts/cel-types.ts'
import { readSchemas, type Schema } from '../../scripts/schema-files.ts'
import { RESULT_TYPES } from '../../src/generated/cel-types.ts'
import { checkExpectation, checkGate, judgeExpectation, judgeGate } from '../../src/policy/result-rules.ts'
import type { CandidateResult, EstimateResult, Measured } from '../../src/results.ts'
import { evaluationOf, simulationOf } from '../support/rule-results.ts'

const measured = (mean: number): Measured => ({
  mean,
  lower: mean - 1,
  upper: mean + 1,
  q05: mean,
  q50: mean,
  q95: mean,
})

const simulation = simulationOf({
  policies: ['new', 'old'].map((name, i) => ({
    name,
    reward: measured(i),
    regret: measured(10 * (i + 1)),
    bestActionShare: measured(0.5),
    actionShares: { a: 0.25 },
    checkpoints: [{ t: 50, reward: measured(1), regret: measured(5) }],
  })),
  differences: [{ policy: 'old', baseline: 'new', reward: measured(1), regret: measured(10) }],
})

const estimate = (estimator: string, lower: number | null): EstimateResult => ({
  estimator,
  verdict: 'ok',
  reasons: [],
  value: lower,
  standardError: lower,
  interval: null,
  lift: lower === null ? null : { value: lower, lower, upper: lower, simultaneous: null, relative: null },
})

const candidate = (name: string, verdict: CandidateResult['verdict']): CandidateResult => ({
  name,
  verdict,
  reasons: verdict === 'refuse' ? ['no row has support'] : [],
  learntFrom: 'nothing',
  support: {
    effectiveSampleSize: 900,
    maxWeight: 2,
    maxWeightShare: 0.01,
    meanWeight: 1,
    positiveCount: 40,
    rowsWithoutSupport: 0,
    unsupportedMass: 0,
    rows: 1000,
  },
  estimates: [estimate('dr', -0.01234), estimate('ips', null)],
})

const evaluation = evaluationOf({
  candidates: [candidate('new', 'ok'), candidate('bad', 'refuse')],
  differences: [],
})

const gate = (expr: string) => judgeGate({ id: 'gate', expr }, evaluation)
const expectation = (expr: string) => judgeExpectation({ id: 'rule', expr }, simulation)

describe('judgeGate', () => {
  it('passes a gate that holds', () => {
    const expr =
      "candidate('new').estimate('dr').lift.lower >= -0.1 && candidate('new').estimate('dr').support.rows == 1000"
    expect(gate(expr)).toEqual({ id: 'gate', expr, passed: true })
  })

  it('quotes the numbers that broke a gate', () => {
    expect(gate("candidate('new').estimate('dr').lift.lower >= -0.001")).toMatchObject({
      passed: false,
      reason: "candidate('new').estimate('dr').lift.lower is -0.01234",
    })
  })

  it('fails a gate over a number that could not be computed', () => {
    expect(gate("candidate('new').estimate('ips').lift.lower >= -1").reason).toBe(
      "candidate('new').estimate('ips').lift could not be computed",
    )
    expect(gate("candidate('new').estimate('dr').lift.relative >= -1").passed).toBe(false)
  })

  it('fails every gate that uses a refused candidate, whatever its numbers', () => {
    expect(gate("candidate('bad').estimate('dr').lift.lower >= -1")).toMatchObject({
      passed: false,
      reason: 'candidate `bad` is refused: no row has support',
    })
    expect(gate("true || candidate('bad').support.rows > 0").passed).toBe(false)
  })
})

describe('judgeExpectation', () => {
  it.each([
    ["policy('new').regret.upper < policy('old').regret.upper", true],
    ["difference('old').regret.lower > 0", true],
    ["policy('new').actionShares['a'] < 0.2", false],
    ["policy('new').actionShares.a < 0.3", true],
    ["policy('old').checkpoints[0].regret.mean > 4", true],
    ["policy('old').checkpoints[1].regret.mean > 4", false],
  ])('says of `%s`: %s', (expr, passed) => {
    expect(expectation(expr).passed).toBe(passed)
  })

  it('knows actions by their names alone, whatever an object has besides', () => {
    const named = JSON.parse('{ "constructor": 0.75, "a": 0.25 }')
    const result = { ...simulation, policies: simulation.policies.map(each => ({ ...each, actionShares: named })) }
    const shares = (name: string) =>
      judgeExpectation({ id: 'rule', expr: `policy('new').actionShares.${name} > 0.5` }, result)
    expect(shares('constructor').passed).toBe(true)
    expect(shares('toString').reason).toBe("policy('new').actionShares.toString could not be computed")
  })

  it('quotes every number that it read', () => {
    expect(expectation("policy('old').regret.upper < policy('new').regret.lower").reason).toBe(
      "policy('old').regret.upper is 21, policy('new').regret.lower is 9",
    )
  })
})

describe('an entry of a list or a mapping', () => {
  it.each([
    ["policy('old').checkpoints[0].regret.mean > 9", "policy('old').checkpoints[0].regret.mean is 5"],
    ["policy('new').actionShares['a'] > 9", "policy('new').actionShares['a'] is 0.25"],
    ["policy('old').checkpoints[1].regret.mean > 9", "policy('old').checkpoints[1] could not be computed"],
  ])('is quoted as it was written: `%s`', (expr, reason) => {
    expect(expectation(expr).reason).toBe(reason)
  })
})

describe('a gate over a difference', () => {
  const bounds = (lower: number, upper: number) => ({ method: 'cressie-read', level: 0.95, lower, upper })
  const pair = (simultaneous: { lower: number; upper: number } | null) => ({
    ...evaluation,
    candidates: [candidate('new', 'ok'), candidate('old', 'ok'), candidate('bad', 'refuse')],
    differences: [
      {
        candidate: 'old',
        baseline: 'new',
        estimates: [{ estimator: 'dr', value: -0.2, standardError: 0.05, interval: bounds(-0.3, -0.1), simultaneous }],
      },
    ],
  })
  const passes = (expr: string, simultaneous: { lower: number; upper: number } | null = null) =>
    judgeGate({ id: 'g', expr }, pair(simultaneous)).passed

  it('knows both orders of a pair', () => {
    expect(passes("difference('old', 'new').estimate('dr').value == -0.2")).toBe(true)
    expect(passes("difference('new', 'old').estimate('dr').value == 0.2")).toBe(true)
    expect(passes("difference('new', 'old').estimate('dr').interval.lower == 0.1")).toBe(true)
    expect(passes("difference('new', 'old').estimate('dr').interval.upper == 0.3")).toBe(true)
  })

  it('is judged by the interval that holds for all pairs at once, where there is one', () => {
    const wide = { lower: -0.4, upper: 0.01 }
    expect(passes("difference('new', 'old').estimate('dr').interval.lower > 0.0", null)).toBe(true)
    expect(passes("difference('new', 'old').estimate('dr').interval.lower > 0.0", wide)).toBe(false)
    expect(passes("difference('new', 'old').estimate('dr').interval.lower == -0.01", wide)).toBe(true)
  })

  it('fails where one of the two is refused, or there is no such pair', () => {
    const judged = judgeGate({ id: 'g', expr: "difference('new', 'bad').estimate('dr').value > 0.0" }, pair(null))
    expect(judged.reason).toContain('candidate `bad` is refused')
    const same = judgeGate({ id: 'g', expr: "difference('new', 'new').estimate('dr').value > 0.0" }, pair(null))
    expect(same.reason).toBe("`difference('new', 'new')` compares a candidate with itself")
  })
})

describe('checkGate and checkExpectation', () => {
  it.each([
    ["candidate('nwe').support.rows > 1", 'there is no candidate `nwe` here', 'did you mean `new`?'],
    ["candidate('new').estimate('dx').value > 1", 'there is no estimator `dx` here', 'did you mean `dr`?'],
    [
      "candidate('new').estimate('dr').lft.lower > 1",
      "`candidate('new').estimate('dr')` has no field `lft`",
      'did you mean `lift`?',
    ],
    ["canddate('new').support.rows > 1", 'rules have no function `canddate`', 'did you mean `candidate`?'],
    ["candidate('n' + 'ew').support.rows > 1", "the candidate's name must be written out", undefined],
  ])('refuses `%s`', (expr, message, hint) => {
    expect(checkGate(expr, ['new'], ['dr'])).toMatchObject({ fault: { message, ...(hint && { hint }) } })
  })

  it('says which estimators a gate reads, and whether it compares candidates', () => {
    const gate = "candidate('a').verdict == 'ok' && candidate('a').estimate('dm').lift.lower > 0.0"
    expect(checkGate(gate, ['a', 'b'], ['dm', 'dr'])).toEqual({ estimators: ['dm'], compares: false })
    const pair = "difference('a', 'b').estimate('dr').interval.lower > 0.0"
    expect(checkGate(pair, ['a', 'b'], ['dm', 'dr'])).toEqual({ estimators: ['dr'], compares: true })
    expect(checkGate("difference('a', 'c').estimate('dr').value > 0.0", ['a', 'b'], ['dr'])).toMatchObject({
      fault: { message: 'there is no candidate `c` here' },
    })
  })

  it('knows the fields of an entry of a list', () => {
    expect(checkExpectation("policy('a').checkpoints[0].regrt.mean > 1", ['a'])).toMatchObject({
      message: "`policy('a').checkpoints[0]` has no field `regrt`",
      hint: 'did you mean `regret`?',
    })
  })

  it('refuses a rule that gives no truth value', () => {
    expect(checkExpectation("policy('a').regret.mean", ['a'])?.message).toBe(
      'the rule must give true or false, but gives a double',
    )
  })

  it('refuses the difference of the first policy, which is the baseline', () => {
    expect(checkExpectation("difference('a').regret.mean > 0", ['a', 'b'])?.message).toBe(
      'there is no difference `a` here',
    )
    expect(checkExpectation("difference('b').regret.mean > 0", ['a', 'b'])).toBeUndefined()
  })
})

describe('what rules may read', () => {
  it.each([
    ["candidate('new').learntFrom == 'nothing'", true],
    ["candidate('new').learntFrom == 'this-log'", false],
  ])('is what a candidate was made from: `%s` is %s', (expr, passed) => {
    expect(checkGate(expr, ['new'], ['dr'])).not.toHaveProperty('fault')
    expect(gate(expr)).toMatchObject({ passed })
  })

  it('is the share of decisions that nothing could be served for, 0 where the result has none', () => {
    expect(expectation("policy('new').unservedShare == 0.0")).toMatchObject({ passed: true })
    const some = { ...simulation, policies: simulation.policies.map(each => ({ ...each, unservedShare: 0.25 })) }
    const expr = "policy('new').unservedShare < 0.01"
    expect(judgeExpectation({ id: 'rule', expr }, some).reason).toBe("policy('new').unservedShare is 0.25")
  })

  it('is every field of the results, but what it is said why', async () => {
    const schemas = await readSchemas()
    const fields = (file: string, name: string) => {
      const { properties, required } = schemas[`${file}.schema.json`].$defs![name] as Required<Schema>
      return { all: Object.keys(properties).filter(field => !LEFT_OUT.includes(field)), required }
    }
    const definitions = [
      ['simulation-result', 'PolicyResult', 'Policy'],
      ['simulation-result', 'DifferenceResult', 'Difference'],
      ['simulation-result', 'Checkpoint', 'Checkpoint'],
      ['simulation-result', 'Measured', 'Measured'],
      ['simulation-result', 'SlotResult', 'SlotResult'],
      ['evaluation-result', 'CandidateResult', 'Candidate'],
      ['evaluation-result', 'Support', 'Support'],
      ['evaluation-result', 'SlotSupport', 'SlotSupport'],
      ['evaluation-result', 'MetricResult', 'MetricResult'],
      ['evaluation-result', 'EstimateResult', 'Estimate'],
      ['evaluation-result', 'Interval', 'Interval'],
      ['evaluation-result', 'Lift', 'Lift'],
      ['evaluation-result', 'DifferenceOfCandidates', 'Contrast'],
      ['evaluation-result', 'DifferenceEstimate', 'ContrastEstimate'],
    ]
    expect(Object.keys(RESULT_TYPES).sort()).toEqual(definitions.map(([, , called]) => called).sort())
    for (const [file, name, called] of definitions) {
      const { all, required } = fields(file, name)
      expect(Object.keys(RESULT_TYPES[called]), called).toEqual(all)
      // A rule that reads what is not there fails: what may be absent has a value for rules.
      const absent =
        { Policy: ['unservedShare', 'slots'], Candidate: ['slots', 'metrics'], Estimate: ['support'] }[called] ?? []
      expect(all.filter(field => !required.includes(field))).toEqual(absent)
    }
  })

  it('has no field without a type', () => {
    const known = /^(string|double|bool|map<string, double>|list<\w+>)$/
    for (const fields of Object.values(RESULT_TYPES)) {
      for (const type of Object.values(fields)) expect(known.test(type) || type in RESULT_TYPES, type).toBe(true)
    }
  })
})
